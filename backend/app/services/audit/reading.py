"""Reading the audit log: pages, the verification of every chain, the whole log as lines.

Everything is read in batches, each a statement of its own, so that a long log neither fills the memory nor holds a
connection. Times come as text, which no value that somebody put into the column can break.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import msgspec
import sqlalchemy as sa

from app.db.lenient import LenientText
from app.models.audit import audit_entries
from app.schemas.audit import AuditEntry, AuditGap, AuditHead, AuditOwner, AuditPage, AuditProblem, Verification
from app.schemas.vault import OWNER_KINDS
from app.services.audit.chain import INSERTED, UNKNOWN_WRITER, Chain, Entry, Gap, Head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from app.db.session import Database
    from app.services.audit.gaps import Explanations

BATCH_ROWS: Final = 1000
MAX_PROBLEMS: Final = 1000
"""Verification lists no more; a log that was exchanged as a whole has as many as entries."""


@functools.cache
def select_entries(dialect: str) -> sa.Select[Any]:
    """Select the fields of `Entry`, in their order."""
    table = audit_entries.c
    if dialect == "postgresql":
        in_utc = sa.func.timezone("UTC", table.time)
        time: sa.ColumnElement[Any] = sa.func.to_char(in_utc, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"', type_=sa.Text)
    else:
        time = sa.type_coerce(table.time, LenientText())
    given: dict[str, Any] = {"time": time.label("time"), "times": table.count}
    return sa.select(*(given[name] if name in given else table[name] for name in Entry._fields))


def read_page(
    database: Database,
    *,
    owner_kind: str | None,
    owner_id: str | None,
    action: str | None,
    limit: int,
    cursor: int | None,
) -> AuditPage:
    """Return entries, newest first, those before `cursor` if it is given.

    Each page costs the same however long the log is, because an index gives the entries in this order. Only an
    `owner_id` without its kind is looked up under every kind, and of an owner and an action together the index serves
    one; entries that the other one leaves out are passed over.
    """
    table = audit_entries.c
    conditions: list[sa.ColumnElement[bool]] = []
    if owner_kind is not None:
        conditions.append(table.owner_kind == owner_kind)
    elif owner_id is not None:  # the index begins with the kind
        conditions.append(table.owner_kind.in_(OWNER_KINDS))
    if owner_id is not None:
        conditions.append(table.owner_id == owner_id)
    if action is not None:
        conditions.append(table.action == action)
    if cursor is not None:
        conditions.append(table.seq < cursor)
    with database.read() as connection:
        query = select_entries(connection.dialect.name).where(*conditions).order_by(table.seq.desc()).limit(limit + 1)
        found = [Entry._make(row) for row in connection.execute(query)]
    shown = found[:limit]
    return AuditPage([_shown(entry) for entry in shown], str(shown[-1].seq) if len(found) > limit else None)


def verify_chains(
    database: Database,
    *,
    key_of: Callable[[str], bytes | None],
    pinned: Mapping[str, Head],
    own: str | None,
    listed: Mapping[str, Head] | None = None,
    explained: Explanations,
) -> Verification:
    """Check every chain.

    Args:
        database: where they are.
        key_of: returns the MAC key of a writer's chain, None if it is not at hand.
        pinned: heads by writer, read before this is called: what is appended meanwhile is ahead of them.
        own: this desktop's writer.
        listed: where the vault's manifest says that each chain ended, read before this is called; None if it cannot be
            believed, or is not at hand.
        explained: what the log tells of entries that are not there.
    """
    known = _newest(pinned, listed or {})
    heads: dict[str, Head | None] = {}
    entries = unchecked = 0
    findings = _Findings(explained)
    report = findings.report

    for seq in _strays(database):
        report(seq, INSERTED)
        entries += 1
    for writer in _writers(database):
        key = key_of(writer)
        chain = Chain(key, known.get(writer), report, functools.partial(findings.miss, writer))
        count = 0
        for entry in _entries_of(database, writer):
            chain.feed(entry)
            count += 1
        chain.end()
        heads[writer] = chain.head
        entries += count
        if key is None:
            unchecked += count
            if listed is not None and writer not in listed:
                report(chain.last_seq, UNKNOWN_WRITER)
    for writer in sorted(known.keys() - heads.keys()):  # nothing is left of these
        Chain(None, known[writer], report, functools.partial(findings.miss, writer)).end()
    head = heads.get(own) if own is not None else None
    return Verification(
        ok=not findings.problems and not unchecked,
        entries=entries,
        unchecked=unchecked,
        head=AuditHead(own, head.writer_seq, head.mac) if own is not None and head is not None else None,
        problems=sorted(findings.problems, key=lambda problem: (problem.seq is None, problem.seq or 0)),
        gaps=findings.gaps,
    )


class _Findings:
    """What is found wrong, and what is missing."""

    def __init__(self, explained: Explanations) -> None:
        self._explained = explained
        self.problems: list[AuditProblem] = []
        self.gaps: list[AuditGap] = []

    def report(self, seq: int | None, kind: Any, cause: Any = None) -> None:
        """Note a problem."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(AuditProblem(seq, kind, cause))

    def miss(self, writer: str, gap: Gap) -> None:
        """Note missing entries, which are a problem unless that was accepted."""
        cause, is_accepted = self._explained.cause(gap), self._explained.is_accepted(writer, gap)
        if len(self.gaps) < MAX_PROBLEMS:
            self.gaps.append(AuditGap(writer, gap.first, gap.last, cause, is_accepted))
        if not is_accepted:
            self.report(gap.seq, gap.kind, cause)


def _newest(pinned: Mapping[str, Head], listed: Mapping[str, Head]) -> dict[str, Head]:
    """Return where each chain ended at least, as far as either tells."""
    known = dict(pinned)
    for writer, end in listed.items():
        if writer not in known or known[writer].writer_seq < end.writer_seq:
            known[writer] = end
    return known


def export_lines(database: Database) -> Iterator[str]:
    """Yield every entry as a line of JSON, oldest first."""
    last: int | None = None
    while True:
        with database.read() as connection:
            query = select_entries(connection.dialect.name).order_by(audit_entries.c.seq).limit(BATCH_ROWS)
            if last is not None:
                query = query.where(audit_entries.c.seq > last)
            batch = [Entry._make(row) for row in connection.execute(query)]
        for entry in batch:
            yield msgspec.json.encode(_shown(entry)).decode()
        if len(batch) < BATCH_ROWS:
            return
        last = batch[-1].seq


def _writers(database: Database) -> Iterator[str]:
    """Yield the writers, each found by one step in the index."""
    if database.target is not None and database.target[0] == "sqlite":
        yield from _sqlite_writers(database)
        return
    query = sa.select(sa.func.min(audit_entries.c.writer))
    with database.read() as connection:
        writer = connection.scalar(query)
    while writer is not None:
        yield writer
        with database.read() as connection:
            writer = connection.scalar(query.where(audit_entries.c.writer > writer))


_IS_OURS: Final = sa.literal_column(
    "(typeof(audit_entries.writer) = 'text' AND audit_entries.writer NOT GLOB '*[^ -~]*'"
    " AND typeof(audit_entries.writer_seq) = 'integer')",
    sa.Boolean,
)
"""What every entry of ours is on SQLite, which keeps whatever is written into a column."""


def _sqlite_writers(database: Database) -> Iterator[str]:
    with database.read() as connection:
        query = sa.select(audit_entries.c.writer).distinct().where(_IS_OURS).order_by(audit_entries.c.writer)
        found = list(connection.scalars(query))
    yield from found


def _strays(database: Database) -> Iterator[int]:
    """Yield entries that belong to no chain, as their writer or number is none."""
    with database.read() as connection:
        if connection.dialect.name != "sqlite":
            return
        query = sa.select(audit_entries.c.seq).where(sa.not_(_IS_OURS)).limit(MAX_PROBLEMS)
        found = list(connection.scalars(query))
    yield from found


def _entries_of(database: Database, writer: str) -> Iterator[Entry]:
    """Yield one writer's entries in the order of their numbers."""
    table = audit_entries.c
    after: Entry | None = None
    while True:
        with database.read() as connection:
            query = select_entries(connection.dialect.name).where(table.writer == writer)
            if connection.dialect.name == "sqlite":
                query = query.where(_IS_OURS)
            if after is not None:
                # the number by itself is for the index; `seq` tells entries apart that have the same number
                query = query.where(
                    table.writer_seq >= after.writer_seq,
                    sa.or_(table.writer_seq > after.writer_seq, table.seq > after.seq),
                )
            query = query.order_by(table.writer_seq, table.seq).limit(BATCH_ROWS)
            batch = [Entry._make(row) for row in connection.execute(query)]
        yield from batch
        if len(batch) < BATCH_ROWS:
            return
        after = batch[-1]


def _shown(entry: Entry) -> AuditEntry:
    owner = None if entry.owner_kind is None else AuditOwner(entry.owner_kind, entry.owner_id or "")
    return AuditEntry(
        seq=entry.seq,
        time=entry.time,
        actor=entry.actor,
        device=entry.device,
        action=entry.action,
        owner=owner,
        name=entry.name,
        fingerprint=entry.fingerprint,
        outcome=entry.outcome,
        reason=entry.reason,
        count=entry.times,
        writer=entry.writer,
        writer_seq=entry.writer_seq,
        prev=entry.prev,
        mac=entry.mac,
    )

"""The audit log: what was done with which secret, by whom, in chains that show every tampering.

A service opens its transaction with `Audit.writing` and calls `append` in it. The entries are written as the last
statements of that transaction, so either the operation and its entries are committed or neither is; an entry that
cannot be written refuses the operation. After the commit, and never before it, the chain's head is pinned in the
config directory: a crash in between leaves a log that is ahead of its pin, which is sound, while a log that is behind
its pin was cut off.

Each desktop writes a chain of its own. Numbers are given out under a lock of the database, so threads, processes and
even copies of one config directory never give out the same number twice.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import itertools
import socket
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, WeakSet

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from app.core.exceptions import RequestError
from app.core.fernet_keys import fingerprint as key_fingerprint
from app.core.installation import install_id, own_install_id
from app.core.logging import get_logger
from app.db.base import instant_text, utc_now
from app.models.audit import audit_entries
from app.schemas.audit import AuditProblem
from app.services.audit.chain import (
    GENESIS,
    VAULT_REPLACED,
    Entry,
    Gap,
    Head,
    is_genuine,
    mac_key,
    mac_of,
    open_mac_key,
    seal_mac_key,
)
from app.services.audit.files import AuditFiles
from app.services.audit.gaps import ACCEPT_GAP, HISTORY_LOST, Explanations, told
from app.services.audit.reading import export_lines, read_page, select_entries, verify_chains
from app.services.audit.sharing import key_item, opened_entry, to_share
from app.services.audit.uses import DueUses, UseCounts, Used
from app.services.vault.later import Later
from app.services.vault.ledger import Ledger, VaultRolledBackError
from app.services.vault.manifest import StaleKeysError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from app.db.session import Database
    from app.schemas.audit import AuditPage, Verification
    from app.services.vault.keys import Keys
    from app.services.vault.manifest import Entry as ManifestEntry

ACTIONS: Final = (
    "set",
    "replace",
    "reveal",
    "use",
    "validate",
    "rotate",
    "share",
    "expire",
    "delete",
    "unlock",
    "reset",
    "accept",
    HISTORY_LOST,
    ACCEPT_GAP,
    "refused",
)
MAX_TEXT_CHARS: Final = 500
MAX_DEVICE_CHARS: Final = 64
_LOOK_BACK: Final = 100
MAX_GAP: Final = 1_000_000
"""A strange entry farther ahead than this is not numbered after: it may have taken the highest number there is."""
MAX_NUMBER: Final = 1 << 62
_LOCK_CLASS: Final = 0x61756469  # "audi": the first half of the advisory locks' two-part key

log = get_logger(__name__)


class AuditUnavailableError(RequestError):
    """An audit entry cannot be written; what it would have told of is refused."""

    status = 503
    code = "audit-unavailable"

    def __init__(self) -> None:
        super().__init__(
            "The audit log cannot be written, so nothing was done. Please retry.", headers={"Retry-After": "5"}
        )


@dataclass(frozen=True, slots=True)
class _Identity:
    """Whose chains these are: a vault, and the keys of the chains that the root keys at hand write or wrote."""

    vault_id: str
    root_keys: tuple[bytes, ...] = field(repr=False)
    mac_keys: dict[str, bytes] = field(repr=False)
    """By fingerprint of the root key; the first one writes."""
    to_keep: dict[str, str] = field(repr=False)
    """MAC keys that are not kept yet for the time when only the first root key is at hand; sealed under that one."""

    def writer(self, install_id: str) -> str:
        """Name the chain that this installation writes."""
        return f"{install_id}-{next(iter(self.mac_keys))}"

    def key_of(self, writer: str) -> bytes | None:
        """Return the MAC key of a chain, if it is at hand."""
        return self.mac_keys.get(writer.rpartition("-")[2])


def _identity_of(vault_id: str, root_keys: tuple[bytes, ...], kept: Mapping[str, str]) -> _Identity:
    """Derive the MAC keys of the root keys at hand, and open the kept ones of older chains."""
    own = {key_fingerprint(key): mac_key(key, vault_id) for key in root_keys}
    older = {
        fingerprint: key
        for root_key in root_keys
        for fingerprint, sealed in kept.items()
        if (key := open_mac_key(root_key, vault_id, fingerprint, sealed)) is not None
    }
    mac_keys = own | {fingerprint: key for fingerprint, key in older.items() if fingerprint not in own}
    first = root_keys[0]
    to_keep = {
        fingerprint: seal_mac_key(first, vault_id, fingerprint, key)
        for fingerprint, key in mac_keys.items()
        if key != mac_key(first, vault_id)
        and open_mac_key(first, vault_id, fingerprint, kept.get(fingerprint, "")) != key
    }
    return _Identity(vault_id, root_keys, mac_keys, to_keep)


@dataclass(slots=True)
class _Pending:
    """What one transaction is to append, and where the chain then ends."""

    identity: _Identity
    is_pinned_at_once: bool
    entries: list[dict[str, Any]] = field(default_factory=list)
    writer: str = ""
    head: Head | None = None


class Audit:
    """The audit log of the present database."""

    def __init__(
        self,
        database: Database,
        config_dir: Path,
        *,
        clock: Callable[[], dt.datetime] = utc_now,
        device: str | None = None,
    ) -> None:
        self._database = database
        self._directory = config_dir
        self._files = AuditFiles(config_dir)
        self.files = self._files
        self.ledger = Ledger(self._files, Later(config_dir))
        """The manifest, which is changed with the entries that tell of the change."""
        self._clock = clock
        self._device = device
        self._identity: _Identity | None = None
        self._own: WeakSet[sa.Connection] = WeakSet()
        """Connections of transactions that `writing` opened."""
        self._pending: WeakKeyDictionary[sa.Connection, _Pending] = WeakKeyDictionary()
        self._is_behind = False
        """A transaction that was not opened by `writing` has appended: its end is pinned by the next `flush`."""
        self.on_due: Callable[[], object] = lambda: None
        """Called when uses are to be written soon, by whoever has used a secret: it has to return at once."""
        self._uses = UseCounts()
        self._due: deque[DueUses] = deque()
        """Uses that are to be written, by whoever comes first."""
        self._writing_uses = threading.Lock()
        self._kept_uses: list[Any] | None = None
        """What the file holds; None until it was read."""
        self._restoring = threading.Lock()

    def attach(self, vault_id: str, root_keys: Sequence[bytes]) -> None:
        """Work for this vault from now on; needs no key of the vault's own, so it works while that is locked.

        Args:
            vault_id: enters every MAC.
            root_keys: local root keys; the first one writes, the others verify what they wrote.
        """
        known, keys = self._identity, tuple(root_keys)
        if known is None or (known.vault_id, known.root_keys) != (vault_id, keys):
            self._identity = _identity_of(vault_id, keys, self._files.sealed_keys(vault_id)) if keys else None

    # --- writing -----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction as `Database.write` opens it; what is appended in it is pinned as soon as it is committed.

        Raises:
            AuditUnavailableError: an entry could not be written; everything was rolled back.
            DatabaseAwayError: the database cannot be used now; nothing was written.
        """
        self.write_uses()  # first: the log tells things in the order in which they happened
        with self._writing() as connection:
            yield connection

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._database.write() as connection:
            self._own.add(connection)
            self._listen(connection)
            yield connection
        pending = self._pending.pop(connection, None)
        root = self.ledger.written(connection)
        if root is not None and self._identity is not None:
            self._files.see_root(self._identity.vault_id, *root)
        if pending is None or pending.head is None:
            if root is not None:
                self._files.write_seen()
        else:
            self._files.pin(pending.identity.vault_id, pending.writer, pending.head)

    def append(
        self,
        connection: sa.Connection,
        *,
        action: str,
        actor: str,
        owner_kind: str | None = None,
        owner_id: str | None = None,
        name: str | None = None,
        fingerprint: str | None = None,
        outcome: str = "ok",
        reason: str | None = None,
        count: int = 1,
        at: dt.datetime | None = None,
    ) -> None:
        """Add an entry to a transaction; it is written with the commit, which fails if that is impossible.

        Args:
            connection: of a transaction that `writing` opened.
            action: one of `ACTIONS`.
            actor: such as ``launch-token``, ``user:<sub>``, ``cli``, ``system``.
            owner_kind: with `owner_id` and `name`, which secret.
            owner_id: of the owner.
            name: of the secret.
            fingerprint: of the secret, or of the key that an operation was about.
            outcome: ``ok``, ``refused`` or ``failed``.
            reason: one of our own codes or sentences, never anything a secret could be part of.
            count: how many times.
            at: when it happened, if that is not now.

        Raises:
            AuditUnavailableError: the log is not attached to a vault; other reasons appear with the commit.
        """
        identity = self._identity
        if identity is None:
            raise AuditUnavailableError
        pending = self._pending.get(connection)
        if pending is None:
            pending = self._pending[connection] = _Pending(identity, connection in self._own)
            self._listen(connection)
        pending.entries.append(
            {
                "time": at or self._clock(),
                "actor": _clean(actor),
                "device": self._device_name(),
                "action": _clean(action),
                "owner_kind": _clean(owner_kind),
                "owner_id": _clean(owner_id),
                "name": _clean(name),
                "fingerprint": _clean(fingerprint),
                "outcome": _clean(outcome),
                "reason": _clean(reason),
                "count": count,
            }
        )

    def _listen(self, connection: sa.Connection) -> None:
        """Be told of a transaction's end, once."""
        if not event.contains(connection, "commit", self._write_pending):
            event.listen(connection, "commit", self._write_pending)
            event.listen(connection, "rollback", self._forget_pending)

    def record(self, *, action: str, actor: str, **fields: Any) -> None:
        """Append one entry in a transaction of its own; arguments are those of `append`.

        Raises:
            AuditUnavailableError: the entry could not be written.
            DatabaseAwayError: the database cannot be used now.
        """
        with self.writing() as connection:
            self.append(connection, action=action, actor=actor, **fields)

    def _write_pending(self, connection: sa.Connection) -> None:
        """Write what a transaction appended; SQLAlchemy calls this before it commits, and rolls back if it raises."""
        pending = self._pending.get(connection)
        has_entries = pending is not None and bool(pending.entries)
        if not has_entries and not self.ledger.has_noted(connection):
            return
        try:
            heads = self._write(connection, pending) if pending is not None and has_entries else {}
            self.ledger.write(connection, heads)
        except DBAPIError as exc:
            if exc.connection_invalidated:
                raise
            cause = getattr(exc.orig, "pgcode", None) or getattr(exc.orig, "sqlite_errorname", None)
            log.error("the audit log cannot be written", extra={"cause": cause})  # noqa: TRY400 - the text quotes rows
            raise AuditUnavailableError from None
        except (OSError, OverflowError) as exc:  # no installation id; a strange entry took the highest number
            log.error("the audit log cannot be written", extra={"cause": type(exc).__name__})  # noqa: TRY400
            raise AuditUnavailableError from None
        if pending is not None:
            pending.entries = []
            if not pending.is_pinned_at_once:
                self._is_behind = True

    def _forget_pending(self, connection: sa.Connection) -> None:
        """Drop what a transaction appended that is rolled back."""
        self._pending.pop(connection, None)
        self.ledger.forget(connection)

    def _write(self, connection: sa.Connection, pending: _Pending) -> dict[str, Any]:
        """Write entries; return where the chain ends then, by writer."""
        identity = pending.identity
        writer = identity.writer(own_install_id(self._directory))
        self._keep_keys(identity)
        _lock_chain(connection, writer)
        (number, prev), last_number = self._end_of_chain(connection, identity, writer)
        number = max(number, last_number)
        key = identity.mac_keys[writer.rpartition("-")[2]]
        rows = []
        for fields in pending.entries:
            number += 1
            row = {"writer": writer, "writer_seq": number, **fields, "prev": prev}
            prev = mac_of(key, tuple({**row, "time": instant_text(row["time"])}.values()))
            rows.append({**row, "mac": prev})
        connection.execute(sa.insert(audit_entries), rows)
        pending.writer, pending.head = writer, Head(number, prev)
        return {writer: [number, prev]}

    def _keep_keys(self, identity: _Identity) -> None:
        """Keep the MAC keys of older chains, so that these can be verified when their root keys are gone."""
        if not identity.to_keep:
            return
        try:
            self._files.keep_sealed_keys(identity.vault_id, identity.to_keep)
        except OSError as exc:
            log.error("keys of older audit chains could not be kept", extra={"cause": exc.strerror})  # noqa: TRY400
        else:
            identity.to_keep.clear()

    def _end_of_chain(self, connection: sa.Connection, identity: _Identity, writer: str) -> tuple[Head, int]:
        """Return the last genuine entry of our own chain, and the highest number that is taken.

        The pinned head is where the chain goes on, whatever became of the table: if entries were cut off, the gap
        stays visible for good; entries that a crash left unpinned are ours, and followed; strange ones are passed over.
        """
        pinned = self._files.head(identity.vault_id, writer)
        number_of = audit_entries.c.writer_seq
        query = select_entries(connection.dialect.name).where(audit_entries.c.writer == writer)
        if pinned is None:
            last = query.order_by(number_of.desc()).limit(_LOOK_BACK)
            found = (Entry._make(row) for row in connection.execute(last))
            head = next(
                (Head(entry.writer_seq, entry.mac) for entry in found if 0 < entry.writer_seq < MAX_NUMBER), None
            )
            return head or Head(0, GENESIS), head.writer_seq if head is not None else 0
        head, number = pinned, pinned.writer_seq
        key = identity.mac_keys[writer.rpartition("-")[2]]
        for row in connection.execute(query.where(number_of > pinned.writer_seq).order_by(number_of)):
            entry = Entry._make(row)
            if entry.writer_seq <= number + MAX_GAP:
                number = entry.writer_seq
                head = Head(number, entry.mac) if entry.prev == head.mac and is_genuine(key, entry) else head
        return head, number

    def _device_name(self) -> str:
        if self._device is None:
            self._device = clean_device(socket.gethostname())
        return self._device

    # --- uses --------------------------------------------------------------------------------------------------------

    def note_use(
        self,
        secret_id: str,
        owner_kind: str,
        owner_id: str,
        name: str,
        *,
        fingerprint: str | None = None,
        actor: str,
    ) -> None:
        """Count one use of a secret; the first in a minute is written soon, with what earlier ones left.

        Returns at once and never raises: whoever needs the secret does not wait for the log. A use that cannot be
        written stays counted and is tried again in a later minute.
        """
        identity = self._identity
        if identity is None:
            log.warning("a use was not counted: the audit log is not attached")
            return
        self._restore_uses()
        used = Used(identity.vault_id, secret_id, owner_kind, owner_id, name, fingerprint)
        due = self._uses.note(used, actor, self._clock().timestamp())
        if due is not None:
            self._due.append(due)
            self.on_due()

    def write_uses(self) -> bool:
        """Write the uses that are due in one transaction; False if they could not be written. Never raises."""
        with self._writing_uses:  # whoever reads the log after this reads them, whichever thread has written them
            identity, unwritten = self._identity, [self._due.popleft() for _ in range(len(self._due))]
            ours = [uses for uses in unwritten if identity is not None and uses.used.vault_id == identity.vault_id]
            try:
                if ours:
                    with self._writing() as connection:
                        for uses in ours:
                            self._append_uses(connection, uses)
                unwritten = [uses for uses in unwritten if uses not in ours]
            except (RequestError, DBAPIError) as exc:
                code = exc.code if isinstance(exc, RequestError) else "internal"
                log.warning("uses of a secret are not in the audit log yet", extra={"code": code})
            finally:
                for uses in unwritten:
                    self._uses.give_back(uses)
        return not unwritten

    def _append_uses(self, connection: sa.Connection, uses: DueUses) -> None:
        used = uses.used
        self.append(
            connection,
            action="use",
            actor=uses.actor,
            owner_kind=used.owner_kind,
            owner_id=used.owner_id,
            name=used.name,
            fingerprint=used.fingerprint,
            count=uses.count,
            at=dt.datetime.fromtimestamp(uses.at, dt.UTC),
        )

    def flush(self) -> None:
        """Write what is due: uses of earlier minutes, and a head that is not pinned yet. Never raises.

        Call it every few seconds and before the process ends. Uses that have to wait for their minute to end are kept
        in the config directory for the next process.
        """
        identity = self._identity
        if identity is None:
            return
        self._restore_uses()
        self._due += self._uses.due(identity.vault_id, self._clock().timestamp())
        self.write_uses()
        self._keep_uses()
        self._files.write_seen()
        if self._is_behind:
            self._catch_up(identity)

    def _restore_uses(self) -> None:
        with self._restoring:
            if self._kept_uses is None:
                kept = self._files.uses()
                self._uses.restore(kept)
                self._kept_uses = kept

    def _keep_uses(self) -> None:
        left = self._uses.left(self._clock().timestamp())
        if left != self._kept_uses:
            try:
                self._files.keep_uses(left)
            except OSError as exc:
                log.error("uses could not be kept", extra={"cause": exc.strerror})  # noqa: TRY400
            else:
                self._kept_uses = left

    def _catch_up(self, identity: _Identity) -> None:
        """Pin what is committed."""
        own_id = install_id(self._directory)
        if own_id is None:
            return
        self._is_behind = False
        writer = identity.writer(own_id)
        try:
            with self._database.read() as connection:
                head, _ = self._end_of_chain(connection, identity, writer)
        except (RequestError, DBAPIError):
            self._is_behind = True
        else:
            self._files.pin(identity.vault_id, writer, head)

    # --- reading -----------------------------------------------------------------------------------------------------

    def page(
        self,
        *,
        owner_kind: str | None = None,
        owner_id: str | None = None,
        action: str | None = None,
        limit: int = 50,
        cursor: int | None = None,
    ) -> AuditPage:
        """Return entries, newest first, those before `cursor` if it is given.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        self.write_uses()
        return read_page(
            self._database, owner_kind=owner_kind, owner_id=owner_id, action=action, limit=limit, cursor=cursor
        )

    def verify(self) -> Verification:
        """Check every chain: numbers, links and order, the MACs of those whose key is at hand, and the pinned heads.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        self.write_uses()
        identity = self._identity
        place = self._database.place
        before = None if place is None else self._files.vault_in(place)
        key_of = self._keys_at_hand()
        if identity is None:
            nothing = Explanations(())
            verdict = verify_chains(self._database, key_of=key_of, pinned={}, own=None, explained=nothing)
        else:
            own_id = install_id(self._directory)
            verdict = verify_chains(
                self._database,
                key_of=key_of,
                pinned=self._files.heads(identity.vault_id),
                own=None if own_id is None else identity.writer(own_id),
                listed=self._listed_heads(),
                explained=Explanations(told(self._database, key_of)),
            )
        if before is not None and (identity is None or identity.vault_id != before):
            verdict.problems.append(AuditProblem(None, VAULT_REPLACED))
            verdict.ok = False
        return verdict

    @property
    def vault_id(self) -> str | None:
        """Id of the vault that this log is attached to."""
        return None if self._identity is None else self._identity.vault_id

    def about_gaps(self, limit: int) -> list[Entry]:
        """Return the newest genuine entries that tell of lost entries, newest first.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        return told(self._database, self._keys_at_hand(), limit)

    def has_lost_own(self) -> bool:
        """Tell whether entries that this desktop wrote lately are not there, and nobody has accepted that.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        identity, own_id = self._identity, install_id(self._directory)
        if identity is None or own_id is None:
            return False
        writer = identity.writer(own_id)
        pinned = self._files.head(identity.vault_id, writer)
        number = audit_entries.c.writer_seq
        query = sa.select(number).where(audit_entries.c.writer == writer).order_by(number.desc()).limit(_LOOK_BACK)
        with self._database.read() as connection:
            present = sorted(connection.scalars(query))
        ends = [*present, *(() if pinned is None else (pinned.writer_seq + 1,))]
        gaps = (
            Gap(None, "", before + 1, after - 1, None)
            for before, after in itertools.pairwise(ends)
            if after > before + 1
        )
        explained = Explanations(self.about_gaps(_LOOK_BACK))
        return any(not explained.is_accepted(writer, gap) for gap in gaps)

    def _keys_at_hand(self) -> Callable[[str], bytes | None]:
        """Return what tells the MAC key of a writer's chain, None if it is not at hand."""
        identity = self._identity
        if identity is None:
            return lambda _: None
        with self._database.read() as connection:
            shared = self._shared_keys(connection)
        return lambda writer: identity.key_of(writer) or shared.get(writer.rpartition("-")[2])

    def _listed_heads(self) -> dict[str, Head] | None:
        """Return where the manifest says that each chain ended; None if it is not believed, or not at hand."""
        with self._database.read() as connection:
            root = self.ledger.root(connection)
        if root is None:
            return None
        return {writer: Head(int(number), str(mac)) for writer, (number, mac) in root.heads.items()}

    # --- sharing -----------------------------------------------------------------------------------------------------

    def share_keys(self, connection: sa.Connection, keys: Keys) -> None:
        """Let the manifest tell the members the MAC keys that are at hand here, inside a transaction that changes it.

        Args:
            connection: of the transaction.
            keys: the vault's, as they are at its end.
        """
        for fingerprint, entry in self._to_share(connection, keys).items():
            self.ledger.note(connection, key_item(fingerprint), entry)

    def has_shared_keys(self, connection: sa.Connection, keys: Keys) -> bool:
        """Tell whether the members can verify what was written here."""
        return not self._to_share(connection, keys)

    def _to_share(self, connection: sa.Connection, keys: Keys) -> dict[str, ManifestEntry]:
        identity = self._identity
        if identity is None or identity.vault_id != keys.vault_id or keys.active is None:
            return {}
        try:
            entries = self.ledger.about_writers(connection, keys, identity.mac_keys, key_item)
        except (StaleKeysError, VaultRolledBackError):  # told elsewhere, and tried again with the next change
            return {}
        return to_share(entries, identity.mac_keys, keys.active, keys.opened)

    def _shared_keys(self, connection: sa.Connection) -> dict[str, bytes]:
        """Return the MAC keys that members have shared, by fingerprint; none while the manifest is not believed."""
        keys = self.ledger.keys
        if keys is None or keys.active is None or keys.doubt is not None:
            return {}
        try:
            entries = self.ledger.about_writers(connection, keys, (), key_item)
        except (StaleKeysError, VaultRolledBackError):
            return {}
        opened = {name: opened_entry(entry, name, keys.opened) for name, entry in entries.items()}
        return {name: key for name, key in opened.items() if key is not None}

    def export(self) -> Iterator[str]:
        """Yield every entry as a line of JSON, oldest first.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        self.write_uses()
        return export_lines(self._database)


def clean_device(host: str) -> str:
    """Return a host's name as printable ASCII of moderate length."""
    kept = "".join(character if "!" <= character <= "~" else "-" for character in host.strip())
    return kept[:MAX_DEVICE_CHARS] or "unknown"


def _clean(text: Any) -> Any:
    """Return text that both databases take: no control characters, no half surrogate pairs, of moderate length."""
    if text is None:
        return None
    return "".join(character if character.isprintable() else "?" for character in str(text)[:MAX_TEXT_CHARS])


def _lock_chain(connection: sa.Connection, writer: str) -> None:
    """Let nobody else append to this chain until the transaction ends; SQLite has one writer at a time anyway."""
    if connection.dialect.name != "postgresql":
        return
    number = int.from_bytes(hashlib.sha256(writer.encode()).digest()[:4], "big", signed=True)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_CLASS, number)))

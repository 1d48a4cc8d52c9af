"""The manifest in the database: read with what it vouches for, and changed in the transaction that changes that.

A service notes what its transaction changes; just before the commit the root's row is locked, the way to each entry is
checked and written anew, and the next root is signed. The lock is held for three statements and the commit. What a
desktop has seen is remembered after the commit, never before it, and what is read is compared with what was remembered
before the reading began: so neither a commit that is refused nor a neighbour's progress looks like a roll-back.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from app.core.exceptions import RequestError
from app.core.logging import get_logger
from app.models.audit import audit_entries
from app.models.tenants import tenants
from app.models.vault import UNKNOWN, UNREADABLE, secrets, vault_manifest
from app.services.vault.destinations import located
from app.services.vault.keys import VaultLockedError
from app.services.vault.later import Change as Late
from app.services.vault.manifest import (
    MAC,
    ROOT,
    TOP,
    ManifestBrokenError,
    Root,
    SignedRoot,
    StaleKeysError,
    changed,
    digest_of,
    entries_in,
    is_older,
    node_over,
    paths_of,
    place_of,
    verified_root,
    walked,
)
from app.services.vault.rows import (
    SECRET,
    SecretFormatUnknownError,
    SecretName,
    SecretUnreadableError,
    is_same,
    is_secret,
    next_sealed,
    open_row,
    secret_item,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from app.services.audit.files import AuditFiles
    from app.services.vault.destinations import Located
    from app.services.vault.keys import Keys
    from app.services.vault.later import Later
    from app.services.vault.manifest import Entry, Item

Change = Callable[["Entry | None"], "Entry | None"]
"""Given an entry as it is, returns what becomes of it."""

log = get_logger(__name__)


class VaultRolledBackError(RequestError):
    """The database tells of an earlier state than this desktop has seen, or one that no desktop has written."""

    status = 423
    code = "vault-rolled-back"

    def __init__(self) -> None:
        super().__init__(
            "The database holds an older state of the vault than this computer has seen, or it was changed outside:"
            " restore the newer one, or accept this one."
        )


@dataclass(frozen=True, slots=True)
class _Verified:
    """The root that was verified last, and what was then checked under it."""

    vault_id: str
    signed: SignedRoot
    root: Root
    digest: str
    entries: dict[Item, Entry | None] = field(default_factory=dict)
    """Entries whose way up to the root was checked; they hold as long as the tree's top is the same."""


@dataclass(slots=True)
class _Pending:
    """What one transaction is going to change."""

    changes: dict[Item, Entry | Change | None] = field(default_factory=dict)
    before: dict[Item, Entry | None] = field(default_factory=dict)
    """What the rows told of those that go."""
    put_off: tuple[str, list[Late]] | None = None
    """What the manifest of a locked vault, by its id, has to learn later."""
    learnt: tuple[str, list[Late]] | None = None
    """What it learns now."""
    root: Callable[[Root], Root] | None = None
    """Changes the root itself: states of keys, wraps."""
    keys: Keys | None = None
    """As they are at its end, if it changes them."""
    written: Root | None = None


class Ledger:
    """The manifest of the present database's vault."""

    def __init__(self, files: AuditFiles, later: Later) -> None:
        self._files = files
        self.later = later
        self._pending: WeakKeyDictionary[sa.Connection, _Pending] = WeakKeyDictionary()
        self._verified: _Verified | None = None
        self.keys: Keys | None = None
        """Of the vault, as last read."""
        self.reread: Callable[[sa.Connection], Keys] | None = None
        """Reads them anew, in a transaction."""

    # --- reading -----------------------------------------------------------------------------------------------------

    def entries(self, connection: sa.Connection, keys: Keys, items: Iterable[Item]) -> dict[Item, Entry | None]:
        """Return what the manifest says of items, in one statement; None for what is not alive.

        Raises:
            StaleKeysError: it is signed with a key that is not among these.
            VaultRolledBackError: it is older than what was seen, or broken.
        """
        wanted = list(items)
        seen = self._files.root(keys.vault_id)
        nodes = _nodes(connection, paths_of(wanted))
        try:
            verified = self._verify(nodes, keys, seen)
            found = entries_in(nodes, verified.root.top, wanted)
        except ManifestBrokenError:
            raise VaultRolledBackError from None
        self._files.see_root(keys.vault_id, verified.root.number, verified.digest)
        if len(verified.entries) + len(found) > MAX_REMEMBERED:
            verified.entries.clear()
        verified.entries.update(found)
        return found

    def remembered(self, keys: Keys, signed: SignedRoot, item: Item) -> Entry | None:
        """Return what the manifest says of an item, if that is known without reading it; None if it has to be read.

        A root that is byte for byte the one that was verified last vouches for what was checked under it: whoever
        changes an entry, or puts an older one back, changes the root, or is not believed. So a use of a secret needs no
        statement but the one that reads its row, as long as nothing changes.

        Args:
            keys: of the vault.
            signed: root and signature, read in one statement with the row that is asked about.
            item: the row's.
        """
        known = self._verified
        if known is None or (known.vault_id, known.signed) != (keys.vault_id, signed):
            return None
        is_newest = self._files.root(keys.vault_id) == (known.root.number, known.digest)
        return known.entries.get(item) if is_newest and known.root.kid in keys.opened else None

    def alive(self, connection: sa.Connection, keys: Keys, item: Item) -> Entry | None:
        """Return which version of a secret is alive, in a transaction that changes it; None if there is none.

        Raises:
            VaultRolledBackError: the manifest is older than what was seen, or broken.
        """
        pending = self._pending.get(connection)
        if pending is not None and item in pending.changes:
            noted = pending.changes[item]
            if not callable(noted):
                return None if noted is None else noted[:2]
        try:
            entry = self.entries(connection, keys, [item])[item]
        except StaleKeysError:
            raise VaultRolledBackError from None
        return None if entry is None else entry[:2]

    def root(self, connection: sa.Connection) -> Root | None:
        """Return the root as it is now; None if it is not believed, or the vault is locked."""
        keys = self.keys
        if keys is None or keys.doubt is not None:
            return None
        seen = self._files.root(keys.vault_id)
        try:
            return self._verify(_nodes(connection, ()), keys, seen).root
        except (ManifestBrokenError, StaleKeysError, VaultRolledBackError):
            return None

    def about_writers(
        self, connection: sa.Connection, keys: Keys, more: Iterable[str], item_of: Callable[[str], Item]
    ) -> dict[str, Entry | None]:
        """Return what the manifest says of the root keys that write the audit log, by their fingerprints.

        It may be that of a transaction which is not committed: nothing is remembered.

        Args:
            connection: to read with.
            keys: the vault's.
            more: fingerprints of root keys that may have written nothing yet.
            item_of: tells what one is known by.

        Raises:
            StaleKeysError, VaultRolledBackError: as `entries`.
        """
        seen = self._files.root(keys.vault_id)
        try:
            writers = self._verify(_nodes(connection, ()), keys, seen).root.heads
            items = {name: item_of(name) for name in {*more, *(writer.rpartition("-")[2] for writer in writers)}}
            nodes = _nodes(connection, paths_of(items.values()))
            found = entries_in(nodes, self._verify(nodes, keys, seen).root.top, items.values())
        except ManifestBrokenError:
            raise VaultRolledBackError from None
        return {name: found[item] for name, item in items.items()}

    def _verify(self, nodes: Mapping[str, str], keys: Keys, seen: tuple[int, str] | None) -> _Verified:
        """Return the root among nodes, if it is signed, and not older than what was seen."""
        signed = SignedRoot(nodes.get(ROOT), nodes.get(MAC))
        if signed.text is None or signed.mac is None:
            raise ManifestBrokenError(ROOT)
        known = self._verified
        is_known = known is not None and (known.vault_id, known.signed) == (keys.vault_id, signed)
        if known is None or not is_known or known.root.kid not in keys.opened:
            root = verified_root(signed.text, signed.mac, keys.opened)
            is_kept = known is not None and (known.vault_id, known.root.top) == (keys.vault_id, root.top)
            entries = known.entries if known is not None and is_kept else {}
            known = self._verified = _Verified(keys.vault_id, signed, root, root.digest(), entries)
        if is_older(known.root, seen):
            raise VaultRolledBackError
        return known

    # --- writing -----------------------------------------------------------------------------------------------------

    def note(
        self, connection: sa.Connection, item: Item, entry: Entry | Change | None, *, before: Entry | None = None
    ) -> None:
        """Let an entry change with a transaction; None takes it away.

        Args:
            connection: of the transaction.
            item: what changes.
            entry: what is true of it from now on.
            before: what its row told, if it goes: it stays dead, should it be put back while the vault is locked.
        """
        pending = self._of(connection)
        pending.changes[item], pending.before[item] = entry, before

    def catch_up(self, connection: sa.Connection, vault_id: str) -> None:
        """Let the manifest learn, in a transaction in which it can be signed, what happened while it could not."""
        late = self.later.of(vault_id)
        for change in late:
            self.note(connection, change.item, functools.partial(change.after_all, is_so=_is_so(connection, change)))
        if late:
            self._of(connection).learnt = vault_id, late

    def note_keys(self, connection: sa.Connection, keys: Keys, change: Callable[[Root], Root]) -> None:
        """Let the root change with a transaction that has changed keys.

        Args:
            connection: of the transaction.
            keys: as they are at its end.
            change: of the root.
        """
        pending = self._of(connection)
        pending.keys, pending.root = keys, change

    def found(self, connection: sa.Connection, keys: Keys, root: Root, seen: tuple[int, str] | None) -> int:
        """Make the manifest of what there is: in a vault that has none, or whose present state a person accepts.

        This is the only time that rows are believed, and only those that open are; the others are marked. What cannot
        be told, as its key is not at hand, counts as what it says: without that key it opens for nobody.

        Returns:
            How many rows were not believed.
        """
        connection.execute(sa.delete(vault_manifest))
        first = replace(root, number=1 if seen is None else seen[0] + 1, legacy=keys.is_legacy)
        build, broken = _Build(connection), 0
        for rows in _batches(connection):
            opens = [_opens(row, replace(keys, root=first)) for row in rows]
            build.add(_living(row) for row in itertools.compress(rows, opens))
            broken += _mark_unreadable(
                connection, [row for row, is_open in zip(rows, opens, strict=True) if not is_open]
            )
        for policies in _policies(connection):
            build.add(policies)
        first = replace(first, top=build.end(), heads=_heads(connection))
        _store(connection, {ROOT: first.text(), MAC: first.mac(keys.opened[first.kid])})
        self.note_keys(connection, keys, lambda present: present)
        if broken:
            log.warning("secrets that do not open are not in the manifest", extra={"count": broken})
        return broken

    def accept(self, connection: sa.Connection, keys: Keys) -> None:
        """Let an older manifest, which is whole, be the newest."""
        nodes = _nodes(connection, ())
        root = verified_root(nodes[ROOT], nodes[MAC], keys.opened)
        seen = self._files.root(keys.vault_id)
        number = max(root.number, 0 if seen is None else seen[0]) + 1
        newest = replace(root, number=number, heads=_heads(connection))
        _store(connection, {ROOT: newest.text(), MAC: newest.mac(keys.opened[newest.kid])})
        self.note_keys(connection, keys, lambda present: present)

    def is_whole(self, connection: sa.Connection, keys: Keys) -> bool:
        """Tell whether every part of the manifest is what its root says."""
        try:
            for _ in self.walk(connection, keys):
                pass
        except ManifestBrokenError:
            return False
        return True

    def walk(self, connection: sa.Connection, keys: Keys) -> Iterator[tuple[Item, Entry]]:
        """Yield every entry, checked, some at a time; how old the manifest is does not matter.

        Raises:
            ManifestBrokenError: a part of it is not what its root says.
        """
        tops = _nodes(connection, ())
        if ROOT not in tops or MAC not in tops:
            raise ManifestBrokenError(ROOT)
        try:
            root = verified_root(tops[ROOT], tops[MAC], keys.opened)
        except StaleKeysError:
            raise ManifestBrokenError(ROOT) from None
        for digit in "0123456789abcdef":
            table = vault_manifest.c
            below = table.path.startswith(digit) | (table.path == "")
            found = connection.execute(sa.select(table.path, table.content).where(below))
            yield from walked({row.path: row.content for row in found}, root.top, digit)

    def has_noted(self, connection: sa.Connection) -> bool:
        """Tell whether a transaction is going to change the manifest."""
        return connection in self._pending

    def _of(self, connection: sa.Connection) -> _Pending:
        return self._pending.setdefault(connection, _Pending())

    def forget(self, connection: sa.Connection) -> None:
        """Drop what a transaction noted that is rolled back."""
        self._pending.pop(connection, None)

    def write(self, connection: sa.Connection, heads: Mapping[str, Any]) -> None:
        """Write what a transaction noted, and where its audit chain ends; call it last, before the commit.

        While the vault is locked nothing can be signed: what was noted is kept for later.

        Raises:
            VaultRolledBackError: the manifest is older than what was seen, or broken.
        """
        pending = self._pending.get(connection)
        keys = self.keys if pending is None or pending.keys is None else pending.keys
        if keys is None or keys.active is None:
            if keys is not None and pending is not None:
                pending.put_off = (
                    keys.vault_id,
                    [
                        Late(item, pending.before[item], after)
                        for item, after in pending.changes.items()
                        if not callable(after)
                    ],
                )
            return
        changes = {} if pending is None else pending.changes
        seen = self._files.root(keys.vault_id)
        _lock(connection)
        nodes = _nodes(connection, paths_of(changes))
        if ROOT not in nodes and (pending is None or pending.root is None):
            return  # the vault is just being made, or its manifest is gone, which reading it tells
        try:
            root, keys = self._present(connection, nodes, keys, seen, pending)
            done = entries_in(nodes, root.top, changes)
            entries = {item: change(done[item]) if callable(change) else change for item, change in changes.items()}
            written, top = changed(nodes, root.top, entries) if entries else ({}, root.top)
        except (ManifestBrokenError, VaultRolledBackError):
            if not changes and (pending is None or pending.root is None):
                return  # only the audit log goes on
            raise VaultRolledBackError from None
        after = replace(root, number=root.number + 1, top=top, heads={**root.heads, **heads})
        if pending is not None and pending.root is not None:
            after = pending.root(after)
        signer = keys.opened[after.kid]
        _store(connection, {**written, ROOT: after.text(), MAC: after.mac(signer)})
        self._of(connection).written = after

    def _present(
        self,
        connection: sa.Connection,
        nodes: Mapping[str, str],
        keys: Keys,
        seen: tuple[int, str] | None,
        pending: _Pending | None,
    ) -> tuple[Root, Keys]:
        """Return the root as it is, and keys among which is the one that signed it."""
        if ROOT not in nodes:
            return Root(0, keys.active_kid or ""), keys
        try:
            return self._verify(nodes, keys, seen).root, keys
        except StaleKeysError:
            if self.reread is None or (pending is not None and pending.keys is not None):
                raise VaultRolledBackError from None
        keys = self.reread(connection)  # another desktop has rotated
        try:
            return self._verify(nodes, keys, seen).root, keys
        except StaleKeysError:
            raise VaultRolledBackError from None

    def written(self, connection: sa.Connection) -> tuple[int, str] | None:
        """Return number and digest of the root that a committed transaction wrote; None if it wrote none."""
        pending = self._pending.pop(connection, None)
        if pending is not None and pending.put_off is not None:
            self.later.add(*pending.put_off)
        if pending is not None and pending.learnt is not None:
            self.later.drop(*pending.learnt)
        root = None if pending is None else pending.written
        return None if root is None else (root.number, root.digest())


class _Build:
    """A tree of many entries, made branch by branch: until the end they lie, by branch, in rows of the same table."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._waiting: list[tuple[Item, Entry]] = []
        self._parts: dict[str, list[str]] = {}
        """Paths of those rows, by the first two digits of the places in them."""

    def add(self, entries: Iterable[tuple[Item, Entry]]) -> None:
        """Take some entries."""
        self._waiting += entries
        if len(self._waiting) >= _PUT_ASIDE:
            self._put_aside()

    def _put_aside(self) -> None:
        by_branch: dict[str, list[tuple[Item, Entry]]] = {}
        for item, entry in self._waiting:
            by_branch.setdefault(place_of(item)[:2], []).append((item, entry))
        rows = {}
        for branch, entries in by_branch.items():
            parts = self._parts.setdefault(branch, [])
            parts.append(f"{branch}+{len(parts)}")
            rows[parts[-1]] = json.dumps(entries)
        if rows:
            _store(self._connection, rows)
        self._waiting = []

    def end(self) -> str:
        """Write the nodes in the place of what was put aside; return the digest of the topmost one."""
        self._put_aside()
        nodes, tops = {}, {}
        for digit, branches in itertools.groupby(sorted(self._parts), key=lambda branch: branch[0]):
            below = {branch[1]: self._end_branch(branch) for branch in branches}
            nodes[digit], tops[digit] = node_over(digit, below)
        if not tops:
            return ""
        nodes[TOP], digest = node_over(TOP, tops)
        _store(self._connection, nodes)
        return digest

    def _end_branch(self, branch: str) -> str:
        parts = _PATH.in_(self._parts[branch])
        entries: dict[Item, Entry | None] = {}
        for text in self._connection.scalars(sa.select(vault_manifest.c.content).where(parts)):
            entries.update((tuple(item), entry) for item, entry in json.loads(text))
        self._connection.execute(sa.delete(vault_manifest).where(parts))
        nodes, _ = changed({}, "", entries)
        _store(self._connection, {path: content for path, content in nodes.items() if path.startswith(branch)})
        return digest_of(branch, nodes[branch])


def _batches(connection: sa.Connection) -> Iterator[list[Located]]:
    """Yield every secret, some at a time."""
    position: Any = None
    while rows := located(connection, connection.execute(next_sealed(position, _BATCH_ROWS)).all()):
        yield rows
        position = rows[-1].position


def _opens(row: Located, keys: Keys) -> bool:
    """Tell whether a secret opens, or could with a key that is not at hand."""
    try:
        open_row(row, keys)
    except VaultLockedError:
        return True
    except (SecretUnreadableError, SecretFormatUnknownError):
        return False
    return True


def _living(row: Located) -> tuple[Item, Entry]:
    which = SecretName(row.owner_kind, row.owner_id, row.name)
    return secret_item(which), [row.id, row.row_version, UNKNOWN if row.status == UNREADABLE else row.status]


def _mark_unreadable(connection: sa.Connection, rows: Sequence[Located]) -> int:
    for row in rows:
        connection.execute(sa.update(secrets).where(is_same(row)).values(status=UNREADABLE))
    return len(rows)


def _policies(connection: sa.Connection) -> Iterator[list[tuple[Item, Entry]]]:
    """Yield what each tenant may do, some at a time."""
    table = tenants.c
    query = sa.select(table.id, table.tier, table.trial_limit, table.trial_tokens)
    for rows in connection.execute(query.execution_options(yield_per=_BATCH_ROWS)).partitions():
        yield [(("tenant", tenant_id), policy) for tenant_id, *policy in rows]


def _is_so(connection: sa.Connection, change: Late) -> bool:
    """Tell whether the rows are as a change left them."""
    kind, *name = change.item
    if kind == SECRET:
        query = sa.select(secrets.c.id).where(is_secret(SecretName(*name)))
        return change.after is None and connection.execute(query).first() is None
    table = tenants.c
    policy = sa.select(table.tier, table.trial_limit, table.trial_tokens).where(table.id == name[0])
    row = connection.execute(policy).one_or_none()
    return change.after == (None if row is None else list(row))


def _heads(connection: sa.Connection) -> dict[str, Any]:
    """Return where each chain of the audit log ends."""
    table = audit_entries.c
    last = sa.select(table.writer, sa.func.max(table.writer_seq).label("number")).group_by(table.writer).subquery()
    is_last = (table.writer == last.c.writer) & (table.writer_seq == last.c.number)
    query = sa.select(table.writer, table.writer_seq, table.mac).select_from(audit_entries.join(last, is_last))
    return {row.writer: [row.writer_seq, row.mac] for row in connection.execute(query)}


_BATCH_ROWS: Final = 500
MAX_REMEMBERED: Final = 1024
"""Entries, as many as secrets whose derived keys are kept."""
_PUT_ASIDE: Final = 4000
"""Entries that are kept in memory while a tree is made."""
_PATH: Final = vault_manifest.c.path


def _lock(connection: sa.Connection) -> None:
    """Let nobody else change the manifest until the transaction ends; SQLite has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(_PATH).where(_PATH == ROOT).with_for_update())


def _nodes(connection: sa.Connection, paths: Iterable[str]) -> dict[str, str]:
    wanted = [ROOT, MAC, *sorted(paths)]
    found = (
        connection.execute(_NAMED_NODES, {"paths": wanted})
        if len(wanted) <= _MAX_NAMED
        else connection.execute(_ALL_NODES)
    )
    return {row.path: row.content for row in found}


_MAX_NAMED: Final = 4000
_ALL_NODES: Final = sa.select(vault_manifest.c.path, vault_manifest.c.content)
_NAMED_NODES: Final = _ALL_NODES.where(_PATH.in_(sa.bindparam("paths", expanding=True)))
"""Built once: each use of a secret asks it, and building takes longer than asking."""


def _store(connection: sa.Connection, nodes: Mapping[str, str]) -> None:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    rows = [{"path": path, "content": content} for path, content in sorted(nodes.items())]
    statement = insert(vault_manifest)
    given = {"content": statement.excluded.content}
    connection.execute(statement.on_conflict_do_update(index_elements=["path"], set_=given), rows)

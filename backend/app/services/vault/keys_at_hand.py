"""What this process knows of the vault's keys: read when the database is ready, changed under a lock."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from app.core.exceptions import DatabaseAwayError, ProblemError, RequestError
from app.core.fernet_keys import fingerprint as key_fingerprint
from app.core.logging import get_logger
from app.core.security import existing_keys
from app.models.vault import STAGED, THE_VAULT, vaults
from app.services.vault.devices import device_of
from app.services.vault.directory import find_entry, forget_older, mark_accepted, register
from app.services.vault.keys import (
    Inventory,
    Keys,
    Memory,
    UntrustedKeyError,
    complete,
    hold_vault,
    make_first_key,
    read_keys,
)
from app.services.vault.ledger import VaultRolledBackError
from app.services.vault.manifest import Root
from app.services.vault.pins import Pins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.core.config import Config
    from app.db.session import Database
    from app.services.audit.log import Audit
    from app.services.vault.sealing import VaultKey

State = Literal["unlocked", "locked", "rolled-back", "unavailable"]

SYSTEM: Final = "system"
"""Who acts when nobody asked."""

log = get_logger(__name__)


class RootKeyMissingError(RequestError):
    """The key file cannot be read now, and there is no `ENCRYPTION_KEY`."""

    status = 503
    code = "key-missing"


@dataclass(slots=True)
class KeyChange:
    """A transaction in which nobody else changes the vault's keys, or seals."""

    connection: sa.Connection
    keys: Keys
    """As they were when it began."""
    roots: tuple[bytes, ...] = field(repr=False)
    """Every root key of this desktop; the first one wraps."""
    founds: bool = False
    """The manifest is made anew from the rows there are."""
    accepts: bool = False
    """A person accepts an older manifest."""
    ends_legacy: bool = False
    """Ciphertexts of the format before open no more from now on."""


class Attachment:
    """The keys of the present database's vault."""

    def __init__(self, config: Config, database: Database, audit: Audit) -> None:
        self._config = config
        self._database = database
        self._audit = audit
        self._keys: Keys | None = None
        """As last read. Replaced as a whole, so that no lock is needed: a lock held while waiting for the database, and
        a transaction held while waiting for the lock, would meet."""
        self._pins = Pins(config.config_dir)
        self._registered: tuple[str, int, bytes] | None = None
        """Vault, epoch and root key with which this desktop was last seen to be in the directory."""
        self.is_leaving = False
        """Whether this desktop was removed by itself, and only finishes the rotation."""
        self._told: str | None = None
        """The planted key that the audit log was told of."""
        self.on_change: Callable[[], object] = lambda: None
        """Called when the vault's state has become another one."""
        self._held: WeakKeyDictionary[sa.Connection, Keys] = WeakKeyDictionary()
        """The keys of transactions that seal; they cannot change until these end."""

    def root_keys(self) -> tuple[bytes, ...]:
        """Return every root key at hand: those of `ENCRYPTION_KEY` first, then those of `fernet.key`.

        Raises:
            RootKeyMissingError: there is none at the moment.
        """
        given = self._config.encryption_keys
        try:
            of_file = existing_keys(self._config.config_dir)
        except ProblemError as exc:
            if not given:
                raise RootKeyMissingError(exc.problem.message, code=exc.problem.code) from None
            of_file = None
        if of_file is None and not given:
            raise RootKeyMissingError("The key file fernet.key is missing.")
        return (*given, *(of_file.keys if of_file is not None else ()))

    def ensure_attached(self) -> None:
        """Attach unless that was done since the database became ready."""
        if self._known is None:
            self.attach()

    def attach(self) -> None:
        """Read the keys of the database's vault, or make one in an empty database; open them with the root keys.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        state = self.state
        roots = self.root_keys()
        keys = self._look(roots)
        is_settled = keys is not None and (keys.doubt is not None or self.is_leaving)
        if keys is not None and (is_settled or (keys.is_complete(roots[0]) and self._is_up_to_date(keys, roots[0]))):
            self._audit.attach(keys.vault_id, roots)
            self._know(keys)
        else:
            self._complete()
        if self.state != state:
            log.info("vault attached", extra={"state": self.state, "needs": self.needs_fingerprint})
        self._tell_of_planted()

    def _tell_of_planted(self) -> None:
        """Let the audit log tell, once, of a key that somebody has put in the place of the active one."""
        keys = self._known
        if keys is None or keys.planted in (None, self._told):
            return
        entry = {"action": "refused", "actor": SYSTEM, "name": keys.planted, "outcome": "refused"}
        try:
            self._audit.record(**entry, reason=UntrustedKeyError.code)
        except RequestError as exc:  # lists work all the same; it is told next time
            log.warning("an untrusted key is not in the audit log", extra={"code": exc.code})
        else:
            self._told = keys.planted

    def _look(self, roots: tuple[bytes, ...]) -> Keys | None:
        generation, memory = self._database.generation, self._memory()
        with self._database.read() as connection:
            return self._read(connection, roots, generation, memory)

    def _is_up_to_date(self, keys: Keys, root: bytes) -> bool:
        """Tell whether this desktop is in the directory, and the manifest has learnt what happened while it was not."""
        has_learnt = keys.active is None or not self._audit.ledger.later.of(keys.vault_id)
        return has_learnt and self._is_in(keys, root)

    def _is_in(self, keys: Keys, root: bytes) -> bool:
        """Tell whether this desktop has nothing to do to be in the directory."""
        mark = (keys.vault_id, keys.epoch, root)
        if keys.active is None or self._registered == mark:
            return True
        self._audit.attach(keys.vault_id, self.root_keys())
        with self._database.read() as connection:
            if find_entry(connection, keys.active, device_of(root, keys.vault_id).id) is None:
                return False
            if not self._audit.has_shared_keys(connection, keys):
                return False
        self._registered = mark
        return True

    def _memory(self, connection: sa.Connection | None = None) -> Memory:
        """Return what is known of the present database; of a connection's, if that is another one by now, nothing."""
        is_present = connection is None or self._database.is_present(connection)
        place = self._database.place if is_present else None
        return Memory(self._audit.files.roots(), None if place is None else self._audit.files.vault_in(place))

    def _know(self, keys: Keys) -> None:
        """Work with these keys from now on, and remember what was seen of the database."""
        state = self.state
        self._keys = self._audit.ledger.keys = keys
        self._audit.ledger.reread = self._reread
        if self.state != state:
            self.on_change()
        self._follow(keys)
        place = self._database.place
        if keys.doubt is None and place is not None:
            self._audit.files.see_vault(place, keys.vault_id)
            if keys.root is not None:
                self._audit.files.see_root(keys.vault_id, keys.root.number, keys.root.digest())

    def _follow(self, keys: Keys) -> None:
        """Mark what members gave as genuine, and pin the active key."""
        active = keys.active
        if active is None or keys.doubt is not None:
            return
        if keys.unmarked:
            root = self.device_root
            try:
                with self._database.write() as connection:
                    mark_accepted(connection, root, [keys.opened[kid] for kid in keys.unmarked if kid in keys.opened])
                    forget_older(connection, device_of(root, keys.vault_id).id, keys.states)
            except RequestError as exc:  # the keys are followed once more next time
                log.warning("vault keys were not marked", extra={"code": exc.code})
                return
        self._pins.follow(keys.vault_id, active.kid, keys.place)

    @property
    def device_root(self) -> bytes:
        """The root key that makes this desktop a device.

        Raises:
            RootKeyMissingError: there is none at the moment.
        """
        return self.root_keys()[0]

    def leave(self, new: VaultKey) -> None:
        """Stay out of the directory from now on, as this desktop was removed: it only finishes the rotation.

        Args:
            new: the key that it is to finish it with, and that is wrapped for others only.
        """
        self.is_leaving = True
        keys = self._known
        if keys is not None:
            self._keys = replace(
                keys,
                opened={**keys.opened, new.kid: new},
                states={**keys.states, new.kid: STAGED},
                wraps={**keys.wraps, new.kid: ()},
            )

    def forget(self) -> None:
        """Lock the vault here, unless a key at hand opens it."""
        self.is_leaving = False
        self._keys = None
        self.attach()

    def _reread(self, connection: sa.Connection) -> Keys:
        return self._read_present(connection, self.root_keys(), self._database.generation, self._memory(connection))

    def _complete(self) -> None:
        """Make what is missing: the vault, its first key, this desktop's wraps."""
        with self.changing_keys() as change:
            make_first_key(change.connection, change.keys, change.roots[0])
            change.founds = change.keys.root is None
            self.share(change, actor=SYSTEM)

    def share(self, change: KeyChange, *, actor: str) -> None:
        """Let this desktop's first root key open every vault key that is open now."""
        root = change.roots[0]
        if complete(change.connection, change.keys, root):
            self._audit.append(change.connection, action="share", actor=actor, fingerprint=key_fingerprint(root))

    @contextlib.contextmanager
    def changing_keys(
        self, *given: bytes, accepts: bool = False, granted: VaultKey | None = None
    ) -> Iterator[KeyChange]:
        """A transaction that may change keys; the vault is attached anew once it is committed.

        Args:
            given: more root keys to open the vault with.
            accepts: a person accepts what the database says now.
            granted: a vault key that came with a join code.

        Raises:
            VaultRolledBackError: the database is not believed.
            DatabaseAwayError: the database cannot be used now.
            AuditUnavailableError: what the block appended to the audit log cannot be written.
        """
        generation = self._database.generation
        with self._audit.writing() as connection:
            hold_vault(connection)
            roots = self.root_keys()
            keys = self._read_present(
                connection, (*roots, *given), generation, self._memory(connection), granted=granted
            )
            if keys.doubt is not None and not accepts:
                raise VaultRolledBackError
            self._audit.attach(keys.vault_id, roots)
            before = Inventory.of(connection)
            change = KeyChange(connection, keys, roots, accepts=accepts)
            yield change
            changed = self._read_present(
                connection, (*roots, *given), generation, self._memory(connection), is_own=True, granted=granted
            )
            if changed.active is not None and not self.is_leaving:
                register(connection, changed.active, changed.usable.values(), roots[0])
                unmarked = [changed.opened[kid] for kid in changed.unmarked if kid in changed.opened]
                mark_accepted(connection, roots[0], unmarked)
            self._note(change, before, changed)
        if (accepts or granted is not None) and changed.active is not None:
            self._pins.follow(changed.vault_id, changed.active.kid, changed.place)
        if accepts and self._database.place is not None:
            self._audit.files.see_vault(self._database.place, changed.vault_id)
        present = self._look((*roots, *given))
        if present is not None:
            self._know(present)

    def _note(self, change: KeyChange, before: Inventory, changed: Keys) -> None:
        """Let the manifest tell what has changed about the keys; made anew, it tells of all there is."""
        if changed.active is None:
            return
        connection, after = change.connection, Inventory.of(change.connection)
        ledger = self._audit.ledger
        ledger.catch_up(connection, changed.vault_id)
        if change.founds:
            seen = self._audit.files.root(changed.vault_id)
            ledger.found(connection, changed, after.changed_in(Root(0, ""), Inventory({}, {})), seen)
        elif change.accepts:
            ledger.accept(connection, changed)
        else:
            ledger.note_keys(connection, changed, lambda root: _without_legacy(change, after.changed_in(root, before)))
        self._audit.share_keys(connection, changed)

    def _read(
        self,
        connection: sa.Connection,
        roots: tuple[bytes, ...],
        generation: int,
        memory: Memory,
        *,
        is_own: bool = False,
        granted: VaultKey | None = None,
    ) -> Keys | None:
        return read_keys(
            connection,
            roots,
            before=self._keys,
            api_secret=self._config.api_key_secret,
            generation=generation,
            memory=memory,
            is_own=is_own,
            pin_of=self._pins.of,
            granted=granted,
        )

    def _read_present(
        self,
        connection: sa.Connection,
        roots: tuple[bytes, ...],
        generation: int,
        memory: Memory,
        *,
        is_own: bool = False,
        granted: VaultKey | None = None,
    ) -> Keys:
        keys = self._read(connection, roots, generation, memory, is_own=is_own, granted=granted)
        if keys is None:  # its row was deleted in this very moment
            raise DatabaseAwayError
        return keys

    @property
    def _known(self) -> Keys | None:
        """What is known of the present database's keys; None if that is another one, or another connection to it."""
        keys = self._keys
        return keys if keys is not None and keys.generation == self._database.generation else None

    def keys(self) -> Keys:
        """Return the vault's keys, attaching first if need be.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        self.ensure_attached()
        keys = self._known
        if keys is None:  # lost again in this very moment
            raise DatabaseAwayError
        return keys

    def keys_of(self, epoch: int | None) -> Keys:
        """Return the vault's keys as they were at that epoch or later: a row that was read with it may need them."""
        keys = self.keys()
        if keys.epoch != epoch:  # another desktop has changed the keys
            self.attach()
            keys = self.keys()
        return keys

    def keys_at(self, epoch: int | None, kid: str) -> Keys:
        """Return the vault's keys as `keys_of`; a key id that is not at hand is worth another look all the same."""
        keys = self.keys_of(epoch)
        if kid not in keys.opened:
            self.attach()
            keys = self.keys()
        return keys

    def unlocked_keys(self) -> Keys:
        """Return the keys of an unlocked vault.

        Raises:
            VaultLockedError: it is locked; names the fingerprint of the key that it needs.
        """
        keys = self.keys()
        if keys.active is None or keys.doubt is not None:
            self.attach()  # the key file may have been completed, or another desktop has shared the key
            keys = self.keys()
        return _usable(keys)

    @property
    def state(self) -> State:
        """unlocked, locked or unavailable."""
        keys = self._known
        if keys is None:
            return "unavailable"
        if keys.doubt is not None:
            return "rolled-back"
        return "unlocked" if keys.active is not None else "locked"

    @property
    def needs_fingerprint(self) -> str | None:
        """The fingerprint of a root key that would unlock the vault; None while it is not locked."""
        keys = self._known
        return None if keys is None else keys.needs_fingerprint

    def sealing_keys(self, connection: sa.Connection) -> tuple[Keys, VaultKey]:
        """Return the vault's keys at this moment and the active one, and hold them until the transaction ends."""
        keys = self._held.get(connection) or self._hold_keys(connection)
        key = _usable(keys).active
        if key is None or keys.fingerprint_key is None:
            raise keys.locked(keys.active_kid)
        return keys, key

    def _hold_keys(self, connection: sa.Connection) -> Keys:
        generation = self._database.generation
        query = sa.select(vaults.c.vault_id, vaults.c.epoch).where(vaults.c.id == THE_VAULT).with_for_update(read=True)
        found = connection.execute(query).one_or_none()
        keys = self._known
        if keys is None or found is None or (keys.vault_id, keys.epoch) != tuple(found):  # another desktop has rotated
            keys = self._read_present(connection, self.root_keys(), generation, self._memory(connection))
        self._held[connection] = keys
        return keys


def _without_legacy(change: KeyChange, root: Root) -> Root:
    return replace(root, legacy=False) if change.ends_legacy else root


def _usable(keys: Keys) -> Keys:
    """Return the keys of a vault that may be used.

    Raises:
        UntrustedKeyError: somebody who is no member has put a key there.
        VaultRolledBackError: the database is not believed.
        VaultLockedError: the vault is locked.
    """
    if keys.planted is not None:
        raise UntrustedKeyError
    if keys.doubt is not None:
        raise VaultRolledBackError
    if keys.active is None:
        raise keys.locked(keys.active_kid)
    return keys

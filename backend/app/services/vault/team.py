"""Many desktops, one vault: a desktop asks to come in, a person on one that is in approves with the code, or removes.

The database, its administrator and its backups learn nothing from it. What each message proves is told in
`app.services.vault.membership`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, Literal

import sqlalchemy as sa

from app.core.exceptions import ConflictError, NotFoundError, RequestError
from app.core.logging import get_logger
from app.db.base import instant_text, utc_now
from app.db.lenient import shown_instant
from app.db.statements import grown, insert_if_absent
from app.models.devices import vault_devices, vault_join_requests
from app.models.vault import RECOVERY, secrets, vault_wraps
from app.schemas.devices import DeviceDocument, RemovalDocument, RequestDocument
from app.services.vault.devices import PublicKey, PublicKeyInvalidError, device_of
from app.services.vault.directory import Member, default_label, drop, drop_root_wraps, enter, members
from app.services.vault.join_codes import JoinCode, MistypedCodeError, new_join_code, parse_join_code
from app.services.vault.membership import (
    Entry,
    GrantBrokenError,
    is_request_of,
    make_grant,
    open_grant,
    request_check,
)
from app.services.vault.own_request import OwnRequest, OwnRequestFile
from app.services.work.changes import announce

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.config import Config
    from app.db.session import Database
    from app.services.audit.log import Audit
    from app.services.vault.devices import Device
    from app.services.vault.keys_at_hand import Attachment, KeyChange
    from app.services.vault.rotation import Rotations

VALID_FOR: Final = dt.timedelta(hours=24)
KEPT_FOR: Final = dt.timedelta(days=7)
"""How long an expired request is told from one that never was."""
MAX_WRONG_CODES: Final = 5
SEEN_EVERY: Final = dt.timedelta(hours=1)
SYSTEM: Final = "system"

Access = Literal["member", "requested", "none"]

log = get_logger(__name__)


class CodeWrongError(RequestError):
    """The code is not the one of this request; the sentence tells a slip of the finger from tampering."""

    status = 400
    code = "code-wrong"


class NotRequestedError(ConflictError):
    """The desktop does not ask to come in."""

    code = "not-requested"


class RequestExpiredError(RequestError):
    """The request is older than a day."""

    status = 410
    code = "request-expired"


class Team:
    """The desktops of the present database's vault."""

    def __init__(
        self,
        config: Config,
        database: Database,
        audit: Audit,
        attachment: Attachment,
        rotations: Rotations,
        *,
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self._database = database
        self._audit = audit
        self._attachment = attachment
        self._rotations = rotations
        self._clock = clock
        self._file = OwnRequestFile(config.config_dir)
        self._told: str | None = None
        """The grant that was last told to be broken."""
        self.on_request: Callable[[], object] = lambda: None
        """Called when this desktop begins to wait for an approval."""

    # --- reading -----------------------------------------------------------------------------------------------------

    def devices(self) -> list[DeviceDocument]:
        """Return every desktop, those that ask first; while the vault is locked, members are not verified.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        self._attachment.attach()
        keys = self._attachment.keys()
        own = self._device().id
        with self._database.read() as connection:
            asking = connection.execute(_waiting().order_by(vault_join_requests.c.requested_at)).all()
            found = members(connection, keys.active_kid, keys.active)
        now = self._clock()
        requests = [_asking(row, own) for row in asking if row.expires_at is not None and row.expires_at > now]
        listed = {request.device_id for request in requests}
        is_locked = keys.active is None
        return requests + [_shown(one, own, is_locked=is_locked) for one in found if one.device_id not in listed]

    def _device(self) -> Device:
        return device_of(self._attachment.device_root, self._attachment.keys().vault_id)

    @property
    def is_waiting(self) -> bool:
        """Whether this desktop has asked to come in; tells it without a look at the database."""
        return self._file.exists()

    @property
    def access(self) -> Access:
        """Whether this desktop is in, asks to come in, or neither."""
        if self._attachment.state == "unlocked":
            return "member"
        return "requested" if self._file.exists() else "none"

    def request(self) -> RequestDocument:
        """Return the request of this desktop with its code.

        Raises:
            NotFoundError: it does not ask.
        """
        self.look()
        own = self._own_request()
        if own is None:
            raise NotFoundError("This desktop does not ask to come in")
        return _document(own)

    def _own_request(self) -> OwnRequest | None:
        if not self._file.exists():
            return None
        device = self._device()
        own = self._file.read(self._attachment.device_root)
        return own if own is not None and (own.vault_id, own.device_id) == (device.vault_id, device.id) else None

    # --- asking ------------------------------------------------------------------------------------------------------

    def ask(self, label: str | None, *, actor: str) -> RequestDocument:
        """Ask to come in; a code that was given before is void from then on.

        Raises:
            ConflictError: this desktop is in already.
        """
        self._attachment.attach()
        if self._attachment.keys().active is not None:
            raise ConflictError("This desktop is in already")
        device, now, code = self._device(), self._clock(), new_join_code()
        own = OwnRequest(device.vault_id, device.id, code, now + VALID_FOR)
        name = label or default_label()
        values = {
            "device_id": device.id,
            "public_key": device.public.text(),
            "label": name,
            "proof": request_check(code, device.vault_id, device.id, device.public, name),
            "requested_at": now,
            "expires_at": own.expires_at,
            "wrong_codes": 0,
        }
        with self._audit.writing() as connection:
            is_old = vault_join_requests.c.expires_at < now - KEPT_FOR
            is_own = vault_join_requests.c.device_id == device.id
            connection.execute(sa.delete(vault_join_requests).where(is_own | is_old))
            insert_if_absent(connection, vault_join_requests, values)
            self._say(connection, "share", actor, name=name, reason=f"device {device.id} asks to come in")
            announce(connection, "vault_device", device.id, "created")
        # not before: a look in between would take a code without a request for one that was rejected
        self._file.keep(self._attachment.device_root, own)
        self.on_request()
        return _document(own)

    def cancel(self, *, actor: str) -> None:
        """Take this desktop's request back.

        Raises:
            NotFoundError: it does not ask.
        """
        own = self._own_request()
        if own is None:
            raise NotFoundError("This desktop does not ask to come in")
        self._drop_request(own.device_id, actor, "taken back")
        self._file.forget()

    def _drop_request(self, device_id: str, actor: str, what: str) -> bool:
        with self._audit.writing() as connection:
            is_its = vault_join_requests.c.device_id == device_id
            if not connection.execute(sa.delete(vault_join_requests).where(is_its)).rowcount:
                return False
            self._say(connection, "delete", actor, reason=f"request of device {device_id} {what}")
            announce(connection, "vault_device", device_id, "deleted")
        return True

    def look(self) -> bool:
        """See whether somebody has approved, and come in then; returns whether that happened just now.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        own = self._own_request()
        if own is None or self._attachment.state == "unlocked":
            if self._file.exists():
                self._file.forget()
            return False
        is_own = vault_join_requests.c.device_id == own.device_id
        with self._database.read() as connection:
            row = connection.execute(sa.select(vault_join_requests).where(is_own)).one_or_none()
        if row is None or own.expires_at <= self._clock():  # rejected, void after wrong codes, or too late
            self._file.forget()
            return False
        if not isinstance(row.grant, str) or not isinstance(row.grant_kid, str):
            return False
        return self._come_in(own, row)

    def _come_in(self, own: OwnRequest, row: Any) -> bool:
        try:
            key = open_grant(own.code, self._device(), row.grant_kid, row.grant)
        except GrantBrokenError:
            if self._told != row.grant:
                self._told = row.grant
                log.warning("an approval does not open: somebody changed it in the database")
                self._audit.record(action="refused", actor=SYSTEM, outcome="refused", reason="untrusted-key")
            return False
        with self._attachment.changing_keys(granted=key) as change:
            if change.keys.active is None:  # the key has changed meanwhile, in a way that cannot be followed
                return False
            is_own = vault_join_requests.c.device_id == own.device_id
            change.connection.execute(sa.delete(vault_join_requests).where(is_own))
            self._say(change.connection, "unlock", SYSTEM, reason="let in by another device")
            announce(change.connection, "vault_device", own.device_id, "updated")
        self._file.forget()
        log.info("this desktop was let in")
        return True

    def finish_leaving(self) -> None:
        """Lock the vault here once the rotation is done that followed from this desktop's own removal."""
        if self._attachment.is_leaving and self._rotations.document().state == "done":
            self._attachment.forget()

    def note_seen(self) -> None:
        """Write down, now and then, that this desktop is in use."""
        if self._attachment.state != "unlocked":
            return
        own, now = self._device().id, self._clock()
        table = vault_devices.c
        is_due = table.last_seen_at.is_(None) | (table.last_seen_at < now - SEEN_EVERY)
        with self._database.read() as connection:
            due = connection.scalar(sa.select(table.device_id).where(table.device_id == own, is_due))
        if due is not None:
            with self._database.write() as connection:
                connection.execute(sa.update(vault_devices).where(table.device_id == own).values(last_seen_at=now))

    # --- deciding ----------------------------------------------------------------------------------------------------

    def asking(self, device_id: str) -> DeviceDocument:
        """Return the request of a desktop that could be approved now.

        Raises:
            VaultLockedError, NotFoundError, NotRequestedError, RequestExpiredError: as `approve`.
        """
        self._attachment.unlocked_keys()
        return _asking(self._standing_request(device_id), self._device().id)

    def approve(self, device_id: str, typed: str, *, actor: str) -> DeviceDocument:
        """Let a desktop in whose code was read out.

        Raises:
            VaultLockedError: this desktop is not in.
            NotFoundError: there is no such device.
            NotRequestedError: it does not ask.
            RequestExpiredError: it asked too long ago.
            CodeWrongError: mistyped, or the request was changed in the database.
        """
        self._attachment.unlocked_keys()
        row = self._standing_request(device_id)
        code, entry = self._proved(row, typed, actor)
        with self._attachment.changing_keys() as change:
            self._let_in(change, row, code, entry, actor)
        return self._member(device_id)

    def _member(self, device_id: str) -> DeviceDocument:
        keys = self._attachment.unlocked_keys()
        with self._database.read() as connection:
            found = members(connection, keys.active_kid, keys.active, only=device_id)
        if not found:  # somebody has removed it in this very moment
            raise NotFoundError("No such device")
        return _shown(found[0], self._device().id, is_locked=False)

    def _standing_request(self, device_id: str) -> Any:
        is_its = vault_join_requests.c.device_id == device_id
        is_known = vault_devices.c.device_id == device_id
        with self._database.read() as connection:
            row = connection.execute(sa.select(vault_join_requests).where(is_its)).one_or_none()
            known = connection.scalar(sa.select(vault_devices.c.device_id).where(is_known))
        if row is None or row.grant is not None:
            if row is None and known is None:
                raise NotFoundError("No such device")
            raise NotRequestedError("The device does not ask to come in")
        if row.expires_at is None or row.expires_at <= self._clock():
            raise RequestExpiredError("The request is older than a day: let the newcomer ask again")
        return row

    def _proved(self, row: Any, typed: str, actor: str) -> tuple[JoinCode, Entry]:
        """Return the code, and the entry that it proves."""
        device = self._device()
        try:
            code = parse_join_code(typed)
        except MistypedCodeError:
            raise self._wrong(row, actor, "The code is mistyped: its check character does not fit") from None
        entry = _asked_entry(row, approved_by=device.id)
        if entry is not None:
            identity = (entry.device_id, entry.public, entry.label)
            if is_request_of(code, device.vault_id, *identity, check=row.proof):
                return code, entry
        raise self._wrong(
            row,
            actor,
            "The code is well typed and is not the one of this request: it belongs to another request,"
            " or somebody changed this one in the database. Nothing was shared",
        )

    def _wrong(self, row: Any, actor: str, sentence: str) -> CodeWrongError:
        """Count a wrong code; the fifth voids the request."""
        table = vault_join_requests
        is_same = (table.c.device_id == row.device_id) & (table.c.proof == row.proof)
        with self._audit.writing() as connection:
            counted = sa.update(table).where(is_same).values(wrong_codes=grown(table.c.wrong_codes, 1))
            connection.execute(counted)
            is_void = connection.execute(
                sa.delete(table).where(is_same, table.c.wrong_codes >= MAX_WRONG_CODES)
            ).rowcount
            if is_void:
                announce(connection, "vault_device", str(row.device_id), "deleted")
            reason = f"code-wrong for device {row.device_id}"
            self._audit.append(connection, action="refused", actor=actor, outcome="refused", reason=reason)
        if is_void:
            return CodeWrongError(f"{sentence}. It was the fifth wrong one, so the request is void.")
        return CodeWrongError(f"{sentence}.")

    def _let_in(self, change: KeyChange, row: Any, code: JoinCode, entry: Entry, actor: str) -> None:
        connection, keys = change.connection, change.keys
        key = keys.active
        if key is None:  # another desktop has changed it in this very moment
            raise keys.locked(keys.active_kid)
        table = vault_join_requests
        is_same = (table.c.device_id == row.device_id) & (table.c.proof == row.proof) & table.c.grant.is_(None)
        grant = sa.update(table).where(is_same)
        granted = {"grant": make_grant(code, key, entry.public), "grant_kid": key.kid}
        if not connection.execute(grant.values(**granted)).rowcount:  # somebody else was quicker
            raise NotRequestedError("The device does not ask to come in any more")
        granter = device_of(change.roots[0], keys.vault_id)
        enter(connection, granter, key, keys.usable.values(), entry)
        self._rotations.restage(change)
        reason = f"device {entry.device_id} let in by device {granter.id}"
        self._say(connection, "share", actor, name=entry.label, reason=reason)
        announce(connection, "vault_device", entry.device_id, "updated")

    def remove(self, device_id: str, *, actor: str) -> RemovalDocument | None:
        """Reject a request, or remove a member: the vault key is replaced at once, as the member knew it.

        Returns:
            None if nobody was removed who was in.

        Raises:
            VaultLockedError: this desktop is not in.
            NotFoundError: there is no such device.
            ConflictError: it is the last member.
        """
        if self._drop_request(device_id, actor, "rejected"):
            return None
        self._attachment.unlocked_keys()
        with self._attachment.changing_keys() as change:
            loss = self._take_out(change, device_id, actor)
        return None if loss is None else RemovalDocument(self._rotations.document(), *loss)

    def _take_out(self, change: KeyChange, device_id: str, actor: str) -> tuple[int, bool] | None:
        """Return how many secrets it could have read, and whether a recovery code is void; None if it was not in."""
        connection, keys = change.connection, change.keys
        key = keys.active
        if key is None:  # another desktop has changed it in this very moment
            raise keys.locked(keys.active_kid)
        present = members(connection, key.kid, key)
        found = next((one for one in present if one.device_id == device_id), None)
        if found is None:
            raise NotFoundError("No such device")
        if found.entry is None:
            drop(connection, device_id)
            self._say(connection, "delete", actor, name=found.label, reason=f"unknown device {device_id} removed")
            announce(connection, "vault_device", device_id, "deleted")
            return None
        if sum(one.entry is not None for one in present) == 1:
            raise ConflictError(
                "The last member cannot leave: nobody could open the vault any more", code="last-member"
            )
        is_recovery = (vault_wraps.c.kind == RECOVERY) & (vault_wraps.c.kid == key.kid)
        had_code = connection.execute(sa.select(vault_wraps.c.kid).where(is_recovery).limit(1)).first() is not None
        new = self._rotations.begin_after_removal(change, device_id)
        drop_root_wraps(connection, device_id)
        drop(connection, device_id)
        if device_id == device_of(change.roots[0], keys.vault_id).id:
            self._attachment.leave(new)
        known = secrets.c.kid.in_(list(keys.usable))
        count: int = connection.execute(sa.select(sa.func.count()).select_from(secrets).where(known)).scalar_one()
        self._say(connection, "delete", actor, name=found.label, reason=f"device {device_id} removed")
        announce(connection, "vault_device", device_id, "deleted")
        return count, had_code

    def _say(self, connection: sa.Connection, action: str, actor: str, *, name: str | None = None, reason: str) -> None:
        self._audit.append(connection, action=action, actor=actor, name=name, reason=reason)


def _waiting() -> sa.Select[Any]:
    return sa.select(vault_join_requests).where(vault_join_requests.c.grant.is_(None))


def _asked_entry(row: Any, *, approved_by: str) -> Entry | None:
    """Return the entry that a request asks for; None if its row holds no such thing."""
    if not isinstance(row.label, str):
        return None
    try:
        return Entry(row.device_id, PublicKey.parse(row.public_key), row.label, approved_by)
    except PublicKeyInvalidError:
        return None


def _asking(row: Any, own: str) -> DeviceDocument:
    return DeviceDocument(
        device_id=str(row.device_id),
        label=str(row.label),
        state="requested",
        is_this=row.device_id == own,
        requested_at=shown_instant(row.requested_at),
        expires_at=shown_instant(row.expires_at),
        approved_at=None,
        approved_by=None,
        last_seen_at=None,
    )


def _shown(member: Member, own: str, *, is_locked: bool) -> DeviceDocument:
    return DeviceDocument(
        device_id=member.device_id,
        label=member.label,
        state="member" if member.entry is not None or is_locked else "untrusted",
        is_this=member.device_id == own,
        requested_at=None,
        expires_at=None,
        approved_at=shown_instant(member.approved_at),
        approved_by=member.approved_by,
        last_seen_at=shown_instant(member.last_seen_at),
    )


def _document(own: OwnRequest) -> RequestDocument:
    return RequestDocument(own.device_id, own.code.text(), instant_text(own.expires_at) or "")

"""Cameras: their addresses here, their passwords in the vault."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from msgspec import UNSET, UnsetType
from sqlalchemy.exc import IntegrityError

from app.core.encryption import MASK
from app.core.exceptions import ConflictError, NotFoundError, ValidationError
from app.core.validation import present
from app.db.base import instant_text, utc_now
from app.models.cameras import cameras
from app.models.vault import UNREADABLE
from app.schemas.camera_urls import parse_camera_url, with_password
from app.schemas.cameras import Camera, CameraOutcome
from app.services.targets.camera_check import CameraTarget, check_camera
from app.services.targets.http_auth import Credentials
from app.services.targets.owned_secrets import secrets_of
from app.services.vault.destinations import CAMERA, camera_destination
from app.services.vault.rows import SecretName, SecretUnreadableError
from app.services.vault.vault import Route, is_masked

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from app.db.session import Database
    from app.schemas.cameras import CameraBody, CameraChange, CameraProbe
    from app.schemas.vault import SecretInfo
    from app.services.vault.vault import Vault

OWNER: Final = CAMERA
PASSWORD: Final = "password"  # noqa: S105 - its name in the vault

_SHOWN = (cameras.c.id, cameras.c.name, cameras.c.stream_url, cameras.c.username, cameras.c.active)
_LIST = sa.select(*_SHOWN).order_by(cameras.c.name, cameras.c.id)


@dataclass(frozen=True, slots=True)
class _Password:
    """What a write says about the password."""

    given: str | UnsetType | None = field(repr=False)
    """The password, a mask that keeps the stored one, None to remove it, nothing to leave it alone."""
    expires_at: dt.datetime | UnsetType | None

    @property
    def is_new(self) -> bool:
        """Whether it is to be sealed."""
        return isinstance(self.given, str) and not is_masked(self.given)


class Cameras:
    """The cameras of one database."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def all(self) -> list[Camera]:
        """Return all of them by name; one whose password does not open is marked, and breaks nothing."""
        self._vault.attachment.ensure_attached()  # which has transactions of its own
        with self._database.read() as connection:
            infos = secrets_of(self._vault, connection, OWNER)
            return [_shown(row, infos.get(row.id, {}).get(PASSWORD)) for row in connection.execute(_LIST)]

    def get(self, camera_id: str) -> Camera:
        """Return one camera; raises NotFoundError."""
        self._vault.attachment.keys()
        with self._database.read() as connection:
            return self._one(connection, camera_id)

    def create(self, body: CameraBody, *, actor: str) -> Camera:
        """Add a camera.

        Raises:
            ValidationError: two different user names or passwords are given, or a mask.
            ConflictError: the name is taken.
            VaultLockedError: there is a password to seal, and the vault is locked.
        """
        values, password = _taken_apart(present(body))
        camera_id, now = str(uuid.uuid4()), utc_now()
        with self._vault.writing(unlocked=password.is_new) as connection:
            _execute(connection, sa.insert(cameras).values(id=camera_id, **values, created_at=now, updated_at=now))
            self._write_password(connection, camera_id, values, password, None, actor=actor)
            return self._one(connection, camera_id)

    def replace(
        self, camera_id: str, body: CameraBody, precondition: Callable[[Camera], None], *, actor: str
    ) -> Camera:
        """Put another camera in the place of one; a password that is not sent, not even masked, is removed.

        Raises:
            NotFoundError: no such camera.
            ValidationError, ConflictError, VaultLockedError: as `create`.
        """
        return self._change(camera_id, present(body), precondition, actor)

    def update(
        self, camera_id: str, body: CameraChange, precondition: Callable[[Camera], None], *, actor: str
    ) -> Camera:
        """Change what the body holds; a camera that moves to another host loses its password, unless one is sent.

        Raises:
            NotFoundError: no such camera.
            ValidationError, ConflictError, VaultLockedError: as `create`.
        """
        return self._change(camera_id, present(body), precondition, actor)

    def delete(self, camera_id: str, precondition: Callable[[Camera], None], *, actor: str) -> None:
        """Delete a camera and shred its password; raises NotFoundError."""
        with self._vault.writing(unlocked=False) as connection:
            precondition(self._one(connection, camera_id, lock=True))
            self._vault.shred(connection, OWNER, camera_id, actor=actor)
            connection.execute(sa.delete(cameras).where(cameras.c.id == camera_id))

    def test(self, camera_id: str, *, actor: str) -> CameraOutcome:
        """Connect to a camera with its stored password.

        Raises:
            NotFoundError: no such camera.
            VaultLockedError, SecretUnreadableError, SecretExpiredError: the password cannot be used.
            TooManyRequestsError: many cameras are being tested.
        """
        return CameraOutcome(*check_camera(self._target(camera_id, actor)))

    def probe(self, body: CameraProbe) -> CameraOutcome:
        """Connect to a camera that is not saved, with what is given and nothing stored.

        Raises:
            ValidationError: two different user names or passwords are given.
            TooManyRequestsError: many cameras are being tested.
        """
        values, password = _taken_apart(present(body))
        given = password.given if password.is_new and isinstance(password.given, str) else None
        return CameraOutcome(*check_camera(_camera_target(values["stream_url"], values.get("username"), given)))

    # --- inner workings ----------------------------------------------------------------------------------------------

    def _one(self, connection: sa.Connection, camera_id: str, *, lock: bool = False) -> Camera:
        query = sa.select(*_SHOWN).where(cameras.c.id == camera_id)
        row = connection.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            raise _not_found()
        infos = secrets_of(self._vault, connection, OWNER, camera_id)
        return _shown(row, infos.get(camera_id, {}).get(PASSWORD))

    def _change(
        self, camera_id: str, sent: dict[str, Any], precondition: Callable[[Camera], None], actor: str
    ) -> Camera:
        values, password = _taken_apart(sent)
        with self._vault.writing(unlocked=password.is_new) as connection:
            before = self._one(connection, camera_id, lock=True)
            precondition(before)
            changes = sa.update(cameras).where(cameras.c.id == camera_id).values(**values, updated_at=utc_now())
            _execute(connection, changes)
            self._write_password(connection, camera_id, values, password, before, actor=actor)
            return self._one(connection, camera_id)

    def _write_password(
        self,
        connection: sa.Connection,
        camera_id: str,
        values: Mapping[str, Any],
        password: _Password,
        before: Camera | None,
        *,
        actor: str,
    ) -> None:
        was: dict[str, Any] = {} if before is None else {"stream_url": before.stream_url, "username": before.username}
        now = {**was, **values}
        route = Route(*(camera_destination(at["stream_url"], at.get("username")) if at else None for at in (was, now)))
        has_moved = before is not None and _origin(now["stream_url"]) != _origin(before.stream_url)
        which, has_one = SecretName(OWNER, camera_id, PASSWORD), before is not None and before.password is not None
        if isinstance(password.given, str) and not password.is_new and not has_one:
            raise ValidationError(
                "password: Input should be the password itself, as nothing is stored that a mask could keep"
            )
        expires_at = None if isinstance(password.expires_at, UnsetType) else password.expires_at
        if password.is_new and isinstance(password.given, str):
            self._vault.put(
                connection, which, password.given, actor=actor, expires_at=expires_at, destination=route.after
            )
            return
        keeps = has_one and password.given is not None and not has_moved
        if has_one and not keeps:
            self._vault.delete(connection, which, actor=actor)
        if expires_at is not None and not keeps:
            sentence = "expires_at: Input should be null, as there is no password that could expire"
            raise ValidationError(sentence) if before is None else ConflictError(sentence)
        is_said = keeps and before is not None and password.expires_at is not UNSET
        if is_said and before is not None and instant_text(expires_at) != before.expires_at:
            self._vault.expire(connection, which, expires_at, actor=actor, route=route)
        elif keeps and route.before != route.after:
            self._vault.reroute(connection, which, route, actor=actor)

    def _target(self, camera_id: str, actor: str) -> CameraTarget:
        """Return what to connect to: an address and the password that was entered for that very address."""
        while True:
            before = self._row(camera_id)
            destination = camera_destination(before.stream_url, before.username)
            if destination is None:
                raise SecretUnreadableError
            which = SecretName(OWNER, camera_id, PASSWORD)
            password = self._vault.use(which, actor=actor, destination=destination)
            # somebody may just be moving it to another host, with another password
            if self._row(camera_id) == before:
                return _camera_target(before.stream_url, before.username, password)

    def _row(self, camera_id: str) -> Any:
        query = sa.select(cameras.c.stream_url, cameras.c.username, cameras.c.updated_at)
        with self._database.read() as connection:
            row = connection.execute(query.where(cameras.c.id == camera_id)).one_or_none()
        if row is None:
            raise _not_found()
        return row


def _taken_apart(sent: Mapping[str, Any]) -> tuple[dict[str, Any], _Password]:
    """Return the columns to write, and what to do about the password; those in the URL count like those beside it.

    Raises:
        ValidationError: the URL says something else than the fields.
    """
    values = {name: sent[name] for name in ("name", "active") if name in sent}
    username = sent.get("username", UNSET) or (None if "username" in sent else UNSET)
    given = sent.get("password", UNSET) or (None if "password" in sent else UNSET)
    if "stream_url" in sent:
        target = parse_camera_url(sent["stream_url"])
        values["stream_url"] = target.url
        if username and target.username and username != target.username:
            raise ValidationError("stream_url: The user name in it is not the one in username; give only one of them")
        username = target.username or username
        given = _one_password(given, target.password)
    if username is not UNSET:
        values["username"] = username
    return values, _Password(given, sent.get("expires_at", UNSET))


def _one_password(given: str | UnsetType | None, in_url: str | None) -> str | UnsetType | None:
    """Return which counts: a real one before a mask, and what is said beside the URL before a mask in it."""
    if in_url is None:
        return given
    if is_masked(in_url):
        return in_url if given is UNSET else given
    if isinstance(given, str) and not is_masked(given) and given != in_url:
        raise ValidationError("stream_url: The password in it is not the one in password; give only one of them")
    return in_url


def _camera_target(stream_url: str, username: str | None, password: str | None) -> CameraTarget:
    has_login = username is not None or password is not None
    credentials = Credentials(username or "", password or "") if has_login else None
    return CameraTarget(parse_camera_url(stream_url), with_password(stream_url, password), credentials)


def _origin(stream_url: str) -> tuple[str, str, int] | None:
    """Return what a password stays with; None for what somebody has put in the place of a stored URL."""
    try:
        return parse_camera_url(stream_url).origin
    except ValueError:
        return None


def _execute(connection: sa.Connection, statement: sa.Executable) -> None:
    try:
        connection.execute(statement)
    except IntegrityError:
        raise ConflictError("A camera with this name already exists") from None


def _not_found() -> NotFoundError:
    return NotFoundError("Camera not found")


def _shown(row: Any, info: SecretInfo | None) -> Camera:
    is_damaged = row.active is None or _origin(row.stream_url) is None
    status = None if info is None else info.status
    return Camera(
        id=row.id,
        name=row.name,
        stream_url=row.stream_url,
        username=row.username,
        password=None if info is None else MASK,
        active=bool(row.active),
        status=UNREADABLE if is_damaged else status,
        expires_at=None if info is None else info.expires_at,
    )

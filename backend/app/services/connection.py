"""The connection settings: test, save, show, delete, and what follows from it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from app.core.exceptions import (
    ConflictError,
    NotFoundError,
    ProblemError,
    RequestError,
    StorageError,
    TooManyRequestsError,
    ValidationError,
)
from app.core.security import (
    SavedCredentials,
    delete_credentials,
    existing_keys,
    read_credentials,
    rotate_keys,
    save_credentials,
    saved_at_text,
)
from app.db.connect import check_connection
from app.db.login import Logins, proof_in, with_proof
from app.db.settings import ConnectionSettings, settings_from_saved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from app.core.fernet_keys import KeyRing
    from app.db.trial import Trial

MAX_TESTS_AT_ONCE: Final = 4


class ConnectionFailedError(RequestError):
    """The connection test did not succeed."""

    status = 400
    code = "connection-failed"


class Pipeline(Protocol):
    """What takes the sidecar from cold to ready."""

    logins: Logins

    def use_password(self, settings: ConnectionSettings, password: str) -> None:
        """Log in with `password` from now on; at once if a login had been refused."""

    def run(self, after: Callable[[], object] = ...) -> None:
        """Begin anew, after a change of the files."""


class ConnectionService:
    """What a person does with the connection."""

    def __init__(self, config_dir: Path, startup: Pipeline, adopt: Callable[[KeyRing], bool]) -> None:
        """Make the service.

        Args:
            config_dir: where key and credentials are.
            startup: runs anew after a change.
            adopt: re-encrypts what hangs on `fernet.key` beside the credentials; False if it could not.
        """
        self._config_dir = config_dir
        self._startup = startup
        self._adopt = adopt
        self._tests = threading.BoundedSemaphore(MAX_TESTS_AT_ONCE)

    def test(self, settings: ConnectionSettings) -> Trial:
        """Connect, run a trivial query, close; return what was found. Writes nothing, creates nothing.

        Reads nothing stored either, unless the password is to be the saved one.

        Raises:
            ConnectionFailedError: it did not work; says why and what to do.
            TooManyRequestsError: four tests are running.
            ValidationError: there is no saved password for this server.
        """
        if not self._tests.acquire(blocking=False):
            raise TooManyRequestsError(
                "Too many connection tests are running. Please wait.", headers={"Retry-After": "5"}
            )
        try:
            saved = self._saved_values(settings)
            if saved is None:
                return check_connection(settings)
            return check_connection(_completed(settings, saved), self._startup.logins)
        except ProblemError as exc:
            raise ConnectionFailedError(f"Connection failed: {exc.problem.sentence}", code=exc.problem.code) from None
        finally:
            self._tests.release()

    def save(self, settings: ConnectionSettings) -> None:
        """Encrypt and save atomically, then run the pipeline anew; does not test.

        Raises:
            StorageError: the file could not be written; what was saved before is as it was.
            ValidationError: there is no saved password for this server.
        """

        def replace() -> None:
            saved = self._saved_values(settings)
            if saved is None:
                save_credentials(self._config_dir, settings.to_saved())
                self._startup.logins.forget()
            else:  # what its logins have shown goes on to be demanded
                completed = _completed(settings, saved)
                save_credentials(self._config_dir, with_proof(completed.to_saved(), proof_in(saved)))

        try:
            self._startup.run(after=replace)
        except ProblemError:
            raise StorageError("Failed to save connection settings") from None

    def _saved_values(self, settings: ConnectionSettings) -> dict[str, Any] | None:
        """Return what is saved if it is to lend its password; None if that is not needed.

        Raises:
            ValidationError: nothing is saved, or for another server, user or protection.
        """
        if not settings.lacks_password:
            return None
        try:
            keys = existing_keys(self._config_dir)
            saved = read_credentials(self._config_dir, keys) if keys is not None else None
            is_same = saved is not None and settings.leads_where(settings_from_saved(saved.values))
        except ProblemError:
            saved, is_same = None, False
        if saved is None or not is_same:
            raise ValidationError("password: Field required")
        return saved.values

    def use_password(self, password: str) -> None:
        """Log in to the saved connection with `password` from now on; it is stored nowhere.

        Raises:
            NotFoundError: nothing is saved.
            ConflictError: what is saved cannot be read, or logs in without a password.
        """
        settings = _checked(self._read())
        if settings.auth != "password":
            raise ConflictError("The saved connection logs in without a password")
        self._startup.use_password(settings, password)

    def saved(self) -> dict[str, Any]:
        """Return the saved fields without the password.

        Raises:
            NotFoundError: nothing is saved.
            ConflictError: the file, or the key that opens it, cannot be read.
        """
        saved = self._read()
        settings = _checked(saved)
        has_password = settings.password is not None
        return {**settings.without_password(), "has_password": has_password, "saved_at": saved_at_text(saved.saved_at)}

    def _read(self) -> SavedCredentials:
        try:
            keys = existing_keys(self._config_dir)
            saved = read_credentials(self._config_dir, keys) if keys is not None else None
        except ProblemError as exc:
            raise ConflictError(exc.problem.message, code=exc.problem.code) from None
        if saved is None:
            raise _nothing_saved()
        return saved

    def delete(self) -> None:
        """Delete the saved connection, readable or not, and run the pipeline anew.

        Raises:
            NotFoundError: nothing is saved.
            StorageError: the file could not be deleted.
        """

        def remove() -> None:
            if not delete_credentials(self._config_dir):
                raise _nothing_saved()
            self._startup.logins.forget()

        try:
            self._startup.run(after=remove)
        except ProblemError:
            raise StorageError("Failed to delete connection settings") from None

    def retry(self) -> None:
        """Run the pipeline now."""
        self._startup.run()

    def rotate_key(self) -> bool:
        """Replace `fernet.key` and re-encrypt what hangs on it; the database connection goes on undisturbed.

        The vault's keys are wrapped anew if the database can be reached; else the old key stays beside the new one
        until the next rotation.

        Returns:
            Whether the old key was retired.

        Raises:
            ConflictError: key or credentials cannot be read.
            StorageError: a file could not be written; everything is readable as before.
        """
        try:
            return rotate_keys(self._config_dir, self._adopt)
        except ProblemError as exc:
            if exc.problem.code == "storage-unwritable":
                raise StorageError("Failed to rotate the key") from None
            raise ConflictError(exc.problem.message, code=exc.problem.code) from None


def _checked(saved: SavedCredentials) -> ConnectionSettings:
    try:
        return settings_from_saved(saved.values)
    except ProblemError as exc:
        raise ConflictError(exc.problem.message, code=exc.problem.code) from None


def _completed(settings: ConnectionSettings, saved: Mapping[str, Any]) -> ConnectionSettings:
    """Return settings with the saved password."""
    return msgspec.structs.replace(settings, password=saved["password"])


def _nothing_saved() -> NotFoundError:
    return NotFoundError("No connection is saved")

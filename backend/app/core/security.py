"""The config directory: `fernet.key` and its life cycle, `db_credentials.enc` read and written.

Rules that everything here keeps:

- Reading never writes; at most it takes away rights of other users.
- A key is never generated while `db_credentials.enc` exists: that would destroy the only hope of restoring it.
- A file that is damaged or not ours is set aside, never overwritten, and only when somebody saves anew. One that
  merely cannot be read at the moment is left alone.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from app.core.exceptions import ConfigDirectoryUnusableError, ProblemError
from app.core.fernet_keys import KeyRing, encode_key, fingerprint, parse_key
from app.core.files import (
    make_private_directory,
    publish_exclusively,
    put_back,
    read_private,
    remove,
    remove_leftovers,
    write_atomically,
)
from app.core.logging import get_logger, protect
from app.core.problems import problem
from app.core.trust import OWNER_FILE, UntrustedError, require_own_directory, require_own_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

KEY_FILE: Final = "fernet.key"
CREDENTIALS_FILE: Final = "db_credentials.enc"
OWN_FILES: Final = (
    KEY_FILE,
    CREDENTIALS_FILE,
    "install.id",
    "audit.head",
    "audit.uses",
    "audit.keys",
    "vault.pins",
    "vault.later",
    "join.request",
    "server.history",
)
"""What is kept in the config directory."""
_CANNOT_BE_READ_NOW: Final = "storage-unreadable"

_changing: Final = threading.Lock()
"""Held by whatever changes the two files: a save that has read the keys before a rotation would encrypt under one that
is gone when it is done. Other processes keep out because they do not own the directory."""
_rotating: Final = threading.Lock()
"""Held for a whole rotation, which may wait for the database; saves need not wait for that."""

log = get_logger(__name__)


def prepare_config_directory(directory: Path) -> None:
    """Create the config directory with its parents and make it owner-only.

    Raises:
        ConfigDirectoryUnusableError: it cannot be created, entered or written, or other users control it.
    """
    probe = directory / f".write-probe.{secrets.token_hex(8)}.tmp"
    try:
        is_private = make_private_directory(directory)
        probe.touch(OWNER_FILE)
        probe.unlink(missing_ok=True)  # the directory's owner may be clearing left-overs away
    except UntrustedError as exc:
        raise ConfigDirectoryUnusableError(
            f"The config directory {directory} cannot be used: {exc.filename} {exc.strerror}."
            " Take that right away, or choose another directory."
        ) from None
    except OSError as exc:
        raise ConfigDirectoryUnusableError(
            f"The config directory {directory} cannot be used: {exc.strerror}."
        ) from None
    if not is_private:
        log.warning("the config directory is open to other users and cannot be restricted")


def require_own_files(directory: Path) -> None:
    """Check the config directory and each file of ours in it before any of them is trusted.

    Raises:
        ProblemError: ``storage-untrusted`` names the one that other users control.
    """
    try:
        require_own_directory(directory)
        for name in OWN_FILES:
            with contextlib.suppress(PermissionError):  # not readable now; whoever needs it tells
                require_own_file(directory / name)
    except UntrustedError as exc:
        raise ProblemError(exc.problem) from None
    except OSError:
        raise ProblemError(problem(_CANNOT_BE_READ_NOW)) from None


def remove_interrupted_writes(directory: Path) -> None:
    """Delete what killed writers left; only for the directory's owner, whose writes alone are under way."""
    with _changing:
        remove_leftovers(directory)


# --- fernet.key ------------------------------------------------------------------------------------------------------


def read_keys(directory: Path) -> KeyRing | None:
    """Read `fernet.key`; None if there is no such file.

    Raises:
        ProblemError: ``key-invalid``, the file is damaged or cannot be read.
    """
    content = _read_private(directory / KEY_FILE, "key-invalid")
    if content is None:
        return None
    keys = _parse_key_file(content)
    if keys is None:
        raise ProblemError(problem("key-invalid"))
    for key in keys:
        protect(encode_key(key))
    return KeyRing(keys)


def _parse_key_file(content: bytes) -> tuple[bytes, ...] | None:
    """Return the keys; None if the content is damaged.

    The caller raises: an error raised here would keep a decoder's error, and with it the content, as its context.
    """
    lines = content.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n")  # Notepad ends lines with both
    try:
        return tuple(parse_key(line.decode("ascii")) for line in lines)
    except ValueError:
        return None


def existing_keys(directory: Path) -> KeyRing | None:
    """Read `fernet.key`; None before the very first start, when neither it nor credentials exist.

    Raises:
        ProblemError: ``key-missing`` (credentials exist without it), ``key-invalid``.
    """
    # looked for before the key, which a first save publishes first
    has_credentials = os.path.lexists(directory / CREDENTIALS_FILE)
    keys = read_keys(directory)
    if keys is None and has_credentials:
        raise ProblemError(problem("key-missing"))
    return keys


def load_or_create_keys(directory: Path) -> KeyRing:
    """Read `fernet.key`, or make it at the very first start.

    Raises:
        ProblemError: ``key-missing`` (credentials exist without it), ``key-invalid``, ``storage-unwritable``.
    """
    return existing_keys(directory) or _generate_keys(directory)


def _generate_keys(directory: Path) -> KeyRing:
    """Publish a new key; racing callers all end up with the one that was published first."""
    try:
        created = publish_exclusively(directory / KEY_FILE, _key_file_content(KeyRing((_new_key(),))))
    except OSError:
        raise ProblemError(problem("storage-unwritable")) from None
    if created:
        log.info("key file created")
    keys = read_keys(directory)
    if keys is None:  # deleted by somebody in this very moment
        raise ProblemError(problem("key-missing"))
    return keys


def rotate_keys(directory: Path, rewrap: Callable[[KeyRing], bool]) -> bool:
    """Put a new key in front, re-encrypt what hangs on the old ones, retire those.

    Each step leaves every file readable, so a crash at any point loses nothing and the next rotation cleans up.

    Args:
        directory: the config directory, owned by the caller.
        rewrap: re-encrypts what else hangs on the old keys, while new and old are both at hand; False if it could
            not, for then the old keys stay in the file, where they still decrypt.

    Returns:
        Whether the old keys were retired.

    Raises:
        ProblemError: a file is missing, damaged or cannot be written.
    """
    try:
        with _rotating:
            ring = _put_new_key_in_front(directory)
            retired = rewrap(ring) and _retire_old_keys(directory, ring)
    except OSError:
        raise ProblemError(problem("storage-unwritable")) from None
    log.info("key file rotated", extra={"fingerprint": fingerprint(ring.keys[0]), "retired": retired})
    return retired


def _put_new_key_in_front(directory: Path) -> KeyRing:
    """Add a key and encrypt the credentials under it; the old keys stay for now."""
    with _changing:
        old = existing_keys(directory)
        if old is None:
            raise ProblemError(
                problem("key-missing", "There is no key file fernet.key yet.", "Start the sidecar once; it makes one.")
            )
        saved = read_credentials(directory, old)
        ring = KeyRing((_new_key(), *old.keys))
        write_atomically(directory / KEY_FILE, _key_file_content(ring))
        if saved is not None:
            _write_credentials(directory, saved.values, ring, at=saved.saved_at)
    return ring


def _retire_old_keys(directory: Path, ring: KeyRing) -> bool:
    """Leave only the first key in the file; False if a file was replaced meanwhile, so that it would not be enough."""
    first = KeyRing(ring.keys[:1])
    with _changing:
        if read_keys(directory) != ring or not _are_readable(directory, first):
            return False
        write_atomically(directory / KEY_FILE, _key_file_content(first))
    return True


def _key_file_content(ring: KeyRing) -> bytes:
    """One key a line; a single key is exactly its 44 bytes."""
    return "\n".join(encode_key(key) for key in ring.keys).encode("ascii")


# --- db_credentials.enc ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SavedCredentials:
    """What `db_credentials.enc` holds, and when it was saved (seconds since 1970)."""

    values: dict[str, Any] = field(repr=False)
    saved_at: int


def read_credentials(directory: Path, keys: KeyRing) -> SavedCredentials | None:
    """Decrypt `db_credentials.enc`; None if there is no such file.

    Raises:
        ProblemError: ``credentials-unreadable``, or ``credentials-incomplete`` when it decrypts to the wrong shape.
    """
    token = _read_private(directory / CREDENTIALS_FILE, "credentials-unreadable")
    if token is None:
        return None
    values = _decrypt_object(token, keys)
    if values is None:
        raise ProblemError(problem("credentials-incomplete"))
    return SavedCredentials(values, _token_time(token))


def _decrypt_object(token: bytes, keys: KeyRing) -> dict[str, Any] | None:
    """Return the JSON object in `token`; None if it holds something else.

    The caller raises for that: an error raised here would keep JSONDecodeError as its context, whose `doc` is the
    plaintext.

    Raises:
        ProblemError: ``credentials-unreadable``.
    """
    try:
        plaintext = keys.decrypt(token)
    except ValueError:
        raise ProblemError(problem("credentials-unreadable")) from None
    try:
        values = json.loads(plaintext)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def save_credentials(directory: Path, values: Mapping[str, Any]) -> None:
    """Encrypt and save the connection's fields; files that are damaged or not ours are set aside first.

    Raises:
        ProblemError: ``storage-unwritable``, ``storage-unreadable``; what was saved before is as it was.
    """
    try:
        with _changing, contextlib.ExitStack() as undo:
            keys = _keys_for_saving(directory, undo)
            _write_credentials(directory, values, keys, keep_old=not _are_readable(directory, keys))
            undo.pop_all()
    except OSError as exc:
        log.exception("credentials not saved", extra={"cause": exc.strerror})
        raise ProblemError(problem("storage-unwritable")) from None
    log.info("credentials saved")


def amend_credentials(directory: Path, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Replace what is saved by what `change` makes of it, if it makes anything; saved at the same time as before.

    Raises:
        ProblemError: the files cannot be read, or not be written; what was saved is as it was.
    """
    try:
        with _changing:
            keys = existing_keys(directory)
            saved = read_credentials(directory, keys) if keys is not None else None
            values = change(saved.values) if saved is not None else None
            if keys is not None and saved is not None and values is not None and values != saved.values:
                _write_credentials(directory, values, keys, at=saved.saved_at)
    except OSError:
        raise ProblemError(problem("storage-unwritable")) from None


def delete_credentials(directory: Path) -> bool:
    """Delete `db_credentials.enc`, readable or not; `fernet.key` stays, other things hang on it.

    Returns:
        Whether there was such a file.

    Raises:
        ProblemError: ``storage-unwritable``.
    """
    try:
        with _changing:
            is_deleted = remove(directory / CREDENTIALS_FILE)
    except OSError:
        raise ProblemError(problem("storage-unwritable")) from None
    if is_deleted:
        log.info("credentials deleted")
    return is_deleted


def _keys_for_saving(directory: Path, undo: contextlib.ExitStack) -> KeyRing:
    """Return keys to save under: those at hand, or a new one where there is none; a damaged key file is set aside.

    Args:
        directory: the config directory.
        undo: told how to bring a damaged key file back, should the save fail later.
    """
    try:
        keys = read_keys(directory)
    except ProblemError as exc:
        if exc.problem.code == _CANNOT_BE_READ_NOW:
            raise
        keys = KeyRing((_new_key(),))
        kept = write_atomically(directory / KEY_FILE, _key_file_content(keys), keep_old=True)
        if kept is not None:
            undo.callback(put_back, directory / KEY_FILE, kept)
    return keys or _generate_keys(directory)


def _are_readable(directory: Path, keys: KeyRing) -> bool:
    """Tell whether `db_credentials.enc` may be replaced without a trace; one that is not there may.

    Raises:
        ProblemError: ``storage-unreadable``, nobody can tell now.
    """
    try:
        read_credentials(directory, keys)
    except ProblemError as exc:
        if exc.problem.code == _CANNOT_BE_READ_NOW:
            raise
        return False
    return True


def _new_key() -> bytes:
    from cryptography.fernet import Fernet

    text = Fernet.generate_key().decode("ascii")
    protect(text)
    return parse_key(text)


def _write_credentials(
    directory: Path, values: Mapping[str, Any], keys: KeyRing, *, at: int | None = None, keep_old: bool = False
) -> None:
    plaintext = json.dumps(dict(values), ensure_ascii=False).encode()
    write_atomically(directory / CREDENTIALS_FILE, keys.encrypt(plaintext, at=at), keep_old=keep_old)


def _token_time(token: bytes) -> int:
    """Return the creation second that every Fernet token carries in clear (bytes 1 to 8, big endian)."""
    import base64

    return int.from_bytes(base64.urlsafe_b64decode(token)[1:9], "big")


def saved_at_text(saved_at: int) -> str:
    """Return ISO 8601 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(saved_at))


def _read_private(path: Path, code_if_damaged: str) -> bytes | None:
    """Read a small owner-only file, taking away other users' right to read it; None if it is not there.

    Raises:
        ProblemError: `code_if_damaged`, it is too large to be what it should; ``storage-untrusted``, others may have
            written it; ``storage-unreadable``, it cannot be read now.
    """
    try:
        return read_private(path)
    except FileNotFoundError:
        return None
    except UntrustedError as exc:
        raise ProblemError(exc.problem) from None
    except OSError as exc:
        found = problem(code_if_damaged if exc.errno == errno.EFBIG else _CANNOT_BE_READ_NOW)
        raise ProblemError(found) from None

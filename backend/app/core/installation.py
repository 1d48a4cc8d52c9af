"""`install.id`: what tells this installation from others that share a database.

A lost or damaged id is never an obstacle: a new one takes its place.
"""

from __future__ import annotations

import errno
import re
import secrets
from typing import TYPE_CHECKING, Final

from app.core.files import publish_exclusively, read_private, write_atomically
from app.core.logging import get_logger
from app.core.trust import UntrustedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ID_FILE: Final = "install.id"
_INSTALL_ID: Final = re.compile(r"[0-9a-f]{16}")

log = get_logger(__name__)


def install_id(directory: Path) -> str | None:
    """Return the 16 hex digits that tell this installation from others; None if it has none that can be read."""
    try:
        return _stored(directory)
    except OSError as exc:
        log.warning("the installation's id cannot be read", extra={"cause": exc.strerror})
        return None


def own_install_id(directory: Path) -> str:
    """Return the installation's id, made at the first call; what is no id is replaced.

    Raises:
        OSError: the directory cannot be written, or the id cannot be read now.
    """
    found = _stored(directory)
    if found is not None:
        return found
    made = secrets.token_hex(8)
    if not publish_exclusively(directory / ID_FILE, made.encode("ascii")):
        found = _stored(directory)  # another process was first, unless the file is damaged
        if found is not None:
            return found
        write_atomically(directory / ID_FILE, made.encode("ascii"))
    return made


def _stored(directory: Path) -> str | None:
    """Return the id that is kept; None if there is none, or something else in its place.

    Raises:
        OSError: it cannot be read now.
    """
    try:
        text = read_private(directory / ID_FILE).decode("ascii", "replace")
    except (FileNotFoundError, UntrustedError):
        return None
    except OSError as exc:
        if exc.errno == errno.EFBIG:
            return None
        raise
    return text if _INSTALL_ID.fullmatch(text) else None


def installation(directory: Path) -> Callable[[], str]:
    """Return what names the installation of a config directory; a name for this process where none can be kept."""
    substitute = secrets.token_hex(8)

    def name() -> str:
        try:
            return own_install_id(directory)
        except OSError:
            return substitute

    return name

"""Opening the interface without showing the token to the process list.

A browser gets its address as an argument, which every user of the computer can read. So it is given the address of an
owner-only file that sends it on to the page, as Jupyter does.
"""

from __future__ import annotations

import contextlib
import html
import os
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING, Final

from app.core.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REDIRECT_FILE: Final = "open-settings.html"


@contextlib.contextmanager
def redirect_file(directory: Path, url: str, token: str | None) -> Iterator[Path]:
    """Keep the file that sends a browser to the interface, token included, until the block ends."""
    address = html.escape(f"{url}/" + (f"#token={token}" if token is not None else ""))
    path = directory / REDIRECT_FILE
    write_atomically(
        path,
        f'<!doctype html><meta http-equiv="refresh" content="0;url={address}">'
        f'<a href="{address}">TaskFlow</a>'.encode(),
    )
    try:
        yield path
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def has_desktop() -> bool:
    """Tell whether a browser window can open; a terminal browser would take the terminal over."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_page(path: Path) -> None:
    """Open the file in the user's browser, in a thread: some browsers return only when they are closed."""
    threading.Thread(target=lambda: webbrowser.open(path.as_uri()), name="browser", daemon=True).start()

"""Which database a URL leads to."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.services.legacy.postgresql import PostgresForeign, postgres_engine
from app.services.legacy.problems import problems_of_foreign
from app.services.legacy.sqlite import SqliteForeign, sqlite_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.services.legacy.cells import ForeignDatabase

_SQLITE_URL: Final = re.compile(r"(?i)\Asqlite(?:\+\w+)?:///(?P<path>[^?]+)")


@contextlib.contextmanager
def open_foreign(url: str, *, writable: bool) -> Iterator[ForeignDatabase]:
    """Open the database behind a `postgresql://` or `sqlite:///` URL.

    Args:
        url: how to reach it; may hold a password.
        writable: without it the database itself refuses every change.

    Raises:
        UsageError: the URL is incomplete.
        ProblemError: the database cannot be reached.
    """
    file = _SQLITE_URL.match(url)
    if file is not None:
        engine = sqlite_engine(Path(file["path"]).absolute(), writable=writable)
    else:
        engine = postgres_engine(url, writable=writable)
    try:
        with problems_of_foreign("the database"), engine.connect() as connection:
            yield PostgresForeign(connection) if file is None else SqliteForeign(connection)
    finally:
        engine.dispose()

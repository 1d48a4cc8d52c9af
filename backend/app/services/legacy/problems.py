"""What a driver's error means for a person who runs a command on another application's database."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DBAPIError

from app.core.exceptions import ProblemError
from app.core.problems import Problem, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTENTION: Final = frozenset({"40001", "40P01", "55P03", "57014"})
"""Serialisation failure, deadlock, lock not available, query cancelled."""


@contextlib.contextmanager
def problems_of_foreign(what: str) -> Iterator[None]:
    """Turn a driver's error inside the block into a problem that names `what`.

    Driver texts may quote whole rows, so none of them is passed on.
    """
    try:
        yield
    except (DBAPIError, sqlite3.Error) as exc:
        found = _problem_of(exc, what)
    except UnicodeError:
        found = _failed(f"Some text in {what} is not valid Unicode.", "Repair it; rows before it are done.")
    else:
        return
    raise ProblemError(found)


def is_contention(error: BaseException) -> bool:
    """Tell whether the same batch may succeed in a moment."""
    state, name = _codes(error)
    return state in _CONTENTION or name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _codes(error: BaseException) -> tuple[str, str]:
    """Return PostgreSQL's SQLSTATE and SQLite's name of a driver's error, empty where there is none."""
    original = getattr(error, "orig", None) or error
    return getattr(original, "pgcode", None) or "", getattr(original, "sqlite_errorname", None) or ""


_AGAIN: Final = "Run the command again; it goes on where it stopped."


def _problem_of(exc: DBAPIError | sqlite3.Error, what: str) -> Problem:
    state, name = _codes(exc)
    if is_contention(exc):
        return _failed(f"Another session keeps {what} locked.", _AGAIN)
    if state[:2] in ("08", "57") or getattr(exc, "connection_invalidated", False):
        return problem("connection-lost", "The connection to the database was lost.", _AGAIN, retryable=False)
    if state in ("42501", "25006") or name.startswith(("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")):
        return problem(
            "permission-denied",
            f"The database user may not read or change {what}.",
            "Use a user who may SELECT and UPDATE all of its rows.",
        )
    if state == "22001":
        return _failed(f"An encrypted value is too long for {what}.", "Widen the column, and run the command again.")
    if state[:2] in ("23", "44") or name.startswith("SQLITE_CONSTRAINT"):
        return _failed(
            f"A constraint or trigger does not let an encrypted value into {what}.",
            "Drop or loosen it, and run the command again.",
        )
    if name.startswith("SQLITE_CANTOPEN"):
        return _failed("The SQLite file does not exist, or cannot be opened.", "Check its path and rights.")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return _failed("The file is no SQLite database, is damaged, or is encrypted.", "Check its path.")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return _failed("The SQLite file could not be written.", f"Check free disk space. {_AGAIN}")
    return _failed(
        f"The database refused a statement on {what} ({state or name or 'no code'}).",
        "What was done before is kept. Show this message to the database administrator.",
    )


def _failed(message: str, remedy: str) -> Problem:
    return problem("connection-failed", message, remedy)

"""Column types of tables on hostile ground: whoever can write the database may have put anything into any column.

Reading such a column never raises. SQLite keeps whatever is written, of any type and in any encoding, and PostgreSQL
has dates that Python has not. A value that is none of the column's kind is read as the kind's junk value, which no
service ever writes; `is_junk` tells. What becomes of the row decides who decodes it.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Boolean, Integer, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import BigInteger, TypeDecorator

from app.db.base import Instant, UuidText, instant_text

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine

JUNK_INSTANT: Final = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
JUNK_NUMBER: Final = -1
_MAX_NUMBER_CHARS: Final = 19


def is_junk(*values: object) -> bool:
    """Tell whether one of these values, as they were read, is not of its column's kind."""
    return any(value == JUNK_INSTANT or (value == JUNK_NUMBER and type(value) is int) for value in values)


class _Raw(ColumnElement[Any]):
    """A column as it lies there: what the driver cannot fail to read."""

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012 - as its base class has it
        ("column", InternalTraversal.dp_clauseelement),
        ("as_text", InternalTraversal.dp_boolean),
    ]

    def __init__(self, column: ColumnElement[Any], *, as_text: bool) -> None:
        self.column = column
        self.as_text = as_text
        self.type = column.type


@compiles(_Raw)
def _on_postgresql(element: _Raw, compiler: Any, **options: Any) -> str:
    rendered = compiler.process(element.column, **options)
    return f"CAST({rendered} AS TEXT)" if element.as_text else rendered


@compiles(_Raw, "sqlite")
def _on_sqlite(element: _Raw, compiler: Any, **options: Any) -> str:
    return f"CAST({compiler.process(element.column, **options)} AS BLOB)"


class LenientText(TypeDecorator[str]):
    """Text; whatever else lies there is read as text."""

    impl = Text
    cache_ok = True

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Read it raw."""
        return _Raw(column, as_text=False)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Turn what the driver returns into text."""
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


class Sealed(LenientText):
    """A secret in its sealed form. Every column that holds one has this type, and no other column does.

    The type does no sealing: a ciphertext is bound to its row, which a column type cannot see. It marks the column.
    """

    cache_ok = True


class LenientUuid(LenientText):
    """A UUID in canonical text; on SQLite it may be any text."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type."""
        return dialect.type_descriptor(UuidText)


class LenientNumber(TypeDecorator[int]):
    """A number; `JUNK_NUMBER` for anything else."""

    impl = Integer
    cache_ok = True

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Read it raw."""
        return _Raw(column, as_text=False)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """Turn what the driver returns into a number."""
        if not isinstance(value, bytes):
            number: int | None = value
            return number
        is_number = value.removeprefix(b"-").isdigit() and len(value) <= _MAX_NUMBER_CHARS
        return int(value) if is_number else JUNK_NUMBER


class LenientBigNumber(LenientNumber):
    """The same in eight bytes."""

    impl = BigInteger
    cache_ok = True


class LenientBoolean(TypeDecorator[bool]):
    """A boolean; None for anything else."""

    impl = Boolean
    cache_ok = True

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Read it raw."""
        return _Raw(column, as_text=False)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Turn what the driver returns into a boolean."""
        return _boolean if dialect.name == "sqlite" else None


def _boolean(value: Any) -> bool | None:
    return {b"0": False, b"1": True}.get(value)


class LenientInstant(Instant):
    """An instant; `JUNK_INSTANT` for what is none, or lies beyond the years 1 to 9999."""

    cache_ok = True

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Read it as text."""
        return _Raw(column, as_text=True)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Turn text, or its bytes, into an instant."""
        return _instant


def _instant(value: Any) -> dt.datetime | None:
    if value is None:
        return None
    try:
        text = value.decode("ascii") if isinstance(value, bytes) else value
        found = dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return JUNK_INSTANT
    return found


def shown_instant(value: dt.datetime | None) -> str | None:
    """Return an instant as answers write it; None for what is none."""
    return None if is_junk(value) else instant_text(value)

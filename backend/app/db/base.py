"""The metadata of all tables, and the column types that behave alike on PostgreSQL and SQLite.

Tables are SQLAlchemy Core with typed columns (`TypedColumns`), not mapped classes: rows go from the cursor to the
answer without objects in between, and start-up does not pay for importing the ORM.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import DateTime, MetaData, String, Text
from sqlalchemy.types import TypeDecorator, UserDefinedType

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class _NativeUuid(UserDefinedType[str]):
    """PostgreSQL's `uuid`, as the text that the driver sends and, told so at each connection, returns."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Return the type's name in DDL."""
        return "UUID"


UuidText: Final = String(36).with_variant(_NativeUuid(), "postgresql")
"""A UUID column that speaks canonical text, without a conversion per row."""


class Instant(TypeDecorator[dt.datetime]):
    """An aware UTC instant with microseconds: `timestamptz` on PostgreSQL, sortable ISO text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> Any:
        """Turn an aware datetime into what the driver takes."""
        if value is None:
            return None
        utc = value.astimezone(dt.UTC)
        return instant_text(utc) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        """Turn the driver's value into an aware datetime in UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            value = _parsed(value)
            if value is None:
                return None
        result: dt.datetime = value.astimezone(dt.UTC)
        return result


def _parsed(text: Any) -> dt.datetime | None:
    """Return the instant; None for anything else, as SQLite keeps whatever somebody writes into a column."""
    try:
        return dt.datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None


def utc_now() -> dt.datetime:
    """Return the present instant, with microseconds."""
    return dt.datetime.now(dt.UTC)


def instant_text(value: dt.datetime | None) -> str | None:
    """Return ISO 8601 in UTC with microseconds and `Z`, as answers and ciphertexts write it."""
    # not strftime, which writes the year 1 with one digit
    return None if value is None else value.astimezone(dt.UTC).isoformat(timespec="microseconds")[:26] + "Z"


def casefolded(text: str) -> str:
    """Return the form in which names, emails and searches are compared, on both databases alike."""
    return text.casefold()

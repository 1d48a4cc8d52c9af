"""Column types that behave alike on both databases, and the form in which names are compared."""

from __future__ import annotations

import datetime as dt
import sys
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy.schema import CreateTable

from app.db.base import Instant, UuidText, casefolded, metadata, utc_now
from tests.support.properties import PROPERTY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Database

things = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("id", UuidText, primary_key=True),
    sa.Column("at", Instant),
)
IDENTIFIER = "0a1b2c3d-0000-4000-8000-00000000000f"
PARIS = dt.timezone(dt.timedelta(hours=2))


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(request: pytest.FixtureRequest) -> Iterator[sa.Connection]:
    """A connection to an empty table of these types; the server is in another time zone than UTC."""
    if request.param == "sqlite":
        engine = sa.create_engine("sqlite://")
    else:
        database: Database = request.getfixturevalue("database")
        url = sa.make_url(database.url).set(drivername="postgresql+psycopg2")
        engine = sa.create_engine(url, connect_args={"options": "-c timezone=Asia/Kathmandu"})
    with engine.begin() as opened:
        things.create(opened)
        yield opened
    engine.dispose()


def stored_instant(connection: sa.Connection, value: dt.datetime | None) -> Any:
    """Write a value and read it back."""
    connection.execute(sa.delete(things))
    connection.execute(sa.insert(things).values(id=IDENTIFIER, at=value))
    return connection.scalar(sa.select(things.c.at))


@pytest.mark.parametrize(
    "value",
    [
        dt.datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=dt.UTC),
        dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC),
        dt.datetime(2026, 11, 20, 1, 30, tzinfo=PARIS),
        dt.datetime(2026, 3, 29, 1, 0, 0, 1, tzinfo=dt.UTC),
        dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2400, 2, 29, 23, 59, 59, 999999, tzinfo=dt.UTC),
    ],
)
def test_instants_come_back_as_the_same_instants(connection: sa.Connection, value: dt.datetime) -> None:
    """To the microsecond, in UTC, whatever zone they came in and the server lives in."""
    stored = stored_instant(connection, value)

    assert stored == value
    assert stored.tzinfo is dt.UTC


def test_no_instant_is_none(connection: sa.Connection) -> None:
    """NULL both ways."""
    assert stored_instant(connection, None) is None


def test_database_orders_instants_by_time(connection: sa.Connection) -> None:
    """Also where they are text, and with and without microseconds."""
    base = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
    moments = [base + dt.timedelta(microseconds=step) for step in (10**9, 1, 0, 999_999, 10**6, -1)]
    rows = [{"id": f"00000000-0000-4000-8000-{number:012}", "at": at} for number, at in enumerate(moments)]
    connection.execute(sa.insert(things), rows)

    ordered = list(connection.scalars(sa.select(things.c.at).order_by(things.c.at)))
    later = connection.scalar(sa.select(sa.func.count()).where(things.c.at > base))

    assert ordered == sorted(moments)
    assert later == 4


def test_uuids_come_back_as_text(connection: sa.Connection) -> None:
    """Canonical, and found by it."""
    connection.execute(sa.insert(things).values(id=IDENTIFIER, at=None))

    found = connection.execute(sa.select(sa.cast(things.c.id, sa.Text)).where(things.c.id == IDENTIFIER)).scalar_one()

    assert found == IDENTIFIER


def test_database_orders_uuids_alike(connection: sa.Connection) -> None:
    """By their digits: ties in a list look the same on both databases."""
    identifiers = [f"{first}0000000-0000-4000-8000-{last}00000000000" for first in "f09a" for last in "8e1b"]
    connection.execute(sa.insert(things), [{"id": identifier, "at": None} for identifier in identifiers])

    ordered = connection.scalars(sa.select(sa.cast(things.c.id, sa.Text)).order_by(things.c.id))

    assert list(ordered) == sorted(identifiers)


def test_types_in_ddl() -> None:
    """PostgreSQL has types of its own for both; SQLite keeps text."""
    ddl = {
        name: str(CreateTable(things).compile(dialect=sa.make_url(f"{name}://").get_dialect()()))
        for name in ("postgresql+psycopg2", "sqlite")
    }

    assert "id UUID" in ddl["postgresql+psycopg2"]
    assert "at TIMESTAMP WITH TIME ZONE" in ddl["postgresql+psycopg2"]
    assert "at TEXT" in ddl["sqlite"]


def test_present_instant_is_aware() -> None:
    """A naive one would be taken for local time."""
    assert utc_now().tzinfo is dt.UTC


def test_constraints_have_names_that_migrations_can_rely_on() -> None:
    """An unnamed constraint cannot be altered on another machine."""
    table = sa.Table(
        "sample",
        sa.MetaData(naming_convention=metadata.naming_convention),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("parent_id", sa.Integer, sa.ForeignKey("sample.id"), unique=True),
        sa.CheckConstraint("id > 0", name="positive"),
    )

    assert {constraint.name for constraint in table.constraints} == {
        "pk_sample",
        "uq_sample_parent_id",
        "fk_sample_parent_id_sample",
        "ck_sample_positive",
    }


# Comparison without regard to case


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada", "aDA"),
        ("Straße", "STRASSE"),
        ("ẞ", "ss"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
        ("σ", "ς"),  # noqa: RUF001
        ("ÉCOLE", "école"),
        ("ﬁn", "FIN"),
        ("Ǆ", "ǆ"),
        ("ſ", "S"),  # noqa: RUF001
        ("K", "k"),  # the sign for kelvin
        ("Ꭰ", "ꭰ"),  # noqa: RUF001
    ],
)
def test_alike_without_regard_to_case(one: str, other: str) -> None:
    """Unicode's case-folding, not that of ASCII."""
    assert casefolded(one) == casefolded(other)


@pytest.mark.parametrize(
    ("one", "other"), [("e", "é"), ("İ", "i"), ("\u0131", "i"), ("ß", "s"), ("o", "ø"), ("1", "¹")]
)
def test_not_alike(one: str, other: str) -> None:
    """Accents and dots tell letters apart."""
    assert casefolded(one) != casefolded(other)


@PROPERTY
@given(st.text())
@example("İ")
def test_folding_is_final(text: str) -> None:
    """What was folded folds to itself, and case changes that Unicode calls equivalent do not matter."""
    assert casefolded(casefolded(text)) == casefolded(text)


def test_every_letter_folds_like_its_other_case() -> None:
    """Over all of Unicode: a letter and its simple lower-case form are alike, but for the dotted I of Turkish."""
    letters = (chr(code) for code in range(sys.maxunicode + 1))
    unlike = [
        letter
        for letter in letters
        if unicodedata.category(letter) == "Lu" and casefolded(letter) != casefolded(letter.lower())
    ]

    assert unlike in ([], ["İ"])

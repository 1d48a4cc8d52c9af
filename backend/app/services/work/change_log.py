"""Reading the log of changes: what became visible after a position, in the order in which it did."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from app.db.base import utc_now
from app.db.statements import insert_if_absent
from app.models.changes import changes

if TYPE_CHECKING:
    from app.db.session import Database

BATCH: Final = 1_000
EVERYTHING: Final = "*"
RESYNC: Final = "resync"
NUMBERING_LOCK_KEY: Final = 0x7461736B65766E74  # "taskevnt", another of PostgreSQL's advisory locks
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_POSITION: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


class Position(NamedTuple):
    """The last change that somebody knows.

    While its row is there, the rows after it are all that happened since. It is gone when it was pruned, and when this
    is another database or a backup from before: then there is no telling what was missed.
    """

    number: int
    at: int
    """Microseconds since 1970; a number alone would be found in every database."""

    def __str__(self) -> str:
        """Return the form in which clients keep it."""
        return f"{self.number}-{self.at}"

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """Read what a client kept; None if it is no position."""
        found = _POSITION.fullmatch(text.strip())
        return cls(int(found[1]), int(found[2])) if found else None


class Event(NamedTuple):
    """One change, and the position it leads to."""

    position: Position
    resource: str
    id: str
    change: str
    progress: tuple[int, int] | None = None
    """How much of how much is done, of long work of this sidecar; such an event is in no log."""


_FIRST: Final = {"number": 0, "resource": EVERYTHING, "resource_id": "", "change": RESYNC}
"""Row that comes before all others and is told to nobody."""
_NUMBERED: Final = (
    sa.select(changes.c.number, changes.c.at, changes.c.resource, changes.c.resource_id, changes.c.change)
    .where(changes.c.number.is_not(None))
    .order_by(changes.c.number)
)
_NEWEST: Final = _NUMBERED.order_by(None).order_by(changes.c.number.desc()).limit(1)
_HAS_UNNUMBERED: Final = sa.select(sa.exists().where(changes.c.number.is_(None)))
_NUMBER_THEM: Final = ";".join(
    (
        # sent as one message this is, in autocommit mode, one transaction, which no client that falls asleep can hold
        # open; each statement must see what was committed before it began, or two readers would give one number
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        f"SELECT pg_advisory_xact_lock({NUMBERING_LOCK_KEY})",
        (
            "UPDATE changes SET number = given.number FROM"
            " (SELECT id, (SELECT coalesce(max(number), 0) FROM changes) + row_number() OVER (ORDER BY id) AS number"
            " FROM changes WHERE number IS NULL) AS given"
            " WHERE changes.id = given.id"
        ),
    )
)


def newest(database: Database) -> Position:
    """Return the position of the change that became visible last."""
    with database.read() as connection:
        _number_new_ones(connection)
        row = connection.execute(_NEWEST).one_or_none()
    if row is not None:
        return _event(row).position
    with database.write() as connection:  # a log without a row would have no position
        insert_if_absent(connection, changes, _FIRST | {"at": utc_now()})
        return _event(connection.execute(_NEWEST).one()).position


def after(database: Database, position: Position) -> list[Event] | None:
    """Return the next changes after a position, at most `BATCH`; None if there is no telling what they were."""
    with database.read() as connection:
        _number_new_ones(connection)
        query = _NUMBERED.where(changes.c.number >= position.number).limit(BATCH + 1)
        events = [_event(row) for row in connection.execute(query)]
    if not events or events[0].position != position:
        return None
    return events[1:]


def _number_new_ones(connection: sa.Connection) -> None:
    """Give numbers to what was committed since somebody did so last; on SQLite writers do it themselves.

    Transactions become visible in another order than they write. A number that was given while writing could turn up
    behind the back of a reader who is past it already; one that is given afterwards, by one reader at a time, cannot.
    """
    if connection.dialect.name == "postgresql" and connection.scalar(_HAS_UNNUMBERED):
        connection.commit()  # behind a pooler even this is a transaction, and the next one begins another
        connection.exec_driver_sql(_NUMBER_THEM)
        connection.commit()


def _event(row: Any) -> Event:
    position = Position(row.number, (row.at - _EPOCH) // _MICROSECOND)
    return Event(position, row.resource, row.resource_id, row.change)

"""The list of daily updates across tasks: newest first, by author, task and time, in pages.

Every filter leads to an index in the order of the list, so that the last page costs what the first one does.
"""

from __future__ import annotations

import base64
import datetime as dt
import re
import struct
import uuid
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from app.models.daily_updates import daily_updates
from app.models.tasks import tasks
from app.services.work.documents import told_document

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACE: Final = struct.Struct(">q16s")
CURSOR: Final = "[A-Za-z0-9_-]{32}"
"""Base64 of a place: every such text is one, whoever made it up."""
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_LAST: Final = (dt.datetime(9999, 12, 31, tzinfo=dt.UTC) - _EPOCH) // _MICROSECOND


class UpdatePlace(NamedTuple):
    """Where a daily update stands in the list."""

    created_at: dt.datetime
    id: str

    def to_cursor(self) -> str:
        """Return it as the text that clients hand back."""
        packed = _PLACE.pack((self.created_at - _EPOCH) // _MICROSECOND, uuid.UUID(self.id).bytes)
        return base64.urlsafe_b64encode(packed).decode()

    @classmethod
    def from_cursor(cls, cursor: str) -> UpdatePlace:
        """Read a cursor.

        Raises:
            ValueError: it is none.
        """
        if not re.fullmatch(CURSOR, cursor):
            raise ValueError("Input should be a cursor from a Link header")
        number, identifier = _PLACE.unpack(base64.urlsafe_b64decode(cursor))
        return cls(_EPOCH + _MICROSECOND * min(max(number, 0), _LAST), str(uuid.UUID(bytes=identifier)))


class UpdateQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which daily updates are wanted; None where anything will do. Both instants are included."""

    author: str | None = None
    task: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    limit: int
    after: UpdatePlace | None = None


class UpdatePage(NamedTuple):
    """JSON texts, and the place after which the next page begins; None at the end."""

    documents: list[str]
    end: UpdatePlace | None


def read_updates(connection: sa.Connection, query: UpdateQuery) -> UpdatePage:
    """Return a page, in one statement: JSON is made of what is shown, after the rest was cut off."""
    columns = daily_updates.c
    rows = sa.select(daily_updates).where(*_conditions(query)).order_by(columns.created_at.desc(), columns.id)
    shown = rows.limit(query.limit + 1).subquery("daily_updates")
    statement = (
        sa.select(told_document(connection.dialect.name), shown.c.created_at, shown.c.id)
        .select_from(shown.join(tasks, tasks.c.id == shown.c.task_id))
        .order_by(shown.c.created_at.desc(), shown.c.id)
    )
    found = connection.execute(statement).all()
    end = UpdatePlace(*found[query.limit - 1][1:]) if len(found) > query.limit else None  # the one more is not shown
    return UpdatePage([row[0] for row in found[: query.limit]], end)


def _conditions(query: UpdateQuery) -> Iterator[sa.ColumnElement[bool]]:
    columns = daily_updates.c
    if query.task is not None:
        yield columns.task_id == query.task
    if query.author is not None:
        yield columns.author_id == query.author
    if query.since is not None:
        yield columns.created_at >= query.since
    if query.until is not None:
        yield columns.created_at <= query.until
    if query.after is not None:
        # the first half says where in an index to begin
        yield columns.created_at <= query.after.created_at
        yield sa.or_(columns.created_at < query.after.created_at, columns.id > query.after.id)

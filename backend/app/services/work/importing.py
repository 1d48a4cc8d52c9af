"""Taking an export into a database: all of it, or nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.core.exceptions import ConflictError, ValidationError
from app.core.validation import build, checked_value, decode_object, one_of
from app.db.base import casefolded
from app.db.migrations import HEAD
from app.models.sub_tasks import sub_tasks
from app.models.tasks import PRIORITIES, STATUSES, task_grams
from app.schemas.tasks import BLOCKED, BLOCKING_REASON_REQUIRED
from app.schemas.transfer import Imported, MemberLine, SubTaskLine, TaskLine, UpdateLine
from app.services.work.changes import announce_resync
from app.services.work.common import newest_first
from app.services.work.exporting import FORMAT, TABLES
from app.services.work.search import indexed_form, searched_text
from app.services.work.subtasks import MAX_SUB_TASKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from app.db.session import Database

    Report = Callable[[int, int], object]
    """Told how many lines of how many are done."""

AT_ONCE: Final = 500
"""Lines that are written together."""
MAX_LINE_BYTES: Final = 1 << 20
_LINES: Final[dict[str, type[msgspec.Struct]]] = {
    "member": MemberLine,
    "task": TaskLine,
    "sub_task": SubTaskLine,
    "daily_update": UpdateLine,
}
_RESOURCE: Final = one_of(*_LINES)
_CLASHES: Final = {
    "member": "a member is there twice, or another one with this email",
    "task": "a task is there twice, or its assignee is not there",
    "sub_task": "a sub-task is there twice, or its task is not there",
    "daily_update": "a daily update is there twice, or its task or author is not there",
}


def import_lines(
    database: Database, chunks: Iterable[bytes], *, merge: bool, report: Report = lambda _done, _of: None
) -> Imported:
    """Add what an export holds, in one transaction.

    Args:
        database: empty of members and tasks unless `merge`.
        chunks: the file, in pieces of any size.
        merge: add what is not there by its id, and leave what is as it is.
        report: told now and then how far it is.

    Raises:
        ValidationError: a line is not what an export holds; says which one. Nothing was added.
        ConflictError: the database is not empty. Nothing was added.
    """
    lines = enumerate(_split(chunks), start=1)
    whole = _header(next(lines, (1, b""))[1])
    with database.write() as connection:
        _lock(connection)
        if not merge:
            _require_empty(connection)
        importer = _Importer(connection, whole, merge=merge, report=report)
        for number, raw in lines:
            importer.take(number, raw)
        importer.finish()
        announce_resync(connection)
    return importer.added()


def _split(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut a stream into lines without their ends; empty ones are left out."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            raise ValidationError("body: A line is longer than 1 MiB")
        yield from (line for line in whole if line.strip())
    if rest.strip():
        yield rest


def _header(raw: bytes) -> dict[str, int]:
    """Return how many lines of each resource there should be.

    Raises:
        ValidationError: it is no export, or a newer program's.
    """
    try:
        header = json.loads(raw)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT or not isinstance(header.get("revision"), str):
        raise ValidationError("line 1: Input should be the header of an export")
    if header["revision"] > HEAD:
        raise ValidationError("line 1: The export was made by a newer version")
    lines = header.get("lines")
    if not isinstance(lines, dict) or not all(isinstance(count, int) for count in lines.values()):
        raise ValidationError("line 1: Input should be the header of an export")
    return lines


def _lock(connection: sa.Connection) -> None:
    """Let nobody else write the team's work before the transaction ends; on SQLite it is alone anyway."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(table.name for table in TABLES.values())
        connection.exec_driver_sql(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")


def _require_empty(connection: sa.Connection) -> None:
    for name in ("member", "task"):
        if connection.execute(sa.select(sa.exists().select_from(TABLES[name]))).scalar_one():
            raise ConflictError(
                "The database holds members or tasks already. Import into an empty one, or with merge=skip.",
                code="not-empty",
            )


class _Importer:
    """Writes lines in batches of one resource."""

    def __init__(self, connection: sa.Connection, whole: dict[str, int], *, merge: bool, report: Report) -> None:
        self._connection = connection
        self._whole = whole
        self._merge = merge
        self._report = report
        self._resource = ""
        self._batch: list[dict[str, Any]] = []
        self._first_number = 0
        self._read = dict.fromkeys(TABLES, 0)
        self._added = dict.fromkeys(TABLES, 0)

    def take(self, number: int, raw: bytes) -> None:
        """Check one line and keep it for its batch."""
        try:
            resource, row = _checked(raw)
        except ValidationError as exc:
            raise ValidationError(f"line {number}: {exc.message}") from None
        if resource != self._resource or len(self._batch) >= AT_ONCE:
            self._flush()
            self._resource, self._first_number = resource, number
        self._batch.append(row)
        self._read[resource] += 1

    def finish(self) -> None:
        """Write the last batch, and make sure that nothing is missing."""
        self._flush()
        for resource, count in self._read.items():
            if self._whole.get(resource) != count:
                raise ValidationError("body: The export is not complete")

    def added(self) -> Imported:
        """Tell what was done."""
        skipped = sum(self._read.values()) - sum(self._added.values())
        added = self._added
        return Imported(added["member"], added["task"], added["sub_task"], added["daily_update"], skipped)

    def _flush(self) -> None:
        rows = self._absent() if self._merge else self._batch
        if rows:
            try:
                self._insert(rows)
            except IntegrityError:
                raise ValidationError(
                    f"line {self._first_number} and those after it: {_CLASHES[self._resource]}"
                ) from None
            self._added[self._resource] += len(rows)
        self._batch = []
        self._report(sum(self._read.values()), sum(self._whole.values()))

    def _absent(self) -> list[dict[str, Any]]:
        """Return the rows of the batch that are not there by their ids."""
        if not self._batch:
            return []
        ids = TABLES[self._resource].c.id
        there = set(self._connection.scalars(sa.select(ids).where(ids.in_([row["id"] for row in self._batch]))))
        return [row for row in self._batch if row["id"] not in there]

    def _insert(self, rows: list[dict[str, Any]]) -> None:
        if self._resource == "sub_task":
            self._place(rows)
        written = [_complete(self._resource, row) for row in rows]
        self._connection.execute(sa.insert(TABLES[self._resource]), written)
        if self._resource == "task":
            dialect = self._connection.dialect.name
            grams = [{"task_id": row["id"], "grams": indexed_form(dialect, row["searched"])} for row in written]
            self._connection.execute(sa.insert(task_grams), grams)

    def _place(self, rows: list[dict[str, Any]]) -> None:
        """Put each sub-task behind those its task has."""
        task_id = sub_tasks.c.task_id
        counting = sa.select(task_id, sa.func.count()).where(task_id.in_({row["task_id"] for row in rows}))
        counts: dict[str, int] = dict(self._connection.execute(counting.group_by(task_id)).tuples().all())
        for row in rows:
            row["position"] = counts.get(row["task_id"], 0)
            if row["position"] >= MAX_SUB_TASKS:
                raise ValidationError(f"Maximum of {MAX_SUB_TASKS} sub-tasks per task")
            counts[row["task_id"]] = row["position"] + 1


def _checked(raw: bytes) -> tuple[str, dict[str, Any]]:
    """Return of what resource a line is, and its fields; raises ValidationError."""
    values = decode_object(raw)
    resource: str = checked_value("resource", _RESOURCE, values.get("resource"))
    row = msgspec.structs.asdict(build(_LINES[resource], values))
    if resource == "task":
        _settle_blocked(row)
    return resource, row


def _settle_blocked(row: dict[str, Any]) -> None:
    """Let the state, its reason and its beginning fit together.

    Raises:
        ValidationError: a blocked task has no reason.
    """
    if row["status"] != BLOCKED:
        row |= {"blocking_reason": "", "blocked_since": None}
    elif not row["blocking_reason"]:
        raise ValidationError(BLOCKING_REASON_REQUIRED)
    elif row["blocked_since"] is None:
        row["blocked_since"] = row["updated_at"]


def _complete(resource: str, row: dict[str, Any]) -> dict[str, Any]:
    """Add the columns that are made of others."""
    if resource == "member":
        return row | {"name_folded": casefolded(row["name"]), "email_folded": casefolded(row["email"])}
    if resource == "task":
        return row | {
            "status_rank": STATUSES.index(row["status"]),
            "priority_rank": PRIORITIES.index(row["priority"]),
            "searched": searched_text(row["title"], row["description"], row["gear_id"]),
            "created_order": newest_first(row["created_at"]),
            "updated_order": newest_first(row["updated_at"]),
        }
    return row

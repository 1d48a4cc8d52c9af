"""Tasks by the thousand, written behind the service's back, as it would write them."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from app.models.daily_updates import daily_updates
from app.models.members import members
from app.models.sub_tasks import sub_tasks
from app.models.tasks import PRIORITIES, STATUSES, task_grams, tasks
from app.services.work.common import newest_first
from app.services.work.search import indexed_form, searched_text

if TYPE_CHECKING:
    from app.db.session import OpenDatabase

WORDS: Final = """
    pump valve rotor shaft bearing motor cable sensor relay panel hose clamp filter gauge flange gasket nozzle piston
    spring washer bolt bracket coupling damper fuse gear hinge impeller joint lever
""".split()  # noqa: SIM905 - a list of words, not of lines
NEEDLE: Final = "Schwungrad"
"""A word that one task in a thousand has."""
START: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_AT_ONCE: Final = 1_000
_UPDATES_AT_ONCE: Final = 10_000


def add_tasks(opened: OpenDatabase, count: int, *, sub_tasks_each: int = 0) -> None:
    """Add tasks of all kinds, of one minute after the other, changed in another order."""
    dice = random.Random(count)
    for start in range(0, count, _AT_ONCE):
        rows = [_task(number, dice) for number in range(start, min(count, start + _AT_ONCE))]
        grams = [
            {"task_id": row["id"], "grams": indexed_form(opened.engine.dialect.name, row["searched"])} for row in rows
        ]
        children = [_sub_task(row, position) for row in rows for position in range(sub_tasks_each)]
        with opened.writer.begin() as connection:
            connection.execute(sa.insert(tasks), rows)
            connection.execute(sa.insert(task_grams), grams)
            if children:
                connection.execute(sa.insert(sub_tasks), children)


def add_updates(opened: OpenDatabase, count: int, *, authors_count: int = 10) -> list[str]:
    """Add members, and daily updates of theirs on the tasks there are; return the members' ids."""
    authors = [str(uuid.UUID(int=number, version=4)) for number in range(authors_count)]
    with opened.writer.begin() as connection:
        connection.execute(sa.insert(members), [_member(identifier, n) for n, identifier in enumerate(authors)])
        task_ids = connection.execute(sa.select(tasks.c.id).order_by(tasks.c.id)).scalars().all()
    for start in range(0, count, _UPDATES_AT_ONCE):
        rows = [
            _update(number, authors[number % authors_count], task_ids[number % len(task_ids)])
            for number in range(start, min(count, start + _UPDATES_AT_ONCE))
        ]
        with opened.writer.begin() as connection:
            connection.execute(sa.insert(daily_updates), rows)
    return authors


def _member(identifier: str, number: int) -> dict[str, Any]:
    name, email = f"member {number}", f"{number}@example.com"
    times = {"created_at": START, "updated_at": START}
    folded = {"name_folded": name, "email_folded": email}
    return {"id": identifier, "name": name, "email": email, "active": True, **folded, **times}


def _update(number: int, author_id: str, task_id: str) -> dict[str, Any]:
    at = START + dt.timedelta(minutes=number)
    return {
        "id": str(uuid.uuid4()),
        "task_id": task_id,
        "author_id": author_id,
        "content": f"Update {number}",
        "edited": False,
        "created_at": at,
        "updated_at": at,
    }


def _task(number: int, dice: random.Random) -> dict[str, Any]:
    status, priority = dice.choice(STATUSES), dice.choice(PRIORITIES)
    created_at = START + dt.timedelta(minutes=number)
    updated_at = created_at + dt.timedelta(minutes=dice.randrange(1_000))
    title = f"Task {number}: {dice.choice(WORDS)}"
    description = " ".join([*dice.choices(WORDS, k=30), NEEDLE if number % 1_000 == 0 else ""])
    gear_id = f"{number % 100:04}" if number % 2 else None
    return {
        "id": str(uuid.UUID(int=dice.getrandbits(128), version=4)),
        "title": title,
        "description": description,
        "status": status,
        "status_rank": STATUSES.index(status),
        "priority": priority,
        "priority_rank": PRIORITIES.index(priority),
        "gear_id": gear_id,
        "blocking_reason": "",
        "searched": searched_text(title, description, gear_id),
        "created_at": created_at,
        "created_order": newest_first(created_at),
        "updated_at": updated_at,
        "updated_order": newest_first(updated_at),
    }


def _sub_task(task: dict[str, Any], position: int) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "task_id": task["id"],
        "title": f"Step {position}",
        "completed": position % 2 == 0,
        "position": position,
        "created_at": task["created_at"],
    }

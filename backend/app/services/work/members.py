"""The people of the team: list, create, read, change, delete."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.core.exceptions import ConflictError, NotFoundError, ValidationError
from app.core.validation import present
from app.db.base import casefolded, instant_text
from app.db.clock import database_now
from app.models.daily_updates import daily_updates
from app.models.members import members
from app.models.task_counts import task_counts
from app.models.tasks import STATUSES, tasks
from app.schemas.members import ListedMember, Member
from app.schemas.tasks import DONE
from app.services.work.changes import announce, announce_all
from app.services.work.common import require_active, updated

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.db.session import Database
    from app.schemas.members import MemberCreate, MemberUpdate
    from app.services.work.common import Clock

_SHOWN = (members.c.id, members.c.name, members.c.email, members.c.active)
_DONE_RANK = STATUSES.index(DONE)
_OPEN = (
    sa.select(task_counts.c.assignee_id, sa.func.sum(task_counts.c.amount).label("amount"))
    .where(task_counts.c.assignee_id.is_not(None), task_counts.c.status_rank != _DONE_RANK)
    .group_by(task_counts.c.assignee_id)
    .subquery("open")
)
_LAST = (
    sa.select(daily_updates.c.created_at)
    .where(daily_updates.c.author_id == members.c.id)
    .order_by(daily_updates.c.created_at.desc(), daily_updates.c.id)
    .limit(1)
    .scalar_subquery()
)
_LIST = (
    sa.select(*_SHOWN, sa.func.coalesce(_OPEN.c.amount, 0).label("open_tasks"), _LAST.label("last"))
    .select_from(members.outerjoin(_OPEN, _OPEN.c.assignee_id == members.c.id))
    .order_by(members.c.name_folded, members.c.id)
)


class Members:
    """The members of one database."""

    def __init__(self, database: Database, clock: Clock = database_now) -> None:
        self._database = database
        self._clock = clock

    def all(self, *, active: bool | None = None) -> list[ListedMember]:
        """Return everybody, or those who are active or are not, by name without regard to case, then by id."""
        wanted = _LIST if active is None else _LIST.where(members.c.active == active)
        with self._database.read() as connection:
            return [
                ListedMember(row.id, row.name, row.email, row.active, int(row.open_tasks), instant_text(row.last))
                for row in connection.execute(wanted)
            ]

    def get(self, member_id: str) -> Member:
        """Return one member; raises NotFoundError."""
        with self._database.read() as connection:
            return _one(connection, member_id)

    def create(self, body: MemberCreate) -> Member:
        """Add a member; raises ConflictError when the email is taken."""
        member = Member(str(uuid.uuid4()), body.name, body.email, body.active)
        try:
            with self._database.write() as connection:
                now = self._clock(connection)
                connection.execute(
                    sa.insert(members).values(
                        id=member.id,
                        name=member.name,
                        name_folded=casefolded(member.name),
                        email=member.email,
                        email_folded=casefolded(member.email),
                        active=member.active,
                        created_at=now,
                        updated_at=now,
                    )
                )
                announce(connection, "member", member.id, "created")
        except IntegrityError:
            raise _email_taken() from None
        return member

    def update(self, member_id: str, body: MemberUpdate, precondition: Callable[[Member], None]) -> Member:
        """Change what the body holds.

        Args:
            member_id: canonical UUID.
            body: the fields that were sent.
            precondition: called with the present member while it is locked; raises to refuse.

        Raises:
            NotFoundError: no such member.
            ConflictError: the email is taken.
        """
        try:
            with self._database.write() as connection:
                member = _one(connection, member_id, lock=True)
                precondition(member)
                changes = {name: value for name, value in present(body).items() if value != getattr(member, name)}
                if changes:
                    row = _columns(changes) | {"updated_at": self._clock(connection)}
                    connection.execute(sa.update(members).where(members.c.id == member_id).values(**row))
                    announce(connection, "member", member_id, "updated")
        except IntegrityError:
            raise _email_taken() from None
        return Member(**{**_fields(member), **changes})

    def delete(self, member_id: str, precondition: Callable[[Member], None]) -> None:
        """Delete a member; raises NotFoundError, and ConflictError while there is work of theirs."""
        with self._database.write() as connection:
            # nobody gives a task to a locked member, nor names one as an author
            precondition(_one(connection, member_id, lock=True))
            _refuse_while_at_work(connection, member_id)
            connection.execute(sa.delete(members).where(members.c.id == member_id))
            announce(connection, "member", member_id, "deleted")

    def reassign(self, member_id: str, to: str | None) -> int:
        """Give a member's open tasks to another active member, or to nobody; return how many.

        Raises:
            ValidationError: that is the same member, is not active, or nobody.
            NotFoundError: no such member.
        """
        if to == member_id:
            raise ValidationError("to: Input should be another member")
        with self._database.write() as connection:
            if to is not None:
                require_active(connection, to, "Assignee")
            _one(connection, member_id)
            moved = _give(connection, member_id, to, self._clock)
            if moved:
                announce_all(connection, "task", moved, "updated")
        return len(moved)


def _give(connection: sa.Connection, member_id: str, to: str | None, clock: Clock) -> list[str]:
    """Give the open tasks to somebody else; return their ids."""
    of_member = sa.and_(tasks.c.assignee_id == member_id, tasks.c.status_rank != _DONE_RANK)
    # locked in one order, or two such calls could wait for each other
    locking = sa.select(tasks.c.updated_at).where(of_member).order_by(tasks.c.id).with_for_update()
    times = connection.execute(locking).scalars().all()
    if not times:
        return []
    moment = updated(clock(connection), max(times))  # one for all of them, later than any of theirs
    giving = sa.update(tasks).where(of_member).values(assignee_id=to, **moment).returning(tasks.c.id)
    return list(connection.execute(giving).scalars())


def _one(connection: sa.Connection, member_id: str, *, lock: bool = False) -> Member:
    query = sa.select(*_SHOWN).where(members.c.id == member_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFoundError("Member not found")
    return Member(*row)


def _refuse_while_at_work(connection: sa.Connection, member_id: str) -> None:
    """Raise ConflictError if the member has tasks, or else if they have written daily updates."""
    for column, rest in (
        (tasks.c.assignee_id, "assigned task(s). Reassign them first."),
        (daily_updates.c.author_id, "authored daily update(s). Delete those updates first."),
    ):
        count = connection.execute(sa.select(sa.func.count()).where(column == member_id)).scalar_one()
        if count:
            raise ConflictError(f"Cannot delete member with {count} {rest}")


def _fields(member: Member) -> dict[str, Any]:
    return {name: getattr(member, name) for name in member.__struct_fields__}


def _columns(changes: dict[str, Any]) -> dict[str, Any]:
    """Add the folded forms."""
    return changes | {f"{name}_folded": casefolded(changes[name]) for name in ("name", "email") if name in changes}


def _email_taken() -> ConflictError:
    return ConflictError("Member with this email already exists")

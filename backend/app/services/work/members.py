"""The people of the team: list, create, read, change, delete."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.core.exceptions import ConflictError, NotFoundError
from app.core.validation import present
from app.db.base import casefolded, utc_now
from app.models.daily_updates import daily_updates
from app.models.members import members
from app.models.tasks import tasks
from app.schemas.members import Member
from app.services.work.changes import announce

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.db.session import Database
    from app.schemas.members import MemberCreate, MemberUpdate

_SHOWN = (members.c.id, members.c.name, members.c.email, members.c.active)
_LIST = sa.select(*_SHOWN).order_by(members.c.name_folded, members.c.id)


class Members:
    """The members of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Member]:
        """Return everybody, inactive included, by name without regard to case, then by id."""
        with self._database.read() as connection:
            return [Member(*row) for row in connection.execute(_LIST)]

    def get(self, member_id: str) -> Member:
        """Return one member; raises NotFoundError."""
        with self._database.read() as connection:
            return _one(connection, member_id)

    def create(self, body: MemberCreate) -> Member:
        """Add a member; raises ConflictError when the email is taken."""
        member = Member(str(uuid.uuid4()), body.name, body.email, body.active)
        now = utc_now()
        try:
            with self._database.write() as connection:
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
                    connection.execute(sa.update(members).where(members.c.id == member_id).values(**_columns(changes)))
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
    """Add the folded forms and the time of change."""
    folded = {f"{name}_folded": casefolded(changes[name]) for name in ("name", "email") if name in changes}
    return {**changes, **folded, "updated_at": utc_now()}


def _email_taken() -> ConflictError:
    return ConflictError("Member with this email already exists")

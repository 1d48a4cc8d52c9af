"""HTTP for members."""

from __future__ import annotations

from typing import Annotated, Final

from litestar import Controller, Response, delete, get, patch, post
from litestar.params import Parameter

from app.api.conditional import IfMatch, etag_of, if_match
from app.api.idempotency import Once
from app.api.openapi import ETAG, JsonBody, errors, uuids_in_path
from app.api.query import checked_query, query_parameter
from app.core.validation import one_of
from app.schemas.members import ListedMember, Member, MemberCreate, MemberUpdate, Reassigned, Reassignment
from app.services.work.members import Members

MemberId = Annotated[str, Parameter(schema_extra={"format": "uuid"}, description="UUID of the member")]
_RULES: Final = {"active": one_of("true", "false")}
ActiveFilter = Annotated[
    str | None, query_parameter("Only those who are, or are not", type="string", enum=["true", "false"])
]


class MembersController(Controller):
    """The people of the team."""

    path = "/members"
    tags = ["members"]
    guards = [uuids_in_path("id")]

    @get("/", sync_to_thread=True, responses=errors(503), summary="List members")
    def list_members(self, members: Members, active: ActiveFilter = None) -> list[ListedMember]:
        """Everybody, inactive included unless only some are asked for, by name."""
        checked = checked_query(_RULES, {"active": active})
        return members.all(active={"true": True, "false": False}.get(checked.get("active", "")))

    @post(
        "/",
        dto=JsonBody[MemberCreate],
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 409, 413, 422, 503),
        summary="Add a member",
    )
    def create_member(self, data: MemberCreate, members: Members, once: Once) -> Response[Member]:
        """Refused with 409 when the email is taken."""
        return once(data, lambda: _with_etag(members.create(data), 201))

    @get(
        "/{id:str}",
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 404, 503),
        summary="Read a member",
    )
    def get_member(self, id: MemberId, members: Members) -> Response[Member]:  # noqa: A002 - the path's name
        """One member."""
        return _with_etag(members.get(id))

    @patch(
        "/{id:str}",
        dto=JsonBody[MemberUpdate],
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 404, 409, 412, 413, 503),
        summary="Change a member",
    )
    def update_member(
        self,
        id: MemberId,  # noqa: A002
        data: MemberUpdate,
        members: Members,
        if_match_header: IfMatch = None,
    ) -> Response[Member]:
        """Only what is present changes; the answer is the whole member."""
        return _with_etag(members.update(id, data, if_match(if_match_header)))

    @delete("/{id:str}", sync_to_thread=True, responses=errors(400, 404, 409, 412, 503), summary="Delete a member")
    def delete_member(self, id: MemberId, members: Members, if_match_header: IfMatch = None) -> None:  # noqa: A002
        """Refused with 409 while the member has work."""
        members.delete(id, if_match(if_match_header))

    @post(
        "/{id:str}/reassign",
        dto=JsonBody[Reassignment],
        status_code=200,
        sync_to_thread=True,
        responses=errors(400, 404, 413, 422, 503),
        summary="Reassign a member's open tasks",
    )
    def reassign(self, id: MemberId, data: Reassignment, members: Members, once: Once) -> Response[Reassigned]:  # noqa: A002
        """All that are not Done, to another active member or to nobody, at once."""
        return once(data, lambda: Response(Reassigned(members.reassign(id, data.to)), status_code=200))


def _with_etag(member: Member, status: int = 200) -> Response[Member]:
    return Response(member, status_code=status, headers={"ETag": etag_of(member)})

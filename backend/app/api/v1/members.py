"""HTTP for members."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Response, delete, get, patch, post
from litestar.params import Parameter

from app.api.conditional import IfMatch, etag_of, if_match
from app.api.idempotency import Once
from app.api.openapi import ETAG, JsonBody, errors, uuids_in_path
from app.schemas.members import Member, MemberCreate, MemberUpdate
from app.services.work.members import Members

MemberId = Annotated[str, Parameter(schema_extra={"format": "uuid"}, description="UUID of the member")]


class MembersController(Controller):
    """The people of the team."""

    path = "/members"
    tags = ["members"]
    guards = [uuids_in_path("id")]

    @get("/", sync_to_thread=True, responses=errors(503), summary="List members")
    def list_members(self, members: Members) -> list[Member]:
        """Everybody, inactive included, by name."""
        return members.all()

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


def _with_etag(member: Member, status: int = 200) -> Response[Member]:
    return Response(member, status_code=status, headers={"ETag": etag_of(member)})

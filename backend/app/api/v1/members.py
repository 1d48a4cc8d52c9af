"""HTTP for members."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Response, delete, get, patch, post
from litestar.params import Parameter

from app.api.conditional import etag_of, if_match
from app.api.openapi import JsonBody, errors, uuids_in_path
from app.schemas.members import Member, MemberCreate, MemberUpdate
from app.services.members import Members

MemberId = Annotated[str, Parameter(schema_extra={"format": "uuid"}, description="UUID of the member")]
IfMatch = Annotated[str | None, Parameter(header="If-Match", description="ETag of the version to change")]


class MembersController(Controller):
    """The people of the team."""

    path = "/members"
    tags = ["members"]
    guards = [uuids_in_path("id")]

    @get("/", sync_to_thread=True, responses=errors(503), summary="List members")
    def list_members(self, members: Members) -> list[Member]:
        """Everybody, inactive included, by name."""
        return members.all()

    @post("/", dto=JsonBody[MemberCreate], sync_to_thread=True, responses=errors(400, 409, 413, 503))
    def create_member(self, data: MemberCreate, members: Members) -> Response[Member]:
        """Add a member."""
        return _with_etag(members.create(data), 201)

    @get("/{id:str}", sync_to_thread=True, responses=errors(400, 404, 503))
    def get_member(self, id: MemberId, members: Members) -> Response[Member]:  # noqa: A002 - the path's name
        """Read one member."""
        return _with_etag(members.get(id))

    @patch("/{id:str}", dto=JsonBody[MemberUpdate], sync_to_thread=True, responses=errors(400, 404, 409, 412, 413, 503))
    def update_member(
        self,
        id: MemberId,  # noqa: A002
        data: MemberUpdate,
        members: Members,
        if_match_header: IfMatch = None,
    ) -> Response[Member]:
        """Change what the body holds."""
        return _with_etag(members.update(id, data, if_match(if_match_header)))

    @delete("/{id:str}", sync_to_thread=True, responses=errors(400, 404, 409, 412, 503))
    def delete_member(self, id: MemberId, members: Members, if_match_header: IfMatch = None) -> None:  # noqa: A002
        """Delete a member who has no work."""
        members.delete(id, if_match(if_match_header))


def _with_etag(member: Member, status: int = 200) -> Response[Member]:
    return Response(member, status_code=status, headers={"ETag": etag_of(member)})

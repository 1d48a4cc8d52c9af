"""HTTP for a team's vault: which desktops are in, asking to come in, letting in, removing."""

from __future__ import annotations

from typing import Annotated, Final, cast

from litestar import Controller, Response, delete, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from app.api.openapi import JsonBody, errors
from app.api.v1.vault import ACTOR
from app.schemas.devices import ApproveBody, AskBody, DeviceDocument, DeviceList, RemovalDocument, RequestDocument
from app.services.vault.rotation import Rotations
from app.services.vault.team import Team

_NO_STORE: Final = {"Cache-Control": "no-store"}
_REJECTED: Final = ResponseSpec(data_container=None, description="The request was rejected; nobody was removed")

DeviceId = Annotated[str, Parameter(description="16 hex digits")]


class DevicesController(Controller):
    """The desktops of a vault."""

    path = "/vault/devices"
    tags = ["vault"]

    @get("/", sync_to_thread=True, responses=errors(503), summary="Desktops of the vault")
    def list_devices(self, team: Team) -> DeviceList:
        """Those that ask first; works while the vault is locked, when nobody can be verified."""
        return DeviceList(team.devices())

    @post(
        "/", dto=JsonBody[AskBody], sync_to_thread=True, responses=errors(400, 409, 413, 503), summary="Ask to come in"
    )
    def ask(self, data: AskBody, team: Team) -> Response[RequestDocument]:
        """Read the code out to somebody whose desktop is in; asking again makes a new code, and the old one void."""
        return Response(team.ask(data.label, actor=ACTOR), status_code=201, headers=_NO_STORE)

    @get("/request", sync_to_thread=True, responses=errors(404, 503), summary="What this desktop asks for")
    def own_request(self, team: Team) -> Response[RequestDocument]:
        """With its code, for the desktop that asked."""
        return Response(team.request(), headers=_NO_STORE)

    @delete("/request", sync_to_thread=True, responses=errors(404, 503), summary="Take the request back")
    def cancel(self, team: Team) -> None:
        """The code is void."""
        team.cancel(actor=ACTOR)

    @post(
        "/{device_id:str}/approve",
        dto=JsonBody[ApproveBody],
        status_code=200,
        sync_to_thread=True,
        responses=errors(400, 404, 409, 410, 413, 423, 503),
        summary="Let a desktop in",
    )
    def approve(self, device_id: DeviceId, data: ApproveBody, team: Team) -> DeviceDocument:
        """With the code that its person reads out; five wrong ones void the request."""
        return team.approve(device_id, data.code, actor=ACTOR)

    @delete(
        "/{device_id:str}",
        status_code=202,
        sync_to_thread=True,
        responses={**errors(404, 409, 423, 503), 204: _REJECTED},
        summary="Remove a desktop, or reject its request",
    )
    def remove(self, device_id: DeviceId, team: Team, rotations: Rotations) -> Response[RemovalDocument]:
        """A member is removed with a rotation that begins at once; a request that is rejected is 204."""
        removal = team.remove(device_id, actor=ACTOR)
        if removal is None:
            return Response(cast("RemovalDocument", None), status_code=204)
        rotations.work_in_background()
        return Response(removal, status_code=202)

"""HTTP for cameras."""

from __future__ import annotations

from typing import Annotated, Final

import anyio
from litestar import Controller, Response, delete, get, patch, post, put
from litestar.params import Parameter

from app.api.conditional import IfMatch, etag_of, if_match
from app.api.openapi import ETAG, JsonBody, errors, uuids_in_path
from app.api.threads import in_waiting_thread
from app.core.caller import Caller
from app.schemas.cameras import Camera, CameraBody, CameraChange, CameraOutcome, CameraProbe
from app.services.targets.camera_check import MAX_AT_ONCE
from app.services.targets.cameras import Cameras

CameraId = Annotated[str, Parameter(schema_extra={"format": "uuid"}, description="UUID of the camera")]

_threads: Final = anyio.CapacityLimiter(2 * MAX_AT_ONCE)
"""Twice as many as there are places, so that whoever finds none is told at once."""


class CamerasController(Controller):
    """Cameras and their passwords."""

    path = "/cameras"
    tags = ["cameras"]
    guards = [uuids_in_path("id")]

    @get("/", sync_to_thread=True, responses=errors(503), summary="List cameras")
    def list_cameras(self, cameras: Cameras) -> list[Camera]:
        """All of them, by name; passwords are masked."""
        return cameras.all()

    @post(
        "/",
        dto=JsonBody[CameraBody],
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 409, 413, 423, 503),
        summary="Add a camera",
    )
    def create_camera(self, data: CameraBody, cameras: Cameras, caller: Caller) -> Response[Camera]:
        """Refused with 409 when the name is taken; credentials in the URL are moved to the vault."""
        return _with_etag(cameras.create(data, actor=caller.name), 201)

    @post(
        "/test",
        dto=JsonBody[CameraProbe],
        status_code=200,
        responses=errors(400, 413, 429),
        summary="Test a camera before it is saved",
    )
    async def probe_camera(self, data: CameraProbe, cameras: Cameras) -> CameraOutcome:
        """Connect with what is given; a stored password is never used."""
        return await in_waiting_thread(lambda: cameras.probe(data), _threads)

    @get(
        "/{id:str}",
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 404, 503),
        summary="Read a camera",
    )
    def get_camera(self, id: CameraId, cameras: Cameras) -> Response[Camera]:  # noqa: A002 - the path's name
        """One camera; its password is masked."""
        return _with_etag(cameras.get(id))

    @put(
        "/{id:str}",
        dto=JsonBody[CameraBody],
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 404, 409, 412, 413, 423, 503),
        summary="Replace a camera",
    )
    def replace_camera(
        self,
        id: CameraId,  # noqa: A002
        data: CameraBody,
        cameras: Cameras,
        caller: Caller,
        if_match_header: IfMatch = None,
    ) -> Response[Camera]:
        """What is left out falls back to its default; the password stays only if its mask is sent back."""
        return _with_etag(cameras.replace(id, data, if_match(if_match_header), actor=caller.name))

    @patch(
        "/{id:str}",
        dto=JsonBody[CameraChange],
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 404, 409, 412, 413, 423, 503),
        summary="Change a camera",
    )
    def update_camera(
        self,
        id: CameraId,  # noqa: A002
        data: CameraChange,
        cameras: Cameras,
        caller: Caller,
        if_match_header: IfMatch = None,
    ) -> Response[Camera]:
        """Only what is present changes; a camera that moves to another host loses a password that is not sent again."""
        return _with_etag(cameras.update(id, data, if_match(if_match_header), actor=caller.name))

    @delete("/{id:str}", sync_to_thread=True, responses=errors(400, 404, 412, 503), summary="Delete a camera")
    def delete_camera(
        self,
        id: CameraId,  # noqa: A002
        cameras: Cameras,
        caller: Caller,
        if_match_header: IfMatch = None,
    ) -> None:
        """Its password is shredded."""
        cameras.delete(id, if_match(if_match_header), actor=caller.name)

    @post(
        "/{id:str}/test",
        status_code=200,
        responses=errors(400, 404, 409, 423, 429, 503),
        summary="Test a camera",
    )
    async def test_camera(self, id: CameraId, cameras: Cameras, caller: Caller) -> CameraOutcome:  # noqa: A002
        """Connect with the stored password; ends within ten seconds, whatever the camera does."""
        return await in_waiting_thread(lambda: cameras.test(id, actor=caller.name), _threads)


def _with_etag(camera: Camera, status: int = 200) -> Response[Camera]:
    return Response(camera, status_code=status, headers={"ETag": etag_of(camera)})

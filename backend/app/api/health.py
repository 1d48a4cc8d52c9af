"""Liveness and readiness, without a token."""

from __future__ import annotations

from typing import Any, cast

from litestar import Controller, Response, get
from litestar.openapi.datastructures import ResponseSpec

from app.api.openapi import errors
from app.core.readiness import Readiness, health_answer
from app.schemas.common import StatusBody
from app.schemas.status import Healthy, Unhealthy

_NO_STORE = {"Cache-Control": "no-store"}


class HealthController(Controller):
    """Both answer from a flag and never wait for the database."""

    path = "/health"
    tags = ["health"]

    @get(
        "/",
        responses={
            **errors(public=True),
            503: ResponseSpec(data_container=Unhealthy, description="Not ready", generate_examples=False),
        },
        sync_to_thread=False,
        summary="Readiness",
    )
    def ready(self, readiness: Readiness) -> Response[Healthy]:
        """Healthy when connection and migrations are proven."""
        status, body = health_answer(readiness)
        return Response(cast("Any", body), status_code=status, headers=_NO_STORE)

    @get("/live", responses=errors(public=True), sync_to_thread=False, summary="Liveness")
    def live(self) -> Response[StatusBody]:
        """Alive whenever the process answers."""
        return Response(StatusBody("alive"), headers=_NO_STORE)

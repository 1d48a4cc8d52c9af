"""HTTP for the system's keys of AI providers."""

from __future__ import annotations

from litestar import Controller, get, put

from app.api.openapi import JsonBody, errors
from app.core.caller import Caller
from app.schemas.ai_keys import SystemKeys, SystemKeysBody
from app.services.ai_keys.system import SystemKeyService


class SystemKeysController(Controller):
    """The system's keys."""

    path = "/settings/ai-keys"
    tags = ["ai-keys"]

    @get("/", sync_to_thread=True, responses=errors(503), summary="Read the system's keys")
    def get_keys(self, system_keys: SystemKeyService) -> SystemKeys:
        """By provider, each as a hint only."""
        return system_keys.get()

    @put(
        "/",
        dto=JsonBody[SystemKeysBody],
        sync_to_thread=True,
        responses=errors(400, 409, 413, 423, 503),
        summary="Write the system's keys",
    )
    def put_keys(self, data: SystemKeysBody, system_keys: SystemKeyService, caller: Caller) -> SystemKeys:
        """All or nothing; null removes a key, one that is absent, masked or as it was read stays."""
        return system_keys.put(data, actor=caller.name)

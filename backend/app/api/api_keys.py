"""HTTP for users' own keys of AI providers; whose they are, the user's token tells."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, delete, get, post
from litestar.params import Parameter

from app.api.guards import rule_in_path
from app.api.openapi import LAUNCH_TOKEN, USER_TOKEN, JsonBody, errors
from app.api.query import known_query
from app.api.threads import in_waiting_thread
from app.core.caller import Caller
from app.schemas.keys import PROVIDER
from app.schemas.user_keys import InitialKeys, UserKeyAnswer, UserKeyBody, UserKeys
from app.services.ai_keys.users import UserAPIKeyManager

ProviderName = Annotated[str, Parameter(description="AI provider", schema_extra={"enum": PROVIDER.schema["enum"]})]


class UserKeysController(Controller):
    """Keys of users, and the initial ones for those who have none."""

    path = "/api/api-keys"
    tags = ["user-keys"]
    guards = [known_query, rule_in_path("provider", PROVIDER)]

    @post(
        "/set",
        security=USER_TOKEN,
        dto=JsonBody[UserKeyBody],
        status_code=200,
        responses=errors(400, 409, 413, 423, 429, 503),
        summary="Set one's key for a provider",
    )
    async def set_key(self, data: UserKeyBody, user_keys: UserAPIKeyManager, caller: Caller) -> UserKeyAnswer:
        """Checked with the provider first: a key that it refuses is not stored."""
        user_id = caller.require_user()
        return await in_waiting_thread(lambda: user_keys.set(user_id, data, caller=caller))

    @post(
        "/validate/{provider:str}",
        security=USER_TOKEN,
        status_code=200,
        responses=errors(400, 404, 409, 423, 429, 503),
        summary="Check one's stored key",
    )
    async def validate_key(self, provider: ProviderName, user_keys: UserAPIKeyManager, caller: Caller) -> UserKeyAnswer:
        """With its provider, now; the verdict is kept."""
        user_id = caller.require_user()
        return await in_waiting_thread(lambda: user_keys.validate(user_id, provider, caller=caller))

    @get("/status", security=USER_TOKEN, sync_to_thread=True, responses=errors(503), summary="Tell of one's keys")
    def get_status(self, user_keys: UserAPIKeyManager, caller: Caller) -> UserKeys:
        """By provider."""
        return user_keys.status(caller.require_user())

    @delete(
        "/{provider:str}",
        security=USER_TOKEN,
        status_code=200,
        sync_to_thread=True,
        responses=errors(400, 404, 503),
        summary="Delete one's key for a provider",
    )
    def delete_key(self, provider: ProviderName, user_keys: UserAPIKeyManager, caller: Caller) -> UserKeyAnswer:
        """The initial key, if there is one, serves from then on."""
        return user_keys.delete(caller.require_user(), provider, caller=caller)

    @delete(
        "/",
        security=USER_TOKEN,
        status_code=200,
        sync_to_thread=True,
        responses=errors(503),
        summary="Delete all of one's keys",
    )
    def delete_keys(self, user_keys: UserAPIKeyManager, caller: Caller) -> UserKeyAnswer:
        """Beyond recovery."""
        return user_keys.delete_all(caller.require_user(), caller=caller)

    @post(
        "/set-initial",
        security=LAUNCH_TOKEN,
        dto=JsonBody[UserKeyBody],
        status_code=200,
        responses=errors(400, 409, 413, 423, 429, 503),
        summary="Set an initial key for a provider",
    )
    async def set_initial_key(self, data: UserKeyBody, user_keys: UserAPIKeyManager, caller: Caller) -> UserKeyAnswer:
        """It serves users who have none of their own; refused with 409 once any user has a key."""
        return await in_waiting_thread(lambda: user_keys.set_initial(data, caller=caller))

    @get(
        "/status-initial",
        security=LAUNCH_TOKEN,
        sync_to_thread=True,
        responses=errors(503),
        summary="Tell of the initial keys",
    )
    def get_initial_status(self, user_keys: UserAPIKeyManager) -> InitialKeys:
        """By provider, and whether they may still be set."""
        return user_keys.status_initial()

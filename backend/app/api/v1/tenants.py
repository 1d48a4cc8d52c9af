"""HTTP for tenants."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, delete, get, patch, post
from litestar.params import Parameter

from app.api.guards import launcher_only, own_tenant, rule_in_path
from app.api.openapi import USER_TOKEN, JsonBody, errors
from app.api.threads import in_waiting_thread
from app.core.caller import Caller
from app.core.validation import slug
from app.schemas.tenants import (
    OpenAIKeyBody,
    OpenAIKeyStatus,
    OpenAIKeyStored,
    Tenant,
    TenantCreate,
    TenantUpdate,
)
from app.services.owners.tenants import Tenants

_ID = slug(64)
TenantId = Annotated[
    str,
    Parameter(
        description="Id of the tenant",
        schema_extra={"min_length": 1, "max_length": 64, "pattern": _ID.schema["pattern"]},
    ),
]


class TenantsController(Controller):
    """Tenants, their tiers, and their OpenAI keys."""

    path = "/tenants"
    tags = ["tenants"]
    guards = [rule_in_path("id", _ID)]

    @get("/", guards=[launcher_only], sync_to_thread=True, responses=errors(503), summary="List tenants")
    def list_tenants(self, tenants: Tenants) -> list[Tenant]:
        """Every tenant, by id."""
        return tenants.all()

    @post(
        "/",
        guards=[launcher_only],
        dto=JsonBody[TenantCreate],
        sync_to_thread=True,
        responses=errors(400, 409, 413, 503),
        summary="Add a tenant",
    )
    def create_tenant(self, data: TenantCreate, tenants: Tenants) -> Tenant:
        """Refused with 409 when the id is taken."""
        return tenants.create(data)

    @get(
        "/{id:str}",
        guards=[own_tenant],
        security=USER_TOKEN,
        sync_to_thread=True,
        responses=errors(400, 404, 503),
        summary="Read a tenant",
    )
    def get_tenant(self, id: TenantId, tenants: Tenants) -> Tenant:  # noqa: A002 - the path's name
        """One tenant."""
        return tenants.get(id)

    @patch(
        "/{id:str}",
        guards=[launcher_only],
        dto=JsonBody[TenantUpdate],
        sync_to_thread=True,
        responses=errors(400, 404, 413, 503),
        summary="Change a tenant",
    )
    def update_tenant(self, id: TenantId, data: TenantUpdate, tenants: Tenants) -> Tenant:  # noqa: A002
        """Only what is present changes; the answer is the whole tenant."""
        return tenants.update(id, data)

    @delete(
        "/{id:str}",
        guards=[launcher_only],
        sync_to_thread=True,
        responses=errors(400, 404, 503),
        summary="Delete a tenant",
    )
    def delete_tenant(self, id: TenantId, tenants: Tenants, caller: Caller) -> None:  # noqa: A002
        """And shred its key."""
        tenants.delete(id, actor=caller.name)

    @post(
        "/{id:str}/openai-key",
        guards=[own_tenant],
        security=USER_TOKEN,
        dto=JsonBody[OpenAIKeyBody],
        status_code=200,
        responses=errors(400, 402, 404, 409, 413, 423, 429, 503),
        summary="Store a tenant's OpenAI key",
    )
    async def store_openai_key(
        self,
        id: TenantId,  # noqa: A002
        data: OpenAIKeyBody,
        tenants: Tenants,
        caller: Caller,
    ) -> OpenAIKeyStored:
        """Checked with OpenAI before it takes the place of another."""
        return await in_waiting_thread(lambda: tenants.store_openai_key(id, data, caller=caller))

    @get(
        "/{id:str}/openai-key/status",
        guards=[own_tenant],
        security=USER_TOKEN,
        sync_to_thread=True,
        responses=errors(400, 404, 503),
        summary="Tell of a tenant's OpenAI key",
    )
    def get_openai_key_status(self, id: TenantId, tenants: Tenants) -> OpenAIKeyStatus:  # noqa: A002
        """Whether there is one, and what is known of it."""
        return tenants.openai_key_status(id)

    @delete(
        "/{id:str}/openai-key",
        guards=[own_tenant],
        security=USER_TOKEN,
        sync_to_thread=True,
        responses=errors(400, 404, 503),
        summary="Delete a tenant's OpenAI key",
    )
    def delete_openai_key(self, id: TenantId, tenants: Tenants, caller: Caller) -> None:  # noqa: A002
        """A trial tenant falls back to the platform's key."""
        tenants.delete_openai_key(id, actor=caller.name)

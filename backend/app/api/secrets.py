"""The routes of the secrets half: the vault, and all that stands on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.api.v1.ai import AiController
from app.api.v1.ai_keys import SystemKeysController
from app.api.v1.alert_rules import AlertRulesController
from app.api.v1.audit import AuditController
from app.api.v1.auth import AuthController
from app.api.v1.cameras import CamerasController
from app.api.v1.devices import DevicesController
from app.api.v1.servers import ServersController
from app.api.v1.tenants import TenantsController
from app.api.v1.usage import UsageController
from app.api.v1.vault import VaultController

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar import Controller

AREAS: Final[Mapping[tuple[str, ...], tuple[type[Controller], ...]]] = {
    ("/providers", "/ai"): (AiController,),
    ("/audit",): (AuditController,),
    ("/usage",): (UsageController,),
    ("/vault",): (VaultController, DevicesController),
    ("/servers",): (ServersController,),
    ("/settings/ai-keys",): (SystemKeysController,),
    ("/tenants",): (TenantsController,),
    ("/auth",): (AuthController,),
    ("/cameras",): (CamerasController,),
    ("/alert-rules",): (AlertRulesController,),
}
"""Below ``/api/v1``: what is built together, and the paths at and below which it serves."""

"""The routes of the secrets half: the vault, and all that stands on it."""

from __future__ import annotations

from typing import Final

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

V1: Final = (
    AiController,
    AuditController,
    UsageController,
    VaultController,
    DevicesController,
    ServersController,
    SystemKeysController,
    TenantsController,
    AuthController,
    CamerasController,
    AlertRulesController,
)

"""The secrets half: the vault, its log, and the services that use its secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from app.core.fernet_keys import fingerprint
from app.core.installation import installation
from app.services.ai_keys.checks import KeyChecks
from app.services.ai_keys.revalidation import Revalidation
from app.services.ai_keys.system import SystemKeyService
from app.services.ai_keys.users import UserAPIKeyManager
from app.services.ai_keys.watch import watch_keys
from app.services.alert_engine import AlertEngine
from app.services.audit.log import Audit
from app.services.gateway.forwarding import Gateway
from app.services.gateway.key_choice import KeyChoice
from app.services.gateway.usage import Usage
from app.services.owners.memory_service import MemoryService
from app.services.owners.server_settings import ServerSettingsManager
from app.services.owners.tenants import Tenants
from app.services.targets.alert_rules import AlertRules
from app.services.targets.cameras import Cameras
from app.services.tokens import Tokens
from app.services.vault.maintenance import Maintenance
from app.services.vault.rotation import Rotations
from app.services.vault.standalone import adopt_everywhere
from app.services.vault.team import Team
from app.services.vault.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.config import Config
    from app.core.fernet_keys import KeyRing
    from app.db.session import Database
    from app.parts.work import WorkParts


class SecretsParts(msgspec.Struct, frozen=True):
    """The services of the secrets half."""

    audit: Audit
    vault: Vault
    rotations: Rotations
    team: Team
    checks: KeyChecks
    revalidation: Revalidation
    maintenance: Maintenance
    servers: ServerSettingsManager
    system_keys: SystemKeyService
    user_keys: UserAPIKeyManager
    tenants: Tenants
    tokens: Tokens
    cameras: Cameras
    alert_rules: AlertRules
    alert_engine: AlertEngine
    usage: Usage
    gateway: Gateway
    adopt: Callable[[KeyRing], bool]
    """Wraps the vault's keys anew for a rotated `fernet.key`; False if some could not be."""

    def brief(self) -> dict[str, Any]:
        """Return the vault's part of the status document."""
        return {**self.vault.brief(), "access": self.team.access}

    @property
    def is_due(self) -> bool:
        """Whether the vault of the present database was not looked at yet."""
        return self.maintenance.is_due

    def start(self) -> None:
        """Begin the work in the background."""
        self.maintenance.start()
        self.revalidation.start()

    async def close(self) -> None:
        """Write what is pending and end, while the database can still be reached."""
        await self.gateway.close()
        self.revalidation.stop()
        self.usage.stop()
        self.maintenance.stop()


def assemble(config: Config, database: Database, work: WorkParts) -> SecretsParts:
    """Make the services around the running parts of the process; nothing is read or written yet."""
    readiness = work.readiness
    audit = Audit(database, config.config_dir)
    vault = Vault(config, database, audit, watch_keys(config))
    usage = Usage(database)
    rotations = Rotations(vault.attachment, database, audit, installation(config.config_dir))
    team = Team(config, database, audit, vault.attachment, rotations)
    checks = KeyChecks(config)
    alert_rules = AlertRules(database, vault)
    revalidation = Revalidation(config, readiness, database, vault, audit, checks)

    def adopt(ring: KeyRing) -> bool:
        is_adopted = adopt_everywhere(config, ring, running=(vault.attachment, audit), actor="launch-token")
        readiness.key(fingerprint((config.encryption_keys or ring.keys)[0]))
        return is_adopted

    return SecretsParts(
        audit=audit,
        vault=vault,
        rotations=rotations,
        team=team,
        checks=checks,
        revalidation=revalidation,
        maintenance=Maintenance(readiness, database, vault, rotations, team, audit),
        servers=ServerSettingsManager(MemoryService(database, vault)),
        system_keys=SystemKeyService(vault),
        user_keys=UserAPIKeyManager(config, database, vault, checks),
        tenants=Tenants(database, vault, checks),
        tokens=Tokens(config),
        cameras=Cameras(database, vault),
        alert_rules=alert_rules,
        alert_engine=AlertEngine(alert_rules),
        usage=usage,
        gateway=Gateway(config, KeyChoice(config, database, vault, usage), usage, doubt=revalidation.soon),
        adopt=adopt,
    )

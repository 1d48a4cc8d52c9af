"""Tenants and their OpenAI keys, which are checked with OpenAI before they take the place of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from app.core.exceptions import ConflictError, NotFoundError, PaymentRequiredError, RequestError
from app.core.validation import present
from app.db.base import utc_now
from app.db.statements import insert_if_absent
from app.models.tenants import tenants
from app.schemas.keys import KeyWrite, shown_hint
from app.schemas.tenants import (
    DEFAULT_TRIAL_LIMIT,
    DEFAULT_TRIAL_TOKENS,
    MAX_TRIAL_LIMIT,
    MAX_TRIAL_TOKENS,
    TIERS,
    OpenAIKeyStatus,
    OpenAIKeyStored,
    Tenant,
)
from app.services.ai_keys.writes import write_key
from app.services.vault.keys_at_hand import SYSTEM as NOBODY
from app.services.vault.rows import SecretName
from app.services.vault.vault import is_masked

if TYPE_CHECKING:
    from app.core.caller import Caller
    from app.db.session import Database
    from app.schemas.tenants import OpenAIKeyBody, TenantCreate, TenantUpdate
    from app.schemas.vault import SecretInfo
    from app.services.ai_keys.checks import KeyChecks
    from app.services.providers import Verdict
    from app.services.vault.vault import Vault

TENANT: Final = "tenant"
OPENAI: Final = "openai"

_SHOWN: Final = (tenants.c.id, tenants.c.name, tenants.c.tier, tenants.c.trial_limit, tenants.c.trial_tokens)
_REFUSALS: Final = {
    "invalid": "key-rejected",
    "blocked": "key-rejected",
    "expired": "key-expired",
    "no_quota": "no-quota",
}
"""Codes of the verdicts with which a key is not stored."""


class ProviderUnreachableError(RequestError):
    """The provider could not be asked, or its answer says nothing about the key."""

    status = 503
    code = "provider-unreachable"


class Tenants:
    """The tenants of one database."""

    def __init__(self, database: Database, vault: Vault, checks: KeyChecks) -> None:
        self._database = database
        self._vault = vault
        self._checks = checks

    def all(self) -> list[Tenant]:
        """Return every tenant, by id."""
        with self._database.read() as connection:
            found = [_tenant(row) for row in connection.execute(sa.select(*_SHOWN))]
        return sorted(found, key=lambda tenant: tenant.id)

    def get(self, tenant_id: str) -> Tenant:
        """Return one tenant; raises NotFoundError."""
        with self._database.read() as connection:
            return _one(connection, tenant_id)

    def create(self, body: TenantCreate) -> Tenant:
        """Add a tenant; raises ConflictError when the id is taken."""
        tenant = Tenant(body.id, body.name, body.tier, DEFAULT_TRIAL_LIMIT, DEFAULT_TRIAL_TOKENS)
        now = utc_now()
        values = {name: getattr(tenant, name) for name in tenant.__struct_fields__}
        with self._vault.writing(unlocked=False) as connection:
            if not insert_if_absent(connection, tenants, {**values, "created_at": now, "updated_at": now}):
                raise ConflictError("Tenant with this id already exists")
            self._vouch(connection, tenant)
        return tenant

    def update(self, tenant_id: str, body: TenantUpdate) -> Tenant:
        """Change what the body holds; raises NotFoundError."""
        with self._vault.writing(unlocked=False) as connection:
            changes: dict[str, Any] = {**present(body), "updated_at": utc_now()}
            connection.execute(sa.update(tenants).where(tenants.c.id == tenant_id).values(**changes))
            tenant = _one(connection, tenant_id)
            if changes.keys() & {"tier", "trial_limit", "trial_tokens"}:
                self._vouch(connection, tenant)
            return tenant

    def _vouch(self, connection: sa.Connection, tenant: Tenant) -> None:
        """Let the manifest tell what the tenant may do: it decides whose key is used."""
        policy = [tenant.tier, tenant.trial_limit, tenant.trial_tokens]
        self._vault.note(connection, ("tenant", tenant.id), policy)

    def delete(self, tenant_id: str, *, actor: str) -> None:
        """Delete a tenant, and shred its key; works while the vault is locked. Raises NotFoundError."""
        with self._vault.writing(unlocked=False) as connection:
            # its row first: whoever is just storing a key holds it, and that key is shredded below
            policy = (tenants.c.tier, tenants.c.trial_limit, tenants.c.trial_tokens)
            row = connection.execute(
                sa.delete(tenants).where(tenants.c.id == tenant_id).returning(*policy)
            ).one_or_none()
            if row is None:
                raise _unknown()
            self._vault.note(connection, ("tenant", tenant_id), None, before=list(row))
            self._vault.shred(connection, TENANT, tenant_id, actor=actor)

    # --- the OpenAI key ----------------------------------------------------------------------------------------------

    def store_openai_key(self, tenant_id: str, body: OpenAIKeyBody, *, caller: Caller) -> OpenAIKeyStored:
        """Check a key with OpenAI and store it; until then, and if it is refused, the old one serves.

        Raises:
            NotFoundError: no such tenant.
            ValidationError: a mask, and nothing is stored.
            PaymentRequiredError: OpenAI refuses the key, or the account has no credit.
            ProviderUnreachableError: OpenAI could not be asked.
            TooManyRequestsError: too many checks in a minute; OpenAI was not asked.
            VaultLockedError: the vault is locked; OpenAI was not asked.
        """
        self.get(tenant_id)
        verdict = None
        if not is_masked(body.api_key):
            self._vault.attachment.unlocked_keys()
            verdict = self._checks.check(OPENAI, body.api_key, caller=caller)
            _require_usable(verdict)
        write = KeyWrite(body.api_key, body.expires_at)
        return OpenAIKeyStored("stored", shown_hint(self._write(tenant_id, write, actor=caller.name, verdict=verdict)))

    def encrypt_openai_key(self, plaintext: str, tenant_id: str, *, actor: str = NOBODY) -> None:
        """Seal a key for a tenant and store it, unchecked, in the place of the one it had.

        Raises:
            NotFoundError: no such tenant.
            VaultLockedError: the vault is locked.
        """
        self._write(tenant_id, KeyWrite(plaintext), actor=actor, verdict=None)

    def decrypt_openai_key(self, tenant_id: str, *, actor: str = NOBODY) -> str | None:
        """Return a tenant's key for the call that needs it; None if it has none.

        Raises:
            VaultLockedError, SecretUnreadableError, SecretFormatUnknownError, SecretExpiredError: it does not open.
        """
        return self._vault.use(_key(tenant_id), actor=actor)

    def openai_key_status(self, tenant_id: str) -> OpenAIKeyStatus:
        """Return what is known of a tenant's key; nothing is decrypted. Raises NotFoundError."""
        self.get(tenant_id)
        info = self._vault.info(_key(tenant_id))
        if info is None:
            return OpenAIKeyStatus(has_key=False, hint=None, status=None, last_validated_at=None)
        return OpenAIKeyStatus(
            has_key=True, hint=shown_hint(info), status=info.status, last_validated_at=info.last_validated_at
        )

    def delete_openai_key(self, tenant_id: str, *, actor: str) -> None:
        """Delete a tenant's key; works while the vault is locked. Raises NotFoundError."""
        self.get(tenant_id)
        with self._vault.writing(unlocked=False) as connection:
            if not self._vault.delete(connection, _key(tenant_id), actor=actor):
                raise NotFoundError("The tenant has no key")

    def _write(self, tenant_id: str, write: KeyWrite, *, actor: str, verdict: Verdict | None) -> SecretInfo:
        with self._vault.writing(unlocked=not is_masked(write.secret)) as connection:
            # held until the key is stored: whoever deletes the tenant meanwhile waits, and shreds this key as well
            _one(connection, tenant_id, hold=True)
            return write_key(
                self._vault, connection, _key(tenant_id), write, actor=actor, field="api_key", verdict=verdict
            )


def _one(connection: sa.Connection, tenant_id: str, *, hold: bool = False) -> Tenant:
    query = sa.select(*_SHOWN).where(tenants.c.id == tenant_id)
    row = connection.execute(query.with_for_update(read=True, key_share=True) if hold else query).one_or_none()
    if row is None:
        raise _unknown()
    return _tenant(row)


def _tenant(row: Any) -> Tenant:
    """Return a tenant; what somebody has put in the place of its policy lends it nothing."""
    tier = row.tier if row.tier in TIERS else TIERS[-1]
    limits = (min(max(row.trial_limit, 0), MAX_TRIAL_LIMIT), min(max(row.trial_tokens, 0), MAX_TRIAL_TOKENS))
    return Tenant(row.id, row.name, tier, *limits)


def _require_usable(verdict: Verdict) -> None:
    """Refuse a key with which nothing could be done, or about which nothing is known."""
    code = _REFUSALS.get(verdict.status)
    if code is not None:
        raise PaymentRequiredError(f"{verdict.message} It was not stored.", code=code)
    if verdict.valid is None:
        raise ProviderUnreachableError(f"{verdict.message} It was not stored.", headers={"Retry-After": "30"})


def _key(tenant_id: str) -> SecretName:
    return SecretName(TENANT, tenant_id, OPENAI)


def _unknown() -> NotFoundError:
    return NotFoundError("Tenant not found")

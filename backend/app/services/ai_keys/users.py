"""Users' own keys of AI providers, and the initial ones that serve whoever has none.

A key is checked with its provider before it is stored. One that the provider refuses is not stored; one that could not
be checked is stored, unless it would take the place of a key that is known to work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from app.core.exceptions import ConflictError, NotFoundError
from app.models.vault import secrets
from app.schemas.keys import KeyWrite, key_info
from app.schemas.user_keys import InitialKeys, UserKeyAnswer, UserKeys, UserKeyStatus
from app.services.ai_keys.system import DEFAULT, SYSTEM
from app.services.ai_keys.writes import write_key
from app.services.providers import INITIAL, PROVIDERS, is_for, validity_of
from app.services.vault.rows import USER, SecretName
from app.services.vault.vault import is_masked

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.caller import Caller
    from app.core.config import Config
    from app.db.session import Database
    from app.schemas.user_keys import UserKeyBody
    from app.schemas.vault import SecretInfo
    from app.services.ai_keys.checks import KeyChecks
    from app.services.providers import Verdict
    from app.services.vault.vault import Vault

_ANY_USERS_KEY: Final = sa.select(secrets.c.id).where(secrets.c.owner_kind == USER).limit(1)


class SetupClosedError(ConflictError):
    """First-time set-up is over."""

    code = "setup-closed"

    def __init__(self) -> None:
        super().__init__("First-time set-up is over, as a user has a key: set keys for each user")


class KeyForAnotherHostError(ConflictError):
    """A stored key is not sent to another host than the one it was entered for."""

    code = "key-for-another-host"

    def __init__(self) -> None:
        super().__init__("The stored key was entered for another address of the provider: enter it again")


class UserAPIKeyManager:
    """Checks, stores and deletes users' keys, and the initial ones."""

    def __init__(self, config: Config, database: Database, vault: Vault, checks: KeyChecks) -> None:
        self._config = config
        self._database = database
        self._vault = vault
        self._checks = checks

    # --- a user's own ------------------------------------------------------------------------------------------------

    def set(self, user_id: str, body: UserKeyBody, *, caller: Caller) -> UserKeyAnswer:
        """Check a key and store it; waits for the provider.

        Raises:
            ValidationError: a mask, and nothing is stored.
            VaultLockedError: the vault is locked; the provider was not asked.
            TooManyRequestsError: too many checks in a minute; the provider was not asked.
        """
        return self._set(SecretName(USER, user_id, body.provider), body, caller)

    def validate(self, user_id: str, provider: str, *, caller: Caller) -> UserKeyAnswer:
        """Check the stored key and keep the verdict; waits for the provider.

        Raises:
            NotFoundError: there is none.
            KeyForAnotherHostError: the provider was reached at another address when it was entered.
            TooManyRequestsError: too many checks in a minute; the provider was not asked.
            VaultLockedError, SecretUnreadableError, SecretFormatUnknownError, SecretExpiredError: it does not open.
        """
        which = SecretName(USER, user_id, provider)
        found = self._vault.take(which, actor=caller.name)
        if found is None:
            raise _no_key()
        if not is_for(PROVIDERS[provider], found.destination, self._config):
            raise KeyForAnotherHostError
        verdict = self._checks.check(provider, found.secret, caller=caller)
        if _tells_more(verdict, found.status):
            self._vault.set_status(
                which,
                found.row_version,
                verdict.status,
                evidence=verdict.evidence,
                validated=True,
                actor=caller.name,
            )
        return UserKeyAnswer(
            success=verdict.valid is not False, message=verdict.message, provider=provider, is_valid=verdict.valid
        )

    def status(self, user_id: str) -> UserKeys:
        """Return what is known of a user's keys; nothing is decrypted."""
        return UserKeys(self._statuses(USER, user_id, prefix=""))

    def delete(self, user_id: str, provider: str, *, caller: Caller) -> UserKeyAnswer:
        """Delete a key; works while the vault is locked. Raises NotFoundError."""
        with self._vault.writing(unlocked=False) as connection:
            if not self._vault.delete(connection, SecretName(USER, user_id, provider), actor=caller.name):
                raise _no_key()
        return UserKeyAnswer(success=True, message="The key was deleted.", provider=provider, is_valid=None)

    def delete_all(self, user_id: str, *, caller: Caller) -> UserKeyAnswer:
        """Shred all that a user has; works while the vault is locked."""
        with self._vault.writing(unlocked=False) as connection:
            count = self._vault.shred(connection, USER, user_id, actor=caller.name)
        message = "All keys were deleted." if count else "There was no key to delete."
        return UserKeyAnswer(success=True, message=message, provider=None, is_valid=None)

    # --- initial ones ------------------------------------------------------------------------------------------------

    def set_initial(self, body: UserKeyBody, *, caller: Caller) -> UserKeyAnswer:
        """Check an initial key and store it, as long as no user has a key; waits for the provider.

        Raises:
            SetupClosedError: a user has one.
            ValidationError, VaultLockedError, TooManyRequestsError: as `set`.
        """
        if not self._is_open():
            raise SetupClosedError
        return self._set(SecretName(SYSTEM, DEFAULT, INITIAL + body.provider), body, caller, permit=_require_open)

    def status_initial(self) -> InitialKeys:
        """Return what is known of the initial keys; nothing is decrypted."""
        return InitialKeys(self._statuses(SYSTEM, DEFAULT, prefix=INITIAL), open=self._is_open())

    def _is_open(self) -> bool:
        with self._database.read() as connection:
            return connection.execute(_ANY_USERS_KEY).one_or_none() is None

    # --- what both have in common ------------------------------------------------------------------------------------

    def _set(
        self,
        which: SecretName,
        body: UserKeyBody,
        caller: Caller,
        *,
        permit: Callable[[sa.Connection], None] = lambda _: None,
    ) -> UserKeyAnswer:
        """Check and store a key; `permit` raises, within the transaction, if it may not be stored any more."""
        is_new = not is_masked(body.api_key)
        verdict = None
        if is_new:
            self._vault.attachment.unlocked_keys()
            verdict = self._checks.check(body.provider, body.api_key, caller=caller)
            if verdict.valid is False:
                return _answer(body, f"{verdict.message} It was not stored.", success=False, is_valid=False)
        with self._vault.writing(unlocked=is_new) as connection:
            permit(connection)
            if verdict is not None and verdict.valid is None and _works(self._vault.stored(connection, which)):
                message = f"{verdict.message} The stored key, which works, was kept."
                return _answer(body, message, success=False, is_valid=None)
            info = write_key(
                self._vault,
                connection,
                which,
                KeyWrite(body.api_key, body.expires_at),
                actor=caller.name,
                field="api_key",
                # an answer that says nothing about the key is no validation
                verdict=verdict if verdict is not None and verdict.valid else None,
            )
        if verdict is None:
            return _answer(body, "The stored key was kept.", success=True, is_valid=validity_of(info.status))
        return _answer(body, f"{verdict.message} It was stored.", success=True, is_valid=verdict.valid)

    def _statuses(self, owner_kind: str, owner_id: str, *, prefix: str) -> dict[str, UserKeyStatus]:
        infos = {info.name: info for info in self._vault.infos(owner_kind, owner_id)}
        return {provider: _status(provider, infos.get(prefix + provider)) for provider in PROVIDERS}


def _require_open(connection: sa.Connection) -> None:
    if connection.execute(_ANY_USERS_KEY).one_or_none() is not None:
        raise SetupClosedError


def _tells_more(verdict: Verdict, status: str) -> bool:
    """Tell whether a verdict is worth keeping: what says little about a key never replaces what is known of it."""
    if verdict.status == "rate_limited":
        return validity_of(status) is not True
    return verdict.valid is not None


def _works(stored: SecretInfo | None) -> bool:
    return stored is not None and validity_of(stored.status) is True


def _answer(body: UserKeyBody, message: str, *, success: bool, is_valid: bool | None) -> UserKeyAnswer:
    return UserKeyAnswer(success=success, message=message, provider=body.provider, is_valid=is_valid)


def _status(provider: str, info: SecretInfo | None) -> UserKeyStatus:
    shown = key_info(info)
    return UserKeyStatus(
        provider=provider,
        has_api_key=shown.set,
        hint=shown.hint,
        status=shown.status,
        is_valid=None if shown.status is None else validity_of(shown.status),
        last_validated=shown.last_validated_at,
        created_at=None if info is None else info.created_at,
        expires_at=shown.expires_at,
    )


def _no_key() -> NotFoundError:
    return NotFoundError("There is no key for this provider")

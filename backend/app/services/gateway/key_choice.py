"""Which stored key serves a call to a provider: the owner's own, or what the owner may fall back to.

A key that is stored but refused, expired or meant for another host is not passed over in favour of a fall-back: its
owner would never learn of it. Only where there is none does the next one serve.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from app.core.config import PROVIDER_NAMES
from app.core.exceptions import RequestError
from app.db.base import utc_now
from app.models.chat_servers import chat_servers
from app.models.tenants import tenants, trial_calls
from app.models.vault import EXPIRED, secrets
from app.services.ai_keys.checks import SENDABLE
from app.services.providers import INITIAL, PROVIDERS, is_for
from app.services.vault.rows import SecretExpiredError, SecretName, SecretUnreadableError, select_used

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.config import Config
    from app.db.session import Database
    from app.services.gateway.usage import Usage
    from app.services.vault.vault import Vault

SYSTEM_ID: Final = "default"
TRIAL: Final = "trial"
_LENT: Final = {"user": INITIAL, "tenant": ""}
"""By kind of owner that may fall back to a key of the system, what its name begins with."""
PLATFORM_PROVIDER: Final = "openai"
"""The provider whose system key trial tenants may use."""
_REFUSED: Final = ("invalid", "blocked")
_PLACES: Final = {
    "system": "in the system's AI keys",
    "user": "in the user's API keys",
    "tenant": "as the tenant's key",
    "server": "in the settings of the chat server",
}
"""Where a person enters the keys of an owner."""


class KeyUnavailableError(RequestError):
    """No key can serve the call; the sentence tells where to repair that."""

    status = 402

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, code=code)


class KeyOwner(NamedTuple):
    """For whom a call is made, and to which provider."""

    kind: str
    id: str
    provider: str

    @property
    def provider_name(self) -> str:
        """The provider as people write it."""
        return PROVIDER_NAMES[self.provider]


@dataclass(frozen=True, slots=True)
class ChosenKey:
    """A key for one call, and what a verdict on it has to name."""

    secret: str = field(repr=False)
    which: SecretName
    row_version: int
    is_lent: bool = False
    """Whether it is somebody else's than the one's for whom the call is made."""

    @property
    def place(self) -> str:
        """Where a person enters it, as the end of a sentence."""
        if self.which.name.startswith(INITIAL):
            return "in the initial keys of the users"
        return _PLACES[self.which.owner_kind]


class KeyChoice:
    """Chooses among the keys in the vault."""

    def __init__(self, config: Config, database: Database, vault: Vault, usage: Usage) -> None:
        self._config = config
        self._database = database
        self._vault = vault
        self._usage = usage

    def take(self, owner: KeyOwner, *, actor: str, lend: Callable[[], None]) -> ChosenKey:
        """Return the key that serves a call, counted as used.

        Args:
            owner: for whom.
            actor: on whose behalf, for the audit log.
            lend: raises if a key that is lent must not serve this call.

        Raises:
            KeyUnavailableError: there is none, or it cannot be used.
            VaultLockedError, SecretUnreadableError, SecretFormatUnknownError: it does not open.
            DatabaseAwayError: the database cannot be used now.
        """
        flushes = self._usage.flushes
        rows = self._rows(owner)
        own = next((row for row in rows if row.owner_kind == owner.kind), None)
        if own is not None:
            return self._opened(owner, own, actor)
        if owner.kind == "tenant" and owner.provider == PLATFORM_PROVIDER:
            return self._platform(owner, rows, actor, lend, flushes)
        if not rows:
            raise _missing(owner)
        lend()
        return replace(self._opened(owner, rows[0], actor), is_lent=True)

    def spend(self, owner: KeyOwner, tokens: int, *, day: str) -> None:
        """Count what a call with a lent key has cost; returns at once and never fails."""
        if owner.kind == "tenant":
            self._usage.spend(owner.id, day, tokens)

    def _rows(self, owner: KeyOwner) -> list[Any]:
        """Return the rows of the keys that may serve, with all that opening one takes; nothing is opened yet."""
        kind = owner.kind if owner.kind != "tenant" or owner.provider == PLATFORM_PROVIDER else "other"
        given = {
            "kind": owner.kind,
            "id": owner.id,
            "own": owner.provider,
            "lent": _LENT.get(kind, "") + owner.provider,
        }
        if kind == "tenant":
            given["day"] = today()
        with self._database.read() as connection:
            return list(connection.execute(_candidates(kind), given))

    def _opened(self, owner: KeyOwner, row: Any, actor: str) -> ChosenKey:
        """Open a key, unless it is known already that it must not be sent."""
        which = SecretName(row.owner_kind, row.owner_id, row.name)
        place = ChosenKey("", which, 0).place
        name = owner.provider_name
        if row.status in _REFUSED:
            raise KeyUnavailableError("key-rejected", f"{name} has rejected the stored key. Enter a new one {place}.")
        if row.status == EXPIRED:
            raise _expired(name, place)
        try:
            opened = self._vault.take(which, actor=actor, row=row)
        except SecretExpiredError:
            raise _expired(name, place) from None
        if opened is None:  # deleted in this very moment
            raise _missing(owner)
        if opened.status in _REFUSED:  # whatever the row says: this is what the manifest does
            raise KeyUnavailableError("key-rejected", f"{name} has rejected the stored key. Enter a new one {place}.")
        # only now: a row that was moved here is pinned elsewhere too, and that it was moved is the better diagnosis
        provider = PROVIDERS[owner.provider]
        if not is_for(provider, opened.destination, self._config):
            raise KeyUnavailableError(
                "key-rejected", f"The stored key was entered for another address of {name}. Enter it again {place}."
            )
        if not SENDABLE.fullmatch(opened.secret):
            raise KeyUnavailableError(
                "key-rejected", f"The stored key has characters that {name} cannot be sent. Enter it again {place}."
            )
        return ChosenKey(opened.secret, which, opened.row_version)

    def _platform(
        self, owner: KeyOwner, rows: list[Any], actor: str, lend: Callable[[], None], flushes: int
    ) -> ChosenKey:
        """Return the platform's key for a tenant on trial, and count the call. `flushes`: of usage, before `rows`.

        Raises:
            KeyUnavailableError: the tenant is not on trial, has used the day up, or there is no such key.
        """
        day = today()
        trial = rows[0] if rows else self._trial(owner.id, day)
        if trial is None or trial.tier != TRIAL:
            raise _missing(owner)
        beside = rows[0] if rows else None
        if self._vault.alive(("tenant", owner.id), beside=beside) != [
            trial.tier,
            trial.trial_limit,
            trial.trial_tokens,
        ]:
            raise SecretUnreadableError  # somebody else has made the tenant what it is
        lend()
        spent = trial.tokens + self._usage.unwritten(owner.id, day)
        if flushes % 2 or flushes != self._usage.flushes:  # tokens may have been met in both places, or in neither
            with self._usage.held():
                again = self._trial(owner.id, day)
                spent = (trial if again is None else again).tokens + self._usage.unwritten(owner.id, day)
        if trial.calls >= trial.trial_limit or spent >= trial.trial_tokens:
            raise _exhausted(owner)
        if not rows:
            raise KeyUnavailableError(
                "platform-key-missing",
                f"The platform has no {owner.provider_name} key for tenants on trial. Enter one "
                f"{_PLACES['tenant']}, or {_PLACES['system']}.",
            )
        key = self._opened(owner, rows[0], actor)
        if not self._count(owner.id, day, trial.trial_limit):
            raise _exhausted(owner)
        return replace(key, is_lent=True)

    def _trial(self, tenant_id: str, day: str) -> Any:
        with self._database.read() as connection:
            return connection.execute(_trial(), {"id": tenant_id, "day": day}).one_or_none()

    def _count(self, tenant_id: str, day: str, limit: int) -> bool:
        """Count one call, unless the limit is reached: one statement, so that no two calls take the same place."""
        with self._database.write() as connection:
            if connection.dialect.name == "postgresql":
                from sqlalchemy.dialects.postgresql import insert
            else:
                from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
            # deleted meanwhile, the tenant would break the foreign key: nothing is inserted then
            first = sa.select(tenants.c.id, sa.literal(day), sa.literal(1)).where(tenants.c.id == tenant_id)
            statement = insert(trial_calls).from_select(["tenant_id", "day", "calls"], first)
            statement = statement.on_conflict_do_update(
                index_elements=["tenant_id", "day"],
                set_={"calls": trial_calls.c.calls + 1},
                where=trial_calls.c.calls < limit,
            )
            return connection.execute(statement.returning(trial_calls.c.calls)).one_or_none() is not None


@functools.cache
def _candidates(kind: str) -> sa.Select[Any]:
    """Select the keys that may serve an owner of that kind; built once, as building takes longer than asking."""
    provider = sa.bindparam("own", type_=sa.Text)
    own = _is_secret(sa.bindparam("kind", type_=sa.Text), sa.bindparam("id", type_=sa.Text), provider)
    query = select_used()
    if kind in _LENT:
        lent = _is_secret(sa.literal("system"), sa.literal(SYSTEM_ID), sa.bindparam("lent", type_=sa.Text))
        query = query.where(sa.or_(own, lent))
    if kind == "tenant":
        trial = _trial().subquery()
        return query.add_columns(*trial.c).outerjoin(trial, sa.true())
    if kind == "user":
        return query
    if kind == "server":
        # a server's key serves the provider that its settings name, and no other
        settings = sa.select(chat_servers.c.provider).where(chat_servers.c.server_id == secrets.c.owner_id)
        own &= sa.func.coalesce(settings.scalar_subquery(), provider) == provider
    return query.where(own)


@functools.cache
def _trial() -> sa.Select[Any]:
    """Select what a tenant on trial may do in a day, and has done."""
    tenant_id, day = sa.bindparam("id", type_=sa.Text), sa.bindparam("day", type_=sa.Text)
    is_today = (trial_calls.c.tenant_id == tenants.c.id) & (trial_calls.c.day == day)
    done = (sa.func.coalesce(trial_calls.c[name], 0).label(name) for name in ("calls", "tokens"))
    columns: tuple[Any, ...] = (tenants.c.tier, tenants.c.trial_limit, tenants.c.trial_tokens, *done)
    query: sa.Select[Any] = sa.select(*columns)
    return query.select_from(tenants.outerjoin(trial_calls, is_today)).where(tenants.c.id == tenant_id)


def today() -> str:
    """Return the day that a call counts for."""
    return utc_now().date().isoformat()


def _is_secret(kind: Any, owner_id: Any, name: Any) -> sa.ColumnElement[bool]:
    return sa.and_(secrets.c.owner_kind == kind, secrets.c.owner_id == owner_id, secrets.c.name == name)


def _missing(owner: KeyOwner) -> KeyUnavailableError:
    sentence = f"No {owner.provider_name} key is stored. Enter one {_PLACES[owner.kind]}."
    return KeyUnavailableError("key-missing", sentence)


def _expired(name: str, place: str) -> KeyUnavailableError:
    return KeyUnavailableError("key-expired", f"The stored {name} key has expired. Enter a new one {place}.")


def _exhausted(owner: KeyOwner) -> KeyUnavailableError:
    return KeyUnavailableError(
        "trial-exhausted",
        f"The tenant has used up today's calls or tokens of its trial. Enter an {owner.provider_name} key "
        f"{_PLACES['tenant']}.",
    )

"""Stored API keys are checked with their providers again: on a schedule, and at once when a use was refused.

Several desktops share one database: a key that is due is claimed by moving its time on, by compare-and-swap, so that
one desktop checks it; if that one dies, the claim runs out. A verdict belongs to one version of one row: it is dropped
when the key was replaced while the provider was thinking. Keys that cannot be used here are left alone, silently:
expired, locked or unreadable ones, and those that were entered for another address of their provider.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from app.core.exceptions import RequestError
from app.core.logging import get_logger
from app.db.base import utc_now
from app.models.vault import UNREADABLE, secrets
from app.services.ai_keys.schedule import Known, change_after, latest_check, next_check
from app.services.providers import INITIAL, KEY_OWNERS, PROVIDERS, origin_of, provider_of
from app.services.providers.base import REFUSED
from app.services.vault.destinations import located
from app.services.vault.rows import SecretName, is_secret, select_sealed, waits_for_api_secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.config import Config
    from app.core.readiness import Readiness
    from app.db.session import Database
    from app.services.ai_keys.checks import KeyCheck, KeyChecks
    from app.services.audit.log import Audit
    from app.services.providers import Verdict
    from app.services.vault.keys import Keys
    from app.services.vault.vault import Vault

ACTOR: Final = "system"
BATCH: Final = 8
"""So many keys are checked side by side: providers that hang hold up the others for ten seconds a batch."""
CLAIM: Final = dt.timedelta(minutes=1)
"""Longer than a check takes; a desktop that died with a claim is succeeded after it."""
LONGEST_WAIT_S: Final = 15.0
SHORTEST_WAIT_S: Final = 0.05
WAITS_PER_INTERVAL: Final = 4
MAX_DOUBTS: Final = 1000
UNFOUNDED: Final = dt.timedelta(minutes=1)
"""After a doubt that its provider did not share, a key is not doubted again for so long."""

log = get_logger(__name__)


class _Doubt(NamedTuple):
    """A version of a key that its provider refused when it was used."""

    which: SecretName
    row_version: int


class Revalidation:
    """One thread that checks what is due; everything else only tells it."""

    def __init__(
        self,
        config: Config,
        readiness: Readiness,
        database: Database,
        vault: Vault,
        audit: Audit,
        checks: KeyChecks,
        *,
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self._config = config
        self._readiness = readiness
        self._database = database
        self._vault = vault
        self._audit = audit
        self._checks = checks
        self._clock = clock
        self._wake = threading.Event()
        self._stopped = False
        self._doubts: dict[_Doubt, dt.datetime] = {}
        self._unfounded: dict[str, dt.datetime] = {}
        """By id of the secret, when a doubt turned out to be unfounded."""
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._live, name="revalidation", daemon=True).start()

    def stop(self) -> None:
        """End; a check under way is given up, and made again when its claim has run out."""
        self._stopped = True
        self._wake.set()

    def soon(self, which: SecretName, row_version: int) -> None:
        """Check a key at once, because its provider has just refused it; that counts as the first refusal.

        Returns at once, from whichever thread it is called, and never fails.

        Args:
            which: the key.
            row_version: of the key that was refused; another one is none of this doubt's business.
        """
        with self._lock:
            if len(self._doubts) < MAX_DOUBTS:
                self._doubts.setdefault(_Doubt(which, row_version), self._clock())
        self._wake.set()

    def _live(self) -> None:
        with self._readiness.listening(self._wake.set):
            while not self._stopped:
                self._wake.clear()
                self._wake.wait(self._look())

    def _look(self) -> float:
        """Check what is due; return how many seconds to wait until the next look."""
        if self._readiness.is_ready and self._vault.attachment.state != "unavailable":  # maintenance attaches it
            try:
                return self.work()
            except RequestError as exc:  # maintenance, which meets the same, tells it
                log.debug("checks of stored keys interrupted", extra={"code": exc.code})
            except Exception:  # the outermost edge of the thread: it must live as long as the process
                if not self._stopped:
                    log.exception("checks of stored keys failed")
        return self._longest_wait_s()

    def work(self) -> float:
        """Check everything that is due now.

        Returns:
            Seconds until something is due again, or might be.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        self._note_doubts()
        while not self._stopped and self._check_batch():
            pass
        return self._wait_s()

    # --- doubts ------------------------------------------------------------------------------------------------------

    def _note_doubts(self) -> None:
        """Let doubts stand in the database, where they survive this process; what cannot be written now is kept."""
        with self._lock:
            doubts, self._doubts = self._doubts, {}
        while doubts:
            doubt, since = doubts.popitem()
            try:
                self._note(doubt, since)
            except RequestError:
                with self._lock:
                    self._doubts = {**doubts, doubt: since, **self._doubts}
                raise

    def _note(self, doubt: _Doubt, since: dt.datetime) -> None:
        is_meant = is_secret(doubt.which) & (secrets.c.row_version == doubt.row_version)
        with self._database.read() as connection:
            row = connection.execute(sa.select(secrets).where(is_meant)).one_or_none()
        if row is None or row.status in REFUSED or _known(row).pending_since is not None:
            return
        unfounded = self._unfounded.get(row.id)
        due_at = since if unfounded is None else max(since, unfounded + UNFOUNDED)
        with self._database.write() as connection:
            connection.execute(sa.update(secrets).where(is_meant).values(refused_at=since, next_check_at=due_at))

    # --- checks ------------------------------------------------------------------------------------------------------

    def _check_batch(self) -> bool:
        """Check some of the keys that are due; False if none is."""
        now = self._clock()
        due = self._due(now)
        claimed = self._claimed(due, now) if due else []
        under_way = [(row, check) for row in claimed if (check := self._begun(row)) is not None]
        for row, check in under_way:
            self._record(row, check.verdict())
        return bool(claimed)

    def _due(self, now: dt.datetime) -> list[Any]:
        query = (
            select_sealed(
                secrets.c.fingerprint,
                secrets.c.refused_at,
                secrets.c.last_validated_at,
            )
            .where(self._is_checkable(self._vault.attachment.keys(), now) & self._is_due(now))
            .order_by(None)
            .order_by(secrets.c.next_check_at)
            .limit(BATCH)
        )
        with self._database.read() as connection:
            return list(located(connection, connection.execute(query).all()))

    def _is_due(self, now: dt.datetime) -> sa.ColumnElement[bool]:
        """Return the condition that a row's time has come.

        One that lies farther ahead than any this desktop would set is of a longer interval, or of a wrong clock.
        """
        due_at = secrets.c.next_check_at
        return (due_at <= now) | (due_at > latest_check(self._config, now) + 2 * CLAIM)

    def _is_checkable(self, keys: Keys, now: dt.datetime) -> sa.ColumnElement[bool]:
        """Return the condition that a row is a provider's key which this desktop can open, and may send."""
        is_known = [
            secrets.c.owner_kind.in_(KEY_OWNERS)
            & ((secrets.c.name == name) | ((secrets.c.owner_kind == "system") & (secrets.c.name == INITIAL + name)))
            & (secrets.c.pinned_host == origin_of(provider, self._config))
            for name, provider in PROVIDERS.items()
        ]
        return (
            sa.or_(*is_known)
            & secrets.c.kid.in_(list(keys.usable))
            & ~waits_for_api_secret(keys)
            & (secrets.c.status != UNREADABLE)
            & (secrets.c.expires_at.is_(None) | (secrets.c.expires_at > now))
        )

    def _claimed(self, due: list[Any], now: dt.datetime) -> list[Any]:
        """Return those rows that no other desktop has claimed; in one order everywhere, so that nobody deadlocks."""
        with self._database.write() as connection:
            in_order = sorted(due, key=lambda row: row.id)
            return [
                row for row in in_order if _update(connection, row, {"next_check_at": now + CLAIM}, self._is_due(now))
            ]

    def _begun(self, row: Any) -> KeyCheck | None:
        """Send a key to its provider; one that does not open is put off until the next round."""
        which = _name_of(row)
        provider = provider_of(which)
        secret: str | None = None
        # whoever uses the key meets the same, and marks it
        with contextlib.suppress(RequestError):
            secret = self._vault.open_again(row)
        if provider is None or secret is None:
            later = next_check(self._config.revalidate_hours, self._clock())
            with self._database.write() as connection:
                _update(connection, row, {"next_check_at": later})
            return None
        return self._checks.begin(provider.name, secret)

    def _record(self, row: Any, verdict: Verdict) -> None:
        """Write what a verdict changes, unless the key was replaced or deleted meanwhile."""
        if self._stopped:
            return
        known, now = _known(row), self._clock()
        change = change_after(known, verdict, self._config, now)
        with self._audit.writing() as connection:
            is_same = _update(connection, row, change.values)
            if is_same and "status" in change.values:
                self._vault.restate(connection, _name_of(row), row.row_version, change.values["status"])
            if is_same and change.told is not None:
                self._audit.append(
                    connection,
                    action="validate",
                    actor=ACTOR,
                    fingerprint=row.fingerprint,
                    reason=change.told,
                    owner_kind=row.owner_kind,
                    owner_id=row.owner_id,
                    name=row.name,
                )
        if known.refused_at is not None and verdict.valid:
            self._remember_unfounded(row.id, now)

    def _remember_unfounded(self, secret_id: str, now: dt.datetime) -> None:
        recent = {known: since for known, since in self._unfounded.items() if since > now - UNFOUNDED}
        self._unfounded = {**recent, secret_id: now}

    # --- waiting -----------------------------------------------------------------------------------------------------

    def _wait_s(self) -> float:
        now = self._clock()
        query = sa.select(sa.func.min(secrets.c.next_check_at, type_=secrets.c.next_check_at.type)).where(
            self._is_checkable(self._vault.attachment.keys(), now)
        )
        with self._database.read() as connection:
            due_at: dt.datetime | None = connection.scalar(query)
        longest_s = self._longest_wait_s()
        if due_at is None:
            return longest_s
        return min(longest_s, max(SHORTEST_WAIT_S, (due_at - now).total_seconds()))

    def _longest_wait_s(self) -> float:
        """Return the longest pause: other threads and desktops store keys without telling."""
        return min(LONGEST_WAIT_S, self._config.revalidate_hours * 3600 / WAITS_PER_INTERVAL)


def _known(row: Any) -> Known:
    return Known(row.status, row.refused_at, row.last_validated_at)


def _name_of(row: Any) -> SecretName:
    return SecretName(row.owner_kind, row.owner_id, row.name)


def _update(connection: sa.Connection, row: Any, values: dict[str, Any], *conditions: sa.ColumnElement[bool]) -> bool:
    """Change a row if it still holds the same version of the same secret, and meets the conditions."""
    is_same = sa.and_(secrets.c.id == row.id, secrets.c.row_version == row.row_version, *conditions)
    return bool(connection.execute(sa.update(secrets).where(is_same).values(**values)).rowcount)

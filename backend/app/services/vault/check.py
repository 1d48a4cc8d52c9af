"""Whether all that is sealed opens: `vault verify`, and the doctor's look at the vault."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from app.core.fernet_keys import fingerprint as key_fingerprint
from app.core.security import existing_keys
from app.db.migrations import HEAD, current_revision
from app.models.devices import vault_device_wraps, vault_join_requests
from app.models.vault import RECOVERY, UNKNOWN, UNREADABLE, secrets, vault_keys, vault_wraps
from app.services.configured import configured
from app.services.vault.destinations import located
from app.services.vault.devices import device_of
from app.services.vault.directory import members
from app.services.vault.keys import ESCROW, Keys, VaultLockedError, opened_fingerprint_key, read_keys
from app.services.vault.membership import Wrap, WrapBrokenError
from app.services.vault.rows import (
    ApiSecretMissingError,
    SecretFormatUnknownError,
    SecretUnreadableError,
    info_of,
    is_same,
    next_sealed,
    open_row,
    select_sealed,
)
from app.services.vault.sealing import FormatUnknownError, SealBrokenError, unwrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.config import Config
    from app.db.session import Database
    from app.schemas.vault import SecretInfo
    from app.services.vault.keys_at_hand import Attachment

AWAY: Final = dt.timedelta(days=90)
"""How long a desktop may be away before somebody should ask whether it is still needed."""
_BATCH_ROWS: Final = 500


class Tally(NamedTuple):
    """What became of the values of one sealed column."""

    opened: int = 0
    broken: int = 0
    """Moved, tampered with, or given up."""
    locked: int = 0
    """Cannot be told here: the key is not at hand."""
    waiting: int = 0
    """Stored with another `API_KEY_ENCRYPTION_SECRET`."""


OPENED: Final = Tally(opened=1)
BROKEN: Final = Tally(broken=1)
LOCKED: Final = Tally(locked=1)
WAITING: Final = Tally(waiting=1)


def outcome_of(row: Any, keys: Keys) -> Tally:
    """Tell whether one secret opens."""
    try:
        open_row(row, keys)
    except ApiSecretMissingError:
        return WAITING
    except VaultLockedError:
        return LOCKED
    except (SecretUnreadableError, SecretFormatUnknownError):
        return BROKEN
    return OPENED


def _rows(connection: sa.Connection) -> Iterator[Any]:
    """Yield every secret with what opening it takes, in batches."""
    position: Any = None
    while True:
        rows = located(connection, connection.execute(next_sealed(position, _BATCH_ROWS)).all())
        yield from rows
        if len(rows) < _BATCH_ROWS:
            return
        position = rows[-1].position


# --- vault verify ----------------------------------------------------------------------------------------------------


def verify(attachment: Attachment, database: Database) -> tuple[Tally, list[SecretInfo]]:
    """Open every secret.

    Returns:
        How many open, and those that do not. These are marked now, and a mark that is not true any more is taken away;
        a secret whose key is only not at hand is left as it is.

    Raises:
        VaultLockedError: the vault is locked.
    """
    attachment.unlocked_keys()
    tally, broken, mended = Tally(), [], []
    with database.read() as connection:
        for row in _rows(connection):
            outcome = _outcome_now(connection, row, attachment)
            tally = _sum(tally, outcome)
            if outcome is BROKEN:
                broken.append(row)
            elif outcome is OPENED and row.status == UNREADABLE:
                mended.append(row)
    keys = attachment.keys()
    for row in mended:
        _marked(database, row, keys, UNKNOWN)
    return tally, [info for row in broken if (info := _marked(database, row, keys, UNREADABLE)) is not None]


def _outcome_now(connection: sa.Connection, row: Any, attachment: Attachment) -> Tally:
    """Tell whether a secret opens; one that was replaced, or moved to the next key, meanwhile is tried once more."""
    outcome = outcome_of(row, attachment.keys_at(row.epoch, row.kid))
    if outcome is not OPENED:
        latest = connection.execute(select_sealed().where(secrets.c.id == row.id)).one_or_none()
        if latest is not None and latest.ciphertext != row.ciphertext:
            return outcome_of(located(connection, [latest])[0], attachment.keys_at(latest.epoch, latest.kid))
    return outcome


def _marked(database: Database, broken: Any, keys: Keys, status: str) -> SecretInfo | None:
    """Mark a secret; None if it was replaced or deleted meanwhile."""
    with database.write() as connection:
        connection.execute(sa.update(secrets).where(is_same(broken)).values(status=status))
        row = connection.execute(sa.select(secrets).where(is_same(broken))).one_or_none()
    return None if row is None else info_of(row, keys)


def _sum(first: Tally, second: Tally) -> Tally:
    return Tally(*(a + b for a, b in zip(first, second, strict=True)))


# --- doctor ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look at the vault found; nothing was changed."""

    keys: Keys
    tallies: dict[str, Tally]
    """By sealed column, `table.column`."""

    @property
    def total(self) -> Tally:
        """The sum over all columns."""
        return functools.reduce(_sum, self.tallies.values(), Tally())


def look(config: Config) -> Findings | None:
    """Look at every sealed value of the configured database; None if it has no vault yet.

    Raises:
        ProblemError: the database cannot be reached, or the key file cannot be read.
    """
    of_file = existing_keys(config.config_dir)
    roots = (*config.encryption_keys, *(of_file.keys if of_file is not None else ()))
    with configured(config) as found, found.connected() as connection:
        if connection is None or current_revision(connection) != HEAD:
            return None
        return _findings(connection, config, roots)


@dataclass(frozen=True, slots=True)
class TeamFindings:
    """Who is in and who asks, by label and id."""

    members: list[str]
    untrusted: list[str]
    away: list[str]
    """Members that have not been seen for long."""
    asking: list[str]


def look_at_team(config: Config, now: float) -> TeamFindings | None:
    """Look at the directory of the configured database; None if it has no vault yet.

    Raises:
        ProblemError: the database cannot be reached, or the key file cannot be read.
    """
    of_file = existing_keys(config.config_dir)
    roots = (*config.encryption_keys, *(of_file.keys if of_file is not None else ()))
    with configured(config) as found, found.connected() as connection:
        if connection is None or current_revision(connection) != HEAD:
            return None
        keys = read_keys(connection, roots, before=None, api_secret=config.api_key_secret, generation=0)
        if keys is None:
            return None
        everybody = members(connection, keys.active_kid, keys.active)
        asking = connection.execute(sa.select(vault_join_requests)).all()
    present = dt.datetime.fromtimestamp(now, dt.UTC)
    is_in = [one for one in everybody if one.entry is not None or keys.active is None]
    return TeamFindings(
        members=[_named(one) for one in is_in],
        untrusted=[_named(one) for one in everybody if one not in is_in],
        away=[_named(one) for one in is_in if one.last_seen_at is not None and present - one.last_seen_at > AWAY],
        asking=[_named(row) for row in asking if row.expires_at is not None and row.expires_at > present],
    )


def _named(row: Any) -> str:
    label = "".join(character if character.isprintable() else "?" for character in str(row.label))
    return f"{label} ({row.device_id})"


def _findings(connection: sa.Connection, config: Config, roots: Sequence[bytes]) -> Findings | None:
    """Look, and once more if the keys were changed meanwhile; a rotation changes them twice."""
    epoch = None
    while True:
        keys = read_keys(connection, roots, before=None, api_secret=config.api_key_secret, generation=0)
        if keys is None:
            return None
        tallies = {str(column): check(connection, keys, roots) for column, check in CHECKS.items()}
        if keys.epoch == epoch or not any(tally.broken for tally in tallies.values()):
            return Findings(keys, tallies)
        epoch = keys.epoch


def _check_secrets(connection: sa.Connection, keys: Keys, _: Sequence[bytes]) -> Tally:
    return functools.reduce(_sum, (outcome_of(row, keys) for row in _rows(connection)), Tally())


def _check_fingerprint_keys(connection: sa.Connection, keys: Keys, _: Sequence[bytes]) -> Tally:
    def outcome(row: Any) -> Tally:
        key = keys.opened.get(row.kid)
        if key is None:
            return LOCKED
        return BROKEN if opened_fingerprint_key(key, row.fingerprint_key) is None else OPENED

    return functools.reduce(_sum, map(outcome, connection.execute(sa.select(vault_keys)).all()), Tally())


def _check_wraps(connection: sa.Connection, keys: Keys, roots: Sequence[bytes]) -> Tally:
    by_fingerprint = {key_fingerprint(root): root for root in roots}

    def outcome(row: Any) -> Tally:
        root = by_fingerprint.get(row.fingerprint) or _root_in_escrow(row, keys)
        if root is None:
            return LOCKED
        try:
            unwrap(root, keys.vault_id, row.kid, row.wrap)
        except SealBrokenError:
            return BROKEN
        return OPENED

    return functools.reduce(_sum, map(outcome, connection.execute(sa.select(vault_wraps)).all()), Tally())


def _check_escrows(connection: sa.Connection, keys: Keys, _: Sequence[bytes]) -> Tally:
    def outcome(row: Any) -> Tally:
        if row.kid not in keys.opened:
            return LOCKED
        root = _root_in_escrow(row, keys)
        return OPENED if root is not None and key_fingerprint(root) == row.fingerprint else BROKEN

    query = sa.select(vault_wraps).where(vault_wraps.c.kind == RECOVERY)
    return functools.reduce(_sum, map(outcome, connection.execute(query).all()), Tally())


def _root_in_escrow(wrap: Any, keys: Keys) -> bytes | None:
    """Return the recovery key beside its wrap; None if there is none, or it does not open."""
    key = keys.opened.get(wrap.kid)
    if key is None or wrap.escrow is None:
        return None
    try:
        return key.open_internal(ESCROW, wrap.escrow)
    except (SealBrokenError, FormatUnknownError):
        return None


def _check_device_wraps(connection: sa.Connection, keys: Keys, roots: Sequence[bytes]) -> Tally:
    if not roots:
        return Tally(locked=_number(connection, vault_device_wraps))
    device = device_of(roots[0], keys.vault_id)

    def outcome(row: Any) -> Tally:
        if row.device_id != device.id:
            return LOCKED
        wrap = Wrap(row.device_id, row.kid, row.previous_kid, row.granted_by, row.wrap, row.signature)
        try:
            wrap.opened(device)
        except WrapBrokenError:
            return BROKEN
        return OPENED

    query = sa.select(vault_device_wraps).where(vault_device_wraps.c.kid.in_(list(keys.states)))  # without history
    return functools.reduce(_sum, map(outcome, connection.execute(query).all()), Tally())


def _check_grants(connection: sa.Connection, _: Keys, __: Sequence[bytes]) -> Tally:
    """Count grants, which only who asked can open."""
    return Tally(locked=_number(connection, vault_join_requests, vault_join_requests.c.grant.is_not(None)))


def _number(connection: sa.Connection, table: sa.Table[Any], *conditions: sa.ColumnElement[bool]) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(table).where(*conditions)).scalar_one()


CHECKS: Final[dict[sa.Column[Any], Callable[[sa.Connection, Keys, Sequence[bytes]], Tally]]] = {
    vault_keys.c.fingerprint_key: _check_fingerprint_keys,
    vault_wraps.c.wrap: _check_wraps,
    vault_wraps.c.escrow: _check_escrows,
    vault_device_wraps.c.wrap: _check_device_wraps,
    vault_join_requests.c.grant: _check_grants,
    secrets.c.ciphertext: _check_secrets,
}
"""How each sealed column is looked at; a test demands that none is missing."""

"""What is in the vault that no desktop has left so: every secret compared with the manifest, and that itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from app.models.tenants import tenants
from app.models.vault import secrets
from app.schemas.vault import Finding, VaultVerification
from app.services.vault.check import BROKEN, LOCKED, OPENED, WAITING, outcome_of
from app.services.vault.destinations import located
from app.services.vault.directory import members
from app.services.vault.keys import Inventory
from app.services.vault.ledger import VaultRolledBackError
from app.services.vault.manifest import ManifestBrokenError, StaleKeysError
from app.services.vault.rows import SECRET, SecretName, next_sealed, secret_item, select_sealed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.db.session import Database
    from app.schemas.vault import FindingKind
    from app.services.vault.keys import Keys
    from app.services.vault.keys_at_hand import Attachment
    from app.services.vault.ledger import Ledger
    from app.services.vault.manifest import Entry, Item

_BATCH_ROWS: Final = 500
MAX_FINDINGS: Final = 1000
"""No more are told; a database that was exchanged has as many as rows."""
_SENTENCES: Final[dict[Any, tuple[FindingKind, str]]] = {
    BROKEN: ("unreadable", "The secret was moved or tampered with, or its destination was changed: enter it again."),
    LOCKED: ("locked", "The secret lies under a key that is not at hand."),
    WAITING: ("waiting", "The secret was stored with another API_KEY_ENCRYPTION_SECRET than the one set here."),
}


def verification(attachment: Attachment, ledger: Ledger, database: Database) -> VaultVerification:
    """Look at everything; what is met while somebody changes it is looked at once more.

    Raises:
        DatabaseAwayError: the database cannot be used now.
    """
    attachment.attach()
    keys = attachment.keys()
    findings: list[Finding] = []
    with database.read() as connection:
        if keys.doubt is not None:
            message = f"Use and writes are refused until this state is accepted: {keys.doubt}."
            findings.append(_finding("rolled-back", None, message))
        if keys.active is None:
            findings.append(_finding("locked", None, keys.locked(keys.active_kid).message))
        if keys.planted is not None:
            message = f"No member has given the vault key {keys.planted} to this desktop: nothing is sealed under it."
            findings.append(_finding("key", None, message))
        findings += _of_keys(connection, keys)
        findings += _of_members(connection, keys)
        checked = 0
        for rows in _batches(connection):
            checked += len(rows)
            for finding in _of_rows(connection, rows, keys, ledger):
                if finding is not None and len(findings) < MAX_FINDINGS:
                    findings.append(finding)
        findings += _of_manifest(connection, keys, ledger)
    return VaultVerification(ok=not findings, checked=checked, findings=findings[:MAX_FINDINGS])


def _batches(connection: sa.Connection) -> Iterator[list[Any]]:
    position: Any = None
    while rows := located(connection, connection.execute(next_sealed(position, _BATCH_ROWS)).all()):
        yield list(rows)
        position = rows[-1].position


def _of_rows(connection: sa.Connection, rows: Sequence[Any], keys: Keys, ledger: Ledger) -> Iterator[Finding | None]:
    entries = _entries(connection, keys, ledger, [_item(row) for row in rows])
    for row in rows:
        finding = _of_row(row, keys, entries)
        if finding is not None:  # somebody may just have replaced it
            query = select_sealed().where(secrets.c.id == row.id)
            latest = located(connection, connection.execute(query).all())
            if not latest:
                finding = None
            elif latest[0].ciphertext != row.ciphertext:
                finding = _of_row(latest[0], keys, _entries(connection, keys, ledger, [_item(row)]))
        yield finding


def _of_row(row: Any, keys: Keys, entries: dict[Item, Entry | None] | None) -> Finding | None:
    outcome = outcome_of(row, keys)
    if outcome is not OPENED:
        kind, message = _SENTENCES[outcome]
        return _finding(kind, row, message)
    entry = None if entries is None else entries[_item(row)]
    if entries is not None and (entry is None or entry[:2] != [row.id, row.row_version]):
        return _finding("restored", row, "The secret is not the one that was stored last: it was restored or changed.")
    return None


def _entries(
    connection: sa.Connection, keys: Keys, ledger: Ledger, items: Sequence[Item]
) -> dict[Item, Entry | None] | None:
    """Return what the manifest says; None if it cannot be believed, which is told once."""
    try:
        return ledger.entries(connection, keys, items)
    except (VaultRolledBackError, StaleKeysError):
        return None


def _of_manifest(connection: sa.Connection, keys: Keys, ledger: Ledger) -> list[Finding]:
    """Compare the manifest with the rows: secrets that are gone, tenants that were changed."""
    if keys.root is None:
        return []
    table = tenants.c
    policies = {
        tenant_id: policy
        for tenant_id, *policy in connection.execute(
            sa.select(table.id, table.tier, table.trial_limit, table.trial_tokens)
        )
    }
    findings: list[Finding] = []
    try:
        for item, entry in ledger.walk(connection, keys):
            if item[0] == "tenant":
                policy = policies.pop(item[1], None)
                if policy != entry:
                    which = SecretName("tenant", item[1], "")
                    message = "The tenant's tier or limits were changed outside: set them again."
                    findings.append(_finding("policy" if policy is not None else "missing", which, message))
            elif item[0] == SECRET and len(findings) < MAX_FINDINGS and not _is_there(connection, item):
                which = SecretName(*item[1:4])
                findings.append(_finding("missing", which, "The secret is gone, and nobody here has deleted it."))
    except ManifestBrokenError:
        findings.append(_finding("broken", None, "The manifest was changed outside: accept this state, or restore it."))
    for tenant_id in policies:
        which = SecretName("tenant", tenant_id, "")
        findings.append(_finding("policy", which, "The tenant is not known to the manifest: set its tier again."))
    return findings


def _is_there(connection: sa.Connection, item: Item) -> bool:
    which = SecretName(*item[1:4])
    query = sa.select(secrets.c.id).where(
        secrets.c.owner_kind == which.owner_kind,
        secrets.c.owner_id == which.owner_id,
        secrets.c.name == which.name,
    )
    return connection.execute(query).first() is not None


def _of_keys(connection: sa.Connection, keys: Keys) -> list[Finding]:
    """Tell keys and wraps that the manifest does not list, or lists otherwise."""
    if keys.root is None:
        return []
    there = Inventory.of(connection)
    wraps = [name for name, digest in there.wraps.items() if keys.root.wraps.get(name) != digest]
    states = [kid for kid, state in there.keys.items() if keys.root.keys.get(kid) != state]
    return [
        *(_finding("wrap", None, f"The wrap {name} is not one of the vault's: it opens nothing.") for name in wraps),
        *(_finding("key", None, f"The state of the vault key {kid} was changed outside.") for kid in states),
    ]


def _of_members(connection: sa.Connection, keys: Keys) -> list[Finding]:
    """Tell desktops in the directory that no member vouches for."""
    if keys.active is None:
        return []
    strangers = [one for one in members(connection, keys.active_kid, keys.active) if one.entry is None]
    return [
        _finding(
            "member",
            None,
            f"No member vouches for the desktop {one.label} ({one.device_id}): nothing is shared with it; remove it.",
        )
        for one in strangers
    ]


def _item(row: Any) -> Item:
    return secret_item(SecretName(row.owner_kind, row.owner_id, row.name))


def _finding(kind: FindingKind, which: Any, message: str) -> Finding:
    if which is None:
        return Finding(kind, None, None, None, message)
    return Finding(kind, which.owner_kind, which.owner_id, which.name or None, message)

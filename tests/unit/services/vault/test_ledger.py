"""The manifest in the database: how the first one is made, what gets into it, and what a locked vault leaves behind."""

from __future__ import annotations

import datetime as dt
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from app.db.base import utc_now
from app.models.vault import secrets, vault_manifest
from app.services.vault import ledger
from app.services.vault.manifest import changed
from app.services.vault.rows import SecretFormatUnknownError, SecretName, SecretUnreadableError
from tests.support.vaults import Desktop, change, desktop, read

if TYPE_CHECKING:
    from pathlib import Path

    from app.services.vault.manifest import Entry, Item
    from tests.support.in_process import InProcess

OPENAI = SecretName("tenant", "acme", "openai")


@pytest.fixture
def one(sqlite_store: InProcess, tmp_path: Path) -> Desktop:
    """A desktop on an empty database."""
    return attached(sqlite_store, tmp_path / "config")


def attached(store: InProcess, directory: Path, **settings: Any) -> Desktop:
    """A desktop that has made, or opened, the vault."""
    made = desktop(store, directory, **settings)
    made.vault.attachment.attach()
    return made


def found_anew(one: Desktop) -> None:
    """Make the manifest of the rows there are."""
    with one.vault.attachment.changing_keys(accepts=True) as changing:
        changing.founds = True


def nodes_of(one: Desktop) -> dict[str, str]:
    """The tree's nodes by path, without the root and its signature."""
    table = vault_manifest.c
    rows = read(one.store, sa.select(table.path, table.content).where(table.path.not_in(["root", "mac"])))
    return {row.path: row.content for row in rows}


def test_manifest_made_in_batches_is_the_one_made_by_writes(
    store: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Node by node, however many entries are put aside; nothing of what was put aside is left."""
    monkeypatch.setattr(ledger, "_BATCH_ROWS", 40)
    monkeypatch.setattr(ledger, "_PUT_ASIDE", 100)
    one = attached(store, tmp_path / "config")
    one.fill(330)
    written = nodes_of(one)

    found_anew(one)

    assert nodes_of(one) == written
    assert one.vault.verified().ok


def test_memory_is_flat_while_a_manifest_is_made(sqlite_store: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times the entries take no more of it."""
    monkeypatch.setattr(ledger, "_PUT_ASIDE", 100)
    peaks = []
    for count in (500, 2000):
        with sqlite_store.opened.writer.begin() as connection:
            connection.execute(sa.delete(vault_manifest))
            build = ledger._Build(connection)
            tracemalloc.start()
            for first in range(0, count, 50):
                build.add(tenants_from(first, first + 50).items())
            top = build.end()
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert top == changed({}, "", dict(tenants_from(0, count)))[1]

    assert peaks[1] < 1.5 * peaks[0], peaks


def tenants_from(first: int, end: int) -> dict[Item, Entry]:
    """Entries of some tenants."""
    return {("tenant", f"owner-{number}"): ["trial", 100, 200000] for number in range(first, end)}


@pytest.mark.parametrize(
    "damage",
    [
        {"ciphertext": "junk"},
        {"row_version": 2},
        {"expires_at": None},
        {"name": "anthropic"},
        {"kid": "00000000"},
    ],
    ids=lambda damage: next(iter(damage)),
)
def test_only_what_opens_gets_into_the_first_manifest(one: Desktop, damage: dict[str, Any]) -> None:
    """What does not is marked, named by `vault verify`, and can be replaced; the others are as they were."""
    one.set(OPENAI, "sk-0123456789abcdef", expires_at=utc_now() + dt.timedelta(days=1))
    other = SecretName("tenant", "other", "openai")
    one.set(other, "sk-other-0123456789")
    change(one.store, sa.update(secrets).where(secrets.c.owner_id == "acme").values(**damage))

    found_anew(one)

    which = SecretName("tenant", "acme", damage.get("name", "openai"))
    assert read(one.store, sa.select(secrets.c.status).where(secrets.c.owner_id == "acme")) == [("unreadable",)]
    assert listed(one) == [("secret", "tenant", "other", "openai")]
    assert {(found.kind, found.owner_id) for found in one.vault.verified().findings} == {("unreadable", "acme")}
    with pytest.raises((SecretUnreadableError, SecretFormatUnknownError)):
        one.use(which)
    assert one.use(other) == "sk-other-0123456789"
    one.set(which, "sk-fresh-0123456789")
    assert one.use(which) == "sk-fresh-0123456789"
    assert one.vault.verified().ok


def listed(one: Desktop) -> list[Item]:
    """What the manifest knows."""
    keys = one.vault.attachment.keys()
    with one.store.opened.reader.connect() as connection:
        return [item for item, _ in one.audit.ledger.walk(connection, keys)]


def test_what_waits_for_another_key_gets_into_the_first_manifest(one: Desktop, tmp_path: Path) -> None:
    """A user's secret whose `API_KEY_ENCRYPTION_SECRET` is not at hand: it cannot be told, and opens later."""
    which = SecretName("user", "ann", "openai")
    able = attached(one.store, tmp_path / "config", api_key_secret="x" * 32)
    able.set(which, "sk-user-0123456789")

    found_anew(one)

    able.vault.attachment.attach()
    assert able.use(which) == "sk-user-0123456789"

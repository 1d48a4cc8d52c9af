"""The manifest in the database: how the first one is made, what gets into it, and what a locked vault leaves behind."""

from __future__ import annotations

import datetime as dt
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from app.core.fernet_keys import encode_key
from app.db.base import utc_now
from app.models.tenants import tenants
from app.models.vault import secrets, vault_manifest, vault_owners
from app.services.audit.sharing import AUDIT_KEY
from app.services.vault import ledger
from app.services.vault.later import LATER_FILE
from app.services.vault.manifest import changed
from app.services.vault.rows import SecretFormatUnknownError, SecretName, SecretUnreadableError
from app.services.vault.unlocking import unlock
from tests.support.system import is_owner_only
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


def known(one: Desktop) -> dict[Item, Entry]:
    """What the manifest says, but for the keys of the audit log, which are sealed anew each time."""
    keys = one.vault.attachment.keys()
    with one.store.opened.reader.connect() as connection:
        found = dict(one.audit.ledger.walk(connection, keys))
    return {item: entry for item, entry in found.items() if item[0] != AUDIT_KEY}


def test_manifest_made_in_batches_is_the_one_made_by_writes(
    store: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entry by entry, however many are put aside; nothing of what was put aside is left."""
    monkeypatch.setattr(ledger, "_BATCH_ROWS", 40)
    monkeypatch.setattr(ledger, "_PUT_ASIDE", 100)
    one = attached(store, tmp_path / "config")
    one.fill(330)
    written = known(one)

    found_anew(one)

    assert known(one) == written
    assert len(written) == 330
    paths = {row.path for row in read(one.store, sa.select(vault_manifest.c.path))}
    assert {len(path) for path in paths - {"root", "mac"}} == {0, 1, 2, 3}
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
    assert list(known(one)) == [("secret", "tenant", "other", "openai")]
    assert {(found.kind, found.owner_id) for found in one.vault.verified().findings} == {("unreadable", "acme")}
    with pytest.raises((SecretUnreadableError, SecretFormatUnknownError)):
        one.use(which)
    assert one.use(other) == "sk-other-0123456789"
    one.set(which, "sk-fresh-0123456789")
    assert one.use(which) == "sk-fresh-0123456789"
    assert one.vault.verified().ok


def test_what_waits_for_another_key_gets_into_the_first_manifest(one: Desktop, tmp_path: Path) -> None:
    """A user's secret whose `API_KEY_ENCRYPTION_SECRET` is not at hand: it cannot be told, and opens later."""
    which = SecretName("user", "ann", "openai")
    able = attached(one.store, tmp_path / "config", api_key_secret="x" * 32)
    able.set(which, "sk-user-0123456789")

    found_anew(one)

    able.vault.attachment.attach()
    assert able.use(which) == "sk-user-0123456789"


# --- what happens while the vault is locked --------------------------------------------------------------------------


Rows = dict["sa.Table[Any]", list[Any]]


@pytest.fixture
def filled(one: Desktop) -> Rows:
    """The rows of three secrets and two tenants."""
    for owner in ("deleted", "shredded", "replaced"):
        one.set(SecretName("tenant", owner, "openai"), f"sk-{owner}-0123456789")
    with one.vault.writing() as connection:
        for tenant in ("gone", "changed"):
            row = {"id": tenant, "name": "n", "tier": "pro", "trial_limit": 1, "trial_tokens": 2}
            connection.execute(sa.insert(tenants).values(**row, created_at=utc_now(), updated_at=utc_now()))
            one.vault.note(connection, ("tenant", tenant), ["pro", 1, 2])
    assert one.vault.verified().ok
    return {table: read(one.store, sa.select(table)) for table in (secrets, vault_owners, tenants)}


@pytest.fixture
def locked(one: Desktop, filled: Rows, tmp_path: Path) -> Desktop:
    """Another desktop, which has no key to the vault and has deleted most of that."""
    theirs = attached(one.store, tmp_path / "theirs")
    assert theirs.vault.attachment.state == "locked"
    theirs.delete(SecretName("tenant", "deleted", "openai"))
    theirs.shred("tenant", "shredded")
    theirs.delete(SecretName("tenant", "replaced", "openai"))
    with theirs.vault.writing(unlocked=False) as connection:
        connection.execute(sa.delete(tenants).where(tenants.c.id == "gone"))
        theirs.vault.note(connection, ("tenant", "gone"), None, before=["pro", 1, 2])
        connection.execute(sa.update(tenants).where(tenants.c.id == "changed").values(tier="trial"))
        theirs.vault.note(connection, ("tenant", "changed"), ["trial", 1, 2])
    return theirs


def unlocked(one: Desktop, tmp_path: Path) -> Desktop:
    """The other desktop, started anew, and given the key."""
    again = attached(one.store, tmp_path / "theirs")
    key = encode_key(one.vault.attachment.root_keys()[0])
    unlock(again.vault.attachment, again.audit, encryption_key=key, recovery_code=None, actor="test")
    return again


@pytest.mark.usefixtures("locked")
def test_manifest_learns_what_happened_while_locked(one: Desktop, tmp_path: Path) -> None:
    """As soon as the key is there, also after a restart; what others have stored anew since is as it was."""
    one.set(SecretName("tenant", "replaced", "openai"), "sk-fresh-0123456789")
    assert is_owner_only(tmp_path / "theirs" / LATER_FILE)
    assert {found.kind for found in one.vault.verified().findings} == {"missing", "policy"}

    again = unlocked(one, tmp_path)

    assert again.vault.verified().ok
    assert again.use(SecretName("tenant", "replaced", "openai")) == "sk-fresh-0123456789"
    assert not (tmp_path / "theirs" / LATER_FILE).exists()


@pytest.mark.usefixtures("locked")
def test_what_was_put_back_while_locked_stays_dead(one: Desktop, filled: Rows, tmp_path: Path) -> None:
    """Deleted rows, a shredded owner's salt and a deleted tenant, back before the key is there."""
    for table, rows in filled.items():
        there = {tuple(row[:2]) for row in read(one.store, sa.select(table))}
        back = [row._asdict() for row in rows if tuple(row[:2]) not in there]
        if back:
            change(one.store, sa.insert(table), back)

    again = unlocked(one, tmp_path)

    for owner in ("deleted", "shredded", "replaced"):
        with pytest.raises(SecretUnreadableError):
            again.use(SecretName("tenant", owner, "openai"))
    findings = {(found.kind, found.owner_id) for found in again.vault.verified().findings}
    assert findings == {("policy", "gone"), *(("restored", owner) for owner in ("deleted", "shredded", "replaced"))}


@pytest.mark.parametrize("content", ["", "[]", "{", '{"x": [1]}', '{"x": [[["a"], 1, 2]]}', '{"x": 5}'])
def test_a_damaged_file_is_no_obstacle(one: Desktop, tmp_path: Path, content: str) -> None:
    """What it told is lost, and nothing else."""
    (tmp_path / "config" / LATER_FILE).write_text(content)
    (tmp_path / "config" / LATER_FILE).chmod(0o600)

    again = attached(one.store, tmp_path / "config")

    assert again.vault.attachment.state == "unlocked"

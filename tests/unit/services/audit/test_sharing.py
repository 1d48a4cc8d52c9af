"""MAC keys of audit chains, shared among members: whoever is in verifies every entry, nobody else learns one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from app.core.fernet_keys import fingerprint
from app.db.migrations import HEAD
from app.models.audit import audit_entries
from app.models.vault import vault_manifest
from app.services.audit.chain import mac_key
from app.services.audit.sharing import key_item, opened_entry, shared_entry, to_share
from app.services.audit.standalone import readable_audit
from app.services.vault.rows import SecretName
from app.services.vault.sealing import VaultKey
from app.services.vault.unlocking import accept
from tests.support.vaults import ACTOR, Desktop, change, desktop, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.in_process import InProcess

VAULT = "6f1c1c7e-6b0f-4a39-9d0e-2f6f1d0c9b11"
KEY, NEXT = VaultKey(VAULT, "0a1b2c3d", bytes(range(64, 96))), VaultKey(VAULT, "4e5f6071", bytes(range(96, 128)))
ROOT = bytes(range(32))
OWN, MAC_KEY = fingerprint(ROOT), mac_key(ROOT, VAULT)
OPENED = {KEY.kid: KEY, NEXT.kid: NEXT}
ROOTS = {name: bytes(range(number, number + 32)) for number, name in enumerate("abc", start=1)}
OPENAI = SecretName("tenant", "acme", "openai")
FROZEN = [
    "0a1b2c3d",
    (
        "gAAAAABrADZAAAECAwQFBgcICQoLDA0OD_TdKLhMhSj3A1JaTVjXxGhY7Mei127PR3qQj5"
        "sq-q_pnlrKNSTYxT4Izt9b9_oe-8B0G4JoKFMuNE1_PM0LuMBQ5fPlFaFR0PHeLZsKtmSe"
    ),
]
"""Sealed once; it must open for ever."""


# --- one entry -------------------------------------------------------------------------------------------------------


def test_frozen_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """It opens, and sealing makes it."""
    iv, at = bytes(range(16)), 1_795_176_000
    monkeypatch.setattr(Fernet, "encrypt", lambda fernet, data: fernet._encrypt_from_parts(data, at, iv))

    assert shared_entry(KEY, OWN, MAC_KEY) == FROZEN
    assert opened_entry(FROZEN, OWN, OPENED) == MAC_KEY


@pytest.mark.parametrize(
    ("entry", "name", "opened"),
    [
        pytest.param(None, OWN, OPENED, id="none"),
        pytest.param([], OWN, OPENED, id="empty"),
        pytest.param([NEXT.kid, FROZEN[1]], OWN, OPENED, id="under another key"),
        pytest.param(FROZEN, "0123456789abcdef", OPENED, id="of another desktop"),
        pytest.param(FROZEN, OWN, {NEXT.kid: NEXT}, id="key not at hand"),
        pytest.param(FROZEN, OWN, {KEY.kid: VaultKey(VAULT[::-1], KEY.kid, KEY.key)}, id="another vault"),
    ],
)
def test_what_does_not_open(entry: Any, name: str, opened: dict[str, VaultKey]) -> None:
    """It is no key."""
    assert opened_entry(entry, name, opened) is None


def test_what_is_to_be_shared() -> None:
    """One's own, unless it is; others' that lie under an older key; not what does not open."""
    theirs, lost = "0123456789abcdef", "ffffffffffffffff"
    entries = {theirs: shared_entry(KEY, theirs, bytes(32)), lost: ["00000000", "x"]}

    fresh = to_share(entries, {OWN: MAC_KEY}, NEXT, OPENED)

    assert {name: opened_entry(entry, name, {NEXT.kid: NEXT}) for name, entry in fresh.items()} == {
        OWN: MAC_KEY,
        theirs: bytes(32),
    }
    assert to_share({**fresh, lost: None}, {OWN: MAC_KEY}, NEXT, OPENED) == {}


# --- a team ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def member(sqlite_store: InProcess, tmp_path: Path) -> Callable[..., Desktop]:
    """Return a desktop by name, as a process that has just started sees it; the first one makes the vault."""

    def named(name: str) -> Desktop:
        url = f"sqlite:///{tmp_path / 'taskflow.db'}"
        made = desktop(sqlite_store, tmp_path / name, key=ROOTS[name], database_url=url)
        made.vault.attachment.attach()
        return made

    return named


def join(newcomer: Desktop, approver: Desktop) -> None:
    """Let a desktop in."""
    code = newcomer.team.ask("newcomer", actor=ACTOR).code
    approver.team.approve(newcomer.team._device().id, code, actor=ACTOR)
    assert newcomer.team.look()


def verdict(one: Desktop) -> tuple[bool, int, set[str]]:
    """Whether all is well, how many entries were not checked, and kinds of problems."""
    found = one.audit.verify()
    return found.ok, found.unchecked, {problem.kind for problem in found.problems}


def test_every_member_verifies_every_entry(member: Callable[..., Desktop]) -> None:
    """Whoever wrote it, also before the others came in, and after rotations; an edit is found by everybody."""
    a, b, c = member("a"), member("b"), member("c")
    a.set(OPENAI, "sk-0123456789abcdef")
    join(b, a)
    b.set(OPENAI, "sk-1123456789abcdef")
    b.rotate()
    join(c, b)
    c.rotate()
    everybody = [member("a"), member("b"), member("c")]

    assert [verdict(one) for one in everybody] == [(True, 0, set())] * 3
    made = "CREATE TABLE alembic_version (version_num TEXT)", f"INSERT INTO alembic_version VALUES ('{HEAD}')"
    a.store.execute(*made)
    for one in everybody:  # beside the sidecars, as the command does
        with readable_audit(one.config) as log:
            assert log.verify().ok

    of_a = audit_entries.c.writer.endswith(fingerprint(ROOTS["a"]))
    first = read(a.store, sa.select(sa.func.min(audit_entries.c.seq)).where(of_a))[0][0]
    change(a.store, sa.update(audit_entries).where(audit_entries.c.seq == first).values(actor="nobody"))
    assert [verdict(one) for one in everybody] == [(False, 0, {"edited"})] * 3


def test_who_is_not_in_learns_no_key(member: Callable[..., Desktop]) -> None:
    """Neither a stranger, nor a member that was removed before another one came."""
    a, b = member("a"), member("b")
    a.set(OPENAI, "sk-0123456789abcdef")
    count = len(read(a.store, sa.select(audit_entries.c.seq)))
    assert verdict(b) == (False, count, set())
    join(b, a)
    before = b.vault.attachment.keys().opened
    a.team.remove(b.team._device().id, actor=ACTOR)
    a.rotations.work()
    join(member("c"), a)

    keys = a.vault.attachment.keys()
    with a.store.opened.reader.connect() as connection:
        entries = a.audit.ledger.about_writers(connection, keys, (), key_item)
    assert len(entries) == len(ROOTS)
    assert not [name for name, entry in entries.items() if opened_entry(entry, name, before) is not None]
    assert verdict(member("c")) == (True, 0, set())


def test_keys_are_shared_anew_after_the_manifest_is_gone(member: Callable[..., Desktop]) -> None:
    """A person accepts what is there; each member shares its key as soon as it is back."""
    a, b = member("a"), member("b")
    a.set(OPENAI, "sk-0123456789abcdef")
    join(b, a)
    change(a.store, sa.delete(vault_manifest))
    a.vault.attachment.attach()
    accept(a.vault.attachment, a.audit, confirm=a.vault.attachment.keys().vault_id, actor=ACTOR)
    assert verdict(a)[1] > 0

    b.vault.attachment.attach()

    assert verdict(a) == verdict(b) == (True, 0, set())
    assert a.vault.verified().ok

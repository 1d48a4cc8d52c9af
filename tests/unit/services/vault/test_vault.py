"""The vault's services on both databases: what is stored comes back, and nothing opens where it does not belong."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.core.exceptions import ConflictError, DatabaseAwayError, NotFoundError, RequestError, ValidationError
from app.core.fernet_keys import KeyRing, encode_key, fingerprint
from app.core.security import KEY_FILE
from app.db.base import instant_text
from app.models.audit import audit_entries
from app.models.devices import vault_device_wraps
from app.models.vault import secrets, vault_keys, vault_owners, vault_wraps, vaults
from app.services.ai_keys.watch import watch_keys
from app.services.audit.log import AuditUnavailableError
from app.services.vault.check import Tally, verify
from app.services.vault.keys import VaultLockedError
from app.services.vault.keys_at_hand import RootKeyMissingError
from app.services.vault.recovery import new_recovery_code
from app.services.vault.rows import (
    ApiSecretMissingError,
    SecretExpiredError,
    SecretFormatUnknownError,
    SecretName,
    SecretUnreadableError,
)
from app.services.vault.unlocking import KeyWrongError, adopt, keep_recovery_code, reset, unlock
from app.services.vault.vault import Vault
from tests.support.in_process import InProcess, count_of, on_sqlite
from tests.support.properties import PROCESS_PROPERTY
from tests.support.vaults import ACTOR, Desktop, change, desktop, read, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


KEY_A = bytes(range(32))
KEY_B = bytes(range(32, 64))
KEY_C = bytes(range(64, 96))
API_SECRET = "an api key encryption secret of 40 chars"
OTHER_API_SECRET = "another api key encryption secret, too.."
LONG = "sk-live-0123456789abcdef"

OPENAI = SecretName("tenant", "acme", "openai")


@pytest.fixture
def ours(store: InProcess, tmp_path: Path) -> Desktop:
    """The desktop that was there first."""
    return desktop(store, tmp_path / "ours", key=KEY_A)


def audited(store: InProcess) -> list[tuple[Any, ...]]:
    """Action, owner, name and outcome of every audit entry, in order."""
    columns = (audit_entries.c.action, audit_entries.c.owner_id, audit_entries.c.name, audit_entries.c.outcome)
    return [tuple(row) for row in read(store, sa.select(*columns).order_by(audit_entries.c.seq))]


def actions(store: InProcess) -> list[str]:
    """The actions in the audit log."""
    return [entry[0] for entry in audited(store)]


# --- what is stored comes back ---------------------------------------------------------------------------------------


def test_a_secret_comes_back_and_lists_never_show_it(ours: Desktop, store: InProcess) -> None:
    """Stored, used, revealed, replaced, deleted: each once in the audit log; lists know hint and fingerprint only."""
    first = ours.set(OPENAI, LONG)
    used, revealed = ours.use(OPENAI), ours.vault.reveal(OPENAI, actor=ACTOR)
    second = ours.set(OPENAI, "short")

    assert used == revealed == LONG
    assert (first.hint, first.row_version, first.status) == ("cdef", 1, "unknown")
    assert (second.hint, second.row_version, second.id) == (None, 2, first.id)
    assert first.fingerprint != second.fingerprint
    assert ours.vault.infos() == [second] == [ours.vault.info(OPENAI)]
    assert LONG not in repr(first) + repr(rows_of(store)) + repr(ours.vault.take(OPENAI, actor=ACTOR))
    assert ours.use(OPENAI) == "short"

    assert ours.delete(OPENAI)
    assert not ours.delete(OPENAI)
    assert ours.use(OPENAI) is None
    assert ours.vault.info(OPENAI) is None
    assert [action for action in actions(store) if action != "use"] == ["set", "reveal", "replace", "delete"]


def test_what_put_returns_is_what_is_stored(ours: Desktop) -> None:
    """The answer to a write says the same as the list afterwards."""
    expires_at = dt.datetime(2099, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
    for secret in (LONG, "replaced"):
        answered = ours.set(OPENAI, secret, expires_at=expires_at)

        assert answered == ours.vault.info(OPENAI)
        assert answered.expires_at == "2099-01-02T03:04:05.678901Z"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    """A desktop that the examples of a property share."""
    directory = tmp_path_factory.mktemp("kept")
    with on_sqlite(directory / "taskflow.db") as in_process:
        yield desktop(in_process, directory / "ours")


@given(
    secret=st.text(st.characters(exclude_categories=["Cs"]), max_size=300).filter(lambda text: text[:4] != "****"),
    owner_id=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=64),
)
@PROCESS_PROPERTY
def test_any_text_comes_back_exactly(kept: Desktop, secret: str, owner_id: str) -> None:
    """Blanks, line ends, NUL, emoji: stored through the service and opened from the row."""
    which = SecretName("user", owner_id, "openai")

    kept.set(which, secret)

    assert kept.use(which) == secret


def test_text_that_looks_sealed_is_sealed(ours: Desktop, store: InProcess) -> None:
    """A ciphertext of the vault itself, typed as a secret, is a secret."""
    ours.set(OPENAI, LONG)
    ciphertext = next(iter(rows_of(store).values()))["ciphertext"]
    typed = SecretName("tenant", "acme", "typed")

    ours.set(typed, ciphertext)

    assert ours.use(typed) == ciphertext


def test_names_are_an_owners_own(ours: Desktop) -> None:
    """The same name and id under another kind, and the same kind under another id, are other secrets."""
    places = [SecretName(kind, owner, name) for kind in ("tenant", "user") for owner in "ab" for name in ("x", "y")]
    for number, which in enumerate(places):
        ours.set(which, f"secret {number}")

    assert [ours.use(which) for which in places] == [f"secret {number}" for number in range(len(places))]
    assert len(ours.vault.infos("tenant")) == 4
    assert [(info.owner_id, info.name) for info in ours.vault.infos("user", "b")] == [("b", "x"), ("b", "y")]


def test_masks_sent_back_keep_what_is_stored(ours: Desktop) -> None:
    """With an expiry only that changes; where nothing is stored a mask is refused."""
    stored = ours.set(OPENAI, LONG)
    expires_at = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)

    assert ours.set(OPENAI, "****cdef") == stored
    expiring = ours.set(OPENAI, "****", expires_at=expires_at)

    assert ours.use(OPENAI) == LONG
    assert (expiring.row_version, expiring.expires_at) == (2, "2099-01-01T00:00:00.000000Z")
    assert expiring.fingerprint == stored.fingerprint
    with pytest.raises(ValidationError, match=r"^secret: "):
        ours.set(SecretName("tenant", "acme", "none"), "****cdef")


def test_an_expired_secret_is_not_used(ours: Desktop, store: InProcess) -> None:
    """It is told as expired, cannot be revealed either, and works again once its expiry is taken away."""
    ours.set(OPENAI, LONG)
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    with ours.vault.writing() as connection:
        info = ours.vault.expire(connection, OPENAI, past, actor=ACTOR)

    assert info.status == "expired"
    for opening in (ours.use, lambda which: ours.vault.reveal(which, actor=ACTOR)):
        with pytest.raises(SecretExpiredError):
            opening(OPENAI)
    with ours.vault.writing() as connection:
        ours.vault.expire(connection, OPENAI, None, actor=ACTOR)
    assert ours.use(OPENAI) == LONG
    assert actions(store)[:5] == ["set", "expire", "refused", "refused", "expire"]


def test_an_expiry_cannot_be_moved_by_sql(ours: Desktop, store: InProcess) -> None:
    """It is bound like everything else: a later date written into the row makes the secret unreadable."""
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    ours.set(OPENAI, LONG, expires_at=soon)

    change(store, sa.update(secrets).values(expires_at=soon + dt.timedelta(days=365)))

    with pytest.raises(SecretUnreadableError):
        ours.use(OPENAI)


def test_what_does_not_exist(ours: Desktop) -> None:
    """Use finds nothing, reveal and expire say so."""
    assert ours.use(OPENAI) is None
    with pytest.raises(NotFoundError):
        ours.vault.reveal(OPENAI, actor=ACTOR)
    with pytest.raises(NotFoundError), ours.vault.writing() as connection:
        ours.vault.expire(connection, OPENAI, None, actor=ACTOR)


def test_shredding_an_owner_leaves_nothing_to_restore(ours: Desktop, store: InProcess) -> None:
    """Its rows are gone, and a backup of them no longer opens, as the salt is gone too; others keep theirs."""
    other = SecretName("tenant", "other", "openai")
    ours.set(OPENAI, LONG)
    ours.set(SecretName("tenant", "acme", "google"), "second")
    ours.set(other, "other's")
    backup = rows_of(store)

    assert ours.shred("tenant", "acme") == 2

    assert ours.vault.infos("tenant", "acme") == []
    assert ours.use(other) == "other's"
    ours.set(SecretName("tenant", "acme", "fresh"), "fresh")
    change(store, sa.insert(secrets), [row for row in backup.values() if row["owner_id"] == "acme"])
    with pytest.raises(SecretUnreadableError):
        ours.use(OPENAI)
    assert ours.use(SecretName("tenant", "acme", "fresh")) == "fresh"
    assert ("delete", "acme", None, "ok") in audited(store)


def test_verdicts_belong_to_a_version(ours: Desktop, store: InProcess) -> None:
    """A verdict about a key that was replaced meanwhile changes nothing."""
    ours.set(OPENAI, LONG)
    taken = ours.vault.take(OPENAI, actor=ACTOR)
    assert taken is not None
    assert ours.vault.set_status(OPENAI, taken.row_version, "valid", evidence="200", validated=True, actor=ACTOR)
    info = ours.vault.info(OPENAI)
    assert info is not None
    assert (info.status, info.status_evidence, info.last_validated_at is not None) == ("valid", "200", True)

    ours.set(OPENAI, "replaced")

    assert not ours.vault.set_status(OPENAI, taken.row_version, "invalid", evidence=None, validated=True, actor=ACTOR)
    info = ours.vault.info(OPENAI)
    assert info is not None
    assert (info.status, info.last_validated_at) == ("unknown", None)
    assert actions(store).count("validate") == 1


def test_first_writes_at_once_follow_each_other(ours: Desktop, store: InProcess) -> None:
    """The second waits, and replaces what the first has stored: also for an owner that has other secrets already."""
    ours.set(SecretName("tenant", "acme", "google"), LONG)
    stored: list[int] = []
    second = threading.Thread(target=lambda: stored.append(ours.set(OPENAI, "second").row_version))
    with ours.vault.writing() as connection:
        stored.append(ours.vault.put(connection, OPENAI, "first", actor=ACTOR).row_version)
        second.start()
        second.join(0.3)
        assert second.is_alive()
    second.join()

    assert len(stored) == 2
    assert stored[0] < stored[1]
    assert ours.use(OPENAI) == "second"
    assert [action for action in actions(store) if action != "use"] == ["set", "set", "replace"]


def test_a_write_is_undone_with_its_callers_transaction(ours: Desktop, store: InProcess) -> None:
    """What the caller's own rows need, the secrets do too: all or nothing."""
    ours.set(OPENAI, LONG)

    def fail_late() -> None:
        with ours.vault.writing() as connection:
            ours.vault.put(connection, OPENAI, "lost", actor=ACTOR)
            ours.vault.put(connection, SecretName("tenant", "acme", "lost"), "lost", actor=ACTOR)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail_late()

    assert ours.use(OPENAI) == LONG
    assert len(rows_of(store)) == 1


def test_nothing_is_done_that_cannot_be_told(ours: Desktop, store: InProcess) -> None:
    """Without an audit log nothing is stored, revealed, deleted, shredded or rotated; use goes on, told later."""
    ours.set(OPENAI, LONG)
    before = rows_of(store)
    change(store, sa.text("ALTER TABLE audit_entries RENAME TO audit_away"))

    attempts: list[Callable[[], object]] = [
        lambda: ours.set(OPENAI, "changed"),
        lambda: ours.set(SecretName("tenant", "acme", "new"), "new"),
        lambda: ours.vault.reveal(OPENAI, actor=ACTOR),
        lambda: ours.delete(OPENAI),
        lambda: ours.shred("tenant", "acme"),
        lambda: ours.rotations.start(actor=ACTOR),
    ]
    for attempt in attempts:
        with pytest.raises(AuditUnavailableError):
            attempt()

    assert ours.use(OPENAI) == LONG
    assert rows_of(store) == before
    change(store, sa.text("ALTER TABLE audit_away RENAME TO audit_entries"))
    ours.set(OPENAI, "changed")
    assert ours.rotations.document().state == "idle"


# --- moved, tampered with, restored ----------------------------------------------------------------------------------

PLACES = [
    OPENAI,
    SecretName("tenant", "acme", "google"),
    SecretName("tenant", "other", "openai"),
    SecretName("user", "acme", "openai"),
    SecretName("system", "default", "openai"),
]
SEALED = ("ciphertext", "kid", "api_secret_fingerprint")


def expect_unreadable(ours: Desktop, which: SecretName, code: str | None = None) -> None:
    """The secret is refused with a sentence, never given; it is marked, and every list and document still works."""
    with pytest.raises(ConflictError) as caught:
        ours.use(which)
    assert caught.value.code == (code or "secret-unreadable")
    with pytest.raises(ConflictError):
        ours.vault.reveal(which, actor=ACTOR)
    info = ours.vault.info(which)
    assert info is not None
    assert info.status == "unreadable"
    assert info in ours.vault.infos()
    assert ours.vault.document().unreadable == 1


def test_move_matrix(store: InProcess, tmp_path: Path) -> None:
    """A ciphertext put in any other row's place is refused: other owner, other kind, other name, other row."""
    ours = desktop(store, tmp_path / "ours", key=KEY_A, api_key_secret=API_SECRET)
    for which in PLACES:
        ours.set(which, f"secret of {which}")
    rows = {(row["owner_kind"], row["owner_id"], row["name"]): row for row in rows_of(store).values()}
    moves = list(itertools.permutations(PLACES, 2))

    for source, target in moves:
        moved = {name: rows[source.owner_kind, source.owner_id, source.name][name] for name in SEALED}
        own = rows[target.owner_kind, target.owner_id, target.name]
        change(store, sa.update(secrets).where(secrets.c.id == own["id"]).values(moved))
        expect_unreadable(ours, target)
        change(store, sa.update(secrets).where(secrets.c.id == own["id"]).values({name: own[name] for name in SEALED}))
        assert ours.use(target) == f"secret of {target}"  # and the mark is gone
        assert ours.vault.document().unreadable == 0

    assert len(moves) == 20


RELABELLED: dict[str, dict[str, str]] = {
    "another name": {"name": "renamed"},
    "another owner": {"owner_id": "other"},
    "another kind": {"owner_kind": "server"},
    "an owner without salt": {"owner_id": "nobody"},
    "another row": {"id": "00000000-0000-4000-8000-000000000000"},
}


@pytest.mark.parametrize("label", RELABELLED.values(), ids=RELABELLED.keys())
def test_a_row_cannot_be_relabelled(ours: Desktop, store: InProcess, label: dict[str, str]) -> None:
    """Leaving the ciphertext and changing what it belongs to is the same, and the row can be replaced or deleted."""
    ours.set(OPENAI, LONG)
    ours.set(SecretName("tenant", "other", "own"), "other's")
    ours.set(SecretName("server", "acme", "own"), "server's")

    change(store, sa.update(secrets).where(secrets.c.name == "openai").values(label))

    which = SecretName(**{**OPENAI.columns(), **{name: label[name] for name in label if name != "id"}})
    expect_unreadable(ours, which)
    ours.set(which, "replaced")
    assert ours.use(which) == "replaced"
    change(store, sa.update(secrets).where(secrets.c.name == which.name).values(row_version=9))
    expect_unreadable(ours, which)
    assert ours.delete(which)
    assert ours.vault.document().unreadable == 0


def test_salts_cannot_be_exchanged(ours: Desktop, store: InProcess) -> None:
    """Two owners' salts swapped, one deleted, one damaged: unreadable, replaceable, and the other owner unharmed."""
    other = SecretName("tenant", "other", "openai")
    ours.set(OPENAI, LONG)
    ours.set(other, "other's")
    is_acme = vault_owners.c.owner_id == "acme"
    salts = {row.owner_id: row.salt for row in read(store, sa.select(vault_owners))}

    for salt in (salts["other"], "no hex at all", ""):
        change(store, sa.update(vault_owners).where(is_acme).values(salt=salt))
        expect_unreadable(ours, OPENAI)
        ours.set(OPENAI, LONG)
        assert ours.use(OPENAI) == LONG
        assert ours.use(other) == "other's"
    change(store, sa.delete(vault_owners).where(is_acme))
    expect_unreadable(ours, OPENAI)
    ours.set(OPENAI, "replaced")
    assert ours.use(OPENAI) == "replaced"


DAMAGE: dict[str, tuple[Callable[[str], str], str]] = {
    "flipped byte": (lambda text: text[:60] + ("A" if text[60] != "A" else "B") + text[61:], "secret-unreadable"),
    "truncated token": (lambda text: text[:-5], "secret-unreadable"),
    "no token": (lambda text: text[:13], "secret-unreadable"),
    "junk inside": (lambda text: text[:50] + "\n" + text[50:], "secret-unreadable"),
    "not ASCII": (lambda text: text[:50] + "é" + text[51:], "secret-unreadable"),
    "unknown key id": (lambda text: "vf1.00000000." + text[13:], "secret-unreadable"),
    "later format": (lambda text: "vf9" + text[3:], "secret-format-unknown"),
    "plaintext": (lambda _: "sk-live-plaintext", "secret-format-unknown"),
    "Fernet token": (lambda text: text[13:], "secret-format-unknown"),
    "empty": (lambda _: "", "secret-format-unknown"),
}


@pytest.mark.parametrize(("damage", "code"), DAMAGE.values(), ids=DAMAGE.keys())
def test_damage_is_told_and_never_read(
    ours: Desktop, store: InProcess, damage: Callable[[str], str], code: str
) -> None:
    """By its code: an unknown format may come from a later version, everything else was tampered with."""
    beside = SecretName("tenant", "acme", "beside")
    ours.set(OPENAI, LONG)
    ours.set(beside, "untouched")
    row = next(row for row in rows_of(store).values() if row["name"] == "openai")

    change(store, sa.update(secrets).where(secrets.c.id == row["id"]).values(ciphertext=damage(row["ciphertext"])))

    expect_unreadable(ours, OPENAI, code)
    assert ours.use(beside) == "untouched"
    assert verify(ours.vault.attachment, store.database)[0] == Tally(opened=1, broken=1)
    ours.set(OPENAI, "replaced")
    assert ours.use(OPENAI) == "replaced"
    refused = [entry for entry in audited(store) if entry[0] == "refused"]
    assert refused == [("refused", "acme", "openai", "refused")] * 2


def test_lists_tell_what_does_not_open(ours: Desktop, store: InProcess, tmp_path: Path) -> None:
    """At once, before anybody has tried to use it, and without decrypting; who is locked cannot tell."""
    names = {number: SecretName("tenant", f"owner {number % 3}", name) for number, name in enumerate(DAMAGE)}
    for which in (*names.values(), OPENAI):
        ours.set(which, LONG)
    by_name = {row["name"]: row for row in rows_of(store).values()}
    for damage, _ in DAMAGE.values():
        name = next(name for name, given in DAMAGE.items() if given[0] is damage)
        damaged = damage(by_name[name]["ciphertext"])
        change(store, sa.update(secrets).where(secrets.c.name == name).values(ciphertext=damaged))
    moved = SecretName("tenant", "acme", "moved")
    ours.set(moved, LONG)
    change(
        store, sa.update(secrets).where(secrets.c.name == "moved").values(ciphertext=by_name["openai"]["ciphertext"])
    )

    statuses = {info.name: info.status for info in ours.vault.infos()}
    locked = desktop(store, tmp_path / "locked", key=KEY_B)

    assert {name for name, status in statuses.items() if status == "unreadable"} == {*DAMAGE, "moved"}
    assert statuses["openai"] == "unknown"
    damaged_info, sound_info = ours.vault.info(moved), ours.vault.info(OPENAI)
    assert damaged_info is not None
    assert sound_info is not None
    assert (damaged_info.status, sound_info.status) == ("unreadable", "unknown")
    assert {info.name: info.status for info in locked.vault.infos()}["moved"] == "unknown"
    ours.set(moved, LONG)
    assert {info.name: info.status for info in ours.vault.infos()}["moved"] == "unknown"


def test_a_damaged_salt_shows_in_lists(ours: Desktop, store: InProcess) -> None:
    """Missing, no salt at all, or another owner's: whatever the owner had does not open, and the list says so."""
    ours.set(OPENAI, LONG)
    other = SecretName("tenant", "globex", "openai")
    ours.set(other, LONG)
    is_owner = vault_owners.c.owner_id == "acme"

    for statement in (
        sa.update(vault_owners).where(is_owner).values(salt="00" * 32),
        sa.update(vault_owners).where(is_owner).values(salt="no salt"),
        sa.delete(vault_owners).where(is_owner),
    ):
        change(store, statement)

        assert [info.status for info in ours.vault.infos()] == ["unreadable", "unknown"]


def test_values_of_no_sense_break_no_list(ours: Desktop, tmp_path: Path) -> None:
    """SQLite keeps whatever somebody writes into a column: the row is marked, and replaced like any other."""
    with on_sqlite(tmp_path / "strange.db") as strange:
        one = desktop(strange, tmp_path / "strange", key=KEY_A)
        for number, assignment in enumerate(
            ("ciphertext = x'80ff'", "expires_at = 'tomorrow'", "kid = x'00'", "row_version = 'many'", "status = 7")
        ):
            which = SecretName("tenant", "acme", f"name {number}")
            one.set(which, LONG, expires_at=dt.datetime(2099, 1, 1, tzinfo=dt.UTC))
            strange.execute(f"UPDATE secrets SET {assignment} WHERE name = 'name {number}'")
            assert len(one.vault.infos()) == number + 1
            if not assignment.startswith("status"):
                expect_unreadable(one, which, "secret-format-unknown" if "ciphertext" in assignment else None)
            one.set(which, "replaced")
            assert one.use(which) == "replaced"
        assert verify(one.vault.attachment, strange.database)[0] == Tally(opened=5)


def test_an_older_version_of_a_row_does_not_open(ours: Desktop, store: InProcess) -> None:
    """Neither its ciphertext under the present version, nor one of a row of the same name that was deleted."""
    ours.set(OPENAI, "first")
    first = next(iter(rows_of(store).values()))
    ours.set(OPENAI, "second")
    change(store, sa.update(secrets).values(ciphertext=first["ciphertext"]))
    expect_unreadable(ours, OPENAI)

    ours.delete(OPENAI)
    ours.set(OPENAI, "third")
    change(store, sa.update(secrets).values(ciphertext=first["ciphertext"]))
    expect_unreadable(ours, OPENAI)


def test_ciphertexts_of_another_vault_do_not_open(ours: Desktop, tmp_path: Path) -> None:
    """Not even with its keys, owners and rows copied over: they are bound to that vault's id."""
    with on_sqlite(tmp_path / "another.db") as another_store:
        another = desktop(another_store, tmp_path / "another", key=KEY_A)
        another.set(OPENAI, "another vault's")
        copied = {table: read(another_store, sa.select(table)) for table in (vault_keys, vault_wraps, secrets)}
        salts = read(another_store, sa.select(vault_owners))
    ours.set(OPENAI, LONG)
    store = ours.store
    change(store, sa.delete(secrets))
    change(store, sa.update(vault_owners).values(salt=salts[0].salt))
    change(store, sa.insert(secrets), [dict(row._mapping) for row in copied[secrets]])
    expect_unreadable(ours, OPENAI)

    foreign = [{**row._mapping, "state": "retired"} for row in copied[vault_keys]]
    change(store, sa.insert(vault_keys), foreign)
    change(store, sa.insert(vault_wraps), [dict(row._mapping) for row in copied[vault_wraps]])
    expect_unreadable(ours, OPENAI)  # a key that the manifest does not list opens nothing, and is not asked for
    assert len(ours.vault.infos()) == 1


def test_key_ids_cannot_be_exchanged(ours: Desktop, store: InProcess) -> None:
    """After a rotation, an old ciphertext with the new key's id, the reverse, and a column that says otherwise."""
    ours.set(OPENAI, LONG)
    old = next(iter(rows_of(store).values()))
    ours.rotate()
    new = next(iter(rows_of(store).values()))
    assert old["kid"] != new["kid"]

    for values in (
        {"ciphertext": old["ciphertext"]},
        {"ciphertext": old["ciphertext"].replace(old["kid"], new["kid"])},
        {"ciphertext": old["ciphertext"], "kid": old["kid"]},
        {"ciphertext": new["ciphertext"].replace(new["kid"], old["kid"])},
        {"kid": old["kid"]},
    ):
        change(store, sa.update(secrets).values({"ciphertext": new["ciphertext"], "kid": new["kid"]} | values))
        expect_unreadable(ours, OPENAI)
    change(store, sa.update(secrets).values(ciphertext=new["ciphertext"], kid=new["kid"]))
    assert ours.use(OPENAI) == LONG


def test_verify_marks_what_does_not_open(ours: Desktop, store: InProcess) -> None:
    """All rows are tried, more than one batch of them; the broken ones are listed, marked, and left in place."""
    stored = ours.fill(1203)
    broken = [which for number, which in enumerate(stored) if number % 400 == 7]
    for which in broken:
        change(store, sa.update(secrets).where(secrets.c.name == which.name).values(row_version=2))

    tally, infos = verify(ours.vault.attachment, store.database)

    assert tally == Tally(opened=1200, broken=3)
    assert {info.name for info in infos} == {which.name for which in broken}
    assert ours.vault.document().unreadable == 3


def test_verify_takes_a_mark_away_that_is_not_true_any_more(ours: Desktop, store: InProcess) -> None:
    """What an administrator has put right counts as readable from then on; nothing else about it changes."""
    ours.set(OPENAI, LONG)
    before = rows_of(store)
    change(store, sa.update(secrets).values(status="unreadable"))
    assert ours.vault.document().unreadable == 1

    tally, infos = verify(ours.vault.attachment, store.database)

    assert (tally, infos) == (Tally(opened=1), [])
    assert ours.vault.document().unreadable == 0
    assert rows_of(store) == before


# --- keys: several desktops, one database ----------------------------------------------------------------------------


def test_desktops_with_the_same_key_share_a_vault(store: InProcess, tmp_path: Path) -> None:
    """Both read and write, also right after the other has rotated, without starting anew."""
    first = desktop(store, tmp_path / "first", encryption_keys=(KEY_A,))
    second = desktop(store, tmp_path / "second", encryption_keys=(KEY_A,))
    mine, yours = SecretName("tenant", "a", "x"), SecretName("tenant", "b", "x")
    first.set(mine, "by the first")
    second.set(yours, "by the second")

    for rotating in (first, second, first):
        rotating.rotate()
        assert first.use(yours) == second.use(yours) == "by the second"
        second.set(mine, "changed")
        first.set(yours, "by the second")
        assert first.use(mine) == second.use(mine) == "changed"
    assert count_of(vault_keys, store) == 1


@pytest.mark.parametrize("late", ["use", "reveal", "verify"])
def test_a_rotation_that_overtakes_a_reader_is_no_damage(
    store: InProcess, tmp_path: Path, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that was read just before its key was given up is read once more; nothing is refused, or marked."""
    first, second = (desktop(store, tmp_path / name, encryption_keys=(KEY_A,)) for name in ("first", "second"))
    first.set(OPENAI, LONG)
    second.vault.attachment.attach()
    first.rotations.start(actor=ACTOR)
    assert first.rotations._step()  # so that the second one has to look at the keys again
    keys_at = second.vault.attachment.keys_at

    def overtaken(epoch: int | None, kid: str) -> Any:
        first.rotations.work()
        return keys_at(epoch, kid)

    monkeypatch.setattr(type(second.vault.attachment), "keys_at", lambda _, epoch, kid: overtaken(epoch, kid))
    if late == "verify":
        assert verify(second.vault.attachment, store.database) == (Tally(opened=1), [])
    else:
        assert (second.use if late == "use" else partial(second.vault.reveal, actor=ACTOR))(OPENAI) == LONG

    assert first.rotations.document().state == "done"
    assert "refused" not in actions(store)
    assert first.vault.document().unreadable == 0


def test_lists_follow_a_rotation_elsewhere(store: InProcess, tmp_path: Path) -> None:
    """A desktop that has not noticed yet that another one rotated takes no secret for lost."""
    first, second = (desktop(store, tmp_path / name, encryption_keys=(KEY_A,)) for name in ("first", "second"))
    first.set(OPENAI, LONG)
    assert [info.status for info in second.vault.infos()] == ["unknown"]

    first.rotate()
    listed = [info.status for info in second.vault.infos()]
    first.rotate()
    shown = second.vault.info(OPENAI)

    assert listed == ["unknown"]
    assert shown is not None
    assert shown.status == "unknown"


def test_a_desktop_without_the_key_is_locked(store: InProcess, ours: Desktop, tmp_path: Path) -> None:
    """It lists, masks and deletes; use names the key that is needed; nothing is generated or stored."""
    ours.set(OPENAI, LONG)
    doomed = SecretName("tenant", "acme", "doomed")
    ours.set(doomed, "doomed")
    third = desktop(store, tmp_path / "third", key=KEY_B)

    document = third.vault.document()

    assert document.state == "locked"
    assert document.needs_fingerprint == fingerprint(KEY_A)
    assert document.key_fingerprint == fingerprint(KEY_B)
    assert [info.hint for info in third.vault.infos()] == [None, "cdef"]
    assert third.delete(doomed)
    attempts: list[Callable[[], object]] = [
        lambda: third.use(OPENAI),
        lambda: third.vault.reveal(OPENAI, actor=ACTOR),
        lambda: third.set(OPENAI, "changed"),
        lambda: third.rotations.start(actor=ACTOR),
        lambda: verify(third.vault.attachment, store.database),
        lambda: keep_recovery_code(third.vault.attachment, third.audit, new_recovery_code(), actor=ACTOR),
    ]
    for attempt in attempts:
        with pytest.raises(VaultLockedError, match=fingerprint(KEY_A)) as caught:
            attempt()
        assert (caught.value.status, caught.value.code) == (423, "vault-locked")
    assert count_of(vault_keys, store) == count_of(vault_wraps, store) == 1
    assert ours.use(OPENAI) == LONG
    assert (third.audit.verify().problems, third.audit.verify().ok) == ([], False)  # others wrote with their keys


def test_the_missing_key_unlocks_without_a_restart(store: InProcess, ours: Desktop, tmp_path: Path) -> None:
    """From then on the desktop's own key opens the vault, also after its next start."""
    ours.set(OPENAI, LONG)
    third = desktop(store, tmp_path / "third", key=KEY_B)

    for wrong in (KEY_B, KEY_C):
        with pytest.raises(KeyWrongError):
            unlock(
                third.vault.attachment,
                third.audit,
                encryption_key=encode_key(wrong),
                recovery_code=None,
                actor=ACTOR,
            )
    assert third.vault.document().state == "locked"
    unlock(third.vault.attachment, third.audit, encryption_key=encode_key(KEY_A), recovery_code=None, actor=ACTOR)

    assert third.vault.document().state == "unlocked"
    assert third.use(OPENAI) == LONG
    assert desktop(store, tmp_path / "third").use(OPENAI) == LONG
    assert {row.fingerprint for row in read(store, sa.select(vault_wraps))} == {fingerprint(KEY_A), fingerprint(KEY_B)}
    with pytest.raises(KeyWrongError):  # also while it is unlocked
        unlock(third.vault.attachment, third.audit, encryption_key=encode_key(KEY_C), recovery_code=None, actor=ACTOR)
    assert [entry for entry in actions(store) if entry in ("unlock", "refused")] == ["refused"] * 2 + [
        "unlock",
        "refused",
    ]


def test_a_rotation_keeps_members_in_and_removal_takes_the_key_away(
    store: InProcess, ours: Desktop, tmp_path: Path
) -> None:
    """A new vault key is wrapped for every member; who was removed is given the key once more."""
    ours.set(OPENAI, LONG)
    third = desktop(store, tmp_path / "third", key=KEY_B)
    unlock(third.vault.attachment, third.audit, encryption_key=encode_key(KEY_A), recovery_code=None, actor=ACTOR)
    assert third.use(OPENAI) == LONG

    ours.rotate()

    assert third.use(OPENAI) == LONG
    ours.team.remove(next(one.device_id for one in third.team.devices() if one.is_this), actor=ACTOR)
    ours.rotations.work()
    with pytest.raises(VaultLockedError, match=fingerprint(KEY_A)):
        third.use(OPENAI)
    with pytest.raises(VaultLockedError):
        third.set(OPENAI, "changed")
    unlock(third.vault.attachment, third.audit, encryption_key=encode_key(KEY_A), recovery_code=None, actor=ACTOR)
    assert third.use(OPENAI) == LONG


@pytest.mark.parametrize(
    ("given", "field"),
    [
        pytest.param({"encryption_key": None, "recovery_code": None}, "encryption_key", id="nothing"),
        pytest.param({"encryption_key": "no key", "recovery_code": None}, "encryption_key", id="no key"),
        pytest.param({"encryption_key": encode_key(bytes(32)), "recovery_code": None}, "encryption_key", id="zeros"),
        pytest.param({"encryption_key": None, "recovery_code": "ABCD"}, "recovery_code", id="no code"),
    ],
)
def test_malformed_keys_are_named(ours: Desktop, given: dict[str, str | None], field: str) -> None:
    """The sentence begins with the field and holds nothing of what was given."""
    with pytest.raises(ValidationError, match=f"^{field}: ") as caught:
        unlock(ours.vault.attachment, ours.audit, **given, actor=ACTOR)

    assert not any(value and value in str(caught.value) for value in given.values())


def test_a_recovery_code_unlocks_and_survives_rotations(store: InProcess, ours: Desktop, tmp_path: Path) -> None:
    """The last one that was made, whichever key is active; older ones are worth nothing."""
    ours.set(OPENAI, LONG)
    old_code, code = new_recovery_code(), new_recovery_code()
    for made in (old_code, code):
        keep_recovery_code(ours.vault.attachment, ours.audit, made, actor=ACTOR)
    assert ours.vault.document().has_recovery_code
    ours.rotate()
    ours.rotate()
    assert ours.vault.document().has_recovery_code

    third = desktop(store, tmp_path / "third", key=KEY_B)
    with pytest.raises(KeyWrongError):
        unlock(third.vault.attachment, third.audit, encryption_key=None, recovery_code=old_code, actor=ACTOR)
    unlock(third.vault.attachment, third.audit, encryption_key=None, recovery_code=code.lower(), actor=ACTOR)

    assert third.use(OPENAI) == LONG
    assert desktop(store, tmp_path / "third").use(OPENAI) == LONG
    third.rotate()
    fourth = desktop(store, tmp_path / "fourth", key=KEY_C)
    assert fourth.vault.document().needs_fingerprint == fingerprint(KEY_B)  # never the code's own
    unlock(fourth.vault.attachment, fourth.audit, encryption_key=None, recovery_code=code, actor=ACTOR)
    assert fourth.use(OPENAI) == LONG


def test_a_recovery_code_made_during_a_rotation_opens_both_keys(
    store: InProcess, ours: Desktop, tmp_path: Path
) -> None:
    """Rows that have not moved yet are not lost with the root key."""
    stored = ours.fill(300)
    ours.rotations.start(actor=ACTOR)
    assert ours.rotations._step()  # the new key is active, no row has moved
    code = new_recovery_code()

    keep_recovery_code(ours.vault.attachment, ours.audit, code, actor=ACTOR)

    third = desktop(store, tmp_path / "third", key=KEY_B)
    unlock(third.vault.attachment, third.audit, encryption_key=None, recovery_code=code, actor=ACTOR)
    assert verify(third.vault.attachment, store.database)[0] == Tally(opened=300)
    assert all(third.use(which) == secret for which, secret in list(stored.items())[:20])


def test_a_reset_gives_lost_secrets_up(store: InProcess, ours: Desktop, tmp_path: Path) -> None:
    """Old rows stay, unreadable for everybody, and are replaced one by one; new ones work at once."""
    google = SecretName("tenant", "acme", "google")
    ours.set(OPENAI, LONG)
    ours.set(google, "second")
    third = desktop(store, tmp_path / "third", key=KEY_B)
    vault_id = third.vault.document().vault_id
    assert vault_id is not None

    with pytest.raises(ValidationError, match=r"^confirm: "):
        reset(third.vault.attachment, third.audit, confirm="yes", actor=ACTOR)
    with pytest.raises(ConflictError):
        reset(ours.vault.attachment, ours.audit, confirm=vault_id, actor=ACTOR)
    reset(third.vault.attachment, third.audit, confirm=vault_id.upper(), actor=ACTOR)

    document = third.vault.document()
    assert (document.state, document.vault_id, document.secrets, document.unreadable) == ("unlocked", vault_id, 2, 2)
    for which in (OPENAI, google):
        with pytest.raises(SecretUnreadableError):
            third.use(which)
    assert {info.status for info in third.vault.infos()} == {"unreadable"}
    third.set(OPENAI, "entered again")
    assert third.use(OPENAI) == "entered again"
    assert third.vault.document().unreadable == 1
    assert ours.vault.document().state == "locked"
    with pytest.raises(SecretUnreadableError):  # although its key is at hand there
        ours.use(google)
    with pytest.raises(VaultLockedError, match=fingerprint(KEY_B)):
        ours.use(OPENAI)
    third.set(google, "entered again, too")
    third.rotate()
    assert count_of(vault_keys, store) == 1  # nothing needs the lost key any more
    assert "reset" in actions(store)


def test_a_reset_keeps_what_still_opens(store: InProcess, ours: Desktop, tmp_path: Path) -> None:
    """Rows under a key that is at hand are not lost with the active one; the next rotation moves them."""
    ours.set(OPENAI, LONG)
    second = desktop(store, tmp_path / "second", key=KEY_B)
    unlock(second.vault.attachment, second.audit, encryption_key=encode_key(KEY_A), recovery_code=None, actor=ACTOR)
    ours.rotations.start(actor=ACTOR)
    assert ours.rotations._step()  # the new key is active, no row has moved
    is_new = vault_device_wraps.c.kid == ours.vault.document().kid
    change(store, sa.delete(vault_device_wraps).where(is_new))  # it is out of reach of the second desktop
    ours.set(SecretName("tenant", "acme", "late"), "under the new key")
    vault_id = second.vault.document().vault_id
    assert second.vault.document().state == "locked"
    assert vault_id is not None

    reset(second.vault.attachment, second.audit, confirm=vault_id, actor=ACTOR)

    assert second.use(OPENAI) == LONG
    with pytest.raises(SecretUnreadableError):
        second.use(SecretName("tenant", "acme", "late"))
    second.rotate()
    assert second.use(OPENAI) == LONG
    assert second.rotations.document().quarantined == 0


def test_no_key_is_made_over_encrypted_rows(store: InProcess, ours: Desktop, tmp_path: Path) -> None:
    """Without a single key left in the database the vault is locked; a reset is the way out."""
    ours.set(OPENAI, LONG)
    change(store, sa.delete(vault_wraps))
    change(store, sa.delete(vault_keys))
    fresh = desktop(store, tmp_path / "ours")

    document = fresh.vault.document()

    assert (document.state, document.kid, document.needs_fingerprint) == ("locked", None, None)
    with pytest.raises(SecretUnreadableError):
        fresh.use(OPENAI)
    with pytest.raises(VaultLockedError, match="no key opens it"):
        fresh.set(OPENAI, "changed")
    assert count_of(vault_keys, store) == 0
    assert len(fresh.vault.infos()) == 1
    assert document.vault_id is not None
    reset(fresh.vault.attachment, fresh.audit, confirm=document.vault_id, actor=ACTOR)
    fresh.set(OPENAI, "entered again")
    assert fresh.use(OPENAI) == "entered again"


def test_a_damaged_wrap_is_told_and_mended(store: InProcess, ours: Desktop, tmp_path: Path) -> None:
    """The desktop does not ask for the key that it has; whoever else opens the vault makes it whole again."""
    ours.set(OPENAI, LONG)
    code = new_recovery_code()
    keep_recovery_code(ours.vault.attachment, ours.audit, code, actor=ACTOR)
    is_own = vault_wraps.c.fingerprint == fingerprint(KEY_A)
    change(store, sa.update(vault_wraps).where(is_own).values(wrap="damaged"))
    change(store, sa.update(vault_device_wraps).values(wrap="damaged"))

    again = desktop(store, tmp_path / "ours")

    document = again.vault.document()
    assert (document.state, document.needs_fingerprint) == ("locked", None)
    with pytest.raises(VaultLockedError, match="recovery code"):
        again.use(OPENAI)
    unlock(again.vault.attachment, again.audit, encryption_key=None, recovery_code=code, actor=ACTOR)
    assert again.use(OPENAI) == LONG
    assert desktop(store, tmp_path / "ours").use(OPENAI) == LONG


def test_a_damaged_fingerprint_key_hurts_nothing_else(store: InProcess, ours: Desktop, tmp_path: Path) -> None:
    """Secrets open as before; fingerprints are told by a new key from then on."""
    stored = ours.set(OPENAI, LONG)
    change(store, sa.update(vault_keys).values(fingerprint_key="damaged"))
    again = desktop(store, tmp_path / "ours")

    assert again.use(OPENAI) == LONG
    replaced = again.set(OPENAI, LONG)

    assert replaced.fingerprint != stored.fingerprint
    assert again.set(OPENAI, LONG).fingerprint == replaced.fingerprint


def test_lists_of_encryption_keys(store: InProcess, tmp_path: Path) -> None:
    """All of them open, the first one wraps: so a key is exchanged on one desktop after the other."""
    old = desktop(store, tmp_path / "old", encryption_keys=(KEY_A,))
    old.set(OPENAI, LONG)

    both = desktop(store, tmp_path / "both", encryption_keys=(KEY_B, KEY_A))
    assert both.use(OPENAI) == LONG
    new = desktop(store, tmp_path / "new", encryption_keys=(KEY_B,))
    assert new.use(OPENAI) == LONG

    assert old.use(OPENAI) == LONG
    both.rotate()
    assert old.use(OPENAI) == new.use(OPENAI) == LONG


def test_an_encryption_key_that_is_added_later(store: InProcess, ours: Desktop, tmp_path: Path) -> None:
    """What was wrapped under `fernet.key` still opens, and a wrap for the new key is added."""
    ours.set(OPENAI, LONG)

    later = desktop(store, tmp_path / "ours", encryption_keys=(KEY_B,))

    assert later.use(OPENAI) == LONG
    assert later.vault.document().key_fingerprint == fingerprint(KEY_B)
    elsewhere = desktop(store, tmp_path / "elsewhere", encryption_keys=(KEY_B,))
    assert elsewhere.use(OPENAI) == LONG
    later.rotate()
    assert desktop(store, tmp_path / "ours").use(OPENAI) == LONG  # the environment lost its key again


def test_fernet_key_is_not_let_in_beside_an_encryption_key(store: InProcess, tmp_path: Path) -> None:
    """Whoever keeps the key off the disk from the start does not find it there after rotations."""
    only = desktop(store, tmp_path / "only", key=KEY_A, encryption_keys=(KEY_B,))
    only.set(OPENAI, LONG)

    only.rotate()
    ring = KeyRing((KEY_C, KEY_A))
    (tmp_path / "only" / KEY_FILE).write_text("\n".join(encode_key(key) for key in ring.keys))
    assert adopt(only.vault.attachment, only.audit, ring, actor=ACTOR)

    assert [row.fingerprint for row in read(store, sa.select(vault_wraps))] == [fingerprint(KEY_B)]
    assert only.use(OPENAI) == LONG


def test_a_rotated_key_file_is_adopted(store: InProcess, ours: Desktop, tmp_path: Path) -> None:
    """Wraps are made for the new key and taken from the old one; recovery code and other desktops keep theirs."""
    ours.set(OPENAI, LONG)
    keep_recovery_code(ours.vault.attachment, ours.audit, new_recovery_code(), actor=ACTOR)
    third = desktop(store, tmp_path / "third", key=KEY_B)
    unlock(third.vault.attachment, third.audit, encryption_key=encode_key(KEY_A), recovery_code=None, actor=ACTOR)
    file = tmp_path / "ours" / KEY_FILE
    file.write_text(f"{encode_key(KEY_C)}\n{encode_key(KEY_A)}")

    assert adopt(ours.vault.attachment, ours.audit, KeyRing((KEY_C, KEY_A)), actor=ACTOR)
    assert adopt(ours.vault.attachment, ours.audit, KeyRing((KEY_C, KEY_A)), actor=ACTOR)

    file.write_text(encode_key(KEY_C))
    roots = {row.fingerprint for row in read(store, sa.select(vault_wraps)) if row.kind == "root"}
    assert roots == {fingerprint(KEY_B), fingerprint(KEY_C)}
    assert desktop(store, tmp_path / "ours").use(OPENAI) == third.use(OPENAI) == LONG
    assert ours.vault.document().has_recovery_code


def test_racing_desktops_make_one_vault(store: InProcess, tmp_path: Path) -> None:
    """Eight attach to an empty database at once: one vault, one key, and all of them use it."""
    desktops = [desktop(store, tmp_path / str(number), encryption_keys=(KEY_A,)) for number in range(8)]
    barrier = threading.Barrier(len(desktops))
    failures: list[RequestError] = []

    def begin(number: int) -> None:
        barrier.wait()
        try:
            desktops[number].set(SecretName("tenant", str(number), "x"), f"secret {number}")
        except RequestError as exc:
            failures.append(exc)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(len(desktops))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert count_of(vaults, store) == count_of(vault_keys, store) == count_of(vault_wraps, store) == 1
    assert all(
        one.use(SecretName("tenant", str(number), "x")) == f"secret {number}"
        for one in desktops
        for number in range(len(desktops))
    )


def test_without_a_key_file_the_vault_says_so(store: InProcess, ours: Desktop, tmp_path: Path) -> None:
    """What is open stays open; what needs the file is refused, and no key is made."""
    ours.set(OPENAI, LONG)
    (tmp_path / "ours" / KEY_FILE).unlink()

    assert ours.use(OPENAI) == LONG
    ours.set(OPENAI, "changed")
    for attempt in (lambda: ours.rotations.start(actor=ACTOR), ours.vault.document):
        with pytest.raises(RootKeyMissingError) as caught:
            attempt()
        assert (caught.value.status, caught.value.code) == (503, "key-missing")
    assert not (tmp_path / "ours" / KEY_FILE).exists()
    (tmp_path / "ours" / KEY_FILE).write_text("damaged")
    with pytest.raises(RootKeyMissingError) as caught:
        ours.vault.document()
    assert caught.value.code == "key-invalid"


def test_another_database_is_another_vault(ours: Desktop, tmp_path: Path) -> None:
    """What was read through one engine is worth nothing for the next; back again, all is there."""
    ours.set(OPENAI, LONG)
    database, first = ours.store.database, ours.store.opened
    vault_id = ours.vault.document().vault_id
    with on_sqlite(tmp_path / "another.db") as another:
        database._opened = None  # kept from being closed: it comes back
        database.replace(another.opened)

        assert ours.vault.brief()["state"] == "unavailable"
        assert ours.use(OPENAI) is None
        ours.set(OPENAI, "another")
        assert ours.vault.document().vault_id != vault_id

        database._opened = None
        database.replace(first)
        assert ours.use(OPENAI) == LONG
        assert ours.vault.document().vault_id == vault_id


def test_keys_are_never_taken_for_another_databases(ours: Desktop, tmp_path: Path) -> None:
    """A transaction on the old engine that seals after the new one was attached does so under its own vault's key."""
    ours.set(OPENAI, LONG)
    database, first = ours.store.database, ours.store.opened
    late = SecretName("tenant", "acme", "late")
    with on_sqlite(tmp_path / "another.db") as another:
        with ours.vault.writing() as connection:
            database._opened = None
            database.replace(another.opened)
            assert ours.vault.document().secrets == 0
            ours.vault.put(connection, late, "late", actor=ACTOR)
        database._opened = None
        database.replace(first)
        assert ours.use(late) == "late"


def test_a_lost_database_is_unavailable(ours: Desktop) -> None:
    """Every call says so, and nothing else."""
    ours.set(OPENAI, LONG)
    ours.store.database.cut_off()

    attempts: list[Callable[[], object]] = [
        lambda: ours.use(OPENAI),
        lambda: ours.set(OPENAI, "changed"),
        ours.vault.infos,
        ours.vault.document,
        lambda: ours.rotations.start(actor=ACTOR),
        ours.rotations.work,
    ]
    for attempt in attempts:
        with pytest.raises(DatabaseAwayError):
            attempt()
    assert ours.vault.brief() == {"state": "unavailable", "needs_fingerprint": None}


# --- API_KEY_ENCRYPTION_SECRET ---------------------------------------------------------------------------------------

OF_USER = SecretName("user", "u-1", "openai")


def test_users_secrets_need_their_additional_secret(store: InProcess, tmp_path: Path) -> None:
    """Missing or changed, it is asked for by fingerprint; others' secrets do not need it; nothing is marked."""
    has = desktop(store, tmp_path / "has", encryption_keys=(KEY_A,), api_key_secret=API_SECRET)
    lacks = desktop(store, tmp_path / "lacks", encryption_keys=(KEY_A,))
    other = desktop(store, tmp_path / "other", encryption_keys=(KEY_A,), api_key_secret=OTHER_API_SECRET)
    has.set(OF_USER, LONG)
    has.set(OPENAI, "tenant's")

    messages = []
    for without in (lacks, other):
        with pytest.raises(ApiSecretMissingError) as caught:
            without.use(OF_USER)
        assert (caught.value.status, caught.value.code) == (423, "vault-locked")
        messages.append(caught.value.message)
        assert without.use(OPENAI) == "tenant's"
        assert verify(without.vault.attachment, store.database) == (Tally(opened=1, waiting=1), [])

    assert has.use(OF_USER) == LONG
    assert {info.status for info in has.vault.infos()} == {"unknown"}
    assert "none is set" in messages[0]
    assert "API_KEY_ENCRYPTION_SECRET" in messages[0]
    assert messages[0] != messages[1]
    assert not any(secret in "".join(messages) for secret in (API_SECRET, OTHER_API_SECRET))


def test_users_secrets_survive_rotations_elsewhere(store: InProcess, tmp_path: Path) -> None:
    """A desktop without the additional secret leaves them under their old key, which stays until somebody can."""
    has = desktop(store, tmp_path / "has", encryption_keys=(KEY_A,), api_key_secret=API_SECRET)
    lacks = desktop(store, tmp_path / "lacks", encryption_keys=(KEY_A,))
    has.set(OF_USER, LONG)
    has.set(OPENAI, "tenant's")

    for _ in range(3):
        lacks.rotate()
        assert lacks.rotations.document().quarantined == 1
        assert has.use(OF_USER) == LONG
        assert has.use(OPENAI) == lacks.use(OPENAI) == "tenant's"
        assert count_of(vault_keys, store) == 2
    assert {info.status for info in has.vault.infos()} == {"unknown"}

    has.rotate()
    assert has.rotations.document().quarantined == 0
    assert count_of(vault_keys, store) == 1
    assert has.use(OF_USER) == LONG


def test_the_additional_secret_may_be_set_later(store: InProcess, tmp_path: Path) -> None:
    """What was stored without it still opens; the next rotation mixes it in."""
    before = desktop(store, tmp_path / "ours", key=KEY_A)
    before.set(OF_USER, LONG)
    after = desktop(store, tmp_path / "ours", api_key_secret=API_SECRET)

    assert after.use(OF_USER) == LONG
    after.rotate()

    assert after.use(OF_USER) == LONG
    with pytest.raises(ApiSecretMissingError):
        before.use(OF_USER)
    assert [row["api_secret_fingerprint"] is None for row in rows_of(store).values()] == [False]


def test_the_fingerprint_of_the_additional_secret_cannot_be_forged(store: InProcess, tmp_path: Path) -> None:
    """Whatever the column says: only the right secret opens the row, and it does so with a wrong column too."""
    has = desktop(store, tmp_path / "ours", key=KEY_A, api_key_secret=API_SECRET)
    has.set(OF_USER, LONG)

    change(store, sa.update(secrets).values(api_secret_fingerprint="0123456789abcdef"))
    assert has.use(OF_USER) == LONG
    change(store, sa.update(secrets).values(api_secret_fingerprint=None))
    with pytest.raises(SecretUnreadableError):
        has.use(OF_USER)


# --- at the same time ------------------------------------------------------------------------------------------------


def test_sealing_and_shredding_at_the_same_time(store: InProcess, tmp_path: Path) -> None:
    """Whichever comes first: what is there afterwards opens, and nothing lies under a salt that is gone."""
    one, two = (desktop(store, tmp_path / name, encryption_keys=(KEY_A,)) for name in ("one", "two"))
    names = [SecretName("tenant", "acme", str(number)) for number in range(4)]
    one.set(names[0], "first")
    stop = threading.Event()
    failures: list[RequestError] = []

    def shred_again_and_again() -> None:
        while not stop.is_set():
            try:
                two.shred("tenant", "acme")
            except RequestError as exc:
                failures.append(exc)

    shredder = threading.Thread(target=shred_again_and_again)
    shredder.start()
    try:
        for number in range(40):
            with contextlib.suppress(DatabaseAwayError):  # SQLite may be busy for too long
                one.set(names[number % 4], f"secret {number}")
    finally:
        stop.set()
        shredder.join()

    assert failures == []
    one.set(names[0], "last")
    assert verify(one.vault.attachment, store.database)[1] == []
    assert one.use(names[0]) == "last"


def test_all_of_a_desktops_threads_may_write(ours: Desktop, store: InProcess) -> None:
    """Versions are gapless, the last writer wins, and every row opens."""
    failures: list[BaseException] = []

    def write(thread: int) -> None:
        try:
            for number in range(8):
                ours.set(OPENAI, f"by {thread}: {number}")
                ours.set(SecretName("tenant", f"own-{thread}", "x"), f"{number}")
        except RequestError as exc:
            failures.append(exc)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    info = ours.vault.info(OPENAI)
    assert info is not None
    assert info.row_version == 32
    assert verify(ours.vault.attachment, store.database)[0] == Tally(opened=5)
    assert [ours.use(SecretName("tenant", f"own-{number}", "x")) for number in range(4)] == ["7"] * 4


def test_expiry_is_told_in_utc(ours: Desktop) -> None:
    """Whatever offset it was given with."""
    somewhere = dt.timezone(dt.timedelta(hours=5, minutes=30))
    expires_at = dt.datetime(2099, 6, 1, 12, tzinfo=somewhere)

    assert ours.set(OPENAI, LONG, expires_at=expires_at).expires_at == instant_text(expires_at)
    assert ours.use(OPENAI) == LONG


def test_no_secret_and_no_key_in_logs_or_errors(
    ours: Desktop, store: InProcess, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """At debug level, whatever goes wrong; nor in the errors, their texts, attributes and the errors beneath."""
    canary = "sk-canary-VELLUM-0123456789"
    caplog.set_level("DEBUG")
    caught: list[BaseException] = []
    third = desktop(store, tmp_path / "third", key=KEY_B)
    ours.set(OPENAI, canary)
    ours.use(OPENAI)
    ours.rotate()

    def attempt(action: Callable[[], object]) -> None:
        try:
            action()
        except RequestError as exc:
            caught.append(exc)

    attempt(lambda: third.use(OPENAI))
    attempt(lambda: third.set(OPENAI, canary))
    attempt(
        lambda: unlock(
            third.vault.attachment, third.audit, encryption_key=encode_key(KEY_C), recovery_code=None, actor=ACTOR
        )
    )
    attempt(lambda: unlock(third.vault.attachment, third.audit, encryption_key=canary, recovery_code=None, actor=ACTOR))
    attempt(lambda: unlock(third.vault.attachment, third.audit, encryption_key=None, recovery_code=canary, actor=ACTOR))
    change(store, sa.update(secrets).values(row_version=5))
    attempt(lambda: ours.use(OPENAI))
    change(store, sa.text("ALTER TABLE audit_entries RENAME TO audit_away"))
    attempt(lambda: ours.set(SecretName("tenant", "acme", "other"), canary))
    assert len(caught) == 7

    beneath = [error for first in caught for error in (first, first.__cause__, first.__context__) if error is not None]
    texts = [
        caplog.text,
        *(repr(record.__dict__) for record in caplog.records),
        repr(ours),
        repr(ours.vault.attachment.keys()),
    ]
    texts += [repr(error) + repr(getattr(error, "__dict__", {})) for error in beneath]
    hidden = [canary, "VELLUM", *(encode_key(key) for key in (KEY_A, KEY_B, KEY_C))]
    hidden += [repr(key.key)[2:-1] for key in ours.vault.attachment.keys().opened.values()]
    assert [(secret, text) for secret in hidden for text in texts if secret in text] == []


def test_the_document_of_a_vault_never_waits_for_its_audit_log(ours: Desktop, store: InProcess) -> None:
    """What only reads works without it."""
    ours.set(OPENAI, LONG)
    change(store, sa.text("ALTER TABLE audit_entries RENAME TO audit_away"))

    assert ours.vault.document().secrets == 1
    assert Vault(ours.config, store.database, ours.audit, watch_keys(ours.config)).document().state == "unlocked"


def test_unknown_format_error_has_its_own_code() -> None:
    """Codes are part of the interface."""
    assert (SecretFormatUnknownError().code, SecretFormatUnknownError().status) == ("secret-format-unknown", 409)
    assert (SecretUnreadableError().code, SecretUnreadableError().status) == ("secret-unreadable", 409)
    assert "moved or tampered with" in SecretUnreadableError().message

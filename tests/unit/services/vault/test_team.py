"""Many desktops, one vault: who comes in, who stays, who is out, and what whoever owns the database cannot do."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from app.core.exceptions import ConflictError, NotFoundError
from app.core.security import existing_keys, rotate_keys
from app.db.base import utc_now
from app.models.audit import audit_entries
from app.models.devices import vault_device_wraps, vault_devices, vault_join_requests, vault_successions
from app.models.vault import secrets, vault_keys, vault_manifest, vault_wraps
from app.services.vault.devices import device_of
from app.services.vault.join_codes import new_join_code
from app.services.vault.keys import UntrustedKeyError, VaultLockedError
from app.services.vault.ledger import VaultRolledBackError
from app.services.vault.rows import SecretName
from app.services.vault.team import CodeWrongError, NotRequestedError, RequestExpiredError
from app.services.vault.unlocking import accept, adopt, is_needed
from tests.support.in_process import empty_on_sqlite
from tests.support.vaults import ACTOR, Desktop, change, desktop, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.in_process import InProcess

KEYS = {name: bytes(range(number, number + 32)) for number, name in enumerate("abcde")}
OPENAI = SecretName("tenant", "acme", "openai")
SECRET = "sk-live-0123456789abcdef"
TABLES = (
    secrets,
    vault_manifest,
    vault_keys,
    vault_wraps,
    vault_devices,
    vault_device_wraps,
    vault_successions,
    vault_join_requests,
)


@pytest.fixture
def member(store: InProcess, tmp_path: Path) -> Callable[..., Desktop]:
    """Return a desktop by name, as a process that has just started sees it; the first one makes the vault."""

    def named(name: str, **options: Any) -> Desktop:
        return desktop(store, tmp_path / name, key=KEYS[name], **options)

    return named


def id_of(one: Desktop) -> str:
    """Return the device id of a desktop."""
    return one.team._device().id


def state_of(one: Desktop) -> str:
    """Return the vault's state as a desktop sees it now."""
    one.vault.attachment.attach()
    return one.vault.attachment.state


def join(newcomer: Desktop, approver: Desktop) -> None:
    """Let a desktop in."""
    code = newcomer.team.ask("newcomer", actor=ACTOR).code
    approver.team.approve(id_of(newcomer), code, actor=ACTOR)
    assert newcomer.team.look()
    assert state_of(newcomer) == "unlocked"


def states(one: Desktop) -> dict[str, str]:
    """Return what a desktop says of each."""
    return {device.device_id: device.state for device in one.team.devices()}


def taken(store: InProcess) -> dict[Any, list[Any]]:
    """Copy what the database says of keys and members."""
    return {table: [dict(row._mapping) for row in read(store, sa.select(table))] for table in TABLES}


def put_back(store: InProcess, copy: dict[Any, list[Any]]) -> None:
    """Set the database back to a copy."""
    for table in reversed(TABLES):
        change(store, sa.delete(table))
    for table in TABLES:
        for row in copy[table]:
            change(store, sa.insert(table).values(**row))
    change(store, sa.text("UPDATE vaults SET epoch = epoch + 1"))


# --- coming in -------------------------------------------------------------------------------------------------------


def test_three_desktops_share_use_and_rotate(member: Callable[..., Desktop]) -> None:
    """A makes the vault, B and C come in; whoever rotates, everybody can read and write."""
    a, b, c = member("a"), member("b"), member("c")
    a.set(OPENAI, SECRET)
    assert state_of(b) == "locked"
    assert b.team.access == "none"

    join(b, a)
    join(c, b)
    b.rotate()
    c.set(OPENAI, "sk-live-replaced-by-the-third")
    c.rotate()

    assert a.use(OPENAI) == b.use(OPENAI) == c.use(OPENAI) == "sk-live-replaced-by-the-third"
    assert states(a) == dict.fromkeys((id_of(a), id_of(b), id_of(c)), "member")
    assert {one.team.access for one in (a, b, c)} == {"member"}


def test_desktop_that_was_away_follows(member: Callable[..., Desktop]) -> None:
    """Two rotations by two others, then a start: it reads on, and rotates itself."""
    a, b, c = member("a"), member("b"), member("c")
    a.set(OPENAI, SECRET)
    join(b, a)
    join(c, a)

    a.rotate()
    c.rotate()
    a.rotate()
    back = member("b")

    assert back.use(OPENAI) == SECRET
    back.rotate()
    assert member("a").use(OPENAI) == member("c").use(OPENAI) == SECRET


def test_newcomer_comes_in_though_the_key_has_changed_meanwhile(member: Callable[..., Desktop]) -> None:
    """Approved under one key, looked under the next."""
    a, b = member("a"), member("b")
    a.set(OPENAI, SECRET)
    code = b.team.ask(None, actor=ACTOR).code
    a.team.approve(id_of(b), code, actor=ACTOR)
    a.rotate()
    a.rotate()

    assert member("b").team.look()
    assert member("b").use(OPENAI) == SECRET


def test_newcomer_reads_what_a_rotation_has_not_moved_yet(member: Callable[..., Desktop]) -> None:
    """Older keys are granted as well, and one that is only staged is made anew."""
    a, b, c = member("a"), member("b"), member("c")
    a.set(OPENAI, SECRET)
    a.rotations.start(actor=ACTOR)
    join(b, a)
    a.rotations._step()
    join(c, a)

    assert b.use(OPENAI) == c.use(OPENAI) == SECRET
    c.rotations.work()
    assert b.rotations.document().state in ("done", "rewrapping")
    assert a.use(OPENAI) == SECRET


def test_request_is_seen_and_can_be_taken_back(member: Callable[..., Desktop]) -> None:
    """Both see it; afterwards nobody does, and its code is void."""
    a, b = member("a"), member("b")
    state_of(a)
    asked = b.team.ask("anna@desk-3", actor=ACTOR)

    assert b.team.request() == asked
    assert b.team.access == "requested"
    shown = a.team.devices()[0]
    assert (shown.device_id, shown.label, shown.state, shown.is_this) == (id_of(b), "anna@desk-3", "requested", False)
    assert asked.code not in repr(asked)

    b.team.cancel(actor=ACTOR)
    assert [device.state for device in a.team.devices()] == ["member"]
    with pytest.raises(NotFoundError):
        a.team.approve(id_of(b), asked.code, actor=ACTOR)
    with pytest.raises(NotFoundError):
        b.team.request()


def test_request_outlives_a_restart_on_either_side(member: Callable[..., Desktop]) -> None:
    """Nothing that matters is in memory."""
    a, b = member("a"), member("b")
    state_of(a)
    code = b.team.ask(None, actor=ACTOR).code

    assert member("b").team.request().code == code
    member("a").team.approve(id_of(b), code, actor=ACTOR)
    again = member("b")
    assert again.team.look()
    assert state_of(again) == "unlocked"


def test_member_cannot_ask(member: Callable[..., Desktop]) -> None:
    """It is in."""
    a = member("a")
    with pytest.raises(ConflictError):
        a.team.ask(None, actor=ACTOR)


# --- codes -----------------------------------------------------------------------------------------------------------


def test_asking_again_voids_the_code(member: Callable[..., Desktop]) -> None:
    """Only the newest one counts."""
    a, b = member("a"), member("b")
    state_of(a)
    old = b.team.ask(None, actor=ACTOR).code
    new = b.team.ask(None, actor=ACTOR).code

    with pytest.raises(CodeWrongError, match="well typed"):
        a.team.approve(id_of(b), old, actor=ACTOR)
    assert a.team.approve(id_of(b), new, actor=ACTOR).state == "member"


def test_mistyped_code_is_told_from_another_one(member: Callable[..., Desktop]) -> None:
    """By the check character; the right one still works."""
    a, b = member("a"), member("b")
    state_of(a)
    code = b.team.ask(None, actor=ACTOR).code
    wrong = code[:-1] + ("A" if code[-1] != "A" else "B")

    with pytest.raises(CodeWrongError, match="mistyped"):
        a.team.approve(id_of(b), wrong, actor=ACTOR)
    with pytest.raises(CodeWrongError, match="changed this one in the database"):
        a.team.approve(id_of(b), new_join_code().text(), actor=ACTOR)
    assert a.team.approve(id_of(b), code.lower().replace("-", ""), actor=ACTOR).state == "member"


def test_five_wrong_codes_void_the_request(member: Callable[..., Desktop]) -> None:
    """The sixth finds nothing, nor does the right one; the newcomer learns it."""
    a, b = member("a"), member("b")
    state_of(a)
    code = b.team.ask(None, actor=ACTOR).code
    for _ in range(5):
        with pytest.raises(CodeWrongError):
            a.team.approve(id_of(b), new_join_code().text(), actor=ACTOR)

    with pytest.raises(NotFoundError):
        a.team.approve(id_of(b), code, actor=ACTOR)
    assert not b.team.look()
    assert b.team.access == "none"


def test_request_ends_after_a_day(member: Callable[..., Desktop]) -> None:
    """On both sides, by the clock."""
    a, b = member("a"), member("b")
    state_of(a)
    code = b.team.ask(None, actor=ACTOR).code
    later = utc_now() + dt.timedelta(hours=24, seconds=1)
    a_later, b_later = member("a", team_clock=lambda: later), member("b", team_clock=lambda: later)

    with pytest.raises(RequestExpiredError):
        a_later.team.approve(id_of(b), code, actor=ACTOR)
    assert [device.state for device in a_later.team.devices()] == ["member"]
    assert not b_later.team.look()
    assert b_later.team.access == "none"


def test_one_of_two_approvers_is_too_late(member: Callable[..., Desktop]) -> None:
    """The newcomer comes in once."""
    a, b, c = member("a"), member("b"), member("c")
    state_of(a)
    join(b, a)
    code = c.team.ask(None, actor=ACTOR).code
    a.team.approve(id_of(c), code, actor=ACTOR)

    with pytest.raises(NotRequestedError):
        b.team.approve(id_of(c), code, actor=ACTOR)
    assert c.team.look()


def test_two_requests_are_kept_apart(member: Callable[..., Desktop]) -> None:
    """One's code lets the other in nowhere."""
    a, b, c = member("a"), member("b"), member("c")
    state_of(a)
    code_b, code_c = b.team.ask("b", actor=ACTOR).code, c.team.ask("c", actor=ACTOR).code

    with pytest.raises(CodeWrongError):
        a.team.approve(id_of(b), code_c, actor=ACTOR)
    a.team.approve(id_of(c), code_c, actor=ACTOR)
    a.team.approve(id_of(b), code_b, actor=ACTOR)
    assert b.team.look()
    assert c.team.look()


def test_approver_must_be_in(member: Callable[..., Desktop]) -> None:
    """A desktop that asks lets nobody in."""
    a, b, c = member("a"), member("b"), member("c")
    state_of(a)
    code = c.team.ask(None, actor=ACTOR).code

    with pytest.raises(VaultLockedError):
        b.team.approve(id_of(c), code, actor=ACTOR)


# --- leaving ---------------------------------------------------------------------------------------------------------


def test_removed_desktop_is_locked_at_once(member: Callable[..., Desktop]) -> None:
    """Its wraps open nothing, the answer counts what it could have read, and it can ask again."""
    a, b, c = member("a"), member("b"), member("c")
    a.set(OPENAI, SECRET)
    a.set(SecretName("tenant", "acme", "google"), "another-secret-of-some-length")
    join(b, a)
    join(c, a)
    before = taken(a.store)

    removal = a.team.remove(id_of(c), actor=ACTOR)

    assert removal is not None
    assert removal.secrets == 2
    with pytest.raises(VaultLockedError):
        c.use(OPENAI)
    assert state_of(c) == state_of(member("c")) == "locked"
    a.rotations.work()
    assert a.use(OPENAI) == b.use(OPENAI) == SECRET
    assert id_of(c) not in states(a)
    old = [row for row in before[vault_device_wraps] if row["device_id"] == id_of(c)]
    change(a.store, sa.insert(vault_device_wraps).values(**old[0]))
    change(a.store, sa.insert(vault_devices), [row for row in before[vault_devices] if row["device_id"] == id_of(c)])
    with pytest.raises(VaultLockedError):
        c.use(OPENAI)
    assert states(a)[id_of(c)] == "untrusted"
    join(c, b)
    assert c.use(OPENAI) == SECRET


def test_removal_takes_a_running_rotation_along(member: Callable[..., Desktop]) -> None:
    """Wherever it was, it goes on towards a key that the removed desktop never had."""
    a, b = member("a"), member("b")
    a.set(OPENAI, SECRET)
    join(b, a)
    for steps in (0, 1):
        a.rotations.start(actor=ACTOR)
        for _ in range(steps):
            a.rotations._step()
        a.team.remove(id_of(b), actor=ACTOR)
        assert state_of(b) == "locked"
        a.rotations.work()
        assert a.use(OPENAI) == SECRET
        join(b, a)
    assert b.use(OPENAI) == SECRET


def test_desktop_may_leave_by_itself(member: Callable[..., Desktop]) -> None:
    """It finishes the rotation, and is out."""
    a, b = member("a"), member("b")
    a.set(OPENAI, SECRET)
    join(b, a)

    assert b.team.remove(id_of(b), actor=ACTOR) is not None
    b.rotations.work()
    b.team.finish_leaving()

    assert state_of(b) == state_of(member("b")) == "locked"
    assert a.use(OPENAI) == SECRET
    assert list(states(a)) == [id_of(a)]


def test_last_member_cannot_leave(member: Callable[..., Desktop]) -> None:
    """Nobody could open the vault any more."""
    a = member("a")
    state_of(a)

    with pytest.raises(ConflictError, match="last member"):
        a.team.remove(id_of(a), actor=ACTOR)


@pytest.mark.parametrize("is_running", [True, False])
def test_new_key_file_is_the_same_member(member: Callable[..., Desktop], tmp_path: Path, *, is_running: bool) -> None:
    """What was wrapped for the old key opens nothing any more, and the directory keeps one row, under its label."""
    a, b = member("a"), member("b")
    a.set(OPENAI, SECRET)
    join(b, a)
    old, label = id_of(b), next(one.label for one in a.team.devices() if one.device_id == id_of(b))
    by = b if is_running else member("b")

    assert is_needed(by.store.database, [KEYS["b"]])
    assert rotate_keys(by.config.config_dir, lambda ring: adopt(by.vault.attachment, by.audit, ring, actor=ACTOR))

    again = desktop(b.store, tmp_path / "b")
    assert again.use(OPENAI) == by.use(OPENAI) == SECRET
    new = id_of(again)
    assert new != old
    assert states(a) == dict.fromkeys((id_of(a), new), "member")
    shown = next(one for one in a.team.devices() if one.device_id == new)
    assert (shown.label, shown.approved_by) == (label, old)
    assert not read(a.store, sa.select(vault_device_wraps).where(vault_device_wraps.c.device_id == old))
    assert not is_needed(by.store.database, [KEYS["b"]])
    assert existing_keys(tmp_path / "b") is not None
    a.rotate()
    assert desktop(b.store, tmp_path / "b").use(OPENAI) == SECRET


def test_request_is_rejected_without_a_rotation(member: Callable[..., Desktop]) -> None:
    """Nobody was in."""
    a, b = member("a"), member("b")
    state_of(a)
    b.team.ask(None, actor=ACTOR)

    assert a.team.remove(id_of(b), actor=ACTOR) is None
    assert a.rotations.document().state == "idle"
    assert not b.team.look()
    with pytest.raises(NotFoundError):
        a.team.remove(id_of(b), actor=ACTOR)


# --- the database as attacker ----------------------------------------------------------------------------------------


def attackers(member: Callable[..., Desktop]) -> Any:
    """Return the device of somebody who owns the database."""
    a = member("a")
    state_of(a)
    return device_of(bytes(range(100, 132)), a.vault.attachment.keys().vault_id)


@pytest.mark.parametrize("column", [pytest.param("public_key", id="public key"), pytest.param("label", id="label")])
def test_request_that_was_changed_lets_nobody_in(member: Callable[..., Desktop], column: str) -> None:
    """The code proves the row that was made with it, and no other."""
    a, b = member("a"), member("b")
    attacker = attackers(member)
    code = b.team.ask("anna@desk-3", actor=ACTOR).code
    value = {"public_key": attacker.public.text(), "label": "boss@desk-1"}[column]
    change(a.store, sa.update(vault_join_requests).values({column: value}))

    with pytest.raises(CodeWrongError, match="changed this one in the database"):
        a.team.approve(id_of(b), code, actor=ACTOR)
    assert len(read(a.store, sa.select(vault_device_wraps))) == 1


def invented(attacker: Any) -> dict[str, Any]:
    """Return a row that lets the attacker in."""
    return {
        "device_id": attacker.id,
        "public_key": attacker.public.text(),
        "label": "boss@desk-1",
        "approved_by": attacker.id,
        "approved_at": utc_now(),
    }


def test_invented_member_gets_nothing(member: Callable[..., Desktop]) -> None:
    """Nothing is wrapped for it, and everybody sees it."""
    a = member("a")
    a.set(OPENAI, SECRET)
    attacker = attackers(member)
    own = read(a.store, sa.select(vault_device_wraps))[0]._asdict()
    change(a.store, sa.insert(vault_devices).values(**invented(attacker)))
    change(a.store, sa.insert(vault_device_wraps).values(**{**own, "device_id": attacker.id}))

    assert states(a)[attacker.id] == "untrusted"
    named = [one.message for one in a.vault.verified().findings if one.kind == "member"]
    assert len(named) == 1
    assert attacker.id in named[0]
    a.rotate()

    kid = a.vault.attachment.keys().active_kid
    wrapped = read(a.store, sa.select(vault_device_wraps.c.device_id).where(vault_device_wraps.c.kid == kid))
    assert [row.device_id for row in wrapped] == [id_of(a)]
    assert a.team.remove(attacker.id, actor=ACTOR) is None
    assert attacker.id not in states(a)
    assert a.vault.verified().ok


def test_member_of_another_vault_gets_nothing(member: Callable[..., Desktop], tmp_path: Path) -> None:
    """A row of a vault with the same desktop in it, copied with all that goes with it, does not make it a member."""
    a = member("a")
    a.set(OPENAI, SECRET)
    with empty_on_sqlite(tmp_path / "other.db") as elsewhere:
        there = desktop(elsewhere, tmp_path / "there", key=KEYS["a"])
        there.set(OPENAI, SECRET)
        b = desktop(elsewhere, tmp_path / "b", key=KEYS["b"])
        join(b, there)
        stranger = id_of(b)
        copied = {
            table: [row for row in taken(elsewhere)[table] if row["device_id"] == stranger]
            for table in (vault_devices, vault_device_wraps)
        }
    assert all(copied.values())
    for table, rows in copied.items():
        for row in rows:
            change(a.store, sa.insert(table).values(**row))

    assert states(a)[stranger] == "untrusted"
    a.rotate()
    kid = a.vault.attachment.keys().active_kid
    wrapped = read(a.store, sa.select(vault_device_wraps.c.device_id).where(vault_device_wraps.c.kid == kid))
    assert [row.device_id for row in wrapped] == [id_of(a)]
    assert state_of(member("b")) == "locked"


BEFORE = {
    **{table.name: (table,) for table in TABLES if table not in (vault_keys, vault_wraps)},
    "all": TABLES,
}
"""A key is refused by the database itself while there is another one, and its wraps without it."""


@pytest.mark.parametrize("tables", BEFORE.values(), ids=BEFORE)
def test_rows_from_before_a_removal_let_nobody_back_in(
    member: Callable[..., Desktop], tables: tuple[sa.Table, ...]
) -> None:
    """Whichever tables' old rows are put back beside the present ones: the removed desktop stays out."""
    a, b = member("a"), member("b")
    a.set(OPENAI, SECRET)
    join(b, a)
    before = taken(a.store)
    a.team.remove(id_of(b), actor=ACTOR)
    a.rotations.work()
    present = taken(a.store)
    for table in tables:
        names = [column.name for column in table.primary_key]
        known = {tuple(row[name] for name in names) for row in present[table]}
        for row in before[table]:
            if tuple(row[name] for name in names) not in known:
                values = {**row, "state": "retired"} if table is vault_keys else row
                change(a.store, sa.insert(table).values(**values))

    assert state_of(member("b")) == "locked"
    a.rotate()
    kid = a.vault.attachment.keys().active_kid
    wrapped = read(a.store, sa.select(vault_device_wraps.c.device_id).where(vault_device_wraps.c.kid == kid))
    assert [row.device_id for row in wrapped] == [id_of(a)]
    assert state_of(member("b")) == "locked"
    assert a.use(OPENAI) == SECRET


def test_swapped_public_key_of_a_member_gets_nothing(member: Callable[..., Desktop]) -> None:
    """The member is untrusted from then on, and what is wrapped next is not for the attacker."""
    a, b = member("a"), member("b")
    a.set(OPENAI, SECRET)
    join(b, a)
    attacker = attackers(member)
    change(
        a.store,
        sa.update(vault_devices).where(vault_devices.c.device_id == id_of(b)).values(public_key=attacker.public.text()),
    )

    assert states(a)[id_of(b)] == "untrusted"
    a.rotate()
    kid = a.vault.attachment.keys().active_kid
    assert len(read(a.store, sa.select(vault_device_wraps).where(vault_device_wraps.c.kid == kid))) == 1


def test_planted_key_is_untrusted(member: Callable[..., Desktop]) -> None:
    """An attacker's vault key, wrapped for the desktop and signed by the attacker: nothing is sealed under it."""
    from dataclasses import asdict

    from app.services.vault.keys import FINGERPRINT
    from app.services.vault.membership import Entry, make_wrap, succession_code
    from app.services.vault.sealing import new_vault_key

    a = member("a")
    a.set(OPENAI, SECRET)
    attacker = attackers(member)
    old = a.vault.attachment.keys()
    planted = new_vault_key(old.vault_id)
    own = device_of(KEYS["a"], old.vault_id)
    wrap = asdict(make_wrap(attacker, planted, old.active_kid or "", own.id, own.public))
    wrap["wrap"] = wrap.pop("sealed")
    code = Entry(own.id, own.public, "a", own.id).code(planted)
    entry = Entry(attacker.id, attacker.public, "boss@desk-1", attacker.id)
    change(a.store, sa.update(vault_keys).values(state="retired"))
    sealed = planted.seal_internal(FINGERPRINT, bytes(32))
    change(
        a.store,
        sa.insert(vault_keys).values(kid=planted.kid, state="active", fingerprint_key=sealed, created_at=utc_now()),
    )
    change(a.store, sa.insert(vault_device_wraps).values(**wrap, code=code, created_at=utc_now()))
    change(
        a.store,
        sa.insert(vault_successions).values(
            kid=planted.kid,
            previous_kid=old.active_kid,
            number=7,
            code=succession_code(planted, old.active_kid or "", 7),
            granted_by=attacker.id,
            public_key=attacker.public.text(),
            label=entry.label,
            approved_by=attacker.id,
            granter_code=entry.code(planted),
            created_at=utc_now(),
        ),
    )
    change(a.store, sa.text("UPDATE vaults SET epoch = epoch + 1"))

    for one in (a, member("a")):
        with pytest.raises(UntrustedKeyError):
            one.set(OPENAI, "sk-live-for-the-attacker")
        with pytest.raises(VaultRolledBackError):
            one.use(OPENAI)
    told = sa.select(audit_entries).where(
        (audit_entries.c.reason == "untrusted-key") & (audit_entries.c.name == planted.kid)
    )
    assert len(read(a.store, told)) == 2  # each process tells it once
    assert f"No member has given the vault key {planted.kid}" in str(a.vault.verified().findings)
    accept(a.vault.attachment, a.audit, confirm=old.vault_id, actor=ACTOR)
    assert a.use(OPENAI) == SECRET
    assert a.vault.attachment.keys().active_kid == old.active_kid
    a.rotate()
    assert a.use(OPENAI) == SECRET


def test_replaced_grant_opens_nothing(member: Callable[..., Desktop]) -> None:
    """The newcomer takes no key from somebody who was not told the code; it says so, and keeps waiting."""
    from app.services.vault.membership import make_grant
    from app.services.vault.sealing import new_vault_key

    a, b = member("a"), member("b")
    state_of(a)
    code = b.team.ask(None, actor=ACTOR).code
    a.team.approve(id_of(b), code, actor=ACTOR)
    genuine = read(a.store, sa.select(vault_join_requests.c.grant))[0][0]
    planted = new_vault_key(a.vault.attachment.keys().vault_id)
    grant = make_grant(new_join_code(), planted, b.team._device().public)
    change(a.store, sa.update(vault_join_requests).values(grant=grant))

    assert not b.team.look()
    assert not b.team.look()
    told = sa.select(audit_entries).where(audit_entries.c.reason == "untrusted-key")
    assert len(read(a.store, told)) == 1
    change(a.store, sa.update(vault_join_requests).values(grant=genuine))
    assert b.team.look()


def test_database_set_back_to_before_a_removal_is_not_sealed_to(member: Callable[..., Desktop]) -> None:
    """Who has seen the newer key reads on and writes nothing; nothing is wrapped for who was removed."""
    a, b, c = member("a"), member("b"), member("c")
    a.set(OPENAI, SECRET)
    join(b, a)
    join(c, a)
    before = taken(a.store)
    a.team.remove(id_of(c), actor=ACTOR)
    a.rotations.work()
    assert state_of(b) == "unlocked"

    put_back(a.store, before)

    for one in (a, member("a"), member("b")):
        one.vault.attachment.attach()
        with pytest.raises(VaultRolledBackError):
            one.set(OPENAI, "sk-live-written-to-the-past")
        with pytest.raises(VaultRolledBackError):
            one.rotations.start(actor=ACTOR)
    accept(a.vault.attachment, a.audit, confirm=a.vault.attachment.keys().vault_id, actor=ACTOR)
    assert a.use(OPENAI) == SECRET
    assert state_of(a) == "unlocked"


def test_request_that_was_spent_is_worth_nothing(member: Callable[..., Desktop]) -> None:
    """Played back after a removal, it needs a code that nobody reads out."""
    a, b = member("a"), member("b")
    state_of(a)
    code = b.team.ask(None, actor=ACTOR).code
    asked = read(a.store, sa.select(vault_join_requests))[0]._asdict()
    a.team.approve(id_of(b), code, actor=ACTOR)
    approved = read(a.store, sa.select(vault_join_requests))[0]._asdict()
    b.team.look()
    a.team.remove(id_of(b), actor=ACTOR)
    a.rotations.work()

    for row in (asked, approved):
        change(a.store, sa.delete(vault_join_requests))
        change(a.store, sa.insert(vault_join_requests).values(**row))
        assert not b.team.look()
        assert state_of(b) == "locked"

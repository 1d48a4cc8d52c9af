"""Rotation of the vault key on both databases: every row moves, nothing else changes, edits win."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from app.core.exceptions import DatabaseAwayError
from app.core.fernet_keys import encode_key, fingerprint
from app.core.installation import installation
from app.db.base import Instant, utc_now
from app.models.audit import audit_entries
from app.models.devices import vault_device_wraps
from app.models.vault import secrets, vault_keys, vault_rotations, vault_wraps, vaults
from app.services.vault import rotation
from app.services.vault.check import Tally, verify
from app.services.vault.keys import VaultLockedError
from app.services.vault.recovery import new_recovery_code
from app.services.vault.rotation import BATCH_ROWS, STALE_AFTER, database_clock
from app.services.vault.rows import SecretName, SecretUnreadableError
from app.services.vault.sealing import prefix_of
from app.services.vault.unlocking import keep_recovery_code, unlock
from tests.support.in_process import InProcess, count_of, empty_on_postgresql
from tests.support.vaults import ACTOR, Desktop, change, desktop, read, rows_of
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from app.schemas.vault import RotationDocument
    from tests.support.databases import Database

KEY_A = bytes(range(32))
KEY_B = bytes(range(32, 64))
OPENAI = SecretName("tenant", "acme", "openai")
MOVED_COLUMNS = {"ciphertext", "kid"}
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self, _: sa.Connection, ago: dt.timedelta) -> sa.ColumnElement[dt.datetime]:
        """Tell the time."""
        return sa.literal(self.now - ago, Instant())


@pytest.fixture
def ours(store: InProcess, tmp_path: Path) -> Desktop:
    """The desktop that was there first."""
    return desktop(store, tmp_path / "ours", key=KEY_A)


def begin(one: Desktop) -> None:
    """Begin a rotation and make its key the active one; no row has moved."""
    one.rotations.start(actor=ACTOR)
    assert one.rotations._step()
    assert one.rotations.document().state == "rewrapping"


def unmoved(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Leave out what a rotation changes."""
    return {
        secret_id: {name: value for name, value in row.items() if name not in MOVED_COLUMNS}
        for secret_id, row in rows.items()
    }


def expect_all(one: Desktop, stored: dict[SecretName, str], *, every: int = 1) -> None:
    """Each secret opens with its own value."""
    assert verify(one.vault.attachment, one.store.database)[0] == Tally(opened=len(stored))
    for which, secret in list(stored.items())[::every]:
        assert one.use(which) == secret


# --- from beginning to end -------------------------------------------------------------------------------------------


def test_every_row_moves_and_nothing_else_changes(ours: Desktop, store: InProcess) -> None:
    """States in order, counts that rise, no column touched but ciphertext and key id, the old key gone."""
    stored = ours.fill(2 * BATCH_ROWS + 17)
    before = rows_of(store)
    old_kid = ours.vault.document().kid
    told: list[RotationDocument] = []

    started = ours.rotations.start(actor=ACTOR)
    ours.rotations.work(told.append)

    after, done = rows_of(store), ours.rotations.document()
    assert (started.state, started.from_kid, started.total, started.done) == ("staged", old_kid, len(stored), 0)
    assert [document.state for document in told] == ["rewrapping"] * 4 + ["drained", "done"]
    assert [document.done for document in told] == [0, 200, 400, 417, 417, 417]
    assert (done.state, done.total, done.done, done.quarantined) == ("done", 417, 417, 0)
    assert done.finished_at is not None
    assert ours.vault.document().rotation == done
    assert unmoved(after) == unmoved(before)
    assert {row["kid"] for row in after.values()} == {done.to_kid} == {ours.vault.document().kid}
    assert all(after[secret_id]["ciphertext"] != row["ciphertext"] for secret_id, row in before.items())
    assert [row.kid for row in read(store, sa.select(vault_keys))] == [done.to_kid]
    assert {row.kid for row in read(store, sa.select(vault_wraps))} == {done.to_kid}
    expect_all(ours, stored, every=40)
    rotated = [row for row in read(store, sa.select(audit_entries)) if row.action == "rotate"]
    assert [(row.actor, row.outcome, row.reason) for row in rotated] == [(ACTOR, "ok", "vault key")]


def test_an_empty_vault_rotates_too(ours: Desktop) -> None:
    """And says so."""
    ours.rotate()
    ours.rotate()

    document = ours.rotations.document()
    assert (document.state, document.total, document.done) == ("done", 0, 0)
    ours.set(OPENAI, "secret")
    assert ours.use(OPENAI) == "secret"


def test_before_the_first_rotation_there_is_none(ours: Desktop) -> None:
    """The document says idle, working finds nothing to do, and nothing waits."""
    ours.vault.attachment.attach()

    ours.rotations.work()

    assert ours.rotations.document().state == "idle"
    assert ours.vault.document().rotation is None
    assert not ours.rotations.is_waiting()


def test_fingerprints_outlive_rotations(ours: Desktop) -> None:
    """The same secret has the same fingerprint under the next vault key."""
    first = ours.set(OPENAI, "the same")
    ours.rotate()

    assert ours.set(OPENAI, "the same").fingerprint == first.fingerprint


def test_a_running_rotation_is_not_begun_anew(ours: Desktop, store: InProcess) -> None:
    """Asking again returns the one that runs; only one key is staged, only one entry is written."""
    ours.fill(5)
    first = ours.rotations.start(actor=ACTOR)

    assert ours.rotations.start(actor=ACTOR) == first
    begin_again = ours.rotations._step() and ours.rotations.start(actor=ACTOR)

    assert begin_again
    assert begin_again.to_kid == first.to_kid
    assert count_of(vault_keys, store) == 2
    assert [row.action for row in read(store, sa.select(audit_entries))].count("rotate") == 1


def test_secrets_can_be_used_and_changed_all_the_while(ours: Desktop, store: InProcess, tmp_path: Path) -> None:
    """After each step, on the rotating desktop and on another one: old rows open, new ones are stored."""
    stored = ours.fill(BATCH_ROWS + 50)
    other = desktop(store, tmp_path / "other", key=KEY_A)
    names = list(stored)
    ours.rotations.start(actor=ACTOR)
    goes_on, step = True, 0

    while goes_on:
        step += 1
        for one in (ours, other):
            assert all(one.use(which) == stored[which] for which in names[::60])
            which = SecretName("tenant", "acme", f"during {step} {one is ours}")
            one.set(which, f"new {step}")
            stored[which] = f"new {step}"
        other.set(names[step], f"changed {step}")
        stored[names[step]] = f"changed {step}"
        other.delete(names[-step])
        del stored[names[-step]]
        goes_on = ours.rotations._step()

    assert step == 5
    document = ours.rotations.document()
    assert (document.state, document.quarantined) == ("done", 0)
    assert count_of(vault_keys, store) == 1
    expect_all(other, stored, every=10)


# --- an edit always wins ---------------------------------------------------------------------------------------------


def test_an_edit_between_reading_and_writing_wins(
    ours: Desktop, store: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that was replaced, deleted or moved while its old content was being sealed anew is left as it is."""
    stored = ours.fill(10)
    replaced, deleted, *_ = stored
    other = desktop(store, tmp_path / "other", key=KEY_A)
    begin(ours)
    seal = rotation._resealed

    def edit_meanwhile(rows: Any, keys: Any, new: Any) -> Any:
        result = seal(rows, keys, new)
        other.set(replaced, "edited")
        other.delete(deleted)
        return result

    monkeypatch.setattr(rotation, "_resealed", edit_meanwhile)
    assert ours.rotations._step()
    monkeypatch.setattr(rotation, "_resealed", seal)
    ours.rotations.work()

    del stored[deleted]
    expect_all(ours, stored | {replaced: "edited"})
    document = ours.rotations.document()
    assert (document.state, document.total, document.done, document.quarantined) == ("done", 10, 8, 0)


def test_a_row_that_somebody_holds_is_waited_for_and_not_skipped(
    store: InProcess, ours: Desktop, tmp_path: Path
) -> None:
    """On PostgreSQL an edit in progress neither blocks the batch nor escapes the rotation; SQLite waits its turn."""
    stored = ours.fill(30)
    held = next(iter(stored))
    other = desktop(store, tmp_path / "other", key=KEY_A)
    begin(ours)
    worker = threading.Thread(target=ours.rotations.work)

    with other.vault.writing() as connection:
        connection.execute(sa.update(secrets).where(secrets.c.name == held.name).values(status_evidence="held"))
        worker.start()
        if store.dialect == "postgresql":
            wait_until(lambda: ours.rotations.document().done == 29, timeout_s=10, what="the other rows to move")
            assert ours.rotations.document().state == "rewrapping"
    worker.join()

    expect_all(ours, stored)
    document = ours.rotations.document()
    assert (document.state, document.done, document.quarantined) == ("done", 30, 0)
    assert count_of(vault_keys, store) == 1


def test_nobody_seals_under_a_key_that_has_been_replaced(store: InProcess, tmp_path: Path) -> None:
    """A write that waits while the key changes seals under the new one, one that was first delays the change."""
    first, second = (desktop(store, tmp_path / name, key=KEY_A) for name in ("first", "second"))
    first.set(OPENAI, "before")
    second.vault.attachment.attach()
    first.rotations.start(actor=ACTOR)
    late = SecretName("tenant", "acme", "late")
    early = SecretName("tenant", "acme", "early")
    old_kid = first.vault.document().kid

    with second.vault.writing() as connection:
        second.vault.put(connection, early, "early", actor=ACTOR)
        activation = threading.Thread(target=first.rotations._step)
        activation.start()
        activation.join(0.3)
        assert activation.is_alive()
    activation.join()
    with first.vault.attachment.changing_keys() as changing:
        write = threading.Thread(target=second.set, args=(late, "late"))
        write.start()
        write.join(0.3)
        assert write.is_alive()
        changing.connection.execute(sa.update(vault_keys).where(vault_keys.c.state == "active").values(state="retired"))
        changing.connection.execute(sa.update(vault_keys).where(vault_keys.c.kid == old_kid).values(state="active"))
    write.join()

    kids = {row["name"]: row["kid"] for row in rows_of(store).values()}
    assert kids["early"] == kids["late"] == old_kid


def test_an_administrators_stricter_isolation_does_no_harm(database: Database, tmp_path: Path) -> None:
    """With snapshots that last as long as a transaction, no write is sealed under a key that is about to go."""
    database.execute(f"ALTER ROLE {database.username} SET default_transaction_isolation = 'repeatable read'")
    stop = threading.Event()
    try:
        with empty_on_postgresql(database) as store:
            writer, rotating = (desktop(store, tmp_path / name, key=KEY_A) for name in ("writer", "rotating"))
            stored = rotating.fill(300)
            names, refusals = list(stored), {"busy"}

            def write() -> None:
                number = 0
                while not stop.is_set():
                    number += 1
                    try:
                        writer.set(names[number % 300], f"edit {number}")
                    except DatabaseAwayError as exc:
                        refusals.add(exc.code)
                    else:
                        stored[names[number % 300]] = f"edit {number}"

            thread = threading.Thread(target=write)
            thread.start()
            for _ in range(3):
                rotating.rotate()
            stop.set()
            thread.join()
            rotating.rotate()

            expect_all(rotating, stored, every=20)
            assert count_of(vault_keys, store) == 1
            assert refusals == {"busy"}
    finally:
        stop.set()
        database.execute(f"ALTER ROLE {database.username} RESET default_transaction_isolation")


# --- rows that do not open -------------------------------------------------------------------------------------------


def test_rows_that_do_not_open_are_left_with_their_key(ours: Desktop, store: InProcess) -> None:
    """They are counted and marked, and when they are put right the next rotation takes them along."""
    stored = ours.fill(450)
    bad = list(stored)[3::100]
    is_bad = secrets.c.name.in_([which.name for which in bad])
    change(store, sa.update(secrets).where(is_bad).values(row_version=2))
    old_kid = ours.vault.document().kid

    ours.rotate()

    document = ours.rotations.document()
    assert (document.state, document.done, document.quarantined) == ("done", 445, 5)
    assert {row.kid: row.state for row in read(store, sa.select(vault_keys))} == {
        old_kid: "retired",
        document.to_kid: "active",
    }
    assert ours.vault.document().unreadable == 5
    with pytest.raises(SecretUnreadableError):
        ours.use(bad[0])

    change(store, sa.update(secrets).where(is_bad).values(row_version=1))
    assert ours.use(bad[0]) == stored[bad[0]]  # under its old key
    ours.rotate()
    document = ours.rotations.document()
    assert (document.state, document.done, document.quarantined) == ("done", 450, 0)
    assert count_of(vault_keys, store) == 1
    expect_all(ours, stored, every=50)


def test_unreadable_rows_alone_are_no_endless_work(ours: Desktop, store: InProcess) -> None:
    """A walk that moves nothing ends."""
    ours.fill(250)
    change(store, sa.update(secrets).values(row_version=2))

    ours.rotate()
    ours.rotate()

    assert ours.rotations.document().quarantined == 250
    assert ours.vault.document().unreadable == 250


@pytest.mark.parametrize(
    ("values", "as_it_was"),
    [
        pytest.param({"kid": "ffffffff"}, "kid", id="unknown key id in the column"),
        pytest.param({"ciphertext": "vf1.ffffffff.gAAAAA"}, "ciphertext", id="unknown key id in the ciphertext"),
        pytest.param({"ciphertext": "plaintext"}, "ciphertext", id="no ciphertext"),
    ],
)
def test_a_key_stays_as_long_as_any_row_names_it(
    ours: Desktop, store: InProcess, values: dict[str, str], as_it_was: str
) -> None:
    """By its column or its ciphertext: what an administrator can still put right is not destroyed."""
    ours.set(OPENAI, "secret")
    ours.set(SecretName("tenant", "acme", "other"), "other")
    row = next(row for row in rows_of(store).values() if row["name"] == "openai")
    is_row = secrets.c.id == row["id"]
    change(store, sa.update(secrets).where(is_row).values(values))

    ours.rotate()
    assert ours.rotations.document().quarantined == 1
    change(store, sa.update(secrets).where(is_row).values({as_it_was: row[as_it_was]}))

    assert ours.use(OPENAI) == "secret"
    ours.rotate()
    assert ours.rotations.document().quarantined == 0
    assert count_of(vault_keys, store) == 1


def test_a_wrong_mark_does_not_hold_a_row_back(ours: Desktop, store: InProcess) -> None:
    """Rows are tried, whatever their mark says: it cannot be used to get them lost."""
    stored = ours.fill(20)
    change(store, sa.update(secrets).values(status="unreadable"))

    ours.rotate()

    assert ours.rotations.document().quarantined == 0
    expect_all(ours, stored)


# --- desktops take turns ---------------------------------------------------------------------------------------------


def test_the_same_installation_goes_on_at_once(ours: Desktop, store: InProcess, tmp_path: Path) -> None:
    """Whatever its process died of: after the next start the job is its own."""
    stored = ours.fill(500)
    begin(ours)
    assert ours.rotations._step()
    restarted = desktop(store, tmp_path / "ours")

    assert restarted.rotations.is_waiting()
    restarted.rotations.work()

    document = restarted.rotations.document()
    assert (document.state, document.done) == ("done", 500)
    expect_all(restarted, stored, every=100)


def test_another_desktop_waits_for_a_silent_one(store: InProcess, tmp_path: Path) -> None:
    """Half a minute after the last heartbeat, and not before, it takes the job over; the first one then lets go."""
    clock = Clock()
    first, second = (desktop(store, tmp_path / name, key=KEY_A, clock=clock) for name in ("first", "second"))
    stored = first.fill(3 * BATCH_ROWS)
    begin(first)
    clock.now += STALE_AFTER - dt.timedelta(seconds=1)
    assert first.rotations._step()

    clock.now += STALE_AFTER
    second.rotations.work()
    assert second.rotations.document().done == BATCH_ROWS
    clock.now += dt.timedelta(seconds=0.001)
    assert second.rotations._step()
    assert not first.rotations._step()
    assert second.rotations.document().done == 2 * BATCH_ROWS
    second.rotations.work()

    document = first.rotations.document()
    assert (document.state, document.done) == ("done", 3 * BATCH_ROWS)
    expect_all(first, stored, every=100)


def test_heartbeats_are_told_by_the_databases_clock(store: InProcess) -> None:
    """Desktops whose own clocks differ agree on how old one is."""
    with store.opened.reader.connect() as connection:
        now = connection.execute(sa.select(database_clock(connection, dt.timedelta(0)))).scalar_one()
        stale = connection.execute(sa.select(database_clock(connection, STALE_AFTER))).scalar_one()

    assert now.tzinfo == dt.UTC
    assert abs(now - utc_now()) < dt.timedelta(seconds=5)
    assert abs(now - STALE_AFTER - stale) < dt.timedelta(seconds=1)


def test_who_cannot_do_it_does_not_keep_others_from_it(store: InProcess, tmp_path: Path) -> None:
    """A locked desktop neither claims nor renews; whoever has the key does the work."""
    clock = Clock()
    first, second = (desktop(store, tmp_path / name, key=KEY_A, clock=clock) for name in ("first", "second"))
    locked = desktop(store, tmp_path / "locked", key=KEY_B, clock=clock)
    stored = first.fill(30)
    begin(first)
    clock.now += STALE_AFTER + dt.timedelta(seconds=1)
    job = read(store, sa.select(vault_rotations))

    locked.rotations.work()

    assert not locked.rotations.is_waiting()
    assert read(store, sa.select(vault_rotations)) == job
    with pytest.raises(VaultLockedError):
        locked.rotations.start(actor=ACTOR)
    assert second.rotations.is_waiting()
    second.rotations.work()
    assert second.rotations.document().state == "done"
    expect_all(second, stored)


def test_a_staged_key_nobody_can_use_is_replaced(store: InProcess, tmp_path: Path) -> None:
    """The desktop that staged it is gone for good, with the only key that opens it: others may begin anew."""
    clock = Clock()
    gone = desktop(store, tmp_path / "gone", key=KEY_A, clock=clock)
    gone.set(OPENAI, "secret")
    second = desktop(store, tmp_path / "second", key=KEY_B, clock=clock)
    unlock(second.vault.attachment, second.audit, encryption_key=encode_key(KEY_A), recovery_code=None, actor=ACTOR)
    staged = gone.rotations.start(actor=ACTOR)
    change(store, sa.delete(vault_device_wraps).where(vault_device_wraps.c.kid == staged.to_kid))
    second = desktop(store, tmp_path / "second", clock=clock)

    assert second.rotations.start(actor=ACTOR).to_kid == staged.to_kid
    clock.now += STALE_AFTER + dt.timedelta(seconds=1)
    again = second.rotations.start(actor=ACTOR)
    second.rotations.work()

    assert again.to_kid != staged.to_kid
    assert second.rotations.document().state == "done"
    assert second.use(OPENAI) == "secret"
    assert count_of(vault_keys, store) == 1


def test_two_desktops_at_once(store: InProcess, tmp_path: Path) -> None:
    """Both work, as clones of one installation would: every row moves once, and all of them open."""
    first = desktop(store, tmp_path / "first", key=KEY_A)
    clone = tmp_path / "clone"
    stored = first.fill(5 * BATCH_ROWS)
    begin(first)
    clone.mkdir()
    for name in ("fernet.key", "install.id"):
        (clone / name).write_bytes((tmp_path / "first" / name).read_bytes())
    second = desktop(store, clone)
    assert installation(clone)() == installation(tmp_path / "first")()

    threads = [threading.Thread(target=one.rotations.work) for one in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    document = first.rotations.document()
    assert (document.state, document.done, document.quarantined) == ("done", 5 * BATCH_ROWS, 0)
    expect_all(second, stored, every=200)
    assert count_of(vault_keys, store) == 1


def test_two_beginnings_at_once_make_one_rotation(store: InProcess, tmp_path: Path) -> None:
    """Four desktops ask at the same moment: one key is staged."""
    desktops = [desktop(store, tmp_path / str(number), key=KEY_A) for number in range(4)]
    desktops[0].fill(10)
    barrier = threading.Barrier(4)

    def ask(one: Desktop) -> None:
        one.vault.attachment.attach()
        barrier.wait()
        one.rotations.start(actor=ACTOR)

    threads = [threading.Thread(target=ask, args=(one,)) for one in desktops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert count_of(vault_keys, store) == 2
    assert count_of(vault_rotations, store) == 1


def test_work_in_the_background_is_done_once_and_to_the_end(ours: Desktop, store: InProcess) -> None:
    """However often it is asked for; a request while the work ends is not forgotten."""
    stored = ours.fill(BATCH_ROWS)
    for _ in range(3):
        ours.rotations.start(actor=ACTOR)
        for _ in range(20):
            ours.rotations.work_in_background()
        wait_until(lambda: ours.rotations.document().state == "done", timeout_s=20, what="the rotation to end")
    wait_until(
        lambda: not any(thread.name == "rotation" for thread in threading.enumerate()),
        timeout_s=10,
        what="the threads to end",
    )

    expect_all(ours, stored, every=50)
    assert count_of(vault_keys, store) == 1


def test_stopping_interrupts_between_two_steps(ours: Desktop) -> None:
    """The rest is left for the next start."""
    stored = ours.fill(3 * BATCH_ROWS)
    begin(ours)

    def stop(document: RotationDocument) -> None:
        if document.done:
            ours.rotations.stopped.set()

    ours.rotations.work(stop)

    assert ours.rotations.document().done == BATCH_ROWS
    ours.rotations.stopped.clear()
    ours.rotations.work()
    expect_all(ours, stored, every=100)


def test_a_busy_database_is_tried_again(ours: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few refusals do not end the work, a database that is away does."""
    stored = ours.fill(BATCH_ROWS)
    begin(ours)
    monkeypatch.setattr(rotation, "BUSY_WAIT_S", 0.001)
    errors = iter([DatabaseAwayError("busy", code="busy")] * 5)
    move = ours.rotations._move_batch

    def often_busy(*arguments: Any) -> bool:
        for error in errors:
            raise error
        return move(*arguments)

    monkeypatch.setattr(ours.rotations, "_move_batch", often_busy)
    ours.rotations.work()
    expect_all(ours, stored, every=50)

    begin(ours)
    errors = iter([DatabaseAwayError()])
    with pytest.raises(DatabaseAwayError):
        ours.rotations.work()
    ours.rotations.work()
    assert ours.rotations.document().state == "done"


# --- keys ------------------------------------------------------------------------------------------------------------


def test_wraps_of_the_new_key(store: InProcess, tmp_path: Path) -> None:
    """For the root keys at hand that open the old one, and the recovery code; never for others."""
    both = desktop(store, tmp_path / "both", key=KEY_B, encryption_keys=(KEY_A,))
    both.set(OPENAI, "secret")
    keep_recovery_code(both.vault.attachment, both.audit, new_recovery_code(), actor=ACTOR)
    before = {(row.fingerprint, row.kind) for row in read(store, sa.select(vault_wraps))}

    both.rotate()

    after = {(row.fingerprint, row.kind) for row in read(store, sa.select(vault_wraps))}
    assert before == after
    assert (fingerprint(KEY_A), "root") in after
    assert len(after) == 2


def test_a_damaged_escrow_does_not_stop_a_rotation(ours: Desktop, store: InProcess) -> None:
    """The recovery code is lost then, and the document says so; a new one can be made."""
    ours.set(OPENAI, "secret")
    keep_recovery_code(ours.vault.attachment, ours.audit, new_recovery_code(), actor=ACTOR)
    change(store, sa.update(vault_wraps).where(vault_wraps.c.kind == "recovery").values(escrow="damaged"))

    ours.rotate()

    assert ours.use(OPENAI) == "secret"
    assert not ours.vault.document().has_recovery_code


def test_the_epoch_tells_every_change_of_keys(ours: Desktop, store: InProcess) -> None:
    """Steps that only move rows do not bump it: other desktops need not read the keys anew for them."""
    ours.fill(BATCH_ROWS + 1)
    epochs: list[int] = []
    ours.rotations.start(actor=ACTOR)
    goes_on = True
    while goes_on:
        epochs += read(store, sa.select(vaults.c.epoch))[0]
        goes_on = ours.rotations._step()
    epochs += read(store, sa.select(vaults.c.epoch))[0]

    assert [later - earlier for earlier, later in itertools.pairwise(epochs)] == [1, 0, 0, 0, 1]


def test_ciphertexts_name_the_key_they_are_under(ours: Desktop, store: InProcess) -> None:
    """Column and prefix agree after each rotation."""
    ours.fill(10)
    for _ in range(2):
        ours.rotate()

        assert all(row["ciphertext"].startswith(prefix_of(row["kid"])) for row in rows_of(store).values())

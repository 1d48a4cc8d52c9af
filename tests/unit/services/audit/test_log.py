"""The audit log on both databases: written with its operation or not at all, and every tampering found."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import threading
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from psycopg2.extras import execute_values
from sqlalchemy import event

from app.core.config import Config
from app.core.exceptions import DatabaseAwayError
from app.core.fernet_keys import fingerprint
from app.core.security import load_or_create_keys
from app.db.base import instant_text
from app.models.audit import audit_entries
from app.models.vault import vault_owners
from app.services.ai_keys.watch import watch_keys
from app.services.audit import reading as audit_reading
from app.services.audit.chain import GENESIS, Entry, mac_key, mac_of
from app.services.audit.log import Audit, AuditUnavailableError, clean_device
from app.services.vault.rows import SecretName
from app.services.vault.vault import Vault
from tests.support.in_process import InProcess, count_of, on_postgresql, on_sqlite
from tests.support.system import is_owner_only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app.schemas.audit import Verification

VAULT = "6f1c1c7e-6b0f-4a39-9d0e-2f6f1d0c9b11"
ROOT_KEY = bytes(range(32))
OTHER_ROOT_KEY = bytes(range(32, 64))
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> dt.datetime:
        """Tell the time."""
        return self.now

    def move(self, seconds: float) -> None:
        """Go on, or back."""
        self.now += dt.timedelta(seconds=seconds)


@pytest.fixture
def config_dir(tmp_path: Path) -> Path:
    """The config directory of this desktop."""
    directory = tmp_path / "config"
    directory.mkdir(mode=0o700)
    return directory


@pytest.fixture
def audit(store: InProcess, config_dir: Path) -> Audit:
    """This desktop's log."""
    return desktop(store, config_dir)


def desktop(store: InProcess, config_dir: Path, *root_keys: bytes, vault_id: str = VAULT, **options: Any) -> Audit:
    """Return the log of a desktop, as a process that has just started sees it."""
    config_dir.mkdir(mode=0o700, exist_ok=True)
    log = Audit(store.database, config_dir, **options)
    log.attach(vault_id, root_keys or (ROOT_KEY,))
    return log


def fill(log: Audit, count: int, **fields: Any) -> None:
    """Append entries, each in a transaction of its own."""
    for number in range(count):
        owner = {"owner_kind": "server", "owner_id": f"guild-{number}", "name": "openai"}
        log.record(**{"action": "reveal", "actor": "launch-token", **owner, **fields})


def problems(verdict: Verification) -> list[tuple[int | None, str]]:
    """Return place and kind of what was found."""
    return [(problem.seq, problem.kind) for problem in verdict.problems]


# Writing


def test_an_entry_tells_what_was_done(store: InProcess, config_dir: Path) -> None:
    """All of it, as it was said, with the time in UTC."""
    log = desktop(store, config_dir, clock=Clock(), device="desk 7")

    log.record(
        action="reveal",
        actor="user:ann",
        owner_kind="server",
        owner_id="guild-1",
        name="openai",
        fingerprint="0011223344556677",
        outcome="refused",
        reason="secret-expired",
        count=3,
    )
    [entry] = log.page().entries

    assert entry.time == "2026-11-20T12:00:00.000000Z"
    assert (entry.actor, entry.device, entry.action) == ("user:ann", "desk 7", "reveal")
    assert entry.owner is not None
    assert (entry.owner.kind, entry.owner.id, entry.name) == ("server", "guild-1", "openai")
    assert (entry.fingerprint, entry.outcome, entry.reason) == ("0011223344556677", "refused", "secret-expired")
    assert (entry.count, entry.writer_seq, entry.prev) == (3, 1, GENESIS)
    assert entry.writer.endswith(f"-{fingerprint(ROOT_KEY)}")


def test_an_entry_is_committed_with_its_operation(store: InProcess, audit: Audit) -> None:
    """Nothing is to be seen of either before."""
    set_secret(audit.writing(), audit)
    with audit.writing() as connection:
        audit.append(connection, action="share", actor="cli")
        audit.append(connection, action="rotate", actor="cli")

    assert count_of(vault_owners, store) == 1
    entries = audit.page().entries
    assert [(entry.action, entry.writer_seq) for entry in entries] == [("rotate", 3), ("share", 2), ("set", 1)]
    assert audit.verify().ok


def set_secret(
    transaction: contextlib.AbstractContextManager[sa.Connection], log: Audit, *, then: Callable[[], object] = int
) -> None:
    """Do something that an entry tells of, and `then` something else, in one transaction."""
    with transaction as connection:
        insert_owner(connection, "guild-1")
        log.append(connection, action="set", actor="cli", owner_kind="server", owner_id="guild-1")
        then()


def insert_owner(connection: sa.Connection, owner_id: str) -> None:
    """Insert a row."""
    connection.execute(
        sa.insert(vault_owners).values(owner_kind="server", owner_id=owner_id, salt="00", created_at=NOON)
    )


def test_a_rolled_back_operation_leaves_no_entry_and_no_gap(store: InProcess, audit: Audit) -> None:
    """The chain goes on as if it had never been tried."""
    fill(audit, 2)

    with pytest.raises(ZeroDivisionError):
        set_secret(audit.writing(), audit, then=lambda: 1 / 0)
    fill(audit, 1)

    assert count_of(vault_owners, store) == 0
    assert [entry.writer_seq for entry in audit.page().entries] == [3, 2, 1]
    assert audit.verify().ok


REFUSALS = {
    "sqlite": (
        "CREATE TRIGGER refuse BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'refused'); END",
        "DROP TRIGGER refuse",
    ),
    "postgresql": ("REVOKE INSERT ON audit_entries FROM CURRENT_USER", "GRANT INSERT ON audit_entries TO CURRENT_USER"),
}
"""By database, a statement after which no entry can be written, and its reverse."""


def test_an_operation_is_refused_when_its_entry_cannot_be_written(store: InProcess, audit: Audit) -> None:
    """It is rolled back; afterwards the chain goes on without a gap."""
    refuse, permit = REFUSALS[store.dialect]
    fill(audit, 1)

    store.execute(refuse)
    with pytest.raises(AuditUnavailableError) as caught:
        set_secret(audit.writing(), audit)
    store.execute(permit)
    fill(audit, 1)

    assert (caught.value.status, caught.value.code) == (503, "audit-unavailable")
    assert count_of(vault_owners, store) == 0
    assert [entry.writer_seq for entry in audit.page().entries] == [2, 1]
    assert audit.verify().ok


def test_an_operation_is_refused_without_the_table(store: InProcess, audit: Audit) -> None:
    """Whatever the reason is: no entry, no operation."""
    store.execute("DROP TABLE audit_entries")

    with pytest.raises(AuditUnavailableError):
        set_secret(audit.writing(), audit)

    assert count_of(vault_owners, store) == 0


def test_an_operation_is_refused_without_an_installation_id(store: InProcess, config_dir: Path) -> None:
    """The config directory must be writable the first time."""
    (config_dir / "install.id").mkdir()
    log = desktop(store, config_dir)

    with pytest.raises(AuditUnavailableError):
        fill(log, 1)


def test_nothing_is_appended_before_the_vault_is_known(store: InProcess, config_dir: Path) -> None:
    """Its id and the root key are in every MAC."""
    log = Audit(store.database, config_dir)

    with pytest.raises(AuditUnavailableError):
        fill(log, 1)
    log.attach(VAULT, ())
    with pytest.raises(AuditUnavailableError):
        fill(log, 1)


def test_a_lost_database_is_told_as_that(store: InProcess, audit: Audit) -> None:
    """Not as an audit log that cannot be written."""
    store.database.cut_off()

    with pytest.raises(DatabaseAwayError):
        fill(audit, 1)


def test_text_is_made_fit_for_both_databases(audit: Audit) -> None:
    """Control characters, NUL and half surrogate pairs; a long text is cut."""
    fill(audit, 1, actor="user:a\x00b\x1b[2J\ud800", reason="x" * 2000)
    [entry] = audit.page().entries

    assert entry.actor == "user:a?b?[2J?"
    assert entry.reason == "x" * 500
    assert audit.verify().ok


@pytest.mark.parametrize(
    ("host", "device"),
    [
        ("desk-7", "desk-7"),
        (" Büro PC\n", "B-ro-PC"),
        ("x" * 300, "x" * 64),
        ("\x1b[31m", "-[31m"),
        ("", "unknown"),
        ("   ", "unknown"),
    ],
)
def test_device_is_printable_ascii(host: str, device: str) -> None:
    """Whatever the host is called."""
    assert clean_device(host) == device


# Many at once


def test_threads_append_to_one_chain(audit: Audit) -> None:
    """No number is given out twice and none is left out."""
    append_at_once([lambda: fill(audit, 12)] * 6)

    assert sorted(entry.writer_seq for entry in audit.page(limit=100).entries) == list(range(1, 73))
    assert audit.verify().ok


def test_processes_of_one_desktop_append_to_one_chain(store: InProcess, config_dir: Path) -> None:
    """As a command beside the sidecar does: they share the installation, and know nothing of each other."""
    logs = [desktop(store, config_dir) for _ in range(4)]

    append_at_once([lambda log=log: fill(log, 10) for log in logs])  # type: ignore[misc]

    entries = logs[0].page(limit=100).entries
    assert len({entry.writer for entry in entries}) == 1
    assert sorted(entry.writer_seq for entry in entries) == list(range(1, 41))
    assert all(log.verify().ok for log in [*logs, desktop(store, config_dir)])


def test_desktops_append_to_chains_of_their_own(store: InProcess, tmp_path: Path) -> None:
    """Each its own numbers; whoever shares the root key verifies them all."""
    logs = [desktop(store, tmp_path / f"desktop-{number}") for number in range(3)]

    append_at_once([lambda log=log: fill(log, 10) for log in logs])  # type: ignore[misc]

    verdict = logs[0].verify()
    assert (verdict.ok, verdict.entries, verdict.unchecked) == (True, 30, 0)
    assert len({entry.writer for entry in logs[0].page().entries}) == 3


def append_at_once(actions: list[Callable[[], None]]) -> None:
    """Run actions in threads of their own; all must succeed."""
    failures: list[BaseException] = []
    start = threading.Barrier(len(actions))

    def run(action: Callable[[], None]) -> None:
        start.wait()
        try:
            action()
        except BaseException as exc:  # noqa: BLE001 - reported below
            failures.append(exc)

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_transactions_that_append_in_any_order_do_not_block_each_other(store: InProcess, audit: Audit) -> None:
    """Entries are written last, so a chain is never locked while rows are waited for."""
    for owner in ("a", "b"):
        with audit.writing() as connection:
            insert_owner(connection, owner)

    def touch(*owners: str) -> None:
        for _ in range(5):
            with audit.writing() as connection:
                for owner in owners:
                    connection.execute(
                        sa.update(vault_owners).where(vault_owners.c.owner_id == owner).values(salt="11")
                    )
                    audit.append(connection, action="replace", actor="cli", owner_kind="server", owner_id=owner)
                    time.sleep(0.01)

    append_at_once([lambda: touch("a"), lambda: touch("b"), lambda: touch("a", "b"), lambda: fill(audit, 5)])

    assert audit.verify().entries == 25
    assert audit.verify().ok


def test_verifying_while_others_append_finds_nothing(store: InProcess, audit: Audit, config_dir: Path) -> None:
    """What is appended meanwhile is ahead of the pins that were read before."""
    done = threading.Event()
    verdicts = []

    def append() -> None:
        fill(audit, 30)
        done.set()

    def look() -> None:
        while not done.is_set():
            verdicts.append(audit.verify())
            verdicts.append(desktop(store, config_dir).verify())

    append_at_once([append, look])

    assert verdicts
    assert all(verdict.ok for verdict in verdicts)


def test_a_secret_is_not_revealed_when_that_cannot_be_told(store: InProcess, config_dir: Path) -> None:
    """Nobody sees it, and nothing is counted as seen."""
    config = Config(config_dir=config_dir, data_dir=config_dir)
    load_or_create_keys(config_dir)
    log = Audit(store.database, config_dir)
    vault = Vault(config, store.database, log, watch_keys(config))
    which = SecretName("server", "guild-1", "openai")
    with vault.writing() as connection:
        vault.put(connection, which, "sk-0123456789abcdef", actor="cli")
    refuse, permit = REFUSALS[store.dialect]

    store.execute(refuse)
    with pytest.raises(AuditUnavailableError):
        vault.reveal(which, actor="cli")
    store.execute(permit)

    assert vault.reveal(which, actor="cli") == "sk-0123456789abcdef"
    assert [entry.action for entry in log.page(owner_kind="server").entries] == ["reveal", "set"]
    assert log.verify().ok


# The pinned head


def test_the_head_is_pinned_as_soon_as_it_is_committed(audit: Audit, config_dir: Path) -> None:
    """Not later, and in a file of the owner's alone."""
    fill(audit, 3)

    file = config_dir / "audit.head"
    [entry] = audit.page(limit=1).entries
    assert json.loads(file.read_bytes()) == {VAULT: {entry.writer: {"writer_seq": 3, "mac": entry.mac}}}
    assert is_owner_only(file)
    assert is_owner_only(config_dir / "install.id")


def test_the_head_is_not_pinned_before_the_commit(audit: Audit, config_dir: Path) -> None:
    """A commit that fails would leave a pin that is ahead."""
    fill(audit, 1)
    before = (config_dir / "audit.head").read_bytes()

    with audit.writing() as connection:
        audit.append(connection, action="set", actor="cli")
        assert (config_dir / "audit.head").read_bytes() == before

    assert (config_dir / "audit.head").read_bytes() != before


def test_a_crash_between_commit_and_pin_does_no_harm(store: InProcess, audit: Audit, config_dir: Path) -> None:
    """The log is ahead of its pin, which is sound; the next process goes on after what it finds."""
    fill(audit, 2)
    pinned = (config_dir / "audit.head").read_bytes()
    fill(audit, 3)
    (config_dir / "audit.head").write_bytes(pinned)

    after_crash = desktop(store, config_dir)

    assert after_crash.verify().ok
    fill(after_crash, 1)
    assert [entry.writer_seq for entry in after_crash.page().entries] == [6, 5, 4, 3, 2, 1]
    assert after_crash.verify().ok


def test_a_crash_before_the_very_first_pin_does_no_harm(store: InProcess, audit: Audit, config_dir: Path) -> None:
    """There is no pin at all then."""
    fill(audit, 2)
    (config_dir / "audit.head").unlink()

    after_crash = desktop(store, config_dir)
    fill(after_crash, 1)

    assert [entry.writer_seq for entry in after_crash.page().entries] == [3, 2, 1]
    assert after_crash.verify().ok


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"x": 1}', b'{"%s": {"w": {"writer_seq": "1"}}}'])
def test_a_damaged_pin_is_no_obstacle(store: InProcess, audit: Audit, config_dir: Path, content: bytes) -> None:
    """The head is learnt anew."""
    fill(audit, 2)
    (config_dir / "audit.head").write_bytes(content.replace(b"%s", VAULT.encode()))

    restarted = desktop(store, config_dir)
    fill(restarted, 1)

    assert restarted.verify().ok
    assert json.loads((config_dir / "audit.head").read_bytes())[VAULT]


def test_a_pin_that_cannot_be_written_is_kept_in_memory(
    store: InProcess, audit: Audit, config_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What was committed stays done; a truncation is found all the same, and the pin is written with the next one."""
    fill(audit, 1)
    (config_dir / "audit.head").unlink()
    (config_dir / "audit.head").mkdir()

    fill(audit, 2)
    store.execute("DELETE FROM audit_entries WHERE seq = 3")

    assert "could not be pinned" in caplog.text
    assert problems(audit.verify()) == [(2, "truncated")]
    (config_dir / "audit.head").rmdir()
    fill(audit, 1)
    assert '"writer_seq": 4' in (config_dir / "audit.head").read_text()


def test_an_entry_of_any_other_transaction_is_pinned_by_the_next_flush(
    store: InProcess, audit: Audit, config_dir: Path
) -> None:
    """Written with the commit all the same, and refused when that is impossible."""
    with store.database.write() as connection:
        audit.append(connection, action="set", actor="cli")
    assert not (config_dir / "audit.head").exists()

    audit.flush()

    assert '"writer_seq": 1' in (config_dir / "audit.head").read_text()
    store.execute(REFUSALS[store.dialect][0])
    with pytest.raises(AuditUnavailableError):
        set_secret(store.database.write(), audit)
    assert count_of(vault_owners, store) == 0


def test_a_lost_installation_id_begins_a_new_chain(store: InProcess, audit: Audit, config_dir: Path) -> None:
    """The old chain is verified as before; its key is still at hand."""
    fill(audit, 2)
    (config_dir / "install.id").unlink()

    detached = desktop(store, config_dir)
    fill(detached, 1)

    writers = {entry.writer for entry in detached.page().entries}
    verdict = detached.verify()
    assert len(writers) == 2
    assert (verdict.ok, verdict.entries, verdict.unchecked) == (True, 3, 0)
    store.execute("UPDATE audit_entries SET actor = 'x' WHERE seq = 1", "DELETE FROM audit_entries WHERE seq = 2")
    assert problems(detached.verify()) == [(1, "edited"), (1, "truncated")]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"0123456789ABCDEF", b"short"])
def test_a_damaged_installation_id_is_replaced(store: InProcess, config_dir: Path, content: bytes) -> None:
    """By a new one, which stays."""
    (config_dir / "install.id").write_bytes(content)

    fill(desktop(store, config_dir), 1)
    fill(desktop(store, config_dir), 1)

    log = desktop(store, config_dir)
    assert len({entry.writer for entry in log.page().entries}) == 1
    assert log.verify().ok


def test_a_rotated_root_key_begins_a_new_chain(store: InProcess, config_dir: Path) -> None:
    """The old one is verified as fully as ever, after several rotations and without the old keys."""
    third_root_key = bytes(range(100, 132))
    fill(desktop(store, config_dir, OTHER_ROOT_KEY), 3)
    both = desktop(store, config_dir, ROOT_KEY, OTHER_ROOT_KEY)
    fill(both, 2)
    only_second = desktop(store, config_dir, ROOT_KEY)
    fill(only_second, 1)
    fill(desktop(store, config_dir, third_root_key, ROOT_KEY), 1)
    only_third = desktop(store, config_dir, third_root_key)

    for log in (both, only_second, only_third):
        verdict, is_whole = log.verify(), log is only_third
        assert (verdict.ok, verdict.entries - verdict.unchecked) == (is_whole, 7 - (not is_whole))
    assert is_owner_only(config_dir / "audit.keys")
    store.execute("UPDATE audit_entries SET actor = 'x' WHERE seq = 2", "DELETE FROM audit_entries WHERE seq = 3")
    for log in (both, only_second, only_third):
        assert problems(log.verify()) == [(2, "edited"), (2, "truncated")]


def test_a_lost_root_key_leaves_numbers_links_and_the_pin(store: InProcess, config_dir: Path) -> None:
    """Never having been at hand together with the new one, it is missing for good."""
    fill(desktop(store, config_dir, OTHER_ROOT_KEY), 3)

    only_new = desktop(store, config_dir, ROOT_KEY)
    fill(only_new, 1)

    assert (only_new.verify().ok, only_new.verify().unchecked) == (False, 3)
    store.execute("UPDATE audit_entries SET actor = 'x' WHERE seq = 2", "DELETE FROM audit_entries WHERE seq = 3")
    assert problems(only_new.verify()) == [(2, "truncated")]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"%s": 1}', b'{"%s": {"0123456789abcdef": 5}}', b'{"%s": {"x": "gAAAAA"}}']
)
def test_damaged_keys_of_old_chains_are_no_obstacle(store: InProcess, config_dir: Path, content: bytes) -> None:
    """Their chains are checked by numbers and links then, and new keys can be kept."""
    fill(desktop(store, config_dir, OTHER_ROOT_KEY), 3)
    (config_dir / "audit.keys").write_bytes(content.replace(b"%s", VAULT.encode()))

    damaged = desktop(store, config_dir, ROOT_KEY)
    assert (damaged.verify().ok, damaged.verify().unchecked) == (False, 3)
    fill(desktop(store, config_dir, ROOT_KEY, OTHER_ROOT_KEY), 1)

    assert desktop(store, config_dir, ROOT_KEY).verify().unchecked == 0


def test_keys_of_old_chains_that_cannot_be_kept_are_no_obstacle(store: InProcess, config_dir: Path) -> None:
    """What is to be told is told; the next entry tries again."""
    fill(desktop(store, config_dir, OTHER_ROOT_KEY), 1)
    (config_dir / "audit.keys").mkdir()
    both = desktop(store, config_dir, ROOT_KEY, OTHER_ROOT_KEY)
    fill(both, 1)

    (config_dir / "audit.keys").rmdir()
    fill(both, 1)

    assert desktop(store, config_dir, ROOT_KEY).verify().unchecked == 0


def test_databases_have_pins_of_their_own(store: InProcess, audit: Audit, config_dir: Path) -> None:
    """A desktop that is pointed at another database does not find its log cut off there."""
    fill(audit, 3)

    store.execute("DELETE FROM audit_entries")
    elsewhere = desktop(store, config_dir, vault_id="another-vault")
    fill(elsewhere, 1)

    assert elsewhere.verify().ok
    assert [entry.writer_seq for entry in elsewhere.page().entries] == [1]


# Tampering by SQL


def insert_copy(seq: int, writer_seq: int, **changed: str) -> str:
    """Return SQL that puts a forged entry in, made of the first one."""
    columns = [column.name for column in audit_entries.c]
    values = {"seq": str(seq), "writer_seq": str(writer_seq), **{name: f"'{value}'" for name, value in changed.items()}}
    selected = ", ".join(values.get(name, name) for name in columns)
    return f"INSERT INTO audit_entries ({', '.join(columns)}) SELECT {selected} FROM audit_entries WHERE seq = 1"


FORGED_MAC = "ab" * 32
TAMPERINGS = [
    pytest.param(["UPDATE audit_entries SET actor = 'nobody' WHERE seq = 3"], [(3, "edited")], id="actor edited"),
    pytest.param(["UPDATE audit_entries SET owner_id = NULL WHERE seq = 3"], [(3, "edited")], id="owner removed"),
    pytest.param(
        ["UPDATE audit_entries SET time = '2020-01-01T00:00:00.000000Z' WHERE seq = 3"],
        [(3, "edited")],
        id="time edited",
    ),
    pytest.param(["UPDATE audit_entries SET count = 1000 WHERE seq = 6"], [(6, "edited")], id="last one edited"),
    pytest.param(["DELETE FROM audit_entries WHERE seq = 3"], [(4, "missing")], id="deleted"),
    pytest.param(["DELETE FROM audit_entries WHERE seq = 1"], [(2, "missing")], id="first deleted"),
    pytest.param(["DELETE FROM audit_entries WHERE seq > 4"], [(4, "truncated")], id="tail deleted"),
    pytest.param(["DELETE FROM audit_entries WHERE seq = 6"], [(5, "truncated")], id="last one deleted"),
    pytest.param(["DELETE FROM audit_entries"], [(None, "truncated")], id="all deleted"),
    pytest.param(
        [
            "UPDATE audit_entries SET seq = 99 WHERE seq = 3",
            "UPDATE audit_entries SET seq = 3 WHERE seq = 4",
            "UPDATE audit_entries SET seq = 4 WHERE seq = 99",
        ],
        [(4, "reordered")],
        id="two swapped",
    ),
    pytest.param(
        [
            "UPDATE audit_entries SET writer_seq = 99 WHERE seq = 3",
            "UPDATE audit_entries SET writer_seq = 3 WHERE seq = 4",
            "UPDATE audit_entries SET writer_seq = 4 WHERE seq = 3",
        ],
        [(3, "reordered"), (4, "reordered")],
        id="two swapped in their chain",
    ),
    pytest.param([insert_copy(7, 7, mac=FORGED_MAC)], [(7, "inserted")], id="forged one appended"),
    pytest.param(
        [
            "DELETE FROM audit_entries WHERE seq = 3",
            insert_copy(3, 3, actor="nobody", mac=FORGED_MAC),
        ],
        [(3, "reordered")],
        id="forged one in the place of a genuine one",
    ),
    pytest.param(
        ["DROP INDEX uq_audit_entries_writer_writer_seq", insert_copy(7, 3, mac=FORGED_MAC)],
        [(7, "inserted")],
        id="forged one beside a genuine one",
    ),
    pytest.param(
        ["UPDATE audit_entries SET writer = 'somebody-else' WHERE seq = 3"],
        [(3, "missing"), (4, "missing")],
        id="given to another writer",
    ),
    pytest.param(
        ["UPDATE audit_entries SET writer = 'somebody-else'"], [(None, "truncated")], id="all given to another writer"
    ),
    pytest.param(
        ["UPDATE audit_entries SET actor = 'x', mac = '" + "cd" * 31 + "0' || seq"],
        [(1, "edited"), *((seq, "reordered") for seq in range(2, 6)), (6, "replaced")],
        id="all replaced",
    ),
]


@pytest.mark.parametrize(("statements", "found"), TAMPERINGS)
def test_tampering_is_found_and_located(
    store: InProcess, audit: Audit, config_dir: Path, statements: list[str], found: list[tuple[int | None, str]]
) -> None:
    """By the process that wrote the log, and by one that is started later."""
    fill(audit, 6)
    assert audit.verify().ok

    store.execute(*statements)

    assert problems(audit.verify()) == found
    assert problems(desktop(store, config_dir).verify()) == found


def test_replacing_a_chain_with_the_key_is_found_by_its_own_desktop(
    store: InProcess, audit: Audit, config_dir: Path
) -> None:
    """Another desktop shares the root key and can forge MACs, but not this desktop's pin."""
    fill(audit, 4)
    writer = audit.page().entries[0].writer
    store.execute("DELETE FROM audit_entries")
    write_chain(store, writer, 4, actor="somebody else")

    assert problems(audit.verify()) == [(4, "replaced")]
    (config_dir / "audit.head").unlink()
    assert desktop(store, config_dir).verify().ok


def test_a_tail_that_was_cut_off_stays_missing(store: InProcess, audit: Audit, config_dir: Path) -> None:
    """What is appended afterwards does not cover it up."""
    fill(audit, 6)
    store.execute("DELETE FROM audit_entries WHERE seq > 4")

    restarted = desktop(store, config_dir)
    fill(restarted, 3)

    first_after = restarted.page(limit=3).entries[-1]
    assert first_after.writer_seq == 7
    assert problems(restarted.verify()) == [(first_after.seq, "missing")]


def test_a_strange_entry_cannot_stop_the_log(store: InProcess, audit: Audit, config_dir: Path) -> None:
    """Its number is passed over, and it is found for good."""
    fill(audit, 2)
    store.execute(insert_copy(50, 3, mac=FORGED_MAC))

    fill(audit, 2)

    assert sorted(entry.writer_seq for entry in audit.page().entries) == [1, 2, 3, 4, 5]
    assert problems(audit.verify()) == [(50, "inserted")]
    assert problems(desktop(store, config_dir).verify()) == [(50, "inserted")]


def test_a_number_that_cannot_be_counted_on_is_left_alone(store: InProcess, audit: Audit) -> None:
    """Whoever takes the last number there is stops nothing: the log goes on after its own last entry."""
    fill(audit, 1)
    store.execute(insert_copy(50, 2**63 - 1, mac=FORGED_MAC))

    fill(audit, 1)

    assert sorted(entry.writer_seq for entry in audit.page().entries) == [1, 2, 2**63 - 1]
    assert problems(audit.verify()) == [(50, "missing"), (50, "inserted")]


def test_other_desktops_chains_are_checked_without_their_key(store: InProcess, tmp_path: Path) -> None:
    """Numbers and links; how many could be checked no further is told."""
    theirs = desktop(store, tmp_path / "theirs", OTHER_ROOT_KEY)
    ours = desktop(store, tmp_path / "ours")
    fill(theirs, 5)
    fill(ours, 1)

    assert (ours.verify().ok, ours.verify().unchecked) == (False, 5)
    store.execute(
        "UPDATE audit_entries SET actor = 'x' WHERE seq = 1",
        "DELETE FROM audit_entries WHERE seq = 2",
        f"UPDATE audit_entries SET mac = '{FORGED_MAC}' WHERE seq = 4",
    )
    assert problems(ours.verify()) == [(3, "missing"), (5, "unlinked")]
    assert problems(theirs.verify()) == [(1, "edited"), (3, "missing"), (4, "edited")]


def test_reading_needs_no_vault(store: InProcess, audit: Audit, tmp_path: Path) -> None:
    """A log that is not attached pages, exports, and checks numbers and links; it creates no file."""
    fill(audit, 2)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    unattached = Audit(store.database, elsewhere)
    verdict = unattached.verify()

    assert len(unattached.page().entries) == len(list(unattached.export())) == 2
    assert (verdict.ok, verdict.entries, verdict.unchecked, verdict.head) == (False, 2, 2, None)
    assert list(elsewhere.iterdir()) == []


def test_the_head_is_told(audit: Audit) -> None:
    """For people who keep it elsewhere."""
    fill(audit, 2)
    [last] = audit.page(limit=1).entries
    head = audit.verify().head

    assert head is not None
    assert (head.writer, head.writer_seq, head.mac) == (last.writer, 2, last.mac)


def test_values_of_no_sense_break_no_page(store: InProcess, audit: Audit) -> None:
    """SQLite keeps whatever is written, PostgreSQL knows infinite times: all is shown, and found."""
    fill(audit, 3)

    if store.dialect == "sqlite":
        store.execute(
            "UPDATE audit_entries SET time = 'never', count = 'many', actor = x'00ff' WHERE seq = 1",
            "UPDATE audit_entries SET writer_seq = 'two' WHERE seq = 2",
        )
        found = [(1, "edited"), (2, "inserted"), (3, "missing")]
    else:
        store.execute("UPDATE audit_entries SET time = 'infinity' WHERE seq = 1")
        found = [(1, "edited")]

    assert len(audit.page().entries) == len(list(audit.export())) == 3
    assert problems(audit.verify()) == found
    fill(audit, 1)
    assert len(audit.page().entries) == 4


def test_the_list_of_problems_is_bounded(store: InProcess, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that was exchanged as a whole has as many as entries."""
    monkeypatch.setattr(audit_reading, "MAX_PROBLEMS", 4)
    monkeypatch.setattr(audit_reading, "BATCH_ROWS", 3)
    fill(audit, 10)

    store.execute("UPDATE audit_entries SET actor = 'x'")
    verdict = audit.verify()

    assert (verdict.ok, verdict.entries, len(verdict.problems)) == (False, 10, 4)


# Reading


def test_pages_are_newest_first_and_complete(audit: Audit) -> None:
    """Whatever is appended between them."""
    fill(audit, 7)

    first = audit.page(limit=3)
    fill(audit, 1)
    second = audit.page(limit=3, cursor=int(first.next_cursor or 0))
    third = audit.page(limit=3, cursor=int(second.next_cursor or 0))

    seqs = [[entry.seq for entry in page.entries] for page in (first, second, third)]
    assert seqs == [[7, 6, 5], [4, 3, 2], [1]]
    assert third.next_cursor is None


def test_a_last_page_that_is_full_has_no_cursor(audit: Audit) -> None:
    """Nobody has to ask for an empty page."""
    fill(audit, 4)

    assert audit.page(limit=4).next_cursor is None
    assert audit.page(limit=3).next_cursor == "2"


@pytest.mark.parametrize(
    ("filters", "seqs"),
    [
        ({"owner_kind": "server"}, [5, 2, 1]),
        ({"owner_kind": "server", "owner_id": "a"}, [5, 1]),
        ({"owner_id": "a"}, [5, 3, 1]),
        ({"action": "set"}, [4, 1]),
        ({"owner_kind": "server", "action": "use"}, [5, 2]),
        ({"owner_kind": "server", "owner_id": "a", "action": "use"}, [5]),
        ({"owner_kind": "camera"}, []),
        ({}, [5, 4, 3, 2, 1]),
    ],
)
def test_filters_are_anded(audit: Audit, filters: dict[str, str], seqs: list[int]) -> None:
    """Kind and id of the owner, and the action."""
    for kind, owner, action in [
        ("server", "a", "set"),
        ("server", "b", "use"),
        ("tenant", "a", "reveal"),
        (None, None, "set"),
        ("server", "a", "use"),
    ]:
        audit.record(action=action, actor="cli", owner_kind=kind, owner_id=owner)

    assert [entry.seq for entry in audit.page(**filters).entries] == seqs  # type: ignore[arg-type]


def test_export_is_the_whole_log_oldest_first(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A JSON object a line, chains included, read in batches."""
    monkeypatch.setattr(audit_reading, "BATCH_ROWS", 4)
    fill(audit, 9)

    lines = [json.loads(line) for line in audit.export()]

    assert [line["seq"] for line in lines] == list(range(1, 10))
    assert all(line["prev"] == before["mac"] for before, line in itertools.pairwise(lines))


# Uses


def uses_of(log: Audit) -> list[tuple[str, int, str]]:
    """Return minute, count and actor of the uses, oldest first."""
    entries = reversed(log.page(action="use", limit=100).entries)
    return [(entry.time[11:16], entry.count, entry.actor) for entry in entries]


def use(log: Audit, times: int = 1, *, secret_id: str = "s1", actor: str = "launch-token") -> None:
    """Use a secret."""
    for _ in range(times):
        log.note_use(secret_id, "server", "guild-1", "openai", fingerprint="00", actor=actor)


def test_uses_are_collapsed_to_one_entry_a_minute(store: InProcess, config_dir: Path) -> None:
    """The first has one of its own, the others are counted by the entry that follows."""
    clock = Clock()
    log = desktop(store, config_dir, clock=clock)

    use(log, 5)
    assert uses_of(log) == [("12:00", 1, "launch-token")]
    clock.move(59)
    use(log, 2)
    clock.move(2)
    use(log, 3)
    clock.move(600)
    use(log)

    assert uses_of(log) == [
        ("12:00", 1, "launch-token"),
        ("12:01", 7, "launch-token"),
        ("12:11", 3, "launch-token"),
    ]


def test_uses_are_written_behind_in_one_transaction(store: InProcess, config_dir: Path) -> None:
    """Whoever needs a secret does not wait for the log; each entry tells when it was."""
    clock = Clock()
    log = desktop(store, config_dir, clock=clock)
    told: list[str] = []
    commits = 0

    ours = threading.get_ident()

    def count(_: object) -> None:
        nonlocal commits
        commits += threading.get_ident() == ours

    log.on_due = lambda: told.append("due")

    for number in range(3):
        use(log, 2, secret_id=f"s{number}")
    assert told == ["due"] * 3
    assert count_of(audit_entries, store) == 0
    clock.move(61)
    event.listen(sa.Engine, "commit", count)
    try:
        assert log.write_uses()
    finally:
        event.remove(sa.Engine, "commit", count)

    assert commits == 1
    assert [minute for minute, _, _ in uses_of(log)] == ["12:00"] * 3
    assert log.verify().ok


def test_uses_stand_before_what_was_done_after_them(store: InProcess, config_dir: Path) -> None:
    """Although they are written behind."""
    log = desktop(store, config_dir)

    use(log)
    log.record(action="delete", actor="launch-token")

    assert [entry.action for entry in log.page(limit=9).entries] == ["delete", "use"]


def test_uses_are_told_to_the_vault_that_they_belong_to(store: InProcess, config_dir: Path) -> None:
    """Another database was connected before they were written."""
    clock = Clock()
    log = desktop(store, config_dir, clock=clock)
    use(log, 2)
    log.attach("another-vault", (ROOT_KEY,))
    assert not log.write_uses()
    assert count_of(audit_entries, store) == 0

    log.attach(VAULT, (ROOT_KEY,))
    clock.move(60)
    log.flush()

    assert uses_of(log) == [("12:01", 2, "launch-token")]


def test_uses_of_a_process_that_stops_without_a_database_are_kept(store: InProcess, config_dir: Path) -> None:
    """The next one writes them."""
    clock = Clock()
    log = desktop(store, config_dir, clock=clock)
    use(log)
    refuse, permit = REFUSALS[store.dialect]
    store.execute(refuse)
    log.flush()
    store.execute(permit)

    clock.move(60)
    desktop(store, config_dir, clock=clock).flush()

    assert uses_of(log) == [("12:01", 1, "launch-token")]


def test_each_secret_has_entries_of_its_own(store: InProcess, config_dir: Path) -> None:
    """And names whoever used it meanwhile."""
    clock = Clock()
    log = desktop(store, config_dir, clock=clock)

    for who in ("user:ann", "user:ben", "user:ann"):
        use(log, actor=who)
        use(log, secret_id="s2", actor=who)
    clock.move(60)
    use(log, actor="launch-token")
    for number in range(9):
        use(log, secret_id="s2", actor=f"user:{number}")

    assert uses_of(log) == [
        ("12:00", 1, "user:ann"),
        ("12:00", 1, "user:ann"),
        ("12:01", 3, "user:ben, user:ann, launch-token"),
        ("12:01", 3, "user:ben, user:ann, user:0"),
    ]
    clock.move(60)
    log.flush()
    assert uses_of(log)[-1] == ("12:02", 8, "user:1, user:2, user:3 and others")


def test_flush_writes_what_earlier_minutes_left(store: InProcess, config_dir: Path) -> None:
    """And nothing for a minute that has its entry already."""
    clock = Clock()
    log = desktop(store, config_dir, clock=clock)

    use(log, 4)
    log.flush()
    assert uses_of(log) == [("12:00", 1, "launch-token")]
    clock.move(61)
    log.flush()
    log.flush()
    use(log, 2)

    assert uses_of(log) == [("12:00", 1, "launch-token"), ("12:01", 3, "launch-token")]
    clock.move(61)
    log.flush()
    assert uses_of(log)[-1] == ("12:02", 2, "launch-token")


def test_uses_outlive_the_process(store: InProcess, config_dir: Path) -> None:
    """What may not be written in this minute is written by the next process, in another minute."""
    clock = Clock()
    stopped = desktop(store, config_dir, clock=clock)
    use(stopped, 4)
    stopped.flush()

    restarted = desktop(store, config_dir, clock=clock)
    use(restarted, 2)
    assert uses_of(restarted) == [("12:00", 1, "launch-token")]
    clock.move(60)
    restarted.flush()

    assert uses_of(restarted) == [("12:00", 1, "launch-token"), ("12:01", 5, "launch-token")]
    clock.move(60)
    restarted.flush()
    assert not (config_dir / "audit.uses").exists()


def test_uses_that_cannot_be_written_stay_counted(store: InProcess, audit: Audit, config_dir: Path) -> None:
    """A use is not refused; it appears when the log can be written again."""
    clock = Clock()
    log = desktop(store, config_dir, clock=clock)
    refuse, permit = REFUSALS[store.dialect]

    store.execute(refuse)
    use(log, 3)
    clock.move(60)
    log.flush()
    store.execute(permit)
    use(log)
    assert uses_of(log) == []
    clock.move(60)
    log.flush()

    assert uses_of(log) == [("12:02", 4, "launch-token")]
    assert log.verify().ok


def test_a_clock_that_is_set_back_loses_no_use(store: InProcess, config_dir: Path) -> None:
    """Whatever the clock says, uses are written."""
    clock = Clock()
    log = desktop(store, config_dir, clock=clock)

    use(log)
    clock.move(-3600)
    use(log, 2)
    clock.move(60)
    log.flush()

    assert sum(count for _, count, _ in uses_of(log)) == 3


@pytest.mark.parametrize("content", [b"{", b"{}", b"[1]", b'[{"used": {}}]', b'[{"used": {"vault_id": 1}}]'])
def test_damaged_uses_are_no_obstacle(store: InProcess, config_dir: Path, content: bytes) -> None:
    """They are lost, nothing else is."""
    (config_dir / "audit.uses").write_bytes(content)
    log = desktop(store, config_dir)

    use(log)
    log.flush()

    assert len(uses_of(log)) == 1


def test_uses_of_threads_are_one_entry(audit: Audit, store: InProcess, config_dir: Path) -> None:
    """And none is forgotten."""
    clock = Clock()
    log = desktop(store, config_dir, clock=clock)

    append_at_once([lambda: use(log, 50)] * 4)
    clock.move(60)
    log.flush()

    assert uses_of(log) == [("12:00", 1, "launch-token"), ("12:01", 199, "launch-token")]


# A long log

LONG = 20_000


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def long_log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    """A log of twenty thousand entries, most of them of one owner and one action."""
    if request.param == "sqlite":
        with on_sqlite(tmp_path_factory.mktemp("long") / "taskflow.db") as store:
            write_long(store)
            yield store
    else:
        from tests.support.databases import fresh_database

        with (
            fresh_database(request.getfixturevalue("postgres")) as database,
            on_postgresql(database.fields()) as store,
        ):
            write_long(store)
            yield store


LONG_WRITER = f"00112233445566aa-{fingerprint(ROOT_KEY)}"


def write_long(store: InProcess) -> None:
    """Write it; rare entries stand at the very beginning, where a search from the end finds them last."""
    write_chain(store, LONG_WRITER, LONG, rare=10)
    store.execute("ANALYZE audit_entries")


def write_chain(store: InProcess, writer: str, length: int, *, actor: str = "launch-token", rare: int = 0) -> None:
    """Write a chain with the key, but without the service, as `length` genuine operations would have."""
    key, prev, rows = mac_key(ROOT_KEY, VAULT), GENESIS, []
    for number in range(1, length + 1):
        owner = ("expire", "camera", "rare") if number <= rare else ("use", "server", "guild-1")
        covered = (writer, number, instant_text(NOON), actor, "desk", *owner, "openai", None, "ok", None, 1, prev)
        prev = mac_of(key, covered)
        rows.append((number, *covered, prev))
    columns = ", ".join(name if name != "times" else "count" for name in Entry._fields)
    with store.opened.writer.begin() as connection:
        driver: Any = connection.connection.driver_connection
        if store.dialect == "sqlite":
            marks = ", ".join("?" * len(Entry._fields))
            driver.executemany(f"INSERT INTO audit_entries ({columns}) VALUES ({marks})", rows)
        else:
            with driver.cursor() as cursor:
                execute_values(cursor, f"INSERT INTO audit_entries ({columns}) VALUES %s", rows, page_size=1000)


@pytest.mark.parametrize(
    "filters",
    [
        pytest.param({}, id="none"),
        pytest.param({"owner_kind": "server"}, id="kind"),
        pytest.param({"owner_kind": "camera"}, id="rare kind"),
        pytest.param({"owner_kind": "server", "owner_id": "guild-1"}, id="owner"),
        pytest.param({"owner_kind": "camera", "owner_id": "rare"}, id="rare owner"),
        pytest.param({"action": "use"}, id="action"),
        pytest.param({"action": "expire"}, id="rare action"),
        pytest.param({"owner_kind": "tenant", "owner_id": "nobody"}, id="nothing"),
    ],
)
@pytest.mark.parametrize("cursor", [pytest.param(None, id="first page"), pytest.param(500, id="last page")])
def test_every_page_of_a_long_log_costs_the_same(
    long_log: InProcess, tmp_path: Path, filters: dict[str, str], cursor: int | None
) -> None:
    """It is read off an index in order: nothing is sorted, and nothing is passed over."""
    log = desktop(long_log, tmp_path / "config")

    page = log.page(**filters, cursor=cursor)  # type: ignore[arg-type]
    plan = plan_of_page(long_log, filters, cursor).lower()

    assert len(page.entries) in (0, 10, 50)
    assert not [word for word in ("sort", "b-tree", "seq scan", "rows removed") if word in plan], plan
    assert "index" in plan or not filters, plan


def plan_of_page(store: InProcess, filters: dict[str, str], cursor: int | None) -> str:
    """Return how the database finds a page."""
    table = audit_entries.c
    query = audit_reading.select_entries(store.dialect).order_by(table.seq.desc()).limit(51)
    query = query.where(*(table[name] == value for name, value in filters.items()))
    if cursor is not None:
        query = query.where(table.seq < cursor)
    literal = query.compile(store.opened.engine, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN QUERY PLAN" if store.dialect == "sqlite" else "EXPLAIN (ANALYZE, COSTS OFF)"
    return "\n".join(str(row[-1]) for row in store.query(f"{explain} {literal}".replace("%", "%%")))


def test_deep_pages_are_as_quick_as_the_first(long_log: InProcess, tmp_path: Path) -> None:
    """Measured, with room for a busy machine."""
    log = desktop(long_log, tmp_path / "config")

    def best_s(cursor: int | None) -> float:
        times = []
        for _ in range(15):
            began = time.perf_counter()
            assert len(log.page(cursor=cursor).entries) == 50
            times.append(time.perf_counter() - began)
        return min(times)

    assert best_s(100) < 5 * best_s(None)


def test_a_long_log_is_verified_in_little_memory(long_log: InProcess, tmp_path: Path) -> None:
    """It is read in batches; tampering deep inside is found. All of it at once would take three times as much."""
    log = desktop(long_log, tmp_path / "config")

    tracemalloc.start()
    verdict = log.verify()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (verdict.ok, verdict.entries, verdict.unchecked) == (True, LONG, 0)
    assert peak_bytes < 8 << 20
    long_log.execute("UPDATE audit_entries SET actor = 'x' WHERE seq = 17777")
    assert problems(log.verify()) == [(17777, "edited")]
    long_log.execute("UPDATE audit_entries SET actor = 'launch-token' WHERE seq = 17777")

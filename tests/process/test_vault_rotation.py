"""Rotations killed by SIGKILL at every commit point, several at once, and the real sidecars that go on with them."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import random
import shutil
import signal
import time
from typing import TYPE_CHECKING, Any, cast

import pytest
import sqlalchemy as sa

from app.core.config import Config
from app.core.fernet_keys import KeyRing, encode_key
from app.core.security import delete_credentials, existing_keys, read_credentials, rotate_keys, save_credentials
from app.db.base import Instant, utc_now
from app.db.configured import DATABASE_FILE
from app.db.migrations import HEAD
from app.db.session import open_postgresql, open_sqlite
from app.db.settings import settings_from_body
from app.models.vault import vault_keys, vault_rotations, vault_wraps
from app.services.vault.check import Tally, verify
from app.services.vault.rotation import BATCH_ROWS
from app.services.vault.rows import SecretName, open_row, select_sealed
from app.services.vault.sealing import prefix_of
from app.services.vault.standalone import adopt_everywhere
from tests.conftest import BACKENDS
from tests.support import children
from tests.support.databases import SqliteDatabase, fresh_database
from tests.support.in_process import InProcess, count_of, on_postgresql, on_sqlite, opened_store
from tests.support.sidecar import Sidecar
from tests.support.vaults import ACTOR, Desktop, change, desktop, read, rows_of
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import SidecarFactory
    from tests.support.databases import Backend, Database
    from tests.support.postgres import PostgresServer

    Opener = Callable[[], contextlib.AbstractContextManager[InProcess]]

ROWS = 2000
COMMITS = 2 + ROWS // BATCH_ROWS + 2
"""Staged, active, a batch each, drained, done."""
REQUIRED_KILLS = 20
"""Of each test on each database, beside those at every commit point."""
KILLED = -signal.SIGKILL
KEY_A = bytes(range(32))
MOVED_COLUMNS = ("ciphertext", "kid")


@pytest.fixture(params=["sqlite", "postgresql"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Return what opens one and the same database with its tables, from whichever process."""
    if request.param == "sqlite":
        with on_sqlite(tmp_path / "taskflow.db"):
            pass
        yield lambda: opened_store(open_sqlite(tmp_path / "taskflow.db"))
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with fresh_database(server) as database:
        fields = database.fields()
        with on_postgresql(fields):
            pass
        yield lambda: opened_store(open_postgresql(settings_from_body(dict(fields)))[0])


def rotate_in_child(opener: Opener, config_dir: Path, kill_at: int, **options: Any) -> int:
    """Fork a child that goes on with a rotation, or begins one, until it is killed; return its process id."""

    def rotate() -> None:
        with opener() as store:
            one = desktop(store, config_dir, **options)
            one.vault.attachment.attach()
            children.kill_at_commit(kill_at)
            if not one.rotations.is_waiting():
                one.rotations.start(actor=ACTOR)
            one.rotations.work()

    return children.start(rotate)


def opening_keys(one: Desktop) -> set[int]:
    """How many of the vault's keys open each row, whatever key id it bears."""
    keys = one.vault.attachment.keys()
    counts = set()
    for row in read(one.store, select_sealed()):
        opened = 0
        for kid in keys.opened:
            relabelled = row._asdict() | {"kid": kid, "ciphertext": prefix_of(kid) + row.ciphertext[13:]}
            with contextlib.suppress(Exception):
                open_row(_Row(relabelled), keys)
                opened += 1
        counts.add(opened)
    return counts


class _Row:
    """A row with some columns changed."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


def unmoved(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Leave out what a rotation changes."""
    return {
        secret_id: {name: value for name, value in row.items() if name not in MOVED_COLUMNS}
        for secret_id, row in rows.items()
    }


def test_sigkill_at_every_commit_point(opener: Opener, tmp_path: Path) -> None:
    """A rotation of many batches, killed before and after each of its commits, goes on each time and ends at zero.

    Every child does one commit more than the last: it is killed before its first one, the next one after it.
    """
    kills = 0
    with opener() as store:
        one = desktop(store, tmp_path / "ours", key=KEY_A)
        stored = one.fill(ROWS)
        before = rows_of(store)
        old_kid = one.vault.document().kid
        while one.rotations.document().state != "done":
            done = one.rotations.document().done
            for kill_at, steps in ((1, 0), (2, 1)):
                assert children.wait(rotate_in_child(opener, tmp_path / "ours", kill_at)) == KILLED
                kills += 1
                moved = one.rotations.document().done - done
                assert moved == 0 if steps == 0 else moved in (0, BATCH_ROWS)
            one.vault.attachment.attach()
            if kills % 8 == 0:
                assert verify(one.vault.attachment, store.database)[0] == Tally(opened=ROWS)
        document = one.rotations.document()

        assert kills == 2 * COMMITS
        assert (document.done, document.total, document.quarantined) == (ROWS, ROWS, 0)
        assert unmoved(rows_of(store)) == unmoved(before)
        assert {row["kid"] for row in rows_of(store).values()} == {document.to_kid}
        assert [row.kid for row in read(store, sa.select(vault_keys))] == [document.to_kid]
        assert old_kid not in {row.kid for row in read(store, sa.select(vault_wraps))}
        fresh = desktop(store, tmp_path / "ours")
        assert verify(fresh.vault.attachment, store.database)[0] == Tally(opened=ROWS)
        assert all(fresh.use(which) == secret for which, secret in list(stored.items())[::200])
        assert fresh.audit.verify().ok


def test_rows_open_under_exactly_one_key_in_the_middle(opener: Opener, tmp_path: Path) -> None:
    """Killed half-way: old key and new are both there, and no row opens under both, or under none."""
    with opener() as store:
        one = desktop(store, tmp_path / "ours", key=KEY_A)
        one.fill(1000)

        assert children.wait(rotate_in_child(opener, tmp_path / "ours", kill_at=8)) == KILLED

        one.vault.attachment.attach()
        assert one.rotations.document().done == 2 * BATCH_ROWS
        assert len(one.vault.attachment.keys().opened) == 2
        assert opening_keys(one) == {1}
        one.rotations.work()
        assert opening_keys(one) == {1}
        assert one.rotations.document().state == "done"
        assert count_of(vault_keys, store) == 1


def hasty_clock(_: sa.Connection, ago: dt.timedelta) -> sa.ColumnElement[dt.datetime]:
    """A clock by which half a minute passes in a tenth of a second."""
    epoch = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    return sa.literal(epoch + (utc_now() - epoch) * 300 - ago, Instant())


def test_sigkill_with_edits_and_a_second_sidecar(opener: Opener, tmp_path: Path) -> None:
    """Two desktops rotate again and again and are killed at random commits while rows are edited: no edit is lost."""
    chance = random.Random(20261120)
    kills, kids = 0, set[str]()
    running: dict[str, int] = {}
    with opener() as store:
        editor = desktop(store, tmp_path / "editor", key=KEY_A)
        for name in ("one", "two"):
            desktop(store, tmp_path / name, key=KEY_A)
        stored = editor.fill(ROWS)
        names = list(stored)
        untouched = set(names[ROWS // 2 :])
        before = rows_of(store)
        deadline = time.monotonic() + 200
        while kills < REQUIRED_KILLS and time.monotonic() < deadline:
            for name in ("one", "two"):
                if name not in running:
                    running[name] = rotate_in_child(opener, tmp_path / name, chance.randint(1, 12), clock=hasty_clock)
                pid, status = os.waitpid(running[name], os.WNOHANG)
                if pid:
                    assert os.waitstatus_to_exitcode(status) in (KILLED, 0)
                    kills += os.waitstatus_to_exitcode(status) == KILLED
                    del running[name]
            which = chance.choice(names[: ROWS // 2])
            stored[which] = f"edit {kills} {chance.random()}"
            editor.set(which, stored[which])
            kids |= {row.kid for row in read(store, sa.select(vault_keys.c.kid))}
        for pid in running.values():
            os.kill(pid, signal.SIGKILL)
            children.wait(pid)

        assert kills >= REQUIRED_KILLS
        last = desktop(
            store,
            tmp_path / "last",
            key=KEY_A,
            clock=lambda connection, ago: hasty_clock(connection, ago - dt.timedelta(seconds=31)),
        )
        last.rotations.work()
        assert last.rotations.document().state in ("done", "idle")
        last.rotate()
        assert count_of(vault_keys, store) == 1
        assert verify(last.vault.attachment, store.database)[0] == Tally(opened=ROWS)
        keys = last.vault.attachment.keys()
        opened = {(row.owner_kind, row.owner_id, row.name): open_row(row, keys) for row in read(store, select_sealed())}
        assert opened == {(which.owner_kind, which.owner_id, which.name): secret for which, secret in stored.items()}
        kept = {row["id"] for row in before.values() if _name(row) in untouched}
        after = rows_of(store)
        assert unmoved({secret_id: after[secret_id] for secret_id in kept}) == unmoved(
            {secret_id: before[secret_id] for secret_id in kept}
        )
        assert len(kids) > 2


def _name(row: dict[str, Any]) -> SecretName:
    return SecretName(row["owner_kind"], row["owner_id"], row["name"])


# --- key rotate ------------------------------------------------------------------------------------------------------

CREDENTIALS = {"host": "db.example", "port": 5432, "database": "team", "username": "lead", "password": "p@ss"}
OPENAI = SecretName("tenant", "acme", "openai")


def embedded_vault(directory: Path, *, schema: str = HEAD) -> None:
    """Make a config directory whose embedded database has a vault with one secret, as the sidecar leaves it."""
    (directory / "data").mkdir(parents=True, mode=0o700)
    with on_sqlite(directory / "data" / DATABASE_FILE) as store:
        desktop(store, directory, key=KEY_A).set(OPENAI, "secret")
        change(store, sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        change(store, sa.text("INSERT INTO alembic_version VALUES (:schema)"), {"schema": schema})


def rotate_key_file(directory: Path) -> bool:
    """Do what `key rotate` does beside a stopped sidecar."""
    config = Config(config_dir=directory, data_dir=directory / "data")
    return rotate_keys(directory, lambda ring: adopt_everywhere(config, ring, actor="cli"))


def expect_open(directory: Path) -> KeyRing:
    """The vault opens with the keys in the file; return them."""
    with opened_store(open_sqlite(directory / "data" / DATABASE_FILE)) as store:
        vault_keys_here = desktop(store, directory).vault.attachment.unlocked_keys()
        assert [open_row(row, vault_keys_here) for row in read(store, select_sealed())] == ["secret"]
    keys = existing_keys(directory)
    assert keys is not None
    return keys


@pytest.mark.parametrize("arm", [children.kill_at_file_operation, children.kill_at_commit], ids=["files", "commits"])
def test_key_rotate_killed_at_every_point(arm: Callable[[int], None], tmp_path: Path) -> None:
    """At each file operation and each commit: the vault opens afterwards, and the next rotation cleans up."""
    pristine = tmp_path / "pristine"
    embedded_vault(pristine)
    number, status = 0, KILLED
    while status == KILLED:
        number += 1
        with children.directory() as directory:
            place = shutil.copytree(pristine, directory / "place")

            def rotate(place: Path = place, number: int = number) -> None:
                arm(number)
                assert rotate_key_file(place)

            status = children.wait(children.start(rotate))
            keys = expect_open(place)
            if number % 20 == 0:
                assert rotate_key_file(place)
                cleaned = expect_open(place)
                assert len(cleaned.keys) == 1
                assert not set(cleaned.keys) & set(keys.keys)

    assert status == 0
    assert number > (2 if arm is children.kill_at_commit else 50)


def test_key_rotate_with_the_database_away(database: Database, tmp_path: Path) -> None:
    """The old key stays beside the new one, also for the embedded vault; the next rotation retires both."""
    embedded_vault(tmp_path)
    save_credentials(tmp_path, {**database.fields(), "port": database.server.port, "database": "not-there"})

    assert not rotate_key_file(tmp_path)

    keys = expect_open(tmp_path)
    assert len(keys.keys) == 2
    assert keys.keys[1] == KEY_A
    assert read_credentials(tmp_path, KeyRing(keys.keys[:1])) is not None
    delete_credentials(tmp_path)
    assert rotate_key_file(tmp_path)
    assert len(expect_open(tmp_path).keys) == 1


def test_key_rotate_reaches_the_embedded_vault_behind_a_server(database: Database, tmp_path: Path) -> None:
    """A team's database is configured, the embedded one is not in use: neither is lost."""
    embedded_vault(tmp_path)
    save_credentials(tmp_path, database.fields())
    with Sidecar(config_dir=tmp_path) as sidecar:
        sidecar.wait_healthy()
        assert sidecar.status()["mode"] == "postgresql"
        stored = {"op": "set", **OPENAI.columns(), "secret": "on the server"}
        assert sidecar.request("POST", BULK, json={"operations": [stored]}).status_code == 200
        through_it = sidecar.request("POST", "/api/v1/settings/rotate-key")
        assert through_it.json()["retired"] is True
    assert len(expect_open(tmp_path).keys) == 1

    assert rotate_key_file(tmp_path)

    assert len(expect_open(tmp_path).keys) == 1
    with on_postgresql(database.fields()) as store:
        assert desktop(store, tmp_path).use(OPENAI) == "on the server"


@pytest.mark.parametrize(("schema", "retired"), [("0001", True), ("9999", False)])
def test_key_rotate_beside_an_embedded_database_of_another_version(schema: str, retired: bool, tmp_path: Path) -> None:
    """One from before the vault needs nothing, one of a later program keeps the old key."""
    embedded_vault(tmp_path, schema=schema)

    assert rotate_key_file(tmp_path) == retired

    keys = existing_keys(tmp_path)
    assert keys is not None
    assert len(keys.keys) == (1 if retired else 2)


# --- real sidecars ---------------------------------------------------------------------------------------------------

BULK = "/api/v1/vault/bulk"
ROTATION = "/api/v1/vault/rotation"


@contextlib.contextmanager
def observer(backend: Backend) -> Iterator[Desktop]:
    """Look into a sidecar's database with its own keys."""
    opened = (
        on_sqlite(backend.database.file)
        if isinstance(backend.database, SqliteDatabase)
        else on_postgresql(cast("Database", backend.database).fields())
    )
    with opened as store:
        yield desktop(store, backend.sidecar.config_dir)


def rotation_of(sidecar: Sidecar) -> dict[str, Any]:
    """The rotation's document; an error's while the sidecar is not ready."""
    document: dict[str, Any] = {"state": None} | sidecar.request("GET", ROTATION).json()
    return document


@pytest.mark.parametrize("kind", BACKENDS)
@pytest.mark.in_turn
def test_a_killed_sidecar_goes_on_after_its_next_start(kind: str, request: pytest.FixtureRequest) -> None:
    """By itself, with nobody asking; progress is seen over HTTP, and every secret is there."""
    with BACKENDS[kind](request) as backend, observer(backend) as inside:
        stored = inside.fill(ROWS)
        sidecar = backend.sidecar

        begun = sidecar.request("POST", "/api/v1/vault/rotate")
        wait_until(lambda: inside.rotations.document().done >= BATCH_ROWS, timeout_s=30, what="the first batch")
        sidecar.kill()
        left_at = inside.rotations.document()
        sidecar.start().wait_healthy()
        wait_until(lambda: rotation_of(sidecar)["state"] == "done", timeout_s=60, what="the rotation to end")

        assert begun.status_code == 202
        assert begun.json()["state"] in ("staged", "rewrapping")
        assert left_at.done < ROWS
        document = rotation_of(sidecar)
        assert (document["done"], document["total"], document["quarantined"]) == (ROWS, ROWS, 0)
        assert document["to_kid"] == begun.json()["to_kid"] == sidecar.request("GET", "/api/v1/vault").json()["kid"]
        assert verify(inside.vault.attachment, inside.store.database)[0] == Tally(opened=ROWS)
        assert all(inside.use(which) == secret for which, secret in list(stored.items())[::200])


def test_another_sidecar_goes_on_with_a_silent_ones_rotation(
    database: Database, sidecar_factory: SidecarFactory
) -> None:
    """Killed and never started again: who shares the key takes over when the heartbeat is half a minute old."""
    env = {"TASKFLOW_DATABASE_URL": database.url, "ENCRYPTION_KEY": encode_key(KEY_A)}
    first, second = (sidecar_factory(env=env).wait_healthy() for _ in range(2))
    with on_postgresql(database.fields()) as store:
        inside = desktop(store, first.config_dir, encryption_keys=(KEY_A,))
        stored = inside.fill(2000)
        assert first.request("POST", "/api/v1/vault/rotate").status_code == 202
        wait_until(lambda: inside.rotations.document().done >= BATCH_ROWS, timeout_s=30, what="the first batch")
        first.kill()
        left_at = inside.rotations.document()
        assert left_at.state != "done"

        second.request("POST", "/api/v1/settings/retry")  # makes it look at once
        second.wait_healthy()
        assert rotation_of(second)["done"] == left_at.done
        change(store, sa.update(vault_rotations).values(heartbeat_at=utc_now() - dt.timedelta(seconds=31)))
        second.request("POST", "/api/v1/settings/retry")
        wait_until(lambda: rotation_of(second)["state"] == "done", timeout_s=60, what="the second to finish")

        assert verify(inside.vault.attachment, store.database)[0] == Tally(opened=2000)
        assert all(inside.use(which) == secret for which, secret in list(stored.items())[::200])


def test_two_sidecars_rotate_while_both_are_used(database: Database, sidecar_factory: SidecarFactory) -> None:
    """Asked at the same moment, and again; every write of either is there afterwards."""
    env = {"TASKFLOW_DATABASE_URL": database.url, "ENCRYPTION_KEY": encode_key(KEY_A)}
    sidecars = [sidecar_factory(env=env).wait_healthy() for _ in range(2)]
    stored: dict[SecretName, str] = {}
    with on_postgresql(database.fields()) as store:
        inside = desktop(store, sidecars[0].config_dir, encryption_keys=(KEY_A,))
        stored |= inside.fill(1000)
        for turn in range(3):
            for sidecar in sidecars:
                assert sidecar.request("POST", "/api/v1/vault/rotate").status_code == 202
            while rotation_of(sidecars[turn % 2])["state"] != "done":
                for sidecar in sidecars:
                    which = SecretName("tenant", f"during-{len(stored) % 7}", str(len(stored)))
                    operation = {"op": "set", **which.columns(), "secret": f"secret {len(stored)}"}
                    answer = sidecar.request("POST", BULK, json={"operations": [operation]})
                    assert answer.status_code == 200, answer.text
                    stored[which] = f"secret {len(stored)}"

        assert len(stored) > 1000
        assert count_of(vault_keys, store) == 1
        assert verify(inside.vault.attachment, store.database)[0] == Tally(opened=len(stored))
        assert all(inside.use(which) == secret for which, secret in list(stored.items())[900:])


def test_rotation_on_the_command_line(tmp_path: Path) -> None:
    """Progress goes to stderr, the outcome to stdout; what was interrupted goes on at once."""
    with Sidecar(config_dir=tmp_path) as sidecar:
        sidecar.wait_healthy()
    file = tmp_path / "data" / DATABASE_FILE
    with on_sqlite(file) as store:
        desktop(store, tmp_path).fill(1000)
    environment = {"TASKFLOW_CONFIG_DIR": str(tmp_path), "PATH": os.environ["PATH"]}

    with on_sqlite(file) as store:
        one = desktop(store, tmp_path)
        one.rotations.start(actor=ACTOR)
        one.rotations._step()
        one.rotations._step()
    finished = children.run_command("vault", "rotate", environment=environment)

    assert finished.status == 0, finished.text
    assert "1000 secrets were sealed anew" in finished.stdout
    assert "1000 of 1000" in finished.stderr
    again = children.run_command("vault", "rotate", "--json", environment=environment)
    assert json.loads(again.stdout)["state"] == "done"
    checked = children.run_command("vault", "verify", environment=environment)
    assert (checked.status, checked.stdout) == (0, "1000 secrets open, 0 do not.\n")

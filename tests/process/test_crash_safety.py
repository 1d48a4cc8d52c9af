"""A process killed in the middle of a save or a rotation leaves files that can be read: the old ones or the new ones.

The product's own functions run in forked children that kill themselves before the n-th file operation, for every n. A
killed process loses nothing that it had written, so these directories may be in memory; that content reaches the disk
before it gets its name is shown in `tests/unit/core/test_files.py`.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import random
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cryptography.fernet import Fernet

from app.core.exceptions import ProblemError
from app.core.fernet_keys import encode_key
from app.core.security import (
    CREDENTIALS_FILE,
    KEY_FILE,
    delete_credentials,
    existing_keys,
    load_or_create_keys,
    prepare_config_directory,
    read_credentials,
    read_keys,
    remove_interrupted_writes,
    rotate_keys,
    save_credentials,
)
from tests.support import children
from tests.support.sidecar import COMMAND, Sidecar, clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import SidecarFactory

OLD = {"host": "old.example", "port": 5432, "database": "team", "username": "lead", "password": " öld p@ss "}
NEW = {**OLD, "host": "new.example", "password": "n€w p@ss"}
LATER = {**OLD, "host": "later.example"}
REQUIRED_KILLS = 350
MAX_KILLS_PER_CASE = 400
RACES = 50
RACERS = 4

NOTHING = "nothing saved"


def outcome(directory: Path) -> str:
    """What a start would find: the host that is saved, `NOTHING`, or the code of a problem."""
    try:
        keys = existing_keys(directory)
        saved = None if keys is None else read_credentials(directory, keys)
    except ProblemError as exc:
        return exc.problem.code
    if saved is None:
        return NOTHING
    assert saved.values in (OLD, NEW, LATER)
    return str(saved.values["host"])


# --- what is found before -------------------------------------------------------------------------------------------


def nothing(_: Path) -> None:
    """A directory that was never used."""


def key_only(directory: Path) -> None:
    """After the first start on the embedded database."""
    load_or_create_keys(directory)


def saved(directory: Path) -> None:
    """A saved connection."""
    save_credentials(directory, OLD)


def saved_and_rotation_begun(directory: Path) -> None:
    """A rotation was killed after the new key was put in front."""
    saved(directory)
    put_key_in_front(directory)


def saved_and_rotation_almost_done(directory: Path) -> None:
    """A rotation was killed before the old keys were dropped; two more before it, and a write in the middle."""
    saved(directory)
    for _ in range(3):
        put_key_in_front(directory)
    save_credentials(directory, OLD)
    for name in (KEY_FILE, CREDENTIALS_FILE, "sidecar.json"):
        leftover = directory / f".{name}.0123456789abcdef.tmp"
        leftover.touch(mode=0o600)
        leftover.write_bytes(b"half a fi")


def put_key_in_front(directory: Path) -> None:
    """Do the first step of a rotation."""
    keys = [Fernet.generate_key(), *(directory / KEY_FILE).read_bytes().split(b"\n")]
    (directory / KEY_FILE).write_bytes(b"\n".join(keys))


def credentials_damaged(directory: Path) -> None:
    """A token that no key opens."""
    saved(directory)
    (directory / CREDENTIALS_FILE).write_bytes(Fernet(Fernet.generate_key()).encrypt(b"{}"))


def key_damaged(directory: Path) -> None:
    """A key file with half a key in it."""
    saved(directory)
    (directory / KEY_FILE).write_bytes((directory / KEY_FILE).read_bytes()[:20])


def key_lost(directory: Path) -> None:
    """Credentials without their key."""
    saved(directory)
    (directory / KEY_FILE).unlink()


# --- what is done ---------------------------------------------------------------------------------------------------


def save(directory: Path) -> None:
    """Save a connection."""
    save_credentials(directory, NEW)


def save_without_links(directory: Path) -> None:
    """Save a connection on a file system that has no links (FAT, some network shares)."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    os.link = refuse
    save_credentials(directory, NEW)


def rotate(directory: Path) -> None:
    """Replace the key."""
    rotate_keys(directory, lambda _: True)


def rotate_with_database_away(directory: Path) -> None:
    """Replace the key while the vault's keys cannot be wrapped anew, so that the old one stays beside the new."""
    rotate_keys(directory, lambda _: False)


def rotate_in_vain(directory: Path) -> None:
    """Try to replace the key of credentials that it does not open."""
    with contextlib.suppress(ProblemError):
        rotate(directory)


def rotate_after_cleaning(directory: Path) -> None:
    """Replace the key as the command line does."""
    prepare_config_directory(directory)
    remove_interrupted_writes(directory)
    rotate(directory)


def delete(directory: Path) -> None:
    """Delete the saved connection."""
    delete_credentials(directory)


def first_start(directory: Path) -> None:
    """Start for the first time."""
    prepare_config_directory(directory)
    remove_interrupted_writes(directory)
    load_or_create_keys(directory)


@dataclass(frozen=True, slots=True)
class Case:
    """One situation, one thing done in it, and what may be found after a kill."""

    name: str
    before: Callable[[Path], None]
    act: Callable[[Path], None]
    allowed: frozenset[str]
    """Outcomes after a kill at any point."""
    final: str
    """Outcome when nothing was killed."""


def case(name: str, before: Callable[[Path], None], act: Callable[[Path], None], *outcomes: str) -> Case:
    """Describe a case by its outcomes in the order in which they come about."""
    return Case(name, before, act, frozenset(outcomes), outcomes[-1])


old, new = str(OLD["host"]), str(NEW["host"])
CASES = (
    case("save-over-nothing", nothing, save, NOTHING, new),
    case("save-beside-a-key", key_only, save, NOTHING, new),
    case("save-over-saved", saved, save, old, new),
    case("save-after-a-killed-rotation", saved_and_rotation_begun, save, old, new),
    case("save-over-damaged-credentials", credentials_damaged, save, "credentials-unreadable", new),
    case("save-over-a-damaged-key", key_damaged, save, "key-invalid", "credentials-unreadable", new),
    case("save-without-the-key", key_lost, save, "key-missing", "credentials-unreadable", new),
    case("save-over-nothing-without-links", nothing, save_without_links, NOTHING, new),
    case("save-over-damaged-without-links", credentials_damaged, save_without_links, "credentials-unreadable", new),
    case(
        "save-over-a-damaged-key-without-links",
        key_damaged,
        save_without_links,
        *("key-invalid", "credentials-unreadable", new),
    ),
    case("rotate-with-credentials", saved, rotate, old),
    case("rotate-with-database-away", saved, rotate_with_database_away, old),
    case("rotate-without-credentials", key_only, rotate, NOTHING),
    case("rotate-after-a-killed-rotation", saved_and_rotation_begun, rotate, old),
    case("rotate-among-leftovers", saved_and_rotation_almost_done, rotate_after_cleaning, old),
    case("rotate-a-damaged-pair", credentials_damaged, rotate_in_vain, "credentials-unreadable"),
    case("delete", saved, delete, old, NOTHING),
    case("first-start", nothing, first_start, NOTHING),
)


@dataclass(frozen=True, slots=True)
class Killed:
    """What one kill left, and how things went on."""

    where: str
    outcome: str
    is_kept: bool
    """Whether the bytes found before, if they were damaged, are still somewhere."""
    open_to_others: tuple[str, ...]
    outcome_at_next_start: str
    leftovers: tuple[str, ...]
    """What the next start did not clean."""
    outcome_after_next_save: str
    outcome_after_next_rotation: str
    keys_at_last: int


@dataclass(frozen=True, slots=True)
class Enumerated:
    """All kills of one case."""

    case: Case
    kills: tuple[Killed, ...]
    final: str


def kill_everywhere(examined: Case) -> Enumerated:
    """Run a case again and again, killed at each file operation in turn, until it is not killed any more."""
    kills: list[Killed] = []
    for number in range(1, MAX_KILLS_PER_CASE):
        with children.directory() as directory:
            examined.before(directory)
            damaged = [] if outcome(directory) in {old, NOTHING} else contents(directory)

            def run(directory: Path = directory, number: int = number) -> None:
                children.kill_at_file_operation(number)
                examined.act(directory)

            status = children.wait(children.start(run))
            if status == 0:
                return Enumerated(examined, tuple(kills), outcome(directory))
            assert status == -signal.SIGKILL, f"{examined.name}, {number}: exit status {status}"
            kills.append(look(directory, f"{examined.name}, {number}", damaged))
    raise AssertionError(f"{examined.name} has no end")


def look(directory: Path, where: str, damaged: list[bytes]) -> Killed:
    """Look at what a kill has left, and go on: start, save, rotate."""
    found = outcome(directory)
    kept = contents(directory)
    open_to_others = tuple(path.name for path in directory.iterdir() if path.stat().st_mode & 0o077)
    prepare_config_directory(directory)
    remove_interrupted_writes(directory)
    known = (KEY_FILE, CREDENTIALS_FILE, f"{KEY_FILE}.unreadable-", f"{CREDENTIALS_FILE}.unreadable-")
    leftovers = tuple(path.name for path in directory.iterdir() if not path.name.startswith(known))
    at_next_start = outcome(directory)
    save_credentials(directory, LATER)
    after_next_save = outcome(directory)
    rotate(directory)
    keys = read_keys(directory)
    return Killed(
        where=where,
        outcome=found,
        is_kept=all(content in kept for content in damaged),
        open_to_others=open_to_others,
        outcome_at_next_start=at_next_start,
        leftovers=leftovers,
        outcome_after_next_save=after_next_save,
        outcome_after_next_rotation=outcome(directory),
        keys_at_last=0 if keys is None else len(keys.keys),
    )


def contents(directory: Path) -> list[bytes]:
    """What the files of a directory hold."""
    return [path.read_bytes() for path in directory.iterdir()]


@pytest.fixture(scope="module")
def enumerated() -> list[Enumerated]:
    """Every case, killed at every file operation."""
    return [kill_everywhere(examined) for examined in CASES]


@pytest.fixture(scope="module")
def kills(enumerated: list[Enumerated]) -> list[Killed]:
    """The kills of all cases."""
    return [kill for case in enumerated for kill in case.kills]


def test_kills_are_many(enumerated: list[Enumerated], kills: list[Killed]) -> None:
    """Every case was killed at every one of its file operations, and there are more than enough of them."""
    per_case = {found.case.name: len(found.kills) for found in enumerated}

    assert len(kills) >= REQUIRED_KILLS, per_case
    assert len(per_case) == len(CASES)
    # the fewest operations are those of a deletion: unlink, open, fsync
    assert min(per_case.values()) >= 3, per_case


def test_case_that_is_not_killed_does_its_work(enumerated: list[Enumerated]) -> None:
    """Each case ends as it should, so that the kills were kills of the real thing."""
    assert {found.case.name: found.final for found in enumerated} == {one.name: one.final for one in CASES}


def test_killed_writer_leaves_old_or_new(enumerated: list[Enumerated]) -> None:
    """Wherever it is killed, the credentials are readable, the old or the new ones; never is there nothing instead."""
    wrong = [kill for found in enumerated for kill in found.kills if kill.outcome not in found.case.allowed]

    assert wrong == []


def test_both_outcomes_come_about(enumerated: list[Enumerated]) -> None:
    """The kills reach across the decisive moment of every case."""
    for found in enumerated:
        assert {kill.outcome for kill in found.kills} == found.case.allowed, found.case.name


def test_damaged_files_survive_a_killed_save(kills: list[Killed]) -> None:
    """What could not be read is still there, under its own name or set aside, for somebody who can repair it."""
    assert [kill.where for kill in kills if not kill.is_kept] == []


def test_kill_opens_nothing_to_others(kills: list[Killed]) -> None:
    """Not even a half-written temporary file is readable by other users."""
    assert [kill for kill in kills if kill.open_to_others] == []


def test_next_start_cleans_up_and_changes_nothing(kills: list[Killed]) -> None:
    """The next start removes what the kill left behind, and finds what was there."""
    assert [kill for kill in kills if kill.leftovers] == []
    assert [kill for kill in kills if kill.outcome_at_next_start != kill.outcome] == []


def test_next_operations_succeed(kills: list[Killed]) -> None:
    """After any kill a save and a rotation do their work, and one key remains."""
    ends = Counter(
        (kill.outcome_after_next_save, kill.outcome_after_next_rotation, kill.keys_at_last) for kill in kills
    )

    assert ends == {(LATER["host"], LATER["host"], 1): len(kills)}


# --- races -----------------------------------------------------------------------------------------------------------


def test_racing_first_saves_agree_on_one_key() -> None:
    """Processes that save for the first time at the same moment: one of the connections is saved, under one key."""
    winners: Counter[int] = Counter()

    for _ in range(RACES):
        with children.directory() as directory:
            race(directory)
            keys = read_keys(directory)
            assert keys is not None
            assert (directory / KEY_FILE).read_bytes() == encode_key(keys.keys[0]).encode()
            found = read_credentials(directory, keys)
            assert found is not None
            winners[found.values["racer"]] += 1
            assert sorted(path.name for path in directory.iterdir()) == [CREDENTIALS_FILE, KEY_FILE]

    assert sum(winners.values()) == RACES
    assert set(winners) <= set(range(RACERS))
    assert len(winners) > 1, "the same racer won every time: they did not race"


def race(directory: Path) -> None:
    """Let several processes, waiting at the same line, save different connections."""
    line, flag = os.pipe()

    def run(number: int) -> None:
        os.close(flag)
        os.read(line, 1)  # returns when the flag falls: its last holder closed it
        save_credentials(directory, {"racer": number})

    pids = [children.start(functools.partial(run, number)) for number in range(RACERS)]
    os.close(line)
    os.close(flag)
    assert [children.wait(pid) for pid in pids] == [0] * RACERS


def test_saves_and_rotations_of_one_process_take_turns() -> None:
    """Threads that save and rotate at once never leave credentials under a key that is gone."""
    failures: list[BaseException] = []

    def repeat(act: Callable[[Path], object], directory: Path, times: int) -> None:
        try:
            for _ in range(times):
                act(directory)
        except BaseException as exc:  # noqa: BLE001 - looked at by the test
            failures.append(exc)

    with children.directory() as directory:
        saved(directory)
        threads = [
            threading.Thread(target=repeat, args=(act, directory, 40)) for act in (save, rotate, saved, rotate, save)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert failures == []
        assert outcome(directory) in {old, new}
        keys = read_keys(directory)
        assert keys is not None
        assert len(keys.keys) == 1


# --- real processes --------------------------------------------------------------------------------------------------


def test_killed_command_leaves_credentials_readable() -> None:
    """`taskflow-sidecar key rotate`, killed at moments that chance chooses over all the time it takes."""
    chance = random.Random(7)
    statuses: Counter[int] = Counter()

    with children.directory() as directory, children.directory() as home:
        saved(directory)
        environment = {**clean_environment(home), "TASKFLOW_CONFIG_DIR": str(directory)}
        first_key = (directory / KEY_FILE).read_bytes()

        def rotate_by_command() -> None:
            os.execve(COMMAND[0], [*COMMAND, "key", "rotate"], environment)

        started = time.monotonic()
        assert children.wait(children.start(rotate_by_command)) == 0
        whole_s = time.monotonic() - started
        for part in (0.3, 0.5, 0.7, 0.8, 0.9, 1.0):
            pid = children.start(rotate_by_command)
            time.sleep(whole_s * part * chance.uniform(0.9, 1.0))
            os.kill(pid, signal.SIGKILL)
            statuses[children.wait(pid)] += 1

            assert outcome(directory) == old

        assert statuses[-signal.SIGKILL] > 0
        assert statuses.keys() <= {0, -signal.SIGKILL}
        assert (directory / KEY_FILE).read_bytes() != first_key


def test_killed_sidecar_leaves_one_of_the_saved_connections(sidecar_factory: SidecarFactory) -> None:
    """A running sidecar killed while connections are saved over HTTP: the last one answered, or the one under way."""
    sidecar: Sidecar = sidecar_factory()
    fields: dict[str, Any] = {"port": 1, "database": "team", "username": "lead", "password": "p@ss"}

    for generation in range(3):
        number = 0
        sidecar.save_connection({**fields, "host": f"127.0.0.1,{generation}-{number}.invalid"})
        killer = threading.Timer(0.05 * (generation + 1), sidecar.process.kill)
        killer.start()
        with contextlib.suppress(httpx.TransportError):
            while True:
                number += 1
                sidecar.save_connection({**fields, "host": f"127.0.0.1,{generation}-{number}.invalid"})
        sidecar.wait_for_exit()
        sidecar.start()

        found = sidecar.request("GET", "/api/v1/settings/connection")

        assert found.status_code == 200, found.text
        expected = {f"127.0.0.1,{generation}-{n}.invalid" for n in (number - 1, number)}
        assert found.json()["host"] in expected
        assert list(sidecar.config_dir.glob(".*.tmp")) == []

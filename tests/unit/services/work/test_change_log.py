"""The log of changes: nothing that becomes visible is ever behind the back of a reader, whatever commits when."""

from __future__ import annotations

import contextlib
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from app.db.session import HINT
from app.models.changes import changes
from app.services.work import change_log
from app.services.work import changes as announcing
from app.services.work.change_log import Position, after, newest
from app.services.work.changes import announce
from tests.support.databases import fresh_database
from tests.support.in_process import InProcess, count_of, on_postgresql
from tests.support.postgres import PostgresServer
from tests.support.system import needs_own_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.databases import Database


def write(store: InProcess, *ids: str) -> None:
    """Announce changes, each in a transaction of its own."""
    for identifier in ids:
        with store.database.write() as connection:
            announce(connection, "member", identifier, "created")


def ids_after(store: InProcess, position: Position) -> list[str] | None:
    """What was read on from there."""
    events = after(store.database, position)
    return None if events is None else [event.id for event in events]


def test_changes_are_read_in_order_from_any_position(store: InProcess) -> None:
    """From the very beginning, from the middle, and nothing from the end."""
    beginning = newest(store.database)
    assert after(store.database, beginning) == []

    write(store, "a", "b", "c")

    found = after(store.database, beginning)
    assert found is not None
    assert [event[1:4] for event in found] == [("member", name, "created") for name in "abc"]
    assert ids_after(store, found[0].position) == ["b", "c"]
    assert ids_after(store, found[-1].position) == []
    assert newest(store.database) == found[-1].position
    assert Position.parse(str(found[0].position)) == found[0].position


@pytest.mark.parametrize("text", ["", "5", "-", "5-", "-5", "a-b", "1-2-3", "1.5-2", "٣-٤", "9" * 19 + "-1", "*"])
def test_what_is_no_position_is_told_apart(text: str) -> None:
    """Ids come from clients."""
    assert Position.parse(text) is None


def test_change_of_a_transaction_that_fails_is_none(store: InProcess) -> None:
    """It is in the log only if what it tells of has happened."""
    beginning = newest(store.database)

    with contextlib.suppress(ZeroDivisionError), store.database.write() as connection:
        announce(connection, "task", "a", "updated")
        raise ZeroDivisionError
    write(store, "b")

    assert ids_after(store, beginning) == ["b"]


def test_there_is_no_telling_after_a_row_that_is_gone(store: InProcess) -> None:
    """Pruned, emptied, or another row under its number, as after a backup from before was restored."""
    write(store, "a", "b")
    known = newest(store.database)
    assert ids_after(store, Position(known.number, known.at + 1)) is None
    assert ids_after(store, Position(known.number + 1, known.at)) is None

    store.execute("DELETE FROM changes")
    assert ids_after(store, known) is None
    write(store, "c", "d", "e")
    assert ids_after(store, known) is None
    assert ids_after(store, newest(store.database)) == []


def test_positions_of_an_empty_log_are_one(store: InProcess) -> None:
    """Whoever looks first makes it, and it stays good."""
    beginning = newest(store.database)
    assert newest(store.database) == beginning

    write(store, "a")

    assert ids_after(store, beginning) == ["a"]


def test_long_log_is_read_piece_by_piece(store: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """However far behind somebody is."""
    monkeypatch.setattr(change_log, "BATCH", 3)
    position, read = newest(store.database), []
    write(store, *"abcdefgh")

    while events := after(store.database, position):
        assert len(events) <= 3
        position = events[-1].position
        read += [event.id for event in events]

    assert "".join(read) == "abcdefgh"


def test_log_is_bounded(store: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old rows go as new ones come, also while nobody reads, and the newest stay."""
    monkeypatch.setattr(announcing, "KEPT", 20)
    monkeypatch.setattr(announcing, "PRUNE_EVERY", 10)
    beginning = newest(store.database)

    write(store, *(str(number) for number in range(100)))

    assert 20 <= count_of(changes, store) <= 30
    assert ids_after(store, beginning) is None
    end = newest(store.database)
    write(store, "last")
    assert ids_after(store, end) == ["last"]


# PostgreSQL, where transactions overlap


@pytest.fixture(params=["read committed", "repeatable read", "serializable"])
def overlapping(request: pytest.FixtureRequest, database: Database) -> Iterator[InProcess]:
    """An empty database whose administrator chose an isolation level for everybody."""
    database.execute(f"ALTER DATABASE {database.name} SET default_transaction_isolation = '{request.param}'")
    with on_postgresql(database.fields()) as in_process:
        yield in_process


def test_slow_transaction_is_not_overtaken_for_good(overlapping: InProcess) -> None:
    """What wrote first and is committed last is read last, by those too who have read what overtook it."""
    beginning = newest(overlapping.database)
    with overlapping.database.write() as slow:
        announce(slow, "member", "slow", "created")
        write(overlapping, "quick")
        met = after(overlapping.database, beginning)
        assert met is not None
        assert [event.id for event in met] == ["quick"]

    assert ids_after(overlapping, met[-1].position) == ["slow"]
    assert ids_after(overlapping, beginning) == ["quick", "slow"]


def write_at_random(store: InProcess, number: int, rounds: int) -> list[str]:
    """Announce in transactions of several rows, some slow, some rolled back; return what was committed."""
    dice = random.Random(number)
    kept: list[str] = []
    for turn in range(rounds):
        names = [f"{number}.{turn}.{part}" for part in range(dice.randint(1, 3))]
        with store.opened.writer.connect() as connection, connection.begin() as transaction:
            for name in names:
                announce(connection, "task", name, "updated")
                time.sleep(dice.choice((0, 0, 0.002, 0.02)))
            if dice.random() < 0.2:
                transaction.rollback()
            else:
                transaction.commit()
                kept += names
    return kept


def follow(store: InProcess, position: Position, have_ended: Callable[[], bool]) -> list[str]:
    """Read on until the writers have ended and nothing is left."""
    read: list[str] = []
    while True:
        is_last = have_ended()
        events = after(store.database, position)
        assert events is not None
        if is_last and not events:
            return read
        read += [event.id for event in events]
        position = events[-1].position if events else position


def test_no_reader_misses_anything_among_slow_and_quick_writers(overlapping: InProcess) -> None:
    """Many transactions of several rows at once, some rolled back; every reader reads each row once, in one order."""
    beginning = newest(overlapping.database)
    with ThreadPoolExecutor(7) as threads:
        writers = [threads.submit(write_at_random, overlapping, number, 25) for number in range(4)]
        readers = [
            threads.submit(follow, overlapping, beginning, lambda: all(writer.done() for writer in writers))
            for _ in range(3)
        ]
        kept = [name for writer in writers for name in writer.result(60)]
        read = [reader.result(60) for reader in readers]

    assert len(kept) > 100
    assert sorted(read[0]) == sorted(kept)
    assert read[0] == read[1] == read[2]


@pytest.fixture(scope="module")
def slow_disk() -> Iterator[Database]:
    """A server whose commits take ten milliseconds, as on a disk or across to a standby."""
    slow = {"fsync": "on", "commit_delay": "10000", "commit_siblings": "0"}
    with PostgresServer(settings=slow) as server, fresh_database(server) as database:
        yield database


@needs_own_server
def test_writers_do_not_wait_for_each_others_notifications(slow_disk: Database) -> None:
    """Fifteen of them announce as fast as they write what nobody is notified of; every change is in the log."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    with on_postgresql(slow_disk.fields()) as store, ThreadPoolExecutor(15) as threads:
        beginning = newest(store.database)

        def write_until(end: float, tells: bool) -> int:
            written = 0
            while time.monotonic() < end:
                with store.database.write() as connection:
                    announce(connection, "task", "x", "updated")
                    if not tells:
                        connection.info.pop(HINT)
                written += 1
            return written

        for tells in (False, True) * 3:
            end = time.monotonic() + 1.0
            writers = [threads.submit(write_until, end, tells) for _ in range(15)]
            rates[tells].append(sum(writer.result(30) for writer in writers))

        read, position = 0, beginning
        while events := after(store.database, position):
            read, position = read + len(events), events[-1].position
    assert read == sum(rates[True]) + sum(rates[False])
    assert sum(rates[True]) >= 0.7 * sum(rates[False]), rates


def test_numbers_and_indexes_carry_the_reading(overlapping: InProcess) -> None:
    """A look costs the same however long the log is: both questions are answered from an index."""
    write(overlapping, *(str(number) for number in range(50)))
    assert newest(overlapping.database).number == 50
    with overlapping.opened.reader.connect() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO changes (number, resource, resource_id, change, at)"
                " SELECT n, 'task', 'x', 'updated', now() FROM generate_series(51, 10000) n"
            )
        )
        connection.execute(sa.text("ANALYZE changes"))
        plans = [
            "\n".join(row[0] for row in connection.execute(sa.text(f"EXPLAIN {query}")))
            for query in (
                "SELECT EXISTS (SELECT 1 FROM changes WHERE number IS NULL)",
                "SELECT * FROM changes WHERE number IS NOT NULL AND number >= 9990 ORDER BY number LIMIT 1001",
            )
        ]

    assert "ix_changes_unnumbered" in plans[0] or "uq_changes_number" in plans[0]
    assert "uq_changes_number" in plans[1]

"""How far servers' logs were seen: what counts as gone back, and what is remembered."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import pytest

from app.db.history import HISTORY_FILE, Histories, Position, position_of

if TYPE_CHECKING:
    from pathlib import Path

SERVER = "host 5432 7"


@pytest.mark.parametrize(
    ("before", "after", "fork", "is_lost"),
    [
        pytest.param(Position(100, 1), Position(90, 1), None, True, id="ends earlier"),
        pytest.param(Position(100, 1), Position(100, 1), None, False, id="stands"),
        pytest.param(Position(100, 1), Position(900, 2), 90, True, id="promoted from earlier, and on since"),
        pytest.param(Position(100, 1), Position(900, 2), 100, False, id="promoted from there"),
        pytest.param(Position(100, 1), Position(900, 2), 120, False, id="promoted from later"),
        pytest.param(Position(100, 1), Position(900, 2), None, False, id="promoted, does not tell from where"),
        pytest.param(Position(100, 1, True), Position(90, 1), None, False, id="not acknowledged yet"),
    ],
)
def test_gone_back(before: Position, after: Position, fork: int | None, is_lost: bool) -> None:
    """When what was acknowledged lies beyond what is there."""
    histories = Histories()

    assert histories.seen(SERVER, before) is None
    assert (histories.seen(SERVER, after, lambda _: fork) is not None) is is_lost
    assert histories.seen("another", Position(1, 1)) is None


def test_where_a_commit_waits_for_a_standby_what_has_stood_for_a_look_counts() -> None:
    """It was acknowledged by then."""
    histories = Histories()
    histories.seen(SERVER, Position(100, 1, is_synchronous=True))
    histories.seen(SERVER, Position(100, 1, is_synchronous=True))

    assert histories.seen(SERVER, Position(90, 2, is_synchronous=True)) is not None


def test_what_was_acknowledged_after_the_server_was_asked_proves_nothing() -> None:
    """The answer is older than the commit."""
    histories = Histories()
    histories.seen(SERVER, Position(100, 1))
    asked_at = time.monotonic()
    histories.of(SERVER).acknowledge(150, "00000001")

    assert histories.seen(SERVER, Position(120, 1), asked_at=asked_at) is None
    assert histories.seen(SERVER, Position(140, 1), asked_at=math.inf) is not None


def test_a_commit_on_another_timeline_is_left_to_the_next_look() -> None:
    """Its place says nothing of what was written on the one before."""
    histories = Histories()
    histories.seen(SERVER, Position(100, 1))
    histories.of(SERVER).acknowledge(900, "00000002")

    assert histories.seen(SERVER, Position(950, 2), lambda _: 110) is None


def test_all_of_it_outlives_the_process(tmp_path: Path) -> None:
    """How far it was seen, that it has gone back, and that this was accepted; who only reads writes nothing."""
    file = tmp_path / HISTORY_FILE
    histories = Histories(file)
    histories.seen(SERVER, Position(100, 1))
    histories.keep()

    reader = Histories(file, keeps=False)
    assert reader.seen(SERVER, Position(90, 1)) is not None
    assert Histories(file).of(SERVER).lost_at is None

    lost_at = Histories(file).seen(SERVER, Position(90, 1))
    later = Histories(file).of(SERVER)
    assert lost_at is not None
    assert (later.lost_at, later.is_noted) == (lost_at, False)

    later.note(lost_at)
    assert Histories(file).of(SERVER).is_noted
    later.settle()
    assert Histories(file).of(SERVER).lost_at is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"a": 1}', b'{"a": {"end": "x"}}', b'{"a": {"end": 1}}'])
def test_a_damaged_file_is_no_obstacle(tmp_path: Path, content: bytes) -> None:
    """It is learnt anew."""
    file = tmp_path / HISTORY_FILE
    file.write_bytes(content)
    file.chmod(0o600)

    assert Histories(file).seen(SERVER, Position(100, 1)) is None


def test_a_new_timeline_is_compared_once(tmp_path: Path) -> None:
    """The audit log knows what should be there, however little was lost."""
    histories = Histories(tmp_path / HISTORY_FILE)
    history = histories.of(SERVER)
    histories.seen(SERVER, Position(100, 1))
    looks = [history.is_new]
    histories.seen(SERVER, Position(110, 2), lambda _: 100)
    looks.append(history.is_new)
    history.compared(is_lost=True)
    looks.append(history.is_new)

    assert looks == [False, True, False]
    assert history.lost_at is not None


@pytest.mark.parametrize(
    ("end", "timeline"), [(None, None), ("7", "00000001"), (7, None), (7, "1"), (7, "0000000G"), (7, b"00000001")]
)
def test_what_no_server_would_tell_counts_as_nothing(end: object, timeline: object) -> None:
    """A write that was committed is not refused for it."""
    history = Histories().of("server")

    history.acknowledge(end, timeline)

    assert position_of(end, timeline) is None
    assert history.timeline == 0

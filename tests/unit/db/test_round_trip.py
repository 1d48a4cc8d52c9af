"""How long a server may take to answer, judged by how long it took."""

from __future__ import annotations

import pytest

from app.db.round_trip import LONGEST_S, SHORTEST_S, RoundTrip


def after(*seconds: float) -> float:
    """Return the deadline after answers that took so long."""
    round_trip = RoundTrip()
    for each in seconds:
        round_trip.took(each)
    return round_trip.deadline_s


@pytest.mark.parametrize("seconds", [(), (0.002,), (0.002, 0.3, 0.002), (0.0,)])
def test_usual_server_has_the_shortest_time(seconds: tuple[float, ...]) -> None:
    """Before the first answer too, and after one that was late."""
    assert after(*seconds) == SHORTEST_S


def test_one_that_gets_slower_is_given_more() -> None:
    """Before it is late: each step is within what the one before has made of the deadline."""
    steps = (0.01, 0.3, 0.6, 0.9, 1.2, 1.5)
    for number in range(1, len(steps)):
        assert after(*steps[:number]) > steps[number]


def test_there_is_an_end_to_patience() -> None:
    """However slow it is; and once it is quick again, little is needed to find it lost."""
    assert after(60.0) == LONGEST_S
    assert after(*[2.0] * 5, *[0.002] * 40) == SHORTEST_S

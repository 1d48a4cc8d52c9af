"""The sliding window: how many within it, when one more, and how much is remembered."""

from __future__ import annotations

import threading

from app.services.ai_keys.limits import SlidingWindow


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """What time it is."""
        return self.now


def test_the_window_slides() -> None:
    """Ten at any time within a minute, not ten a calendar minute; what is refused does not count."""
    clock = Clock()
    window = SlidingWindow(10, 60, clock=clock)
    for number in range(10):
        clock.now = 100.0 + number
        assert window.take("a") == 0
    clock.now = 130.0

    assert window.take("a") == window.take("a") == 30.0
    clock.now = 159.75
    assert window.take("a") == 0.25
    clock.now = 160.0
    assert window.take("a") == 0
    assert window.take("a") == 1.0


def test_names_have_limits_of_their_own() -> None:
    """One caller's limit is none of another's business."""
    window = SlidingWindow(1, 60, clock=Clock())

    assert [window.take(name) > 0 for name in "abab"] == [False, False, True, True]


def test_memory_is_bounded_and_the_quietest_are_forgotten() -> None:
    """A flood of names does not free those who are still asking."""
    window = SlidingWindow(1, 60, clock=Clock(), max_names=3)
    window.take("busy")
    for number in range(100):
        window.take(str(number))
        assert window.take("busy") > 0

    assert window.take("0") == 0
    assert len(window._moments) == 3


def test_many_threads_get_no_more_than_the_limit() -> None:
    """Counting is atomic."""
    window = SlidingWindow(10, 60, clock=Clock())
    taken: list[float] = []
    threads = [threading.Thread(target=lambda: taken.append(window.take("a"))) for _ in range(50)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert taken.count(0) == 10

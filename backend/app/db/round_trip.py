"""How long an answer may take before it counts as missing, judged by those that came."""

from __future__ import annotations

from typing import Final

SHORTEST_S: Final = 1.0
LONGEST_S: Final = 3.0


class RoundTrip:
    """The mean of the times that answers took and their mean deviation, as TCP estimates them (RFC 6298).

    A server that everybody calls at once answers late. Whoever takes it for lost then, lets go of connections and logs
    in again, which costs the server more than the answer would have: it never recovers from that.
    """

    def __init__(self) -> None:
        self._mean_s: float | None = None
        self._deviation_s = 0.0

    def took(self, seconds: float) -> None:
        """Take an answer into account."""
        if self._mean_s is None:
            self._mean_s, self._deviation_s = seconds, seconds / 2
            return
        self._deviation_s += (abs(self._mean_s - seconds) - self._deviation_s) / 4
        self._mean_s += (seconds - self._mean_s) / 8

    @property
    def deadline_s(self) -> float:
        """Seconds after which the next answer counts as missing."""
        expected_s = 0.0 if self._mean_s is None else self._mean_s + 4 * self._deviation_s
        return min(LONGEST_S, max(SHORTEST_S, expected_s))

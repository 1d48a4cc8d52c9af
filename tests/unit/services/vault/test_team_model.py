"""Desktops join, leave, rotate, die in between and come back, in any order: exactly the members read what is alive."""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from app.db.base import Instant, utc_now
from app.services.vault.keys import VaultLockedError
from app.services.vault.rotation import STALE_AFTER
from app.services.vault.rows import SecretName
from tests.support.in_process import InProcess, empty_on_sqlite
from tests.support.properties import PROPERTY
from tests.support.vaults import ACTOR, Desktop, desktop

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES: Final = "abcd"
KEYS: Final = {name: bytes(range(number, number + 32)) for number, name in enumerate(NAMES)}
WHICH: Final = SecretName("tenant", "acme", "openai")
MOVES: Final = st.lists(
    st.tuples(
        st.sampled_from(("join", "leave", "rotate", "die", "store", "return")),
        st.sampled_from(NAMES),
        st.sampled_from(NAMES),
        st.integers(0, 3),
    ),
    max_size=8,
)


class Team:
    """What is expected of a team, beside the team."""

    def __init__(self, store: InProcess, directory: Path) -> None:
        self.store = store
        self.directory = directory
        self.at = utc_now()
        self.running: dict[str, Desktop] = {}
        self.members = {"a"}
        self.secret = "sk-live-of-the-first-day"
        self.of("a").set(WHICH, self.secret)

    def of(self, name: str) -> Desktop:
        """Return a desktop's present process, started if need be."""
        if name not in self.running:
            self.running[name] = desktop(self.store, self.directory / name, key=KEYS[name], clock=self.clock)
        return self.running[name]

    def clock(self, _: sa.Connection, ago: dt.timedelta) -> sa.ColumnElement[dt.datetime]:
        """Tell the time of heartbeats: each look finds those of dead processes stale."""
        return sa.literal(self.at - ago, Instant())

    def move(self, what: str, name: str, other: str, steps: int) -> None:
        """Do one thing, if it makes sense now."""
        self.at += STALE_AFTER * 2
        if what == "return":
            self.running.pop(name, None)
        elif what == "join" and name not in self.members and other in self.members:
            asked = self.of(name).team.ask(name, actor=ACTOR)
            self.of(other).team.approve(asked.device_id, asked.code, actor=ACTOR)
            if steps:  # otherwise it is away just then, and comes in later
                assert self.of(name).team.look()
            self.members.add(name)
        elif what == "leave" and {name, other} <= self.members and len(self.members) > 1:
            self.of(name).team.look()
            self.of(other).team.look()
            assert self.of(other).team.remove(self.of(name).team._device().id, actor=ACTOR) is not None
            self.members.discard(name)
            self.running.pop(name)
        elif what in ("rotate", "die") and name in self.members:
            self.of(name).team.look()
            self.of(name).rotations.start(actor=ACTOR)
            for _ in range(steps):
                self.of(name).rotations._step()
            if what == "die":
                self.running.pop(name)
            else:
                self.of(name).rotations.work()
        elif what == "store" and name in self.members:
            self.of(name).team.look()
            self.secret = f"sk-live-of-day-{self.at:%Y%m%d%H%M%S}-by-{name}"
            self.of(name).set(WHICH, self.secret)

    def check(self) -> None:
        """Exactly the members can read, whether their processes ran on or are started now."""
        self.at += STALE_AFTER * 2
        for name in sorted(self.members):
            self.of(name).team.look()
            self.of(name).rotations.work()
        for _ in range(2):
            for name in NAMES:
                if name in self.members:
                    assert self.of(name).use(WHICH) == self.secret, name
                else:
                    with pytest.raises(VaultLockedError):
                        self.of(name).use(WHICH)
            self.running.clear()


@settings(PROPERTY, max_examples=10 if sys.platform == "win32" else 50)
@given(moves=MOVES)
def test_exactly_the_members_read_what_is_alive(moves: Sequence[tuple[str, str, str, int]]) -> None:
    """Whatever happened in whatever order."""
    with tempfile.TemporaryDirectory() as directory, empty_on_sqlite(Path(directory) / "taskflow.db") as store:
        team = Team(store, Path(directory))
        for move in moves:
            team.move(*move)
        team.check()

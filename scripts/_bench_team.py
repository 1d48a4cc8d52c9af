"""A team of many desktops beside a team of one: rotation, coming in, opening the vault."""

import secrets
from collections.abc import Callable, Iterator

from tests.support.in_process import InProcess, on_postgresql
from tests.support.vaults import ACTOR, Desktop, desktop

from _measure import Bench, Row, compared, in_turn, seconds_for
from app.services.vault.devices import device_of
from app.services.vault.directory import enter
from app.services.vault.membership import Entry

MEMBERS = 200
SECRETS = 10_000
MAX_ROTATION_ROUNDS = 3
"""Rotations of so many rows take long, and vary little."""
MAX_ROUNDS = 5


class Team:
    """A vault of its own, with so many members."""

    def __init__(self, bench: Bench, store: InProcess, name: str, members: int) -> None:
        self._home = bench.home
        self._store = store
        self._name = name
        self._joined = 0
        self.first = self._desktop("first")
        self.first.vault.attachment.attach()
        self.first.fill(SECRETS)
        self._let_in(members - 1)
        store.execute("ANALYZE")  # as a server does by itself, before long

    def _desktop(self, name: str) -> Desktop:
        return desktop(self._store, self._home / f"team-{self._name}-{name}")

    def _let_in(self, count: int) -> None:
        """Enter members as an approval does, without a process for each."""
        with self.first.vault.attachment.changing_keys() as change:
            active = change.keys.active
            if active is None:
                raise RuntimeError("the vault is locked")
            granter = device_of(change.roots[0], active.vault_id)
            for number in range(count):
                one = device_of(secrets.token_bytes(32), active.vault_id)
                entry = Entry(one.id, one.public, f"member-{number}", granter.id)
                enter(change.connection, granter, active, [active], entry)

    def rotate(self) -> float:
        """Rotate the vault key; return the seconds that it took."""
        return seconds_for(self.first.rotate)

    def approve(self) -> float:
        """Let one more desktop in; return the seconds from the approval until it can read."""
        self._joined += 1
        newcomer = self._desktop(f"newcomer-{self._joined}")
        asked = newcomer.team.ask(None, actor=ACTOR)

        def come_in() -> None:
            self.first.team.approve(asked.device_id, asked.code, actor=ACTOR)
            newcomer.team.look()

        taken = seconds_for(come_in)
        if newcomer.team.access != "member":
            raise RuntimeError("the newcomer is not in")
        return taken

    def open(self) -> float:
        """Open the vault as a desktop that starts; return the seconds that it took."""
        return seconds_for(self._desktop("first").vault.attachment.attach)


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows of rotating, letting in and opening."""
    with (
        on_postgresql({"dsn": bench.new_database("many")}) as many,
        on_postgresql({"dsn": bench.new_database("one")}) as one,
    ):
        team, alone = Team(bench, many, "many", MEMBERS), Team(bench, one, "one", 1)
        what: tuple[tuple[str, Callable[[], float], Callable[[], float], int, str], ...] = (
            ("rotation", team.rotate, alone.rotate, MAX_ROTATION_ROUNDS, "at most 1.2"),
            ("approval to open", team.approve, alone.approve, MAX_ROUNDS, "at most 1.2"),
            ("open", team.open, alone.open, MAX_ROUNDS, "at most 1.2"),
        )
        for name, subject, floor, rounds, aim in what:
            taken = in_turn(min(bench.rounds, rounds), subject, floor)
            yield compared(f"{MEMBERS} members: {name}", "ms", taken[0], "one member", taken[1], aim, 1000)

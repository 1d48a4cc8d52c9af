"""Real desktops join, leave, rotate and store, are killed at any point, and come back: exactly the members can read."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import httpx
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.process.test_team_vault import DEVICES, KEYS, access, items, ok, own_id, reads_over_http, rotated
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.conftest import SidecarFactory
    from tests.support.databases import Database
    from tests.support.sidecar import Sidecar

NAMES: Final = "abc"
BUDGET_S: Final = 12.0
"""After which no move is begun; what has happened until then is judged."""
WITHIN_S: Final = 30
MOVES: Final = st.lists(
    st.tuples(
        st.sampled_from(("join", "leave", "rotate", "store")),
        st.integers(0, 5),
        st.integers(0, 5),
        st.none() | st.integers(0, 120),
    ),
    min_size=4,
    max_size=6,
)


class Team:
    """Desktops, and what is known of who is in."""

    def __init__(self, start: Callable[[str], Sidecar]) -> None:
        self.start = start
        self.running = {name: start(name) for name in NAMES}
        self.ids: dict[str, str] = {}
        self.happened: list[object] = []
        self.stored = 0
        self.store("a", None)
        self.until = time.monotonic() + BUDGET_S

    def members(self) -> set[str]:
        """Return who can open the vault, as the desktops say themselves, once they have looked at the database.

        What a desktop did that was killed before it could tell is news to the others.
        """
        for one in self.running.values():
            one.request("GET", "/api/v1/vault")
        return {name for name in NAMES if access(self.running[name]) == ("unlocked", "member")}

    def move(self, what: str, who: int, whom: int, kill_after_ms: int | None) -> None:
        """Let one of those who are in do something, and kill it meanwhile."""
        members = sorted(self.members())
        if time.monotonic() > self.until:
            return
        name = members[who % len(members)]
        others, outside = [one for one in members if one != name], sorted(set(NAMES) - set(members))
        self.happened.append((what, name, whom, kill_after_ms))
        if what == "join" and outside:
            self.join(outside[whom % len(outside)], name, kill_after_ms)
        elif what == "leave" and others:
            self.leave(others[whom % len(others)], name, kill_after_ms)
        elif what == "rotate":
            self.act(name, kill_after_ms, "POST", "/api/v1/vault/rotate")
        elif what == "store":
            self.store(name, kill_after_ms)

    def act(self, name: str, kill_after_ms: int | None, method: str, path: str, body: Any = None) -> int | None:
        """Make a call; None if the desktop was killed, and started anew, before it had answered, or is not in any more.

        What a desktop that was killed has committed may be news until the call itself.
        """
        sidecar = self.running[name]
        status: list[int] = []

        def call() -> None:
            with contextlib.suppress(httpx.HTTPError):
                status.append(sidecar.request(method, path, json=body).status_code)

        if kill_after_ms is None:
            call()
        else:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(call)
                threading.Event().wait(kill_after_ms / 1000)
                sidecar.kill()
            self.running[name] = self.start(name)
        if status == [423]:
            assert name not in self.members(), (name, self.happened)
            return None
        return status[0] if status else None

    def join(self, newcomer: str, approver: str, kill_after_ms: int | None) -> None:
        """Ask and approve; an approval that was cut off may have happened."""
        one = self.running[newcomer]
        asked = ok(one.request("POST", DEVICES, json={"label": newcomer}), 201)
        self.ids[newcomer] = asked["device_id"]
        path = f"{DEVICES}/{asked['device_id']}/approve"
        status = self.act(approver, kill_after_ms, "POST", path, {"code": asked["code"]})
        assert status in (None, 200)
        if status == 200:
            wait_until(lambda: access(one) == ("unlocked", "member"), timeout_s=WITHIN_S, what="the newcomer to be in")
        else:
            one.request("DELETE", f"{DEVICES}/request")

    def leave(self, leaver: str, remover: str, kill_after_ms: int | None) -> None:
        """Remove; what was cut off may have happened."""
        device_id = own_id(self.running[leaver])
        status = self.act(remover, kill_after_ms, "DELETE", f"{DEVICES}/{device_id}")
        assert status in (None, 202)
        if status == 202:
            assert self.running[leaver].request("PUT", KEYS, json={"openai": "sk-after-all-0000"}).status_code == 423

    def store(self, name: str, kill_after_ms: int | None) -> None:
        """Replace the team's key."""
        self.stored += 1
        secret = f"sk-live-of-the-team-{self.stored:04}"
        assert self.act(name, kill_after_ms, "PUT", KEYS, {"openai": secret}) in (None, 200)

    def check(self) -> None:
        """Exactly those whom the directory lists can read and write, and all of them list the same."""
        wait_until(
            self.is_consistent,
            timeout_s=WITHIN_S,
            what=lambda: f"one directory, after {self.happened}: {self.views()}",
        )
        for name, one in self.running.items():
            if name in self.members():
                rotated_or_idle(one)
                assert reads_over_http(one), (name, self.happened)
            else:
                refused = one.request("PUT", KEYS, json={"openai": "sk-of-a-stranger-0000"})
                assert refused.status_code == 423, (name, self.happened)

    def is_consistent(self) -> bool:
        """Tell whether every desktop knows what the directory says of it."""
        members = self.members()
        listed = [
            {item["device_id"] for item in items(self.running[name]) if item["state"] == "member"} for name in members
        ]
        own = {own_id(self.running[name]) for name in members}
        return bool(members) and all(ids == own for ids in listed)

    def views(self) -> dict[str, Any]:
        """Return what every desktop knows of itself and of the others."""
        return {
            name: (access(one), own_id(one), [(item["device_id"], item["state"]) for item in items(one)])
            for name, one in self.running.items()
        }


def rotated_or_idle(one: Sidecar) -> None:
    """Wait for the end of a rotation, if there was one."""
    if ok(one.request("GET", "/api/v1/vault/rotation"))["state"] != "idle":
        rotated(one)


def test_exactly_the_members_read_after_crashes(
    sidecar_factory: SidecarFactory, database: Database, tmp_path: Path
) -> None:
    """Whatever was under way when a desktop was killed."""

    def start(name: str) -> Sidecar:
        directory = tmp_path / name
        is_new = not (directory / "db_credentials.enc").exists()
        sidecar = sidecar_factory(config_dir=directory, env={"TASKFLOW_EMBEDDED": "0"})
        if is_new:
            sidecar.save_connection(database.fields())
        sidecar.wait_healthy()
        wait_until(lambda: access(sidecar)[0] != "unavailable", timeout_s=WITHIN_S, what="the vault")
        return sidecar

    team = Team(start)

    # One team for all examples: what one has left is where the next begins, so there is nothing to shrink.
    @settings(
        max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None
    )
    @given(moves=MOVES)
    def live(moves: Sequence[tuple[str, int, int, int | None]]) -> None:
        for move in moves:
            team.move(*move)

    live()
    assert team.happened
    team.check()

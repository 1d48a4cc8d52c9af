"""A server's history that has gone back: told in the log, learnt from it, and accepted by a person."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from app.core.exceptions import ConflictError, ValidationError
from app.db.history import Histories, Position
from app.services.audit.history import accept_gaps, tell_history
from tests.unit.services.audit.test_log import OTHER_ROOT_KEY, VAULT, desktop, fill, problems

if TYPE_CHECKING:
    from pathlib import Path

    from app.services.audit.log import Audit
    from tests.support.in_process import InProcess

SERVER = "host 5432 7"


@dataclasses.dataclass
class Desk:
    """A desktop and what it knows of the server."""

    audit: Audit
    histories: Histories
    store: Any

    @property
    def history(self) -> Any:
        """As the database of the desktop shows it."""
        return self.histories.of(SERVER)

    def look(self) -> str | None:
        """Do what maintenance does; return what is told then."""
        tell_history(self.audit, self)  # type: ignore[arg-type]
        lost_at: str | None = self.history.lost_at
        return lost_at

    def lose(self, at: int = 90, timeline: int = 2) -> None:
        """Find that the server's history has gone back."""
        self.histories.seen(SERVER, Position(100, 1))
        self.histories.seen(SERVER, Position(at, timeline))


@pytest.fixture
def first(sqlite_store: InProcess, tmp_path: Path) -> Desk:
    """One desktop."""
    return Desk(desktop(sqlite_store, tmp_path / "first"), Histories(), sqlite_store)


@pytest.fixture
def second(sqlite_store: InProcess, tmp_path: Path) -> Desk:
    """Another one, which has the same key."""
    return Desk(desktop(sqlite_store, tmp_path / "second"), Histories(), sqlite_store)


def actions(desk: Desk) -> list[str]:
    """Return what was done, newest first."""
    return [entry.action for entry in desk.audit.page().entries]


def test_what_one_finds_all_are_told_until_it_is_accepted(first: Desk, second: Desk) -> None:
    """By an entry, written once; whoever accepts leaves one too."""
    fill(first.audit, 2)
    first.lose()
    assert first.look() is not None
    assert first.look() == second.look() == first.history.lost_at

    assert accept_gaps(second.audit, confirm=VAULT, actor="cli") == []

    assert (first.look(), second.look()) == (None, None)
    assert actions(first)[:2] == ["accept-gap", "history-lost"]
    with pytest.raises(ConflictError):
        accept_gaps(second.audit, confirm=VAULT, actor="cli")


def test_lost_entries_are_a_gap_with_a_cause_and_then_accepted(first: Desk, second: Desk) -> None:
    """The numbers are told; one entry more that vanishes is tampering again."""
    fill(first.audit, 5)
    first.store.execute("DELETE FROM audit_entries WHERE seq > 3")
    first.lose()
    first.look()

    [problem] = second.audit.verify().problems
    assert (problem.kind, problem.cause) == ("missing", "history-lost")
    [gap] = accept_gaps(second.audit, confirm=VAULT, actor="cli")

    assert (gap.first, gap.last, gap.cause) == (4, 5, "history-lost")
    verdict = first.audit.verify()
    assert verdict.ok
    assert [each.accepted for each in verdict.gaps] == [True]
    first.store.execute("DELETE FROM audit_entries WHERE seq = 3")
    assert [kind for _, kind in problems(first.audit.verify())] == ["missing"]


def test_an_end_that_is_cut_off_is_accepted_too(first: Desk) -> None:
    """A backup was put back: nothing tells so but the person; the own chain goes on behind the gap."""
    fill(first.audit, 3)
    first.store.execute("DELETE FROM audit_entries WHERE seq > 1")
    assert [(each.kind, each.cause) for each in first.audit.verify().problems] == [("truncated", None)]

    accept_gaps(first.audit, confirm=VAULT.upper(), actor="cli")
    fill(first.audit, 1)

    assert first.audit.verify().ok


def test_only_a_genuine_entry_accepts(first: Desk) -> None:
    """Who can merely write to the database closes no gap, and ends no notice."""
    fill(first.audit, 4)
    first.store.execute("DELETE FROM audit_entries WHERE seq = 2")
    first.lose()
    first.look()
    [gap] = [each for each in first.audit.verify().gaps if not each.accepted]
    forged = (
        "INSERT INTO audit_entries (writer, writer_seq, time, actor, device, action, name, outcome, reason, count,"
        " prev, mac) SELECT writer, writer_seq + 1, time, actor, device, 'accept-gap',"
        f" '{gap.writer}', 'ok', 'entries {gap.first} to {gap.last}', 1, mac, mac FROM audit_entries"
        " ORDER BY seq DESC LIMIT 1"
    )
    first.store.execute(forged)

    assert not first.audit.verify().ok
    assert first.look() is not None
    with pytest.raises(ValidationError):
        accept_gaps(first.audit, confirm="another vault", actor="cli")


def test_a_key_that_is_not_at_hand_accepts_nothing(first: Desk, sqlite_store: InProcess, tmp_path: Path) -> None:
    """What cannot be checked is not believed."""
    fill(first.audit, 3)
    first.store.execute("DELETE FROM audit_entries WHERE seq = 2")
    accept_gaps(first.audit, confirm=VAULT, actor="cli")
    stranger = desktop(sqlite_store, tmp_path / "stranger", OTHER_ROOT_KEY)

    assert "missing" in [kind for _, kind in problems(stranger.verify())]


def test_who_comes_back_late_does_not_tell_again_what_is_accepted(first: Desk, second: Desk) -> None:
    """Unless entries of its own are lost, which nobody has accepted."""
    fill(second.audit, 2)
    first.lose()
    first.look()
    accept_gaps(first.audit, confirm=VAULT, actor="cli")
    first.look()

    second.lose()
    assert second.look() is None

    writer = second.audit.verify().head
    assert writer is not None
    second.store.execute(f"DELETE FROM audit_entries WHERE writer = '{writer.writer}' AND writer_seq = 2")
    second.lose(at=80)
    assert second.look() is not None


def test_a_new_timeline_is_compared_with_the_own_chain(first: Desk) -> None:
    """Little may be lost, less than the server's position tells: an entry that is not there tells it too."""
    fill(first.audit, 2)
    first.histories.seen(SERVER, Position(100, 1))
    first.histories.seen(SERVER, Position(110, 2))
    assert first.look() is None

    first.store.execute("DELETE FROM audit_entries WHERE seq = 2")
    first.histories.seen(SERVER, Position(120, 3))
    assert first.look() is not None

"""What a verdict changes about a stored key, and when the key is asked about again."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.core.config import Config
from app.services.ai_keys.schedule import JITTER, Known, change_after, next_check
from app.services.providers.base import REFUSED, USABLE, Verdict

if TYPE_CHECKING:
    from app.schemas.ai import Status

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)
CONFIRM = 10 * MINUTE
CONFIG = Config(config_dir=Path("unused"), data_dir=Path("unused"))

SILENT: tuple[Status, ...] = ("unreachable", "provider_error", "unknown", "rate_limited")
"""Verdicts that say little about a key."""


def known(status: str, *, refused: dt.timedelta | None = None, validated: dt.timedelta | None = None) -> Known:
    """What is known about a key; times are ages."""
    return Known(status, _ago(refused), _ago(validated))


def _ago(age: dt.timedelta | None) -> dt.datetime | None:
    return None if age is None else NOW - age


def is_about(moment: dt.datetime, after: dt.timedelta) -> bool:
    """Whether a moment lies that long after now, but for jitter."""
    return after * (1 - JITTER) <= moment - NOW <= after * (1 + JITTER)


@pytest.mark.parametrize("status", [status for status in USABLE if status != "rate_limited"])
@pytest.mark.parametrize("before", ["unknown", "valid", "invalid", "unreachable"])
def test_a_genuine_key_is_noted_and_asked_about_a_day_later(before: str, status: Status) -> None:
    """Whatever was known before, a refusal that awaited confirmation included."""
    change = change_after(known(before, refused=CONFIRM), Verdict(status, "evidence"), CONFIG, NOW)

    assert change.told == status
    assert change.values["status"] == status
    assert change.values["status_evidence"] == "evidence"
    assert change.values["last_validated_at"] == NOW
    assert change.values["refused_at"] is None
    assert is_about(change.values["next_check_at"], DAY)


@pytest.mark.parametrize("refusal", REFUSED)
@pytest.mark.parametrize("before", ["unknown", "valid", "limited_scope", "no_quota", "rate_limited", "unreachable"])
def test_a_first_refusal_changes_no_status(before: str, refusal: Status) -> None:
    """It is remembered, and asked about again after ten minutes; a key that was never valid gets the same chance."""
    change = change_after(known(before, validated=DAY), Verdict(refusal, "evidence"), CONFIG, NOW)

    assert change.values == {"refused_at": NOW, "next_check_at": NOW + CONFIRM}
    assert change.told == f"{refusal}, to be confirmed"


def test_a_second_refusal_counts_only_after_the_time_of_confirmation() -> None:
    """One that comes early, such as after another doubt, leaves the first one's time as it is."""
    early, late = known("valid", refused=9 * MINUTE), known("valid", refused=CONFIRM)
    verdict = Verdict("invalid", "evidence")

    assert change_after(early, verdict, CONFIG, NOW).values == {
        "refused_at": NOW - 9 * MINUTE,
        "next_check_at": NOW + MINUTE,
    }
    settled = change_after(late, verdict, CONFIG, NOW)
    assert (settled.values["status"], settled.values["refused_at"], settled.told) == ("invalid", None, "invalid")
    assert is_about(settled.values["next_check_at"], DAY)


def test_a_refusal_from_before_the_last_validation_is_forgotten() -> None:
    """Somebody had the key checked in between: the next refusal is a first one."""
    before = known("valid", refused=2 * CONFIRM, validated=CONFIRM)

    change = change_after(before, Verdict("invalid", "evidence"), CONFIG, NOW)

    assert change.values == {"refused_at": NOW, "next_check_at": NOW + CONFIRM}


def test_a_refused_key_may_be_refused_in_another_way_and_may_recover() -> None:
    """Nothing is left to be confirmed about it."""
    assert change_after(known("invalid"), Verdict("blocked", "leaked"), CONFIG, NOW).values["status"] == "blocked"
    assert change_after(known("invalid"), Verdict("valid", "listed"), CONFIG, NOW).values["status"] == "valid"


@pytest.mark.parametrize("status", SILENT)
@pytest.mark.parametrize("before", [*USABLE, *REFUSED])
def test_trouble_changes_nothing_that_is_known(before: str, status: Status) -> None:
    """Neither does it settle a pending refusal; the key is asked about again some minutes later."""
    change = change_after(known(before, refused=DAY, validated=2 * DAY), Verdict(status, "evidence"), CONFIG, NOW)

    assert set(change.values) == {"next_check_at"}
    assert is_about(change.values["next_check_at"], CONFIRM)
    assert change.told is None


@pytest.mark.parametrize("status", SILENT)
@pytest.mark.parametrize("before", ["unknown", "unreachable", "provider_error"])
def test_trouble_shows_while_nothing_is_known(before: str, status: Status) -> None:
    """A key that was never validated shows why."""
    change = change_after(known(before), Verdict(status, "evidence"), CONFIG, NOW)

    assert (change.values["status"], change.values["status_evidence"]) == (status, "evidence")
    assert "last_validated_at" not in change.values


def test_short_intervals_are_kept() -> None:
    """No retry comes later than the next round, and confirmation may be asked for at once."""
    config = Config(
        config_dir=Path("unused"), data_dir=Path("unused"), revalidate_hours=0.001, revalidate_confirm_minutes=0
    )
    round_trip = dt.timedelta(hours=0.001)

    trouble = change_after(known("valid"), Verdict("unreachable", "time-out"), config, NOW)
    first = change_after(known("valid"), Verdict("invalid", "evidence"), config, NOW)
    second = change_after(known("valid", refused=dt.timedelta(0)), Verdict("invalid", "evidence"), config, NOW)

    assert is_about(trouble.values["next_check_at"], round_trip)
    assert first.values["next_check_at"] == NOW
    assert second.values["status"] == "invalid"


def test_keys_of_a_team_are_spread() -> None:
    """Keys that were entered together are not all checked together."""
    moments = {next_check(24, NOW) for _ in range(50)}

    assert len(moments) > 40
    assert all(is_about(moment, DAY) for moment in moments)

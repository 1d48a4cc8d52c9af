"""Stored keys are checked again: what is due, by whom, and what becomes of the verdict. On both databases."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from app.core.readiness import Readiness
from app.db.base import utc_now
from app.models.audit import audit_entries
from app.models.vault import UNREADABLE, secrets
from app.services.ai_keys.checks import KeyChecks
from app.services.ai_keys.revalidation import BATCH, CLAIM, UNFOUNDED, Revalidation
from app.services.providers import Verdict
from app.services.vault.rows import SecretName
from tests.support.ai_providers import AIProviders, Gate
from tests.support.vaults import ACTOR, Desktop, change, desktop, read
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.in_process import InProcess

KEY_A = bytes(range(32))
KEY_B = bytes(range(32, 64))
OPENAI = SecretName("tenant", "acme", "openai")
DAY = dt.timedelta(hours=27)
"""Longer than a day with all its jitter."""
CONFIRM = dt.timedelta(minutes=10)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def providers() -> Iterator[AIProviders]:
    """The four, on their ports."""
    with AIProviders() as running:
        yield running


class Clock:
    """The real time, and as much more as the test has let pass."""

    def __init__(self) -> None:
        self.passed = dt.timedelta(0)

    def __call__(self) -> dt.datetime:
        """What time it is."""
        return utc_now() + self.passed


class Checked:
    """A desktop whose stored keys are checked."""

    def __init__(self, store: InProcess, directory: Path, providers: AIProviders, **options: Any) -> None:
        self.store = store
        self.clock = Clock()
        self.desktop: Desktop = desktop(store, directory, provider_urls=providers.urls(), **options)
        self.revalidation = self.restarted()

    def restarted(self, **settings: Any) -> Revalidation:
        """The checks as another process would make them; `settings` are fields of its `Config`."""
        ours = self.desktop
        config = replace(ours.config, **settings)
        checks = KeyChecks(config)
        readiness = self.store.database._readiness
        return Revalidation(config, readiness, self.store.database, ours.vault, ours.audit, checks, clock=self.clock)

    def put(self, key: str, which: SecretName = OPENAI, verdict: Verdict | None = None, **options: Any) -> int:
        """Store a key; return the version of its row."""
        with self.desktop.vault.writing() as connection:
            info = self.desktop.vault.put(connection, which, key, actor=ACTOR, verdict=verdict, **options)
        return info.row_version

    def later(self, passed: dt.timedelta = DAY) -> float:
        """Let time pass and check what is due then; return how long the thread would wait."""
        self.clock.passed += passed
        return self.revalidation.work()

    def row(self, which: SecretName = OPENAI) -> Any:
        """The key's row."""
        is_meant = (secrets.c.owner_kind == which.owner_kind) & (secrets.c.name == which.name)
        (row,) = read(self.store, sa.select(secrets).where(is_meant & (secrets.c.owner_id == which.owner_id)))
        return row

    def validations(self) -> list[tuple[str, str, str]]:
        """Actor, owner and reason of the `validate` entries, in order."""
        columns = (audit_entries.c.actor, audit_entries.c.owner_id, audit_entries.c.reason)
        query = sa.select(*columns).where(audit_entries.c.action == "validate").order_by(audit_entries.c.seq)
        return [tuple(row) for row in read(self.store, query)]


@pytest.fixture
def checked(store: InProcess, tmp_path: Path, providers: AIProviders) -> Checked:
    """The desktop that was there first."""
    return Checked(store, tmp_path / "ours", providers, key=KEY_A)


VALID = Verdict("valid", "listed")


# --- what is due -----------------------------------------------------------------------------------------------------


def test_a_key_is_checked_a_day_after_it_was_stored_and_every_day_from_then_on(
    checked: Checked, providers: AIProviders
) -> None:
    """Not before; what the provider says is in the row and in the audit log."""
    key = providers.openai.new_key("valid", "no_quota")
    checked.put(key)

    waits = [checked.later(dt.timedelta(0)), checked.later(dt.timedelta(hours=21))]
    assert providers.connections() == 0
    checked.later(dt.timedelta(hours=6))
    first = checked.row()
    checked.later(dt.timedelta(hours=21))
    assert len(providers.openai.requests) == 1
    checked.later(dt.timedelta(hours=6))
    second = checked.row()

    assert waits == [15.0, 15.0]
    assert (first.status, first.status_evidence, second.status) == ("valid", "listed", "no_quota")
    assert second.last_validated_at - first.last_validated_at >= dt.timedelta(hours=21)
    assert checked.validations() == [("system", "acme", "valid"), ("system", "acme", "no_quota")]
    assert [request.api_key for request in providers.openai.requests] == [key, key]
    assert (first.row_version, second.row_version) == (1, 1)


def test_each_owners_keys_are_checked_and_nothing_else_is_sent(checked: Checked, providers: AIProviders) -> None:
    """Users', tenants', servers', the system's and the initial ones; not what other owners call by such a name."""
    places = [
        SecretName("user", "1", "anthropic"),
        SecretName("tenant", "acme", "openai"),
        SecretName("server", "42", "google"),
        SecretName("system", "default", "deepseek"),
        SecretName("system", "default", "initial:openai"),
    ]
    others = [
        SecretName("camera", "1", "openai"),
        SecretName("user", "1", "other"),
        SecretName("tenant", "a", "initial:openai"),
    ]
    keys = {}
    for which in places:
        keys[which] = providers[which.name.removeprefix("initial:")].new_key()
        checked.put(keys[which], which)
    for which in others:
        checked.put(providers.openai.new_key(), which)
        change(
            checked.store, sa.update(secrets).values(next_check_at=sa.func.coalesce(secrets.c.next_check_at, utc_now()))
        )

    checked.later()

    assert {checked.row(which).status for which in places} == {"valid"}
    assert {checked.row(which).status for which in others} == {"unknown"}
    assert sorted(str(request.api_key) for request in providers.requests()) == sorted(keys.values())


def test_more_keys_than_one_batch_are_checked_in_one_look(checked: Checked, providers: AIProviders) -> None:
    """Whatever has become due while the computer was off."""
    places = [SecretName("user", str(number), "openai") for number in range(2 * BATCH + 1)]
    for which in places:
        checked.put(providers.openai.new_key(), which)

    checked.later()

    assert {checked.row(which).status for which in places} == {"valid"}
    assert len(providers.openai.requests) == len(places)


def test_the_thread_waits_no_longer_than_until_the_next_key_is_due(
    store: InProcess, tmp_path: Path, providers: AIProviders
) -> None:
    """And with short intervals looks more often, as keys are stored without telling it."""
    checked = Checked(store, tmp_path / "ours", providers, key=KEY_A, revalidate_hours=0.001)
    key = providers.openai.new_key()
    assert checked.later(dt.timedelta(0)) == pytest.approx(0.9)
    checked.put(key)
    change(store, sa.update(secrets).values(next_check_at=utc_now() + dt.timedelta(seconds=0.5)))

    assert 0.05 <= checked.later(dt.timedelta(0)) <= 0.5
    assert providers.connections() == 0
    assert 0.05 <= checked.later(dt.timedelta(seconds=1)) <= 0.9
    assert len(providers.openai.requests) == 1


def test_a_shorter_interval_takes_effect_at_once(checked: Checked, providers: AIProviders) -> None:
    """A key that was put off for a day, or by a clock that was wrong, does not wait for that."""
    checked.put(providers.openai.new_key())
    checked.revalidation = checked.restarted(revalidate_hours=1.0)

    checked.later(dt.timedelta(0))
    checked.later(dt.timedelta(0))

    assert checked.row().status == "valid"
    assert len(providers.openai.requests) == 1


def test_a_confirmation_longer_than_the_interval_is_waited_for(
    store: InProcess, tmp_path: Path, providers: AIProviders
) -> None:
    """Its time is not taken for a mistake."""
    checked = Checked(store, tmp_path / "ours", providers, key=KEY_A, revalidate_hours=0.001)
    checked.put(providers.openai.new_key("invalid"))

    checked.later(MINUTE)
    checked.later(MINUTE)
    checked.later(MINUTE)

    assert len(providers.openai.requests) == 1
    assert [reason for _, _, reason in checked.validations()] == ["invalid, to be confirmed"]


# --- two refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", [VALID, None], ids=["validated", "never-validated"])
def test_a_key_is_called_invalid_after_two_refusals_ten_minutes_apart(
    checked: Checked, providers: AIProviders, verdict: Verdict | None
) -> None:
    """Until then it keeps its status; both refusals are in the audit log."""
    key = providers.openai.new_key("invalid")
    checked.put(key, verdict=verdict)
    before = checked.row().status

    checked.later()
    first = checked.row()
    checked.later(CONFIRM - MINUTE)
    assert len(providers.openai.requests) == 1
    checked.later(MINUTE)
    second = checked.row()

    assert (first.status, first.refused_at is None) == (before, False)
    assert (second.status, second.status_evidence, second.refused_at) == ("invalid", "invalid-api-key", None)
    assert [reason for _, _, reason in checked.validations()] == ["invalid, to be confirmed", "invalid"]
    assert len(providers.openai.requests) == 2


def test_a_key_that_was_refused_once_and_then_accepted_stays_valid(checked: Checked, providers: AIProviders) -> None:
    """A fresh key may be refused for minutes; the next refusal is a first one again."""
    checked.put(providers.openai.new_key("invalid", "valid", "invalid"), verdict=VALID)

    checked.later()
    checked.later(CONFIRM)
    accepted = checked.row()
    checked.later()
    refused_again = checked.row()

    assert (accepted.status, accepted.refused_at) == ("valid", None)
    assert (refused_again.status, refused_again.refused_at is None) == ("valid", False)


@pytest.mark.parametrize("trouble", ["drop", "html_401", "html_403", "server_error", "rate_limited", "garbage_401"])
def test_trouble_on_the_way_never_changes_what_is_known(checked: Checked, providers: AIProviders, trouble: str) -> None:
    """Neither does it confirm a refusal; the key is asked about again some minutes later."""
    checked.put(providers.openai.new_key("invalid", trouble, trouble, "valid"), verdict=VALID)

    checked.later()
    refused = checked.row()
    checked.later(CONFIRM)
    checked.later(2 * CONFIRM)
    troubled = checked.row()
    checked.later(2 * CONFIRM)

    assert len(providers.openai.requests) == 4
    assert (troubled.status, troubled.refused_at) == ("valid", refused.refused_at)
    assert troubled.last_validated_at == refused.last_validated_at
    assert (checked.row().status, checked.row().refused_at) == ("valid", None)
    assert [reason for _, _, reason in checked.validations()] == ["invalid, to be confirmed", "valid"]


# --- doubts ----------------------------------------------------------------------------------------------------------


def test_a_doubt_is_the_first_refusal_and_the_key_is_checked_at_once(checked: Checked, providers: AIProviders) -> None:
    """The refusal that a use has met counts: ten minutes after it one more is enough."""
    version = checked.put(providers.openai.new_key("invalid"), verdict=VALID)

    checked.revalidation.soon(OPENAI, version)
    checked.later(dt.timedelta(0))
    at_once = checked.row()
    checked.revalidation.soon(OPENAI, version)
    checked.later(CONFIRM - MINUTE)
    assert len(providers.openai.requests) == 1
    checked.later(MINUTE)

    assert at_once.status == "valid"
    assert checked.row().status == "invalid"
    assert len(providers.openai.requests) == 2


def test_an_unfounded_doubt_changes_nothing_and_is_not_repeated_within_a_minute(
    checked: Checked, providers: AIProviders
) -> None:
    """A client that hammers a key which lacks a right does not make the provider be asked each time."""
    version = checked.put(providers.openai.new_key(), verdict=VALID)
    for _ in range(3):
        for _ in range(5):
            checked.revalidation.soon(OPENAI, version)
        checked.later(dt.timedelta(seconds=1))
    assert len(providers.openai.requests) == 1
    checked.later(UNFOUNDED)

    assert len(providers.openai.requests) == 2
    assert (checked.row().status, checked.row().refused_at) == ("valid", None)


def test_a_doubt_about_a_version_that_was_replaced_is_dropped(checked: Checked, providers: AIProviders) -> None:
    """As are doubts about keys that are gone, or that are known to be refused."""
    version = checked.put(providers.openai.random_key(), verdict=VALID)
    checked.put(providers.openai.new_key(), verdict=VALID)
    refused = SecretName("user", "1", "openai")
    refused_version = checked.put(providers.openai.random_key(), refused, verdict=Verdict("invalid", "x"))

    checked.revalidation.soon(OPENAI, version)
    checked.revalidation.soon(SecretName("user", "2", "openai"), 1)
    checked.revalidation.soon(refused, refused_version)
    checked.later(dt.timedelta(0))

    assert providers.connections() == 0
    assert checked.row().refused_at is None


def test_a_doubt_waits_for_the_database(
    checked: Checked, providers: AIProviders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Telling it never fails; it is noted when the database is back, with the time at which it came."""
    version = checked.put(providers.openai.new_key("invalid"), verdict=VALID)
    readiness = checked.store.database._readiness
    with monkeypatch.context() as patch:
        patch.setattr(readiness, "is_ready", False)
        checked.revalidation.soon(OPENAI, version)
        assert checked.revalidation._look() == 15.0
        with pytest.raises(Exception, match=r"."):
            checked.revalidation.work()
        checked.clock.passed += CONFIRM

    checked.later(dt.timedelta(0))

    assert checked.row().status == "invalid"
    assert len(providers.openai.requests) == 1


# --- late verdicts ---------------------------------------------------------------------------------------------------


def begin_late(checked: Checked, providers: AIProviders) -> tuple[threading.Thread, Gate]:
    """Begin a check whose verdict comes when the gate is opened."""
    gate = providers.openai.hold = Gate()
    change(checked.store, sa.update(secrets).values(next_check_at=checked.clock()))
    thread = threading.Thread(target=checked.revalidation.work)
    thread.start()
    providers.openai.wait_for_request()
    return thread, gate


def test_a_late_verdict_on_a_replaced_key_is_dropped(checked: Checked, providers: AIProviders) -> None:
    """The new key has nothing to do with it; no audit entry tells of it either."""
    checked.put(providers.openai.new_key("invalid"), verdict=Verdict("invalid", "x"))
    thread, gate = begin_late(checked, providers)
    checked.put(providers.openai.new_key(), verdict=VALID)
    replaced = checked.row()

    gate.open()
    thread.join()

    assert checked.row() == replaced
    assert checked.validations() == []


def test_a_late_verdict_on_a_deleted_key_is_dropped(checked: Checked, providers: AIProviders) -> None:
    """Also when another one was stored under its name: versions begin anew, rows do not."""
    checked.put(providers.openai.new_key("invalid"), verdict=Verdict("invalid", "x"))
    thread, gate = begin_late(checked, providers)
    checked.desktop.delete(OPENAI)
    checked.put(providers.openai.new_key(), verdict=VALID)
    stored_anew = checked.row()

    gate.open()
    thread.join()

    assert stored_anew.row_version == 1
    assert checked.row() == stored_anew
    assert checked.validations() == []


def test_a_late_verdict_on_a_key_whose_expiry_changed_is_dropped(checked: Checked, providers: AIProviders) -> None:
    """It was sealed anew; the check is made again soon."""
    checked.put(providers.openai.new_key(), verdict=Verdict("invalid", "x"))
    thread, gate = begin_late(checked, providers)
    with checked.desktop.vault.writing() as connection:
        checked.desktop.vault.expire(connection, OPENAI, utc_now() + 400 * DAY, actor=ACTOR)

    gate.open()
    thread.join()
    dropped = checked.row()
    checked.later(CLAIM)

    assert (dropped.status, checked.row().status) == ("invalid", "valid")


def test_a_verdict_that_comes_after_the_stop_is_not_written(checked: Checked, providers: AIProviders) -> None:
    """The next process asks again when the claim has run out."""
    checked.put(providers.openai.new_key())
    thread, gate = begin_late(checked, providers)

    checked.revalidation.stop()
    gate.open()
    thread.join()
    assert checked.row().status == "unknown"
    checked.revalidation = checked.restarted()
    checked.later(CLAIM)

    assert checked.row().status == "valid"


# --- which are left alone --------------------------------------------------------------------------------------------


def assert_left_alone(checked: Checked, providers: AIProviders, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is sent, nothing is written, nothing is said."""
    checked.desktop.vault.attachment.attach()
    before = [tuple(row) for row in read(checked.store, sa.select(secrets))]
    entries = read(checked.store, sa.select(audit_entries))
    caplog.clear()
    # Wine lets nobody restrict the rights to a file, which is said.
    with caplog.at_level(logging.DEBUG, logger="app"), caplog.at_level(logging.ERROR, logger="app.core.trust"):
        assert checked.later() == 15.0

    assert providers.connections() == 0
    assert [tuple(row) for row in read(checked.store, sa.select(secrets))] == before
    assert read(checked.store, sa.select(audit_entries)) == entries
    assert caplog.messages == []


def test_an_expired_key_is_left_alone(
    checked: Checked, providers: AIProviders, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not used for anything."""
    checked.put(providers.openai.new_key(), expires_at=utc_now() + dt.timedelta(hours=1))

    assert_left_alone(checked, providers, caplog)


def test_an_unreadable_key_is_left_alone(
    checked: Checked, providers: AIProviders, caplog: pytest.LogCaptureFixture
) -> None:
    """It was marked when somebody wanted to use it."""
    checked.put(providers.openai.new_key())
    change(checked.store, sa.update(secrets).values(status=UNREADABLE))

    assert_left_alone(checked, providers, caplog)


def test_a_key_that_was_moved_is_put_off_and_no_other_key_is_held_up(checked: Checked, providers: AIProviders) -> None:
    """Another owner's ciphertext under a tenant's name does not open, and is not sent."""
    moved = SecretName("tenant", "evil", "openai")
    checked.put(providers.openai.new_key())
    checked.put(providers.openai.new_key(), moved)
    stolen = sa.select(secrets.c.ciphertext).where(secrets.c.owner_id == "acme").scalar_subquery()
    change(checked.store, sa.update(secrets).where(secrets.c.owner_id == "evil").values(ciphertext=stolen))

    checked.later()

    assert checked.row().status == "valid"
    assert checked.row(moved).status == "unknown"
    assert checked.row(moved).next_check_at > checked.clock()
    assert len(providers.openai.requests) == 1


def test_a_locked_vault_is_left_alone_and_whoever_can_open_it_checks(
    checked: Checked, providers: AIProviders, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A desktop without the key claims nothing: the one with the key is not held up."""
    key = providers.openai.new_key()
    checked.put(key)
    stranger = Checked(checked.store, tmp_path / "stranger", providers, key=KEY_B)

    assert_left_alone(stranger, providers, caplog)
    checked.later()

    assert checked.row().status == "valid"


def test_users_keys_under_another_additional_secret_are_left_alone(
    store: InProcess, tmp_path: Path, providers: AIProviders, caplog: pytest.LogCaptureFixture
) -> None:
    """They do not open here, though the vault does."""
    ours = Checked(store, tmp_path / "ours", providers, key=KEY_A, api_key_secret="a" * 40)
    ours.put(providers.openai.new_key(), SecretName("user", "1", "openai"))
    other = Checked(store, tmp_path / "other", providers, key=KEY_A, api_key_secret="b" * 40)

    assert_left_alone(other, providers, caplog)


def test_a_key_is_never_sent_to_another_address_than_it_was_entered_for(
    checked: Checked, providers: AIProviders, caplog: pytest.LogCaptureFixture
) -> None:
    """A changed base URL gets no old key, neither on schedule nor after a doubt, until the key is entered again."""
    key = providers.openai.new_key()
    version = checked.put(key)
    for url in (providers.google.url, f"http://localhost:{providers.openai.port}"):
        checked.revalidation = checked.restarted(provider_urls={**providers.urls(), "openai": url})

        assert_left_alone(checked, providers, caplog)
        checked.revalidation.soon(OPENAI, version)
        checked.later(dt.timedelta(0))

    assert providers.connections() == 0
    checked.revalidation = checked.restarted()
    checked.later(dt.timedelta(0))
    assert checked.row().status == "valid"


# --- several desktops ------------------------------------------------------------------------------------------------


def test_desktops_that_share_a_database_check_each_key_once(
    checked: Checked, providers: AIProviders, tmp_path: Path
) -> None:
    """Whoever claims a key first checks it."""
    places = [SecretName("user", str(number), "openai") for number in range(3 * BATCH)]
    keys = [providers.openai.new_key() for _ in places]
    for which, key in zip(places, keys, strict=True):
        checked.put(key, which)
    other = Checked(checked.store, tmp_path / "other", providers, key=KEY_A)
    checked.clock.passed = other.clock.passed = DAY
    threads = [threading.Thread(target=one.revalidation.work) for one in (checked, other)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(str(request.api_key) for request in providers.openai.requests) == sorted(keys)
    assert {checked.row(which).status for which in places} == {"valid"}
    assert len(checked.validations()) == len(places)


def test_a_claim_of_a_desktop_that_died_runs_out(checked: Checked, providers: AIProviders) -> None:
    """Another one checks the key a minute later."""
    checked.put(providers.openai.new_key())
    change(checked.store, sa.update(secrets).values(next_check_at=checked.clock() + CLAIM))

    checked.later(CLAIM - dt.timedelta(seconds=10))
    assert providers.connections() == 0
    checked.later(dt.timedelta(seconds=10))

    assert checked.row().status == "valid"


# --- the thread ------------------------------------------------------------------------------------------------------


def test_the_thread_checks_as_soon_as_it_is_told_and_survives_what_fails(
    checked: Checked, providers: AIProviders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A doubt wakes it; an error of ours does not end it; a stop does."""
    version = checked.put(providers.openai.new_key(), verdict=VALID)
    real_work, failures = checked.revalidation.work, [RuntimeError("once")]

    def work() -> float:
        if failures:
            raise failures.pop()
        return real_work()

    monkeypatch.setattr(checked.revalidation, "work", work)
    monkeypatch.setattr(checked.revalidation, "_longest_wait_s", lambda: 0.05)
    checked.revalidation.start()
    wait_until(lambda: not failures, timeout_s=30, what="the thread to look")
    monkeypatch.setattr(checked.revalidation, "_longest_wait_s", lambda: 60.0)

    checked.revalidation.soon(OPENAI, version)
    providers.openai.wait_for_request()
    wait_until(checked.validations, timeout_s=30, what="the verdict")
    checked.revalidation.stop()

    wait_until(lambda: not _is_running("revalidation"), timeout_s=30, what="the thread to end")


def _is_running(name: str) -> bool:
    return any(thread.name == name for thread in threading.enumerate())


def test_nothing_is_looked_for_before_the_database_is_ready(
    store: InProcess, tmp_path: Path, providers: AIProviders
) -> None:
    """The flag is all it reads."""
    checked = Checked(store, tmp_path / "ours", providers, key=KEY_A)
    checked.revalidation._readiness = Readiness()

    assert checked.revalidation._look() == 15.0

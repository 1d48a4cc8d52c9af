"""Stored keys are checked again by real sidecars, on both databases, with intervals of seconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.ai_providers import AIProviders, Gate
from tests.support.canaries import find_canary, scan_files
from tests.support.databases import SqliteDatabase
from tests.support.sidecar import Sidecar
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import SidecarFactory
    from tests.support.ai_providers import FakeProvider
    from tests.support.databases import Database

pytestmark = pytest.mark.in_turn

ACME = {"owner_kind": "tenant", "owner_id": "acme", "name": "openai"}
QUICK = {"TASKFLOW_REVALIDATE_HOURS": "0.001", "TASKFLOW_REVALIDATE_CONFIRM_MINUTES": "0"}


@pytest.fixture
def providers() -> Iterator[AIProviders]:
    """The four, on their ports."""
    with AIProviders() as running:
        yield running


class Team:
    """Sidecars that share a database."""

    def __init__(self, factory: SidecarFactory, providers: AIProviders, database: Database | None) -> None:
        self._factory = factory
        self._providers = providers
        self._database = database

    def sidecar(self, **options: Any) -> Sidecar:
        """A ready one, with short intervals unless told otherwise."""
        variables = {**self._providers.environment(), **QUICK, **options.pop("env", {})}
        if self._database is not None:
            variables["TASKFLOW_DATABASE_URL"] = self._database.url
        return self._factory(env=variables, **options).wait_healthy()

    def hurry(self, sidecar: Sidecar, provider: FakeProvider, rounds: int = 1) -> None:
        """Make all keys due at once, and wait for the check with a provider; so many times."""
        database = self._database or SqliteDatabase(sidecar.data_dir)
        for _ in range(rounds):
            asked = len(provider.requests)
            database.execute("UPDATE secrets SET next_check_at = '2001-01-01T00:00:00.000000Z'")
            provider.wait_for_request(asked + 1)


@pytest.fixture(params=["sqlite", "postgresql"])
def team(request: pytest.FixtureRequest, sidecar_factory: SidecarFactory, providers: AIProviders) -> Team:
    """Sidecars on one database of each kind."""
    database = request.getfixturevalue("database") if request.param == "postgresql" else None
    return Team(sidecar_factory, providers, database)


def put(sidecar: Sidecar, key: str, **where: str) -> None:
    """Store a key."""
    operation = {"op": "set", **ACME, **where, "secret": key}
    answer = sidecar.request("POST", "/api/v1/vault/bulk", json={"operations": [operation]})
    assert answer.status_code == 200, answer.text


def validations(sidecar: Sidecar) -> list[str]:
    """What the audit log tells of checks, oldest first."""
    answer = sidecar.request("GET", "/api/v1/audit", params={"action": "validate", "limit": "100"})
    return [entry["reason"] for entry in reversed(answer.json()["entries"])]


def wait_for(sidecar: Sidecar, told: str) -> list[str]:
    """Wait until the audit log's last word about the checks is `told`; return all of them."""
    wait_until(
        lambda: validations(sidecar)[-1:] == [told],
        timeout_s=20,
        interval_s=0.1,
        what=lambda: f"{told} at the end of {validations(sidecar)}",
    )
    return validations(sidecar)


def test_a_stored_key_is_checked_by_itself_and_a_revoked_one_becomes_invalid(
    team: Team, providers: AIProviders
) -> None:
    """And valid again when its provider knows it again; the audit chain is sound all the while."""
    key = providers.openai.new_key()
    sidecar = team.sidecar()
    put(sidecar, key)

    wait_for(sidecar, "valid")
    providers.openai.forget(key)
    told = wait_for(sidecar, "invalid")
    providers.openai.behave(key, "valid")
    wait_for(sidecar, "valid")

    assert told[-2:] == ["invalid, to be confirmed", "invalid"]
    assert sidecar.request("GET", "/api/v1/audit/verify").json()["ok"] is True
    assert {(request.method, request.target) for request in providers.openai.requests} == {("GET", "/v1/models")}


def test_trouble_never_makes_a_key_invalid(team: Team, providers: AIProviders) -> None:
    """Whatever stands between: a page, a broken connection."""
    troubles = ["html_401", "drop"]
    key = providers.openai.new_key("valid", *troubles, "valid")
    sidecar = team.sidecar()
    put(sidecar, key)

    team.hurry(sidecar, providers.openai, len(troubles) + 2)
    wait_until(lambda: len(validations(sidecar)) >= 2, timeout_s=10, what="the last verdict")

    assert set(validations(sidecar)) == {"valid"}


def test_the_schedule_survives_a_restart_and_a_kill(team: Team, providers: AIProviders) -> None:
    """Also in the middle of a check."""
    key = providers.openai.new_key()
    sidecar = team.sidecar(env={"TASKFLOW_REVALIDATE_HOURS": "0.001"})
    put(sidecar, key)
    team.hurry(sidecar, providers.openai)
    wait_for(sidecar, "valid")
    sidecar.stop()

    providers.openai.forget(key)
    sidecar.start().wait_healthy()
    wait_for(sidecar, "invalid")
    gate = providers.openai.hold = Gate()
    team.hurry(sidecar, providers.openai)
    sidecar.kill()
    gate.open()
    sidecar.start().wait_healthy()

    assert validations(sidecar)[-1] == "invalid"


def test_a_changed_base_url_gets_no_stored_key(team: Team, providers: AIProviders) -> None:
    """Until the key is entered again."""
    key = providers.openai.new_key()
    sidecar = team.sidecar()
    put(sidecar, key)
    team.hurry(sidecar, providers.openai)
    wait_for(sidecar, "valid")
    sidecar.stop()
    asked = len(providers.openai.requests)
    with AIProviders() as others:
        others.openai.behave(key, "valid")
        moved = team.sidecar(config_dir=sidecar.config_dir, env=others.environment())
        anthropic_key = others.anthropic.new_key()
        put(moved, anthropic_key, name="anthropic")
        team.hurry(moved, others.anthropic, 2)

        assert others.openai.connections == 0
        assert len(providers.openai.requests) == asked
        put(moved, key)
        team.hurry(moved, others.openai)
        assert others.openai.requests[0].api_key == key


@pytest.mark.quiet
def test_a_stop_is_not_held_up_by_a_check(team: Team, providers: AIProviders) -> None:
    """Nobody waits for its verdict."""
    sidecar = team.sidecar()
    put(sidecar, providers.openai.new_key("hang"))
    team.hurry(sidecar, providers.openai)
    began = time.monotonic()

    assert sidecar.stop() == 0

    assert time.monotonic() - began < 4.5  # less than requests get, or the check takes


def test_no_key_is_told_anywhere(team: Team, providers: AIProviders) -> None:
    """At debug level, with providers that repeat it in every answer, broken or not."""
    keys = []
    sidecar = team.sidecar(args=("--log-level", "debug"))
    for provider, behaviour in zip(providers.all(), ("invalid", "html_401", "valid", "cut"), strict=True):
        provider.echo = True
        keys.append(provider.new_key(behaviour))
        put(sidecar, keys[-1], name=provider.name)
    team.hurry(sidecar, providers.deepseek, 2)
    wait_until(lambda: "invalid" in validations(sidecar), timeout_s=10, what="a verdict")
    audit = sidecar.request("GET", "/api/v1/audit").content

    assert sidecar.stop() == 0

    for key in keys:
        assert scan_files(sidecar.config_dir, key) == {}
        assert find_canary(sidecar.stderr_text().encode() + audit, key) == []

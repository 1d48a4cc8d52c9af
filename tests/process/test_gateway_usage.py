"""`GET /api/v1/usage`: who may read it, filters, pages, and what is refused."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.ai_answers import Canned
from tests.support.gateways import GatewayBackend, gateway_on_postgresql, gateway_on_sqlite, token_for

if TYPE_CHECKING:
    from collections.abc import Iterator

USAGE = "/api/v1/usage"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest) -> Iterator[GatewayBackend]:
    """A sidecar that these tests share, once on each database."""
    if request.param == "sqlite":
        with gateway_on_sqlite() as backend:
            yield backend
    else:
        with gateway_on_postgresql(request.getfixturevalue("postgres")) as backend:
            yield backend


@pytest.fixture
def gateway(shared: GatewayBackend) -> GatewayBackend:
    """The shared sidecar with empty tables, and keys for two owners and two providers."""
    shared.clear()
    for kind, owner in (("system", "default"), ("user", "ann@example.org")):
        for provider in ("openai", "anthropic"):
            shared.new_key(kind, owner, provider)
    return shared


def test_calls_are_told_apart_by_owner_provider_model_and_day(gateway: GatewayBackend) -> None:
    """One item each, in the shape that clients know."""
    today = dt.datetime.now(dt.UTC).date().isoformat()
    body = {"model": "gpt-5", "messages": []}
    for _ in range(2):
        gateway.call("system", "default", "openai", "v1/chat/completions", method="POST", json=body)
    gateway.call("user", "ann@example.org", "openai", "v1/chat/completions", method="POST", json={"model": "gpt-4o"})
    gateway.call("user", "ann@example.org", "anthropic")

    reply = gateway.providers.openai.reply
    answer = gateway.sidecar.request("GET", USAGE)

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json() == {
        "items": [
            item("system", "default", "openai", "gpt-5", today, 2, 2 * reply.input_tokens, 2 * reply.output_tokens),
            item("user", "ann@example.org", "anthropic", "", today, 1, 0, 0),
            item("user", "ann@example.org", "openai", "gpt-4o", today, 1, reply.input_tokens, reply.output_tokens),
        ],
        "next_cursor": None,
    }


def item(*values: Any) -> dict[str, Any]:
    """One item."""
    names = ("owner_kind", "owner_id", "provider", "model", "day", "requests", "input_tokens", "output_tokens")
    return dict(zip(names, values, strict=True))


def test_answers_that_are_read_back_cost_nothing_again(gateway: GatewayBackend) -> None:
    """A stored answer tells its usage whenever it is fetched."""
    gateway.new_key("system", "default", "openai", Canned(200, b'{"model": "m", "usage": {"input_tokens": 7}}'))

    gateway.call("system", "default", "openai", "v1/responses/resp_1")

    (used,) = gateway.usage()
    assert (used["model"], used["requests"], used["input_tokens"]) == ("m", 1, 0)


def test_pages_follow_each_other(gateway: GatewayBackend) -> None:
    """By the cursor of the one before, with the same filters."""
    for kind, owner in (("system", "default"), ("user", "ann@example.org")):
        for provider in ("openai", "anthropic"):
            gateway.call(kind, owner, provider)
    params = {"limit": "3"}
    first = gateway.sidecar.request("GET", USAGE, params=params).json()
    second = gateway.sidecar.request("GET", USAGE, params={**params, "cursor": first["next_cursor"]}).json()

    assert len(first["items"]) == 3
    assert [(i["owner_kind"], i["provider"]) for i in second["items"]] == [("user", "openai")]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"owner_kind": "user"}, 2),
        ({"owner_id": "ann@example.org"}, 2),
        ({"provider": "openai"}, 2),
        ({"owner_kind": "user", "provider": "openai"}, 1),
        ({"from": "2020-01-01"}, 4),
        ({"to": "2020-01-01"}, 0),
        ({"from": "9999-12-31"}, 0),
    ],
)
def test_filters_narrow_what_is_shown(gateway: GatewayBackend, filters: dict[str, str], count: int) -> None:
    """Alone and together."""
    for kind, owner in (("system", "default"), ("user", "ann@example.org")):
        for provider in ("openai", "anthropic"):
            gateway.call(kind, owner, provider)

    assert len(gateway.usage(**filters)) == count


@pytest.mark.rules
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("owner_kind", "camera"),
        ("owner_kind", ""),
        ("owner_id", ""),
        ("owner_id", "x" * 256),
        ("owner_id", "a\x00b"),
        ("provider", "mistral"),
        ("from", "yesterday"),
        ("from", "2026-02-30"),
        ("from", "20260101"),
        ("to", "2026-1-1"),
        ("to", ""),
        ("limit", "0"),
        ("limit", "501"),
        ("limit", "many"),
        ("cursor", "CANARYCANARY"),
        ("cursor", "W10="),
        ("cursor", ""),
    ],
)
def test_malformed_parameters_are_400(gateway: GatewayBackend, name: str, value: str) -> None:
    """Named, and not repeated."""
    answer = gateway.sidecar.request("GET", USAGE, params={name: value})

    assert answer.status_code == 400
    assert answer.headers["Taskflow-Error-Code"] == "validation"
    assert answer.json()["error"].startswith(f"query.{name}: ")
    assert "CANARY" not in answer.text


@pytest.mark.parametrize("token", ["", "wrong", token_for("ann")])
def test_usage_is_for_the_launcher(gateway: GatewayBackend, token: str) -> None:
    """It tells about everybody."""
    assert gateway.sidecar.request("GET", USAGE, token=token).status_code == 401


def test_refused_calls_are_not_counted(gateway: GatewayBackend) -> None:
    """They cost nothing."""
    gateway.new_key("system", "default", "openai", "rate_limited", "server_error", "invalid", "not_found")
    for _ in range(4):
        assert gateway.call("system", "default", "openai").status_code >= 400

    assert gateway.usage() == []


def test_stop_that_is_asked_for_loses_no_use_and_no_usage() -> None:
    """Both are written behind; the stop comes before they are."""
    with gateway_on_sqlite() as lone:
        lone.new_key("system", "default", "openai")
        for _ in range(3):
            assert lone.call("system", "default", "openai").status_code == 200
        assert lone.sidecar.stop() == 0

        told = lone.backend.database.query("SELECT sum(count) FROM audit_entries WHERE action = 'use'")[0][0]
        # what this minute's entry does not tell is kept for the next process, which has a minute of its own
        kept = json.loads((lone.sidecar.config_dir / "audit.uses").read_text())
        assert told >= 1
        assert told + sum(tally["pending"] for tally in kept) == 3
        assert lone.backend.database.query("SELECT sum(requests) FROM ai_usage") == [(3,)]

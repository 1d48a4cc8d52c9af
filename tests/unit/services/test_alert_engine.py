"""The alert engine connects to the very addresses that it has checked, however names change meanwhile."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast

import pytest

from app.core.exceptions import ConflictError, TooManyRequestsError
from app.schemas.alert_rules import WEBHOOK_PORTS, Delivery
from app.schemas.urls import parse_url
from app.services import alert_engine
from app.services.alert_engine import AlertEngine
from app.services.targets import outbound_http
from app.services.targets.alert_rules import AlertRules, WebhookCall
from tests.support.network import LOOPBACK, free_port
from tests.support.webhooks import WebhookReceiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "hooks.example.com"
PUBLIC = "192.0.2.7"
"""Counts as public here, and nobody is there."""


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    """Somebody on this computer."""
    with WebhookReceiver().running() as running:
        yield running


class Rules:
    """A rule that calls `NAME`."""

    def __init__(self, port: int, *, allow_private: bool = False) -> None:
        self._target = parse_url(f"http://{NAME}:{port}/hook", WEBHOOK_PORTS)
        self._allow_private = allow_private

    def call_of(self, rule_id: str, *, actor: str) -> WebhookCall:
        """Return what it sends."""
        return WebhookCall(rule_id, "Door", self._target, self._allow_private, {"X-Token": "secret"})


def engine(port: int, is_allowed: Callable[[str], bool], *, allow_private: bool = False) -> AlertEngine:
    """An engine with that one rule."""
    return AlertEngine(cast("AlertRules", Rules(port, allow_private=allow_private)), is_allowed=is_allowed)


def lead(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let the name lead to these addresses, one answer after the other and then the last one again."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    monkeypatch.setattr(outbound_http, "resolve", resolve)
    return asked


def test_checked_address_is_connected_to(monkeypatch: pytest.MonkeyPatch, receiver: WebhookReceiver) -> None:
    """The name is looked up once; the receiver still sees it in `Host`."""
    asked = lead(monkeypatch, [LOOPBACK])
    checked: list[str] = []

    delivery = engine(receiver.port, lambda address: not checked.append(address)).trigger("1", {}, actor="test")  # type: ignore[func-returns-value]

    assert delivery == Delivery(delivered=True, status_code=200, attempts=1)
    assert (asked, checked) == ([NAME], [LOOPBACK])
    assert receiver.received[0].headers["host"] == f"{NAME}:{receiver.port}"


@pytest.mark.parametrize("addresses", [[LOOPBACK], [PUBLIC, LOOPBACK], [LOOPBACK, PUBLIC]])
def test_one_private_address_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch, receiver: WebhookReceiver, addresses: list[str]
) -> None:
    """Nothing is connected to then, not even the others."""
    lead(monkeypatch, addresses)

    with pytest.raises(ConflictError) as refused:
        engine(receiver.port, lambda address: address == PUBLIC).trigger("1", {}, actor="test")

    assert refused.value.code == "target-private"
    assert receiver.received == []


def test_each_attempt_is_checked(monkeypatch: pytest.MonkeyPatch, receiver: WebhookReceiver) -> None:
    """A name that leads elsewhere once the first attempt has failed gets nowhere."""
    lead(monkeypatch, ["127.0.0.2"], [LOOPBACK])

    with pytest.raises(ConflictError):
        engine(receiver.port, lambda address: address == "127.0.0.2").trigger("1", {}, actor="test")

    assert receiver.received == []


def test_next_address_is_tried(monkeypatch: pytest.MonkeyPatch, receiver: WebhookReceiver) -> None:
    """When nothing listens at the first one, within one attempt."""
    lead(monkeypatch, ["127.0.0.2", LOOPBACK])

    delivery = engine(receiver.port, lambda _: False, allow_private=True).trigger("1", {}, actor="test")

    assert delivery == Delivery(delivered=True, status_code=200, attempts=1)


def test_deadline_counts_for_all_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses between them included; what was done until then is told."""
    monkeypatch.setattr(alert_engine, "DEADLINE_S", 0.2)
    monkeypatch.setattr(alert_engine, "FIRST_PAUSE_S", 5.0)
    lead(monkeypatch, [LOOPBACK])

    delivery = engine(free_port(), lambda _: True).trigger("1", {}, actor="test")

    assert delivery == Delivery(delivered=False, status_code=None, attempts=1)


def test_places_are_few_and_given_back(monkeypatch: pytest.MonkeyPatch, receiver: WebhookReceiver) -> None:
    """Whoever finds none is told at once, and every failure gives its place back."""
    lead(monkeypatch, [LOOPBACK])
    sending = engine(receiver.port, lambda _: True)

    with contextlib.ExitStack() as taken:
        for _ in range(alert_engine.MAX_AT_ONCE):
            taken.enter_context(alert_engine._places)
        with pytest.raises(TooManyRequestsError) as refused:
            sending.trigger("1", {}, actor="test")
        assert refused.value.headers["Retry-After"]

    for _ in range(alert_engine.MAX_AT_ONCE + 1):
        with pytest.raises(ConflictError):
            engine(receiver.port, lambda _: False).trigger("1", {}, actor="test")
    assert sending.trigger("1", {}, actor="test").delivered


def test_values_do_not_show() -> None:
    """Not in the repr of what is to be sent."""
    call: Any = Rules(1).call_of("1", actor="test")

    assert "secret" not in repr(call)

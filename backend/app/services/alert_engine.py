"""The alert engine: sends what alert rules say, with the real headers, until it arrives or there is no more time."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import threading
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app import __version__
from app.core.exceptions import ConflictError
from app.schemas.alert_rules import Delivery
from app.services.targets.outbound import run_within
from app.services.targets.private_addresses import is_public

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from app.services.targets.alert_rules import AlertRules, WebhookCall

ATTEMPTS: Final = 3
ATTEMPT_S: Final = 5.0
"""For one attempt, from looking the host up to the head of the answer."""
DEADLINE_S: Final = 15.0
"""For all attempts and the pauses between them."""
FIRST_PAUSE_S: Final = 0.3
LONGEST_PAUSE_S: Final = 2.0
MAX_AT_ONCE: Final = 16

_places: Final = threading.BoundedSemaphore(MAX_AT_ONCE)


class _NotDeliveredError(Exception):
    """This attempt failed, and another one may not."""


@dataclass(slots=True)
class _Progress:
    """How far a delivery has come."""

    attempts: int = 0
    status_code: int | None = None


class AlertEngine:
    """Sends the webhooks of alert rules."""

    def __init__(self, rules: AlertRules, *, is_allowed: Callable[[str], bool] = is_public) -> None:
        """`is_allowed` tells which addresses may be called by rules that do not allow private ones."""
        self._rules = rules
        self._is_allowed = is_allowed

    def trigger(self, rule_id: str, event: Any, *, actor: str) -> Delivery:
        """Send the webhook of a rule; a server's fault and a failing connection are tried again.

        Args:
            rule_id: which rule.
            event: any JSON, goes out as it is.
            actor: who asks for it.

        Raises:
            NotFoundError: no such rule.
            ConflictError: the rule is disabled, its headers cannot be used, or the target is private.
            VaultLockedError: the key is not at hand.
            TooManyRequestsError: many webhooks are being sent.
        """
        call = self._rules.call_of(rule_id, actor=actor)
        progress = _Progress()
        try:
            run_within(DEADLINE_S, lambda: self._deliver(call, _request_body(call, event), progress), places=_places)
        except (TimeoutError, _NotDeliveredError):
            return Delivery(delivered=False, status_code=progress.status_code, attempts=progress.attempts)
        is_delivered = progress.status_code is not None and 200 <= progress.status_code < 300
        return Delivery(delivered=is_delivered, status_code=progress.status_code, attempts=progress.attempts)

    async def _deliver(self, call: WebhookCall, body: bytes, progress: _Progress) -> None:
        from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

        from app.services.targets.outbound_http import client

        headers = _request_headers(call)
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_NotDeliveredError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential_jitter(multiplier=FIRST_PAUSE_S, max=LONGEST_PAUSE_S, jitter=FIRST_PAUSE_S),
            reraise=True,
        )
        async with client((lambda _: True) if call.allow_private else self._is_allowed, ATTEMPT_S) as http:
            async for attempt in retrying:
                with attempt:
                    progress.attempts += 1
                    progress.status_code = None
                    progress.status_code = await _send(http, call.target.url, headers, body)
                    if progress.status_code >= 500:
                        raise _NotDeliveredError


async def _send(http: httpx.AsyncClient, url: str, headers: list[tuple[bytes, bytes]], body: bytes) -> int:
    """Make one attempt and return the status of the answer, of which nothing else is read.

    Raises:
        _NotDeliveredError: there was no answer.
        ConflictError: the target is private.
    """
    import httpx

    from app.services.targets.outbound_http import AddressRefusedError

    try:
        async with asyncio.timeout(ATTEMPT_S), http.stream("POST", url, headers=headers, content=body) as answer:
            return answer.status_code
    except AddressRefusedError:
        raise ConflictError(
            "The webhook leads to this computer or a private network, which the rule does not allow.",
            code="target-private",
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError):
        raise _NotDeliveredError from None


def _request_headers(call: WebhookCall) -> list[tuple[bytes, bytes]]:
    """Return the rule's headers, and those of ours that it does not set itself."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"taskflow-sidecar/{__version__}",
        # the same in all attempts: a receiver knows by it what it has already
        "Idempotency-Key": str(uuid.uuid4()),
    }
    own = {name.lower() for name in call.headers}
    headers = {name: value for name, value in headers.items() if name.lower() not in own}
    return [(name.encode("ascii"), value.encode()) for name, value in {**headers, **call.headers}.items()]


def _request_body(call: WebhookCall, event: Any) -> bytes:
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    rule = {"id": call.rule_id, "name": call.rule_name}
    return json.dumps({"event": event, "rule": rule, "triggered_at": now}).encode("ascii")

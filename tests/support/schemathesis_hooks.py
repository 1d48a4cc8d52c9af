"""What schemathesis loads beside the document: whatever it invents, connections go to one server on this computer.

Run with `SCHEMATHESIS_HOOKS=tests.support.schemathesis_hooks` and the server's port in `TEST_DATABASE_PORT`.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import schemathesis

if TYPE_CHECKING:
    from schemathesis import Case, HookContext

LOOPBACK = "127.0.0.1"
MAX_HOST_CHARS = 255
FUTURE = "2100-01-01T00:00:00Z"


@schemathesis.hook
def before_call(_context: HookContext, case: Case[Any], **_kwargs: Any) -> None:
    """Point what would be a usable address at the one server; what has to be refused stays as it is."""
    body = case.body
    if not isinstance(body, dict):
        return
    port = os.environ["TEST_DATABASE_PORT"]
    if _is_usable(body.get("host")):
        body["host"] = LOOPBACK
        if _is_port(body.get("port")):
            body["port"] = int(port)
    if isinstance(body.get("dsn"), str):
        body["dsn"] = f"postgresql://user:password@{LOOPBACK}:{port}/database"
    if _is_usable_url(body.get("stream_url")):
        body["stream_url"] = f"http://{LOOPBACK}:{port}/stream"
    _point_webhook(body.get("actions"), port)
    _expire_later(body)


def _point_webhook(actions: object, port: str) -> None:
    """Let a webhook call the one server too, which its rule then has to allow."""
    webhook = actions.get("webhook") if isinstance(actions, dict) else None
    if not isinstance(webhook, dict):
        return
    if _is_usable_url(webhook.get("url")):
        webhook["url"] = f"http://{LOOPBACK}:{port}/hook"
        if isinstance(webhook.get("allow_private", False), bool):
            webhook["allow_private"] = True
    _expire_later(webhook)


def _expire_later(body: dict[str, Any]) -> None:
    """Put an instant, which the document cannot demand to be in the future, there; a bare camera has none to set."""
    if isinstance(body.get("expires_at"), str) and re.match(r"\d{4}-\d\d-\d\d[Tt]", body["expires_at"]):
        body["expires_at"] = FUTURE
        if isinstance(body.get("stream_url"), str):
            body["password"] = body.get("password") or "secret"


def _is_usable(host: object) -> bool:
    return isinstance(host, str) and 0 < len(host.strip()) <= MAX_HOST_CHARS and "\0" not in host


def _is_usable_url(url: object) -> bool:
    return isinstance(url, str) and re.match(r"(rtsps?|https?)://[a-z0-9]", url) is not None


def _is_port(port: object) -> bool:
    try:
        return not isinstance(port, bool) and 1 <= int(str(port)) <= 65535
    except ValueError:
        return False

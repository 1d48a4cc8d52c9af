"""What schemathesis loads beside the document: whatever it invents, connections go to one server on this computer.

Run with `SCHEMATHESIS_HOOKS=tests.support.schemathesis_hooks` and the server's port in `TEST_DATABASE_PORT`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import schemathesis

if TYPE_CHECKING:
    from schemathesis import Case, HookContext

LOOPBACK = "127.0.0.1"
MAX_HOST_CHARS = 255


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


def _is_usable(host: object) -> bool:
    return isinstance(host, str) and 0 < len(host.strip()) <= MAX_HOST_CHARS and "\0" not in host


def _is_port(port: object) -> bool:
    try:
        return not isinstance(port, bool) and 1 <= int(str(port)) <= 65535
    except ValueError:
        return False

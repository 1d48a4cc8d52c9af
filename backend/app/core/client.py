"""How the command line talks to a sidecar that was started by hand: over `sidecar.json`, token only after the proof."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from app.core.exceptions import AlreadyRunningError, FatalError
from app.core.ownership import read_run_file

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT_S = 30.0


class NotRunningError(FatalError):
    """No sidecar started by hand answers for this config directory."""

    code = "not-running"
    exit_status = 1


@dataclass(frozen=True, slots=True)
class SidecarClient:
    """Calls one running sidecar."""

    host: str
    port: int
    token: str | None = field(repr=False)

    @classmethod
    def of(cls, directory: Path) -> Self:
        """Find the sidecar of a config directory.

        Raises:
            NotRunningError: there is none, or it was started by a launcher, which alone knows its token.
            AlreadyRunningError: the directory is owned by a sidecar that cannot be reached.
        """
        content = read_run_file(directory)
        if content is None or not isinstance(content.get("url"), str):
            if _is_owned(directory):
                raise AlreadyRunningError(
                    "The running sidecar was started by its desktop program, which alone can talk to it."
                )
            raise NotRunningError("No sidecar is running with this config directory.")
        address = urlsplit(content["url"])
        client = cls(address.hostname or "127.0.0.1", address.port or 0, content.get("token"))
        if not client.is_genuine():
            raise NotRunningError("No sidecar is running with this config directory.")
        return client

    def is_genuine(self) -> bool:
        """Let the server prove that it knows the token before it is shown."""
        challenge = secrets.token_hex(16)
        try:
            answer = self._send("GET", "/health", {"Taskflow-Challenge": challenge})
        except OSError:
            return False
        if self.token is None:  # started with --no-auth: there is no token to steal
            return True
        expected = hmac.new(self.token.encode("ascii"), challenge.encode("ascii"), hashlib.sha256).hexdigest()
        return hmac.compare_digest(answer.getheader("Taskflow-Proof") or "", expected)

    def get(self, path: str) -> Any:
        """Return the JSON answer of a GET."""
        return self._call("GET", path)

    def post(self, path: str) -> Any:
        """Return the JSON answer of a POST without a body."""
        return self._call("POST", path)

    def _call(self, method: str, path: str) -> Any:
        headers = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        try:
            answer = self._send(method, path, headers)
            content = json.loads(answer.read() or b"null")
        except (OSError, ValueError, http.client.HTTPException):
            raise NotRunningError("The sidecar stopped answering.") from None
        if answer.status >= 400:
            raise NotRunningError(str(content.get("error", "The sidecar refused.")))
        return content

    def _send(self, method: str, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        """Send one request straight to the loopback address; proxies are never asked."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_S)
        connection.request(method, path, headers=headers)
        return connection.getresponse()


def _is_owned(directory: Path) -> bool:
    from app.core.ownership import LOCK_FILE, owned

    if not (directory / LOCK_FILE).exists():
        return False
    try:
        with owned(directory):
            return False
    except AlreadyRunningError:
        return True

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


class RefusedError(FatalError):
    """The running sidecar answered with an error."""

    code = "refused"
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
        client = cls._announced(read_run_file(directory) or {})
        if client is not None and client.is_genuine():
            return client
        # none, or the file is a killed one's
        if _is_owned(directory):
            raise AlreadyRunningError(
                "The running sidecar was started by its desktop program, which alone can talk to it."
            )
        raise NotRunningError("No sidecar is running with this config directory.")

    @classmethod
    def _announced(cls, content: dict[str, Any]) -> Self | None:
        """Return a client for what `sidecar.json` says; None if that makes no sense."""
        url, token = content.get("url"), content.get("token")
        if not isinstance(url, str) or not (token is None or (isinstance(token, str) and token.isascii())):
            return None
        try:
            address = urlsplit(url)
            host, port = address.hostname, address.port
        except ValueError:
            return None
        return cls(host, port, token) if host is not None and port is not None else None

    def is_genuine(self) -> bool:
        """Let the server prove that it knows the token before it is shown."""
        challenge = secrets.token_hex(16)
        try:
            answer = self._send("GET", "/health", {"Taskflow-Challenge": challenge})
        except (OSError, http.client.HTTPException):
            return False
        if self.token is None:  # started with --no-auth: there is no token to steal
            return True
        expected = hmac.new(self.token.encode("ascii"), challenge.encode("ascii"), hashlib.sha256).hexdigest()
        return hmac.compare_digest((answer.getheader("Taskflow-Proof") or "").encode(), expected.encode())

    def get(self, path: str) -> Any:
        """Return the JSON answer of a GET.

        Raises:
            NotRunningError: it stopped meanwhile.
            RefusedError: it answered with an error.
        """
        return self._call("GET", path)

    def post(self, path: str) -> Any:
        """Return the JSON answer of a POST without a body.

        Raises:
            NotRunningError: it stopped meanwhile.
            RefusedError: it answered with an error.
        """
        return self._call("POST", path)

    def _call(self, method: str, path: str) -> Any:
        headers = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        try:
            answer = self._send(method, path, headers)
            content = json.loads(answer.read() or b"null")
        except (OSError, ValueError, http.client.HTTPException):
            raise NotRunningError("The sidecar stopped answering.") from None
        if answer.status >= 400:
            sentence = content.get("error") if isinstance(content, dict) else None
            raise RefusedError(sentence or "The sidecar refused.")
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

"""How a launcher talks to the sidecar: one line in, JSON lines out, and the end of stdin means it is gone."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from app import __version__
from app.core.ending import end_process
from app.core.exceptions import HandshakeInvalidError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROTOCOL: Final = 1
HANDSHAKE_TIMEOUT_S: Final = 10.0
MAX_HANDSHAKE_BYTES: Final = 64 * 1024
OPTIONAL_SECRETS: Final = ("encryption_key", "jwt_secret_key", "api_key_encryption_secret")
_VERSION: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,2}")
_TOKEN: Final = re.compile(r"[0-9A-Fa-f]{32,}")


@dataclass(frozen=True, slots=True)
class Handshake:
    """What the launcher tells, on stdin and nowhere else."""

    token: str = field(repr=False)
    encryption_key: str | None = field(default=None, repr=False)
    jwt_secret_key: str | None = field(default=None, repr=False)
    api_key_encryption_secret: str | None = field(default=None, repr=False)


def read_handshake() -> Handshake:
    """Read the first line of stdin.

    Raises:
        HandshakeInvalidError: it does not come within ten seconds, is longer than 64 KiB, or is not what was agreed.
    """
    outcome: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=lambda: outcome.put(_read_line()), name="handshake", daemon=True).start()
    try:
        line = outcome.get(timeout=HANDSHAKE_TIMEOUT_S)
    except queue.Empty:
        raise HandshakeInvalidError("No handshake arrived on stdin within 10 seconds.") from None
    return parse_handshake(line)


def _read_line() -> bytes:
    """Read up to the first newline, byte-wise buffered by hand: nothing after it may be swallowed."""
    line = bytearray()
    while len(line) <= MAX_HANDSHAKE_BYTES:
        try:
            chunk = os.read(0, 1)
        except OSError:
            return b""
        if not chunk:
            return b""
        if chunk == b"\n":
            return bytes(line)
        line += chunk
    return bytes(line)


def parse_handshake(line: bytes) -> Handshake:
    """Check one handshake line; messages hold nothing of it.

    Raises:
        HandshakeInvalidError: it is not what was agreed.
    """
    if not line:
        raise HandshakeInvalidError("Stdin ended before the handshake.")
    if len(line) > MAX_HANDSHAKE_BYTES:
        raise HandshakeInvalidError("The handshake is longer than 64 KiB.")
    message = _decoded(line)
    if message is None:
        raise HandshakeInvalidError("The handshake is not a JSON object.")
    protocol = message.get("protocol")
    if isinstance(protocol, bool) or protocol != PROTOCOL:
        raise HandshakeInvalidError(f"The handshake's protocol is not {PROTOCOL}: update the older of both programs.")
    token = message.get("token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise HandshakeInvalidError("The handshake's token is not at least 32 hex digits.")
    _check_version(message)
    return Handshake(token, **{name: _optional_text(message, name) for name in OPTIONAL_SECRETS})


def _optional_text(message: Mapping[str, Any], name: str) -> str | None:
    value = message.get(name)
    if value is not None and not isinstance(value, str):
        raise HandshakeInvalidError(f"The handshake's {name} is not text.")
    return value or None


def _check_version(message: Mapping[str, Any]) -> None:
    """Refuse a launcher that was made for other versions of the sidecar than this one."""
    for name in ("min_version", "max_version"):
        wanted = _optional_text(message, name)
        if wanted is None:
            continue
        if not _VERSION.fullmatch(wanted):
            raise HandshakeInvalidError(f"The handshake's {name} is not a version such as 1.2.0.")
        here, there = _numbers(__version__), _numbers(wanted)
        if here < there if name == "min_version" else here > there:
            bound = "at least" if name == "min_version" else "at most"
            raise HandshakeInvalidError(
                f"The desktop app needs {bound} version {wanted} of the sidecar, and this is {__version__}."
            )


def _numbers(version: str) -> tuple[int, ...]:
    """Return what versions are ordered by; pre-releases count as the release itself."""
    match = _VERSION.match(version)
    parts = match[0].split(".") if match is not None else []
    return tuple(int(part) for part in (*parts, "0", "0"))[:3]


def _decoded(line: bytes) -> dict[str, Any] | None:
    """Return the JSON object; the decoder's error, which holds the whole line, ends here."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def watch_parent(on_gone: Callable[[], None]) -> None:
    """Call `on_gone`, from a thread of its own, when stdin ends: the parent is gone, however it died."""

    def drain() -> None:
        try:
            while os.read(0, 4096):
                pass  # nothing is expected after the handshake; a newer launcher may know better
        except OSError:
            pass
        on_gone()

    threading.Thread(target=drain, name="parent-watch", daemon=True).start()


class Announcer:
    """Writes JSON lines to the stdout that the process was started with; a full or broken pipe never blocks."""

    def __init__(self) -> None:
        """Take file descriptor 1 over and point it at stderr, so that no stray print can break the line format."""
        self._descriptor = os.dup(1)
        os.dup2(2, 1)
        self._lines: queue.Queue[bytes | None] = queue.Queue(1000)
        self._thread = threading.Thread(target=self._write, name="announcer", daemon=True)
        self._thread.start()

    def say(self, event: str, **fields: Any) -> None:
        """Queue one line; dropped if nobody has read the last thousand."""
        line = json.dumps({"event": event, **fields}, ensure_ascii=True).encode() + b"\n"
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(line)

    def close(self, timeout_s: float = 0.5) -> None:
        """Write what is queued, for at most `timeout_s`."""
        try:
            self._lines.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(timeout_s)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except OSError:
                return


def tell(sentence: str, timeout_s: float = 0.5) -> None:
    """Write one line to stderr for a person; a broken pipe, or one that nobody reads, stops nothing."""

    def write() -> None:
        with contextlib.suppress(OSError):
            os.write(2, f"{sentence}\n".encode())

    thread = threading.Thread(target=write, name="teller", daemon=True)
    thread.start()
    thread.join(timeout_s)


def ensure_standard_streams() -> None:
    """Give the process usable descriptors where a launcher started it without any (Windows services, pythonw)."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != descriptor:
                os.dup2(opened, descriptor)
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


def exit_at_the_latest(after_s: float, status: int) -> None:
    """End the process after `after_s` whatever still runs: a launcher that died must not leave an orphan."""

    def end() -> None:
        time.sleep(after_s)
        end_process(status)

    threading.Thread(target=end, name="last-resort", daemon=True).start()

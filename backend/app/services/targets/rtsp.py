"""RTSP (RFC 2326, RFC 7826): as much of it as it takes to ask a camera whether it has a stream."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from app.services.targets.outbound import resolve, tls_context

if TYPE_CHECKING:
    from types import TracebackType

    from app.schemas.urls import TargetUrl

CONNECT_S: Final = 3.0
"""For each address of a host but the last, which has all the time that is left."""
MAX_HEAD_BYTES: Final = 16 * 1024
MAX_BODY_BYTES: Final = 64 * 1024
"""Of an answer that is read only to get at the next one; with a longer one the connection is made anew."""
_STATUS_LINE: Final = re.compile(r"RTSP/\d\.\d (?P<status>\d{3})(?: .*)?")
_LENGTH: Final = re.compile("[0-9]{1,9}")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class NotRtspError(Exception):
    """What answers there does not speak RTSP."""


class Answer(NamedTuple):
    """What a camera said: the status, how it wants to be convinced, and of what kind the content is."""

    status: int
    challenges: list[str]
    content_type: str


class RtspSession:
    """A connection to a camera, made anew when the camera closes it between two requests."""

    method: Final = "DESCRIBE"

    def __init__(self, target: TargetUrl, url: str, user_agent: str) -> None:
        """`url` is asked for: that of `target`, which may lack a password in its path."""
        self._target = target
        self.uri = url
        self._user_agent = user_agent
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._sequence = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()

    async def ask(self, authorization: str | None) -> Answer:
        """Send one DESCRIBE and read the head of the answer.

        Args:
            authorization: value of the header; None for none.

        Raises:
            NotRtspError: the answer is none of RTSP.
            OSError: no connection, or it ended before an answer.
        """
        is_used = self._streams is not None
        try:
            return await self._ask_once(authorization)
        except ConnectionError:
            if not is_used:
                raise
        self._close()  # cameras may close after a refusal
        return await self._ask_once(authorization)

    async def _ask_once(self, authorization: str | None) -> Answer:
        if self._streams is None:
            self._streams = await self._connect()
        reader, writer = self._streams
        self._sequence += 1
        lines = [f"DESCRIBE {self.uri} RTSP/1.0", f"CSeq: {self._sequence}", "Accept: application/sdp"]
        lines += [f"User-Agent: {self._user_agent}"]
        lines += [f"Authorization: {authorization}"] if authorization is not None else []
        writer.write("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
        await writer.drain()
        status, headers = await _read_head(reader)
        if not await _skip_body(reader, headers):
            self._close()
        challenges = [value for name, value in headers if name == "www-authenticate"]
        return Answer(status, challenges, next((value for name, value in headers if name == "content-type"), ""))

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        addresses = await resolve(self._target.host, self._target.port)
        for address in addresses[:-1]:
            with contextlib.suppress(OSError):  # a time-out is one
                async with asyncio.timeout(CONNECT_S):
                    return await self._open(address)
        return await self._open(addresses[-1])

    async def _open(self, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        is_tls = self._target.scheme == "rtsps"
        return await asyncio.open_connection(
            address,
            self._target.port,
            limit=MAX_HEAD_BYTES,
            ssl=tls_context() if is_tls else None,
            server_hostname=self._target.host if is_tls else None,
        )

    def _close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, list[tuple[str, str]]]:
    """Read status line and headers; these with their names in lower case."""
    first = await _read_line(reader)
    while first == "":
        first = await _read_line(reader)
    found = _STATUS_LINE.fullmatch(first)
    if found is None:
        raise NotRtspError
    headers: list[tuple[str, str]] = []
    left = MAX_HEAD_BYTES
    while line := await _read_line(reader):
        left -= len(line) + 1
        if left < 0:
            raise NotRtspError
        if line[0] in " \t" and headers:  # a value that goes on
            name, value = headers.pop()
            headers.append((name, f"{value} {line.strip()}"))
            continue
        name, _, value = line.partition(":")
        headers.append((name.strip().lower(), value.strip()))
    return int(found["status"]), headers


async def _read_line(reader: asyncio.StreamReader) -> str:
    """Return a line without its end.

    Raises:
        NotRtspError: it is too long, or no text.
        ConnectionError: the connection ends in it.
    """
    try:
        raw = await reader.readline()
    except ValueError:
        raise NotRtspError from None
    if not raw.endswith(b"\n"):
        if raw:
            raise NotRtspError
        raise ConnectionResetError
    line = raw.decode("utf-8", "replace").rstrip("\r\n")
    if _CONTROL.search(line):
        raise NotRtspError
    return line


async def _skip_body(reader: asyncio.StreamReader, headers: list[tuple[str, str]]) -> bool:
    """Read past the body of an answer; False if it is too long to bother."""
    length = next((value for name, value in headers if name == "content-length"), "0")
    if not _LENGTH.fullmatch(length) or int(length) > MAX_BODY_BYTES:
        return False
    try:
        await reader.readexactly(int(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return False
    return True

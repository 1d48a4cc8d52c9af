"""Connecting to a camera: does it answer, does it take user name and password, has it such a stream?"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from app import __version__
from app.services.targets.http_auth import Credentials, answer_to, parse_challenges
from app.services.targets.outbound import run_within
from app.services.targets.rtsp import Answer, NotRtspError, RtspSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from app.schemas.urls import TargetUrl

DEADLINE_S: Final = 9.0
"""For all of a check, so that the answer is there within ten seconds."""
MAX_AT_ONCE: Final = 16
MAX_ANSWERS: Final = 2
"""To challenges of one camera: the second one only if the first came too late for a nonce."""
MAX_CHALLENGE_CHARS: Final = 8 * 1024
"""Of all challenges of one answer; no camera has more to say."""
USER_AGENT: Final = f"taskflow-sidecar/{__version__}"

_places: Final = threading.BoundedSemaphore(MAX_AT_ONCE)


class Outcome(NamedTuple):
    """Whether a camera can be used, and one sentence about it for a person."""

    ok: bool
    message: str


@dataclass(frozen=True, slots=True)
class CameraTarget:
    """What to connect to, and how."""

    target: TargetUrl
    url: str = field(repr=False)
    """What to ask for; with the password where the camera takes it in path or query."""
    credentials: Credentials | None = field(repr=False)


class _Session(Protocol):
    """A conversation with a camera."""

    @property
    def method(self) -> str:
        """Of its requests."""

    @property
    def uri(self) -> str:
        """What its requests ask for, as their first lines name it."""

    async def ask(self, authorization: str | None) -> Answer:
        """Send a request and return the head of the answer."""


_NOT_FOUND: Final = Outcome(ok=False, message="The camera's host name was not found. Check the address.")
_REFUSED: Final = Outcome(
    ok=False, message="The connection was refused: nothing listens on that port. Check address and port."
)
_LOST: Final = Outcome(
    ok=False, message="The connection was closed without a proper answer. Check scheme, address and port."
)
_UNREACHABLE: Final = Outcome(ok=False, message="The camera cannot be reached from this computer's network.")
_TIMED_OUT: Final = Outcome(
    ok=False, message="The camera did not answer in time. Check the address, and that the camera is switched on."
)
_NO_CAMERA: Final = Outcome(
    ok=False, message="What answers at that address is not a camera of that kind. Check scheme, address and port."
)
_UNVERIFIED: Final = Outcome(
    ok=False, message="The camera's certificate could not be verified, so no password was sent to it."
)
_NO_TLS: Final = Outcome(ok=False, message="The camera does not speak TLS there. Check scheme and port.")
_OK: Final = Outcome(ok=True, message="The camera answered.")
_OK_LOGIN: Final = Outcome(ok=True, message="The camera answered and accepted user name and password.")
_OK_NO_LOGIN: Final = Outcome(ok=True, message="The camera answered; it did not ask for a password.")
_PASSWORD_REFUSED: Final = Outcome(ok=False, message="The camera refused the user name or the password.")
_PASSWORD_NEEDED: Final = Outcome(ok=False, message="The camera asks for a user name and a password.")
_LOGIN_UNKNOWN: Final = Outcome(
    ok=False, message="The camera asks for a kind of login other than Basic and Digest, which is not supported."
)
_FORBIDDEN: Final = Outcome(ok=False, message="The camera does not allow this user to see this stream.")
_NO_PATH: Final = Outcome(ok=False, message="The camera has no stream at that path. Check the path of the address.")
_REDIRECTED: Final = Outcome(
    ok=False, message="The camera refers to another address. Enter that address if you trust it."
)
_BY_STATUS: Final = {401: _PASSWORD_REFUSED, 403: _FORBIDDEN, 404: _NO_PATH, 410: _NO_PATH}
_CAUSES: Final[tuple[tuple[tuple[type[BaseException], ...], Outcome], ...]] = (
    ((ssl.SSLCertVerificationError,), _UNVERIFIED),
    ((ssl.SSLError,), _NO_TLS),
    ((socket.gaierror, UnicodeError), _NOT_FOUND),
    ((ConnectionRefusedError,), _REFUSED),
    ((ConnectionError,), _LOST),
    ((TimeoutError,), _TIMED_OUT),
    ((OSError,), _UNREACHABLE),
)


def check_camera(camera: CameraTarget) -> Outcome:
    """Connect to a camera; whatever it does, the outcome is there within ten seconds.

    Raises:
        TooManyRequestsError: many checks are running.
    """
    try:
        return run_within(DEADLINE_S, lambda: _check(camera), places=_places)
    except TimeoutError:
        return _TIMED_OUT


async def _check(camera: CameraTarget) -> Outcome:
    if camera.target.scheme.startswith("rtsp"):
        return await _check_rtsp(camera)
    return await _check_http(camera)


async def _check_rtsp(camera: CameraTarget) -> Outcome:
    try:
        async with RtspSession(camera.target, camera.url, USER_AGENT) as session:
            return await _converse(session, camera.credentials)
    except NotRtspError:
        return _NO_CAMERA
    except (OSError, UnicodeError) as exc:
        return _outcome_of(exc)


async def _check_http(camera: CameraTarget) -> Outcome:
    import httpx

    try:
        async with _http_session(camera) as session:
            return await _converse(session, camera.credentials)
    except (httpx.RemoteProtocolError, httpx.InvalidURL) as exc:
        return _LOST if "disconnected" in str(exc) else _NO_CAMERA
    except (httpx.TransportError, OSError, UnicodeError) as exc:
        return _outcome_of(exc)


@contextlib.asynccontextmanager
async def _http_session(camera: CameraTarget) -> AsyncIterator[_Session]:
    from app.services.targets.camera_http import HttpSession
    from app.services.targets.outbound_http import client

    async with client(lambda _: True, DEADLINE_S) as http:  # cameras are on private networks by nature
        yield HttpSession(http, camera.url, USER_AGENT)


async def _converse(session: _Session, credentials: Credentials | None) -> Outcome:
    """Ask without credentials, and with them only if the camera asks for them."""
    answer = await session.ask(None)
    for attempt in range(MAX_ANSWERS):
        if sum(map(len, answer.challenges)) > MAX_CHALLENGE_CHARS:
            return _NO_CAMERA
        challenges = parse_challenges(answer.challenges)
        if answer.status != 401 or (attempt and not any(challenge.is_stale for challenge in challenges)):
            return _judge(answer, has_login=attempt > 0, credentials=credentials)
        if credentials is None:
            return _PASSWORD_NEEDED
        authorization = answer_to(challenges, credentials, session.method, session.uri)
        if authorization is None:
            return _LOGIN_UNKNOWN
        answer = await session.ask(authorization)
    return _judge(answer, has_login=True, credentials=credentials)


def _judge(answer: Answer, *, has_login: bool, credentials: Credentials | None) -> Outcome:
    if 200 <= answer.status < 300:
        if has_login:
            return _OK_LOGIN
        return _OK if credentials is None else _OK_NO_LOGIN
    if answer.status in _BY_STATUS:
        return _BY_STATUS[answer.status]
    if 300 <= answer.status < 400:
        return _REDIRECTED
    return Outcome(ok=False, message=f"The camera answered with the error {answer.status}.")


def _outcome_of(exc: BaseException) -> Outcome:
    """Say what went wrong; libraries wrap what the system told them."""
    found = list(_causes(exc))
    for kinds, outcome in _CAUSES:
        if any(isinstance(cause, kinds) for cause in found):
            return outcome
    return _TIMED_OUT if any("Timeout" in type(cause).__name__ for cause in found) else _LOST


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        if isinstance(exc, BaseExceptionGroup):
            for inner in exc.exceptions:
                yield from _causes(inner)
        exc = exc.__cause__ or exc.__context__

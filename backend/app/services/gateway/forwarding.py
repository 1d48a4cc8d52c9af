"""The gateway: how a provider's key is used without ever leaving the sidecar.

A call goes to its provider with the owner's key put in and the caller's token taken out; the answer comes back, piece
by piece as it arrives, with the key taken out. Nothing of either body is held longer than it takes to pass it on.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from anyio import to_thread

from app.core.config import PROVIDER_NAMES
from app.core.logging import get_logger
from app.core.workers import Workers
from app.services.gateway.answer import (
    AnswerBrokenError,
    Inflater,
    ProviderAwayError,
    has_error_object,
    is_authentication,
    outage,
    refusal,
    through_gateway,
    visible_headers,
)
from app.services.gateway.client import GatewayClient
from app.services.gateway.connection import ConnectionBrokenError, Patience, Request
from app.services.gateway.key_choice import today
from app.services.gateway.lent import made_anew, read_body, require_lendable
from app.services.gateway.mask import Mask
from app.services.gateway.tokens import Follower, Used, model_asked_for
from app.services.providers import PROVIDERS, base_url, origin_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from app.core.config import Config
    from app.services.gateway.call import Call, Headers
    from app.services.gateway.connection import Response
    from app.services.gateway.key_choice import ChosenKey, KeyChoice, KeyOwner
    from app.services.gateway.usage import Usage
    from app.services.vault.rows import SecretName

MAX_ERROR_BYTES: Final = 256 * 1024
"""How much of an error answer is read to find out what it says about the key."""
MAX_LENGTH_DIGITS: Final = 18
"""Of a length that an answer can have; Python refuses to read numbers of thousands of digits."""
MAX_READ_OF_BODY: Final = 16 * 1024
"""How much of a request's body is searched for the model that it names."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer as the caller gets it."""

    status: int
    headers: Headers
    body: AsyncIterator[bytes] = field(repr=False)
    """Raises AnswerBrokenError if it cannot be completed."""


class Gateway:
    """Passes calls on."""

    def __init__(
        self,
        config: Config,
        keys: KeyChoice,
        usage: Usage,
        *,
        doubt: Callable[[SecretName, int], object],
        patience: Patience | None = None,
    ) -> None:
        """`doubt` is told which version of which key its provider has just refused; it returns at once."""
        self._config = config
        self._keys = keys
        self._usage = usage
        self._doubt = doubt
        self._patience = patience or Patience()
        self._client: GatewayClient | None = None
        self._workers = Workers("gateway")

    async def close(self) -> None:
        """Close the connections to providers."""
        self._workers.stop()
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    @contextlib.asynccontextmanager
    async def answering(self, call: Call, body: AsyncIterator[bytes], *, actor: str) -> AsyncIterator[Answer]:
        """Send a call and yield the answer; leaving the block ends the call, whether the answer was read or not.

        Args:
            call: what to send.
            body: of the request.
            actor: on whose behalf, for the audit log.

        Raises:
            KeyUnavailableError: no key can serve the call, or the provider has refused the one that did.
            KeyLimitedError: the key lacks a right.
            NotWithALentKeyError, ValidationError: the key is somebody else's, and the call is not for such a one.
            ProviderAwayError: the provider cannot be reached, or has a fault.
            VaultLockedError, SecretUnreadableError, SecretFormatUnknownError: the key does not open.
            DatabaseAwayError: the database cannot be used now.
        """
        target = call.outgoing_target()
        key = await self._workers.run(
            lambda: self._keys.take(call.owner, actor=actor, lend=lambda: require_lendable(call, target))
        )
        if key.is_lent:
            call, body = await _lent(call, body)
        mask = Mask(key.secret)
        sniffed = _Sniffed(body)
        response = await self._sent(call, target, key, sniffed)
        used = Used()
        is_charged = key.is_lent and call.method == "POST" and response.is_success
        bill = _Bill(self._keys, call.owner, used, sniffed) if is_charged else None
        try:
            raw = _Raw(response, call.owner)
            if response.status >= 400:
                beginning = await self._beginning(raw, call.owner)
                await self._require_acceptable(response, beginning, key, call.owner)
                raw.put_back(beginning)
            follower = Follower(response.header(b"content-type") or "", used)
            yield Answer(
                response.status,
                self._visible_headers(call, target, response, mask),
                _passed_on(raw, mask, follower, bill, _length_of(response)),
            )
        finally:
            if response.is_success:
                self._note(call, used, target, sniffed)
            if bill is not None:
                bill.charge()
            response.close()

    async def _sent(self, call: Call, target: bytes, key: ChosenKey, body: _Sniffed) -> Response:
        """Send the request and return the answer, of which only the head has been read."""
        provider = PROVIDERS[call.owner.provider]
        if self._client is None:
            self._client = GatewayClient(self._patience)
        request = Request(
            call.method,
            self._base_path(call.owner) + target,
            call.outgoing_headers(provider, key.secret),
            body if call.has_body else None,
        )
        name = call.owner.provider_name
        try:
            return await self._client.send(origin_of(provider, self._config), request)
        except TimeoutError:
            log.warning("provider timed out", extra={"provider": provider.name})
            raise ProviderAwayError("provider-unreachable", f"{name} has not answered in time.") from None
        except (OSError, ConnectionBrokenError) as exc:
            cause = str(exc) if isinstance(exc, ConnectionBrokenError) else type(exc).__name__
            log.warning("provider not reached", extra={"provider": provider.name, "cause": cause})
            raise ProviderAwayError("provider-unreachable", f"{name} could not be reached. Please retry.") from None

    def _base_path(self, owner: KeyOwner) -> bytes:
        provider = PROVIDERS[owner.provider]
        return base_url(provider, self._config).removeprefix(origin_of(provider, self._config)).encode("ascii")

    async def _beginning(self, raw: _Raw, owner: KeyOwner) -> bytes:
        """Read an error's body, as much of it as matters."""
        beginning = bytearray()
        try:
            async with asyncio.timeout(self._patience.error_s):
                async for piece in raw:
                    beginning += piece
                    if len(beginning) >= MAX_ERROR_BYTES:
                        break
        except (TimeoutError, AnswerBrokenError):
            raise ProviderAwayError(
                "provider-unreachable", f"{owner.provider_name} has not completed its answer."
            ) from None
        return bytes(beginning)

    async def _require_acceptable(self, response: Response, body: bytes, key: ChosenKey, owner: KeyOwner) -> None:
        """Raise what an error answer means, unless it is the caller's own fault, or passing throttling."""
        status = response.status
        verdict = PROVIDERS[owner.provider].verdict(status, body)
        error = refusal(verdict, status, key, owner.provider_name, is_providers=has_error_object(body))
        if error is not None:
            log.info("provider refused", extra={"provider": owner.provider, "status": status, "code": error.code})
            if is_authentication(error):
                self._doubt(key.which, key.row_version)
            raise error
        if status >= 500:
            log.warning("provider at fault", extra={"provider": owner.provider, "status": status})
            raise outage(owner.provider_name, response.header(b"retry-after"))

    def _visible_headers(self, call: Call, target: bytes, response: Response, mask: Mask) -> Headers:
        location = response.header(b"location")
        owner = call.owner
        leads_to = None
        if location is not None and mask.whole(location.encode("latin-1")) == location.encode("latin-1"):
            leads_to = through_gateway(
                location, target.decode("ascii"), base_url(PROVIDERS[owner.provider], self._config), call.prefix
            )
        return visible_headers(response.headers, mask, location=leads_to, keeps_length=_encoding_of(response) == "")

    def _note(self, call: Call, used: Used, target: bytes, body: _Sniffed) -> None:
        """Count the call; only what is created costs tokens, what is read back has been counted before."""
        creates = call.method == "POST"
        self._usage.note(
            call.owner.kind,
            call.owner.id,
            call.owner.provider,
            used.model or model_asked_for(target.decode("ascii"), body.beginning),
            input_tokens=used.input_tokens if creates else 0,
            output_tokens=used.output_tokens if creates else 0,
        )


async def _lent(call: Call, body: AsyncIterator[bytes]) -> tuple[Call, AsyncIterator[bytes]]:
    """Return a call with a lent key, and its body, as they may go out."""
    whole = await read_body(call, body)
    call, written = await to_thread.run_sync(made_anew, call, whole)

    async def once() -> AsyncIterator[bytes]:
        yield written

    return call, once()


class _Sniffed:
    """The body of a request, whose beginning is kept, and whose bytes are counted."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self.beginning = b""
        self.size = 0

    def __aiter__(self) -> _Sniffed:
        return self

    async def __anext__(self) -> bytes:
        piece = await anext(self._pieces)
        self.size += len(piece)
        if len(self.beginning) < MAX_READ_OF_BODY:
            self.beginning += piece[: MAX_READ_OF_BODY - len(self.beginning)]
        return piece


class _Bill:
    """What a call with a lent key has cost so far, charged before its caller sees it, and so can make the next call."""

    def __init__(self, keys: KeyChoice, owner: KeyOwner, used: Used, request: _Sniffed) -> None:
        self._keys = keys
        self._owner = owner
        self._used = used
        self._request = request
        self._day = today()
        """Of the call, whose row it has made; what is put right after midnight is that day's too."""
        self._charged = 0

    def charge(self) -> None:
        """Charge what is not yet; what was guessed is put right by what is told at the end."""
        spent = self._used.spent(self._request.size)
        if spent != self._charged:
            self._keys.spend(self._owner, spent - self._charged, day=self._day)
            self._charged = spent


class _Raw:
    """The body of an answer as it was before anybody compressed it."""

    def __init__(self, response: Response, owner: KeyOwner) -> None:
        encoding = _encoding_of(response)
        inflater = Inflater(encoding, PROVIDER_NAMES[owner.provider]) if encoding else None
        self._response = response
        self._inflater = inflater
        self._ready: bytes | None = None
        self._compressed: bytes | None = None
        """What is still to be decompressed."""

    def __aiter__(self) -> _Raw:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece; raises AnswerBrokenError if the provider breaks off."""
        if self._ready is not None:
            piece, self._ready = self._ready, None
            return piece
        if self._inflater is None:
            return await self._received()
        if self._compressed is None:
            self._compressed = await self._received()
        piece, self._compressed = await to_thread.run_sync(self._inflater.next, self._compressed)
        return piece

    async def _received(self) -> bytes:
        try:
            piece = await self._response.read()
        except (TimeoutError, ConnectionBrokenError) as exc:
            log.warning("answer broken off", extra={"cause": str(exc) or type(exc).__name__})
            raise AnswerBrokenError from None
        if not piece:
            raise StopAsyncIteration
        return piece

    def put_back(self, piece: bytes) -> None:
        """Let a piece come next."""
        self._ready = piece


def _encoding_of(response: Response) -> str:
    encoding = (response.header(b"content-encoding") or "").strip().lower()
    return "" if encoding == "identity" else encoding


def _length_of(response: Response) -> int | None:
    """Return how many bytes the caller is told to wait for; None where that is not known."""
    length = response.header(b"content-length") or ""
    is_told = length.isascii() and length.isdecimal() and len(length) <= MAX_LENGTH_DIGITS
    return int(length) if is_told and not _encoding_of(response) else None


async def _passed_on(
    raw: _Raw, mask: Mask, follower: Follower, bill: _Bill | None, length: int | None
) -> AsyncIterator[bytes]:
    """Yield the body without the key, as it comes, each piece after what it has cost was charged."""
    left = length

    def follow(shown: bytes, *, is_last: bool) -> None:
        if shown:
            follower.feed(shown)
        if is_last:
            follower.end()
        if bill is not None:
            bill.charge()

    async for piece in raw:
        shown = mask.feed(piece)
        if shown:
            left = None if left is None else left - len(shown)
            follow(shown, is_last=left == 0)
            yield shown
    rest = mask.end()
    if left != 0:
        follow(rest, is_last=True)
    if rest:
        yield rest

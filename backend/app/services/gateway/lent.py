"""What a key that is lent may do: inference, and nothing that the owner of the account would find there afterwards.

The platform's key, used by a tenant on trial, and an initial key, used by a user, open a whole account at the provider:
its files, batches, stored answers, conversations, tuned models. Here is what passes; everything else is refused. What
passes is made anew from what was understood here, so that the provider cannot understand anything else: path and query
are plain, the body is JSON that was read and is written again, and few headers go out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from app.core.exceptions import ForbiddenError, RequestError, ValidationError
from app.services.gateway.call import CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from app.services.gateway.call import Call

MAX_BODY_BYTES: Final = 8 << 20
"""It is read whole; pictures within a chat are the largest there is."""
_MODEL: Final = "[A-Za-z0-9][A-Za-z0-9._:-]*"
_GOOGLES_MODEL: Final = "[A-Za-z0-9][A-Za-z0-9._-]*"
_GOOGLES_VERBS: Final = "generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents"
_ALLOWED: Final = {
    "openai": rf"POST /v1/(chat/completions|completions|responses|embeddings)|GET /v1/models(/{_MODEL})?",
    "deepseek": r"POST (/v1|/beta)?/(chat/)?completions|GET (/v1)?/models",
    "anthropic": rf"POST /v1/messages(/count_tokens)?|GET /v1/models(/{_MODEL})?",
    "google": rf"POST /v1(beta)?/models/{_GOOGLES_MODEL}:({_GOOGLES_VERBS})|GET /v1(beta)?/models(/{_GOOGLES_MODEL})?"
    rf"|POST /v1beta/openai/(chat/completions|embeddings)|GET /v1beta/openai/models(/{_MODEL})?",
}
"""By provider, method and path; what is tuned, stored or uploaded has other paths."""
_QUERY: Final = re.compile(
    "alt=(sse|json)|beta=true|(limit|pageSize)=[0-9]{1,4}|(pageToken|after_id|before_id)=[A-Za-z0-9._~%=+/-]{1,512}"
)
"""One parameter."""
_HEADERS: Final = frozenset({b"accept", b"anthropic-version", b"user-agent"})
_STORING: Final = re.compile("/v1/(chat/completions|responses)")
"""What OpenAI keeps unless it is told not to."""
_SCHEMAS: Final = frozenset(
    {
        *("parameters", "parametersJsonSchema", "parameters_json_schema", "input_schema", "json_schema", "schema"),
        *("responseSchema", "response_schema", "responseJsonSchema", "response_json_schema", "arguments", "args"),
    }
)
"""Below these, names are the caller's own."""
_REFERENCES: Final = {
    "openai": frozenset({"file_id", "file_ids", "vector_store_ids", "container", "item_reference"}),
    "deepseek": frozenset({"file_id"}),
    "anthropic": frozenset({"file_id", "container", "mcp_servers"}),
    "google": frozenset({"fileData", "file_data", "cachedContent", "cached_content", "file_id"}),
}
"""By provider, names of what lies in the account."""
_STATE: Final = ("previous_response_id", "conversation", "prompt", "background")
_TOOLS: Final = {"function", "custom", None}
_GOOGLES_TOOLS: Final = {"functionDeclarations", "function_declarations", "type", "function"}


class NotWithALentKeyError(ForbiddenError):
    """The key is not the caller's own."""

    code = "not-with-a-lent-key"

    def __init__(self, what: str) -> None:
        super().__init__(f"A lent key only does inference, and this call {what}. Enter a key of your own for it.")


class LentBodyTooLargeError(RequestError):
    """The body is larger than is read of a call with a lent key."""

    status = 413
    code = "body-too-large"

    def __init__(self) -> None:
        super().__init__(f"With a lent key, the request body is at most {MAX_BODY_BYTES >> 20} MiB")


def require_lendable(call: Call, target: bytes) -> None:
    """Refuse what is not on the list.

    Args:
        call: as it came.
        target: path and query as they would go out.

    Raises:
        NotWithALentKeyError: it is not.
    """
    path, _, query = target.decode("ascii").partition("?")
    if re.fullmatch(_ALLOWED[call.owner.provider], f"{call.method} {path}") is None:
        raise NotWithALentKeyError("does something else")
    if query and not all(_QUERY.fullmatch(part) for part in query.split("&")):
        raise NotWithALentKeyError("has a parameter that is not known here")
    if call.method == "GET" and (call.is_chunked or call.content_length):
        raise NotWithALentKeyError("reads, and has a body all the same")


async def read_body(call: Call, body: AsyncIterator[bytes]) -> bytes:
    """Return the whole body.

    Raises:
        LentBodyTooLargeError: it is too large.
        NotWithALentKeyError: it is compressed.
    """
    if any(name == b"content-encoding" for name, _ in call.headers):
        raise NotWithALentKeyError("has a body that is not plain")
    if (call.content_length or 0) > MAX_BODY_BYTES:
        raise LentBodyTooLargeError
    read = bytearray()
    async for piece in body:
        read += piece
        if len(read) > MAX_BODY_BYTES:
            raise LentBodyTooLargeError
    return bytes(read)


def made_anew(call: Call, body: bytes) -> tuple[Call, bytes]:
    """Return a call and its body with nothing in it that was not understood; takes a while for a large one.

    Raises:
        ValidationError: the body is no JSON object.
        NotWithALentKeyError: it refers to what lies in the account, or leaves something there.
    """
    headers = [(name, value) for name, value in call.headers if name in _HEADERS or name in CREDENTIALS]
    if call.method == "GET":
        return replace(call, headers=headers), b""
    document = _document(body)
    provider, path = call.owner.provider, call.path.decode("ascii")
    _require_inference(document, "openai" if "/openai/" in path else provider)
    if provider == "openai" and _STORING.fullmatch(path):
        document["store"] = False
    try:
        written = json.dumps(document, allow_nan=False, separators=(",", ":")).encode("ascii")
    except (ValueError, RecursionError):
        raise _not_json() from None
    headers += [(b"content-type", b"application/json"), (b"content-length", str(len(written)).encode("ascii"))]
    return replace(call, headers=headers), written


def _not_json() -> ValidationError:
    return ValidationError("body: With a lent key, the body should be a JSON object")


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _not_json()
    return document


def _require_inference(document: dict[str, Any], provider: str) -> None:
    if provider == "openai" and any(document.get(name) for name in _STATE if name != "prompt" or _is_object(document)):
        raise NotWithALentKeyError("uses or leaves what the account keeps")
    if any(name in _REFERENCES[provider] and value for name, value in _members(document)):
        raise NotWithALentKeyError("refers to what lies in the account")
    if any(value == "item_reference" for name, value in _members(document) if name == "type"):
        raise NotWithALentKeyError("refers to what lies in the account")
    tools = document.get("tools") or []
    if not isinstance(tools, list) or not all(_is_callers_own(tool, provider) for tool in tools):
        raise NotWithALentKeyError("has a tool that runs at the provider")


def _is_object(document: dict[str, Any]) -> bool:
    """Tell whether the prompt is one that is stored; of the older calls it is text."""
    return isinstance(document.get("prompt"), Mapping)


def _is_callers_own(tool: object, provider: str) -> bool:
    """Tell whether the caller runs a tool itself."""
    if not isinstance(tool, dict):
        return False
    return set(tool) <= _GOOGLES_TOOLS if provider == "google" else tool.get("type") in _TOOLS


def _members(document: object) -> Iterator[tuple[str, object]]:
    """Yield names and values of all objects, but those whose names are the caller's own."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from value.items()
            waiting += [inner for name, inner in value.items() if name not in _SCHEMAS]
        elif isinstance(value, list):
            waiting += value

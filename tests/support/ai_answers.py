"""What AI providers answer: refusals, faults and pages by name, and documents and event streams of chats."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

JSON = "application/json"
HTML_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>"

Manner = Literal["answer", "hang", "drop", "drip", "drip-headers", "cut"]


@dataclass(frozen=True, slots=True)
class Canned:
    """One answer as it is sent.

    `manner` other than `answer`: `hang` sends nothing, `drop` closes the connection, `drip` sends a byte of the body
    now and then without an end, `drip-headers` the same of the head, `cut` closes before the announced end.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Manner = "answer"


def _json(status: int, document: object, headers: Mapping[str, str] | None = None) -> Canned:
    return Canned(status, json.dumps(document).encode(), headers=headers or {})


def _html(status: int) -> Canned:
    return Canned(status, HTML_PAGE, "text/html; charset=utf-8")


COMMON: dict[str, Canned] = {
    **{f"html_{status}": _html(status) for status in (200, 400, 401, 402, 403, 404, 429, 500, 502, 503)},
    "server_error": _json(500, {"error": {"message": "The server had an error", "type": "server_error", "code": None}}),
    "bad_gateway": Canned(502, b"Bad Gateway", "text/plain"),
    "unavailable": _json(503, {"error": {"message": "The engine is overloaded", "type": "server_error"}}),
    "gateway_timeout": Canned(504, b"", "text/plain"),
    "not_found": _json(404, {"error": {"message": "Not found", "type": "invalid_request_error", "code": None}}),
    "garbage": Canned(200, b'{"data": [{"id": "mod'),
    "garbage_401": Canned(401, b"\x00\xff{not json", "application/octet-stream"),
    "json_401": _json(401, {"message": "Sign in to the company's proxy"}),
    "json_403": _json(403, {"error": "blocked by the company's policy"}),
    "other_json": _json(200, {"status": "ok"}),
    "list_200": _json(200, []),
    "deeply_nested": Canned(200, b"[" * 100_000),
    "empty_200": Canned(200, b""),
    "redirect": Canned(302, b"", headers={"Location": "/redirected"}),
    "proxy_authentication": _html(407),
    "hang": Canned(manner="hang"),
    "drop": Canned(manner="drop"),
    "drip": Canned(manner="drip"),
    "drip_headers": Canned(manner="drip-headers"),
    "cut": Canned(200, b'{"data": []}', manner="cut"),
}


def _openai(status: int, message: str, kind: str | None, code: str | None, **headers: str) -> Canned:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return _json(status, {"error": error}, {name.replace("_", "-"): value for name, value in headers.items()})


_OPENAI_BAD = _openai(
    401,
    "Incorrect API key provided: sk-12***34. You can find your API key at https://platform.openai.com/account/api-keys.",
    "invalid_request_error",
    "invalid_api_key",
)
OPENAI: dict[str, Canned] = {
    "no_key": _openai(401, "You didn't provide an API key.", "invalid_request_error", None),
    "invalid": _OPENAI_BAD,
    "revoked": _OPENAI_BAD,
    "expired": _OPENAI_BAD,
    "missing_scopes": _openai(
        401,
        "You have insufficient permissions for this operation. Missing scopes: api.model.read. Check that you have the"
        " correct role in your organization (Reader, Writer, Owner) and project (Member, Owner).",
        "invalid_request_error",
        None,
    ),
    "address_not_allowed": _openai(
        401,
        "Your request IP does not match the configured IP allowlist for your project or organization.",
        "invalid_request_error",
        "ip_not_authorized",
    ),
    "country": _openai(
        403, "Country, region, or territory not supported", "request_forbidden", "unsupported_country_region_territory"
    ),
    "no_quota": _openai(
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        "insufficient_quota",
    ),
    "credit_exhausted": _openai(429, "No credit is left.", "insufficient_quota", "credit_balance_exhausted"),
    "spend_limit": _openai(429, "Limit reached.", "insufficient_quota", "project_monthly_spend_limit_exceeded"),
    "rate_limited": _openai(
        429,
        "Rate limit reached for requests. Please try again in 20s.",
        "requests",
        "rate_limit_exceeded",
        retry_after="20",
    ),
}


def _anthropic(status: int, kind: str, message: str, error_code: str | None = None, **headers: str) -> Canned:
    details = None if error_code is None else {"error_code": error_code}
    error = {"details": details, "type": kind, "message": message}
    document = {"type": "error", "error": error, "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy"}
    return _json(status, document, {name.replace("_", "-"): value for name, value in headers.items()})


_ANTHROPIC_BAD = _anthropic(401, "authentication_error", "invalid x-api-key")
ANTHROPIC: dict[str, Canned] = {
    "no_key": _anthropic(401, "authentication_error", "x-api-key header is required"),
    "invalid": _ANTHROPIC_BAD,
    "revoked": _ANTHROPIC_BAD,
    "expired": _ANTHROPIC_BAD,
    "permission": _anthropic(
        403, "permission_error", "Your API key does not have permission to use the specified resource."
    ),
    "no_quota": _anthropic(402, "billing_error", "There is an issue with your billing or payment information."),
    "credit_too_low": _anthropic(
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or"
        " purchase credits.",
    ),
    "spend_limit": _anthropic(429, "rate_limit_error", "Spend limit reached.", "enforced_spend_limit_reached"),
    "rate_limited": _anthropic(429, "rate_limit_error", "This request would exceed your rate limit.", retry_after="30"),
    "overloaded": _anthropic(529, "overloaded_error", "Overloaded"),
}


def _google(status: int, state: str, message: str, reason: str | None = None) -> Canned:
    error: dict[str, Any] = {"code": status, "message": message, "status": state}
    if reason is not None:
        error["details"] = [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": reason,
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"},
            },
            {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": message},
        ]
    return _json(status, {"error": error})


_GOOGLE_BAD = _google(
    400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", reason="API_KEY_INVALID"
)
GOOGLE: dict[str, Canned] = {
    "no_key": _google(
        403,
        "PERMISSION_DENIED",
        "Method doesn't allow unregistered callers (callers without established identity).",
    ),
    "invalid": _GOOGLE_BAD,
    "revoked": _GOOGLE_BAD,
    "expired": _google(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.", reason="API_KEY_INVALID"),
    "leaked": _google(403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."),
    "permission": _google(
        403,
        "PERMISSION_DENIED",
        "Generative Language API has not been used in project 1 before or it is disabled.",
        reason="SERVICE_DISABLED",
    ),
    "failed_precondition": _google(
        400, "FAILED_PRECONDITION", "User location is not supported for the API use without a billing account."
    ),
    "bad_argument": _google(400, "INVALID_ARGUMENT", "The page size must not be negative."),
    "resource_exhausted": _google(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    "unavailable": _google(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
}

_DEEPSEEK_BAD = _openai(
    401, "Authentication Fails, Your api key: ****1234 is invalid", "authentication_error", "invalid_request_error"
)
DEEPSEEK: dict[str, Canned] = {
    "no_key": _openai(401, "Authentication Fails (no such user)", "authentication_error", "invalid_request_error"),
    "invalid": _DEEPSEEK_BAD,
    "revoked": _DEEPSEEK_BAD,
    "expired": _DEEPSEEK_BAD,
    "invalid_as_openai": _OPENAI_BAD,
    "no_quota": _openai(402, "Insufficient Balance", "unknown_error", "invalid_request_error"),
    "rate_limited": _openai(429, "Rate limit reached", "rate_limit_error", "rate_limit_reached", retry_after="5"),
}

REFUSALS: dict[str, dict[str, Canned]] = {
    "openai": OPENAI,
    "anthropic": ANTHROPIC,
    "google": GOOGLE,
    "deepseek": DEEPSEEK,
}
"""By provider and name; `no_key` is the answer to a request without a key, `invalid` that to an unknown one."""

MODELS: dict[str, dict[str, Any]] = {
    "openai": {"object": "list", "data": [{"id": "gpt-5", "object": "model", "created": 1, "owned_by": "system"}]},
    "anthropic": {
        "data": [{"type": "model", "id": "claude-opus-4-1", "display_name": "Claude", "created_at": "2025-08-05"}],
        "has_more": True,
        "first_id": "claude-opus-4-1",
        "last_id": "claude-opus-4-1",
    },
    "google": {"models": [{"name": "models/gemini-2.5-pro", "version": "2.5"}], "nextPageToken": "Ch1tb2Rlb"},
    "deepseek": {"object": "list", "data": [{"id": "deepseek-chat", "object": "model", "owned_by": "deepseek"}]},
}
"""What a genuine key gets from each provider's list of models."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model says, and what it cost."""

    pieces: tuple[str, ...] = ("Hel", "lo", " there", "!")
    """As they are streamed, one event each."""
    input_tokens: int = 11
    output_tokens: int = 4

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.pieces)


def openai_chat(reply: Reply, model: str) -> dict[str, Any]:
    """Answer of `chat/completions`, OpenAI's and DeepSeek's."""
    message = {"role": "assistant", "content": reply.text, "refusal": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": _openai_usage(reply),
    }


def openai_chat_events(reply: Reply, model: str, *, with_usage: bool) -> Iterator[bytes]:
    """Events of a streamed `chat/completions`; usage comes in one of its own, before the last, if asked for."""

    def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _event({**head, "choices": [choice], **({"usage": None} if with_usage else {})})

    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}
    yield chunk({"role": "assistant", "content": ""})
    for piece in reply.pieces:
        yield chunk({"content": piece})
    yield chunk({}, "stop")
    if with_usage:
        yield _event({**head, "choices": [], "usage": _openai_usage(reply)})
    yield b"data: [DONE]\n\n"


def _openai_usage(reply: Reply) -> dict[str, Any]:
    return {
        "prompt_tokens": reply.input_tokens,
        "completion_tokens": reply.output_tokens,
        "total_tokens": reply.input_tokens + reply.output_tokens,
    }


def openai_response(reply: Reply, model: str, *, status: str = "completed") -> dict[str, Any]:
    """Answer of `responses`; without output and usage while it is in progress."""
    is_done = status == "completed"
    usage = {
        "input_tokens": reply.input_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": reply.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": reply.input_tokens + reply.output_tokens,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": model,
        "output": [_output_item(reply.text, status)] if is_done else [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage if is_done else None,
    }


def openai_response_events(reply: Reply, model: str) -> Iterator[bytes]:
    """Events of a streamed `responses`; the last one has the usage."""
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": openai_response(reply, model, status="in_progress")},
        {"type": "response.output_item.added", "output_index": 0, "item": _output_item(None, "in_progress")},
        {"type": "response.content_part.added", **place, "part": _output_text("")},
        *({"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []} for piece in reply.pieces),
        {"type": "response.output_text.done", **place, "text": reply.text, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": _output_text(reply.text)},
        {"type": "response.output_item.done", "output_index": 0, "item": _output_item(reply.text, "completed")},
        {"type": "response.completed", "response": openai_response(reply, model)},
    ]
    for number, event in enumerate(events):
        yield _event({**event, "sequence_number": number}, name=event["type"])


def _output_item(text: str | None, status: str) -> dict[str, Any]:
    content = [] if text is None else [_output_text(text)]
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": content}


def _output_text(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def openai_embeddings(reply: Reply, model: str) -> dict[str, Any]:
    """Answer of `embeddings`."""
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.25, -0.5, 1.0]}],
        "model": model,
        "usage": {"prompt_tokens": reply.input_tokens, "total_tokens": reply.input_tokens},
    }


def anthropic_message(reply: Reply, model: str) -> dict[str, Any]:
    """Answer of `messages`."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": reply.text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": reply.input_tokens, "output_tokens": reply.output_tokens},
    }


def anthropic_message_events(reply: Reply, model: str) -> Iterator[bytes]:
    """Events of a streamed `messages`: input tokens in the first, output tokens, so far, in first and last but one."""
    opening = {**anthropic_message(reply, model), "content": [], "stop_reason": None}
    opening["usage"] = {"input_tokens": reply.input_tokens, "output_tokens": 1}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": opening},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
            for piece in reply.pieces
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": reply.output_tokens},
        },
        {"type": "message_stop"},
    ]
    for event in events:
        yield _event(event, name=event["type"])


def google_content(reply: Reply, model: str, piece: str | None = None) -> dict[str, Any]:
    """Answer of `generateContent`, or one piece of `streamGenerateContent`."""
    content = {"parts": [{"text": reply.text if piece is None else piece}], "role": "model"}
    return {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {
            "promptTokenCount": reply.input_tokens,
            "candidatesTokenCount": reply.output_tokens,
            "totalTokenCount": reply.input_tokens + reply.output_tokens,
        },
        "modelVersion": model,
    }


def google_content_events(reply: Reply, model: str, *, as_events: bool) -> Iterator[bytes]:
    """Pieces of `streamGenerateContent`: events with `alt=sse`, else parts of one JSON array."""
    last = len(reply.pieces) - 1
    for number, piece in enumerate(reply.pieces):
        document = google_content(reply, model, piece)
        if number != last:
            del document["candidates"][0]["finishReason"]
        if as_events:
            yield _event(document)
        else:
            opening, closing = ("[" if number == 0 else ",\r\n"), ("]" if number == last else "")
            yield f"{opening}{json.dumps(document)}{closing}".encode()


def _event(document: object, *, name: str | None = None) -> bytes:
    head = "" if name is None else f"event: {name}\n"
    return f"{head}data: {json.dumps(document)}\n\n".encode()

"""What answers tell of the tokens they cost, however long they are and wherever they are cut."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from app.services.gateway.tokens import MAX_WHOLE_BYTES, Follower, Used, model_asked_for, model_name
from tests.support.ai_answers import (
    Reply,
    anthropic_message,
    anthropic_message_events,
    google_content,
    google_content_events,
    openai_chat,
    openai_chat_events,
    openai_embeddings,
    openai_response,
    openai_response_events,
)

REPLY = Reply(pieces=('A "usage": {"prompt_tokens": 7}', " or\n\ndata: so"), input_tokens=321, output_tokens=65)
JSON = "application/json; charset=utf-8"
EVENTS = "text/event-stream"

DOCUMENTS: dict[str, tuple[str, bytes]] = {
    "openai-chat": (JSON, json.dumps(openai_chat(REPLY, "m")).encode()),
    "openai-response": (JSON, json.dumps(openai_response(REPLY, "m")).encode()),
    "anthropic": (JSON, json.dumps(anthropic_message(REPLY, "m")).encode()),
    "google": (JSON, json.dumps(google_content(REPLY, "m")).encode()),
    "openai-chat-stream": (EVENTS, b"".join(openai_chat_events(REPLY, "m", with_usage=True))),
    "openai-response-stream": (EVENTS, b"".join(openai_response_events(REPLY, "m"))),
    "anthropic-stream": (EVENTS, b"".join(anthropic_message_events(REPLY, "m"))),
    "google-stream": (EVENTS, b"".join(google_content_events(REPLY, "m", as_events=True))),
    "google-array": (JSON, b"".join(google_content_events(REPLY, "m", as_events=False))),
}


def read(content_type: str, *pieces: bytes) -> Used:
    """Follow an answer to its end."""
    used = Used()
    follower = Follower(content_type, used)
    for piece in pieces:
        follower.feed(piece)
    follower.end()
    return used


def told(used: Used) -> tuple[int, int]:
    """Tokens in and out."""
    return used.input_tokens, used.output_tokens


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("cut", [1, 2, 3, 17, 1000, 10**6])
def test_every_form_is_read_wherever_it_is_cut(name: str, cut: int) -> None:
    """Also where what the model says looks like the usage, or like the end of an event."""
    content_type, body = DOCUMENTS[name]

    used = read(content_type, *(body[start : start + cut] for start in range(0, len(body), cut)))

    assert told(used) == (321, 65)
    assert used.model in ("m", "")


@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
@pytest.mark.parametrize("cut", [1, 5, 10**6])
def test_lines_of_a_stream_end_in_any_way(end: bytes, cut: int) -> None:
    """Also where an end is cut in two."""
    body = DOCUMENTS["anthropic-stream"][1].replace(b"\n", end)

    assert told(read(EVENTS, *(body[start : start + cut] for start in range(0, len(body), cut)))) == (321, 65)


def test_event_of_several_lines_is_one_document() -> None:
    """As the standard has it."""
    body = b'event: x\ndata: {"model": "m",\ndata: "usage": {"input_tokens": 5,\ndata:"output_tokens": 6}}\n\n'

    assert told(read(EVENTS, body)) == (5, 6)


def test_embeddings_have_no_output() -> None:
    """Only what went in."""
    assert told(read(JSON, json.dumps(openai_embeddings(REPLY, "m")).encode())) == (321, 0)


def test_cached_tokens_and_thoughts_count() -> None:
    """They were used, whatever they cost."""
    anthropic = {
        "input_tokens": 1,
        "cache_creation_input_tokens": 10,
        "cache_read_input_tokens": 100,
        "output_tokens": 2,
    }
    google = {"promptTokenCount": 3, "candidatesTokenCount": 4, "thoughtsTokenCount": 40}

    assert told(read(JSON, json.dumps({"usage": anthropic}).encode())) == (111, 2)
    assert told(read(JSON, json.dumps({"usageMetadata": google}).encode())) == (3, 44)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        [],
        "12",
        7,
        {},
        {"prompt_tokens": "12"},
        {"prompt_tokens": -5},
        {"prompt_tokens": True},
        {"prompt_tokens": 1e99},
    ],
)
def test_nonsense_counts_nothing(usage: Any) -> None:
    """And breaks nothing."""
    assert told(read(JSON, json.dumps({"model": 5, "usage": usage}).encode())) == (0, 0)


@pytest.mark.parametrize(
    "body", [b"", b"[", b"{", b'"usage"', b"[" * 100_000, b'{"usage":' * 10_000, b"\xff\xfe", b'[{"usage": 1}, 2]']
)
@pytest.mark.parametrize("content_type", [JSON, EVENTS])
def test_broken_answers_count_nothing(body: bytes, content_type: str) -> None:
    """Whatever a provider sends."""
    prefix = b"data: " if content_type == EVENTS else b""

    assert told(read(content_type, prefix + body)) == (0, 0)


@pytest.mark.parametrize("content_type", ["", "text/plain", "audio/mpeg", "application/octet-stream"])
def test_other_contents_are_not_looked_into(content_type: str) -> None:
    """Sound, files, text."""
    assert told(read(content_type, DOCUMENTS["openai-chat"][1])) == (0, 0)


@pytest.mark.parametrize("content_type", [JSON, EVENTS])
def test_long_documents_are_read_at_their_ends_in_little_memory(content_type: str) -> None:
    """Images and embeddings come in documents of many megabytes, with the usage at the end."""
    start, end = b'{"object": "list", "model": "m", "data": "', b'", "usage": {"input_tokens": 8, "output_tokens": 9}}'
    if content_type == EVENTS:
        start, end = b"data: " + start, end + b"\n\n"
    piece = b"x" * 65536
    tracemalloc.start()
    used = read(content_type, start, *(piece for _ in range(320)), end)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (used.model, told(used)) == ("m", (8, 9))
    assert peak < 4 * MAX_WHOLE_BYTES


def test_text_that_looks_like_usage_at_the_end_of_a_long_document_does_not_count() -> None:
    """Inside a text, quotes are escaped."""
    text = 'so "usage": {"input_tokens": 999}'
    body = json.dumps({"model": "m", "padding": "x" * 2 * MAX_WHOLE_BYTES, "text": text}).encode()

    assert told(read(JSON, body)) == (0, 0)


@pytest.mark.parametrize(
    ("path", "body", "model"),
    [
        ("/v1/chat/completions", b'{"model": "gpt-5", "messages": []}', "gpt-5"),
        ("/v1/chat/completions", b'{"messages": [{"content": "\\"model\\": \\"x\\""}], "model":"y"}', "y"),
        ("/v1beta/models/gemini-2.5-pro:generateContent?alt=sse", b"{}", "gemini-2.5-pro"),
        (
            "/v1/audio/transcriptions",
            b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n',
            "whisper-1",
        ),
        ("/v1/models", b"", ""),
        ("/v1/files", b"\x00\xff", ""),
    ],
)
def test_model_is_found_in_the_request(path: str, body: bytes, model: str) -> None:
    """For answers that do not name it."""
    assert model_asked_for(path, body) == model


@pytest.mark.parametrize("name", [None, 5, "x" * 201, "a\x00b", "a\nb", "\ud800"])
def test_names_that_cannot_be_stored_are_none(name: object) -> None:
    """Databases do not hold them, or not as they are."""
    assert model_name(name) == ""

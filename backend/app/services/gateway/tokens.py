"""Reading from a provider's answer how many tokens a call has used, while the answer passes by.

Answers are JSON documents or event streams of them. What is kept of a document is bounded: of a long one its
beginning and its end, which is where providers put what is read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

MAX_WHOLE_BYTES: Final = 256 * 1024
MAX_HEAD_BYTES: Final = 16 * 1024
MAX_TAIL_BYTES: Final = 64 * 1024
MAX_COUNTS_BYTES: Final = 4096
MAX_COUNTS_READ: Final = 8
"""Of a long document, the last; each is an object of a few numbers."""
MAX_MODEL_CHARS: Final = 200
MAX_TOKENS: Final = 10**12

_EMPTY: Final = msgspec.Raw()
_IN_TEXT: Final = r'(?<!\\)"{}"\s*:\s*'
_USAGE: Final = re.compile(_IN_TEXT.format("(?:usage|usageMetadata)").encode() + rb"(?=\{)")
_MODEL: Final = re.compile(_IN_TEXT.format("(?:model|modelVersion)").encode() + rb'("(?:[^"\\]|\\.){1,200}")')
_MODEL_OF_FORM: Final = re.compile(rb'name="model"\r\n\r\n([^\r\n]{1,200})')
_MODEL_IN_PATH: Final = re.compile(r"/models/([^/:?]+)")

_INPUT: Final = (
    ("prompt_tokens",),
    # cached tokens are told apart from the others, and are input all the same
    ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"),
    ("promptTokenCount", "toolUsePromptTokenCount"),
)
_OUTPUT: Final = (("completion_tokens",), ("output_tokens",), ("candidatesTokenCount", "thoughtsTokenCount"))
"""By kind of API, the counts that add up."""


class _Document(msgspec.Struct):
    """The parts of an answer, or of an event, that matter here; everything else is skipped undecoded."""

    model: msgspec.Raw = _EMPTY
    modelVersion: msgspec.Raw = _EMPTY  # noqa: N815 - the provider's name
    usage: msgspec.Raw = _EMPTY
    usageMetadata: msgspec.Raw = _EMPTY  # noqa: N815
    message: msgspec.Raw = _EMPTY
    response: msgspec.Raw = _EMPTY


@dataclass(slots=True)
class Used:
    """What an answer has told so far; of each count the latest, because streams repeat them as they grow."""

    model: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    size: int = 0
    """Bytes of the answer."""
    events: int = 0
    """Of a stream."""
    is_whole: bool = False
    """Whether the answer came to its end."""

    def spent(self, request_bytes: int) -> int:
        """Return how many tokens a call has cost, guessed where the answer does not tell: it broke off, or is silent.

        A stream has about an event for each token; of text, a token takes about four bytes.
        """
        told = self.input_tokens + self.output_tokens
        if told and self.is_whole:
            return told
        return max(told, request_bytes // 4 + (self.events or self.size // 4))

    @property
    def input_tokens(self) -> int:
        """Tokens of the prompt."""
        return _sum(_INPUT, self.counts)

    @property
    def output_tokens(self) -> int:
        """Tokens of the answer."""
        return _sum(_OUTPUT, self.counts)

    def read(self, document: bytes) -> None:
        """Read one complete JSON document; what is none tells nothing."""
        try:
            if document.lstrip()[:1] == b"[":  # Google's streams, where no event stream was asked for
                for part in msgspec.json.decode(document, type=list[_Document]):
                    self._take(part)
            else:
                self._take(msgspec.json.decode(document, type=_Document))
        except (msgspec.MsgspecError, RecursionError):
            return

    def read_ends(self, head: bytes, tail: bytes) -> None:
        """Read a document of which only the beginning and the end were kept."""
        for piece in (tail, head):
            if not self.model and (found := _MODEL.search(piece)):
                self._name(found[1])
        for found in list(_USAGE.finditer(tail))[-MAX_COUNTS_READ:]:
            self._count(_object_at(tail, found.end()))

    def _take(self, document: _Document, depth: int = 0) -> None:
        for name in (document.model, document.modelVersion):
            if name:
                self._name(name)
        for counts in (document.usage, document.usageMetadata):
            if counts:
                self._count(counts)
        for nested in (document.message, document.response):
            if depth == 0 and bytes(memoryview(nested)[:1]) == b"{":
                self._take(msgspec.json.decode(nested, type=_Document), depth + 1)

    def _name(self, raw: bytes | msgspec.Raw) -> None:
        self.model = model_name(_decoded(raw)) or self.model

    def _count(self, raw: bytes | msgspec.Raw) -> None:
        counts = _decoded(raw)
        if isinstance(counts, dict):
            self.counts |= {name: value for name, value in counts.items() if _is_count(value)}


class Follower:
    """Follows one answer, piece by piece."""

    def __init__(self, content_type: str, used: Used) -> None:
        kind = content_type.partition(";")[0].strip().lower()
        self._used = used
        self._is_stream = kind == "text/event-stream"
        self._is_document = kind == "application/json" or kind.endswith("+json")
        self._kept = _Kept()
        """Of the document, or of the present event."""
        self._line_end = b""
        """A line's end that may be the first half of an event's end."""
        self._after_return = False

    def feed(self, piece: bytes) -> None:
        """Follow the next piece."""
        self._used.size += len(piece)
        if self._is_stream:
            self._feed_events(piece)
        elif self._is_document:
            self._kept.add(piece)

    def end(self) -> None:
        """Read what the end completes."""
        self._used.is_whole = True
        self._read_kept()

    def _read_kept(self) -> None:
        kept, self._kept = self._kept, _Kept()
        if not kept.is_whole:
            self._used.read_ends(bytes(kept.head), bytes(kept.tail))
        elif b'"usage' in kept.head or (not self._used.model and b'"model' in kept.head):
            self._used.read(_data_of(kept.head) if self._is_stream else bytes(kept.head))

    def _feed_events(self, piece: bytes) -> None:
        """Cut a stream into events; a line ends with CR, LF or both, an event with an empty line."""
        lines = piece[1:] if self._after_return and piece[:1] == b"\n" else piece
        self._after_return = piece.endswith(b"\r")
        lines = self._line_end + lines.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *events, rest = lines.split(b"\n\n")
        for event in events:
            self._kept.add(event)
            self._read_kept()
        self._used.events += len(events)
        self._line_end = b"\n" if rest.endswith(b"\n") else b""
        self._kept.add(rest.removesuffix(b"\n"))


class _Kept:
    """Bytes of a document: all of them up to a limit, beyond it the beginning and the end."""

    __slots__ = ("head", "is_whole", "tail")

    def __init__(self) -> None:
        self.head = bytearray()
        self.tail = bytearray()
        self.is_whole = True

    def add(self, piece: bytes) -> None:
        """Keep more."""
        if not self.is_whole:
            self.tail = (self.tail + piece)[-MAX_TAIL_BYTES:]
            return
        self.head += piece
        if len(self.head) > MAX_WHOLE_BYTES:
            self.is_whole = False
            self.tail = self.head[-MAX_TAIL_BYTES:]
            del self.head[MAX_HEAD_BYTES:]


def model_asked_for(path: str, body: bytes) -> str:
    """Return the model that a request names, in its path or at the beginning of its body; empty if none."""
    if found := _MODEL_IN_PATH.search(path):
        return model_name(found[1])
    if found_in_body := _MODEL.search(body):
        return model_name(_decoded(found_in_body[1]))
    found_in_form = _MODEL_OF_FORM.search(body)
    return model_name(found_in_form[1].decode(errors="replace")) if found_in_form else ""


def model_name(value: object) -> str:
    """Return the name of a model in a form that can be stored; empty if it is none."""
    is_name = isinstance(value, str) and value.isprintable() and len(value) <= MAX_MODEL_CHARS
    return value.strip() if is_name and isinstance(value, str) else ""


def _data_of(event: bytearray) -> bytes:
    """Return the data of one event."""
    return b"\n".join(line[5:] for line in bytes(event).split(b"\n") if line.startswith(b"data:"))


def _decoded(raw: bytes | msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _object_at(text: bytes, start: int) -> bytes:
    """Return the JSON object that begins there, as far as its brackets tell: counts hold no text with brackets."""
    depth = 0
    for position in range(start, min(len(text), start + MAX_COUNTS_BYTES)):
        depth += {0x7B: 1, 0x7D: -1}.get(text[position], 0)
        if depth == 0:
            return text[start : position + 1]
    return b""


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TOKENS


def _sum(groups: tuple[tuple[str, ...], ...], counts: dict[str, int]) -> int:
    """Add up the counts of the first kind of API of which there are any."""
    for group in groups:
        if any(name in counts for name in group):
            return sum(counts.get(name, 0) for name in group)
    return 0

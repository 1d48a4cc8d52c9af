"""Taking a key out of what its provider echoes, without holding up the stream."""

from __future__ import annotations

import re
from typing import Final

from app.core.logging import forms_of

_STAR: Final = b"*"
_ESCAPE: Final = re.compile(rb'\\(?:u00([2-7][0-9A-Fa-f])|([/"\\]))')
"""How JSON may write any printable character of ASCII, and how it writes some."""
_CUT_ESCAPE: Final = re.compile(rb"\\(?:u(?:0(?:0[2-7]?)?)?)?\Z")


class Mask:
    """Replaces a secret, in every common encoding, by as many stars, also where pieces of a stream cut it.

    Lengths stay what they were: a `Content-Length` that was announced holds. What is held back between two pieces is
    at most the beginning of the secret; anything else goes on at once.
    """

    def __init__(self, secret: str) -> None:
        forms = {form.encode("utf-8", "surrogatepass") for form in forms_of(secret)}
        # longest first, so that a form which contains another is replaced as a whole
        self._forms = sorted(forms, key=len, reverse=True)
        self._secret = secret.encode("utf-8", "surrogatepass")
        self._has_short_escape = any(character in '/"\\' for character in secret)
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """Return the next piece of the stream, less what may turn out to be a secret."""
        data = self.whole(self._held + piece)
        held = self._beginning_at_end(data)
        self._held = data[len(data) - held :]
        return data[: len(data) - held]

    def end(self) -> bytes:
        """Return what was held back: the stream is over."""
        held, self._held = self._held, b""
        return held

    def whole(self, data: bytes) -> bytes:
        """Return bytes that stand for themselves, such as a header's value."""
        for form in self._forms:
            if form in data:
                data = data.replace(form, _STAR * len(form))
        return self._without_escaped(data) if b"\\" in data else data

    def _without_escaped(self, data: bytes) -> bytes:
        """Return JSON without the secret, whichever of its characters are escaped."""
        if b"\\u00" not in data and not self._has_short_escape:
            return data
        text = _ESCAPE.sub(_unescaped, data)
        start = text.find(self._secret)
        if start < 0:
            return data
        places, shown = _places(data), bytearray(data)
        while start >= 0:
            end = start + len(self._secret)
            shown[places[start] : places[end]] = _STAR * (places[end] - places[start])
            start = text.find(self._secret, end)
        return bytes(shown)

    def _beginning_at_end(self, data: bytes) -> int:
        """Return how many bytes at the end may be the beginning of a secret."""
        longest = 0
        for form in self._forms:
            if data[-1:] not in form:  # as after each event of a stream: nothing of this form can end here
                continue
            start = max(0, len(data) - len(form) + 1)
            while (start := data.find(form[:1], start)) >= 0:
                if form.startswith(data[start:]):
                    longest = max(longest, len(data) - start)
                    break
                start += 1
        return max(longest, self._escaped_at_end(data)) if b"\\" in data else longest

    def _escaped_at_end(self, data: bytes) -> int:
        """Return how many bytes at the end of JSON may be the beginning of the secret, some of it escaped."""
        tail = data[-6 * len(self._secret) :]
        cut = _CUT_ESCAPE.search(tail)
        whole = tail if cut is None else tail[: cut.start()]
        text = _ESCAPE.sub(_unescaped, whole)
        for start in range(max(0, len(text) - len(self._secret) + 1), len(text)):
            if self._secret.startswith(text[start:]):
                return len(tail) - _places(whole)[start]
        return len(tail) - len(whole)


def _unescaped(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 16)]) if found[1] else found[2]


def _places(data: bytes) -> list[int]:
    """Return where in JSON each character of the text without escapes begins, and where the last one ends."""
    places: list[int] = []
    after = 0
    for found in _ESCAPE.finditer(data):
        places += [*range(after, found.start()), found.start()]
        after = found.end()
    return [*places, *range(after, len(data) + 1)]

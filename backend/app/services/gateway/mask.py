"""Taking a key out of what its provider echoes, without holding up the stream."""

from __future__ import annotations

from typing import Final

from app.core.logging import forms_of

_STAR: Final = b"*"


class Mask:
    """Replaces a secret, in every common encoding, by as many stars, also where pieces of a stream cut it.

    Lengths stay what they were: a `Content-Length` that was announced holds. What is held back between two pieces is
    at most the beginning of the secret; anything else goes on at once.
    """

    def __init__(self, secret: str) -> None:
        forms = {form.encode("utf-8", "surrogatepass") for form in forms_of(secret)}
        # longest first, so that a form which contains another is replaced as a whole
        self._forms = sorted(forms, key=len, reverse=True)
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
        return data

    def _beginning_at_end(self, data: bytes) -> int:
        """Return how many bytes at the end may be the beginning of a secret."""
        longest = 0
        for form in self._forms:
            start = max(0, len(data) - len(form) + 1)
            while (start := data.find(form[:1], start)) >= 0:
                if form.startswith(data[start:]):
                    longest = max(longest, len(data) - start)
                    break
                start += 1
        return longest

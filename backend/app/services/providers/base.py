"""What every adapter offers, and the reading of answers that providers have in common."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Status = Literal[
    "valid",
    "invalid",
    "expired",
    "limited_scope",
    "no_quota",
    "rate_limited",
    "blocked",
    "unreachable",
    "provider_error",
    "unknown",
]

USABLE: Final = ("valid", "limited_scope", "no_quota", "rate_limited")
"""The key is genuine."""
REFUSED: Final = ("invalid", "expired", "blocked")
"""The key cannot be used; the others say nothing about the key."""

_SENTENCES: Final[dict[str, str]] = {
    "valid": "The key works.",
    "invalid": "The provider does not know this key.",
    "expired": "The key has expired.",
    "limited_scope": "The key is genuine but lacks a right.",
    "no_quota": "The key is genuine, but the account has no credit or quota left.",
    "rate_limited": "The key is genuine; the provider is throttling it at the moment.",
    "blocked": "The provider has blocked this key, or does not allow it from here.",
    "unreachable": "The provider could not be reached; this says nothing about the key.",
    "provider_error": "The provider has a fault at the moment; this says nothing about the key.",
    "unknown": "The provider's answer says nothing about the key.",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a provider's answer says about a key; `evidence` is our own word for it, never the provider's text."""

    status: Status
    evidence: str

    @property
    def valid(self) -> bool | None:
        """Whether the key is genuine; None if the answer does not tell."""
        if self.status in USABLE:
            return True
        return False if self.status in REFUSED else None

    @property
    def message(self) -> str:
        """One sentence for a person."""
        return _SENTENCES[self.status]


class Provider:
    """One provider: where it is, how a key is sent, and what its answers mean."""

    name: ClassVar[str]
    origin: ClassVar[str]
    """Where it is unless the environment says otherwise, without a path."""
    check_path: ClassVar[str]
    """A request that spends no tokens and that only a genuine key gets answered."""

    def headers(self, api_key: str) -> dict[str, str]:
        """Return the headers that carry the key."""
        raise NotImplementedError

    def refusal(self, status: int, error: Mapping[str, Any]) -> Verdict | None:
        """Read an error answer of this provider; None if it says nothing that only this provider says."""
        raise NotImplementedError

    def verdict(self, status: int, body: bytes) -> Verdict:
        """Read an answer.

        Only specific evidence makes a key invalid; throttling, faults and pages of HTML never do.
        """
        document = _json_object(body)
        if status == 200:
            return Verdict("valid", "listed") if document is not None else Verdict("unknown", "not-json")
        if document is not None:
            found = self.refusal(status, _error_of(document))
            if found is not None:
                return found
        if status == 429:
            return Verdict("rate_limited", "http-429")
        if status >= 500:
            return Verdict("provider_error", f"http-{status}")
        return Verdict("unknown", f"http-{status}")


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _error_of(document: Mapping[str, Any]) -> Mapping[str, Any]:
    error = document.get("error")
    return error if isinstance(error, dict) else {}


def text_of(error: Mapping[str, Any], name: str) -> str:
    """Return a text field of an error in lower case; empty if it is something else."""
    value = error.get(name)
    return value.lower() if isinstance(value, str) else ""

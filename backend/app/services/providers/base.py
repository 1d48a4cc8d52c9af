"""What every adapter offers, and the reading of answers that providers have in common."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.schemas.ai import ProviderName, Status

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


def validity_of(status: str) -> bool | None:
    """Return whether a key of that status is genuine; None if that is not known."""
    if status in USABLE:
        return True
    return False if status in REFUSED else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a provider's answer says about a key; `evidence` is our own word for it, never the provider's text."""

    status: Status
    evidence: str

    @property
    def valid(self) -> bool | None:
        """Whether the key is genuine; None if the answer does not tell."""
        return validity_of(self.status)

    @property
    def message(self) -> str:
        """One sentence for a person."""
        return _SENTENCES[self.status]


class Provider:
    """One provider: where it is, how a key is sent, and what its answers mean."""

    name: ClassVar[ProviderName]
    origin: ClassVar[str]
    """Where it is unless the environment says otherwise, without a path."""
    keys_url: ClassVar[str]
    """Where people make their keys."""
    check_path: ClassVar[str]
    """A request that spends no tokens and that only a genuine key gets answered."""

    def headers(self, api_key: str) -> dict[str, str]:
        """Return the headers that carry the key."""
        raise NotImplementedError

    def refusal(self, status: int, error: Mapping[str, Any]) -> Verdict | None:
        """Read an error answer of this provider; None if it says nothing that only this provider says."""
        raise NotImplementedError

    def verdict(self, status: int, body: bytes) -> Verdict:
        """Read an answer to a check, or an error that met another request.

        Only specific evidence makes a key invalid; throttling, faults and pages of HTML never do.
        """
        document = _json_value(body)
        if status == 200:
            return Verdict("valid", "listed") if _is_list_of_models(document) else Verdict("unknown", "no-list")
        found = self.refusal(status, _error_of(document))
        return _without_evidence(status, body) if found is None else found


def _without_evidence(status: int, body: bytes) -> Verdict:
    """Read an error answer that says nothing of its own about the key."""
    if status == 429 and not body.lstrip().startswith(b"<"):  # a page comes from something in between
        return Verdict("rate_limited", "http-429")
    if status == 407:
        return Verdict("unreachable", "proxy")
    if status >= 500:
        return Verdict("provider_error", f"http-{status}")
    return Verdict("unknown", f"http-{status}")


def _json_value(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _is_list_of_models(document: object) -> bool:
    """Tell a list of models from whatever else something in between may answer 200 with."""
    return isinstance(document, dict) and any(isinstance(document.get(name), list) for name in ("data", "models"))


def _error_of(document: object) -> Mapping[str, Any]:
    """Return the error that a document tells of; empty if it tells of none. Google's streams put it into a list."""
    if isinstance(document, list) and document:
        document = document[0]
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, dict) else {}


def text_of(error: Mapping[str, Any], name: str) -> str:
    """Return a text field of an error in lower case; empty if it is something else."""
    value = error.get(name)
    return value.lower() if isinstance(value, str) else ""

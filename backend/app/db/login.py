"""How strong a login has to be: what the settings say, what the last one was, and what a password is never shown to.

A server that is not known for sure to be the right one gets neither the password nor an MD5 hash of it, which is as
good as the password: it has to know it already (SCRAM), or know the person in another way.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.db.settings import ConnectionSettings

METHODS: Final = ("password", "md5", "gss", "sspi", "scram-sha-256", "none")
"""As libpq's `require_auth` calls them; ``none`` is a server that asks for nothing, or for a certificate."""
REVEALING: Final = frozenset({"password", "md5"})
SCRAM: Final = "scram-sha-256"
_KERBEROS: Final = frozenset({"gss", "sspi"})


class Proof(msgspec.Struct, frozen=True):
    """What the logins so far have shown that server and settings can do; no later one may do less."""

    scram: bool = False
    channel_binding: bool = False

    def __or__(self, other: Proof) -> Proof:
        """Return the stronger of both in each respect."""
        return Proof(self.scram or other.scram, self.channel_binding or other.channel_binding)

    def to_saved(self) -> dict[str, bool]:
        """Return what is kept with the saved connection."""
        return {"scram": self.scram, "channel_binding": self.channel_binding}

    @classmethod
    def from_saved(cls, values: object) -> Proof:
        """Read what was kept; whatever else is there proves nothing."""
        kept: dict[Any, Any] = values if isinstance(values, dict) else {}
        return cls(kept.get("scram") is True, kept.get("channel_binding") is True)


NOTHING_PROVEN: Final = Proof()


def parse_methods(text: str) -> frozenset[str]:
    """Return the methods that a `require_auth` lets pass.

    Raises:
        ValueError: it is none.
    """
    words = [word.strip() for word in text.split(",")]
    forbidden = [word.removeprefix("!") for word in words if word.startswith("!")]
    named = forbidden or words
    if (forbidden and len(forbidden) < len(words)) or not set(named) <= set(METHODS):
        raise ValueError(
            "Input should be a list of " + ", ".join(METHODS) + ", either all of them or none with an exclamation mark"
        )
    return frozenset(METHODS) - frozenset(forbidden) if forbidden else frozenset(words)


def allowed_methods(settings: ConnectionSettings, proof: Proof, *, reveal: bool) -> frozenset[str]:
    """Return by which methods a login may happen.

    Args:
        settings: what was typed, which may only narrow it.
        proof: what earlier logins have shown.
        reveal: the server is verified, and asks for the password itself.
    """
    methods = frozenset(METHODS)
    if settings.auth == "kerberos":
        methods = _KERBEROS
    elif settings.auth == "certificate":
        methods = frozenset({"none"})
    elif proof.scram:
        methods = frozenset({SCRAM})
    if not reveal:
        methods -= REVEALING
    return methods if settings.require_auth is None else methods & parse_methods(settings.require_auth)


def as_libpq(methods: frozenset[str]) -> str | None:
    """Return methods as the value of `require_auth`; None if any will do."""
    forbidden = [f"!{method}" for method in METHODS if method not in methods]
    if len(forbidden) <= len(REVEALING):
        return ",".join(forbidden) or None
    return ",".join(method for method in METHODS if method in methods)


def is_verified(settings: ConnectionSettings) -> bool:
    """Tell whether a login happens only towards a server whose certificate names it."""
    is_local = any(host.startswith(("/", "@")) for host in settings.hosts)
    return settings.sslmode == "verify-full" and not is_local and settings.gssencmode in (None, "disable")


def trusts_whoever_answers(settings: ConnectionSettings) -> bool:
    """Tell whether the server is on another computer, and nothing shows that it is the right one."""
    local = ("/", "@", "127.")
    is_here = all(host.startswith(local) or host in ("localhost", "::1") for host in settings.hosts)
    return not is_here and settings.sslmode != "verify-full" and settings.auth != "kerberos"


_Key = tuple[Any, ...]


class Logins:
    """What the process knows of logins beside the settings: passwords that are not stored, and what was proven."""

    def __init__(self) -> None:
        self._passwords: dict[_Key, str] = {}
        self._proofs: dict[_Key, Proof] = {}
        self._lock = threading.Lock()

    def password(self, settings: ConnectionSettings) -> str | None:
        """Return the password to log in with: the one handed in later, or else the one of the settings."""
        with self._lock:
            return self._passwords.get(_key(settings), settings.password)

    def use_password(self, settings: ConnectionSettings, password: str) -> None:
        """Log in with another password from now on, until the settings are saved anew or the process ends."""
        with self._lock:
            self._passwords[_key(settings)] = password

    def proof(self, settings: ConnectionSettings) -> Proof:
        """Return what logins with these settings have shown."""
        with self._lock:
            return self._proofs.get(_key(settings), NOTHING_PROVEN)

    def prove(self, settings: ConnectionSettings, proof: Proof) -> None:
        """Note what a login has shown, or what was kept of earlier ones."""
        with self._lock:
            self._proofs[_key(settings)] = self._proofs.get(_key(settings), NOTHING_PROVEN) | proof

    def forget(self) -> None:
        """Forget everything: a person has entered the settings anew."""
        with self._lock:
            self._passwords.clear()
            self._proofs.clear()


def _key(settings: ConnectionSettings) -> _Key:
    return (settings.auth, settings.host, settings.hostaddr, str(settings.port), settings.username)


LOGIN: Final = "login"
"""Under this name the proof is kept among the saved values."""


def proof_in(saved: Mapping[str, Any]) -> Proof:
    """Return the proof among the saved values."""
    return Proof.from_saved(saved.get(LOGIN))


def with_proof(saved: Mapping[str, Any], proof: Proof) -> dict[str, Any]:
    """Return the saved values with a proof among them, which replaces the one that is there."""
    others = {name: value for name, value in saved.items() if name != LOGIN}
    return others if proof == NOTHING_PROVEN else {**others, LOGIN: proof.to_saved()}

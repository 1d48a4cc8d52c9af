"""What is said about a device, and by whom: the messages that join codes, members and vault keys stand behind.

Each takes its parts with their lengths, its purpose, the vault and the key's id, so that nothing can be moved to
another place. Whoever can write the database can drop or repeat any of them, and forge none:

========== ============================ ===========================================================================
request    keyed by the join code       the row is the one whose code was read out
grant      sealed to the device, and    only the newcomer reads it, and only who knows the code can have made it
           under the join code
directory  keyed by the vault key       somebody who was in let this device in, under this label
wrap       sealed to the device, and    a vault key from a member; HPKE alone says nothing of who sealed
           signed by the granting one
succession keyed by the new vault key   which key came before this one, and how many there were
========== ============================ ===========================================================================
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from app.core.derivation import hkdf, lp
from app.services.vault.devices import Device, NotForUsError, PublicKey, decoded, encoded
from app.services.vault.sealing import SealBrokenError, VaultKey, open_under, seal_under

if TYPE_CHECKING:
    from app.services.vault.join_codes import JoinCode

_GRANT: Final = "grant/v1"
_WRAP: Final = "wrap/v2"
_SUCCESSION: Final = "succession/v1"
_KEY_BYTES: Final = 32


class GrantBrokenError(ValueError):
    """A grant does not open: it was made for another device, key or code, or planted."""


class WrapBrokenError(ValueError):
    """A wrap does not open, or is not signed by the device that it names."""


class Entry(NamedTuple):
    """What the directory says of one member."""

    device_id: str
    public: PublicKey
    label: str
    approved_by: str
    """Id of the device that let it in; its own for one that was in before there was a directory."""

    def code(self, key: VaultKey) -> str:
        """Return the code that vouches for the entry under a vault key."""
        directory = hkdf(key.key, key.vault_id, "directory", key.kid)
        return _code(directory, self.device_id, self.public.raw, self.label, self.approved_by)

    def is_vouched_for(self, key: VaultKey, code: object) -> bool:
        """Tell whether the code of an entry is genuine, and its device id that of its public key."""
        is_own_id = self.public.device_id(key.vault_id) == self.device_id
        return is_own_id and _is_same(self.code(key), code)


def request_check(code: JoinCode, vault_id: str, device_id: str, public: PublicKey, label: str) -> str:
    """Return what proves that a request's row is the one whose code was read out."""
    return _code(code.key(vault_id, "join"), device_id, public.raw, label)


def is_request_of(
    code: JoinCode, vault_id: str, device_id: str, public: PublicKey, label: str, *, check: object
) -> bool:
    """Tell whether a request's row is the one of a code."""
    is_own_id = public.device_id(vault_id) == device_id
    return is_own_id and _is_same(request_check(code, vault_id, device_id, public, label), check)


# --- grants ----------------------------------------------------------------------------------------------------------


def make_grant(code: JoinCode, key: VaultKey, public: PublicKey) -> str:
    """Seal the vault key for a newcomer, under its join code and then to its public key."""
    inner = seal_under(code.key(key.vault_id, "grant", key.kid), key.key)
    device_id = public.device_id(key.vault_id)
    return encoded(public.seal(inner.encode("ascii"), lp(_GRANT, key.vault_id, key.kid, device_id)))


def open_grant(code: JoinCode, device: Device, kid: str, grant: object) -> VaultKey:
    """Return the vault key in a grant for this device.

    Raises:
        GrantBrokenError: it is not what somebody made who was told the code.
    """
    try:
        inner = device.open(decoded(grant), lp(_GRANT, device.vault_id, kid, device.id))
        raw = open_under(code.key(device.vault_id, "grant", kid), inner.decode("ascii", "replace"))
    except (NotForUsError, SealBrokenError):
        raise GrantBrokenError("the grant does not open") from None
    return VaultKey(device.vault_id, kid, raw)


# --- wraps -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wrap:
    """A vault key on its way to a member."""

    device_id: str
    kid: str
    previous_kid: str
    """Under which the granting device is known as a member: the key before, or the active one if that key is older."""
    granted_by: str
    sealed: str
    signature: str

    def open(self, device: Device, granter: PublicKey) -> VaultKey:
        """Return the vault key, if the granting device signed this wrap.

        Args:
            device: this one.
            granter: public key of a verified member.

        Raises:
            WrapBrokenError: it does not open, or another device made it.
        """
        if granter.device_id(device.vault_id) != self.granted_by:
            raise WrapBrokenError("granted by another device")
        message = _wrap_message(device.vault_id, self.kid, self.previous_kid, self.device_id, self.sealed)
        if not granter.verifies(decoded(self.signature), message):
            raise WrapBrokenError("the signature is not the granting device's")
        return self.opened(device)

    def opened(self, device: Device) -> VaultKey:
        """Return what is in it, whoever sealed it: nothing to rely on without another proof.

        Raises:
            WrapBrokenError: it does not open.
        """
        try:
            raw = device.open(decoded(self.sealed), lp(_WRAP, device.vault_id, self.kid, device.id))
        except NotForUsError:
            raise WrapBrokenError("the wrap does not open") from None
        if self.device_id != device.id or len(raw) != _KEY_BYTES:
            raise WrapBrokenError("the wrap does not open")
        return VaultKey(device.vault_id, self.kid, raw)


def make_wrap(granter: Device, key: VaultKey, previous_kid: str, device_id: str, public: PublicKey) -> Wrap:
    """Wrap a vault key for a verified member, and sign that."""
    sealed = encoded(public.seal(key.key, lp(_WRAP, key.vault_id, key.kid, device_id)))
    signature = granter.sign(_wrap_message(key.vault_id, key.kid, previous_kid, device_id, sealed))
    return Wrap(device_id, key.kid, previous_kid, granter.id, sealed, encoded(signature))


def _wrap_message(vault_id: str, kid: str, previous_kid: str, device_id: str, sealed: str) -> bytes:
    return lp(_WRAP, vault_id, kid, previous_kid, device_id, hashlib.sha256(decoded(sealed)).digest())


# --- this desktop's own notes in the database ------------------------------------------------------------------------


def acceptance_code(root: bytes, key: VaultKey) -> str:
    """Return this desktop's own mark on a vault key that it has found to be genuine: nobody else can make it."""
    return _code(hkdf(root, key.vault_id, "accepted", key.kid), key.key)


def is_accepted(root: bytes, key: VaultKey, code: object) -> bool:
    """Tell whether this desktop once found a vault key to be genuine."""
    return _is_same(acceptance_code(root, key), code)


def succession_code(key: VaultKey, previous_kid: str, number: int) -> str:
    """Return what vouches, under a vault key, for its place in the succession."""
    return _code(hkdf(key.key, key.vault_id, _SUCCESSION, key.kid), previous_kid, str(number))


def is_succession(key: VaultKey, previous_kid: str, number: int, code: object) -> bool:
    """Tell whether the place of a vault key in the succession is genuine."""
    return _is_same(succession_code(key, previous_kid, number), code)


def _code(key: bytes, *parts: str | bytes) -> str:
    return hmac.digest(key, lp(*parts), "sha256").hex()


def _is_same(expected: str, given: object) -> bool:
    return isinstance(given, str) and hmac.compare_digest(expected.encode(), given.encode(errors="replace"))

"""Ciphertexts of the vault, ``vf1.<kid>.<Fernet token>``, each bound to its row, owner, name and vault.

A Fernet token has no associated data. The binding is therefore in the key: every row has its own, derived from the
vault key over the owner's key, and the encrypted frame repeats the row's id, version and expiry. A ciphertext that was
copied elsewhere, or an older one of the same row, does not open.
"""

from __future__ import annotations

import base64
import functools
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Final

from cryptography.fernet import Fernet, InvalidToken

from app.core.derivation import hkdf, lp
from app.core.encryption import is_canonical_token

FORMAT: Final = "vf1"
BLOCK_BYTES: Final = 64
"""Frames are padded to a multiple, so that a ciphertext's length tells little of the secret's."""
_CIPHERTEXT: Final = re.compile(r"vf1\.([0-9a-f]{8})\.([A-Za-z0-9_-]{2,}={0,2})")
_VERSION: Final = b"\x01"
_MARK: Final = b"\x80"
"""First byte of the padding; zeros follow (ISO/IEC 7816-4)."""


class FormatUnknownError(ValueError):
    """The stored text is no ciphertext of a known format."""


class SealBrokenError(ValueError):
    """The ciphertext does not open where it lies: moved, tampered with, or an older version of the row."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a secret belongs to, and the salt that all the owner's keys hang on."""

    kind: str
    id: str
    salt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a ciphertext belongs."""

    owner: Owner
    secret_id: str
    name: str
    row_version: int
    expires_at: str
    """ISO 8601 in UTC with microseconds; empty for never."""

    def header(self) -> bytes:
        """Return what the frame repeats of the row."""
        return _VERSION + lp(self.secret_id, str(self.row_version), self.expires_at)


@dataclass(frozen=True, slots=True)
class VaultKey:
    """A vault key in use: seals and opens secrets of one vault."""

    vault_id: str
    kid: str
    key: bytes = field(repr=False)
    user_secret: str = field(default="", repr=False)
    """`API_KEY_ENCRYPTION_SECRET`: additional input for owners of kind `user`."""

    def seal(self, binding: Binding, secret: str) -> str:
        """Return the ciphertext of `secret` for one row."""
        plain = binding.header() + secret.encode() + _MARK
        plain += bytes(-len(plain) % BLOCK_BYTES)
        token = _fernet(self._row_key(binding)).encrypt(plain)
        return f"{FORMAT}.{self.kid}.{token.decode('ascii')}"

    def open(self, binding: Binding, ciphertext: str) -> str:
        """Return the secret.

        Raises:
            FormatUnknownError: no ciphertext of a known format.
            SealBrokenError: it does not open for this row under this key.
        """
        kid, token = parse_ciphertext(ciphertext)
        if kid != self.kid:
            raise SealBrokenError("made under another vault key")
        try:
            frame = _fernet(self._row_key(binding)).decrypt(token)
        except InvalidToken:
            raise SealBrokenError("the token does not open") from None
        header = binding.header()
        content, mark, _ = frame.rpartition(_MARK)
        if not frame.startswith(header) or not mark or len(content) < len(header):
            raise SealBrokenError("the frame belongs to another version of the row")
        return content[len(header) :].decode()

    def _row_key(self, binding: Binding) -> bytes:
        owner_key = _owner_key(self.key, self.user_secret, self.vault_id, self.kid, binding.owner)
        return hkdf(owner_key, self.vault_id, "row", binding.secret_id, binding.name)

    def seal_internal(self, purpose: str, plaintext: bytes) -> str:
        """Seal a key of the vault's own (the fingerprints' key, the recovery key in escrow)."""
        token = _fernet(hkdf(self.key, self.vault_id, purpose, self.kid)).encrypt(plaintext)
        return f"{FORMAT}.{self.kid}.{token.decode('ascii')}"

    def open_internal(self, purpose: str, ciphertext: str) -> bytes:
        """Open what `seal_internal` made.

        Raises:
            FormatUnknownError: no ciphertext of a known format.
            SealBrokenError: it does not open.
        """
        _, token = parse_ciphertext(ciphertext)
        try:
            return _fernet(hkdf(self.key, self.vault_id, purpose, self.kid)).decrypt(token)
        except InvalidToken:
            raise SealBrokenError("the token does not open") from None


def parse_ciphertext(text: str) -> tuple[str, bytes]:
    """Split a ciphertext strictly into key id and token.

    Raises:
        FormatUnknownError: it is none.
    """
    found = _CIPHERTEXT.fullmatch(text)
    if found is None or not is_canonical_token(found[2].encode("ascii")):
        raise FormatUnknownError("not a ciphertext of a known format")
    return found[1], found[2].encode("ascii")


def wrap(root_key: bytes, vault_id: str, kid: str, vault_key: bytes) -> str:
    """Seal a vault key under a root key: F(H(root key, vault id, "wrap", kid))."""
    return _fernet(hkdf(root_key, vault_id, "wrap", kid)).encrypt(vault_key).decode("ascii")


def unwrap(root_key: bytes, vault_id: str, kid: str, wrapped: str) -> bytes:
    """Open a wrap.

    Raises:
        SealBrokenError: another root key made it, or it is damaged.
    """
    token = wrapped.encode("ascii", "replace")
    try:
        if not is_canonical_token(token):
            raise SealBrokenError("not a Fernet token")
        return _fernet(hkdf(root_key, vault_id, "wrap", kid)).decrypt(token)
    except InvalidToken:
        raise SealBrokenError("the wrap does not open") from None


def new_kid() -> str:
    """Return a random key id."""
    return secrets.token_hex(4)


# --- recovery codes --------------------------------------------------------------------------------------------------

RECOVERY_BYTES: Final = 20
_GROUP: Final = 4


def new_recovery_code() -> str:
    """Return 160 random bits as base32 in eight groups of four, for a sheet of paper."""
    text = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode("ascii")
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def recovery_key(code: str, vault_id: str) -> bytes:
    """Return the root key that a recovery code stands for; blanks, hyphens and case do not matter.

    Raises:
        ValueError: it is no recovery code.
    """
    text = re.sub(r"[\s-]", "", code).upper().translate(str.maketrans("018", "OIB"))
    try:
        raw = base64.b32decode(text.encode("ascii"))
    except ValueError:
        raise ValueError("not a recovery code") from None
    if len(raw) != RECOVERY_BYTES:
        raise ValueError("not a recovery code")
    return hkdf(raw, vault_id, "recovery")


# --- keys ------------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1024)
def _owner_key(vault_key: bytes, user_secret: str, vault_id: str, kid: str, owner: Owner) -> bytes:
    """H(vault key, owner salt, "owner", vault id, kid, owner kind, owner id); kept, as one owner has many rows."""
    material = vault_key + (user_secret.encode() if owner.kind == "user" else b"")
    return hkdf(material, owner.salt, "owner", vault_id, kid, owner.kind, owner.id)


def _fernet(key: bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(key))


def fingerprint_of(fingerprint_key: bytes, owner_kind: str, owner_id: str, secret: str) -> str:
    """Return 16 hex digits that tell whether an owner's secret is the same as before, and nothing across owners."""
    message = lp(owner_kind, owner_id, secret)
    return hmac.digest(fingerprint_key, message, "sha256").hex()[:16]


def hint_of(secret: str) -> str | None:
    """Return the last four characters, only of secrets long enough to bear it."""
    return secret[-4:] if len(secret) >= 16 else None

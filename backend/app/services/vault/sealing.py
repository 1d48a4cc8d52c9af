"""Ciphertexts of the vault, ``vf2.<kid>.<Fernet token>``, each bound to its row, owner, name, vault and destination.

A Fernet token has no associated data. The binding is therefore in the key: every row has its own, derived from the
vault key over the owner's key, and the encrypted frame repeats the row's id, version and expiry. A ciphertext that was
copied elsewhere, or an older one of the same row, does not open; nor does one whose destination was changed.

What an earlier version wrote, ``vf1``, is bound to no destination. It opens until a rotation has sealed it anew.
"""

from __future__ import annotations

import functools
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from cryptography.fernet import Fernet, InvalidToken

from app.core.derivation import Expander, hkdf, lp
from app.core.fernet_keys import encode_key, is_canonical_base64

FORMAT: Final = "vf2"
LEGACY_FORMAT: Final = "vf1"
BLOCK_BYTES: Final = 64
"""Frames are padded to a multiple, so that a ciphertext's length tells little of the secret's."""
MIN_HINTED_CHARS: Final = 16
HINT_CHARS: Final = 4
_PREFIX: Final = re.compile(rf"(?:{FORMAT}|{LEGACY_FORMAT})\.([0-9a-f]{{8}})\.")
_PREFIX_CHARS: Final = 13
_VERSION: Final = b"\x01"
_MARK: Final = b"\x80"
"""First byte of the padding; zeros follow (ISO/IEC 7816-4)."""
_ROW: Final = lp("row")
_KEPT: Final = 1024
"""Rows and owners whose derived keys are kept, as the same secrets are used again and again."""


class FormatUnknownError(ValueError):
    """The stored text is no ciphertext of a known format."""


class SealBrokenError(ValueError):
    """The ciphertext does not open where it lies: moved, tampered with, or an older version of the row."""


class Owner(NamedTuple):
    """Whom a secret belongs to, and the salt that all the owner's keys hang on."""

    kind: str
    id: str
    salt: bytes
    additional: bytes = b""
    """Additional input key material, if the owner's key takes any."""

    def __repr__(self) -> str:
        return f"Owner(kind={self.kind!r}, id={self.id!r})"


class Binding(NamedTuple):
    """Where a ciphertext belongs."""

    owner: Owner
    secret_id: str
    name: str
    row_version: int
    expires_at: str
    """ISO 8601 in UTC with microseconds; empty for never."""
    destination: str | None = ""
    """Where the secret may go; None if that cannot be told, so that it does not open."""

    def header(self) -> bytes:
        """Return what the frame repeats of the row."""
        return _VERSION + lp(self.secret_id, str(self.row_version), self.expires_at)

    def bound(self, ciphertext: str = FORMAT) -> tuple[str, ...]:
        """Return what the row's key is derived over, for a ciphertext of either format.

        Raises:
            SealBrokenError: its destination cannot be told.
        """
        if ciphertext.startswith(LEGACY_FORMAT):
            return self.secret_id, self.name
        if self.destination is None:
            raise SealBrokenError("the row leads nowhere")
        return self.secret_id, self.name, self.destination


@dataclass(frozen=True, slots=True, eq=False)
class VaultKey:
    """A vault key in use: seals and opens secrets of one vault."""

    vault_id: str
    kid: str
    key: bytes = field(repr=False)

    def seal(self, binding: Binding, secret: str) -> str:
        """Return the ciphertext of `secret` for one row."""
        frame = binding.header() + secret.encode() + _MARK
        frame += bytes(-len(frame) % BLOCK_BYTES)
        return self._written(_fernet_of_row(self, binding.owner, *binding.bound()), frame)

    def open(self, binding: Binding, ciphertext: str) -> str:
        """Return the secret.

        Raises:
            FormatUnknownError: no ciphertext of a known format.
            SealBrokenError: it does not open for this row under this key.
        """
        frame = self._read(_fernet_of_row(self, binding.owner, *binding.bound(ciphertext)), ciphertext)
        return _content(frame, binding.header()).decode()

    def is_genuine(self, binding: Binding, ciphertext: str) -> bool:
        """Tell, without decrypting, whether a ciphertext was made for this row; an older version of the row's was too.

        Raises:
            FormatUnknownError: no ciphertext of a known format.
        """
        if kid_of(ciphertext) != self.kid:
            return False
        encoded = _encoded(ciphertext[_PREFIX_CHARS:])
        try:
            fernet = _fernet_of_row(self, binding.owner, *binding.bound(ciphertext))
            fernet.extract_timestamp(encoded)  # verifies the signature, which is all that is wanted of it
        except (InvalidToken, SealBrokenError):
            return False
        return is_canonical_base64(encoded)

    def reseal(self, binding: Binding, ciphertext: str, new: VaultKey, new_owner: Owner) -> str:
        """Return what `new.seal` would make of the secret, for the same row; quicker, as the frame stays as it is.

        Args:
            binding: of the row.
            ciphertext: its present one.
            new: the key to seal under.
            new_owner: the same owner, with the additional input that its key is to take from now on.

        Raises:
            FormatUnknownError: no ciphertext of a known format.
            SealBrokenError: it does not open for this row under this key.
        """
        after = _ROW + lp(*binding.bound())
        before = _ROW + lp(*binding.bound(ciphertext)) if ciphertext.startswith(LEGACY_FORMAT) else after
        frame = self._read(_fernet(_row_keys(self, binding.owner).expand(before)), ciphertext)
        _content(frame, binding.header())
        return new._written(_fernet(_row_keys(new, new_owner).expand(after)), frame)

    def seal_internal(self, purpose: str, plaintext: bytes) -> str:
        """Seal a key of the vault's own (the fingerprints' key, the recovery key in escrow)."""
        return self._written(self._internal_fernet(purpose), plaintext, LEGACY_FORMAT)

    def open_internal(self, purpose: str, ciphertext: str) -> bytes:
        """Open what `seal_internal` made.

        Raises:
            FormatUnknownError: no ciphertext of a known format.
            SealBrokenError: it does not open.
        """
        return self._read(self._internal_fernet(purpose), ciphertext)

    def _internal_fernet(self, purpose: str) -> Fernet:
        return _fernet(hkdf(self.key, self.vault_id, purpose, self.kid))

    def _written(self, fernet: Fernet, plaintext: bytes, format: str = FORMAT) -> str:  # noqa: A002 - what it is called
        return f"{format}.{self.kid}.{fernet.encrypt(plaintext).decode('ascii')}"

    def _read(self, fernet: Fernet, ciphertext: str) -> bytes:
        if kid_of(ciphertext) != self.kid:
            raise SealBrokenError("made under another vault key")
        return _decrypted(fernet, ciphertext[_PREFIX_CHARS:])


def _content(frame: bytes, header: bytes) -> bytes:
    """Return the secret in a frame.

    Raises:
        SealBrokenError: the frame is another one's, or of another version of the row.
    """
    content = frame.rstrip(b"\0")
    if not frame.startswith(header) or not content.endswith(_MARK) or len(content) <= len(header):
        raise SealBrokenError("the frame belongs to another version of the row")
    return content[len(header) : -1]


def _decrypted(fernet: Fernet, token: str) -> bytes:
    """Open a token strictly: Fernet alone would skip characters that do not belong there."""
    encoded = _encoded(token)
    if not is_canonical_base64(encoded):
        raise SealBrokenError("not a Fernet token")
    try:
        return fernet.decrypt(encoded)
    except InvalidToken:
        raise SealBrokenError("the token does not open") from None


def _encoded(token: str) -> bytes:
    return token.encode("ascii", "replace")


def _fernet(key: bytes) -> Fernet:
    return Fernet(encode_key(key))


@functools.lru_cache(maxsize=_KEPT)
def _fernet_of_row(key: VaultKey, owner: Owner, *bound: str) -> Fernet:
    """Return what seals one row: its key is H(owner key, vault id, "row", secret id, name, destination)."""
    return _fernet(_row_keys(key, owner).expand(_ROW + lp(*bound)))


@functools.lru_cache(maxsize=_KEPT)
def _row_keys(key: VaultKey, owner: Owner) -> Expander:
    """Return what makes the row keys of an owner.

    The owner key is H(vault key + additional input, owner salt, "owner", vault id, kid, owner kind, owner id).
    """
    owner_key = hkdf(key.key + owner.additional, owner.salt, "owner", key.vault_id, key.kid, owner.kind, owner.id)
    return Expander(owner_key, key.vault_id.encode())


def forget_derived_keys() -> None:
    """Let go of derived keys: an owner was shredded, or a vault key is no longer in use."""
    _fernet_of_row.cache_clear()
    _row_keys.cache_clear()


def kid_of(ciphertext: object) -> str:
    """Return the id of the key that a ciphertext was made under; a column of SQLite's may hold anything but text.

    Raises:
        FormatUnknownError: it is no ciphertext of a known format.
    """
    found = _PREFIX.match(ciphertext) if isinstance(ciphertext, str) else None
    if found is None:
        raise FormatUnknownError("not a ciphertext of a known format")
    return found[1]


def is_ciphertext(text: str) -> bool:
    """Tell whether a text begins as ciphertexts do."""
    return _PREFIX.match(text) is not None


def prefix_of(kid: str, format: str = FORMAT) -> str:  # noqa: A002 - what it is called
    """Return how every ciphertext of a format under a key begins."""
    return f"{format}.{kid}."


# --- vault keys, wrapped ---------------------------------------------------------------------------------------------


def new_vault_key(vault_id: str) -> VaultKey:
    """Return a random vault key with a random key id."""
    return VaultKey(vault_id, secrets.token_hex(4), secrets.token_bytes(32))


def wrap(root_key: bytes, key: VaultKey) -> str:
    """Seal a vault key under a root key: F(H(root key, vault id, "wrap", kid))."""
    return seal_under(hkdf(root_key, key.vault_id, "wrap", key.kid), key.key)


def unwrap(root_key: bytes, vault_id: str, kid: str, wrapped: str) -> VaultKey:
    """Open a wrap.

    Raises:
        SealBrokenError: another root key made it, or it is damaged.
    """
    return VaultKey(vault_id, kid, open_under(hkdf(root_key, vault_id, "wrap", kid), wrapped))


def seal_under(key: bytes, plaintext: bytes) -> str:
    """Return the Fernet token of something under a derived key: F(key)."""
    return _fernet(key).encrypt(plaintext).decode("ascii")


def open_under(key: bytes, token: str) -> bytes:
    """Open what `seal_under` made.

    Raises:
        SealBrokenError: another key made it, or it is damaged.
    """
    return _decrypted(_fernet(key), token)


# --- what lists show of a secret -------------------------------------------------------------------------------------


def fingerprint_of(fingerprint_key: bytes, *parts: str) -> str:
    """Return 16 hex digits that tell whether two things are the same; the last part is what is secret."""
    return hmac.digest(fingerprint_key, lp(*parts), "sha256").hex()[:16]


def hint_of(secret: str) -> str | None:
    """Return the last four characters, only of secrets long enough to bear it."""
    return secret[-HINT_CHARS:] if len(secret) >= MIN_HINTED_CHARS else None

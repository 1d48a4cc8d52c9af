"""The MAC keys of the audit chains, shared among the members of a vault: whoever is in can verify every entry.

Each desktop's chain has a key that is derived from its own local root key. It stands in the manifest, sealed under the
active vault key, and is sealed anew whenever that is replaced: who was removed learns no key of who came later. What
members share, each of them could write entries with; between members the log proves nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.core.derivation import hkdf
from app.services.vault.sealing import SealBrokenError, VaultKey, open_under, seal_under

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.services.vault.manifest import Entry, Item

AUDIT_KEY: Final = "audit-key"


def key_item(fingerprint: str) -> Item:
    """Return what the manifest knows the MAC key by of the chains that a root key of that fingerprint writes."""
    return AUDIT_KEY, fingerprint


def shared_entry(key: VaultKey, fingerprint: str, mac_key: bytes) -> Entry:
    """Return what the manifest says of a MAC key."""
    return [key.kid, seal_under(_sealing_key(key, fingerprint), mac_key)]


def opened_entry(entry: Entry | None, fingerprint: str, opened: Mapping[str, VaultKey]) -> bytes | None:
    """Return the MAC key in an entry; None if there is none, or the vault key that it is under is not at hand."""
    kid, sealed = entry if entry is not None and len(entry) == 2 else ("", "")
    key = opened.get(kid)
    if key is None:
        return None
    try:
        return open_under(_sealing_key(key, fingerprint), sealed)
    except SealBrokenError:
        return None


def to_share(
    entries: Mapping[str, Entry | None], own: Mapping[str, bytes], active: VaultKey, opened: Mapping[str, VaultKey]
) -> dict[str, Entry]:
    """Return the entries to write, by fingerprint: of one's own keys that are not shared, and of those to seal anew.

    Args:
        entries: as they are.
        own: MAC keys by fingerprint.
        active: the vault key to seal under.
        opened: vault keys that are at hand, by id.
    """
    fresh = {}
    for fingerprint in entries.keys() | own.keys():
        entry = entries.get(fingerprint)
        known = own.get(fingerprint) or opened_entry(entry, fingerprint, opened)
        is_shared = entry is not None and entry[0] == active.kid and opened_entry(entry, fingerprint, opened) == known
        if known is not None and not is_shared:
            fresh[fingerprint] = shared_entry(active, fingerprint, known)
    return fresh


def _sealing_key(key: VaultKey, fingerprint: str) -> bytes:
    return hkdf(key.key, key.vault_id, AUDIT_KEY, key.kid, fingerprint)

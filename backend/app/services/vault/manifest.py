"""The manifest: a keyed statement of all that is alive in a vault, so that nothing that was once true comes back.

A secret's entry tells which version of which row counts, and its provider's verdict; a tenant's entry its tier and
limits. Entries lie in 4,096 buckets by the hash of their name, and the buckets are leaves of a Merkle tree of sixteen
branches a level: to check one entry takes its bucket and three nodes above it, however large the vault is. The tree's
top, the states of the vault keys, the list of their wraps and the ends of the audit chains stand in the root, which is
numbered, and signed with a key derived from the active vault key. Each desktop remembers the newest root it has seen.

Everything here is pure: `app.services.vault.ledger` reads and writes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from app.core.derivation import hkdf, lp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from app.services.vault.sealing import VaultKey

DEPTH: Final = 3
"""Levels below the top: 16 ** 3 buckets."""
TOP: Final = ""
ROOT: Final = "root"
MAC: Final = "mac"
"""Paths of the table `vault_manifest` beside those of nodes, which are hex digits."""
_FORMAT: Final = "manifest/v1"

Item = tuple[str, ...]
"""What an entry is about: its kind and its name there, such as ``("secret", "tenant", "acme", "openai")``."""
Entry = list[Any]
"""What is true of it; JSON values."""
Nodes = dict[str, str]
"""Contents by path."""


class ManifestBrokenError(Exception):
    """The manifest is not what a desktop has written: a part of it was changed, or is missing."""


class StaleKeysError(Exception):
    """The manifest is signed with a key that is not known here: the vault's keys have changed, or are not at hand."""


def place_of(item: Item) -> str:
    """Return the hash that an item is found by; its first digits are its bucket's path."""
    return hashlib.sha256(lp(*item)).hexdigest()[:32]


def paths_of(items: Iterable[Item]) -> set[str]:
    """Return the paths of all nodes that items are checked with."""
    return {place_of(item)[:depth] for item in items for depth in range(DEPTH + 1)}


def digest_of(path: str, content: str) -> str:
    """Return a node's hash."""
    return hashlib.sha256(lp(_FORMAT, path, content)).hexdigest()


def entries_in(nodes: Mapping[str, str], top: str, items: Iterable[Item]) -> dict[Item, Entry | None]:
    """Check the way from the tree's top to items, and return their entries; None for what is not alive.

    Args:
        nodes: at least those of `paths_of`.
        top: digest of the topmost node, out of a root that was verified; empty if the tree is.
        items: that are asked about.

    Raises:
        ManifestBrokenError: a node on the way is not the one that the node above it names.
    """
    sound: dict[str, dict[str, Any] | None] = {}

    def node(path: str) -> dict[str, Any] | None:
        if path not in sound:
            above = None if path == TOP else node(path[:-1])
            expected = top if path == TOP else (above or {}).get(path[-1], "")
            sound[path] = _opened(nodes, path, expected)
        return sound[path]

    found: dict[Item, Entry | None] = {}
    for item in items:
        place = place_of(item)
        bucket = node(place[:DEPTH])
        found[item] = None if bucket is None or place not in bucket else bucket[place]["is"]
    return found


def walked(nodes: Mapping[str, str], top: str, branch: str) -> Iterator[tuple[Item, Entry]]:
    """Yield every entry of one branch below the top, checked.

    Raises:
        ManifestBrokenError: as `entries_in`.
    """

    def below(path: str, expected: str) -> Iterator[tuple[Item, Entry]]:
        node = _opened(nodes, path, expected) or {}
        if len(path) == DEPTH:
            for entry in node.values():
                yield tuple(entry["of"]), entry["is"]
            return
        for digit, digest in node.items():
            if path or digit == branch:
                yield from below(path + digit, digest)

    yield from below(TOP, top)


def _opened(nodes: Mapping[str, str], path: str, expected: str) -> dict[str, Any] | None:
    if not expected:
        return None
    content = nodes.get(path)
    if content is None or digest_of(path, content) != expected:
        raise ManifestBrokenError(path)
    node: dict[str, Any] = json.loads(content)
    return node


def changed(nodes: Mapping[str, str], top: str, changes: Mapping[Item, Entry | None]) -> tuple[Nodes, str]:
    """Return the nodes that change with entries, and the digest of the new top.

    Args:
        nodes: at least those of `paths_of` the items.
        top: digest of the topmost node as it is.
        changes: new entries; None takes one away.

    Raises:
        ManifestBrokenError: as `entries_in`.
    """
    entries_in(nodes, top, changes)  # what was not checked is not built on
    fresh: dict[str, dict[str, Any]] = {}

    def node(path: str) -> dict[str, Any]:
        if path not in fresh:
            is_there = path == TOP or path[-1] in node(path[:-1])
            fresh[path] = json.loads(nodes[path]) if is_there and top and path in nodes else {}
        return fresh[path]

    for item, entry in changes.items():
        place = place_of(item)
        bucket = node(place[:DEPTH])
        if entry is None:
            bucket.pop(place, None)
        else:
            bucket[place] = {"of": list(item), "is": entry}
    written: Nodes = {}
    for path in sorted(fresh, key=len, reverse=True):
        content = _text(fresh[path])
        written[path] = content
        if path != TOP:
            fresh[path[:-1]][path[-1]] = digest_of(path, content)
    return written, digest_of(TOP, written[TOP]) if written else top


def node_over(path: str, digests: Mapping[str, str]) -> tuple[str, str]:
    """Return content and digest of a node above others.

    Args:
        path: its own.
        digests: of those below it, by the last digit of their paths.
    """
    content = _text(dict(digests))
    return content, digest_of(path, content)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


@dataclass(frozen=True, slots=True)
class Root:
    """What the whole manifest hangs on."""

    number: int
    """Grows by one with each change."""
    kid: str
    """Of the active vault key, which signs."""
    top: str = ""
    """Digest of the tree's topmost node; empty for an empty tree."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """States of the vault keys by id."""
    wraps: Mapping[str, str] = field(default_factory=dict)
    """Digests of the wraps by key id and fingerprint: `wrap_name`."""
    heads: Mapping[str, Any] = field(default_factory=dict)
    """The ends of the audit chains by writer: number and MAC of the last entry."""
    legacy: bool = False
    """Whether ciphertexts of the format before still open."""

    def text(self) -> str:
        """Return what is signed and stored."""
        return _text({name: getattr(self, name) for name in Root.__slots__})

    def digest(self) -> str:
        """Return what a desktop remembers of it."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    def mac(self, key: VaultKey) -> str:
        """Sign it."""
        return mac_of(key, self.text())


class SignedRoot(NamedTuple):
    """The manifest's root and its signature, as they were read together with a row; None where there is none."""

    text: str | None
    mac: str | None


def mac_of(key: VaultKey, text: str) -> str:
    """Return the signature, in hex, under H(vault key, vault id, "manifest", kid)."""
    return hmac.digest(hkdf(key.key, key.vault_id, "manifest", key.kid), lp(_FORMAT, text), "sha256").hex()


def read_root(text: str) -> Root:
    """Return the root that a text says, which is not verified yet.

    Raises:
        ManifestBrokenError: it says none.
    """
    try:
        root = Root(**json.loads(text))
    except (ValueError, TypeError, RecursionError):
        raise ManifestBrokenError(ROOT) from None
    values: tuple[Any, ...] = (root.number, root.kid, root.top)
    is_sound = [type(value) for value in values] == [int, str, str]
    if not is_sound or not all(isinstance(part, dict) for part in (root.keys, root.wraps, root.heads)):
        raise ManifestBrokenError(ROOT)
    return root


def verified_root(text: str, mac: str, keys: Mapping[str, VaultKey]) -> Root:
    """Return a root whose signature is genuine.

    Raises:
        StaleKeysError: it is signed with a key that is not among these.
        ManifestBrokenError: it is not genuine.
    """
    root = read_root(text)
    key = keys.get(root.kid)
    if key is None:
        raise StaleKeysError
    if not hmac.compare_digest(root.mac(key).encode(), mac.encode()) or root.text() != text:
        raise ManifestBrokenError(MAC)
    return root


def is_older(root: Root, seen: tuple[int, str] | None) -> bool:
    """Tell whether a root is older than what was seen, or another one of the same number."""
    if seen is None:
        return False
    return root.number < seen[0] or (root.number == seen[0] and root.digest() != seen[1])


def wrap_name(kid: str, fingerprint: str) -> str:
    """Return the name of a wrap in `Root.wraps`."""
    return f"{kid}:{fingerprint}"


def wrap_digest(kind: str, wrap: str) -> str:
    """Return what the root says of a wrap."""
    return hashlib.sha256(lp(kind, wrap)).hexdigest()[:32]

"""The manifest's tree and root: frozen as they are stored, and that no part can be changed, left out or moved."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.vault.manifest import (
    DEPTH,
    TOP,
    ManifestBrokenError,
    Root,
    StaleKeysError,
    changed,
    digest_of,
    entries_in,
    is_older,
    node_over,
    paths_of,
    place_of,
    read_root,
    verified_root,
    walked,
    wrap_digest,
    wrap_name,
)
from app.services.vault.sealing import VaultKey
from tests.support.properties import PROPERTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.services.vault.manifest import Entry, Item

KEY = VaultKey("6f1c1c7e-6b0f-4a39-9d0e-2f6f1d0c9b11", "0a1b2c3d", bytes(range(64, 96)))
SECRET = ("secret", "tenant", "acme", "openai")
TENANT = ("tenant", "acme")
ENTRIES: dict[Item, Entry] = {
    SECRET: ["1d3f5a7c-0000-4000-8000-00000000002a", 3, "valid"],
    TENANT: ["trial", 100, 200000],
}

# What earlier versions have stored: it must be read, and written alike, for ever.
FROZEN_NODES = {
    "": (
        '{"9":"19f55dd6a33016c6d5238959a8570290bc37762746610844d774104e7d4c81ce",'
        '"a":"e86cbee768c6d25864220e95e09c89d82f62924bdebc6ebd8471f4855ea0ac3a"}'
    ),
    "9": '{"0":"0ff1bbc47235a138913dbac6d46d054b79647fc1d8af3e527b13e4fc65bd9a54"}',
    "90": '{"0":"f58381bcaa7be53ddd5a7fb6408c0363c8358b422b94137d41cc5c435715c3bc"}',
    "900": (
        '{"9006805dbec73646d3ba1cd0bf7e60b9":{"is":["1d3f5a7c-0000-4000-8000-00000000002a",3,"valid"],'
        '"of":["secret","tenant","acme","openai"]}}'
    ),
    "a": '{"0":"8cec77088a88538d8198830b7fd7b4aa8c7ea5c59cb0fa8a5041d35cede95d86"}',
    "a0": '{"6":"d6274723df0afd6d648777064c8b8f5ade8acc3185da6c8af580f6ea4a91064c"}',
    "a06": '{"a067b4143bca3eec246a2e82e14c5903":{"is":["trial",100,200000],"of":["tenant","acme"]}}',
}
FROZEN_TOP = "0ecee57c6df379bcc7ba2be2ac9f1460361b17f6e8938dcf86a44848004176b1"
FROZEN_WRAPS = {"0a1b2c3d:0123456789abcdef": "5916825d5e6a2891038a31d9c0281dca"}
ROOT = Root(
    number=7,
    kid=KEY.kid,
    top=FROZEN_TOP,
    keys={KEY.kid: "active", "4e5f6071": "retired"},
    wraps=FROZEN_WRAPS,
    heads={"00112233-0123456789abcdef": [2, "ab" * 32]},
    legacy=True,
)
FROZEN_ROOT = (
    '{"heads":{"00112233-0123456789abcdef":[2,"abababababababababababababababababababababababababababababababab"]},'
    '"keys":{"0a1b2c3d":"active","4e5f6071":"retired"},"kid":"0a1b2c3d","legacy":true,"number":7,'
    '"top":"0ecee57c6df379bcc7ba2be2ac9f1460361b17f6e8938dcf86a44848004176b1",'
    '"wraps":{"0a1b2c3d:0123456789abcdef":"5916825d5e6a2891038a31d9c0281dca"}}'
)
FROZEN_DIGEST = "564eb108d2f3f2e5b6f3dc99888346eff2afc9e03f93c3d7c1e72cabb91133d3"
FROZEN_MAC = "504d81ad91e835394649231a053450bdde0fac98bc27cb1c0b0b4b719d32d2c3"

NAMES = st.tuples(st.just("secret"), st.sampled_from(["tenant", "user"]), st.text(max_size=6), st.just("openai"))
VALUES = st.lists(st.integers(0, 9) | st.text(max_size=3), max_size=3)


# --- the form that is stored -----------------------------------------------------------------------------------------


def test_frozen_tree() -> None:
    """Places, nodes and digests are what they were."""
    assert changed({}, "", ENTRIES) == (FROZEN_NODES, FROZEN_TOP)
    assert entries_in(FROZEN_NODES, FROZEN_TOP, ENTRIES) == ENTRIES
    assert {path[-DEPTH:] for path in paths_of([SECRET])} == {"", "9", "90", "900"}


def test_frozen_root() -> None:
    """So are the root's text, what a desktop remembers of it, and its signature."""
    assert {wrap_name(KEY.kid, "0123456789abcdef"): wrap_digest("root", "gAAAAAwrap")} == FROZEN_WRAPS
    assert (ROOT.text(), ROOT.digest(), ROOT.mac(KEY)) == (FROZEN_ROOT, FROZEN_DIGEST, FROZEN_MAC)
    assert verified_root(FROZEN_ROOT, FROZEN_MAC, {KEY.kid: KEY}) == ROOT


# --- the tree --------------------------------------------------------------------------------------------------------


@settings(PROPERTY, max_examples=30)
@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=12), st.dictionaries(NAMES, st.none() | VALUES, max_size=6))
def test_tree_tells_what_was_put_into_it(first: dict[Item, Entry], second: dict[Item, Entry | None]) -> None:
    """All at once or in steps; entries that were taken away are not there, and the walk yields the others once each."""
    nodes, top = changed({}, "", first)
    more, top = changed(nodes, top, second)
    nodes |= more
    expected = {item: entry for item, entry in {**first, **second}.items() if entry is not None}

    assert entries_in(nodes, top, {**first, **second}) == {**dict.fromkeys(second), **expected}
    found = [pair for digit in "0123456789abcdef" for pair in walked(nodes, top, digit)]
    assert len(found) == len(expected)
    assert dict(found) == expected


def test_tree_made_branch_by_branch_is_the_same() -> None:
    """The nodes above are what a tree made at once has there."""
    digests = {path: digest_of(path, FROZEN_NODES[path]) for path in ("9", "a")}

    assert node_over(TOP, digests) == (FROZEN_NODES[TOP], FROZEN_TOP)


def moved(nodes: dict[str, str]) -> None:
    """Put one bucket in the place of another."""
    nodes["900"] = nodes["a06"]


def edited(nodes: dict[str, str]) -> None:
    """Put another version into an entry."""
    nodes["900"] = nodes["900"].replace(",3,", ",2,")


def emptied(nodes: dict[str, str]) -> None:
    """Leave an entry out."""
    nodes["900"] = "{}"


def cut(nodes: dict[str, str]) -> None:
    """Leave the way to it out."""
    nodes["9"] = "{}"


def gone(nodes: dict[str, str]) -> None:
    """Delete a node."""
    del nodes["90"]


def rebuilt(nodes: dict[str, str]) -> None:
    """Make the whole tree anew, but for the top."""
    forged = changed({}, "", {**ENTRIES, SECRET: [*ENTRIES[SECRET][:1], 2, "valid"]})[0]
    nodes.update({path: content for path, content in forged.items() if path != TOP})


@pytest.mark.parametrize("damage", [moved, edited, emptied, cut, gone, rebuilt])
def test_no_node_can_be_changed(damage: Callable[[dict[str, str]], None]) -> None:
    """Whatever stands on the way to an entry: asking, changing and walking notice; other branches are as they were."""
    nodes = dict(FROZEN_NODES)
    damage(nodes)

    with pytest.raises(ManifestBrokenError):
        entries_in(nodes, FROZEN_TOP, [SECRET])
    with pytest.raises(ManifestBrokenError):
        changed(nodes, FROZEN_TOP, {SECRET: None})
    with pytest.raises(ManifestBrokenError):
        list(walked(nodes, FROZEN_TOP, "9"))
    assert entries_in(nodes, FROZEN_TOP, [TENANT]) == {TENANT: ENTRIES[TENANT]}


def test_node_is_bound_to_its_path() -> None:
    """The same content elsewhere has another digest."""
    assert digest_of("90", FROZEN_NODES["9"]) != digest_of("9", FROZEN_NODES["9"])
    assert place_of(("a", "bc")) != place_of(("ab", "c"))


# --- the root --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", Root.__slots__)
def test_signature_covers_every_field(name: str) -> None:
    """None can be changed without the key."""
    others: dict[str, Any] = {"number": 8, "kid": KEY.kid, "top": "0" * 64, "legacy": False}
    other = replace(ROOT, **{name: others.get(name, {})})
    text = other.text() if name != "kid" else FROZEN_ROOT.replace('"number":7', '"number": 7')

    with pytest.raises(ManifestBrokenError):
        verified_root(text, FROZEN_MAC, {KEY.kid: KEY})


@pytest.mark.parametrize(
    "other",
    [
        VaultKey(KEY.vault_id, KEY.kid, bytes(32)),
        VaultKey("00000000-0000-4000-8000-000000000000", KEY.kid, KEY.key),
    ],
    ids=["key", "vault"],
)
def test_signature_is_of_one_key_in_one_vault(other: VaultKey) -> None:
    """Neither another key nor another vault's makes it."""
    assert ROOT.mac(other) != FROZEN_MAC
    with pytest.raises(ManifestBrokenError):
        verified_root(FROZEN_ROOT, FROZEN_MAC, {KEY.kid: other})


def test_root_of_a_key_that_is_not_at_hand() -> None:
    """It may be genuine: the keys are read anew."""
    with pytest.raises(StaleKeysError):
        verified_root(FROZEN_ROOT, FROZEN_MAC, {"4e5f6071": KEY})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "[" * 100_000,
        FROZEN_ROOT[:-1],
        FROZEN_ROOT.replace(":7", ':"7"'),
        FROZEN_ROOT.replace(":7", ":true"),
        FROZEN_ROOT.replace('"legacy"', '"other"'),
        json.dumps({**json.loads(FROZEN_ROOT), "wraps": []}),
        json.dumps({**json.loads(FROZEN_ROOT), "kid": None}),
    ],
)
def test_what_is_no_root(text: str) -> None:
    """One error, whatever lies there."""
    with pytest.raises(ManifestBrokenError):
        read_root(text)


def test_what_is_older() -> None:
    """A smaller number, or the same with other content; nothing is, where nothing was seen."""
    assert not is_older(ROOT, None)
    assert not is_older(ROOT, (7, FROZEN_DIGEST))
    assert not is_older(ROOT, (6, "0" * 64))
    assert is_older(ROOT, (7, "0" * 64))
    assert is_older(ROOT, (8, FROZEN_DIGEST))

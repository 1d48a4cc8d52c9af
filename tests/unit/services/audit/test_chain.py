"""Chains of audit entries: what the MAC covers, and which tampering is found where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.audit.chain import GENESIS, Chain, Entry, Head, is_genuine, mac_key, mac_of, open_mac_key
from tests.support.properties import PROPERTY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

KEY = mac_key(bytes(range(32)), "6f1c1c7e-6b0f-4a39-9d0e-2f6f1d0c9b11")
WRITER = "00112233445566aa-0123456789abcdef"
FROZEN_KEY = (
    "gAAAAABrADZAAAECAwQFBgcICQoLDA0OD4LPTRgcjKoj9RdUWOt9VhUWOK4A8Qe0d9Cj8NCpww1AdvuqEzEZfaS0c_S_8ss0DDewcNgzDpc9R2Uf"
    "lf2wltYEiL-cmZ1TXluydu7X31dM"
)
Problems = list[tuple[int | None, str]]


def chain_of(length: int, *, first_seq: int = 1) -> list[Entry]:
    """Make entries as one desktop writes them."""
    entries: list[Entry] = []
    prev = GENESIS
    for number in range(1, length + 1):
        blank = Entry(
            seq=first_seq + number - 1,
            writer=WRITER,
            writer_seq=number,
            time=f"2026-11-20T12:00:{number % 60:02}.000000Z",
            actor="launch-token",
            device="desk",
            action="reveal",
            owner_kind="server",
            owner_id="guild-1",
            name="openai",
            fingerprint="0011223344556677",
            outcome="ok",
            reason=None,
            times=1,
            prev=prev,
            mac="",
        )
        prev = mac_of(KEY, blank[1:-1])
        entries.append(blank._replace(mac=prev))
    return entries


def problems_of(entries: Sequence[Entry], *, key: bytes | None = KEY, pinned: Head | None = None) -> Problems:
    """Check a chain; return `seq` and kind of each problem, by `seq`."""
    problems: Problems = []
    chain = Chain(key, pinned, lambda seq, kind: problems.append((seq, kind)))
    for entry in sorted(entries, key=lambda entry: (entry.writer_seq, entry.seq)):
        chain.feed(entry)
    chain.end()
    return sorted(problems, key=lambda problem: (problem[0] is None, problem[0] or 0))


def head_of(entries: Sequence[Entry]) -> Head:
    """Return the head that was pinned after the last of these was written."""
    return Head(entries[-1].writer_seq, entries[-1].mac)


def with_changed(entries: list[Entry], at: int, /, **fields: Any) -> list[Entry]:
    """Change fields of the entry whose `seq` is `at`, as UPDATE does."""
    return [entry._replace(**fields) if entry.seq == at else entry for entry in entries]


def without(entries: list[Entry], *seqs: int) -> list[Entry]:
    """Leave entries out, as DELETE does."""
    return [entry for entry in entries if entry.seq not in seqs]


# The form that is stored


FROZEN = (
    Entry(
        7,
        WRITER,
        1,
        "2026-11-20T12:00:00.000000Z",
        "launch-token",
        "desk",
        "set",
        "server",
        "guild-1",
        "openai",
        "0011223344556677",
        "ok",
        None,
        1,
        GENESIS,
        "340c8a1faf89d0dc478a8b4ccbbf5d28c5cac91bd6bf10a1f63a5b72caa8121e",
    ),
    Entry(
        9,
        WRITER,
        2,
        "2026-11-20T12:00:01.250000Z",
        "user:bär",
        "desk",
        "use",
        "user",
        "",
        "anthropic",
        None,
        "ok",
        "",
        12,
        "340c8a1faf89d0dc478a8b4ccbbf5d28c5cac91bd6bf10a1f63a5b72caa8121e",
        "865846cbd47f92ce782b3b1d1df56b4813a1e23bdcee2cfc0a97c69be09182d5",
    ),
    Entry(
        10,
        WRITER,
        3,
        "2027-01-01T00:00:00.000001Z",
        "cli",
        "unknown",
        "rotate",
        None,
        None,
        None,
        None,
        "refused",
        "audit-unavailable",
        1,
        "865846cbd47f92ce782b3b1d1df56b4813a1e23bdcee2cfc0a97c69be09182d5",
        "9178d72059c6773c385762b8bd926dbdf13f6581a79c92860583ab7b48f31952",
    ),
)
"""Entries of the first version; every later one must verify them."""


def test_entries_of_the_first_version_verify() -> None:
    """MACs and links of stored logs depend on these very bytes."""
    assert problems_of(FROZEN, pinned=Head(3, FROZEN[2].mac)) == []
    assert [mac_of(KEY, entry[1:-1]) for entry in FROZEN] == [entry.mac for entry in FROZEN]


def test_frozen_key_of_an_older_chain_opens() -> None:
    """Kept under another root key, for one chain of one vault."""
    root, vault, name = bytes(range(1, 33)), "6f1c1c7e-6b0f-4a39-9d0e-2f6f1d0c9b11", "0123456789abcdef"

    assert KEY.hex() == "1d41a3c2ffcd2b6e19a6d26eef8d9edd953dd6c78174dfb3dd36aa30858027ec"
    assert open_mac_key(root, vault, name, FROZEN_KEY) == KEY
    assert open_mac_key(root, vault, "ffffffffffffffff", FROZEN_KEY) is None
    assert open_mac_key(root, "00000000-0000-4000-8000-000000000000", name, FROZEN_KEY) is None


def test_key_depends_on_root_key_and_vault() -> None:
    """A chain of another vault, or of another key, is not genuine."""
    keys = {mac_key(root, vault) for root in (bytes(32), bytes(range(32))) for vault in ("one", "two")}

    assert len(keys) == 4
    assert not any(is_genuine(key, FROZEN[0]) for key in keys)


@pytest.mark.parametrize("field", Entry._fields[1:-1])
def test_mac_covers_every_field(field: str) -> None:
    """All but `seq`, which the database gives out, and the MAC itself."""
    entry = FROZEN[0]
    value = getattr(entry, field)

    other: Any = f"{value}x" if isinstance(value, str | None) else value + 1
    changed = entry._replace(**{field: other})

    assert is_genuine(KEY, entry)
    assert not is_genuine(KEY, changed)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({"reason": None}, {"reason": ""}, id="absent and empty"),
        pytest.param({"reason": None}, {"reason": "-"}, id="absent and its mark"),
        pytest.param({"owner_id": "ab", "name": "c"}, {"owner_id": "a", "name": "bc"}, id="shifted boundary"),
    ],
)
def test_mac_tells_apart_what_looks_alike(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Fields cannot be shifted into each other."""
    entry = FROZEN[0]

    macs = [mac_of(KEY, entry._replace(**fields)[1:-1]) for fields in (first, second)]

    assert macs[0] != macs[1]


# What is found, and where


def test_untouched_chain_has_no_problem() -> None:
    """With and without its key, pinned or not; a log that is ahead of its pin was left so by a crash."""
    entries = chain_of(6)

    assert problems_of(entries) == []
    assert problems_of(entries, key=None) == []
    assert problems_of(entries, pinned=head_of(entries)) == []
    assert problems_of(entries, pinned=head_of(entries[:4])) == []
    assert problems_of([]) == []


def move(entries: list[Entry], from_seq: int, to_seq: int) -> list[Entry]:
    """Give an entry another `seq`."""
    return with_changed(entries, from_seq, seq=to_seq)


def swap_seqs(entries: list[Entry]) -> list[Entry]:
    """Let two entries change places in the order of arrival."""
    return [entry._replace(seq={3: 4, 4: 3}.get(entry.seq, entry.seq)) for entry in entries]


def swap_numbers(entries: list[Entry]) -> list[Entry]:
    """Let two entries change places in their chain."""
    return [entry._replace(writer_seq={3: 4, 4: 3}.get(entry.writer_seq, entry.writer_seq)) for entry in entries]


def shift_in(entries: list[Entry]) -> list[Entry]:
    """Put a forged entry in the middle and number the later ones on."""
    shifted = [e if e.writer_seq < 3 else e._replace(seq=e.seq + 1, writer_seq=e.writer_seq + 1) for e in entries]
    return [*shifted, forged(entries, seq=3, writer_seq=3, prev=entries[1].mac)]


def forged(entries: list[Entry], *, seq: int, writer_seq: int, prev: str) -> Entry:
    """Make an entry without the key."""
    return entries[0]._replace(seq=seq, writer_seq=writer_seq, prev=prev, mac="ab" * 32)


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        pytest.param(lambda e: with_changed(e, 3, actor="nobody"), [(3, "edited")], id="field edited"),
        pytest.param(lambda e: with_changed(e, 3, times=2), [(3, "edited")], id="count edited"),
        pytest.param(lambda e: with_changed(e, 3, mac="ab" * 32), [(3, "edited")], id="mac edited"),
        pytest.param(lambda e: with_changed(e, 3, prev="ab" * 32), [(3, "reordered")], id="link edited"),
        pytest.param(lambda e: with_changed(e, 1, outcome="x"), [(1, "edited")], id="first edited"),
        pytest.param(lambda e: with_changed(e, 6, outcome="x"), [(6, "edited")], id="last edited"),
        pytest.param(
            lambda e: with_changed(with_changed(e, 3, actor="a"), 4, actor="b"),
            [(3, "edited"), (4, "edited")],
            id="two in a row edited",
        ),
        pytest.param(lambda e: without(e, 3), [(4, "missing")], id="one deleted"),
        pytest.param(lambda e: without(e, 2, 3, 4), [(5, "missing")], id="several deleted"),
        pytest.param(lambda e: without(e, 1), [(2, "missing")], id="first deleted"),
        pytest.param(lambda e: without(e, 6), [(5, "truncated")], id="last deleted"),
        pytest.param(lambda e: without(e, 4, 5, 6), [(3, "truncated")], id="tail deleted"),
        pytest.param(lambda _: [], [(None, "truncated")], id="all deleted"),
        pytest.param(swap_seqs, [(4, "reordered")], id="two swapped"),
        pytest.param(lambda e: move(e, 2, 99), [(99, "reordered")], id="moved to the end"),
        pytest.param(lambda e: move(e, 5, 0), [(0, "reordered")], id="moved to the beginning"),
        pytest.param(swap_numbers, [(3, "reordered"), (4, "reordered")], id="numbers swapped"),
        pytest.param(
            lambda e: [*e, forged(e, seq=7, writer_seq=7, prev=e[-1].mac)], [(7, "inserted")], id="forged at the end"
        ),
        pytest.param(
            lambda e: [*e, forged(e, seq=7, writer_seq=3, prev=e[1].mac)],
            [(7, "inserted")],
            id="forged beside a genuine one",
        ),
        pytest.param(
            shift_in,
            [(3, "edited"), (4, "reordered"), (5, "edited"), (6, "replaced"), (7, "inserted")],
            id="forged in the middle",
        ),
        pytest.param(
            lambda e: with_changed(e, 6, actor="x", mac="cd" * 32), [(6, "replaced")], id="head exchanged without key"
        ),
        pytest.param(
            lambda e: with_changed(e, 3, writer_seq=-1), [(3, "inserted"), (4, "missing")], id="number is none"
        ),
    ],
)
def test_tampering_is_found_and_located(tamper: Callable[[list[Entry]], list[Entry]], found: Problems) -> None:
    """Kind and place of each way to change six entries whose head is pinned."""
    entries = chain_of(6)

    tampered = tamper(entries)
    by_number = sorted(tampered, key=lambda e: (isinstance(e.writer_seq, str), str(e.writer_seq), e.seq))
    problems: Problems = []
    chain = Chain(KEY, head_of(entries), lambda seq, kind: problems.append((seq, kind)))
    for entry in by_number:
        chain.feed(entry)
    chain.end()

    assert sorted(problems, key=lambda problem: problem[0] or 0) == found


def test_rewriting_with_the_key_is_found_by_the_pin() -> None:
    """Whoever has the key can make a chain that is sound in itself; it is not the one that was pinned."""
    entries, other = chain_of(6), chain_of(6)
    rewritten = other[0]._replace(actor="somebody else")
    prev = GENESIS
    for number, entry in enumerate(other):
        blank = (rewritten if number == 0 else entry)._replace(prev=prev)
        prev = mac_of(KEY, blank[1:-1])
        other[number] = blank._replace(mac=prev)

    assert problems_of(other) == []
    assert problems_of(other, pinned=head_of(entries)) == [(6, "replaced")]
    assert problems_of([*entries[:3], *other[3:]]) == [(4, "unlinked")]


def test_strange_entries_that_the_writer_passed_over_are_inserted() -> None:
    """The writer numbered on after them, and linked to its own last entry."""
    entries = chain_of(4)
    strange = forged(entries, seq=5, writer_seq=5, prev=entries[-1].mac)
    blank = entries[0]._replace(seq=6, writer_seq=6, prev=entries[-1].mac)
    after = blank._replace(mac=mac_of(KEY, blank[1:-1]))

    assert problems_of([*entries, strange, after], pinned=Head(6, after.mac)) == [(5, "inserted")]


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        pytest.param(lambda e: without(e, 3), [(4, "missing")], id="deleted"),
        pytest.param(lambda e: with_changed(e, 3, mac="ab" * 32), [(4, "unlinked")], id="mac edited"),
        pytest.param(lambda e: with_changed(e, 3, prev="ab" * 32), [(3, "unlinked")], id="link edited"),
        pytest.param(swap_seqs, [(4, "reordered")], id="swapped"),
        pytest.param(lambda e: with_changed(e, 3, actor="nobody"), [], id="a field, which only its key shows"),
    ],
)
def test_without_the_key_gaps_and_links_are_checked(
    tamper: Callable[[list[Entry]], list[Entry]], found: Problems
) -> None:
    """As on a desktop that does not share the local root key."""
    assert problems_of(tamper(chain_of(6)), key=None) == found


def test_exchanging_everything_is_found_without_keeping_it_in_memory() -> None:
    """Thousands of forged entries are each reported; the last one stands where the pinned head was."""
    genuine = chain_of(3000)
    forgeries = [entry._replace(actor="x", mac=f"{entry.seq:064x}") for entry in genuine]

    problems = problems_of(forgeries, pinned=head_of(genuine))

    assert len(problems) == 3000
    assert problems[-1] == (3000, "replaced")


FIELDS = st.sampled_from(Entry._fields)
PLACES = st.integers(0, 5)


@given(place=PLACES, field=FIELDS, value=st.integers(-3, 9) | st.text(max_size=3) | st.none())
@PROPERTY
def test_any_single_change_is_found(place: int, field: str, value: Any) -> None:
    """Whatever is put into whatever column of whichever entry."""
    entries = chain_of(6)
    entry = entries[place]
    changed = entry._replace(**{field: value})
    if isinstance(value, str | None) and field in ("seq", "writer_seq"):
        return  # neither database keeps such a key

    problems = problems_of([*without(entries, entry.seq), changed], pinned=head_of(entries))

    moves_nothing = field == "seq" and sorted(entries) == sorted([*without(entries, entry.seq), changed])
    same_order = field == "seq" and problems_in_order(entries, place, value)
    assert bool(problems) != (changed == entry or moves_nothing or same_order)


def problems_in_order(entries: list[Entry], place: int, value: object) -> bool:
    """Tell whether an entry with another `seq` still arrives between its neighbours."""
    assert isinstance(value, int)
    before = entries[place - 1].seq if place else value - 1
    after = entries[place + 1].seq if place + 1 < len(entries) else value + 1
    return before < value < after


@given(kept=st.sets(PLACES, max_size=5), length=st.just(6))
@PROPERTY
def test_any_deletion_is_found(kept: set[int], length: int) -> None:
    """Whatever subset is left."""
    entries = chain_of(length)

    assert problems_of([entries[place] for place in sorted(kept)], pinned=head_of(entries)) != []


@given(order=st.permutations(range(1, 6)))
@PROPERTY
def test_any_other_order_is_found(order: list[int]) -> None:
    """Whatever order of arrival somebody pretends."""
    entries = [entry._replace(seq=seq) for entry, seq in zip(chain_of(5), order, strict=True)]

    assert bool(problems_of(entries)) == (order != sorted(order))

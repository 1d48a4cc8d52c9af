"""What the MAC of an audit entry covers, and how a chain of entries is checked.

Every writer (a desktop with its local root key) has a chain of its own. Its entries are numbered without gaps, each
holds the MAC of the one before it (`prev`), and its own MAC covers all of that. So an entry cannot be changed, left
out, moved or put in without leaving a trace; that entries were cut off at the end shows only beside a pinned head.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.fernet import Fernet, InvalidToken

from app.core.derivation import hkdf, lp
from app.core.fernet_keys import encode_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GENESIS: Final = "0" * 64
"""`prev` of a chain's first entry."""
_FORMAT: Final = "audit/v1"
_MAX_SUSPECTS: Final = 1000

EDITED: Final = "edited"
"""The entry stands where it belongs, but not as it was written."""
MISSING: Final = "missing"
"""Entries are missing just before this one."""
REORDERED: Final = "reordered"
"""The entry does not stand where it was written."""
UNLINKED: Final = "unlinked"
"""The entry is genuine as far as can be told, but was not written after the one before it: that one was exchanged."""
INSERTED: Final = "inserted"
"""The entry was never written by the chain's writer."""
REPLACED: Final = "replaced"
"""In the place of the pinned head stands another entry."""
TRUNCATED: Final = "truncated"
"""Entries are missing after this one, the last; without a `seq` nothing is left of the chain."""

UNKNOWN_WRITER: Final = "unknown-writer"
"""The chain that ends here was written under a key that is not at hand, and the vault's manifest knows of none such."""
VAULT_REPLACED: Final = "vault-replaced"
"""The database held another vault when it was seen last."""


class Entry(NamedTuple):
    """One row of the log.

    `time` is text, ISO 8601 in UTC with microseconds and `Z`; `times` is the column `count`.
    """

    seq: int
    writer: str
    writer_seq: int
    time: str
    actor: str
    device: str
    action: str
    owner_kind: str | None
    owner_id: str | None
    name: str | None
    fingerprint: str | None
    outcome: str
    reason: str | None
    times: int
    prev: str
    mac: str


class Head(NamedTuple):
    """The last entry of a chain."""

    writer_seq: int
    mac: str


class Gap(NamedTuple):
    """Entries of a chain that are not there."""

    seq: int | None
    """Of the entry at which it shows."""
    kind: str
    first: int
    last: int
    before: str | None
    """When the chain went on; None if it has not."""


def mac_key(root_key: bytes, vault_id: str) -> bytes:
    """Derive the key of the chains that a local root key writes in one vault."""
    return hkdf(root_key, vault_id, "audit")


def seal_mac_key(root_key: bytes, vault_id: str, fingerprint: str, key: bytes) -> str:
    """Seal the MAC key of a chain under another root key, so that it outlives its own, which tells nobody that one.

    Args:
        root_key: the one to seal under.
        vault_id: of the chain's vault.
        fingerprint: of the root key that the chain was written with.
        key: what `mac_key` returned for it.
    """
    return _fernet(root_key, vault_id, fingerprint).encrypt(key).decode("ascii")


def open_mac_key(root_key: bytes, vault_id: str, fingerprint: str, sealed: str) -> bytes | None:
    """Open what `seal_mac_key` made; None if it does not open."""
    try:
        return _fernet(root_key, vault_id, fingerprint).decrypt(sealed)
    except InvalidToken:
        return None


def _fernet(root_key: bytes, vault_id: str, fingerprint: str) -> Fernet:
    return Fernet(encode_key(hkdf(root_key, vault_id, "audit-key", fingerprint)))


def mac_of(key: bytes, covered: Sequence[str | int | None]) -> str:
    """Return the MAC, in hex, of an entry's fields from `writer` to `prev`."""
    return hmac.digest(key, lp(_FORMAT, *map(_part, covered)), "sha256").hex()


def _part(value: str | int | None) -> str:
    """Tell an absent field from an empty one."""
    return "-" if value is None else f"+{value}"


def is_genuine(key: bytes, entry: Entry) -> bool:
    """Tell whether an entry was written, exactly so, by somebody who has the key."""
    return mac_of(key, entry[1:-1]) == entry.mac


class Chain:
    """Checks the entries of one writer, fed in the order of `writer_seq`."""

    def __init__(
        self,
        key: bytes | None,
        pinned: Head | None,
        report: Callable[[int | None, str], None],
        miss: Callable[[Gap], None] | None = None,
    ) -> None:
        """Begin a chain.

        Args:
            key: None if it is not at hand; numbers and links are checked all the same.
            pinned: a head that the chain once had, if one is known.
            report: called with `seq` and kind of each problem.
            miss: called in its place where entries are missing.
        """
        self._key = key
        self._pinned = pinned
        self._report = report
        self._miss = (lambda gap: report(gap.seq, gap.kind)) if miss is None else miss
        self._last = Head(0, GENESIS)
        """The entry before, genuine or not."""
        self._genuine = GENESIS
        """MAC of the last entry that was genuine."""
        self._suspects: list[tuple[Entry, str]] = []
        """Entries since then, which are not; what follows tells whether they were edited or inserted."""
        self._end: int | None = None
        """`seq` of the entry before."""
        self._rising: list[int] = []
        """`seq` of the last two genuine entries that arrived in order."""

    @property
    def head(self) -> Head | None:
        """The last entry; None while there is none."""
        return self._last if self._last.writer_seq else None

    @property
    def last_seq(self) -> int | None:
        """`seq` of the last entry; None while there is none."""
        return self._end

    def feed(self, entry: Entry) -> None:
        """Check the next entry."""
        if entry.writer_seq <= self._last.writer_seq:
            self._report(entry.seq, INSERTED)
            return
        has_gap = entry.writer_seq > self._last.writer_seq + 1
        if has_gap:
            self._miss(Gap(entry.seq, MISSING, self._last.writer_seq + 1, entry.writer_seq - 1, entry.time))
        if self._key is None or is_genuine(self._key, entry):
            self._check_order(entry.seq)
            self._feed_genuine(entry, has_gap=has_gap)
        else:
            in_place = has_gap or entry.prev == self._last.mac
            self._suspects.append((entry, EDITED if in_place else REORDERED))
            if len(self._suspects) >= _MAX_SUSPECTS:
                self._report_suspects()
        self._last, self._end = Head(entry.writer_seq, entry.mac), entry.seq

    def end(self) -> None:
        """Check what shows only at the end."""
        pinned = self._pinned
        if pinned is None:
            self._report_suspects()
            return
        self._report_suspects(inserted_after=pinned.writer_seq)
        if self._last.writer_seq < pinned.writer_seq:
            self._miss(Gap(self._end, TRUNCATED, self._last.writer_seq + 1, pinned.writer_seq, None))

    def _feed_genuine(self, entry: Entry, *, has_gap: bool) -> None:
        is_linked = has_gap or entry.prev == self._last.mac
        if self._suspects:
            # a writer who met strange entries numbered on after them, but linked to its own last one
            is_passed_over = not has_gap and entry.prev == self._genuine
            self._report_suspects(inserted_after=0 if is_passed_over else None)
        elif not is_linked:
            self._report(entry.seq, UNLINKED)
        if self._is_exchanged(entry):
            self._report(entry.seq, REPLACED)
        self._genuine = entry.mac

    def _report_suspects(self, *, inserted_after: int | None = None) -> None:
        """Report entries that are not genuine; those numbered beyond `inserted_after` were never the writer's."""
        for entry, kind in self._suspects:
            is_inserted = inserted_after is not None and entry.writer_seq > inserted_after
            self._report(entry.seq, INSERTED if is_inserted else REPLACED if self._is_exchanged(entry) else kind)
        self._suspects.clear()

    def _is_exchanged(self, entry: Entry) -> bool:
        pinned = self._pinned
        return pinned is not None and entry.writer_seq == pinned.writer_seq and entry.mac != pinned.mac

    def _check_order(self, seq: int) -> None:
        """See that `seq`, which says when an entry arrived among those of all writers, rises with `writer_seq`."""
        rising = self._rising
        if not rising or seq > rising[-1]:
            self._rising = [*rising[-1:], seq]
        elif len(rising) == 1 or seq > rising[0]:  # this one fits, the one before it was moved
            self._report(rising[-1], REORDERED)
            rising[-1] = seq
        else:
            self._report(seq, REORDERED)

"""How far a run has come, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

Report = Callable[[str, int, int], object]
"""Told by long work what it does, how much of it is done, and of how much; the whole may grow while it goes on."""

NOT_TEXT: Final = "not_text"
NOT_JSON: Final = "not_json"
NOT_UNICODE: Final = "not_unicode"
TOO_LONG: Final = "too_long"
OTHER_KEY: Final = "other_key"
_REASONS: Final = {
    NOT_TEXT: "not text",
    NOT_JSON: "not JSON",
    NOT_UNICODE: "not valid Unicode",
    TOO_LONG: "too long for the column when encrypted",
    OTHER_KEY: "encrypted under another key",
}
_FAILURES: Final = (NOT_UNICODE, TOO_LONG, OTHER_KEY)
"""Reasons to skip a value that somebody has to look into; the others are as one would expect."""


@dataclass(slots=True)
class Counts:
    """Values counted; a JSON text may hold several, so they may be more than rows."""

    rows: int = 0
    to_encrypt: int = 0
    """Found in plaintext."""
    encrypted: int = 0
    """Of those, replaced."""
    already_encrypted: int = 0
    empty: int = 0
    """NULL, or text of no characters."""
    blank_rows: int = 0
    """Rows that are empty as a whole; counted in `empty` as well."""
    skipped: Counter[str] = field(default_factory=Counter)
    """By reason."""

    def add(self, other: Counts) -> None:
        """Add the other's to these."""
        self.rows += other.rows
        self.to_encrypt += other.to_encrypt
        self.encrypted += other.encrypted
        self.already_encrypted += other.already_encrypted
        self.empty += other.empty
        self.blank_rows += other.blank_rows
        self.skipped.update(other.skipped)

    def document(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "rows": self.rows,
            "to_encrypt": self.to_encrypt,
            "encrypted": self.encrypted,
            "already_encrypted": self.already_encrypted,
            "empty": self.empty,
            "skipped": dict(self.skipped),
        }

    def line(self, *, applied: bool) -> str:
        """Return the counts for a person."""
        first = f"{self.encrypted} encrypted" if applied else f"{self.to_encrypt} to encrypt"
        reasons = ", ".join(f"{count} {_REASONS[reason]}" for reason, count in sorted(self.skipped.items()))
        skipped = f"{self.skipped.total()} skipped" + (f" ({reasons})" if reasons else "")
        return f"{first}, {self.already_encrypted} already encrypted, {self.empty} empty, {skipped}"


@dataclass(slots=True)
class Outcome:
    """What a run found and did."""

    applied: bool
    columns: dict[str, Counts] = field(default_factory=dict)
    """By the label of the target."""
    notes: list[str] = field(default_factory=list)
    """Sentences for a person."""
    late: int = 0
    """Values that the application wrote in plaintext while the last pass was running."""
    has_failed: bool = False

    @property
    def ok(self) -> bool:
        """Whether nothing is left for a person to look into."""
        return not (self.late or self.has_failed or any(self.total.skipped[reason] for reason in _FAILURES))

    @property
    def total(self) -> Counts:
        """The sum over all targets."""
        total = Counts()
        for counts in self.columns.values():
            total.add(counts)
        return total

    def document(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "applied": self.applied,
            "columns": [{"column": label, **counts.document()} for label, counts in self.columns.items()],
            "total": self.total.document(),
            "late": self.late,
            "notes": self.notes,
        }

    def lines(self) -> list[str]:
        """Return the lines for a person."""
        lines = [f"{label}: {counts.line(applied=self.applied)}" for label, counts in self.columns.items()]
        lines.append(f"total: {self.total.line(applied=self.applied)}")
        return lines + self.notes

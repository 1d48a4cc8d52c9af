"""Plaintext in another application's database turned into ``encrypted:`` values, where they lie.

A dry run reads and counts. `--apply` works in batches, each a transaction of its own, and replaces a cell only while
it still holds what was read. So it may be killed at any point and run again, and an edit that the application makes
meanwhile is never lost: it is met again, as plaintext, by the next pass. Passes go on until one finds nothing to do.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from app.core.encryption import PREFIX
from app.core.exceptions import ProblemError, UsageError
from app.core.fernet_keys import KeyRing, encode_key, fingerprint, is_canonical_token
from app.core.security import existing_keys, load_or_create_keys, prepare_config_directory
from app.services.legacy.cells import ColumnName, Swap, is_contention, open_foreign, problems_of_foreign
from app.services.legacy.json_path import Step, parse_path, replace_values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.core.config import Config
    from app.services.legacy.cells import Cell, Cells, ForeignDatabase
    from app.services.legacy.outcome import Report

Result = TypeVar("Result")

MAX_PASSES: Final = 5
"""An application that goes on writing plaintext would keep the passes going for ever."""
MAX_ATTEMPTS: Final = 6
"""Of a batch that meets locks of other sessions."""

_FERNET_OVERHEAD: Final = 1 + 8 + 16 + 32
"""Bytes of a token beside the padded plaintext: version, time, initialisation vector, HMAC."""
_BLOCK: Final = 16

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


# --- what is to be encrypted -----------------------------------------------------------------------------------------

_NAME: Final = r'(?:"(?:[^"]|"")+"|[^\s."\[\]:=|]+)'
_KEY: Final = r'(?:"(?:[^"]|"")*"|[^"|\]]+)'
_SPEC: Final = re.compile(
    rf"(?:(?P<schema>{_NAME})\.)?(?P<table>{_NAME})\.(?P<column>{_NAME})"
    rf"(?:\[(?P<key_column>{_NAME})=(?P<keys>{_KEY}(?:\|{_KEY})*)\])?"
    r"(?::(?P<path>\$.*))?",
    re.DOTALL,
)
FORMS: Final = "TABLE.COLUMN, TABLE.COLUMN[KEY_COLUMN=KEY|KEY] or TABLE.COLUMN:$.json.path"


@dataclass(frozen=True, slots=True)
class Target:
    """What one `--column` names."""

    label: str
    """As it was typed."""
    name: ColumnName
    path: tuple[Step, ...] | None
    """The values meant inside each JSON text; None: the text as a whole."""


def parse_targets(specs: Sequence[str]) -> list[Target]:
    """Parse the values of `--column`; one that is given twice counts once.

    Raises:
        UsageError: one has another form, or two contradict each other.
    """
    targets = [_parse_target(spec, number) for number, spec in enumerate(dict.fromkeys(specs), start=1)]
    for table, column in {(target.name.table, target.name.column) for target in targets}:
        ways = {target.path is None for target in targets if (target.name.table, target.name.column) == (table, column)}
        if len(ways) == 2:
            raise UsageError(f"{table}.{column} is named both as a whole and with a JSON path; choose one.")
    return targets


def _parse_target(spec: str, number: int) -> Target:
    found = _SPEC.fullmatch(spec)
    if found is None:
        raise UsageError(f"--column number {number} must have one of the forms {FORMS}.")
    path = None
    if found["path"] is not None:
        try:
            path = parse_path(found["path"])
        except ValueError as exc:
            raise UsageError(f"--column number {number}: {exc}.") from None
    keys = tuple(_unquoted(key) for key in re.findall(_KEY, found["keys"])) if found["keys"] else ()
    names = [None if found[part] is None else _unquoted(found[part]) for part in ("schema", "key_column")]
    name = ColumnName(names[0], _unquoted(found["table"]), _unquoted(found["column"]), names[1], keys)
    return Target(spec, name, path)


def _unquoted(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


# --- what came of it -------------------------------------------------------------------------------------------------


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


# --- values ----------------------------------------------------------------------------------------------------------


class Values:
    """Decides about single values.

    Args:
        keys: the first encrypts, all decrypt; there may be none for a dry run.
        seal: how plaintext becomes an ``encrypted:`` value.
        include_tokens: encrypt tokens of keys that are not at hand as if they were text.
    """

    def __init__(self, keys: KeyRing, seal: Callable[[str], str], *, include_tokens: bool) -> None:
        self._keys = keys
        self._seal = seal
        self._include_tokens = include_tokens

    def decide(self, value: object, counts: Counts) -> str | None:
        """Return what to put in the place of `value`, None to leave it, and count it."""
        if value is None or value == "":
            counts.empty += 1
        elif not isinstance(value, str):
            counts.skipped[NOT_TEXT] += 1
        elif not _is_unicode(value):
            counts.skipped[NOT_UNICODE] += 1
        elif self._opens(value):
            counts.already_encrypted += 1
        elif _is_token(value) and not self._include_tokens:
            counts.skipped[OTHER_KEY] += 1
        else:
            counts.to_encrypt += 1
            return self._seal(value)
        return None

    def _opens(self, value: str) -> bool:
        if not value.startswith(PREFIX) or not self._keys.keys:
            return False
        try:
            self._keys.decrypt(value.removeprefix(PREFIX).encode("ascii", "replace"))
        except ValueError:
            return False
        return True


def _is_unicode(text: str) -> bool:
    """Tell whether `text` can be encoded; half a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_token(value: str) -> bool:
    """Tell whether `value` is built as an ``encrypted:`` value is; what somebody typed is not, even with the prefix."""
    token = value.removeprefix(PREFIX).encode("ascii", "replace")
    if not value.startswith(PREFIX) or not is_canonical_token(token):
        return False
    padded_bytes = len(token) // 4 * 3 - token.count(b"=") - _FERNET_OVERHEAD
    return padded_bytes >= _BLOCK and padded_bytes % _BLOCK == 0


def placeholder(plaintext: str) -> str:
    """Return something as long as the encrypted value would be: a dry run may have no key yet."""
    padded_bytes = (len(plaintext.encode()) // _BLOCK + 1) * _BLOCK
    return "?" * (len(PREFIX) + -(-(_FERNET_OVERHEAD + padded_bytes) // 3) * 4)


def _values(config: Config, *, apply: bool, include_tokens: bool) -> tuple[Values, str]:
    """Return what decides about values, and the fingerprint of the key that encrypts.

    Keys are those of `ENCRYPTION_KEY`, then those of `fernet.key`, which is made as at the first start; not by a dry
    run.
    """
    if apply:
        prepare_config_directory(config.config_dir)
        of_file: KeyRing | None = load_or_create_keys(config.config_dir)
    else:
        of_file = existing_keys(config.config_dir)
    ring = KeyRing((*config.encryption_keys, *(of_file.keys if of_file is not None else ())))
    if not apply:
        return Values(ring, placeholder, include_tokens=include_tokens), ""

    from cryptography.fernet import Fernet

    fernet = Fernet(encode_key(ring.keys[0]))

    def seal(plaintext: str) -> str:
        return PREFIX + fernet.encrypt(plaintext.encode()).decode("ascii")

    return Values(ring, seal, include_tokens=include_tokens), fingerprint(ring.keys[0])


# --- the run ---------------------------------------------------------------------------------------------------------


def encrypt_legacy(
    config: Config,
    url: str,
    targets: Sequence[Target],
    report: Report,
    *,
    apply: bool = False,
    vacuum: bool = False,
    include_tokens: bool = False,
) -> Outcome:
    """Encrypt what `targets` name in the database behind `url`, or count what there would be to do.

    Args:
        config: where the key is.
        url: `postgresql://` or `sqlite:///`; may hold a password.
        targets: what `parse_targets` returned.
        report: told how many rows were looked at.
        apply: change the database.
        vacuum: rewrite an SQLite file afterwards, so that no trace of old values is left in it.
        include_tokens: encrypt tokens of keys that are not at hand as if they were text.

    Raises:
        UsageError: the URL, a table or a column cannot be used; nothing was changed.
        ProblemError: the database or the key cannot be used; what was done before is kept.
    """
    if vacuum and not apply:
        raise UsageError("--vacuum goes with --apply.")
    with open_foreign(url, writable=apply) as database:
        if vacuum and database.dialect != "sqlite":
            raise UsageError("--vacuum is for SQLite; PostgreSQL's VACUUM FULL locks tables and is left to you.")
        jobs = []
        for target in targets:
            with problems_of_foreign(target.label):
                jobs.append(_patiently(partial(_find, database, target)))
        values, key_fingerprint = _values(config, apply=apply, include_tokens=include_tokens)
        outcome = Outcome(apply)
        for job in jobs:
            outcome.columns[job.target.label] = job.run(values, report, apply=apply)
            outcome.notes += job.notes(outcome.columns[job.target.label])
        if apply:
            _finish(outcome, jobs, values, report)
            outcome.notes += _notes_after(outcome, database, jobs, key_fingerprint, vacuum=vacuum)
        else:
            outcome.notes.append("This was a dry run: nothing was changed. Add --apply to encrypt.")
    if outcome.total.skipped[OTHER_KEY]:
        outcome.notes.append(
            "Values that are encrypted under another key were left as they are: check --config-dir, give their key in"
            " ENCRYPTION_KEY behind the present one, or add --include-tokens if they are no such values at all."
        )
    return outcome


def _finish(outcome: Outcome, jobs: list[_Job], values: Values, report: Report) -> None:
    """Look again until nothing is found: rows may have changed, come or moved behind the reader's back."""
    found = outcome.total.to_encrypt
    for _ in range(MAX_PASSES - 1):
        if not found:
            return
        found = 0
        for job in jobs:
            counts = job.run(values, report, apply=True, again=True)
            outcome.columns[job.target.label].encrypted += counts.encrypted
            found += counts.to_encrypt
    if found:
        outcome.late = found
        outcome.notes.append(
            "The application kept writing plaintext meanwhile: let it write encrypted values, then run this again."
        )


def _notes_after(
    outcome: Outcome, database: ForeignDatabase, jobs: list[_Job], key_fingerprint: str, *, vacuum: bool
) -> list[str]:
    """Say where plaintext may still be, and what the new values hang on."""
    tables = ", ".join(dict.fromkeys(job.cells.table for job in jobs))
    if database.dialect == "postgresql":
        traces = (
            "Old row versions, column statistics, the write-ahead log, replicas and backups may still hold plaintext:"
            f" run VACUUM (FULL, ANALYZE) {tables}; and let old backups go."
        )
    else:
        traces = _sqlite_traces(outcome, database, vacuum=vacuum)
    return [
        traces,
        f"The values open with the key {key_fingerprint} only: keep a backup of it; 'key rotate' does not reach them.",
    ]


def _sqlite_traces(outcome: Outcome, database: ForeignDatabase, *, vacuum: bool) -> str:
    try:
        with problems_of_foreign("the database"):
            is_clean = database.finish(vacuum=vacuum)
    except ProblemError as exc:
        outcome.has_failed = True
        return f"The file could not be rewritten. {exc.problem.sentence}"
    if not is_clean:
        outcome.has_failed = vacuum
        return (
            "The write-ahead log beside the file, and backups, may still hold plaintext: close the application, and"
            " run this again with --vacuum."
        )
    if vacuum:
        return "Backups and copies of the file may still hold plaintext: let them go."
    return "Unused parts of the file, and backups, may still hold plaintext: --vacuum rewrites the file."


def _patiently(action: Callable[[], Result]) -> Result:
    """Do one transaction; when it meets locks of other sessions, do it again."""
    import tenacity

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_contention),
        wait=tenacity.wait_random_exponential(multiplier=0.05, max=1.0),
        stop=tenacity.stop_after_attempt(MAX_ATTEMPTS),
        reraise=True,
    )
    return retrying(action)


def _find(database: ForeignDatabase, target: Target) -> _Job:
    with database.transaction():
        cells = database.cells(target.name)
        if cells.is_json and target.path is None:
            raise UsageError(f"{target.label} is a JSON column: name the values, as in {target.label}:$.password.")
        return _Job(database, target, cells, cells.count(), cells.missing_keys())


@dataclass(frozen=True, slots=True)
class _Job:
    """One target in its database."""

    database: ForeignDatabase
    target: Target
    cells: Cells
    rows: int
    missing_keys: list[str]

    def run(self, values: Values, report: Report, *, apply: bool, again: bool = False) -> Counts:
        """Go once through all rows."""
        label = f"{self.target.label}, checked again" if again else self.target.label
        counts, position, is_first = Counts(), None, True
        with problems_of_foreign(self.target.label):
            while is_first or position is not None:
                is_first = False
                batch, position = _patiently(partial(self._batch, values, position, apply=apply))
                counts.add(batch)
                if position is not None:
                    report(label, counts.rows, max(self.rows, counts.rows + 1))
        report(label, counts.rows, counts.rows)
        return counts

    def _batch(self, values: Values, position: Any, *, apply: bool) -> tuple[Counts, Any]:
        """Do one batch in one transaction; return its counts and where the next one begins, None after the last."""
        with self.database.transaction():
            cells, after = self.cells.read(position)
            counts = Counts()
            swaps: dict[tuple[Any, ...], tuple[Swap, int]] = {}
            for cell in cells:
                new, of_cell = self._examine(values, cell)
                counts.add(of_cell)
                if new is not None:
                    swaps[cell.row] = Swap(cell, new), of_cell.to_encrypt
            if apply:
                swapped = self.cells.swap([swap for swap, _ in swaps.values()])
                counts.encrypted = sum(swaps[row][1] for row in swapped)
        return counts, after

    def _examine(self, values: Values, cell: Cell) -> tuple[str | None, Counts]:
        """Return the cell's new content, None to leave it."""
        old = cell.value
        is_blank = old is None or old == ""
        counts = Counts(rows=1, blank_rows=int(is_blank))
        if self.target.path is None or is_blank:
            new = values.decide(old, counts)
        elif isinstance(old, str) and _is_unicode(old):
            new = replace_values(old, self.target.path, lambda value: values.decide(value, counts))
            if new is None:
                counts.skipped[NOT_JSON] += 1
        else:
            new = None
            counts.skipped[NOT_UNICODE if isinstance(old, str) else NOT_TEXT] += 1
        if new is not None and self.cells.max_length is not None and len(new) > self.cells.max_length:
            counts.skipped[TOO_LONG], counts.to_encrypt = counts.to_encrypt, 0
        return (new if counts.to_encrypt else None), counts

    def notes(self, counts: Counts) -> list[str]:
        """Say what a person may have meant otherwise."""
        notes = [f"{self.target.label}: no row has the key {key}." for key in self.missing_keys]
        named = counts.to_encrypt + counts.already_encrypted + counts.skipped.total() + counts.empty - counts.blank_rows
        if self.target.path is not None and counts.rows and not named:
            notes.append(f"{self.target.label}: the JSON path names no value in any row.")
        return notes

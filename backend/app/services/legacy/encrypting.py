"""Plaintext in another application's database turned into ``encrypted:`` values, where they lie.

A dry run reads and counts. `--apply` works in batches, each a transaction of its own, and replaces a cell only while
it still holds what was read. So it may be killed at any point and run again, and an edit that the application makes
meanwhile is never lost: it is met again, as plaintext, by the next pass. Passes go on until one finds nothing to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from app.core.exceptions import ProblemError, UsageError
from app.services.legacy.cells import Swap
from app.services.legacy.databases import open_foreign
from app.services.legacy.json_path import replace_values
from app.services.legacy.outcome import NOT_JSON, NOT_TEXT, NOT_UNICODE, OTHER_KEY, TOO_LONG, Counts, Outcome
from app.services.legacy.problems import is_contention, problems_of_foreign
from app.services.legacy.values import is_unicode, values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.core.config import Config
    from app.services.legacy.cells import Cell, Cells, ForeignDatabase
    from app.services.legacy.outcome import Report
    from app.services.legacy.targets import Target
    from app.services.legacy.values import Values

Result = TypeVar("Result")

MAX_PASSES: Final = 5
"""An application that goes on writing plaintext would keep the passes going for ever."""
MAX_ATTEMPTS: Final = 6
"""Of a batch that meets locks of other sessions."""


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
        values, key_fingerprint = values_of(config, apply=apply, include_tokens=include_tokens)
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
        elif isinstance(old, str) and is_unicode(old):
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

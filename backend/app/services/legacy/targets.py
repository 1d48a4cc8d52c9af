"""What a person names on the command line: columns, rows of key-value tables, values inside JSON texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.core.exceptions import UsageError
from app.services.legacy.cells import ColumnName
from app.services.legacy.json_path import Step, parse_path

if TYPE_CHECKING:
    from collections.abc import Sequence

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

"""Another application's database: the cells of its columns, read in batches and replaced by compare-and-swap.

Nothing is known of its schema beforehand, it is in use meanwhile, and it is not ours: no setting of it is changed,
nothing but the named cells is written, and a cell only while it still holds what was read.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BATCH_ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class ColumnName:
    """A column as a person names it, and which rows of a key-value table are meant."""

    schema: str | None
    table: str
    column: str
    key_column: str | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """What one row holds in a column."""

    row: tuple[Any, ...] = field(repr=False)
    """What finds the row again."""
    value: Any = field(repr=False)
    version: str = ""
    """On PostgreSQL the id of the transaction that wrote the row as it was read."""


@dataclass(frozen=True, slots=True)
class Swap:
    """A cell's old content and the one to put in its place."""

    cell: Cell
    new: str = field(repr=False)


class Cells(ABC):
    """The cells of one column, of all rows or of those that the name selects.

    Args:
        connection: inside a transaction whenever a method is called.
        name: the column, and the rows that are meant.
        table: the table and its columns, as they are called in the database.
        finders: the columns that find a row again.
        is_json: whether the column's type is JSON.
        max_length: characters that the column takes; None for any number.
    """

    def __init__(
        self,
        connection: sa.Connection,
        name: ColumnName,
        table: sa.TableClause,
        finders: Sequence[str],
        *,
        is_json: bool,
        max_length: int | None = None,
    ) -> None:
        self.name = name
        self.is_json = is_json
        self.max_length = max_length
        self._connection = connection
        self._table = table
        self._column = table.c[name.column]
        self._finders = [table.c[finder] for finder in finders]
        self._key_text: sa.ColumnElement[str] | None = None
        self._selected: sa.ColumnElement[bool] = sa.true()
        if name.key_column is not None:
            self._key_text = sa.cast(table.c[name.key_column], sa.Text)
            self._selected = self._key_text.in_(name.keys)

    @property
    def table(self) -> str:
        """The table's name, quoted for SQL."""
        quote = self._connection.dialect.identifier_preparer.format_table
        return str(quote(self._table))

    def count(self) -> int:
        """Count the rows."""
        query = sa.select(sa.func.count()).select_from(self._table).where(self._selected)
        return int(self._connection.scalar(query) or 0)

    def missing_keys(self) -> list[str]:
        """Return the keys, of those that the name selects, that no row has."""
        if self._key_text is None:
            return []
        found = set(self._connection.scalars(sa.select(self._key_text).where(self._selected).distinct()))
        return [key for key in self.name.keys if key not in found]

    @abstractmethod
    def read(self, position: Any) -> tuple[list[Cell], Any]:
        """Read a batch.

        Args:
            position: None at first, then what the last call returned.

        Returns:
            Some cells, perhaps none, and the position to go on from; None when there is nothing more.
        """

    @abstractmethod
    def swap(self, swaps: Sequence[Swap]) -> set[tuple[Any, ...]]:
        """Replace cells that still hold what was read; return the `row` of those that did."""

    def _fetch(self, query: sa.Select[Any]) -> list[Cell]:
        return [Cell(tuple(row[:-1]), row[-1]) for row in self._connection.execute(query)]


class ForeignDatabase(ABC):
    """One connection to another application's database."""

    dialect: str

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block does, or none of it."""
        with self._connection.begin():
            yield

    @abstractmethod
    def cells(self, name: ColumnName) -> Cells:
        """Find a column.

        Raises:
            UsageError: there is no such table or column, or encrypted text cannot be put there.
        """

    def finish(self, *, vacuum: bool) -> bool:
        """Do what can be done against traces of old values; return whether none is left in the database's files."""
        return False

"""What went through the gateway, counted by owner, provider, model and day."""

from __future__ import annotations

import functools
import re
import threading
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import sqlalchemy as sa

from app.core.exceptions import RequestError
from app.core.logging import get_logger
from app.db.base import utc_now
from app.db.statements import grown
from app.models.tenants import trial_calls
from app.models.usage import ai_usage
from app.schemas.usage import UsageItem, UsagePage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from app.db.session import Database

GATHER_S: Final = 1.0
"""How long calls are gathered before they are written: many at once cost one transaction."""
RETRY_S: Final = 5.0
MAX_TOKENS: Final = 10**18
"""So far a count in an eight-byte column is believed."""
MAX_PENDING: Final = 10_000
"""Kinds of calls, not calls, that are remembered while the database is away."""
_NOTHING: Final = {"requests": 0, "input_tokens": 0, "output_tokens": 0}
CURSOR: Final = "[0-9]{8}([.]([0-9a-f]{2})*){4}"
"""A day and four texts: every such text is a place, whoever made it up."""

log = get_logger(__name__)


class UsageKey(NamedTuple):
    """What calls are counted by."""

    owner_kind: str
    owner_id: str
    provider: str
    model: str
    day: str


class Usage:
    """Counts calls in memory and writes them soon after; reading writes first, so that it tells all there is."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pending: dict[UsageKey, Counter[str]] = {}
        self._spent: Counter[tuple[str, str]] = Counter()
        self._being_written: Counter[tuple[str, str]] = Counter()
        """Tokens of tenants on trial, by tenant and day, that their rows do not tell yet."""
        self._lock = threading.Lock()
        self._flushes = 0
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._writer: threading.Thread | None = None

    def note(
        self, owner_kind: str, owner_id: str, provider: str, model: str, *, input_tokens: int, output_tokens: int
    ) -> None:
        """Count one call; returns at once and never fails."""
        key = UsageKey(owner_kind, owner_id, provider, model, utc_now().date().isoformat())
        self._add({key: Counter(requests=1, input_tokens=input_tokens, output_tokens=output_tokens)})
        self._begin_to_write()

    def spend(self, tenant_id: str, day: str, tokens: int) -> None:
        """Count tokens of a tenant on trial; returns at once and never fails."""
        with self._lock:
            self._spent[tenant_id, day] += tokens
        self._begin_to_write()

    def unwritten(self, tenant_id: str, day: str) -> int:
        """Return the tokens that a tenant on trial has spent beside what its row tells."""
        with self._lock:
            return self._spent[tenant_id, day] + self._being_written[tenant_id, day]

    @property
    def flushes(self) -> int:
        """How often writing has begun and ended; odd while it goes on."""
        return self._flushes

    def held(self) -> AbstractContextManager[object]:
        """Nothing is being written while the block lasts: what rows tell and what is unwritten is all, once."""
        return self._writing

    def _begin_to_write(self) -> None:
        if not self._wake.is_set():
            self._wake.set()
        if self._writer is None:
            self._writer = threading.Thread(target=self._live, name="usage", daemon=True)
            self._writer.start()

    def stop(self) -> None:
        """Write what is pending and end."""
        self._stopped.set()
        self._wake.set()
        self._quietly_flush()

    def flush(self) -> None:
        """Write what is pending.

        Raises:
            DatabaseAwayError: the database cannot be used now; the counts are kept.
        """
        with self._writing:
            with self._lock:
                if not self._pending and not self._spent:
                    return
                pending, self._pending = self._pending, {}
                self._being_written, self._spent = self._spent, Counter()
                self._flushes += 1
            spent = self._being_written
            try:
                with self._database.write() as connection:
                    # in one order for all desktops, so that none waits for another's row
                    if pending:
                        rows = [{**key._asdict(), **_NOTHING, **pending[key]} for key in sorted(pending)]
                        connection.execute(_added(connection.dialect.name), rows)
                    if spent:
                        charges = [
                            {"tenant": tenant, "on": day, "more": tokens}
                            for (tenant, day), tokens in sorted(spent.items())
                        ]
                        connection.execute(_charged(), charges)
            except BaseException:
                self._add(pending)
                with self._lock:
                    self._spent.update(spent)  # unlike +=, which would drop what was charged too much
                raise
            finally:
                with self._lock:
                    self._being_written = Counter()
                    self._flushes += 1

    def page(
        self,
        *,
        owner_kind: str | None,
        owner_id: str | None,
        provider: str | None,
        first_day: str | None,
        last_day: str | None,
        limit: int,
        cursor: UsageKey | None,
    ) -> UsagePage:
        """Return usage, the latest day first, what follows `cursor` if it is given.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        self.flush()
        table = ai_usage.c
        given = ((table.owner_kind, owner_kind), (table.owner_id, owner_id), (table.provider, provider))
        conditions: list[sa.ColumnElement[bool]] = [column == value for column, value in given if value is not None]
        if first_day is not None:
            conditions.append(table.day >= first_day)
        if last_day is not None:
            conditions.append(table.day <= last_day)
        order = (table.owner_kind, table.owner_id, table.provider, table.model)
        if cursor is not None:
            follows = sa.tuple_(*order) > sa.tuple_(*cursor[:4])
            conditions.append((table.day < cursor.day) | ((table.day == cursor.day) & follows))
        query = sa.select(*(table[name] for name in UsageItem.__struct_fields__)).where(*conditions)
        query = query.order_by(table.day.desc(), *order).limit(limit + 1)
        with self._database.read() as connection:
            found = [UsageItem(*row) for row in connection.execute(query)]
        shown = found[:limit]
        return UsagePage(shown, _cursor_of(shown[-1]) if len(found) > limit else None)

    def _add(self, counts: Mapping[UsageKey, Counter[str]]) -> None:
        with self._lock:
            for key, more in counts.items():
                if key not in self._pending and len(self._pending) >= MAX_PENDING:
                    continue
                self._pending[key] = self._pending.get(key, Counter()) + more

    def _live(self) -> None:
        while not self._stopped.is_set():
            self._wake.wait()
            self._wake.clear()
            self._stopped.wait(GATHER_S)
            if not self._quietly_flush():
                self._stopped.wait(RETRY_S)
                self._wake.set()

    def _quietly_flush(self) -> bool:
        try:
            self.flush()
        except RequestError as exc:
            log.warning("usage not written yet", extra={"code": exc.code})
            return False
        except Exception:  # the outermost edge of the thread: it must live as long as the process
            log.exception("usage not written")
            return False
        return True


def read_cursor(text: object) -> UsageKey:
    """Return where a page ended.

    Raises:
        ValueError: it is no `next_cursor`.
    """
    if not isinstance(text, str) or not re.fullmatch(CURSOR, text):
        raise ValueError("Input should be the next_cursor of a page")
    day, *parts = text.split(".")
    # made up by somebody, it may hold what no text holds, and what no database takes
    owner_kind, owner_id, provider, model = (
        bytes.fromhex(part).decode(errors="replace").replace("\0", "\ufffd") for part in parts
    )
    return UsageKey(owner_kind, owner_id, provider, model, f"{day[:4]}-{day[4:6]}-{day[6:]}")


def _cursor_of(item: UsageItem) -> str:
    parts = (item.owner_kind, item.owner_id, item.provider, item.model)
    return ".".join([item.day.replace("-", ""), *(part.encode().hex() for part in parts)])


@functools.cache
def _charged() -> sa.Executable:
    """Return the statement that adds tokens to days' rows of tenants on trial, which their first calls have made."""
    is_day = (trial_calls.c.tenant_id == sa.bindparam("tenant")) & (trial_calls.c.day == sa.bindparam("on"))
    return (
        sa.update(trial_calls)
        .where(is_day)
        .values(tokens=grown(trial_calls.c.tokens, sa.bindparam("more"), maximum=MAX_TOKENS))
    )


@functools.cache
def _added(dialect: str) -> sa.Executable:
    """Return the statement that adds counts to rows, made if they are the first; built once, as that takes longest."""
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    statement = insert(ai_usage)
    more = {name: grown(ai_usage.c[name], statement.excluded[name], maximum=MAX_TOKENS) for name in _NOTHING}
    return statement.on_conflict_do_update(index_elements=list(UsageKey._fields), set_=more)

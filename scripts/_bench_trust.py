"""What mistrust costs: of a database, which a manifest vouches for; of a server, which never sees the password."""

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import psycopg2
import sqlalchemy as sa
from cryptography.fernet import Fernet
from tests.support.in_process import InProcess, empty_on_sqlite, on_postgresql
from tests.support.vaults import Desktop, desktop

from _bench_vault import SECRET, Sample, per_second
from _measure import Bench, Row, compared, in_turn, seconds_for
from app.core.derivation import hkdf
from app.core.fernet_keys import encode_key
from app.db.connect import Connector
from app.db.settings import settings_from_body
from app.models.vault import secrets
from app.services.vault.destinations import located_key
from app.services.vault.rows import SecretName, is_secret, open_row, select_sealed
from app.services.vault.sealing import BLOCK_BYTES, LEGACY_FORMAT, Binding, VaultKey, forget_derived_keys

USES = 200
WRITES = 50
LOGINS = 10
FILLED = 2000
"""Secrets in the vault, so that the manifest is as deep as a team's."""
USED = SecretName("tenant", "filled-7", "name-7")
_UNCHECKED = select_sealed(secrets.c.fingerprint).where(is_secret(USED))


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows of the formats, of use and write on each database, and of logins."""
    yield from measure_formats(bench.rounds)
    for database in ("sqlite", "postgresql"):
        with empty_database(bench, database) as store:
            ours = desktop(store, bench.home / f"trust-desktop-{database}")
            ours.vault.attachment.attach()
            ours.fill(FILLED)
            yield from measure_use(bench.rounds, database, ours)
            yield measure_write(bench.rounds, database, ours)
    yield from measure_login(bench)


def empty_database(bench: Bench, database: str) -> contextlib.AbstractContextManager[InProcess]:
    """Make a database with tables and nothing in them."""
    if database == "sqlite":
        return empty_on_sqlite(bench.home / "trust.db")
    return on_postgresql({"dsn": bench.new_database("trust")})


# --- formats ---------------------------------------------------------------------------------------------------------


class LegacySample(Sample):
    """The same secrets in the format before, whose keys know no destination."""

    def __init__(self) -> None:
        super().__init__()
        self._ciphertexts = [_legacy(self._key, place) for place in self._places]


def _legacy(key: VaultKey, place: Binding) -> str:
    owner = place.owner
    owner_key = hkdf(key.key, owner.salt, "owner", key.vault_id, key.kid, owner.kind, owner.id)
    row_key = hkdf(owner_key, key.vault_id, "row", place.secret_id, place.name)
    frame = place.header() + SECRET.encode() + b"\x80"
    frame += bytes(-len(frame) % BLOCK_BYTES)
    return f"{LEGACY_FORMAT}.{key.kid}.{Fernet(encode_key(row_key)).encrypt(frame).decode()}"


def measure_formats(rounds: int) -> Iterator[Row]:
    """Open secrets of both formats."""
    sample, legacy = Sample(), LegacySample()
    for name, prepare in (("key kept", lambda: None), ("key derived", forget_derived_keys)):
        taken = in_turn(rounds, partial(per_second, sample.open, prepare), partial(per_second, legacy.open, prepare))
        yield compared(f"open vf2, {name}", "1/s", taken[0], "vf1", taken[1], "at least 0.9")


# --- the manifest ----------------------------------------------------------------------------------------------------


def measure_use(rounds: int, database: str, ours: Desktop) -> Iterator[Row]:
    """Use a secret, beside reading its row and opening it unchecked; and count the statements of both."""
    taken = in_turn(
        rounds,
        lambda: seconds_for(lambda: [ours.use(USED) for _ in range(USES)]) / USES,
        lambda: seconds_for(lambda: [use_unchecked(ours) for _ in range(USES)]) / USES,
    )
    yield compared(f"{database}: use", "ms", taken[0], "use, unchecked", taken[1], "-", 1000)
    unchecked = float(statements_of(ours, lambda: use_unchecked(ours)))
    again = statements_of(ours, lambda: ours.use(USED))
    ours.set(SecretName("tenant", "another", "openai"), SECRET)
    after_write = statements_of(ours, lambda: ours.use(USED))
    for name, count in (("use, statements", again), ("use after a write, statements", after_write)):
        yield Row(f"{database}: {name}", "", count, "use, unchecked", unchecked, count / unchecked, "at most 3")


def use_unchecked(ours: Desktop) -> str:
    """Open a secret and count its use, without asking the manifest."""
    with ours.store.database.read() as connection:
        found = connection.execute(_UNCHECKED).one()
    row = located_key(found)
    secret = open_row(row, ours.vault.attachment.keys_at(row.epoch, row.kid))
    ours.audit.note_use(row.id, **USED.columns(), fingerprint=row.fingerprint, actor="bench")
    return secret


def statements_of(ours: Desktop, action: Callable[[], object]) -> int:
    """Return how many statements an action sends, those of threads in the background left out."""
    sent: list[str] = []
    here = threading.get_ident()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if threading.get_ident() == here:
            sent.append(statement)

    sa.event.listen(ours.store.opened.engine, "before_cursor_execute", note)
    try:
        action()
    finally:
        sa.event.remove(ours.store.opened.engine, "before_cursor_execute", note)
    return len(sent)


def measure_write(rounds: int, database: str, ours: Desktop) -> Row:
    """Store new secrets, each in a transaction of its own, beside the same without a manifest."""

    def write() -> float:
        owner = f"written-{uuid.uuid4()}"
        names = [SecretName("tenant", owner, f"name-{number}") for number in range(WRITES)]
        return seconds_for(lambda: [ours.set(which, SECRET) for which in names]) / WRITES

    def write_unchecked() -> float:
        with without_manifest(ours):
            return write()

    taken = in_turn(rounds, write, write_unchecked)
    return compared(f"{database}: write", "ms", taken[0], "write, unchecked", taken[1], "at most 1.5", 1000)


@contextlib.contextmanager
def without_manifest(ours: Desktop) -> Iterator[None]:
    """Let transactions change the manifest no more until the block ends."""
    ledger: Any = ours.audit.ledger
    ledger.note = ledger.write = lambda *_: None
    try:
        yield
    finally:
        del ledger.note, ledger.write


# --- logins ----------------------------------------------------------------------------------------------------------


def measure_login(bench: Bench) -> Iterator[Row]:
    """Log in as the product does, the first time and again, beside the driver alone."""
    url = bench.new_database("login")
    settings = settings_from_body({"dsn": url})
    known = Connector(settings)

    def driver() -> float:
        return seconds_for(lambda: [psycopg2.connect(url).close() for _ in range(LOGINS)]) / LOGINS

    def ours(made: Callable[[], Connector]) -> float:
        return seconds_for(lambda: [made().open().close() for _ in range(LOGINS)]) / LOGINS

    ways: tuple[tuple[str, Callable[[], Connector]], ...] = (
        ("login, first", lambda: Connector(settings)),
        ("login, again", lambda: known),
    )
    for name, made in ways:
        taken = in_turn(bench.rounds, partial(ours, made), driver)
        yield compared(name, "ms", taken[0], "psycopg2 alone", taken[1], "-", 1000)

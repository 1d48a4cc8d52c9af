"""The vault: sealing and opening beside plain Fernet, rotation beside plain re-encryption of as many rows."""

import contextlib
import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg2
from cryptography.fernet import Fernet
from tests.support.in_process import on_postgresql, on_sqlite, opened_store
from tests.support.vaults import desktop

from _measure import Bench, Row, compared, in_turn, seconds_for
from _servers import SidecarUnderTest, sidecar
from app.db.configured import DATABASE_FILE
from app.db.session import OpenDatabase, open_postgresql, open_sqlite
from app.db.settings import settings_from_body
from app.services.vault.sealing import Binding, Owner, forget_derived_keys, new_vault_key

SECRETS = 1000
"""As many as the vault keeps derived keys for."""
SECRET = "sk-proj-" + "x" * 48
OWNERS = 1000
BATCH_ROWS = 200
MAX_ROTATION_ROUNDS = 3
"""Rotations of so many rows take long, and vary little."""
TIMEOUT_S = 600


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows of sealing, opening and rotating."""
    yield from measure_sealing(bench.rounds)
    for database in ("sqlite", "postgresql"):
        yield from measure_rotation(bench, database)


# --- sealing and opening ---------------------------------------------------------------------------------------------


def measure_sealing(rounds: int) -> Iterator[Row]:
    """Seal and open secrets one by one; the floor is one Fernet key for all of them, bound to nothing."""
    sample = Sample()
    for name, subject, floor in (("seal", sample.seal, sample.encrypt), ("open", sample.open, sample.decrypt)):
        again = in_turn(rounds, partial(per_second, subject), partial(per_second, floor))
        yield compared(f"{name}, key kept", "1/s", again[0], "plain Fernet", again[1], "at least 0.7")
        first = in_turn(rounds, partial(per_second, subject, forget_derived_keys), partial(per_second, floor))
        yield compared(f"{name}, key derived", "1/s", first[0], "plain Fernet", first[1], "-")


class Sample:
    """Secrets of a few owners, sealed and as plain Fernet tokens."""

    def __init__(self) -> None:
        self._key, self._fernet = new_vault_key(str(uuid.uuid4())), Fernet(Fernet.generate_key())
        owners = [Owner("tenant", f"tenant-{number}", bytes(32)) for number in range(20)]
        self._places = [Binding(owners[number % 20], str(uuid.uuid4()), "openai", 1, "") for number in range(SECRETS)]
        self._ciphertexts = [self._key.seal(place, SECRET) for place in self._places]
        self._tokens = [self._fernet.encrypt(SECRET.encode()).decode() for _ in self._places]

    def seal(self) -> None:
        """Seal every secret."""
        for place in self._places:
            self._key.seal(place, SECRET)

    def open(self) -> None:
        """Open every secret."""
        for place, ciphertext in zip(self._places, self._ciphertexts, strict=True):
            self._key.open(place, ciphertext)

    def encrypt(self) -> None:
        """Make the tokens."""
        for _ in self._places:
            self._fernet.encrypt(SECRET.encode()).decode()

    def decrypt(self) -> None:
        """Read the tokens."""
        for token in self._tokens:
            self._fernet.decrypt(token).decode()


def per_second(action: Callable[[], None], prepare: Callable[[], None] = lambda: None) -> float:
    """Return how many secrets an action gets done in a second of processor time: it waits for nothing."""
    taken = []
    for _ in range(5):
        prepare()
        started = time.thread_time()
        action()
        taken.append(time.thread_time() - started)
    return SECRETS / min(taken)


# --- rotation --------------------------------------------------------------------------------------------------------


def measure_rotation(bench: Bench, database: str) -> Iterator[Row]:
    """Rotate the vault of a running sidecar over HTTP, and re-encrypt a table like its own with the plain driver."""
    directory = bench.home / f"vault-{database}"
    url = bench.new_database("vault") if database == "postgresql" else None
    with sidecar(directory, url) as running, plain_table(bench, database) as plain:
        running.milestones()
        with opened_store(opened(directory, url)) as store:
            desktop(store, directory).fill(bench.secrets, owners=OWNERS)
            store.execute("ANALYZE")  # as a server does by itself, before long
        at_first = running.memory_mib()
        taken = in_turn(
            min(bench.rounds, MAX_ROTATION_ROUNDS),
            lambda: bench.secrets / seconds_for(partial(rotate, running)),
            lambda: bench.secrets / seconds_for(plain.rotate),
        )
        peak = running.peak_memory_mib()
    yield compared(f"{database}: rotation", "rows/s", taken[0], "plain re-encryption", taken[1], "at least 0.4")
    yield Row(f"{database}: rotation, peak memory", "MiB", peak, "before it", at_first, peak / at_first, "at most 1.15")


def opened(directory: Path, url: str | None) -> OpenDatabase:
    """Open the sidecar's database beside it."""
    if url is None:
        return open_sqlite(directory / "data" / DATABASE_FILE)
    return open_postgresql(settings_from_body({"dsn": url}))[0]


def rotate(running: SidecarUnderTest) -> None:
    """Rotate the vault key and wait for the end."""
    running.request("POST", "/api/v1/vault/rotate")
    deadline = time.monotonic() + TIMEOUT_S
    while json.loads(running.get("/api/v1/vault/rotation"))["state"] != "done":
        if time.monotonic() > deadline:
            raise RuntimeError("the rotation does not end")
        time.sleep(0.2)


class PlainTable:
    """A table like the vault's, of plain Fernet tokens, re-encrypted with nothing but the driver."""

    def __init__(self) -> None:
        self._fernet = Fernet(Fernet.generate_key())

    def fill(self) -> None:
        """Put tokens in the place of what lies there."""
        for ids, _ in self._batches():
            self._write([self._fernet.encrypt(SECRET.encode()).decode() for _ in ids], ids, "00000000")

    def rotate(self) -> None:
        """Re-encrypt every row, in batches, each a transaction."""
        fernet, kid = Fernet(Fernet.generate_key()), uuid.uuid4().hex[:8]
        for ids, tokens in self._batches():
            self._write([fernet.encrypt(self._fernet.decrypt(token)).decode() for token in tokens], ids, kid)
        self._fernet = fernet

    def _batches(self) -> Iterator[tuple[list[str], list[str]]]:
        last = "00000000-0000-0000-0000-000000000000"
        while rows := self._read(last):
            yield [row[0] for row in rows], [row[1] for row in rows]
            last = rows[-1][0]

    def _read(self, last: str) -> list[tuple[str, str]]:
        raise NotImplementedError

    def _write(self, tokens: list[str], ids: list[str], kid: str) -> None:
        raise NotImplementedError


class PlainSqlite(PlainTable):
    """In a file, with the settings that the product uses."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self._connection = connection
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL"):
            connection.execute(f"PRAGMA {pragma}")

    def _read(self, last: str) -> list[tuple[str, str]]:
        query = "SELECT id, ciphertext FROM secrets WHERE id > ? ORDER BY id LIMIT ?"
        return self._connection.execute(query, (last, BATCH_ROWS)).fetchall()

    def _write(self, tokens: list[str], ids: list[str], kid: str) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        parameters = [(token, kid, row_id) for token, row_id in zip(tokens, ids, strict=True)]
        self._connection.executemany("UPDATE secrets SET ciphertext = ?, kid = ? WHERE id = ?", parameters)
        self._connection.execute("COMMIT")


class PlainPostgresql(PlainTable):
    """On a server."""

    def __init__(self, connection: Any) -> None:
        super().__init__()
        self._connection = connection

    def analyze(self) -> None:
        """Let the server see how large the table is, as it does by itself before long."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute("ANALYZE secrets")

    def _read(self, last: str) -> list[tuple[str, str]]:
        query = "SELECT id::text, ciphertext FROM secrets WHERE id > %s ORDER BY id LIMIT %s"
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(query, (last, BATCH_ROWS))
            found: list[tuple[str, str]] = cursor.fetchall()
        return found

    def _write(self, tokens: list[str], ids: list[str], kid: str) -> None:
        statement = """
            UPDATE secrets SET ciphertext = given.token, kid = %s
            FROM unnest(%s::uuid[], %s::text[]) AS given (id, token) WHERE secrets.id = given.id
        """
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(statement, (kid, ids, tokens))


@contextlib.contextmanager
def plain_table(bench: Bench, database: str) -> Iterator[PlainTable]:
    """Provide a table with as many rows and the same indexes in a database of its own."""
    if database == "sqlite":
        file = bench.home / "plain.db"
        with on_sqlite(file) as store:
            desktop(store, bench.home / "plain-sqlite").fill(bench.secrets, owners=OWNERS)
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
            plain: PlainTable = PlainSqlite(connection)
            plain.fill()
            yield plain
        return
    url = bench.new_database("plain")
    with on_postgresql({"dsn": url}) as store:
        desktop(store, bench.home / "plain-postgresql").fill(bench.secrets, owners=OWNERS)
    with contextlib.closing(psycopg2.connect(url)) as connection:
        plain = PlainPostgresql(connection)
        plain.analyze()
        plain.fill()
        yield plain

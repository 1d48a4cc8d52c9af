"""Plaintext in another application's database becomes encrypted values: counted, repeatable, and no edit lost."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from app.core.config import Config
from app.core.encryption import PREFIX
from app.core.exceptions import ProblemError, UsageError
from app.core.fernet_keys import KeyRing, encode_key, fingerprint
from app.core.security import CREDENTIALS_FILE, KEY_FILE, existing_keys, load_or_create_keys
from app.services.legacy import encrypting, postgresql, sqlite
from app.services.legacy.cells import Cell, ColumnName, Swap
from app.services.legacy.databases import open_foreign
from app.services.legacy.encrypting import encrypt_legacy
from app.services.legacy.outcome import Counts, Outcome
from app.services.legacy.problems import problems_of_foreign
from app.services.legacy.targets import Target, parse_targets
from app.services.legacy.values import placeholder
from tests.support import children
from tests.support.databases import fresh_database
from tests.support.other_application import (
    CAMERAS,
    HEADERS,
    LOGINS,
    SECRETS,
    SETTINGS,
    SPECS,
    TOKENS,
    Dump,
    OtherApplication,
    PostgresApplication,
    SqliteApplication,
    count_tokens,
    make_application,
)
from tests.support.system import forks, is_owner_only, needs_own_server
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.databases import Database
    from tests.support.postgres import PostgresServer

N = len(SECRETS)
SMALL_BATCH = 4
SECRET = "plain VELLUMQUOKKA secret"
DIALECTS = ["sqlite", "postgresql"]


@pytest.fixture
def memory() -> Iterator[Path]:
    """A directory that is quick to write to."""
    with children.directory() as directory:
        yield directory


@pytest.fixture(params=DIALECTS)
def application(request: pytest.FixtureRequest, memory: Path) -> OtherApplication:
    """An application without tables yet, on each database."""
    return make_application(request, memory, request.param)


@pytest.fixture
def filled(application: OtherApplication) -> OtherApplication:
    """An application full of secrets, on each database."""
    application.create()
    return application


@pytest.fixture
def postgres_application(database: Database) -> PostgresApplication:
    """An application without tables yet, on PostgreSQL."""
    return PostgresApplication(database)


@pytest.fixture
def sqlite_application(memory: Path) -> SqliteApplication:
    """An application without tables yet, on SQLite."""
    return SqliteApplication(memory / "other application.db")


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few rows make several batches."""
    for module in (postgresql, sqlite):
        monkeypatch.setattr(module, "BATCH_ROWS", SMALL_BATCH)
    monkeypatch.setattr(postgresql, "BATCH_PAGES", 1)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up on locks soon."""
    monkeypatch.setattr(postgresql, "LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr(sqlite, "SQLITE_BUSY_TIMEOUT_MS", 100)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A config directory that does not exist yet."""
    return Config.from_environ({"TASKFLOW_CONFIG_DIR": str(tmp_path / "config")})


def keys_of(config: Config) -> KeyRing:
    """Return the keys in `fernet.key`."""
    keys = existing_keys(config.config_dir)
    assert keys is not None
    return keys


def decrypt_with(keys: KeyRing) -> Callable[[str], str]:
    """Return what opens an encrypted value, and raises over any other."""
    return lambda value: keys.decrypt(value.removeprefix(PREFIX).encode()).decode()


def silent(_label: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""


def run(application: OtherApplication, config: Config, *specs: str, **options: bool) -> Outcome:
    """Run the command's work, on all of the application's secrets unless some are named."""
    return encrypt_legacy(config, application.url, parse_targets(specs or SPECS), silent, **options)


def counted(counts: Counts) -> tuple[int, int, int, int, dict[str, int]]:
    """To encrypt, encrypted, already encrypted, empty, skipped."""
    return counts.to_encrypt, counts.encrypted, counts.already_encrypted, counts.empty, dict(counts.skipped)


# --- SPEC ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "name", "path"),
    [
        pytest.param("cameras.password", ColumnName(None, "cameras", "password"), None, id="column"),
        pytest.param("app.cameras.password", ColumnName("app", "cameras", "password"), None, id="schema"),
        pytest.param(
            '"my app"."Cam""eras"."pass.word"', ColumnName("my app", 'Cam"eras', "pass.word"), None, id="quoted"
        ),
        pytest.param(
            "settings.value[key=smtp.password|api token]",
            ColumnName(None, "settings", "value", "key", ("smtp.password", "api token")),
            None,
            id="rows",
        ),
        pytest.param(
            'settings.value["the key"="a|b"|"c]"]',
            ColumnName(None, "settings", "value", "the key", ("a|b", "c]")),
            None,
            id="quoted-keys",
        ),
        pytest.param(
            "alert_rules.actions:$.webhook.headers.*",
            ColumnName(None, "alert_rules", "actions"),
            ("webhook", "headers", None),
            id="json-path",
        ),
        pytest.param(
            "settings.value[key=hook]:$['x:y'][0]",
            ColumnName(None, "settings", "value", "key", ("hook",)),
            ("x:y", 0),
            id="rows-and-json-path",
        ),
    ],
)
def test_spec_names_cells(spec: str, name: ColumnName, path: tuple[object, ...] | None) -> None:
    """Table, column, rows and JSON path are read from one text."""
    assert parse_targets([spec]) == [Target(spec, name, path)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "spec",
    [
        *("", "cameras", "cameras.", ".password", "a.b.c.d", 'a."b', "a b.c"),
        *("a.b[]", "a.b[k]", "a.b[k=]", "a.b[k=x", "a.b[k=x]]", 'a.b[k=x"]'),
        *("a.b:", "a.b:webhook", "a.b:$..c"),
    ],
)
def test_malformed_spec_is_refused(spec: str) -> None:
    """One sentence says which one it is."""
    with pytest.raises(UsageError, match=r"^--column number 2[ :]"):
        parse_targets(["cameras.password", spec])


def test_column_cannot_be_meant_as_a_whole_and_in_part() -> None:
    """Encrypting the whole text first would hide the JSON in it."""
    with pytest.raises(UsageError, match=r"both as a whole and with a JSON path"):
        parse_targets(["rules.actions", "rules.actions:$.key"])


def test_repeated_spec_counts_once() -> None:
    """Counts are not doubled by a slip."""
    assert len(parse_targets([CAMERAS, SETTINGS, CAMERAS])) == 2


# --- the whole run ---------------------------------------------------------------------------------------------------


EXPECTED = {
    CAMERAS: (N + 2, N, 2, 0),
    SETTINGS: (2, 2, 0, 0),
    HEADERS: (N + 2, 2 * N, N + 1, N),
    TOKENS: (N, N, N, 0),
    LOGINS: (N, N, 0, 0),
}
"""By target: rows, values in plaintext, empty ones, values that are no text."""
PLAINTEXTS = sum(to_encrypt for _, to_encrypt, _, _ in EXPECTED.values())


def test_dry_run_counts_and_changes_nothing(filled: OtherApplication, config: Config) -> None:
    """Everything is counted, no byte differs, and not even a key is made."""
    before = filled.dump()

    outcome = run(filled, config)

    assert filled.dump() == before
    assert not config.config_dir.exists()
    assert outcome.ok
    found = {
        label: (counts.rows, counts.to_encrypt, counts.empty, counts.skipped.get("not_text", 0))
        for label, counts in outcome.columns.items()
    }
    assert found == EXPECTED
    assert outcome.total.encrypted == 0
    assert "nothing was changed" in outcome.notes[-1]


def test_apply_encrypts_what_is_named_and_nothing_else(filled: OtherApplication, config: Config) -> None:
    """With the plaintext put back in place of each token, the database is what it was, to the last byte."""
    before = filled.dump()

    outcome = run(filled, config, apply=True)

    after = filled.dump()
    assert outcome.ok
    assert outcome.total.encrypted == outcome.total.to_encrypt == PLAINTEXTS == count_tokens(after)
    assert filled.opened(after, decrypt_with(keys_of(config))) == before
    for secret in SECRETS:
        # in whatever way a text or JSON shows it
        assert not any(form in repr(after) for form in (secret, repr(secret)[1:-1], repr(json.dumps(secret))[2:-2]))


def test_second_run_changes_nothing_more(filled: OtherApplication, config: Config) -> None:
    """What was encrypted is recognised and left, byte for byte."""
    first = run(filled, config, apply=True)
    after_first = filled.dump()

    second = run(filled, config, apply=True)
    third = run(filled, config)

    assert filled.dump() == after_first
    assert second.total.to_encrypt == second.total.encrypted == third.total.to_encrypt == 0
    assert second.total.already_encrypted == third.total.already_encrypted == first.total.encrypted
    assert second.total.empty == first.total.empty


def test_dry_run_is_refused_by_the_database_itself(filled: OtherApplication) -> None:
    """A fault in the program could not write: the session is read-only."""
    with open_foreign(filled.url, writable=False) as database, database.transaction():
        cells = database.cells(ColumnName(None, "cameras", "password"))
        found, _ = cells.read(None)

        with pytest.raises(ProblemError, match=r"may not read or change"), problems_of_foreign(CAMERAS):
            cells.swap([Swap(found[0], "changed")])


def test_progress_is_reported_for_each_target(filled: OtherApplication, config: Config, small_batches: None) -> None:
    """Each target begins below its total, grows, and ends with all rows done."""
    reports: dict[str, list[tuple[int, int]]] = {}

    encrypt_legacy(
        config,
        filled.url,
        parse_targets(SPECS),
        lambda label, done, total: reports.setdefault(label, []).append((done, total)),
    )

    assert list(reports) == list(SPECS)
    for label, steps in reports.items():
        rows = EXPECTED[label][0]
        assert steps[-1] == (rows, rows)
        assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert reports[CAMERAS][0] == (SMALL_BATCH, N + 2)


# --- single values ---------------------------------------------------------------------------------------------------


def token_of(key: bytes, text: str = "x") -> str:
    """Return a value that was encrypted under a key."""
    return PREFIX + Fernet(encode_key(key)).encrypt(text.encode()).decode()


@pytest.fixture
def notes(application: OtherApplication) -> OtherApplication:
    """A table `notes` with a text column `body`."""
    application.execute("CREATE TABLE notes (id integer PRIMARY KEY, body text)")
    return application


def put(notes: OtherApplication, *bodies: object) -> None:
    """Fill the table."""
    notes.execute("DELETE FROM notes")
    notes.insert("notes", list(enumerate(bodies)))


def bodies(notes: OtherApplication) -> list[Any]:
    """Read the table."""
    return [row[0] for row in notes.query("SELECT body FROM notes ORDER BY id")]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("encrypted:", id="prefix-only"),
        pytest.param("encrypted:my diary", id="prefix-and-words"),
        pytest.param("encrypted:gA==", id="version-byte-only"),
        pytest.param(token_of(b"k" * 31 + b"x")[:-4], id="truncated-token"),
        pytest.param(token_of(b"k" * 31 + b"x") + "\n", id="token-and-newline"),
        pytest.param(token_of(b"k" * 31 + b"x").upper(), id="prefix-in-capitals"),
        pytest.param("encrypted:" + "encrypted:" * 3, id="prefix-repeated"),
        pytest.param(" ", id="blank"),
        pytest.param("****1234", id="mask"),
        pytest.param("x" * 100_000, id="long"),
    ],
)
def test_text_that_merely_looks_encrypted_is_encrypted(notes: OtherApplication, config: Config, text: str) -> None:
    """The prefix proves nothing: anybody can type it."""
    put(notes, text)

    outcome = run(notes, config, "notes.body", apply=True)

    assert counted(outcome.total) == (1, 1, 0, 0, {})
    assert decrypt_with(keys_of(config))(bodies(notes)[0]) == text


def test_token_of_another_key_is_left_and_told(notes: OtherApplication, config: Config) -> None:
    """With the wrong config directory nothing is encrypted twice; it ends as something to look into."""
    foreign_token = token_of(os.urandom(32))
    put(notes, foreign_token, SECRET)

    dry, outcome = run(notes, config, "notes.body"), run(notes, config, "notes.body", apply=True)

    assert counted(dry.total) == (1, 0, 0, 0, {"other_key": 1})
    assert counted(outcome.total) == (1, 1, 0, 0, {"other_key": 1})
    assert not outcome.ok
    assert any("--config-dir" in note for note in outcome.notes)
    assert bodies(notes)[0] == foreign_token


def test_token_of_another_key_is_encrypted_if_asked_for(notes: OtherApplication, config: Config) -> None:
    """Text that only happens to be a token need not stay in plaintext."""
    foreign_token = token_of(os.urandom(32))
    put(notes, foreign_token)

    outcome = run(notes, config, "notes.body", apply=True, include_tokens=True)

    assert counted(outcome.total) == (1, 1, 0, 0, {})
    assert decrypt_with(keys_of(config))(bodies(notes)[0]) == foreign_token


def test_values_open_under_any_key_at_hand(notes: OtherApplication, tmp_path: Path) -> None:
    """The first of `ENCRYPTION_KEY` encrypts; the others and `fernet.key` still open what they made."""
    first, second = os.urandom(32), os.urandom(32)
    config = Config.from_environ(
        {
            "TASKFLOW_CONFIG_DIR": str(tmp_path / "config"),
            "ENCRYPTION_KEY": f"{encode_key(first)},{encode_key(second)}",
        }
    )
    config.config_dir.mkdir()
    of_file = load_or_create_keys(config.config_dir).keys[0]
    put(notes, token_of(first), token_of(second), token_of(of_file), SECRET)

    outcome = run(notes, config, "notes.body", apply=True)

    assert counted(outcome.total) == (1, 1, 3, 0, {})
    assert decrypt_with(KeyRing((first,)))(bodies(notes)[3]) == SECRET
    assert any(fingerprint(first) in note for note in outcome.notes)


def test_key_is_made_at_first_use(notes: OtherApplication, config: Config) -> None:
    """As at the first start: `fernet.key`, readable by its owner only."""
    put(notes, SECRET)

    run(notes, config, "notes.body", apply=True)

    assert is_owner_only(config.config_dir / KEY_FILE)
    assert decrypt_with(keys_of(config))(bodies(notes)[0]) == SECRET


def test_no_key_is_made_beside_credentials(notes: OtherApplication, config: Config) -> None:
    """A new key would hide that the old one is lost."""
    put(notes, SECRET)
    config.config_dir.mkdir()
    (config.config_dir / CREDENTIALS_FILE).write_bytes(b"gAAAAA")

    for apply in (False, True):
        with pytest.raises(ProblemError) as caught:
            run(notes, config, "notes.body", apply=apply)
        assert caught.value.problem.code == "key-missing"

    assert bodies(notes) == [SECRET]
    assert not (config.config_dir / KEY_FILE).exists()


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 31, 32, 100, 1000])
def test_dry_run_knows_how_long_a_value_becomes(length: int) -> None:
    """The length of a token depends on nothing but that of its text."""
    assert len(placeholder("x" * length)) == len(token_of(os.urandom(32), "x" * length))


def test_value_that_does_not_fit_is_left_and_told(postgres_application: PostgresApplication, config: Config) -> None:
    """A column of limited length keeps its value, the rest goes on, and the dry run knew."""
    postgres_application.execute("CREATE TABLE notes (id integer PRIMARY KEY, body varchar(110))")
    put(postgres_application, "short", "x" * 16, "also short")

    dry = run(postgres_application, config, "notes.body")
    outcome = run(postgres_application, config, "notes.body", apply=True)

    assert counted(dry.total) == (2, 0, 0, 0, {"too_long": 1})
    assert counted(outcome.total) == (2, 2, 0, 0, {"too_long": 1})
    assert not outcome.ok
    assert bodies(postgres_application)[1] == "x" * 16
    assert "too long for the column" in "\n".join(outcome.lines())


def test_json_of_all_kinds(notes: OtherApplication, config: Config) -> None:
    """What is no JSON, or has no text at the path, is counted and left; the rest is encrypted in place."""
    texts = [
        '{"k": "secret"}',
        '{"k": 12}',
        '{"k": null}',
        '{"k": ["x"]}',
        "not json",
        "",
        None,
        '{"j": "x"}',
        '["x"]',
        '{"k": "\\ud800"}',
    ]
    put(notes, *texts)

    outcome = run(notes, config, "notes.body:$.k", apply=True)

    assert counted(outcome.total) == (1, 1, 0, 3, {"not_text": 2, "not_json": 1, "not_unicode": 1})
    assert bodies(notes)[1:] == texts[1:]
    assert decrypt_with(keys_of(config))(json.loads(bodies(notes)[0])["k"]) == "secret"


def test_two_paths_in_one_column_are_both_encrypted(notes: OtherApplication, config: Config) -> None:
    """The second does not undo the first."""
    put(notes, '{"a": "1", "b": "2", "c": "3"}')

    run(notes, config, "notes.body:$.a", "notes.body:$.b", apply=True)

    decrypt = decrypt_with(keys_of(config))
    document = json.loads(bodies(notes)[0])
    assert (decrypt(document["a"]), decrypt(document["b"]), document["c"]) == ("1", "2", "3")


def test_sqlite_values_of_other_types_are_left(sqlite_application: SqliteApplication, config: Config) -> None:
    """SQLite keeps numbers, bytes and broken text wherever somebody put them."""
    sqlite_application.execute("CREATE TABLE notes (id integer PRIMARY KEY, body)")
    put(sqlite_application, 12, 1.5, b"bytes", SECRET)
    sqlite_application.execute("INSERT INTO notes VALUES (9, CAST(x'80ff' AS text))")
    before = sqlite_application.query("SELECT id, typeof(body), hex(body) FROM notes WHERE id <> 3")

    outcome = run(sqlite_application, config, "notes.body", apply=True)

    assert counted(outcome.total) == (1, 1, 0, 0, {"not_text": 3, "not_unicode": 1})
    assert not outcome.ok
    assert sqlite_application.query("SELECT id, typeof(body), hex(body) FROM notes WHERE id <> 3") == before


def test_misspelt_key_and_path_are_pointed_out(filled: OtherApplication, config: Config) -> None:
    """Zero rows is what a slip of the pen looks like."""
    outcome = run(filled, config, "system_settings.value[key=smtp_pasword|api_token]", "alert_rules.actions:$.webhok")

    assert "system_settings.value[key=smtp_pasword|api_token]: no row has the key smtp_pasword." in outcome.notes
    assert "alert_rules.actions:$.webhok: the JSON path names no value in any row." in outcome.notes
    assert not any("api_token." in note for note in outcome.notes)


# --- tables of all shapes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param("id text PRIMARY KEY, body text", id="text-key"),
        pytest.param("id numeric(20, 10) PRIMARY KEY, body text", id="numeric-key"),
        pytest.param("id integer, body text", id="no-key"),
        pytest.param("rowid text, oid text, _rowid_ text, id integer PRIMARY KEY, body text", id="rowid-names-taken"),
        pytest.param("id integer, other text DEFAULT 'x', body text, PRIMARY KEY (other, id)", id="two-columns"),
    ],
)
def test_every_row_is_reached(application: OtherApplication, config: Config, small_batches: None, columns: str) -> None:
    """Whatever the key, batches meet each row once, and nobody else's."""
    if application.dialect == "postgresql":
        columns = columns.replace("oid text, _", "_")
    application.execute(f"CREATE TABLE notes ({columns})")
    for number in range(30):
        application.execute("INSERT INTO notes (id, body) VALUES (?, ?)", (number * 7 % 30, f"secret {number}"))

    outcome = run(application, config, "notes.body", apply=True)

    decrypt = decrypt_with(keys_of(config))
    rows = application.query("SELECT id, body FROM notes")
    assert counted(outcome.total) == (30, 30, 0, 0, {})
    assert {int(row_id): decrypt(body) for row_id, body in rows} == {n * 7 % 30: f"secret {n}" for n in range(30)}


@pytest.mark.parametrize(
    ("key_type", "key"),
    [
        ("uuid", "gen_random_uuid()"),
        ("timestamptz", "'2020-01-01'::timestamptz + n * interval '1 second'"),
        ("date", "CASE n WHEN 5 THEN 'infinity'::date ELSE '2020-01-01'::date + n END"),
        ("double precision", "n / 3.0::float8"),
        ("bytea", "decode(lpad(to_hex(n), 4, '0'), 'hex')"),
        ("inet", "'10.0.0.0'::inet + n"),
        ("integer[]", "ARRAY[n % 5, n]"),
        ("char(8)", "'k' || n"),
        ("boolean", "n = 1"),
    ],
)
def test_postgresql_keys_of_any_type(
    postgres_application: PostgresApplication, config: Config, small_batches: None, key_type: str, key: str
) -> None:
    """Keys travel as text and come back as what they were."""
    rows = 2 if key_type == "boolean" else 25
    postgres_application.execute(f"CREATE TABLE notes (id {key_type} PRIMARY KEY, body text)")
    postgres_application.execute(f"INSERT INTO notes SELECT {key}, 'secret ' || n FROM generate_series(1, {rows}) n")

    outcome = run(postgres_application, config, "notes.body", apply=True)

    assert counted(outcome.total) == (rows, rows, 0, 0, {})
    assert run(postgres_application, config, "notes.body").total.already_encrypted == rows


@pytest.fixture
def folding_application(postgres_tls: PostgresServer) -> Iterator[PostgresApplication]:
    """An application on a server with collations that call different texts equal; the bundled one has none."""
    with fresh_database(postgres_tls) as database:
        application = PostgresApplication(database)
        application.execute(
            "CREATE EXTENSION citext;"
            "CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
            "CREATE DOMAIN secret AS varchar(500) CHECK (VALUE <> 'x');"
            "CREATE TABLE notes"
            " (id text COLLATE folded PRIMARY KEY, body text COLLATE folded, plain citext, own secret)"
        )
        yield application


FOLDED = ("notes.body", "notes.plain", "notes.own")


@needs_own_server
def test_postgresql_types_that_hold_text(folding_application: PostgresApplication, config: Config) -> None:
    """Domains, citext and collations that call different texts equal are no obstacle."""
    folding_application.insert("notes", [("key", "Secret", "SECRET", "secret")])

    outcome = run(folding_application, config, *FOLDED, apply=True)

    row = folding_application.query("SELECT body, plain, own FROM notes")[0]
    assert counted(outcome.total) == (3, 3, 0, 0, {})
    assert tuple(map(decrypt_with(keys_of(config)), row)) == ("Secret", "SECRET", "secret")


def test_unusual_names_are_quoted(application: OtherApplication, config: Config) -> None:
    """Names with blanks, dots, percent signs, colons, quotes and capitals reach the database as they are."""
    table, column, key = 'The "Camera" %s:x Table', "Pass.word %(x)s :y", "Select"
    quoted = [name.replace('"', '""') for name in (table, column, key)]
    application.execute('CREATE TABLE "{}" (id integer PRIMARY KEY, "{}" text, "{}" text)'.format(*quoted))
    with open_foreign(application.url, writable=True) as database, database.transaction():
        cells = database.cells(ColumnName(None, table, column, key, ("k%s",)))
        clause = cells._table
        rows = [{"id": 1, column: SECRET, key: "k%s"}, {"id": 2, column: SECRET, key: "other"}]
        cells._connection.execute(sa.insert(clause), rows)

    outcome = run(application, config, '"{}"."{}"["{}"=k%s]'.format(*quoted), apply=True)

    assert counted(outcome.total) == (1, 1, 0, 0, {})


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        pytest.param("camera.password", r"no table camera\. Did you mean cameras\?", id="table"),
        pytest.param("cameras.pasword", r"has no column pasword\. Did you mean password\?", id="column"),
        pytest.param("cameras.password[nam=x]", r"has no column nam\. Did you mean name\?", id="key-column"),
        pytest.param("nowhere.cameras.password", r"no (schema nowhere|table nowhere\.cameras)", id="schema"),
        pytest.param("system_settings.key", r"part of the primary key", id="primary-key"),
        pytest.param(
            "alert_rules.actions", r"is a JSON column: name the values, as in alert_rules\.actions:\$", id="json"
        ),
        pytest.param("system_settings.value[value=x]", r"cannot select rows", id="selected-by-itself"),
        pytest.param("passwords.password", r"passwords is no table", id="view"),
        pytest.param("generated.copy", r"is a generated column", id="generated"),
    ],
)
def test_column_that_cannot_be_encrypted_is_named(
    filled: OtherApplication, config: Config, spec: str, sentence: str
) -> None:
    """One sentence, before anything is changed or any key is made."""
    filled.execute("CREATE VIEW passwords AS SELECT password FROM cameras")
    filled.execute("CREATE TABLE generated (id integer PRIMARY KEY, copy text GENERATED ALWAYS AS ('x') STORED)")
    before = filled.dump()

    with pytest.raises(UsageError, match=sentence) as caught:
        run(filled, config, CAMERAS, spec, apply=True)

    assert "\n" not in str(caught.value)
    assert filled.dump() == before
    assert not config.config_dir.exists()


@pytest.mark.parametrize(
    ("definition", "sentence"),
    [
        ("(id integer PRIMARY KEY, body integer)", r"of type integer; encrypted values need text"),
        ("(id integer PRIMARY KEY, body char(400))", r"of type character\(400\)"),
        ("(id integer, body text) PARTITION BY LIST (id)", r"has partitions but no primary key"),
    ],
)
def test_postgresql_column_of_the_wrong_kind_is_refused(
    postgres_application: PostgresApplication, config: Config, definition: str, sentence: str
) -> None:
    """A type that would refuse or pad the value, and rows that cannot be told apart."""
    postgres_application.execute(f"CREATE TABLE notes {definition}")

    with pytest.raises(UsageError, match=sentence):
        run(postgres_application, config, "notes.body")


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://u:p@h/d", "postgresql://host/db", "sqlite:", "sqlite:///"])
def test_incomplete_url_is_refused(config: Config, url: str) -> None:
    """One sentence tells the forms."""
    with pytest.raises(UsageError, match=r"postgresql://user:password@host:5432/database or sqlite:///path"):
        encrypt_legacy(config, url, parse_targets([CAMERAS]), silent)


def test_sqlite_file_is_never_created(config: Config, tmp_path: Path) -> None:
    """A slip in the path does not leave an empty database behind."""
    with pytest.raises(ProblemError, match=r"does not exist"):
        encrypt_legacy(config, f"sqlite:///{tmp_path}/nowhere.db", parse_targets([CAMERAS]), silent, apply=True)

    assert list(tmp_path.iterdir()) == []


def test_file_that_is_no_database_is_refused(config: Config, tmp_path: Path) -> None:
    """It is left as it is."""
    (tmp_path / "letter.txt").write_text("dear " * 1000)

    with pytest.raises(ProblemError, match=r"no SQLite database"):
        encrypt_legacy(config, f"sqlite:///{tmp_path}/letter.txt", parse_targets([CAMERAS]), silent, apply=True)

    assert (tmp_path / "letter.txt").read_text() == "dear " * 1000


@pytest.mark.parametrize("suffix", ["", "?mode=memory"])
def test_drivers_and_parameters_in_the_url_are_understood(
    sqlite_application: SqliteApplication, config: Config, suffix: str
) -> None:
    """People paste what their application's settings hold."""
    sqlite_application.create()

    outcome = encrypt_legacy(
        config, f"sqlite+aiosqlite:///{sqlite_application.file}{suffix}", parse_targets([CAMERAS]), silent
    )

    assert outcome.total.to_encrypt == N


def test_constraint_that_refuses_the_value_is_one_sentence(filled: OtherApplication, config: Config) -> None:
    """The driver quotes the whole row; nothing of it is passed on, and what was done before is kept."""
    secret = "TAPIR5521 secret"
    filled.execute("CREATE TABLE notes (id integer PRIMARY KEY, body text CHECK (length(body) < 60))")
    filled.insert("notes", [(1, secret)])

    with pytest.raises(ProblemError, match=r"constraint or trigger does not let an encrypted value") as caught:
        run(filled, config, CAMERAS, "notes.body", apply=True)

    problem = caught.value
    assert "TAPIR" not in repr((problem.problem, problem.__cause__, problem.__context__))
    assert bodies(filled) == [secret]
    assert count_tokens(filled.dump()) == N


def test_user_without_the_right_is_told(postgres_application: PostgresApplication, config: Config) -> None:
    """A role that may read may count, and no more."""
    postgres_application.create()
    database = postgres_application.database
    reader = f"{database.name}_reader"
    database.server.create_role(reader, "reads")
    try:
        postgres_application.execute(f"GRANT SELECT ON cameras TO {reader}")
        url = f"postgresql://{reader}:reads@127.0.0.1:{database.server.port}/{database.name}"

        outcome = encrypt_legacy(config, url, parse_targets([CAMERAS]), silent)
        assert outcome.total.to_encrypt == N
        with pytest.raises(ProblemError, match=r"may not read or change cameras\.password"):
            encrypt_legacy(config, url, parse_targets([CAMERAS]), silent, apply=True)
    finally:
        postgres_application.execute(f"REVOKE ALL ON cameras FROM {reader}")
        database.server.drop_role(reader)


def test_rows_hidden_by_a_policy_are_an_error(postgres_application: PostgresApplication, config: Config) -> None:
    """Better than rows that stay in plaintext unseen."""
    postgres_application.create()
    postgres_application.execute(
        "ALTER TABLE cameras ENABLE ROW LEVEL SECURITY; ALTER TABLE cameras FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY own ON cameras USING (id = 1)"
    )

    with pytest.raises(ProblemError, match=r"may not read or change cameras\.password"):
        run(postgres_application, config, CAMERAS)


def test_lock_that_stays_ends_in_one_sentence(filled: OtherApplication, config: Config, impatient: None) -> None:
    """It is waited for, and then a person is told to come again."""
    with filled.connect() as session:
        cursor = session.cursor()
        cursor.execute("BEGIN" if filled.dialect == "postgresql" else "BEGIN IMMEDIATE")
        cursor.execute("UPDATE cameras SET name = name")

        with pytest.raises(ProblemError, match=r"Another session keeps .* locked") as caught:
            run(filled, config, CAMERAS, apply=True)
        cursor.execute("ROLLBACK")

    assert "Run the command again" in caught.value.problem.remedy
    assert run(filled, config, CAMERAS, apply=True).ok


def test_lock_that_passes_is_waited_for(filled: OtherApplication, config: Config, impatient: None) -> None:
    """The batch is tried again, and its values are counted once."""
    released = threading.Event()

    def hold() -> None:
        with filled.connect() as session:
            cursor = session.cursor()
            cursor.execute("BEGIN" if filled.dialect == "postgresql" else "BEGIN IMMEDIATE")
            cursor.execute("UPDATE cameras SET name = name")
            held.set()
            released.wait(0.2)
            cursor.execute("COMMIT")

    held = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)

    outcome = run(filled, config, CAMERAS, apply=True)

    holder.join()
    assert counted(outcome.total) == (N, N, 0, 2, {})


def test_lost_connection_is_one_sentence(postgres_application: PostgresApplication, config: Config) -> None:
    """What was done is kept; the next run goes on."""
    postgres_application.create()

    def cut(label: str, done: int, total: int) -> None:
        postgres_application.database.server.terminate_sessions(database=postgres_application.database.name)

    with pytest.raises(ProblemError, match=r"connection to the database was lost") as caught:
        encrypt_legacy(config, postgres_application.url, parse_targets(SPECS), cut, apply=True)

    assert "goes on where it stopped" in caught.value.problem.remedy
    assert count_tokens(postgres_application.dump()) == N
    assert run(postgres_application, config, apply=True).total.already_encrypted == N


# --- the application at work meanwhile -------------------------------------------------------------------------------


@contextlib.contextmanager
def before_first(prefix: str, action: Callable[[], object]) -> Iterator[None]:
    """Do something just before the first statement that begins so is sent."""
    done = False

    def watch(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal done
        if not done and statement.startswith(prefix):
            done = True
            action()

    sa.event.listen(sa.Engine, "before_cursor_execute", watch)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", watch)
    assert done


def test_edit_between_reading_and_writing_is_kept(
    postgres_application: PostgresApplication, config: Config, small_batches: None
) -> None:
    """The value that the application wrote wins, is met again and encrypted; its other columns are its own."""
    postgres_application.create()
    edits = (
        "UPDATE cameras SET password = 'changed meanwhile' WHERE id = 1;"
        "UPDATE cameras SET name = 'renamed meanwhile' WHERE id = 2;"
        "DELETE FROM cameras WHERE id = 3;"
        "INSERT INTO cameras VALUES (-1, 'behind the reader', 'inserted meanwhile')"
    )

    with before_first("UPDATE", lambda: postgres_application.execute(edits)):
        outcome = run(postgres_application, config, CAMERAS, apply=True)

    decrypt = decrypt_with(keys_of(config))
    rows = postgres_application.query("SELECT id, name, password FROM cameras WHERE password <> '' ORDER BY id")
    stored = {row_id: (name, decrypt(password)) for row_id, name, password in rows}
    assert outcome.ok
    assert stored[1] == ("camera 1", "changed meanwhile")
    assert stored[2] == ("renamed meanwhile", SECRETS[1])
    assert 3 not in stored
    assert stored[-1] == ("behind the reader", "inserted meanwhile")
    assert len(stored) == N == outcome.total.encrypted


@needs_own_server
def test_edit_that_only_changes_the_case_is_kept(folding_application: PostgresApplication, config: Config) -> None:
    """What the column's type or collation calls equal does not let the old text overwrite the new one."""
    folding_application.insert("notes", [("key", "secret", "secret", "secret")])
    edit = "UPDATE notes SET body = 'SECRET', plain = 'SECRET', own = 'SECRET'"

    with before_first("UPDATE", lambda: folding_application.execute(edit)):
        run(folding_application, config, *FOLDED, apply=True)

    row = folding_application.query("SELECT body, plain, own FROM notes")[0]
    assert tuple(map(decrypt_with(keys_of(config)), row)) == ("SECRET", "SECRET", "SECRET")


def test_sqlite_compares_letters_exactly(sqlite_application: SqliteApplication) -> None:
    """So does SQLite, in a column that does not."""
    sqlite_application.execute("CREATE TABLE notes (id integer PRIMARY KEY, body text COLLATE NOCASE)")
    put(sqlite_application, "SECRET")

    with open_foreign(sqlite_application.url, writable=True) as database, database.transaction():
        cells = database.cells(ColumnName(None, "notes", "body"))
        swapped = cells.swap([Swap(Cell((0,), "secret"), "new")])

    assert swapped == set()
    assert bodies(sqlite_application) == ["SECRET"]


def test_edits_all_the_while_are_all_kept(filled: OtherApplication, config: Config, small_batches: None) -> None:
    """A busy application loses no value and no other column, and its last plaintext is found in the end."""
    latest: dict[int, tuple[str, str]] = {}
    stop = threading.Event()

    def work() -> None:
        choose = random.Random(7)
        number = 0
        with filled.connect() as session:
            cursor = session.cursor()
            while not stop.is_set() and number < 2000:
                number += 1
                row_id, name, secret = choose.randint(1, N), f"name {number}", f"password {number}"
                edit = "UPDATE cameras SET name = ?, password = ? WHERE id = ?"
                filled.run(cursor, edit, (name, secret, row_id))
                latest[row_id] = (name, secret)
                time.sleep(0.001)  # SQLite's lock is not fair: who asks again at once gets it again

    editor = threading.Thread(target=work)
    editor.start()
    try:
        wait_until(lambda: len(latest) > 2, timeout_s=10, what="edits")
        for _ in range(5):
            run(filled, config, CAMERAS, apply=True)
    finally:
        stop.set()
        editor.join()
    outcome = run(filled, config, CAMERAS, apply=True)

    decrypt = decrypt_with(keys_of(config))
    rows = filled.query("SELECT id, name, password FROM cameras WHERE password <> ''")
    stored = {row_id: (name, decrypt(password)) for row_id, name, password in rows}
    assert outcome.ok
    assert {row_id: stored[row_id] for row_id in latest} == latest


def test_application_that_never_stops_is_told(
    notes: OtherApplication, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The passes end; what came last is reported."""
    put(notes, SECRET)
    numbers = iter(range(100, 200))

    def write_more(_label: str, _done: int, _total: int) -> None:
        notes.insert("notes", [(next(numbers), "more")])

    outcome = encrypt_legacy(config, notes.url, parse_targets(["notes.body"]), write_more, apply=True)

    assert outcome.late == 1
    assert not outcome.ok
    assert any("kept writing plaintext" in note for note in outcome.notes)
    assert outcome.total.encrypted == encrypting.MAX_PASSES


def test_two_runs_at_once_encrypt_each_value_once(
    filled: OtherApplication, config: Config, small_batches: None
) -> None:
    """They share the work; nothing is encrypted twice."""
    before = filled.dump()
    load_or_create_keys_in(config)
    outcomes: list[Outcome] = []
    runners = [threading.Thread(target=lambda: outcomes.append(run(filled, config, apply=True))) for _ in range(3)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()

    assert [outcome.ok for outcome in outcomes] == [True] * 3
    assert sum(outcome.total.encrypted for outcome in outcomes) == PLAINTEXTS
    assert filled.opened(filled.dump(), decrypt_with(keys_of(config))) == before


def load_or_create_keys_in(config: Config) -> None:
    """Make the key file."""
    config.config_dir.mkdir(exist_ok=True)
    load_or_create_keys(config.config_dir)


# --- killed ----------------------------------------------------------------------------------------------------------


def kill_at(number: int) -> None:
    """Let this process kill itself before or after one of its statements and commits, counted together from 1."""
    count = 0

    def watch(*_: object) -> None:
        nonlocal count
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        sa.event.listen(sa.Engine, name, watch)


KILL_EVERY = 3
"""Of the points where it may be killed, a number that falls on each kind of them in turn."""
REQUIRED_KILLS = 30


@forks
def test_kill_at_any_point_is_resumed(filled: OtherApplication, config: Config, small_batches: None) -> None:
    """Wherever it died, each value is as it was or encrypted; the next run does the rest and no more."""
    specs = (CAMERAS, SETTINGS, LOGINS)
    before = filled.dump()
    load_or_create_keys_in(config)
    decrypt = decrypt_with(keys_of(config))
    kills = 0
    while True:
        filled.fill()

        def interrupted(number: int = kills * KILL_EVERY + 1) -> None:
            kill_at(number)
            run(filled, config, *specs, apply=True)

        status = children.wait(children.start(interrupted))
        if status == 0:
            break
        assert status == -signal.SIGKILL
        kills += 1
        left = filled.dump()
        assert filled.opened(left, decrypt) == before

        outcome = run(filled, config, *specs, apply=True)

        done = filled.dump()
        assert filled.opened(done, decrypt) == before
        assert outcome.total.already_encrypted == count_tokens(left)
        assert outcome.total.encrypted + count_tokens(left) == count_tokens(done) == 2 * N + 2
        assert kept(left, done)

    assert kills >= REQUIRED_KILLS


def kept(left: Dump, done: Dump) -> bool:
    """Tell whether every cell that was encrypted before is the same afterwards."""
    return all(
        sorted(row for row in left[table] if PREFIX in repr(row))
        == sorted(row for row in done[table] if row in left[table] and PREFIX in repr(row))
        for table in left
    )


# --- traces ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("journal", ["DELETE", "TRUNCATE", "PERSIST", "WAL"])
@pytest.mark.parametrize("vacuum", [False, True], ids=["", "vacuum"])
def test_sqlite_file_keeps_no_plaintext(
    sqlite_application: SqliteApplication, config: Config, journal: str, vacuum: bool
) -> None:
    """Not in free space, not in overflow pages, not in an index; and the journal's mode stays what it was.

    Without --vacuum all but what SQLite itself copied within a page when it moved rows about, which is said.
    """
    sqlite_application.execute(f"PRAGMA journal_mode = {journal}")
    sqlite_application.execute("CREATE TABLE notes (id integer PRIMARY KEY, body text)")
    sqlite_application.execute("CREATE INDEX by_body ON notes (body)")
    put(sqlite_application, *(f"NUTHATCH{number} " * (number * 37 % 900 + 1) for number in range(300)))
    if vacuum:  # remains of an earlier life, which no update reaches
        sqlite_application.insert("notes", [(1000 + number, f"NUTHATCH gone {number}" * 90) for number in range(50)])
        with sqlite_application.connect() as connection:
            connection.execute("PRAGMA secure_delete = OFF")
            connection.execute("DELETE FROM notes WHERE id >= 1000")
        assert b"NUTHATCH gone" in sqlite_application.raw_bytes()
    before = sqlite_application.raw_bytes().count(b"NUTHATCH")

    outcome = run(sqlite_application, config, "notes.body", apply=True, vacuum=vacuum)

    assert outcome.ok
    if journal != "PERSIST":  # the application's own way to keep a journal keeps its content as well
        assert sqlite_application.raw_bytes().count(b"NUTHATCH") <= (0 if vacuum else before // 100)
    kept_mode = "delete" if journal in ("TRUNCATE", "PERSIST") else journal.lower()
    assert sqlite_application.query("PRAGMA journal_mode") == [(kept_mode,)]
    assert ("--vacuum rewrites the file" in outcome.notes[-2]) is not vacuum


def test_sqlite_log_that_others_hold_open_is_pointed_out(
    sqlite_application: SqliteApplication, config: Config, impatient: None
) -> None:
    """A reader keeps the write-ahead log from being emptied; with --vacuum that is a failure to look into."""
    sqlite_application.execute("PRAGMA journal_mode = WAL")
    sqlite_application.create()
    with sqlite_application.connect() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM cameras").fetchone()

        outcome = run(sqlite_application, config, apply=True)

        assert outcome.ok
        assert "write-ahead log beside the file" in outcome.notes[-2]

    assert run(sqlite_application, config, apply=True, vacuum=True).ok


def test_postgresql_statement_that_is_recommended_removes_the_rest(
    postgres_application: PostgresApplication, config: Config
) -> None:
    """Old row versions and the planner's statistics hold plaintext until then."""
    postgres_application.create()
    postgres_application.execute("ANALYZE")
    statistics = (
        "SELECT histogram_bounds::text || coalesce(most_common_vals::text, '') FROM pg_stats WHERE tablename = ?"
    )

    outcome = run(postgres_application, config, CAMERAS, LOGINS, apply=True)

    assert "CAPYBARA" in repr(postgres_application.query(statistics, ("cameras",)))
    note = next(note for note in outcome.notes if "VACUUM" in note)
    postgres_application.execute(note[note.index("VACUUM") : note.index(";")])
    assert postgres_application.query(statistics, ("cameras",))
    assert "CAPYBARA" not in repr(postgres_application.query(statistics, ("cameras",)))


def test_vacuum_is_for_sqlite(postgres_application: PostgresApplication, config: Config) -> None:
    """PostgreSQL's locks the table; that is its administrator's choice."""
    with pytest.raises(UsageError, match=r"--vacuum is for SQLite"):
        run(postgres_application, config, apply=True, vacuum=True)
    with pytest.raises(UsageError, match=r"--vacuum goes with --apply"):
        run(postgres_application, config, vacuum=True)


@pytest.mark.parametrize(
    ("columns", "scan"),
    [
        pytest.param("id integer, body text", "Tid Range Scan", id="no-key"),
        pytest.param("id integer PRIMARY KEY, body text", "Index Scan", id="key"),
        pytest.param("id integer, body text, PRIMARY KEY (id, body)", "Index Scan", id="key-of-two"),
    ],
)
def test_batch_of_a_large_table_reads_its_own_rows_only(database: Database, columns: str, scan: str) -> None:
    """For reading as for writing, even where the planner has no statistics: time grows with the table, not faster."""
    application = PostgresApplication(database)
    application.execute(f"CREATE TABLE notes ({columns}, secret text)")
    application.execute("INSERT INTO notes SELECT n, 'body', 'secret ' || n FROM generate_series(1, 20000) n")
    plans: list[str] = []

    with open_foreign(application.url, writable=True) as opened, opened.transaction():
        cells = opened.cells(ColumnName(None, "notes", "secret"))
        found, after = cells.read(None)
        with explained(plans):
            cells.swap([Swap(cell, "new") for cell in found])
            cells.read(after)

    assert 0 < len(found) < 2000
    plans = [plan for plan in plans if "notes" in plan]
    assert len(plans) == 2
    assert all(scan in plan and "Seq Scan" not in plan for plan in plans)


@contextlib.contextmanager
def explained(plans: list[str]) -> Iterator[None]:
    """Keep PostgreSQL's plan of each statement."""

    def watch(_connection: object, cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        cursor.execute(f"EXPLAIN {statement}", parameters)
        plans.append("\n".join(row[0] for row in cursor.fetchall()))

    sa.event.listen(sa.Engine, "before_cursor_execute", watch)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", watch)

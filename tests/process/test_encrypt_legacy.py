"""`taskflow-sidecar vault encrypt-legacy` as people run it: typed, piped, killed, repeated, beside a sidecar."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.core.encryption import PREFIX
from app.core.fernet_keys import KeyRing
from app.core.security import existing_keys
from tests.support import children
from tests.support.canaries import CANARIES, find_canary, scan_files, scan_process
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
from tests.support.sidecar import COMMAND, clean_environment, run_command
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.conftest import SidecarFactory
    from tests.support.databases import Database
    from tests.support.postgres import PostgresServer

N = len(SECRETS)
PLAINTEXTS = N + 2 + 2 * N + N + N
"""Of the cameras, the settings, the rules, the memberships and the door codes."""
KILLED_COPIES = 200
REQUIRED_KILLS = 8


@pytest.fixture
def database(empty_database: Database) -> Database:
    """What is tested here finds a database empty."""
    return empty_database


@pytest.fixture
def memory() -> Iterator[Path]:
    """A directory that is quick to write to."""
    with children.directory() as directory:
        yield directory


@pytest.fixture(params=["sqlite", "postgresql"])
def application(request: pytest.FixtureRequest, memory: Path) -> OtherApplication:
    """An application full of secrets, on each database."""
    made = make_application(request, memory, request.param)
    made.create()
    return made


@pytest.fixture
def config_dir(tmp_path: Path) -> Path:
    """A config directory that does not exist yet."""
    return tmp_path / "config"


def arguments(specs: Sequence[str], *more: str) -> list[str]:
    """Return the command's arguments but for the database."""
    columns = [word for spec in specs for word in ("--column", spec)]
    return ["vault", "encrypt-legacy", *columns, *more]


def encrypt(
    application: OtherApplication, config_dir: Path, *more: str, specs: Sequence[str] = SPECS
) -> subprocess.CompletedProcess[str]:
    """Run the command with the URL on stdin; whatever it prints holds no secret."""
    result = run_command(
        *arguments(specs, "--database-url", "-", *more), config_dir=config_dir, stdin=f"{application.url}\n"
    )
    assert_clean(result.stdout + result.stderr, application)
    return result


def assert_clean(output: str, application: OtherApplication) -> None:
    """Fail if any secret shows in a text, or the database's password."""
    for canary in (
        *SECRETS,
        *([application.database.password] if isinstance(application, PostgresApplication) else []),
    ):
        assert find_canary(output, canary) == []


def opened(application: OtherApplication, dump: Dump, config_dir: Path) -> Dump:
    """Put the plaintext back into a dump."""
    keys = existing_keys(config_dir) or KeyRing(())
    return application.opened(dump, lambda value: keys.decrypt(value.removeprefix(PREFIX).encode()).decode())


# --- the whole story -------------------------------------------------------------------------------------------------


def test_dry_run_then_apply_then_again(application: OtherApplication, config_dir: Path) -> None:
    """Counted first, encrypted then, and nothing left for a second time; every secret is where it was."""
    before = application.dump()

    dry = encrypt(application, config_dir)
    assert dry.returncode == 0, dry.stderr
    assert application.dump() == before
    assert not config_dir.exists()
    assert dry.stdout.splitlines()[:-1] == [
        f"{CAMERAS}: {N} to encrypt, 0 already encrypted, 2 empty, 0 skipped",
        f"{SETTINGS}: 2 to encrypt, 0 already encrypted, 0 empty, 0 skipped",
        f"{HEADERS}: {2 * N} to encrypt, 0 already encrypted, {N + 1} empty, {N} skipped ({N} not text)",
        f"{TOKENS}: {N} to encrypt, 0 already encrypted, {N} empty, 0 skipped",
        f"{LOGINS}: {N} to encrypt, 0 already encrypted, 0 empty, 0 skipped",
        f"total: {PLAINTEXTS} to encrypt, 0 already encrypted, {2 * N + 3} empty, {N} skipped ({N} not text)",
    ]
    assert dry.stdout.splitlines()[-1] == "This was a dry run: nothing was changed. Add --apply to encrypt."

    applied = encrypt(application, config_dir, "--apply")
    after = application.dump()
    assert applied.returncode == 0, applied.stderr
    assert f"total: {PLAINTEXTS} encrypted, 0 already encrypted" in applied.stdout
    assert count_tokens(after) == PLAINTEXTS
    assert opened(application, after, config_dir) == before
    for secret in SECRETS:
        assert find_canary(repr(after), secret) == []

    again = encrypt(application, config_dir, "--apply", "--json")
    assert again.returncode == 0, again.stderr
    assert application.dump() == after
    total = json.loads(again.stdout)["total"]
    assert (total["to_encrypt"], total["encrypted"], total["already_encrypted"]) == (0, 0, PLAINTEXTS)

    for name, canary in CANARIES.items():
        assert scan_files(config_dir, canary) == {}, name


def test_plaintext_is_not_sent_back_to_the_server(
    database: Database, config_dir: Path, postgres: PostgresServer
) -> None:
    """A server that logs every statement, as audits want it, sees ciphertexts; what was read is compared otherwise."""
    application = PostgresApplication(database)
    application.create()
    postgres.execute(f"ALTER DATABASE \"{database.name}\" SET log_statement = 'all'")
    before = len(postgres.log_text())

    applied = encrypt(application, config_dir, "--apply")

    told = postgres.log_text()[before:]
    assert applied.returncode == 0, applied.stderr
    assert "UPDATE" in told
    for secret in SECRETS:
        assert find_canary(told, secret) == []


def test_what_may_still_hold_plaintext_is_told(application: OtherApplication, config_dir: Path) -> None:
    """Each database in its own way, and what the new values hang on."""
    applied = encrypt(application, config_dir, "--apply")

    traces, key = applied.stdout.splitlines()[-2:]
    remedy = {
        "sqlite": "--vacuum",
        "postgresql": 'VACUUM (FULL, ANALYZE) "public"."cameras", "public"."system_settings"',
    }
    assert "backups" in traces
    assert remedy[application.dialect] in traces
    assert re.fullmatch(r"The values open with the key [0-9a-f]{16} only: .*", key)


def test_json_is_all_there_is_on_stdout(application: OtherApplication, config_dir: Path) -> None:
    """Progress goes to stderr; a program can read the rest."""
    result = encrypt(application, config_dir, "--json")

    document = json.loads(result.stdout)
    assert [column["column"] for column in document["columns"]] == list(SPECS)
    assert document["columns"][0] == {
        "column": CAMERAS,
        "rows": N + 2,
        "to_encrypt": N,
        "encrypted": 0,
        "already_encrypted": 0,
        "empty": 2,
        "skipped": {},
    }
    assert document["applied"] is False
    assert document["late"] == 0
    assert result.stderr.splitlines()[0] == f"{CAMERAS}: {N + 2} of {N + 2}"


def test_bar_is_shown_on_a_terminal(application: OtherApplication, config_dir: Path) -> None:
    """With the labels as they were typed, and no value."""
    master, slave = pty.openpty()
    with tempfile.TemporaryDirectory() as home:
        environment = {**clean_environment(Path(home)), "TASKFLOW_CONFIG_DIR": str(config_dir), "TERM": "xterm"}
        process = subprocess.Popen(
            [*COMMAND, *arguments(SPECS, "--database-url", application.url, "--apply")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=slave,
            env={**environment, "COLUMNS": "160"},
        )
        os.close(slave)
        shown = read_terminal(master)
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 0
    assert "\x1b[" in shown
    assert SETTINGS in shown
    assert f"{N + 2}/{N + 2}" in shown
    assert_clean(shown + output.decode(), application)


def read_terminal(master: int) -> str:
    """Read all that is shown until the program at the other end is done."""
    shown = b""
    while True:
        try:
            piece = os.read(master, 1 << 16)
        except OSError:  # how Linux tells that nobody holds the other end any more
            piece = b""
        if not piece:
            os.close(master)
            return shown.decode()
        shown += piece


# --- the database's URL ----------------------------------------------------------------------------------------------


def test_url_may_be_an_argument_or_in_a_file(application: OtherApplication, config_dir: Path, tmp_path: Path) -> None:
    """All ways lead to the same database; the file may have been written on Windows."""
    file = tmp_path / "url.txt"
    file.write_bytes(b"\xef\xbb\xbf" + application.url.encode() + b"\r\n")

    for way in (("--database-url", application.url), ("--database-url-file", str(file))):
        result = run_command(*arguments([CAMERAS], *way), config_dir=config_dir)
        assert result.returncode == 0, result.stderr
        assert f"{CAMERAS}: {N} to encrypt" in result.stdout
        assert_clean(result.stdout + result.stderr, application)


@pytest.mark.parametrize("option", ["--database-url", "--database-url-file"])
def test_password_from_stdin_is_seen_by_nobody(postgres: PostgresServer, config_dir: Path, option: str) -> None:
    """Neither arguments nor environment of the running command hold it."""
    with fresh_database(postgres) as database, tempfile.TemporaryDirectory() as home:
        application = PostgresApplication(database)
        application.create()
        process = subprocess.Popen(
            [*COMMAND, *arguments([CAMERAS], option, "-")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**clean_environment(Path(home)), "TASKFLOW_CONFIG_DIR": str(config_dir)},
        )
        assert process.stdin is not None
        process.stdin.write(application.url)
        process.stdin.flush()

        assert process.poll() is None
        assert scan_process(process.pid, database.password) == {}
        output, errors = process.communicate(timeout=60)

    assert process.returncode == 0, errors
    assert f"{CAMERAS}: {N} to encrypt" in output


@pytest.mark.parametrize(
    ("more", "stdin", "sentence"),
    [
        pytest.param([], "", "Give the database URL with --database-url-file or with --database-url.", id="none"),
        pytest.param(
            ["--database-url", "x", "--database-url-file", "y"],
            "",
            "Give the database URL with --database-url-file or with --database-url.",
            id="both",
        ),
        pytest.param(["--database-url", "-"], "\n", "No database URL was given.", id="nothing-on-stdin"),
        pytest.param(
            ["--database-url-file", "nowhere"],
            "",
            "The file with the database URL cannot be read: No such file or directory.",
            id="no-file",
        ),
        pytest.param(
            ["--database-url", "postgresql://lead:TAPIR5521-WOMBAT88@host"],
            "",
            "The database URL is not complete: write it as postgresql://user:password@host:5432/database"
            " or sqlite:///path.",
            id="incomplete",
        ),
    ],
)
def test_url_that_cannot_be_used_is_one_sentence(config_dir: Path, more: list[str], stdin: str, sentence: str) -> None:
    """A usage error, which repeats no part of it."""
    result = run_command(*arguments([CAMERAS], *more), config_dir=config_dir, stdin=stdin)

    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == f"taskflow-sidecar: {sentence}\n"


def test_rejected_password_is_one_sentence(postgres: PostgresServer, config_dir: Path) -> None:
    """The same as everywhere else, without the password."""
    with fresh_database(postgres) as database:
        url = database.url.replace(database.password, "TAPIR5521-WOMBAT88")
        result = run_command(*arguments([CAMERAS], "--database-url", url), config_dir=config_dir)

    assert result.returncode == 1
    assert result.stderr == (
        "taskflow-sidecar: The database server rejected the user name or the password."
        " Enter the right user name and password.\n"
    )


def test_misspelt_column_is_a_usage_error(application: OtherApplication, config_dir: Path) -> None:
    """One sentence with the nearest right name."""
    result = encrypt(application, config_dir, "--apply", specs=["cameras.pasword"])

    assert result.returncode == 2
    assert result.stderr == ("taskflow-sidecar: The table cameras has no column pasword. Did you mean password?\n")


def test_value_that_stays_in_plaintext_shows_in_the_exit_status(
    application: OtherApplication, config_dir: Path, tmp_path: Path
) -> None:
    """A program that runs this learns that somebody has to look."""
    assert encrypt(application, config_dir, "--apply", specs=[CAMERAS]).returncode == 0

    result = encrypt(application, tmp_path / "another config", "--apply", specs=[CAMERAS])

    assert result.returncode == 1
    assert f"{N} skipped ({N} encrypted under another key)" in result.stdout


# --- killed, and beside others ---------------------------------------------------------------------------------------


def test_killed_command_is_resumed(application: OtherApplication, config_dir: Path) -> None:
    """SIGKILL as the work goes on, again and again: no value is lost or encrypted twice, the counts add up."""
    application.fill(copies=KILLED_COPIES)
    before = application.dump()
    specs = [CAMERAS, LOGINS]
    wanted = 2 * N * KILLED_COPIES
    kills = 0
    with tempfile.TemporaryDirectory() as home:
        environment = {**clean_environment(Path(home)), "TASKFLOW_CONFIG_DIR": str(config_dir)}
        while kills < REQUIRED_KILLS:
            done = encrypted(application)
            process = subprocess.Popen(
                [*COMMAND, *arguments(specs, "--database-url", application.url, "--apply")],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment,
            )
            wait_until(
                lambda done=done: encrypted(application) > done,  # type: ignore[misc]
                timeout_s=60,
                what="progress",
                interval_s=0.001,
            )
            process.kill()
            output, _ = process.communicate(timeout=60)
            assert_clean(output.decode(), application)
            if process.returncode == 0:
                break
            kills += 1
    assert kills >= REQUIRED_KILLS
    left = application.dump()
    assert opened(application, left, config_dir) == before
    done = count_tokens(left)
    assert 0 < done < wanted

    result = encrypt(application, config_dir, "--apply", "--json", specs=specs)

    assert result.returncode == 0, result.stderr
    total = json.loads(result.stdout)["total"]
    assert (total["encrypted"], total["already_encrypted"]) == (wanted - done, done)
    after = application.dump()
    assert count_tokens(after) == wanted
    assert opened(application, after, config_dir) == before


def encrypted(application: OtherApplication) -> int:
    """Count the encrypted values that the application sees now."""
    rows = application.query(
        "SELECT (SELECT count(*) FROM cameras WHERE password LIKE 'encrypted:%')"
        " + (SELECT count(*) FROM door_codes WHERE code LIKE 'encrypted:%')"
    )
    return int(rows[0][0])


def test_it_works_beside_a_running_sidecar_with_its_key(
    application: OtherApplication, sidecar_factory: SidecarFactory
) -> None:
    """The sidecar keeps running, and the values open with its key."""
    sidecar = sidecar_factory().wait_healthy()
    before = application.dump()

    result = encrypt(application, sidecar.config_dir, "--apply")

    assert result.returncode == 0, result.stderr
    assert opened(application, application.dump(), sidecar.config_dir) == before
    assert sidecar.health()[0] == 200
    assert_clean(sidecar.log_text() + sidecar.stderr_text(), application)


def test_vacuumed_sqlite_file_holds_no_secret(memory: Path, config_dir: Path) -> None:
    """Whatever is in the file and beside it, the secrets are not."""
    application = SqliteApplication(memory / "app.db")
    application.create(copies=20)
    application.execute("CREATE INDEX by_password ON cameras (password)")

    result = encrypt(application, config_dir, "--apply", "--vacuum")

    assert result.returncode == 0, result.stderr
    raw = application.raw_bytes()
    for secret in SECRETS:
        assert find_canary(raw, secret) == []

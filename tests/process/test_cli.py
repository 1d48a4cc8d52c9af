"""The command line: every command beside a stopped and a running sidecar, every way to call it wrongly."""

from __future__ import annotations

import json
import os
import re
import tempfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet

from app.core.config import VARIABLES
from app.core.security import CREDENTIALS_FILE, KEY_FILE, existing_keys, read_credentials, save_credentials
from app.db.migrations import HEAD
from tests.support import children
from tests.support.network import free_port
from tests.support.sidecar import Sidecar, clean_environment, run_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import SidecarFactory
    from tests.support.children import Finished
    from tests.support.databases import Database

VALUES = {"host": "127.0.0.1", "port": 1, "database": "team", "username": "lead", "password": "CANARY-p@ss w/rd"}
CHECKS = ["config directory", "sidecar", "key", "credentials", "database", "clock", "proxies"]


@pytest.fixture
def database(empty_database: Database) -> Database:
    """What is tested here finds a database empty."""
    return empty_database


@pytest.fixture
def config_dir() -> Iterator[Path]:
    """A config directory that does not exist yet."""
    with children.directory() as parent:
        yield parent / "config"


@pytest.fixture
def run(config_dir: Path, tmp_path: Path) -> Callable[..., Finished]:
    """Run a command on `config_dir` with a clean environment; keywords are more variables, None takes one away."""

    def run_it(*arguments: str, **variables: str | None) -> Finished:
        environment = {**clean_environment(tmp_path), "TASKFLOW_CONFIG_DIR": str(config_dir), **variables}
        return children.run_command(*arguments, environment={k: v for k, v in environment.items() if v is not None})

    return run_it


def saved_host(directory: Path) -> Any:
    """The host of the saved connection."""
    keys = existing_keys(directory)
    found = None if keys is None else read_credentials(directory, keys)
    return None if found is None else found.values["host"]


def sentence(finished: Finished) -> str:
    """The one line on stderr, without the program's name."""
    assert finished.stdout == ""
    match = re.fullmatch(r"taskflow-sidecar: (.+\.)\n", finished.stderr)
    assert match, finished.stderr
    return match[1]


# --- status ----------------------------------------------------------------------------------------------------------


def test_status_of_a_running_sidecar(sidecar_factory: SidecarFactory) -> None:
    """For people and for machines; with real processes on both ends."""
    sidecar = sidecar_factory().wait_healthy()

    plain = run_command("status", config_dir=sidecar.config_dir)
    as_json = run_command("status", "--json", config_dir=sidecar.config_dir)

    assert (plain.returncode, as_json.returncode) == (0, 0), plain.stderr + as_json.stderr
    assert plain.stdout.splitlines()[0] == f"state: ready (embedded), version {sidecar.status()['version']}"
    assert [line.split()[1] for line in plain.stdout.splitlines()[1:]] == ["done"] * 6
    assert json.loads(as_json.stdout)["instance"] == sidecar.status()["instance"]
    assert sidecar.token not in plain.stdout + plain.stderr + as_json.stdout + as_json.stderr


def test_status_tells_the_problem(
    sidecar_factory: SidecarFactory, run: Callable[..., Finished], config_dir: Path
) -> None:
    """Message and remedy, as `/health` and the settings page tell them."""
    sidecar = sidecar_factory(config_dir=config_dir, env={"TASKFLOW_EMBEDDED": "0"})
    problem = sidecar.wait_for_problem("database-not-configured")

    finished = run("status")

    assert finished.status == 0
    assert finished.stdout.endswith(f"{problem['message']} {problem['remedy']}\n")


def test_status_without_authentication(
    sidecar_factory: SidecarFactory, run: Callable[..., Finished], config_dir: Path
) -> None:
    """There is no token to prove then."""
    sidecar_factory(config_dir=config_dir, args=("--no-auth",)).wait_healthy()

    assert run("status").status == 0


@pytest.mark.parametrize("arguments", [("status",), ("status", "--json")])
def test_status_without_a_sidecar(run: Callable[..., Finished], arguments: tuple[str, ...]) -> None:
    """Not zero, one sentence."""
    finished = run(*arguments)

    assert finished.status == 1
    assert sentence(finished) == "No sidecar is running with this config directory."


STALE: dict[str, object] = {
    "nobody listens": {"url": "http://127.0.0.1:1/", "token": "a" * 64},
    "no port": {"url": "http://127.0.0.1/", "token": "a" * 64},
    "impossible port": {"url": "http://127.0.0.1:99999/", "token": "a" * 64},
    "no host": {"url": "nonsense", "token": "a" * 64},
    "broken address": {"url": "http://[::1", "token": "a" * 64},
    "no address": {"token": "a" * 64},
    "address is a number": {"url": 8000, "token": "a" * 64},
    "token is a number": {"url": "http://127.0.0.1:1/", "token": 1},
    "token is not ASCII": {"url": "http://127.0.0.1:1/", "token": "ключ"},
    "a list": [],
    "a word": "sidecar",
}


@pytest.mark.parametrize(
    "content", [*map(json.dumps, STALE.values()), "", "{", "\x00"], ids=[*STALE, "empty", "cut", "nul"]
)
def test_stale_run_file_is_no_sidecar(run: Callable[..., Finished], config_dir: Path, content: str) -> None:
    """A killed sidecar leaves its `sidecar.json`, and files can be damaged."""
    config_dir.mkdir()
    (config_dir / "sidecar.json").write_text(content)

    finished = run("status")

    assert finished.status == 1
    assert sentence(finished) == "No sidecar is running with this config directory."


def test_token_is_not_shown_to_whoever_took_the_port(
    run: Callable[..., Finished], config_dir: Path, sidecar_factory: SidecarFactory
) -> None:
    """A server that cannot prove to know the token, even another sidecar, never sees it."""
    other = sidecar_factory(args=("--log-level", "debug")).wait_healthy()
    config_dir.mkdir()
    (config_dir / "sidecar.json").write_text(json.dumps({"url": other.url, "token": "c0ffee" * 8}))

    finished = run("status")

    assert finished.status == 1
    assert "c0ffee" not in other.log_text() + other.stderr_text() + finished.text


# --- key rotate ------------------------------------------------------------------------------------------------------


def test_key_is_rotated_beside_a_stopped_sidecar(run: Callable[..., Finished], config_dir: Path) -> None:
    """The credentials stay readable; what a killed writer left is removed on the way."""
    config_dir.mkdir()
    save_credentials(config_dir, VALUES)
    key = (config_dir / KEY_FILE).read_bytes()
    (config_dir / ".fernet.key.0123456789abcdef.tmp").touch()

    finished = run("key", "rotate")

    assert finished.status == 0, finished.text
    assert finished.stdout.startswith("fernet.key was replaced")
    assert saved_host(config_dir) == VALUES["host"]
    assert not (config_dir / KEY_FILE).read_bytes().startswith(key)
    assert list(config_dir.glob(".*.tmp")) == []


def test_key_is_rotated_through_a_running_sidecar(database: Database, sidecar_factory: SidecarFactory) -> None:
    """It goes on serving, and finds its credentials at the next start."""
    sidecar = sidecar_factory()
    sidecar.save_connection(database.fields())
    sidecar.wait_healthy()
    key = (sidecar.config_dir / KEY_FILE).read_bytes()

    finished = run_command("key", "rotate", config_dir=sidecar.config_dir)

    assert finished.returncode == 0, finished.stderr
    assert (sidecar.config_dir / KEY_FILE).read_bytes() != key
    assert len((sidecar.config_dir / KEY_FILE).read_bytes()) == 44
    assert sidecar.health()[0] == 200
    sidecar.stop()
    sidecar.start().wait_healthy()
    assert sidecar.status()["mode"] == "postgresql"


def test_refused_rotation_is_worded(
    sidecar_factory: SidecarFactory, run: Callable[..., Finished], config_dir: Path
) -> None:
    """What the running sidecar answers is what the person reads."""
    sidecar_factory(config_dir=config_dir).wait_healthy()
    (config_dir / CREDENTIALS_FILE).write_bytes(b"damaged")

    finished = run("key", "rotate")

    assert finished.status == 1
    assert sentence(finished) == "The saved database settings cannot be decrypted with the present key."


@pytest.mark.parametrize("is_stale", [False, True], ids=["no-run-file", "stale-run-file"])
def test_sidecar_of_a_launcher_is_left_alone(
    sidecar_factory: SidecarFactory, run: Callable[..., Finished], config_dir: Path, *, is_stale: bool
) -> None:
    """Only its desktop program knows its token: exit status 4, and nothing is touched."""
    sidecar = sidecar_factory(config_dir=config_dir, stdio=True)
    sidecar.wait_for_event("state", where=lambda event: event["state"] == "ready")
    key = (config_dir / KEY_FILE).read_bytes()
    if is_stale:
        (config_dir / "sidecar.json").write_text(json.dumps(STALE["nobody listens"]))

    for arguments in (("key", "rotate"), ("status",)):
        finished = run(*arguments)

        assert finished.status == 4
        assert sentence(finished) == (
            "The running sidecar was started by its desktop program, which alone can talk to it."
        )
    assert (config_dir / KEY_FILE).read_bytes() == key
    assert sidecar.health()[0] == 200


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ({KEY_FILE: b"damaged"}, "The key file fernet.key is damaged. "),
        ({KEY_FILE: None}, "The key file fernet.key is missing, "),
        ({CREDENTIALS_FILE: b"damaged"}, "The saved database settings cannot be decrypted "),
        ({KEY_FILE: None, CREDENTIALS_FILE: None}, "There is no key file fernet.key yet. "),
    ],
)
def test_rotation_that_cannot_be_is_worded(
    run: Callable[..., Finished], config_dir: Path, damage: dict[str, bytes | None], expected: str
) -> None:
    """One sentence for the cause, one for the remedy; the files stay as they are."""
    config_dir.mkdir()
    save_credentials(config_dir, VALUES)
    for name, content in damage.items():
        (config_dir / name).unlink()
        if content is not None:
            (config_dir / name).write_bytes(content)
    before = {path.name: path.read_bytes() for path in config_dir.iterdir()}

    finished = run("key", "rotate")

    assert finished.status == 1
    assert sentence(finished).startswith(expected)
    assert {name: (config_dir / name).read_bytes() for name in before} == before


# --- doctor ----------------------------------------------------------------------------------------------------------


def checks_of(finished: Finished) -> dict[str, dict[str, Any]]:
    """What `doctor --json` found, by the name of the check."""
    return {check["name"]: check for check in json.loads(finished.stdout)}


def test_doctor_finds_nothing_wrong_before_the_first_start(run: Callable[..., Finished], config_dir: Path) -> None:
    """Nothing exists yet, nothing is made, everything is well."""
    finished = run("doctor")

    assert finished.status == 0, finished.text
    names = re.findall(r"^ok +([a-z ]+): .+$", finished.stdout, re.MULTILINE)
    assert len(names) == len(finished.stdout.splitlines())
    assert set(names) >= set(CHECKS)
    assert not config_dir.exists()


def test_doctor_beside_a_running_and_a_stopped_sidecar(
    database: Database, sidecar_factory: SidecarFactory, run: Callable[..., Finished], config_dir: Path
) -> None:
    """A saved connection to a real server: every check is well in both states."""
    sidecar = sidecar_factory(config_dir=config_dir)
    sidecar.save_connection(database.fields())
    sidecar.wait_healthy()

    beside_running = run("doctor", "--json")
    sidecar.stop()
    beside_stopped = run("doctor", "--json")

    assert (beside_running.status, beside_stopped.status) == (0, 0), beside_running.text + beside_stopped.text
    assert {name for name, check in checks_of(beside_running).items() if check["ok"]} >= set(CHECKS)
    assert checks_of(beside_running)["sidecar"]["message"] == "One is running with this config directory."
    assert checks_of(beside_stopped)["sidecar"]["message"] == "None is running."
    assert HEAD in checks_of(beside_running)["database"]["message"]
    assert database.password not in beside_running.text + beside_stopped.text


def damage_key(directory: Path) -> None:
    """Half a key."""
    (directory / KEY_FILE).write_bytes(b"half a ke")


def lose_key(directory: Path) -> None:
    """No key."""
    (directory / KEY_FILE).unlink(missing_ok=True)


def change_key(directory: Path) -> None:
    """Another key."""
    (directory / KEY_FILE).write_bytes(Fernet.generate_key())


def open_to_others(directory: Path) -> None:
    """Rights that nobody else should have."""
    (directory / KEY_FILE).chmod(0o644)


def leave(_: Path) -> None:
    """Nothing, but the server of the saved connection is not there."""


@pytest.mark.parametrize(
    ("damage", "wrong", "message"),
    [
        (damage_key, {"key", "credentials", "database"}, "fernet.key is damaged"),
        (lose_key, {"key", "credentials", "database"}, "fernet.key is missing"),
        (change_key, {"credentials", "database"}, "cannot be decrypted"),
        (open_to_others, {"config directory", "database"}, "Other users can read fernet.key"),
        (leave, {"database"}, "refused the connection"),
    ],
)
def test_doctor_names_what_is_wrong_and_the_remedy(
    run: Callable[..., Finished], config_dir: Path, damage: Callable[[Path], None], wrong: set[str], message: str
) -> None:
    """Exit status 1; no check keeps the others from being made; nothing secret is printed."""
    config_dir.mkdir(mode=0o700)
    save_credentials(config_dir, VALUES)
    damage(config_dir)

    plain = run("doctor")
    damage(config_dir)  # once more: rights are repaired as soon as a file is read
    as_json = run("doctor", "--json")

    checks = checks_of(as_json)
    assert (plain.status, as_json.status) == (1, 1)
    assert {name for name, check in checks.items() if not check["ok"]} & set(CHECKS) == wrong
    assert any(message in check["message"] for check in checks.values())
    assert all(check["remedy"] for check in checks.values() if not check["ok"])
    assert message in plain.stdout
    assert "WRONG" in plain.stdout
    assert "CANARY" not in plain.text + as_json.text


def test_doctor_names_proxies_and_no_more_of_them(run: Callable[..., Finished]) -> None:
    """Their addresses may hold a password."""
    finished = run("doctor", HTTPS_PROXY="http://u:CANARY@proxy:3128", ALL_PROXY="socks5://CANARY")

    assert finished.status == 0
    assert "HTTPS_PROXY, ALL_PROXY set" in finished.stdout
    assert "CANARY" not in finished.text


def test_doctor_survives_a_directory_that_is_a_file(run: Callable[..., Finished], config_dir: Path) -> None:
    """Every check is made, none crashes."""
    config_dir.write_bytes(b"")

    finished = run("doctor", "--json")

    assert finished.status == 1
    assert checks_of(finished)["config directory"]["message"] == "It is not a directory."
    assert set(checks_of(finished)) >= set(CHECKS)


def test_bundle_holds_what_support_needs_and_nothing_secret(
    sidecar_factory: SidecarFactory, run: Callable[..., Finished], config_dir: Path, tmp_path: Path
) -> None:
    """Checks, versions, logs; owner-only; redacted once more, whatever has got into a log."""
    sidecar = sidecar_factory(config_dir=config_dir).wait_healthy()
    sidecar.stop()
    key = (config_dir / KEY_FILE).read_text()
    log = config_dir / "data" / "logs" / "sidecar.log"
    with log.open("a") as file:
        file.write(f'a line of another program: {key} password=CANARY postgresql://u:CANARY@h/d "token": "CANARY"\n')
        file.write(f"{'x' * 100}\n" * 11_000 + '{"message": "the last line"}\n')
    log.with_name("sidecar.log.1").write_text('{"message": "older"}\n')

    finished = run("doctor", "--bundle", str(tmp_path / "bundle.zip"), HTTPS_PROXY="http://CANARY@proxy")

    assert finished.status == 0, finished.text
    assert (tmp_path / "bundle.zip").stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        content = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(content) == {"doctor.json", "about.json", "logs/sidecar.log", "logs/sidecar.log.1"}
    assert {check["name"] for check in json.loads(content["doctor.json"])} >= set(CHECKS)
    assert json.loads(content["about.json"])["variables"] == ["TASKFLOW_CONFIG_DIR"]
    assert content["logs/sidecar.log"].endswith('{"message": "the last line"}\n')
    assert content["logs/sidecar.log.1"] == '{"message": "older"}\n'
    for text in (*content.values(), finished.text):
        assert "CANARY" not in text
        assert key not in text
        assert sidecar.token not in text


def test_bundle_with_a_short_log_is_redacted_line_by_line(
    run: Callable[..., Finished], config_dir: Path, tmp_path: Path
) -> None:
    """What is near the end is in the archive, without its secrets."""
    logs = config_dir / "data" / "logs"
    logs.mkdir(parents=True)
    (logs / "sidecar.log").write_text("before\npassword=CANARY-1 behind\nx-api-key: CANARY-2\nafter\n")

    run("doctor", "--bundle", str(tmp_path / "bundle.zip"))

    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        text = archive.read("logs/sidecar.log").decode()
    assert text == "before\npassword=[redacted] behind\nx-api-key: [redacted]\nafter\n"


@pytest.mark.parametrize("place", ["not/there/bundle.zip", "", "/proc/bundle.zip"])
def test_bundle_that_cannot_be_written_is_worded(run: Callable[..., Finished], place: str) -> None:
    """One sentence on stderr; what was found is printed all the same."""
    finished = run("doctor", "--bundle", place)

    assert finished.status == 2
    assert re.fullmatch(r"taskflow-sidecar: The support archive cannot be written: .+\.\n", finished.stderr)
    assert re.search(r"^ok +clock: ", finished.stdout, re.MULTILINE)


# --- migrations and openapi ------------------------------------------------------------------------------------------


def test_schema_is_shown_and_upgraded(run: Callable[..., Finished], config_dir: Path) -> None:
    """From nothing to head on the embedded database, and again without effect."""
    before = run("migrations", "current")
    made_by_asking = config_dir.exists()
    upgraded = run("migrations", "upgrade")
    after, again = run("migrations", "current"), run("migrations", "upgrade")

    assert before.stdout == f"current: none\nhead: {HEAD}\n"
    assert not made_by_asking
    assert upgraded.stdout == again.stdout == f"The schema is at {HEAD}.\n"
    assert after.stdout == f"current: {HEAD}\nhead: {HEAD}\n"
    assert {before.status, upgraded.status, after.status, again.status} == {0}


def test_schema_of_a_server_is_upgraded(run: Callable[..., Finished], database: Database) -> None:
    """The database of `TASKFLOW_DATABASE_URL`, on a real PostgreSQL."""
    upgraded = run("migrations", "upgrade", TASKFLOW_DATABASE_URL=database.url)
    current = run("migrations", "current", TASKFLOW_DATABASE_URL=database.url)

    assert (upgraded.status, current.status) == (0, 0), upgraded.text
    assert current.stdout == f"current: {HEAD}\nhead: {HEAD}\n"
    assert "members" in database.tables()


def test_printed_sql_makes_the_schema(run: Callable[..., Finished], database: Database) -> None:
    """An administrator runs what is printed; then the database is at head, and nothing is left to print."""
    printed = run("migrations", "sql", TASKFLOW_DATABASE_URL=database.url)
    database.execute(printed.stdout)
    current = run("migrations", "current", TASKFLOW_DATABASE_URL=database.url)
    printed_again = run("migrations", "sql", TASKFLOW_DATABASE_URL=database.url)

    assert (printed.status, printed.stderr) == (0, "")
    assert current.stdout == f"current: {HEAD}\nhead: {HEAD}\n", current.text
    assert "CREATE TABLE" not in printed_again.stdout
    assert database.password not in printed.text


def test_sql_is_printed_without_a_server(run: Callable[..., Finished]) -> None:
    """Plain SQL and nothing else, for an empty database."""
    url = f"postgresql://lead:CANARY@127.0.0.1:{free_port()}/team"

    finished = run("migrations", "sql", TASKFLOW_DATABASE_URL=url)

    assert finished.status == 0
    assert "CREATE TABLE members" in finished.stdout
    assert "CANARY" not in finished.text


@pytest.mark.parametrize("command", ["current", "upgrade"])
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://lead:CANARY@127.0.0.1:1/team", "The database server refused the connection. "),
        ("postgresql://lead:CANARY@host.invalid/team", "The database host name could not be found. "),
        ("nonsense CANARY", "The environment variable TASKFLOW_DATABASE_URL is not a complete database URL. "),
        (
            "mysql://lead:CANARY@h/team",
            "The environment variable TASKFLOW_DATABASE_URL is not a complete database URL. ",
        ),
    ],
)
def test_database_that_cannot_be_used_is_worded(
    run: Callable[..., Finished], command: str, url: str, expected: str
) -> None:
    """Cause and remedy, exit status 1."""
    finished = run("migrations", command, TASKFLOW_DATABASE_URL=url)

    assert finished.status == 1
    assert sentence(finished).startswith(expected)
    assert "CANARY" not in finished.text


def test_document_is_the_one_that_is_served(sidecar_factory: SidecarFactory) -> None:
    """`openapi` prints what `/schema` answers, without a sidecar and without touching any directory."""
    sidecar = sidecar_factory().wait_healthy()

    finished = run_command("openapi", config_dir=sidecar.directory / "nowhere")

    assert finished.returncode == 0
    assert json.loads(finished.stdout) == sidecar.request("GET", "/schema").json()
    assert not (sidecar.directory / "nowhere").exists()


# --- calling it wrongly ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("statsu",), "No such command 'statsu'. Did you mean 'status'?"),
        (("doktor",), "No such command 'doktor'. Did you mean 'doctor'?"),
        (("xyzzy",), "No such command 'xyzzy'."),
        (("key", "rotat"), "No such command 'rotat'. Did you mean 'rotate'?"),
        (("migrations", "upgade"), "No such command 'upgade'. Did you mean 'upgrade'?"),
        (("serve", "--prot", "1"), "No such option '--prot'. Did you mean '--port'?"),
        (("--prot", "1"), "No such option '--prot'. Did you mean '--port'?"),
        (("serve", "--loglevel", "info"), "No such option '--loglevel'. Did you mean '--log-level'?"),
        (("doctor", "--bundel", "x"), "No such option '--bundel'. Did you mean '--bundle'?"),
        (("status", "--jsn"), "No such option '--jsn'. Did you mean '--json'?"),
        (("--port", "65536"), "Invalid value for '--port': 65536 is not in the range 0<=x<=65535."),
        (("--port", "abc"), "Invalid value for '--port': 'abc' is not a valid integer range."),
        (("--log-level", "loud"), "Invalid value for '--log-level': 'loud' is not one of "),
        (("--port",), "Option '--port' requires an argument."),
        (("status", "extra"), "Got unexpected extra argument (extra)"),
    ],
)
def test_wrong_call_names_the_nearest_right_one(
    run: Callable[..., Finished], arguments: tuple[str, ...], expected: str
) -> None:
    """Exit status 2, nothing on stdout."""
    finished = run(*arguments)

    assert finished.status == 2
    assert finished.stdout == ""
    assert f"Error: {expected}" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("TASKFLOW_PORT", "abc", 2),
        ("TASKFLOW_EMBEDDED", "maybe", 2),
        ("TASKFLOW_LOG_LEVEL", "loud", 2),
        ("TASKFLOW_ALLOWED_ORIGINS", "*", 2),
        ("TASKFLOW_CONFIG_DIR", "~no-such-user/x", 2),
        ("TASKFLOW_DATA_DIR", "~no-such-user/x", 2),
        ("ENCRYPTION_KEY", "CANARY", 6),
        ("JWT_SECRET_KEY", "CANARY", 6),
        ("API_KEY_ENCRYPTION_SECRET", "CANARY", 6),
    ],
)
@pytest.mark.parametrize("arguments", [("serve",), ("serve", "--stdio"), ("doctor",), ("key", "rotate")], ids=" ".join)
def test_bad_variable_ends_every_command(
    run: Callable[..., Finished], arguments: tuple[str, ...], name: str, value: str, status: int
) -> None:
    """One sentence that begins with the variable's name and holds nothing of its value; exit status 2, or 6."""
    finished = run(*arguments, **{name: value})

    assert finished.status == status
    assert re.fullmatch(rf"taskflow-sidecar: {name} .+\.\n", finished.stderr)
    assert "CANARY" not in finished.text
    says_exit = "--stdio" in arguments and status == 6
    assert finished.stdout == ('{"event": "exit", "code": "encryption-key-invalid"}\n' if says_exit else "")


def test_unusable_config_directory_ends_the_command(run: Callable[..., Finished], config_dir: Path) -> None:
    """Exit status 7."""
    config_dir.write_bytes(b"")

    for arguments in (("serve",), ("key", "rotate")):
        finished = run(*arguments)

        assert finished.status == 7
        assert sentence(finished).endswith(" cannot be used: File exists.")


@pytest.mark.parametrize("command", [("doctor",), ("migrations", "current"), ("status",)])
def test_unknown_variable_is_told_with_the_nearest(run: Callable[..., Finished], command: tuple[str, ...]) -> None:
    """A warning on stderr; the command goes on."""
    finished = run(*command, TASKFLOW_DATABSE_URL="postgresql://CANARY")

    assert (
        "The environment variable TASKFLOW_DATABSE_URL is unknown and has no effect."
        " Did you mean TASKFLOW_DATABASE_URL?"
    ) in finished.stderr
    assert "CANARY" not in finished.text
    assert finished.status == (1 if command == ("status",) else 0)


def test_unknown_variable_is_told_in_the_log(sidecar_factory: SidecarFactory) -> None:
    """By a running sidecar, which starts all the same."""
    sidecar = sidecar_factory(env={"TASKFLOW_LOGLEVEL": "CANARY"}).wait_healthy()

    assert "TASKFLOW_LOGLEVEL is unknown and has no effect. Did you mean TASKFLOW_LOG_LEVEL?" in sidecar.stderr_text()
    assert "CANARY" not in sidecar.stderr_text() + sidecar.log_text()


@pytest.mark.parametrize("arguments", [("--help",), ("-h",)])
def test_help_lists_every_variable_and_command(run: Callable[..., Finished], arguments: tuple[str, ...]) -> None:
    """With default and meaning, from the one table."""
    finished = run(*arguments)

    assert finished.status == 0
    for variable in VARIABLES:
        assert f"{variable.name} (default: {variable.default})" in finished.stdout
        assert variable.help in finished.stdout
    for command in ("serve", "status", "key", "doctor", "migrations", "openapi"):
        assert re.search(rf"^  {command} +\w", finished.stdout, re.MULTILINE)


def test_empty_variables_are_unset(run: Callable[..., Finished], config_dir: Path) -> None:
    """A launcher may pass all of them empty."""
    nothing = {variable.name: "" for variable in VARIABLES if variable.name != "TASKFLOW_CONFIG_DIR"}

    finished = run("doctor", "--json", **nothing)

    assert finished.status == 0, finished.text
    assert not config_dir.exists()


def test_home_and_relative_directories(run: Callable[..., Finished], tmp_path: Path, config_dir: Path) -> None:
    """`~` is the home directory, a relative path counts from where the command runs, the flag wins."""
    home = tmp_path / "home"
    relative = os.path.relpath(home / "relative", f"{tempfile.gettempdir()}/where the command runs")

    for arguments, variables in (
        (("migrations", "upgrade"), {"TASKFLOW_CONFIG_DIR": "~/from-home"}),
        (("migrations", "upgrade", "--config-dir", "~/from-flag"), {}),
        (("migrations", "upgrade"), {"TASKFLOW_CONFIG_DIR": relative}),
        (("migrations", "upgrade"), {"TASKFLOW_CONFIG_DIR": None}),
    ):
        assert run(*arguments, **variables).status == 0

    made = {path.relative_to(home).as_posix() for path in home.rglob("taskflow.db")}
    assert {f"{place}/data/taskflow.db" for place in ("from-home", "from-flag", "relative")} <= made
    assert any(path.startswith(".local/share/TaskFlow") for path in made), made
    assert not config_dir.exists()


def test_version_is_printed(run: Callable[..., Finished]) -> None:
    """By its own flag."""
    finished = run("--version")

    assert finished.status == 0
    assert re.fullmatch(r"taskflow-sidecar, version \d+\.\d+\.\d+\S*\n", finished.stdout)


def test_fault_of_the_program_shows_no_secret(config_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception nobody foresaw: exit status 70, a redacted trace, one sentence."""

    def fail(_: object) -> None:
        raise RuntimeError("connecting to postgresql://u:CANARY@h/d failed, password=CANARY")

    monkeypatch.setattr("app.services.doctor.examine", fail)

    with children.directory() as home:
        finished = children.run_command(
            "doctor", environment={**clean_environment(home), "TASKFLOW_CONFIG_DIR": str(config_dir)}
        )

    assert finished.status == 70
    assert finished.stderr.endswith("taskflow-sidecar: internal error\n")
    assert "RuntimeError" in finished.stderr
    assert "CANARY" not in finished.text


def test_output_that_nobody_reads_is_no_fault(config_dir: Path) -> None:
    """`taskflow-sidecar openapi | head -1`: no trace."""
    with children.directory() as home:
        environment = {**clean_environment(home), "TASKFLOW_CONFIG_DIR": str(config_dir)}
        reader, writer = os.pipe()
        os.close(reader)
        error = home / "stderr"

        def run_it() -> None:
            os.dup2(writer, 1)
            os.dup2(os.open(error, os.O_WRONLY | os.O_CREAT, 0o600), 2)
            from tests.support.sidecar import COMMAND

            os.execve(COMMAND[0], [*COMMAND, "openapi"], environment)

        pid = children.start(run_it)
        os.close(writer)
        status = children.wait(pid)

        assert "Traceback" not in error.read_text()
    assert status in {0, 1}


def test_two_owners_of_one_directory(sidecar_factory: SidecarFactory, config_dir: Path) -> None:
    """A second sidecar ends with 4 and harms nothing, not even a write that is under way."""
    first: Sidecar = sidecar_factory(config_dir=config_dir).wait_healthy()
    under_way = config_dir / f".{CREDENTIALS_FILE}.0123456789abcdef.tmp"
    under_way.touch()

    second = sidecar_factory(config_dir=config_dir)

    assert second.wait_for_exit() == 4
    assert under_way.exists()
    assert first.health()[0] == 200

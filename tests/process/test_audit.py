"""The audit log of real sidecars: over HTTP and on the command line, tampered with by SQL, across crashes."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from app.core.fernet_keys import encode_key
from tests.conftest import BACKENDS
from tests.support.canaries import CANARIES, find_canary
from tests.support.databases import SqliteDatabase
from tests.support.sidecar import Sidecar, run_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import SidecarFactory
    from tests.support.databases import Backend, Contents, Database

AUDIT = "/api/v1/audit"
ROOT_KEY = encode_key(bytes(range(32)))
OTHER_ROOT_KEY = encode_key(bytes(range(32, 64)))


@pytest.fixture(scope="module", params=BACKENDS)
def told(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """A ready sidecar that tests share whose owners are their own."""
    with BACKENDS[request.param](request) as shared:
        yield shared


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """A ready sidecar of the test's own, on each database: a log cannot be emptied without a trace."""
    with BACKENDS[request.param](request) as own:
        yield own


@pytest.fixture(scope="module", params=BACKENDS)
def written(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """A sidecar whose log has six entries, kept beside it so that it can be restored."""
    with BACKENDS[request.param](request) as shared:
        for number in range(6):
            store(shared.sidecar, f"guild-{number}")
        shared.database.execute("CREATE TABLE kept_entries AS SELECT * FROM audit_entries")
        yield shared


def store(sidecar: Sidecar, *owner_ids: str, secret: str = "sk-0123456789abcdef") -> None:
    """Store a secret for each of several owners, in one transaction."""
    answer = bulk(sidecar, *({"op": "set", "owner_id": owner_id, "secret": secret} for owner_id in owner_ids))
    assert answer.status_code == 200, answer.text


def bulk(sidecar: Sidecar, *operations: dict[str, Any]) -> Any:
    """Send writes to the vault; return the answer."""
    body = {"operations": [{"owner_kind": "server", "name": "openai", **operation} for operation in operations]}
    return sidecar.request("POST", "/api/v1/vault/bulk", json=body)


def page(sidecar: Sidecar, **query: str) -> dict[str, Any]:
    """Read a page of the log."""
    answer = sidecar.request("GET", AUDIT, params=query)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def verify(sidecar: Sidecar) -> dict[str, Any]:
    """Verify the log over HTTP."""
    answer = sidecar.request("GET", f"{AUDIT}/verify")
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def verify_by_command(config_dir: Path, **environment: str) -> tuple[int, dict[str, Any]]:
    """Verify the log on the command line; return the exit status and the verdict."""
    done = run_command("audit", "verify", "--json", config_dir=config_dir, env=environment)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def found(verdict: dict[str, Any]) -> list[tuple[int | None, str]]:
    """Return place and kind of what was found."""
    return [(problem["seq"], problem["kind"]) for problem in verdict["problems"]]


# What is told


def test_every_change_of_a_secret_is_told(told: Backend) -> None:
    """Who did what with which one, newest first; never the secret, wherever it is looked for."""
    sidecar, canary = told.sidecar, CANARIES["percent"]

    store(sidecar, "guild-1", secret=canary)
    store(sidecar, "guild-1", secret=canary + "again")
    bulk(sidecar, {"op": "delete", "owner_id": "guild-1"})
    entries = page(sidecar, owner_kind="server", owner_id="guild-1")["entries"]
    command = run_command("audit", "export", config_dir=sidecar.config_dir)

    assert [entry["action"] for entry in entries] == ["delete", "replace", "set"]
    assert {entry["actor"] for entry in entries} == {"launch-token"}
    assert {entry["outcome"] for entry in entries} == {"ok"}
    assert all(entry["owner"] == {"kind": "server", "id": "guild-1"} for entry in entries)
    assert entries[0]["fingerprint"] == entries[1]["fingerprint"] != entries[2]["fingerprint"]
    assert all(entry["device"].isascii() and entry["time"].endswith("Z") for entry in entries)
    assert len(command.stdout.splitlines()) == verify(sidecar)["entries"]
    for text in (json.dumps(entries), command.stdout, sidecar.stderr_text()):
        assert find_canary(text, canary) == []


def test_entries_are_paged_and_filtered(told: Backend) -> None:
    """Each page begins where the one before ended, also when more is written meanwhile."""
    sidecar, of_tenants = told.sidecar, {"owner_kind": "tenant", "action": "set", "limit": "3"}

    def write(*owner_ids: str) -> None:
        operations = [
            {"op": "set", "owner_kind": "tenant", "owner_id": each, "secret": "sk-0123"} for each in owner_ids
        ]
        assert bulk(sidecar, *operations).status_code == 200

    write(*(f"guild-{number}" for number in range(7)))
    bulk(sidecar, {"op": "delete", "owner_kind": "tenant", "owner_id": "guild-0"})

    first = page(sidecar, **of_tenants)
    write("later")
    second = page(sidecar, **of_tenants, cursor=first["next_cursor"])
    third = page(sidecar, **of_tenants, cursor=second["next_cursor"])

    owners = [[entry["owner"]["id"] for entry in each["entries"]] for each in (first, second, third)]
    assert owners == [["guild-6", "guild-5", "guild-4"], ["guild-3", "guild-2", "guild-1"], ["guild-0"]]
    assert third["next_cursor"] is None
    one = page(sidecar, owner_kind="tenant", owner_id="guild-5")["entries"]
    assert [entry["owner"]["id"] for entry in one] == ["guild-5"]


@pytest.mark.rules
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"limit": "0"}, "query.limit: Input should be greater than or equal to 1"),
        ({"limit": "501"}, "query.limit: Input should be less than or equal to 500"),
        ({"limit": "ten"}, "query.limit: Input should be a valid integer"),
        ({"cursor": "x"}, "query.cursor: Input should be a valid integer"),
        ({"cursor": "0"}, "query.cursor: Input should be greater than or equal to 1"),
        ({"owner_id": ""}, "query.owner_id: field cannot be blank"),
        ({"owner_id": "x" * 65}, "query.owner_id: String should have at most 64 characters"),
        ({"owner_id": "a\0b"}, "query.owner_id: Input should not contain NUL characters"),
    ],
)
def test_what_is_asked_for_is_checked(written: Backend, query: dict[str, str], sentence: str) -> None:
    """400, with the name of the parameter and without its value."""
    answer = written.sidecar.request("GET", AUDIT, params=query)

    assert (answer.status_code, answer.json()) == (400, {"error": sentence})
    assert answer.headers["Taskflow-Error-Code"] == "validation"


@pytest.mark.rules
@pytest.mark.parametrize("name", ["owner_kind", "action"])
def test_unknown_words_are_refused(written: Backend, name: str) -> None:
    """The answer tells those that are known."""
    answer = written.sidecar.request("GET", AUDIT, params={name: "sk-secret"})

    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"query.{name}: Input should be '")
    assert "sk-secret" not in answer.text


@pytest.mark.rules
@pytest.mark.parametrize("path", [AUDIT, f"{AUDIT}/verify"])
def test_the_log_is_not_public(written: Backend, path: str) -> None:
    """It needs the launch token."""
    assert written.sidecar.request("GET", path, token="").status_code == 401


# Tampering


COPY = (
    "INSERT INTO audit_entries (seq, writer, writer_seq, time, actor, device, action, owner_kind, owner_id, name,"
    " fingerprint, outcome, reason, count, prev, mac) SELECT {seq}, writer, {number}, time, 'nobody', device, action,"
    " owner_kind, owner_id, name, fingerprint, outcome, reason, count, prev, '" + "ab" * 32 + "'"
    " FROM audit_entries WHERE seq = {of}"
)


@pytest.mark.parametrize(
    ("statements", "problems"),
    [
        pytest.param(["UPDATE audit_entries SET actor = 'nobody' WHERE seq = {3}"], [(3, "edited")], id="edited"),
        pytest.param(["DELETE FROM audit_entries WHERE seq = {3}"], [(4, "missing")], id="deleted"),
        pytest.param([COPY.format(seq="{7}", number="{7n}", of="{6}")], [(7, "inserted")], id="inserted"),
        pytest.param(
            [
                "UPDATE audit_entries SET seq = 0 WHERE seq = {3}",
                "UPDATE audit_entries SET seq = {3} WHERE seq = {4}",
                "UPDATE audit_entries SET seq = {4} WHERE seq = 0",
            ],
            [(4, "reordered")],
            id="reordered",
        ),
        pytest.param(["DELETE FROM audit_entries WHERE seq > {4}"], [(4, "truncated")], id="tail cut off"),
        pytest.param(["DELETE FROM audit_entries"], [(None, "truncated")], id="emptied"),
        pytest.param(
            ["DELETE FROM audit_entries WHERE seq = {6}", COPY.format(seq="{6}", number="{6n}", of="{1}")],
            [(6, "replaced")],
            id="replaced",
        ),
    ],
)
def test_tampering_by_sql_is_found_and_located(
    written: Backend, statements: list[str], problems: list[tuple[int | None, str]]
) -> None:
    """Over HTTP by the running sidecar, and on the command line beside it, which then does not end with 0.

    The command reads with the same code: it is run on one of the databases.
    """
    kept = written.database.query("SELECT seq, writer_seq FROM kept_entries ORDER BY seq DESC LIMIT 6")
    places = {str(place): str(seq) for place, (seq, _) in zip(range(6, 0, -1), kept, strict=True)}
    numbers = {f"{place}n": str(number) for place, (_, number) in zip(range(6, 0, -1), kept, strict=True)}
    seq, number = kept[0]
    names = {**places, **numbers, "7": str(seq + 1), "7n": str(number + 1)}
    expected = [(None if at is None else int(names[str(at)]), kind) for at, kind in problems]
    assert verify(written.sidecar)["ok"]

    try:
        for statement in statements:
            written.database.execute(_filled(statement, names))
        over_http = verify(written.sidecar)
        by_command = verify_by_command(written.sidecar.config_dir) if written.name == "sqlite" else None
    finally:
        written.database.execute("DELETE FROM audit_entries")
        written.database.execute("INSERT INTO audit_entries SELECT * FROM kept_entries")

    assert (over_http["ok"], found(over_http)) == (False, expected)
    if by_command is not None:
        status, verdict = by_command
        assert (status, found(verdict)) == (1, expected)
    assert verify(written.sidecar)["ok"]


def _filled(statement: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        statement = statement.replace(f"{{{name}}}", value)
    return statement


def test_cutting_off_is_found_though_the_sidecar_was_killed(backend: Backend) -> None:
    """The head is pinned before the answer is given, and what is written later does not cover the gap."""
    sidecar = backend.sidecar
    store(sidecar, "guild-1")
    store(sidecar, "guild-2")
    sidecar.kill()
    [(last,)] = backend.database.query("SELECT max(seq) FROM audit_entries")
    backend.database.execute(f"DELETE FROM audit_entries WHERE seq = {last}")

    status, verdict = verify_by_command(sidecar.config_dir)
    sidecar.start().wait_healthy()
    store(sidecar, "guild-3")

    assert (status, found(verdict)) == (1, [(last - 1, "truncated")])
    assert [kind for _, kind in found(verify(sidecar))] == ["missing"]


# Refusal


def test_what_cannot_be_logged_is_not_done(told: Backend) -> None:
    """503, nothing is stored, nothing is deleted; afterwards all goes on without a gap."""
    sidecar = told.sidecar
    store(sidecar, "known")

    refuse_entries(told.database)
    set_answer = bulk(sidecar, {"op": "set", "owner_id": "unknown", "secret": "sk-0123456789abcdef"})
    delete_answer = bulk(sidecar, {"op": "delete", "owner_id": "known"})
    owners = told.database.query("SELECT owner_id FROM secrets WHERE owner_id LIKE '%known'")
    permit_entries(told.database)

    for answer in (set_answer, delete_answer):
        assert (answer.status_code, answer.headers["Taskflow-Error-Code"]) == (503, "audit-unavailable")
        assert answer.headers["Retry-After"] == "5"
        assert set(answer.json()) == {"error"}
    assert owners == [("known",)]
    store(sidecar, "unknown")
    assert verify(sidecar)["ok"]


def refuse_entries(database: Contents) -> None:
    """Let the database refuse new entries."""
    if isinstance(database, SqliteDatabase):
        database.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    else:
        [(owner,)] = database.query("SELECT tableowner FROM pg_tables WHERE tablename = 'audit_entries'")
        database.execute(f'REVOKE INSERT ON audit_entries FROM "{owner}"')


def permit_entries(database: Contents) -> None:
    """Undo `refuse_entries`."""
    if isinstance(database, SqliteDatabase):
        database.execute("DROP TRIGGER refuse")
    else:
        [(owner,)] = database.query("SELECT tableowner FROM pg_tables WHERE tablename = 'audit_entries'")
        database.execute(f'GRANT INSERT ON audit_entries TO "{owner}"')


# Many writers, crashes


def test_requests_at_once_make_one_gapless_chain(told: Backend) -> None:
    """However they overlap."""
    statuses: list[int] = []

    def write(number: int) -> None:
        for turn in range(5):
            answer = bulk(told.sidecar, {"op": "set", "owner_id": f"o-{number}-{turn}", "secret": "sk-0123456789"})
            statuses.append(answer.status_code)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    numbers = [entry["writer_seq"] for entry in page(told.sidecar, limit="500")["entries"]]
    assert set(statuses) == {200}
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert verify(told.sidecar)["ok"]


def test_killing_the_sidecar_leaves_a_sound_log(backend: Backend) -> None:
    """At whatever point it died: the log verifies, before and after the next start, and goes on without a gap."""
    sidecar = backend.sidecar
    for round_ in range(3):
        _url, written_before = sidecar.url, threading.Event()

        def write(number: str, written_before: threading.Event = written_before) -> None:
            for turn in range(1000):
                try:
                    store(sidecar, f"o-{number}-{turn % 50}")
                except Exception:  # noqa: BLE001 - the sidecar is gone
                    return
                if turn >= 3:
                    written_before.set()

        threads = [threading.Thread(target=write, args=(f"{round_}-{number}",)) for number in range(3)]
        for thread in threads:
            thread.start()
        assert written_before.wait(20)
        sidecar.process.kill()
        sidecar.process.wait()
        for thread in threads:
            thread.join()
        status, verdict = verify_by_command(sidecar.config_dir)
        assert (status, verdict["problems"]) == (0, [])
        sidecar.start().wait_healthy()

    store(sidecar, "last")
    verdict = verify(sidecar)
    assert verdict["ok"]
    assert verdict["head"]["writer_seq"] == verdict["entries"]


def test_desktops_with_one_root_key_verify_each_other(database: Database, sidecar_factory: SidecarFactory) -> None:
    """Fully, MACs included; a desktop with another root key checks numbers and links, and says so."""
    options = {"TASKFLOW_EMBEDDED": "0", "TASKFLOW_DATABASE_URL": database.url}
    first, second = (sidecar_factory(env={**options, "ENCRYPTION_KEY": ROOT_KEY}) for _ in range(2))
    for sidecar in (first, second):
        sidecar.wait_healthy()
        store(sidecar, f"guild-{sidecar.port}")
    stranger = sidecar_factory(env={**options, "ENCRYPTION_KEY": OTHER_ROOT_KEY}).wait_healthy()

    writers = {entry["writer"] for entry in page(first)["entries"]}
    assert len(writers) == 2
    for sidecar in (first, second):
        assert (verify(sidecar)["ok"], verify(sidecar)["unchecked"]) == (True, 0)
    assert (verify(stranger)["ok"], verify(stranger)["unchecked"]) == (False, verify(first)["entries"])

    edited = page(second)["entries"][0]["seq"]
    database.execute(f"UPDATE audit_entries SET actor = 'nobody' WHERE seq = {edited}")
    assert found(verify(first)) == found(verify(second)) == [(edited, "edited")]
    assert verify(stranger)["problems"] == []


@pytest.mark.in_turn
def test_entries_from_before_key_rotate_are_verified_after_it(backend: Backend) -> None:
    """The key of their chain is kept when the root key is retired: an edit of an old entry is found all the same."""
    sidecar = backend.sidecar
    store(sidecar, "guild-1", "guild-2")
    for _ in range(2):
        assert run_command("key", "rotate", config_dir=sidecar.config_dir).returncode == 0
        store(sidecar, "guild-3")
    edited = page(sidecar, action="set", owner_id="guild-1")["entries"][0]["seq"]

    intact = verify(sidecar)
    backend.database.execute(f"UPDATE audit_entries SET actor = 'nobody' WHERE seq = {edited}")

    assert (intact["ok"], intact["unchecked"]) == (True, 0)
    assert found(verify(sidecar)) == [(edited, "edited")]
    sidecar.stop()
    status, verdict = verify_by_command(sidecar.config_dir)
    assert (status, found(verdict)) == (1, [(edited, "edited")])


# The command line


@pytest.mark.in_turn
def test_commands_work_beside_a_stopped_and_a_running_sidecar(backend: Backend, tmp_path: Path) -> None:
    """They read the same database, and say the same."""
    sidecar = backend.sidecar
    store(sidecar, "guild-1", "guild-2", "guild-3")
    running = [audit_output(sidecar.config_dir, *command) for command in COMMANDS]
    sidecar.stop()

    stopped = [audit_output(sidecar.config_dir, *command) for command in COMMANDS]
    file = tmp_path / "log.jsonl"
    exported = run_command("audit", "export", "--output", str(file), config_dir=sidecar.config_dir)

    assert stopped == running
    listed, as_json, verdict, lines = stopped
    assert [line.split()[2:4] for line in listed.splitlines()] == [
        ["set", "server/guild-3"],
        ["set", "server/guild-2"],
    ]
    document = json.loads(as_json)
    assert [entry["owner"]["id"] for entry in document["entries"]] == ["guild-2", "guild-1"]
    assert "the log is intact" in verdict
    assert file.read_text() == lines
    assert exported.returncode == 0


COMMANDS = (
    ("list", "--limit", "2", "--action", "set"),
    ("list", "--owner-kind", "server", "--cursor", "3", "--json"),
    ("verify",),
    ("export",),
)


def audit_output(config_dir: Path, *arguments: str) -> str:
    """Run a command of the group and return what it printed."""
    done = run_command("audit", *arguments, config_dir=config_dir)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_commands_speak_to_a_person(written: Backend) -> None:
    """What is wrong is told in words, with its place; and no terminal is steered, whatever somebody put into it."""
    [(last,)] = written.database.query("SELECT max(seq) FROM audit_entries")
    try:
        written.database.execute(f"UPDATE audit_entries SET outcome = 'failed' WHERE seq = {last}")
        verified = run_command("audit", "verify", config_dir=written.sidecar.config_dir)
        written.database.execute("UPDATE audit_entries SET actor = '\x1b[2J\u202e'")
        listed = run_command("audit", "list", config_dir=written.sidecar.config_dir)
    finally:
        written.database.execute("DELETE FROM audit_entries")
        written.database.execute("INSERT INTO audit_entries SELECT * FROM kept_entries")

    assert verified.returncode == 1
    assert "the log was tampered with" in verified.stdout
    assert f"entry {last}: edited" in verified.stdout
    assert "by ?[2J? on" in listed.stdout


@pytest.mark.parametrize("command", ["list", "verify", "export"])
def test_commands_create_nothing(tmp_path: Path, command: str) -> None:
    """Where there is no database yet they say so."""
    directory = tmp_path / "config"

    done = run_command("audit", command, config_dir=directory)

    assert done.returncode == 1
    assert "The database has no tables yet. Start the sidecar once" in done.stderr
    assert not directory.exists()


def test_the_right_to_read_is_enough_to_verify(
    database: Database, sidecar_factory: SidecarFactory, tmp_path: Path
) -> None:
    """An auditor's role may change nothing; without the root key numbers and links are checked, which is not all."""
    server, auditor = database.server, f"{database.name}_auditor"
    sidecar = sidecar_factory(env={"TASKFLOW_EMBEDDED": "0", "TASKFLOW_DATABASE_URL": database.url}).wait_healthy()
    store(sidecar, "guild-1")
    server.create_role(auditor, "look-only")
    try:
        database.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{auditor}"')
        url = f"postgresql://{auditor}:look-only@127.0.0.1:{server.port}/{database.name}"
        status, verdict = verify_by_command(tmp_path / "elsewhere", TASKFLOW_DATABASE_URL=url)
    finally:
        database.execute(f'DROP OWNED BY "{auditor}"')
        server.drop_role(auditor)

    assert (status, verdict["entries"], verdict["unchecked"]) == (1, 1, 1)

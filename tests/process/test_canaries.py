"""Passwords are found nowhere: not in answers, logs, files, arguments, environments, `repr`, or exceptions.

One long journey drives every canary through every endpoint and command, with connections that succeed and that fail,
over restarts and kills, at log level debug; each test then looks for one canary in all that came out of it.
"""

from __future__ import annotations

import json
import traceback
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from app.commands.client import SidecarClient
from app.core.config import VARIABLES, Config
from app.core.exceptions import SidecarError
from app.core.fernet_keys import KeyRing, encode_key, is_canonical_token, parse_key, parse_key_list
from app.core.logging import protect, redact
from app.core.security import (
    CREDENTIALS_FILE,
    KEY_FILE,
    SavedCredentials,
    load_or_create_keys,
    read_credentials,
    read_keys,
    save_credentials,
)
from app.core.validation import decode_object
from app.db.connect import check_connection
from app.db.settings import settings_from_body, settings_from_saved, settings_from_url
from app.sidecar.stdio import Handshake, parse_handshake
from tests.support import children, processes
from tests.support.canaries import CANARIES, find_canary, scan_files, scan_process
from tests.support.network import free_port
from tests.support.sidecar import Sidecar, clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.support.postgres import ConnectionFields, PostgresServer

pytestmark = pytest.mark.cold

DATABASE = "canaries"
ENDING = {("delete", "/api/v1/settings/connection"), ("post", "/api/v1/shutdown")}
"""Asked last."""
WAYS_BY_TURNS = 3
"""So many journeys meet every way to say nonsense once."""


def wrong(password: str) -> str:
    """Make a right password a wrong one that still gives itself away."""
    return f"{password[:254]}X"


@dataclass(slots=True)
class Journey:
    """All that the sidecar and its command line let out."""

    said: list[tuple[str, str]] = field(default_factory=list)
    """Where it was said, and what."""
    statuses: Counter[int] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    commands: Counter[str] = field(default_factory=Counter)
    endpoints: set[tuple[str, str]] = field(default_factory=set)
    files: dict[str, dict[Path, list[str]]] = field(default_factory=dict)
    """By canary, where it is found in the files of the sidecar, at the end and before each kill."""
    processes: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def hear(self, where: str, text: str) -> None:
        """Keep a text for the search."""
        self.said.append((where, text))

    def ask(self, sidecar: Sidecar, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request and keep all of the answer."""
        answer = sidecar.request(method, path, **options)
        self.statuses[answer.status_code] += 1
        if code := answer.headers.get("Taskflow-Error-Code"):
            self.codes[code] += 1
        self.hear(f"{method} {path[:60]} {answer.status_code}", f"{answer.headers}\n{answer.text}")
        return answer

    def look_at_files(self, sidecar: Sidecar) -> None:
        """Search all files of a sidecar: config, data, logs, home, temporary files, captured output."""
        for name, canary in CANARIES.items():
            found = self.files.setdefault(name, {})
            for path, forms in scan_files(sidecar.directory, canary).items():
                found.setdefault(path, []).extend(forms)

    def look_at_process(self, sidecar: Sidecar) -> None:
        """Search what other programs see of a sidecar."""
        for name, canary in CANARIES.items():
            self.processes.setdefault(name, {}).update(scan_process(sidecar.pid, canary))
        assert processes.descendants(sidecar.pid) == []


@pytest.fixture(scope="module")
def journey(postgres: PostgresServer) -> Iterator[Journey]:
    """Drive every canary through everything."""
    travelled = Journey()
    roles = {name: f"role_of_{name}" for name in CANARIES}
    for name, role in roles.items():
        postgres.create_role(role, CANARIES[name])
        postgres.create_database(f"{DATABASE}_{name}", owner=role)
    try:
        with Sidecar(args=("--log-level", "debug"), env={"TASKFLOW_EMBEDDED": "0"}) as sidecar:
            for number, (name, canary) in enumerate(CANARIES.items()):
                fields = postgres.dsn_fields(
                    database=f"{DATABASE}_{name}", username=roles[name], password=canary, host="127.0.0.1"
                )
                drive_connection_tests(travelled, sidecar, fields)
                drive_saved_connection(travelled, sidecar, fields)
                drive_wrong_input(travelled, sidecar, canary, turn=number)
                drive_commands(travelled, sidecar.config_dir, {})
                drive_commands_by_environment(travelled, sidecar.directory, fields, is_malformed=len(name) % 2 == 0)
                travelled.look_at_process(sidecar)
                travelled.look_at_files(sidecar)
                if name in list(CANARIES)[::4]:
                    sidecar.kill()
                    sidecar.start().wait_healthy()
            for method, path in sorted(ENDING):
                drive_commands(travelled, sidecar.config_dir, {})
                assert travelled.ask(sidecar, method.upper(), path).is_success
            assert sidecar.wait_for_exit() == 0
            drive_commands(travelled, sidecar.config_dir, {})
            travelled.hear("stderr", sidecar.stderr_text())
            travelled.hear("stdout", sidecar.stdout_text())
            travelled.hear("log files", sidecar.log_text())
            travelled.look_at_files(sidecar)
            yield travelled
    finally:
        for name, role in roles.items():
            postgres.drop_database(f"{DATABASE}_{name}")
            postgres.drop_role(role)


def drive_connection_tests(journey: Journey, sidecar: Sidecar, fields: ConnectionFields) -> None:
    """Test the connection: right, in every notation, and wrong in every way that is quick."""
    password = fields["password"]
    address = f"{fields['host']}:{fields['port']}/{fields['database']}"
    conninfo_password = password.replace("\\", "\\\\").replace("'", "\\'")
    right = [
        dict(fields),
        {"dsn": f"postgresql://{fields['username']}:{quote(password, safe='')}@{address}"},
        {
            "dsn": f"host={fields['host']} port={fields['port']} dbname='{fields['database']}'"
            f" user='{fields['username']}' password='{conninfo_password}'"
        },
    ]
    for body in right:
        answer = journey.ask(sidecar, "POST", "/api/v1/settings/test-connection", json=body)
        assert answer.status_code == 200, answer.text
    failing = [
        {**fields, "password": wrong(password)},
        {**fields, "username": "nobody"},
        {**fields, "database": "nowhere"},
        {**fields, "port": free_port()},
        {**fields, "port": sidecar.port},
        {**fields, "host": "host.invalid"},
        {**fields, "sslmode": "require"},
        {**fields, "sslrootcert": "/not/there.pem", "sslmode": "verify-full"},
        {**fields, "options": "-c no_such_parameter=1"},
        {"dsn": f"postgresql://{fields['username']}:{password}@{address}"},  # not encoded: cut at the wrong places
        {"dsn": f"postgresql://{fields['username']}:{password}"},
        {"dsn": f"host={fields['host']} user={fields['username']} password={password}"},
        {"dsn": f"host=h password='{password}"},
        {"dsn": password},
    ]
    for body in failing:
        journey.ask(sidecar, "POST", "/api/v1/settings/test-connection", json=body)


def drive_saved_connection(journey: Journey, sidecar: Sidecar, fields: ConnectionFields) -> None:
    """Save a wrong password and then the right one; read everything there is to read in both states."""
    states = (({**fields, "password": wrong(fields["password"])}, "failed"), (dict(fields), "ready"))
    for body, state in states:
        answer = journey.ask(sidecar, "POST", "/api/v1/settings/save-connection", json=body)
        assert answer.status_code == 200, answer.text
        sidecar.wait_for(lambda status, state=state: status["state"] == state)  # type: ignore[misc]
        for path in ("/health", "/api/v1/status", "/api/v1/settings/connection", "/api/v1/members", "/schema"):
            journey.ask(sidecar, "GET", path)
        journey.hear("status events", first_event(sidecar))
        journey.ask(sidecar, "POST", "/api/v1/settings/rotate-key")
        journey.ask(sidecar, "POST", "/api/v1/settings/retry")
    sidecar.wait_healthy()


def first_event(sidecar: Sidecar, path: str = "/api/v1/status/events") -> str:
    """Read the beginning of a stream that does not end."""
    with sidecar.client.stream("GET", path, headers={"Authorization": f"Bearer {sidecar.token}"}) as answer:
        return f"{answer.headers}\n{next(answer.iter_text())}"


def drive_wrong_input(journey: Journey, sidecar: Sidecar, canary: str, *, turn: int) -> None:
    """Submit a canary at every place of every endpoint; no refusal may quote it.

    A body of the right shape holds each of them; those that are none hold one in three, by turns.
    """
    schema = sidecar.request("GET", "/schema").json()
    ways_to_say_it: list[dict[str, Any]] = [
        {"json": canary},
        {"json": [canary]},
        {"content": canary.encode()},
        {"content": json.dumps({"password": canary}).encode()[:-1]},
        {"content": b"\xff" + canary.encode()},
    ]
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if path.endswith("/events") or (method, path) in ENDING:
                continue
            journey.endpoints.add((method, path))
            names = property_names(schema, operation)
            url = quote_path(path, canary)
            params = dict.fromkeys(("search", "limit", canary), canary)
            headers = {"If-Match": quote(canary), "Taskflow-Challenge": quote(canary)}
            everywhere = {"json": dict.fromkeys(names, canary), "params": params, "headers": headers}
            others: list[dict[str, Any]] = [{"json": {name: [canary] for name in names}}]
            others += ways_to_say_it if "requestBody" in operation else []
            for way in (everywhere, *others[turn % WAYS_BY_TURNS :: WAYS_BY_TURNS]):
                answer = journey.ask(sidecar, method.upper(), url, **way)
                assert answer.status_code != 500, (method, path, answer.text)
    for headers in ({"Authorization": f"Bearer {quote(canary)}"}, {"Origin": f"http://{quote(canary)}"}):
        journey.ask(sidecar, "GET", f"/api/v1/{quote(canary, safe='')}", headers=headers)
    sidecar.wait_healthy()


def property_names(schema: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    """Names of the properties that an operation's body may have, at whatever depth."""
    names: set[str] = {"password", "token", "encryption_key"}
    seen: set[str] = set()

    def collect(node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                collect(item)
        elif isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference not in seen:
                seen.add(reference)
                collect(schema["components"]["schemas"][reference.rsplit("/", 1)[-1]])
            names.update(node.get("properties", {}))
            for item in node.values():
                collect(item)

    collect(operation.get("requestBody", {}))
    return names


def quote_path(path: str, canary: str) -> str:
    """Put a canary in the place of every parameter of a path."""
    parts = [quote(canary, safe="") if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


def drive_commands(journey: Journey, config_dir: Path, more: dict[str, str]) -> None:
    """Run every command on a config directory, with and without JSON."""
    with children.directory() as home:
        environment = {**clean_environment(home), "TASKFLOW_EMBEDDED": "0", "TASKFLOW_LOG_LEVEL": "debug"}
        environment |= {"TASKFLOW_CONFIG_DIR": str(config_dir), **more}
        bundle = home / "bundle.zip"
        for arguments in (
            ("status",),
            ("status", "--json"),
            ("doctor", "--json", "--bundle", str(bundle)),
            ("doctor",),
            ("key", "rotate"),
            ("migrations", "current"),
            ("migrations", "upgrade"),
            ("migrations", "sql"),
        ):
            finished = children.run_command(*arguments, environment=environment)
            journey.commands[f"{' '.join(arguments[:2])} {finished.status}"] += 1
            journey.hear(" ".join(arguments), finished.text)
            assert finished.status in {0, 1, 4}, finished.text
            assert "Traceback" not in finished.text
        with zipfile.ZipFile(bundle) as archive:
            assert {"doctor.json", "about.json"} <= set(archive.namelist())
            for name in archive.namelist():
                journey.hear(f"bundle {name}", archive.read(name).decode())


def drive_commands_by_environment(
    journey: Journey, home: Path, fields: ConnectionFields, *, is_malformed: bool
) -> None:
    """Run every command with the canary in `TASKFLOW_DATABASE_URL`: the database is wrong, or the URL malformed."""
    address = f"{fields['host']}:{fields['port']}/{fields['database']}"
    encoded = quote(fields["password"], safe="")
    if is_malformed:
        url = f"postgresql://{fields['username']}:{fields['password']}@{address}"
    else:
        url = f"postgresql://{fields['username']}:{encoded}@{address}-nowhere"
    drive_commands(journey, home / f"config-of-{fields['username']}", {"TASKFLOW_DATABASE_URL": url})


def test_journey_went_everywhere(journey: Journey) -> None:
    """The canaries met successes and failures of every kind, so that silence means something."""
    assert {200, 400, 401, 403, 404, 503} <= set(journey.statuses), journey.statuses
    assert {
        *("connection-refused", "parameter-refused", "database-missing", "host-unresolved", "not-postgresql"),
        *("password-rejected", "tls-unavailable", "validation"),
    } <= set(journey.codes), journey.codes
    assert len(journey.endpoints) >= 14
    assert journey.commands["status 0"] >= len(CANARIES)
    assert journey.commands["status 1"] >= len(CANARIES)
    assert journey.commands["migrations upgrade 0"] >= len(CANARIES)
    assert journey.commands["migrations upgrade 1"] >= len(CANARIES) // 2
    assert sum(journey.commands.values()) >= 8 * 2 * len(CANARIES)
    logs = next(text for where, text in journey.said if where == "log files")
    levels = {json.loads(line)["level"] for line in logs.splitlines()}
    assert {"info", "warning", "error"} <= levels


@pytest.mark.parametrize("name", CANARIES)
def test_nothing_that_is_said_holds_the_password(journey: Journey, name: str) -> None:
    """Answers and their headers, stderr, stdout, logs, commands' output, the support archive."""
    hits = {where: forms for where, text in journey.said if (forms := find_canary(text, CANARIES[name]))}

    assert hits == {}


@pytest.mark.parametrize("name", CANARIES)
def test_no_file_holds_the_password(journey: Journey, name: str) -> None:
    """Config and data directory, logs, home and temporary files, at the end and at every kill on the way."""
    assert journey.files[name] == {}


@pytest.mark.parametrize("name", CANARIES)
def test_no_other_program_sees_the_password(journey: Journey, name: str) -> None:
    """Arguments and environment of the running process, which has no children."""
    assert journey.processes[name] == {}


def test_password_is_in_the_encrypted_file() -> None:
    """The one place where it is: a Fernet token that opens under the key beside it."""
    with children.directory() as directory:
        for canary in CANARIES.values():
            save_credentials(directory, {"password": canary})
            keys = read_keys(directory)
            assert keys is not None
            found = read_credentials(directory, keys)

            assert found is not None
            assert found.values == {"password": canary}
            assert is_canonical_token((directory / CREDENTIALS_FILE).read_bytes())
            assert scan_files(directory, canary) == {}


# --- objects and exceptions -------------------------------------------------------------------------------------------


def fields_with(canary: str) -> dict[str, Any]:
    """The settings of a server that is not there."""
    return {"host": "127.0.0.1", "port": 1, "database": "team", "username": "lead", "password": canary}


@pytest.mark.parametrize("name", CANARIES)
def test_repr_hides_the_password(name: str) -> None:
    """No object that holds a secret shows it when it is printed."""
    canary = CANARIES[name]
    settings = settings_from_body(fields_with(canary))
    key = encode_key(bytes(range(32)))
    config = Config(
        config_dir=Path("/c"),
        data_dir=Path("/d"),
        database_url=f"postgresql://u:{canary}@h/d",
        encryption_keys=(bytes(range(32)),),
        jwt_secret=canary,
        api_key_secret=canary,
    )
    objects: list[object] = [
        settings,
        [settings],
        {"settings": settings},
        SavedCredentials(fields_with(canary), 0),
        config,
        Handshake(canary, canary),
        SidecarClient("127.0.0.1", 1, canary),
        KeyRing((bytes(range(32)),)),
    ]

    texts = [text for thing in objects for text in (repr(thing), str(thing), f"{thing}")]

    assert [text for text in texts if find_canary(text, canary) or find_canary(text, key)] == []
    assert settings.password == canary


def failing_actions(canary: str, directory: Path) -> dict[str, Callable[[], object]]:
    """Everything that can fail with a password in its hands."""
    fields = fields_with(canary)
    keys = load_or_create_keys(directory)

    def read(plaintext: bytes) -> object:
        (directory / CREDENTIALS_FILE).write_bytes(keys.encrypt(plaintext))
        found = read_credentials(directory, keys)
        assert found is not None
        return settings_from_saved(found.values)

    def read_keys_holding(content: bytes) -> object:
        (directory / KEY_FILE).write_bytes(content)
        return read_keys(directory)

    text = json.dumps(fields, ensure_ascii=False)
    actions: dict[str, Callable[[], object]] = {
        "saved: cut JSON": lambda: read(text.encode()[:-1]),
        "saved: list": lambda: read(json.dumps([fields]).encode()),
        "saved: string": lambda: read(json.dumps(canary).encode()),
        "saved: not UTF-8": lambda: read(canary.encode() + b"\xff\xfe"),
        "saved: password only": lambda: read(json.dumps({"password": canary}).encode()),
        "saved: password a list": lambda: read(json.dumps({**fields, "password": [canary]}).encode()),
        "key: the password": lambda: read_keys_holding(canary.encode()),
        "key: the password behind a key": lambda: read_keys_holding(b"A" * 44 + b"\n" + canary.encode()),
        "parse_key": lambda: parse_key(canary),
        "parse_key_list": lambda: parse_key_list(f"{canary},{canary}"),
        "handshake: no JSON": lambda: parse_handshake(canary.encode()),
        "handshake: cut JSON": lambda: parse_handshake(json.dumps({"token": canary}).encode()[:-1]),
        "handshake: token": lambda: parse_handshake(json.dumps({"protocol": 1, "token": canary}).encode()),
        "body: cut JSON": lambda: decode_object(text.encode()[:-1]),
        "body: no JSON": lambda: decode_object(canary.encode()),
        "body: not UTF-8": lambda: decode_object(canary.encode() + b"\xff"),
        "url: raw": lambda: settings_from_url(f"postgresql://u:{canary}"),
        "url: no URL": lambda: settings_from_url(canary),
        "dsn: open quote": lambda: settings_from_body({"dsn": f"host=h password='{canary}"}),
        "dsn: unknown parameter": lambda: settings_from_body({"dsn": f"host=h nonsense='{quote(canary)}'"}),
        "connect": lambda: check_connection(settings_from_body(fields)),
    }
    for place in fields:
        wrong = {**fields, place: [canary]}
        actions[f"settings: {place}"] = lambda wrong=wrong: settings_from_body(wrong)  # type: ignore[misc]
    for variable in VARIABLES:
        if variable.name not in {"TASKFLOW_CONFIG_DIR", "TASKFLOW_DATA_DIR", "TASKFLOW_DATABASE_URL"}:
            environ = {variable.name: canary[:20]}
            actions[f"environment: {variable.name}"] = lambda e=environ: Config.from_environ(e)  # type: ignore[misc]
    return actions


def traces(error: BaseException, seen: set[int]) -> Iterator[tuple[str, str]]:
    """All texts that hang on an exception and on those it refers to, even where printing it would leave them out."""
    if id(error) in seen:
        return
    seen.add(id(error))
    kind = type(error).__name__
    yield f"{kind} itself", f"{error!s}\n{error!r}\n{error.args!r}\n{vars(error)!r}"
    yield f"{kind} printed", "".join(traceback.format_exception(error))
    for attribute in ("doc", "object", "msg", "reason", "orig", "statement", "params", "pgerror", "problem"):
        yield f"{kind}.{attribute}", repr(getattr(error, attribute, None))
    for reference in (error.__cause__, error.__context__):
        if reference is not None:
            yield from traces(reference, seen)


@pytest.mark.parametrize("name", CANARIES)
def test_exceptions_do_not_hold_the_password(name: str, tmp_path: Path) -> None:
    """Neither what is raised on the way nor anything it refers to, suppressed contexts included."""
    canary = CANARIES[name]
    hits: dict[str, list[str]] = {}
    raised = 0

    for action_name, action in failing_actions(canary, tmp_path).items():
        try:
            action()
        except (SidecarError, ValueError) as exc:
            raised += 1
            for where, text in traces(exc, set()):
                if forms := find_canary(text, canary):
                    hits.setdefault(f"{action_name}: {where}", []).extend(forms)

    assert hits == {}
    assert raised >= 25


@pytest.mark.parametrize("name", CANARIES)
def test_functions_that_fail_over_the_file_do_not_keep_its_content(name: str, tmp_path: Path) -> None:
    """The frames of an error about saved credentials hold neither plaintext nor values."""
    canary = CANARIES[name]
    keys = load_or_create_keys(tmp_path)
    for plaintext in (json.dumps(fields_with(canary)).encode()[:-1], json.dumps([canary]).encode(), canary.encode()):
        (tmp_path / CREDENTIALS_FILE).write_bytes(keys.encrypt(plaintext))
        with pytest.raises(SidecarError) as caught:
            read_credentials(tmp_path, keys)

        frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)][1:]

        assert frames
        assert [frame for frame in frames if find_canary(repr(frame.f_locals), canary)] == []


def test_redaction_would_find_what_the_journey_does_not() -> None:
    """The search is not blind: each canary is found in plain text, and gone from redacted text."""
    for canary in CANARIES.values():
        assert find_canary(f"before {canary} behind", canary)
        protect(canary)
        assert not find_canary(redact(f"before {canary} behind"), canary)

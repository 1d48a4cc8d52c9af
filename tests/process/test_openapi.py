"""The OpenAPI document is complete, and the running product is what it says, whatever is sent: schemathesis asks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import BACKENDS
from tests.support.sidecar import CHECKOUT, Sidecar, clean_environment, run_command
from tests.support.tokens import JWT_SECRET, token_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.ai_providers import AIProviders
    from tests.support.databases import Backend
    from tests.support.postgres import PostgresServer

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CONFIGURATION = """\
seed = 1
continue-on-failure = true
color = false
max-stream-events = 1
request-timeout = 20.0
warnings = false

[generation]
max-examples = 5
database = "none"

# a sound change of a version that is no longer there is refused too, as is a key that another request had before
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "404", "409", "412", "422"]

# sound as data, but there has to be such a member, such a sub-task; and a blocked task needs a reason
[[operations]]
include-path-regex = "/tasks"
include-method = ["POST", "PUT", "PATCH"]
checks.positive_data_acceptance.enabled = false

# sound as data, but there has to be such a server, such a vault, such a key, and time since the last one; what expires
# has to expire in the future
[[operations]]
include-path-regex = "/settings/|/vault/|/ai/|/servers/|/api-keys/|/openai-key|/auth/token"
checks.positive_data_acceptance.enabled = false

# sound as text, but it has to be an export
[[operations]]
include-path = "/api/v1/import"
checks.positive_data_acceptance.enabled = false

# nothing happens on it while nobody changes anything
[[operations]]
include-path = "/api/v1/events"
request-timeout = 1.0

# a null that the document allows in a nested object, and a header nobody knows, are taken for violations
[[operations]]
include-path-regex = "/alert-rules"
checks.negative_data_rejection.enabled = false
"""
SHUTDOWN = "/api/v1/shutdown"
SETTINGS = "/settings/(?!ai-keys)"
USERS = "/api/api-keys(?!/(set|status)-initial)"
"""Where a user's token is asked for."""
METHODS = {"get", "post", "put", "patch", "delete"}
PUBLIC = {"/health", "/health/live"}


# The document


@pytest.fixture(scope="module")
def sidecar() -> Iterator[Sidecar]:
    """One on the embedded database, for those who only read the document."""
    with Sidecar() as running:
        yield running.wait_healthy()


@pytest.fixture(scope="module")
def document(sidecar: Sidecar) -> dict[str, Any]:
    """The document as it is served."""
    answer = sidecar.request("GET", "/schema/openapi.json", token="")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/vnd.oai.openapi+json"
    served: dict[str, Any] = answer.json()
    return served


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The operations by method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference."""
    if "$ref" not in schema:
        return schema
    found: Any = document
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def everything(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in the document."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from everything(part)


def test_printed_document_is_the_served_one(sidecar: Sidecar, document: dict[str, Any], tmp_path: Path) -> None:
    """The command needs no running sidecar, and both addresses serve the same."""
    printed = run_command("openapi", config_dir=tmp_path / "never-made")

    assert printed.returncode == 0, printed.stderr
    assert json.loads(printed.stdout) == document
    assert sidecar.request("GET", "/schema").json() == document
    assert not (tmp_path / "never-made").exists()


def test_document_names_no_place_of_the_machine_that_made_it(document: dict[str, Any]) -> None:
    """It is the same wherever it is printed."""
    text = json.dumps(document)

    assert "/tmp" not in text
    assert "127.0.0.1" not in text
    assert document["openapi"].startswith("3.1")


def test_making_the_document_leaves_the_application_alone(sidecar: Sidecar, document: dict[str, Any]) -> None:
    """It is made beside the application that serves it."""
    assert document
    assert sidecar.request("GET", "/api/v1/members").json() == []
    assert sidecar.request("GET", "/").status_code == 200


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """And nothing is described that nobody refers to."""
    references = {node["$ref"] for node in everything(document) if "$ref" in node}

    assert references == {
        f"#/components/{kind}/{name}" for kind in ("schemas", "responses") for name in document["components"][kind]
    }


def test_every_operation_says_what_it_is_for(document: dict[str, Any]) -> None:
    """Summary, description, one of the described tags, an id of its own."""
    described_tags = {tag["name"] for tag in document["tags"] if tag["description"]}
    found = operations(document)

    for name, operation in found.items():
        assert operation["summary"], name
        assert " " in operation["description"], name
        assert set(operation["tags"]) <= described_tags, name
        assert not re.fullmatch(r"[A-Z]\w+[A-Z]\w+", operation["summary"]), f"{name}: a name made of the function's"
    assert len({operation["operationId"] for operation in found.values()}) == len(found)


def test_every_error_is_described(document: dict[str, Any]) -> None:
    """The one body, the code's header; 401 wherever the token is needed, and Retry-After where one should wait."""
    for name, operation in operations(document).items():
        is_public = name.split(" ")[1] in PUBLIC
        statuses = set(operation["responses"])
        assert {"403", "421"} <= statuses, name
        schemes = [name for alternative in operation.get("security", []) for name in alternative]
        assert schemes in ([], ["launchToken"], ["userToken"], ["launchToken", "userToken"]), name
        assert ("401" in statuses) is bool(schemes) is (not is_public), name
        if "requestBody" in operation:
            assert {"400", "413"} <= statuses, name
        if "{" in name:
            assert {"400", "404"} <= statuses, name
        for status, described in operation["responses"].items():
            response = resolved(document, described)
            if status < "400" or (is_public and status == "503"):
                continue
            schema = response["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/ErrorBody"}, name
            assert response["headers"]["Taskflow-Error-Code"]["required"], name
            assert ("Retry-After" in response["headers"]) is (status in ("429", "503")), name
            assert response["description"], name


def test_tokens_are_described(document: dict[str, Any]) -> None:
    """As the bearer tokens they are; a user's is asked for where it is what counts."""
    schemes = document["components"]["securitySchemes"]
    found = operations(document)

    assert {(scheme["type"], scheme["scheme"]) for scheme in schemes.values()} == {("http", "bearer")}
    assert schemes["userToken"]["bearerFormat"] == "JWT"
    assert found["POST /api/api-keys/set"]["security"] == [{"userToken": []}]
    assert found["POST /api/api-keys/set-initial"]["security"] == [{"launchToken": []}]
    assert found["GET /api/v1/tenants/{id}"]["security"] == [{"launchToken": []}, {"userToken": []}]
    assert found["PATCH /api/v1/tenants/{id}"]["security"] == [{"launchToken": []}]


def test_every_answer_is_described(document: dict[str, Any]) -> None:
    """JSON by its schema, a stream by its media type, nothing by nothing; each object with what it always holds."""
    for name, operation in operations(document).items():
        status, *others = sorted(status for status in operation["responses"] if status < "300")
        assert others in ([], ["204"]), name
        content = operation["responses"][status].get("content", {})
        if status == "204":
            assert not content, name
        elif not {"text/event-stream", "application/x-ndjson"} & content.keys():
            schema = content["application/json"]["schema"]
            described = resolved(document, schema.get("items", schema))
            assert described["type"] == "object", name
            assert described.get("required"), name


def test_every_object_and_field_has_a_type(document: dict[str, Any]) -> None:
    """Types for TypeScript can be made of it: no field is anything at all."""
    for name, schema in document["components"]["schemas"].items():
        assert schema["description"], name
        assert set(schema.get("required", [])) <= set(schema["properties"]), name
        for field, described in schema["properties"].items():
            assert {"type", "anyOf", "$ref"} & set(described), f"{name}.{field}"


def test_bodies_say_what_they_need(document: dict[str, Any]) -> None:
    """Required, optional and nullable as they are checked, with their limits and formats."""
    schemas = document["components"]["schemas"]

    create, update, member = schemas["MemberCreate"], schemas["MemberUpdate"], schemas["Member"]
    assert create["required"] == ["name", "email"]
    assert create["properties"]["active"] == {"default": True, "type": "boolean"}
    assert (create["properties"]["name"]["minLength"], create["properties"]["name"]["maxLength"]) == (1, 100)
    assert create["properties"]["email"] == {"type": "string", "format": "email", "maxLength": 320}
    assert "required" not in update
    assert update["properties"]["name"] == create["properties"]["name"]
    assert set(member["required"]) == set(member["properties"]) == {"id", "name", "email", "active"}
    assert member["properties"]["id"] == {"type": "string", "format": "uuid"}
    settings = schemas["ConnectionSettings"]
    assert set(settings["required"]) == {"host", "port", "database", "username", "password"}
    assert {"type": "null"} in settings["properties"]["sslrootcert"]["anyOf"]
    status = schemas["StatusDocument"]
    assert {"type": "null"} in status["properties"]["problem"]["anyOf"]
    assert set(status["properties"]["state"]["enum"]) == {
        "starting",
        "setup_required",
        "ready",
        "failed",
        "reconnecting",
    }


def test_versions_are_described(document: dict[str, Any]) -> None:
    """ETag on single members, If-Match as an optional text where it is honoured."""
    found = operations(document)

    for name, status in (("POST /api/v1/members", "201"), ("GET /api/v1/members/{id}", "200")):
        assert found[name]["responses"][status]["headers"]["ETag"]["schema"] == {"type": "string"}
    for method in ("PATCH", "DELETE"):
        operation = found[f"{method} /api/v1/members/{{id}}"]
        (header,) = [parameter for parameter in operation["parameters"] if parameter["in"] == "header"]
        assert (header["name"], header["required"], header["schema"]["type"]) == ("If-Match", False, "string")
        assert "412" in operation["responses"]


# The product against its document


def check(sidecar: Sidecar, directory: Path, *arguments: str, database_port: int = 9, token: str | None = None) -> None:
    """Let schemathesis ask the running product, with all its checks."""
    configuration = directory / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    environment = clean_environment(directory) | {
        "PYTHONPATH": str(CHECKOUT),
        "SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks",
        "TEST_DATABASE_PORT": str(database_port),
    }

    run = subprocess.run(
        [
            *(str(SCHEMATHESIS), "--config-file", str(configuration), "run", f"{sidecar.url}/schema/openapi.json"),
            *("--header", f"Authorization: Bearer {token or sidecar.token}"),
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=590,
        env=environment,
        cwd=directory,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    selected = re.search(r"Selected: (\d+)/", run.stdout)
    tested = re.search(r"Tested: (\d+)", run.stdout)
    assert selected, run.stdout
    assert tested, run.stdout
    assert selected[1] == tested[1], run.stdout
    assert "Traceback" not in sidecar.stderr_text()


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request: pytest.FixtureRequest, shared_providers: AIProviders) -> Iterator[Backend]:
    """A sidecar on each database that knows users' tokens, and that no key leaves the computer from."""
    env = {**shared_providers.environment(), "JWT_SECRET_KEY": JWT_SECRET}
    with BACKENDS[request.param](request, env) as fresh:
        yield fresh


def phases(backend: Backend) -> tuple[str, ...]:
    """Return what each database is asked: the rules of the fields, at their bounds, on SQLite alone.

    What is made up at random, and reaches the database more often, is asked on PostgreSQL; sequences on both.
    """
    return ("--phases", "examples,coverage,stateful" if backend.name == "sqlite" else "fuzzing,stateful")


def test_product_is_what_its_document_says(backend: Backend, tmp_path: Path) -> None:
    """Sound and unsound requests, alone and in sequence: documented statuses and bodies, and never a 5xx."""
    check(backend.sidecar, tmp_path, *phases(backend), "--exclude-path-regex", f"{SHUTDOWN}|{SETTINGS}|{USERS}")

    assert backend.sidecar.wait_healthy().is_running


@pytest.mark.in_turn
def test_users_keys_are_what_the_document_says(backend: Backend, tmp_path: Path) -> None:
    """With a user's token, which is good for these alone."""
    check(backend.sidecar, tmp_path, "--include-path-regex", USERS, token=token_for())

    assert backend.sidecar.wait_healthy().is_running


def test_settings_are_what_the_document_says(postgres: PostgresServer, tmp_path: Path) -> None:
    """In a sidecar of their own, which they send from one database to another; all addresses lead to one server."""
    with Sidecar() as sidecar:
        sidecar.wait_healthy()

        check(sidecar, tmp_path, "--include-path-regex", SETTINGS, database_port=postgres.port)

        assert sidecar.health()[0] in (200, 503)
        sidecar.request("DELETE", "/api/v1/settings/connection")
        sidecar.wait_healthy()

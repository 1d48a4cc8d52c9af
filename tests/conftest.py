"""Fixtures that every test may ask for: real servers, fresh databases, sidecars."""

from __future__ import annotations

import contextlib
import gc
import signal
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.support import processes, warm, windows
from tests.support.ai_providers import AIProviders
from tests.support.certificates import Certificates
from tests.support.databases import Backend, Database, SqliteDatabase, fresh_database
from tests.support.in_process import InProcess, empty_on_postgresql, empty_on_sqlite
from tests.support.postgres import PostgresServer
from tests.support.real_parts import system_postgres
from tests.support.remote_postgres import postgres_server
from tests.support.sidecar import Sidecar, stop_all
from tests.support.tokens import JWT_SECRET

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from pathlib import Path
    from types import FrameType


REPORTED_LINES = 100
"""How much of a sidecar's standard error goes into the report of a failure."""


CLEAN_UP_S = 30.0
"""What the workers of a terminated run get to stop their servers and sidecars."""


class SidecarFactory(Protocol):
    """Spawn a sidecar and return at once; the arguments are those of `Sidecar`."""

    def __call__(self, **options: Any) -> Sidecar:
        """Spawn one; several stand side by side. All are stopped and reaped at the end of the test."""


def pytest_configure(config: pytest.Config) -> None:
    """Let a terminated run clean up: by default SIGTERM would leave servers and sidecars behind."""
    has_workers = bool(config.getoption("numprocesses", None)) and not hasattr(config, "workerinput")

    def leave(_number: int, _frame: FrameType | None) -> None:
        if has_workers:
            processes.let_children_clean_up(CLEAN_UP_S)
        pytest.exit("terminated", returncode=128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, leave)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # so shells start what runs in the background, and what the tests spawn would inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """Spare the garbage collector the tests themselves, hundreds of thousands of objects that stay to the end."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Let it look at what comes after them."""
    gc.collect()
    gc.freeze()
    gc.enable()


LONGEST_FILES = (
    *("test_build", "test_openapi", "test_canaries", "test_poisoned_columns", "test_untrusted_files"),
    *("test_owner_secrets", "test_vault_rotation", "test_audit", "test_upgrades", "test_scripts"),
    *("test_encrypt_legacy", "test_revalidation", "test_migrations", "test_crash_safety", "test_alert_rules"),
    *("test_failover", "test_events", "test_gateway", "test_connection_settings", "test_process_contract"),
    *("test_team_vault", "test_vault_attacks", "test_team_model", "test_encrypting", "test_rotation", "test_team"),
)
"""They begin first, so that none is still busy alone when all others have ended."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first; leave out the cases that `rules` and `in_turn` say add nothing, and `long` ones."""
    ranks = {name: rank for rank, name in enumerate(LONGEST_FILES)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(ranks)))
    met: set[str] = set()
    turns: dict[Path, dict[str, str]] = {}

    wants_long = "long" in config.option.markexpr

    def is_kept(item: pytest.Item) -> bool:
        if item.get_closest_marker("long") is not None and not wants_long:
            return False
        backend, function = _backend_of(item), item.nodeid.partition("[")[0]
        if backend is None:
            return True
        if item.get_closest_marker("in_turn") is not None:
            of_file, case = turns.setdefault(item.path, {}), item.nodeid.replace(backend, "", 1)
            return of_file.setdefault(case, list(BACKENDS)[len(of_file) % len(BACKENDS)]) == backend
        if item.get_closest_marker("rules") is None or backend == "sqlite":
            return True
        is_first = function not in met
        met.add(function)
        return is_first

    items[:] = [item for item in items if is_kept(item)]
    if windows.IS_WINDOWS:
        for item in items:
            if reason := windows.reason_to_skip(item):
                item.add_marker(pytest.mark.skip(reason=reason))


def _backend_of(item: pytest.Item) -> str | None:
    """Return which database a case is for, if it is for one of the two."""
    callspec = getattr(item, "callspec", None)
    values = () if callspec is None else callspec.params.values()
    return next((value for value in values if isinstance(value, str) and value in BACKENDS), None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Forget the sidecars of earlier tests, but for those that serve several tests; start those of `cold` ones cold."""
    warm.want(warm=item.get_closest_marker("cold") is None)
    Sidecar.spawned[:] = [sidecar for sidecar in Sidecar.spawned if sidecar.is_running]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach to the report of a failure what the sidecars wrote on stderr."""
    report = yield
    if report.failed:
        for number, sidecar in enumerate(Sidecar.spawned, start=1):
            last_words = "".join(sidecar.stderr_text().splitlines(keepends=True)[-REPORTED_LINES:])
            report.sections.append((f"stderr of sidecar {number}", last_words))
    return report


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """PostgreSQL 18, without TLS. A test that changes its settings or stops it puts it back."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority, and servers' certificates good and bad."""
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def postgres_tls(certificates: Certificates) -> Iterator[PostgresServer]:
    """Debian's PostgreSQL with a good certificate, for localhost, 127.0.0.1 and ::1; TLS is offered, not required."""
    with PostgresServer(system_postgres()) as server:
        server.enable_tls(certificates.good, client_authority_pem=certificates.authority.certificate_pem)
        yield server


@pytest.fixture
def empty_database(postgres: PostgresServer) -> Iterator[Database]:
    """An empty database on `postgres`, with an ordinary role as its owner."""
    with fresh_database(postgres) as fresh:
        yield fresh


@pytest.fixture
def database(empty_database: Database) -> Database:
    """The same; where most tests start sidecars it has the product's tables, see their `conftest.py`."""
    return empty_database


@pytest.fixture(scope="session")
def store_database(postgres: PostgresServer) -> Iterator[Database]:
    """The PostgreSQL database behind `store`, which the tests of a worker share."""
    with fresh_database(postgres) as shared:
        yield shared


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[InProcess]:
    """An empty database of each kind with the product's tables, for services without a sidecar around them."""
    if request.param == "sqlite":
        opened = empty_on_sqlite(tmp_path / "taskflow.db")
    else:
        opened = empty_on_postgresql(request.getfixturevalue("store_database"))
    with opened as in_process:
        yield in_process


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[InProcess]:
    """The same on SQLite alone, for what no database makes a difference to."""
    with empty_on_sqlite(tmp_path / "taskflow.db") as in_process:
        yield in_process


@pytest.fixture
def sidecar_factory() -> Iterator[SidecarFactory]:
    """Spawn sidecars, as many as wanted; at the end of the test each is stopped, and has to stop."""
    sidecars: list[Sidecar] = []

    def spawn(**options: Any) -> Sidecar:
        sidecar = Sidecar(**options)
        sidecars.append(sidecar)
        return sidecar.start()

    yield spawn
    stop_all(sidecars)


@contextlib.contextmanager
def _sqlite_backend(_request: pytest.FixtureRequest, env: Mapping[str, str] | None = None) -> Iterator[Backend]:
    with Sidecar(env=env) as sidecar:
        sidecar.wait_settled()
        yield Backend("sqlite", sidecar, SqliteDatabase(sidecar.data_dir))


@contextlib.contextmanager
def _postgresql_backend(request: pytest.FixtureRequest, env: Mapping[str, str] | None = None) -> Iterator[Backend]:
    server: PostgresServer = request.getfixturevalue("postgres")
    with (
        fresh_database(server, with_tables=True) as database,
        Sidecar(env={"TASKFLOW_EMBEDDED": "0", **(env or {})}) as sidecar,
    ):
        sidecar.save_connection(database.fields())
        sidecar.wait_settled()
        yield Backend("postgresql", sidecar, database)


BACKENDS: dict[str, Callable[..., contextlib.AbstractContextManager[Backend]]] = {
    "sqlite": _sqlite_backend,
    "postgresql": _postgresql_backend,
}


@pytest.fixture(scope="session", params=BACKENDS)
def shared_backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """A ready sidecar that the tests of a resource share, once on each database."""
    with BACKENDS[request.param](request) as backend:
        yield backend


@pytest.fixture
def any_backend(shared_backend: Backend) -> Backend:
    """The shared sidecar with empty tables; the test leaves it ready."""
    assert shared_backend.sidecar.is_running, "an earlier test ended the shared sidecar"
    shared_backend.sidecar.wait_healthy()
    shared_backend.clear()
    return shared_backend


@pytest.fixture(scope="session")
def shared_providers() -> Iterator[AIProviders]:
    """All AI providers, played by one test server that the tests share."""
    with AIProviders() as providers:
        yield providers


@pytest.fixture(scope="session", params=BACKENDS)
def shared_ai_backend(request: pytest.FixtureRequest, shared_providers: AIProviders) -> Iterator[Backend]:
    """A ready sidecar that knows users' tokens and takes the test server for the AI providers."""
    env = {**shared_providers.environment(), "JWT_SECRET_KEY": JWT_SECRET}
    with BACKENDS[request.param](request, env) as backend:
        yield backend


@pytest.fixture
def ai_backend(shared_ai_backend: Backend) -> Backend:
    """The same with empty tables; the test leaves it ready. Checks are limited per caller: use users of your own."""
    assert shared_ai_backend.sidecar.is_running, "an earlier test ended the shared sidecar"
    shared_ai_backend.sidecar.wait_healthy()
    shared_ai_backend.clear()
    return shared_ai_backend

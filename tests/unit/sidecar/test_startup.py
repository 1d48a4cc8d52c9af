"""The pipeline and what runs it: which database, in which order, tried how often, begun again when."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec
import psycopg2
import pytest
from sqlalchemy.exc import DBAPIError

from app.core.config import Config
from app.core.exceptions import DatabaseAwayError, ProblemError
from app.core.patience import EARLY_BACKOFF_S, EARLY_S, FIRST_BACKOFF_S, LATE_BACKOFF_S, backoff_s
from app.core.problems import problem
from app.core.readiness import EMBEDDED, FAILED, POSTGRESQL, READY, RECONNECTING, SETUP_REQUIRED, STAGES, Readiness
from app.core.security import load_or_create_keys, read_credentials, save_credentials
from app.db import session
from app.db.configured import SupersededError, choose_database, sqlite_path
from app.db.migrations import HEAD
from app.db.session import Database as Holder
from app.db.session import open_postgresql, open_sqlite
from app.db.settings import settings_from_body
from app.db.watched import Watched, WatchedPostgres, WatchedSqlite
from app.models.members import members
from app.sidecar import startup as module
from app.sidecar.startup import Startup, bring_up, connect_with_retry
from tests.support.network import FakeServer, TcpProxy, black_hole, error_response, free_port
from tests.support.waiting import wait_until
from tests.support.windows import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.databases import Database


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A fresh installation."""
    directory = tmp_path / "config"
    directory.mkdir(mode=0o700)
    return Config(config_dir=directory, data_dir=tmp_path / "data")


def saved(config: Config, fields: Any) -> None:
    """Save settings as the settings page does."""
    save_credentials(config.config_dir, settings_from_body(dict(fields)).to_saved())


class Process:
    """What the pipeline needs of a process: readiness, the holder of the engine, the thread that runs it."""

    def __init__(self, config: Config) -> None:
        self.readiness = Readiness()
        self.holder = Holder(self.readiness)
        self.startup = Startup(config, self.readiness, self.holder)
        self.states: list[str] = []
        self._listening = self.readiness.listening(self._listen)

    def _listen(self) -> None:
        state = self.readiness.state
        if self.states[-1:] != [state]:
            self.states.append(state)

    def __enter__(self) -> Self:
        self._listening.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.startup.stop()
        self._listening.__exit__(None, None, None)

    def wait_for(self, state: str, timeout_s: float = 10) -> None:
        """Wait until that state is reported."""
        wait_until(
            lambda: self.readiness.state == state, timeout_s=timeout_s, what=lambda: f"{state} after {self.states}"
        )

    def count_members(self) -> int:
        """Use the database as a service does."""
        with self.holder.read() as connection:
            return len(connection.execute(members.select()).all())


@pytest.fixture
def process(config: Config) -> Iterator[Process]:
    """One for the fresh installation; nothing runs yet."""
    with Process(config) as process:
        yield process


# Which database


def chosen(config: Config) -> Watched:
    """Choose as start-up does."""
    run = Readiness().begin_run()
    return choose_database(config, load_or_create_keys(config.config_dir), run)


def with_values(config: Config, **changes: Any) -> Config:
    """The same installation with other settings."""
    values = {name: getattr(config, name) for name in Config.__dataclass_fields__}
    return Config(**{**values, **changes})


FIELDS = {"host": "saved.example", "port": 5432, "database": "team", "username": "lead", "password": " p%40ss "}


def test_embedded_database_is_the_default(config: Config) -> None:
    """A file in the data directory."""
    watched = chosen(config)

    assert (watched.mode, watched.database.description["database"]) == (EMBEDDED, "taskflow.db")


@pytest.mark.parametrize(
    "url", ["postgresql://lead:p%40ss@url.example:5433/team", "postgres://lead:x@url.example/team"]
)
def test_url_goes_before_the_embedded_database(config: Config, url: str) -> None:
    """Also when the embedded one is switched on."""
    watched = chosen(with_values(config, database_url=url))

    assert (watched.mode, watched.database.description["host"]) == (POSTGRESQL, "url.example")


@pytest.mark.parametrize("embedded", [True, False])
def test_saved_settings_go_before_everything(config: Config, embedded: bool) -> None:
    """A team lead's word counts more than the environment's."""
    saved(config, FIELDS)
    given = with_values(config, database_url="postgresql://lead@url.example/team", embedded=embedded)

    watched = chosen(given)

    assert (watched.mode, watched.database.description["host"]) == (POSTGRESQL, "saved.example")


def test_nothing_configured_is_a_problem_of_its_own(config: Config) -> None:
    """When the embedded database is switched off, somebody has to enter settings."""
    with pytest.raises(ProblemError) as caught:
        chosen(with_values(config, embedded=False))

    assert caught.value.problem.code == "database-not-configured"


@pytest.mark.parametrize("damage", [b"", b"gAAAAA", b"\xff"])
def test_unreadable_settings_never_fall_through(config: Config, damage: bytes) -> None:
    """Another database would take the team's work without a word."""
    saved(config, FIELDS)
    (config.config_dir / "db_credentials.enc").write_bytes(damage)

    with pytest.raises(ProblemError) as caught:
        chosen(with_values(config, database_url="postgresql://lead@url.example/team"))

    assert caught.value.problem.code == "credentials-unreadable"


@pytest.mark.parametrize("url", ["mysql://lead@host/team", "nonsense", "postgresql://", "postgresql://h:port/d"])
def test_unusable_url_is_a_problem_not_a_crash(config: Config, url: str) -> None:
    """The process stays alive and tells, without showing the URL."""
    with pytest.raises(ProblemError) as caught:
        chosen(with_values(config, database_url=url))

    assert not caught.value.problem.retryable
    assert "lead@host" not in caught.value.problem.sentence


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite:////tmp/absolute.db", "/tmp/absolute.db"), ("sqlite:////tmp/a.db?mode=rw", "/tmp/a.db")],
)
def test_sqlite_url_names_a_file(url: str, path: str) -> None:
    """Four slashes are an absolute path."""
    assert sqlite_path(url) == Path(path).absolute()  # on the current drive, where there are drives


# The pipeline


def test_pipeline_ends_with_a_database_at_head(config: Config) -> None:
    """Every stage in its order, each done before the next begins."""
    readiness = Readiness()
    order: list[str] = []

    def look() -> None:
        running = [entry["name"] for entry in readiness.document()["stages"] if entry["state"] == "running"]
        if running and order[-1:] != running:
            order.extend(running)

    with readiness.listening(look):
        watched = bring_up(config, readiness.begin_run())

    assert order == [name for name in STAGES if name != "ready"]
    assert watched.database.description["revision"] == HEAD
    assert (config.config_dir / "fernet.key").exists()
    watched.abandon()


def test_failed_pipeline_leaves_no_connection(config: Config, database: Database) -> None:
    """What was opened before the stage that failed is closed again."""
    saved(config, database.fields())
    run = Readiness().begin_run()
    bring_up(config, run).abandon()
    database.execute("UPDATE alembic_version SET version_num = 'ffff'")

    with pytest.raises(ProblemError, match="newer"):
        bring_up(config, run)

    wait_until(lambda: database.sessions() == 0, timeout_s=30, what="the sessions to end")


def test_superseded_pipeline_gives_its_database_up(config: Config, database: Database) -> None:
    """A newer run has begun: nothing of the older one stays."""
    saved(config, database.fields())
    run = Readiness().begin_run()
    run.superseded.set()

    with pytest.raises((SupersededError, ProblemError)):
        bring_up(config, run)

    wait_until(lambda: database.sessions() == 0, timeout_s=30, what="the sessions to end")


def test_data_directory_that_cannot_be_made_is_a_problem(config: Config) -> None:
    """A file stands in the way."""
    config.data_dir.write_text("in the way")

    with pytest.raises(ProblemError) as caught:
        bring_up(config, Readiness().begin_run())

    assert caught.value.problem.code == "storage-unwritable"


# Attempts


def test_backoff_doubles_early_and_is_longer_late() -> None:
    """0.1 s to 0.8 s during the first half minute of an outage, up to 5 s later; up to a third less by jitter."""
    for attempt, outage_s, longest_s in [
        (1, 0.0, FIRST_BACKOFF_S),
        (2, 0.1, 2 * FIRST_BACKOFF_S),
        (3, 0.3, 4 * FIRST_BACKOFF_S),
        (4, 0.7, EARLY_BACKOFF_S),
        (40, EARLY_S - 0.1, EARLY_BACKOFF_S),
        (41, EARLY_S, LATE_BACKOFF_S),
        (10_000, 86_400.0, LATE_BACKOFF_S),
    ]:
        waits_s = [backoff_s(attempt, outage_s) for _ in range(200)]
        assert max(waits_s) <= longest_s
        assert min(waits_s) >= 0.7 * longest_s
        assert len(set(waits_s)) > 100, "desktops must not come back all at once"


class Answering(Watched):
    """A database whose attempts end as told."""

    mode = POSTGRESQL

    def __init__(self, *codes: str | None) -> None:
        self.codes = list(codes)
        self.attempts = 0

    def prove(self, run: Any) -> None:
        """Succeed, or fail with the next code."""
        self.attempts += 1
        code = self.codes.pop(0)
        if code is not None:
            raise ProblemError(problem(code))


def test_transient_problems_are_retried_and_told() -> None:
    """The state says why, and when the next attempt comes."""
    readiness = Readiness()
    run = readiness.begin_run()
    seen: list[tuple[str, str | None]] = []
    watched = Answering("host-unresolved", "connection-refused", "server-starting", None)
    with readiness.listening(lambda: seen.append((readiness.state, getattr(readiness.problem, "code", None)))):
        connect_with_retry(watched, run)

    assert watched.attempts == 4
    for code in ("host-unresolved", "connection-refused", "server-starting"):
        assert (RECONNECTING, code) in seen
    assert readiness.document()["stages"][STAGES.index("connect")]["attempt"] == 4


@pytest.mark.parametrize("code", ["password-rejected", "database-missing", "permission-denied", "connection-failed"])
def test_permanent_problems_are_tried_once(code: str) -> None:
    """Accounts get locked."""
    watched = Answering(code, None)

    with pytest.raises(ProblemError) as caught:
        connect_with_retry(watched, Readiness().begin_run())

    assert (caught.value.problem.code, watched.attempts) == (code, 1)


def test_superseded_attempts_end_at_once() -> None:
    """Neither the wait between attempts nor an attempt that hangs holds a save up."""
    with black_hole() as (host, port):
        settings = settings_from_body({**FIELDS, "host": host, "port": port})
        watched = WatchedPostgres(*open_postgresql(settings))
        run = Readiness().begin_run()
        threading.Timer(0.2, run.superseded.set).start()
        begun_at = time.monotonic()

        with pytest.raises(ProblemError):
            connect_with_retry(watched, run)

    assert time.monotonic() - begun_at < 4  # an attempt gets longer
    watched.abandon()


# The thread that lives through it all


def test_fresh_installation_becomes_ready(process: Process) -> None:
    """And can be used."""
    with pytest.raises(DatabaseAwayError):
        process.count_members()

    process.startup.run()

    process.wait_for(READY)
    assert process.count_members() == 0
    assert process.states == ["starting", READY]


def test_saved_settings_take_effect_live(process: Process, config: Config, database: Database) -> None:
    """From the embedded database to the team's and back, without a restart."""
    process.startup.run()
    process.wait_for(READY)

    process.startup.run(after=lambda: saved(config, database.fields()))
    wait_until(lambda: process.readiness.document()["mode"] == POSTGRESQL, timeout_s=30, what="the other database")
    process.wait_for(READY)
    assert database.sessions() > 0

    process.startup.run(after=(config.config_dir / "db_credentials.enc").unlink)
    wait_until(lambda: process.readiness.document()["mode"] == EMBEDDED, timeout_s=30, what="the embedded database")
    process.wait_for(READY)
    wait_until(lambda: database.sessions() == 0, timeout_s=30, what="the sessions to end")


def test_failed_change_begins_nothing(process: Process) -> None:
    """A save that cannot be written leaves what runs alone."""
    process.startup.run()
    process.wait_for(READY)

    def fail() -> None:
        raise ProblemError(problem("storage-unwritable"))

    with pytest.raises(ProblemError):
        process.startup.run(after=fail)

    assert process.readiness.is_ready
    assert process.count_members() == 0
    assert process.states == ["starting", READY]


def test_missing_settings_ask_for_them(config: Config) -> None:
    """Nothing is broken: somebody has to enter them."""
    with Process(with_values(config, embedded=False)) as process:
        process.startup.run()

        process.wait_for(SETUP_REQUIRED)
        assert process.readiness.problem == problem("database-not-configured")


def test_repaired_file_is_noticed(process: Process, config: Config, database: Database) -> None:
    """Restoring a backup heals, without a restart and without a click."""
    saved(config, database.fields())
    file = config.config_dir / "db_credentials.enc"
    good = file.read_bytes()
    file.write_bytes(good[:-8])
    process.startup.run()
    process.wait_for(FAILED)
    assert process.readiness.problem == problem("credentials-unreadable")

    file.write_bytes(good)

    process.wait_for(READY)
    assert process.readiness.document()["mode"] == POSTGRESQL


def test_unexpected_error_is_told_and_survived(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """The desktop needs a living sidecar, whatever is wrong with it; a retry tries again."""

    def broken(*_: Any) -> None:
        raise KeyError("surprise")

    with monkeypatch.context() as sabotage:
        sabotage.setattr(module, "load_keys", broken)
        process.startup.run()
        process.wait_for(FAILED)
        assert process.readiness.problem == problem("internal")

    process.startup.run()
    process.wait_for(READY)


def test_loss_is_noticed_at_once_when_a_use_fails(
    process: Process, config: Config, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without waiting for the next heartbeat; `reconnecting` until it is back, and the same data again."""
    monkeypatch.setattr("app.sidecar.startup.HEARTBEAT_S", 600.0)
    with TcpProxy(database.server.port) as proxy:
        saved(config, {**database.fields(), "port": proxy.port})
        process.startup.run()
        process.wait_for(READY)
        proxy.down()
        with pytest.raises(DatabaseAwayError, match=r"Database connection lost. Please retry."):
            process.count_members()

        process.wait_for(RECONNECTING)
        with pytest.raises(DatabaseAwayError, match=r"Database connection lost. Please retry."):
            process.count_members()
        proxy.pass_through()

        process.wait_for(READY)
        assert process.count_members() == 0
    assert process.states == ["starting", READY, RECONNECTING, READY]


def test_refusal_under_a_ready_database_is_not_repeated(process: Process, config: Config, database: Database) -> None:
    """Thirty threads that want a connection and the heartbeat make one attempt between them."""
    saved(config, database.fields())
    process.startup.run()
    process.wait_for(READY)
    database.execute(f"ALTER ROLE {database.username} PASSWORD 'another'")
    database.server.terminate_sessions(database=database.name)

    def use() -> None:
        with contextlib.suppress(DatabaseAwayError):
            process.count_members()

    threads = [threading.Thread(target=use) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    process.wait_for(FAILED)
    assert process.readiness.problem == problem("password-rejected")
    refusals = database.server.log_text().count(f'password authentication failed for user "{database.username}"')
    assert refusals == 1


def test_upgrade_that_is_refused_for_a_while_is_tried_less_and_less_often(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A problem after the connection was made must not be hammered either."""
    attempts: list[float] = []

    def refuse(*_: Any) -> None:
        attempts.append(time.monotonic())
        raise ProblemError(problem("migration-failed", retryable=True))

    monkeypatch.setattr(module, "migrate", refuse)
    process.startup.run()
    wait_until(lambda: len(attempts) >= 5, timeout_s=10, what="attempts")
    pauses_s = [later - earlier for earlier, later in itertools.pairwise(attempts)]

    for pause_s, least_s in zip(pauses_s, (0.07, 0.14, 0.28, 0.56), strict=False):
        assert pause_s >= least_s
    assert process.readiness.state == RECONNECTING


def test_stop_ends_everything_at_once(config: Config, database: Database) -> None:
    """Sessions close, waiting requests are freed, and a later run begins nothing."""
    saved(config, database.fields())
    with Process(config) as process:
        process.startup.run()
        process.wait_for(READY)
        freed: list[float] = []

        def wait_for_lock() -> None:
            with contextlib.suppress(DatabaseAwayError):
                process.count_members()
            freed.append(time.monotonic())

        with database.server.connect(database.name) as holder:
            holder.autocommit = False
            holder.cursor().execute("LOCK TABLE members")
            thread = threading.Thread(target=wait_for_lock)
            thread.start()
            in_use = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
            wait_until(lambda: database.query(in_use, (database.name,)), timeout_s=30, what="the request to wait")
            stopped_at = time.monotonic()

            process.startup.stop()

            thread.join(5)
        assert freed[0] - stopped_at < 4  # a lock is waited for longer
        process.startup.run()
        assert not process.readiness.is_ready
    wait_until(lambda: database.sessions() == 0, timeout_s=30, what="the sessions to end")


# Engines that are replaced or lost


def test_replaced_engine_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests in flight finish on it, but not for ever when its server hangs."""
    monkeypatch.setattr(session, "RETIRED_LIMIT_S", 0.3)
    opened, _ = open_postgresql(settings_from_body(dict(database.fields())))
    failures: list[BaseException] = []

    def hang() -> None:
        try:
            with opened.in_use(), opened.reader.connect() as connection:
                connection.exec_driver_sql("SELECT pg_sleep(60)")
        except Exception as exc:  # noqa: BLE001 - looked at below
            failures.append(exc)

    thread = threading.Thread(target=hang)
    thread.start()
    sleeping = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = %s"
    wait_until(lambda: database.query(sleeping, (database.name,)), timeout_s=30, what="the statement")
    retired_at = time.monotonic()

    opened.retire()

    assert not failures, "it goes on at first"
    thread.join(5)
    assert 0.25 < time.monotonic() - retired_at < 10  # the statement takes much longer
    assert isinstance(failures[0], DBAPIError)
    assert failures[0].connection_invalidated
    wait_until(lambda: database.sessions() == 0, timeout_s=30, what="the session to end")


def test_idle_engine_closes_when_it_is_replaced(database: Database) -> None:
    """Nothing lingers, not even the clock that bounds it."""
    opened, _ = open_postgresql(settings_from_body(dict(database.fields())))
    with opened.in_use(), opened.reader.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    assert database.sessions() == 1
    before = threading.active_count()

    opened.retire()

    wait_until(lambda: database.sessions() == 0, timeout_s=30, what="the session to end")
    wait_until(lambda: threading.active_count() <= before, timeout_s=30, what="the clock to end")


def test_refreshed_connections_are_replaced_without_a_trace(database: Database) -> None:
    """Idle ones at their next use, one in use when it comes back; none is forgotten and left open."""
    opened, _ = open_postgresql(settings_from_body(dict(database.fields())))

    def backend() -> int:
        with opened.in_use(), opened.reader.connect() as connection:
            return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())

    first = backend()
    assert backend() == first
    with opened.in_use(), opened.reader.connect() as connection:
        opened.refresh()
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() == first
    second = backend()
    opened.refresh()
    third = backend()

    assert len({first, second, third}) == 3
    wait_until(lambda: database.sessions() == 1, timeout_s=30, what="the old sessions to end")
    opened.retire()


def test_waiting_for_a_connection_ends_with_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests beyond the pool's size are told `busy` after a while, and at once when the database is lost."""
    monkeypatch.setattr(session, "PLACE_TIMEOUT_S", 0.2)
    opened = open_sqlite(tmp_path / "taskflow.db")
    with contextlib.ExitStack() as stack:
        for _ in range(session.PLACES[session.READ]):
            stack.enter_context(opened.in_use())

        begun_at = time.monotonic()
        with pytest.raises(DatabaseAwayError, match=r"busy") as caught, opened.in_use():
            pass
        assert caught.value.code == "busy"
        assert 0.2 <= time.monotonic() - begun_at < 4

        monkeypatch.setattr(session, "PLACE_TIMEOUT_S", 30)
        threading.Timer(0.1, opened.cut_off).start()
        begun_at = time.monotonic()
        with pytest.raises(DatabaseAwayError, match=r"lost"), opened.in_use():
            pass
        assert time.monotonic() - begun_at < 10
    with pytest.raises(DatabaseAwayError), opened.in_use():
        pass


# Watching


def test_heartbeat_survives_a_server_without_free_connections(database: Database) -> None:
    """As long as it has not lost what it had."""
    database.execute(f"ALTER ROLE {database.username} CONNECTION LIMIT 1")
    watched = WatchedPostgres(*open_postgresql(settings_from_body(dict(database.fields()))))
    run = Readiness().begin_run()
    watched.prove(run)

    assert watched.heartbeat(run, suspicious=False) is None
    assert watched.heartbeat(run, suspicious=True) is None

    database.server.terminate_sessions(database=database.name)
    with contextlib.closing(psycopg2.connect(database.url)):
        found = watched.heartbeat(run, suspicious=True)

    assert found is not None
    assert found.code == "too-many-connections"
    watched.abandon()


@pytest.mark.parametrize("reply", ["silence", "starting", "refused"])
def test_heartbeat_tells_what_is_wrong_in_time(database: Database, reply: str) -> None:
    """Within its second, whatever the server does."""
    watched = WatchedPostgres(*open_postgresql(settings_from_body(dict(database.fields()))))
    run = Readiness().begin_run()
    watched.prove(run)
    expected: dict[str, Callable[[], contextlib.AbstractContextManager[Any]]] = {
        "silence": black_hole,
        "starting": lambda: FakeServer(error_response("the database system is starting up", sqlstate="57P03")),
        "refused": lambda: contextlib.nullcontext((None, free_port())),
    }
    with expected[reply]() as found:
        port = found.port if isinstance(found, FakeServer) else found[1]
        connector = watched._entrance.connector
        connector.settings = msgspec.structs.replace(connector.settings, port=port)
        begun_at = time.monotonic()

        problem_found = watched.heartbeat(run, suspicious=True)

    codes = {"silence": "connection-timeout", "starting": "server-starting", "refused": "connection-refused"}
    assert problem_found is not None
    assert problem_found.code == codes[reply]
    assert time.monotonic() - begun_at < 4  # sooner than an attempt to connect is given up
    watched.abandon()


def test_embedded_database_is_watched_by_its_file(tmp_path: Path) -> None:
    """There is no server that could go away."""
    watched = WatchedSqlite(open_sqlite(tmp_path / "taskflow.db"))
    run = Readiness().begin_run()
    watched.prove(run)
    assert watched.heartbeat(run, suspicious=False) is None
    assert watched.heartbeat(run, suspicious=True) is None

    if sys.platform == "win32":  # where nobody can remove a file that is open
        watched.abandon()
    (tmp_path / "taskflow.db").unlink()

    found = watched.heartbeat(run, suspicious=False)
    assert found is not None
    assert (found.code, found.retryable) == ("connection-lost", True)
    watched.abandon()


def test_drive_or_share_that_fails_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A drive pulled out, or a share gone, answers with errors of its own; the watch tells them and goes on."""
    watched = WatchedSqlite(open_sqlite(tmp_path / "taskflow.db"))

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EINVAL, "An unexpected network error occurred")

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", fail)
        found = watched.heartbeat(Readiness().begin_run(), suspicious=False)

    assert found == problem("connection-lost", retryable=True)
    watched.abandon()


def test_silent_server_does_not_hold_the_proof_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that dies between log-in and first question is given up on like any other."""
    monkeypatch.setattr("app.db.connect.CONNECT_TIMEOUT_S", 1)
    with TcpProxy(database.server.port) as proxy:
        settings = settings_from_body({**database.fields(), "port": proxy.port})
        watched = WatchedPostgres(*open_postgresql(settings))
        keep = watched._entrance.keep

        def keep_and_go_dark(connection: Any) -> None:
            keep(connection)
            proxy.black_hole()

        monkeypatch.setattr(watched._entrance, "keep", keep_and_go_dark)
        begun_at = time.monotonic()

        with pytest.raises(ProblemError) as caught:
            watched.prove(Readiness().begin_run())

    assert caught.value.problem.code == "connection-lost"
    assert time.monotonic() - begun_at < 8
    watched.abandon()


def test_saving_needs_no_working_database(process: Process, config: Config) -> None:
    """While an attempt hangs in a black hole, the lock is free and the files are read."""
    with black_hole() as (host, port):
        process.startup.run(after=lambda: saved(config, {**FIELDS, "host": host, "port": port}))
        wait_until(
            lambda: process.readiness.document()["stages"][STAGES.index("connect")]["state"] == "running",
            timeout_s=30,
            what="the attempt",
        )
        begun_at = time.monotonic()
        process.startup.run(after=lambda: saved(config, FIELDS | {"host": host, "port": port, "database": "other"}))

        assert time.monotonic() - begun_at < 4 * PATIENCE  # the attempt takes longer
    keys = load_or_create_keys(config.config_dir)
    found = read_credentials(config.config_dir, keys)
    assert found is not None
    assert found.values["database"] == "other"

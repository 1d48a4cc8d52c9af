"""One attempt to connect: bounded, given up when nobody wants it, and exactly with what was typed."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

from app.core.exceptions import ProblemError
from app.db.connect import CONNECT_DEADLINE_S, SESSION_OPTIONS, Connector, check_connection, cut_off_after, within
from app.db.conninfo import conninfo
from app.db.settings import ConnectionSettings, settings_from_body
from tests.support.canaries import CANARIES, NASTY_PASSWORDS, find_canary
from tests.support.network import FakeServer, TcpProxy, error_response, free_port
from tests.support.pooler import Pooler
from tests.support.system import needs_own_server
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Database


class LateConnection:
    """What an attempt ends with after it was given up."""

    is_closed = False

    def close(self) -> None:
        """Note it."""
        self.is_closed = True


def settings(**changes: Any) -> ConnectionSettings:
    """Settings with changes."""
    fields = {"host": "127.0.0.1", "port": free_port(), "database": "team", "username": "lead", "password": "secret"}
    return settings_from_body({**fields, **changes})


# What libpq is given


@pytest.mark.parametrize("text", NASTY_PASSWORDS.values(), ids=NASTY_PASSWORDS)
def test_every_value_reaches_libpq_as_it_was_typed(text: str) -> None:
    """No name and no password is read as syntax."""
    typed = settings(password=text, username=f"u{text[:200]}u", database=f"d{text[:200]}d", sslrootcert=f"/{text}/r")

    given = Connector(typed).parameters("") | {"password": text}

    told = {name: str(value) for name, value in given.items()}
    assert parse_dsn(conninfo(given)) == told
    assert re.findall(r"(\w+)='((?:[^'\\]|\\.)*)'", conninfo(given), re.DOTALL) == [
        (name, re.sub(r"(['\\])", r"\\\1", value)) for name, value in told.items()
    ]


def test_session_options_join_those_that_were_typed() -> None:
    """What people typed stays; the time-outs come on top."""
    connector = Connector(settings(options="-c search_path=team"))

    assert connector.parameters(SESSION_OPTIONS)["options"] == f"-c search_path=team {SESSION_OPTIONS}"
    assert connector.parameters("")["options"] == "-c search_path=team"
    assert "options" not in Connector(settings()).parameters("")


@pytest.mark.parametrize("count", range(1, 6))
def test_every_host_of_a_list_gets_its_try(count: int) -> None:
    """All but the last may be silent, and the deadline is not yet over."""
    limit_s = Connector(settings(host=",".join(["h"] * count))).parameters("")["connect_timeout"]

    assert 2 <= limit_s <= 5
    assert (count - 1) * limit_s < CONNECT_DEADLINE_S


# Deadlines


@pytest.fixture
def stuck() -> Iterator[threading.Event]:
    """Set it to end the attempts that hang in a name look-up."""
    event = threading.Event()
    yield event
    event.set()


def test_attempt_is_given_up_at_its_deadline(stuck: threading.Event) -> None:
    """A look-up that hangs cannot be interrupted; what comes of it later is closed at once."""
    late, told = LateConnection(), threading.Event()

    def connect(given_up: threading.Event) -> Any:
        stuck.wait()
        if given_up.is_set():
            told.set()
        return late

    started = time.monotonic()
    with pytest.raises(ProblemError) as caught:
        within(connect, 0.2, None)

    assert time.monotonic() - started < 8
    assert caught.value.problem.code == "connection-timeout"
    stuck.set()
    assert told.wait(5)
    wait_until(lambda: late.is_closed, timeout_s=30, what="the late connection to be closed")


def test_attempt_is_given_up_when_nobody_wants_it(stuck: threading.Event) -> None:
    """A newer run of the pipeline does not wait for an older one."""
    cancelled, late = threading.Event(), LateConnection()
    threading.Timer(0.1, cancelled.set).start()
    started = time.monotonic()

    with pytest.raises(ProblemError):
        within(lambda _: stuck.wait() and late, 30, cancelled)

    assert time.monotonic() - started < 5


def test_error_of_an_attempt_is_carried_over() -> None:
    """Whatever it is."""

    def connect(_: threading.Event) -> Any:
        raise LookupError("lost")

    with pytest.raises(LookupError, match="lost"):
        within(connect, 5, None)


def test_given_up_attempt_does_not_go_on(database: Database) -> None:
    """A refusal that would be answered by a second try ends it instead."""
    given_up = threading.Event()
    given_up.set()
    with FakeServer(error_response("unsupported startup parameter: options", sqlstate="08P01")) as server:
        with pytest.raises(ProblemError) as caught:
            Connector(settings(port=server.port, sslmode="disable"))._negotiate(given_up)

        assert caught.value.problem.code == "parameter-refused"
        assert len(server.received) == 1


def test_connection_is_cut_off_only_when_it_takes_too_long(database: Database) -> None:
    """The server sleeps on; the client does not wait for it."""
    fields = database.fields()
    connection = Connector(settings_from_body({**fields})).open()
    with cut_off_after(connection, 30), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    clock = cut_off_after(connection, 0.2)
    started = time.monotonic()

    # libpq tells of a wait that was cut off in Windows in other words, which SQLAlchemy is told the meaning of.
    with pytest.raises(psycopg2.DatabaseError), clock, connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(30)")

    assert clock.has_cut
    assert time.monotonic() - started < 5


# What the server sees


def test_session_has_time_outs_and_a_name(database: Database) -> None:
    """A hanging statement or an abandoned transaction does not hold others up for ever."""
    connection = Connector(settings_from_body({**database.fields()})).open()
    names = (
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
        "client_connection_check_interval",
    )
    try:
        with connection.cursor() as cursor:
            shown = []
            for name in (*names, "application_name", "client_encoding"):
                cursor.execute(f"SHOW {name}")
                shown.append(cursor.fetchone()[0])
    finally:
        connection.close()

    assert shown[:4] == ["15s", "5s", "1min", "2s"]
    assert shown[4].startswith("taskflow-sidecar/")
    assert shown[5] == "UTF8"


@needs_own_server
def test_what_was_refused_is_remembered(database: Database) -> None:
    """The way to a pooler without TLS is found once; from then on a connection is one connection."""
    with (
        Pooler(database.server, {database.username: database.password}) as pooler,
        TcpProxy(pooler.port) as proxy,
    ):
        connector = Connector(settings_from_body({**database.fields(), "port": proxy.port}))
        connector.open().close()
        first = proxy.accepted

        connector.open().close()

        assert connector.behind_pooler
        assert (first, proxy.accepted) == (3, 4)


@pytest.mark.parametrize("sslmode", ["disable", "allow", "prefer", "require"])
def test_refusal_has_no_context(sslmode: str) -> None:
    """What the driver said does not hang on the error that leaves this module."""
    canary = CANARIES["url-syntax"]
    reply = error_response(f"no, {canary} is wrong", sqlstate="28P01")
    with FakeServer(reply) as server, pytest.raises(ProblemError) as caught:
        check_connection(settings(port=server.port, password=canary, sslmode=sslmode))

    assert caught.value.__context__ is None
    assert find_canary(repr(caught.value.problem), canary) == []

"""Opening one connection to PostgreSQL: the very code that start-up, data calls and the connection test share."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any, Final

from app import __version__
from app.core.exceptions import ProblemError
from app.core.problems import problem
from app.db.diagnose import depends_on_encryption, diagnose

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg2.extensions import connection as Psycopg2Connection  # noqa: N812 - a class in spite of its name

    from app.db.settings import ConnectionSettings

APPLICATION_NAME: Final = f"taskflow-sidecar/{__version__}"
CONNECT_TIMEOUT_S: Final = 5
"""libpq's own limit, which it applies to each address of each host anew; less for many hosts, so that each is tried."""
CONNECT_DEADLINE_S: Final = 12.0
"""Limit for one attempt as a whole, name resolution included, which libpq does not bound at all."""
STATEMENT_TIMEOUT_MS: Final = 30_000
IDLE_IN_TRANSACTION_TIMEOUT_MS: Final = 60_000
SESSION_OPTIONS: Final = (
    f"-c statement_timeout={STATEMENT_TIMEOUT_MS} "
    f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS}"
)
_CLIENT_CHECK_VERSION: Final = 140000
_FIRST_SSLMODE: Final = {"prefer": "require", "allow": "disable"}
_NEVER_ASK: Final = "-"
"""With none at all OpenSSL would ask for an encrypted key's passphrase on the terminal, or on stdin."""


class Connector:
    """Opens connections with one set of settings; remembers what a server or a pooler refused."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self.settings = settings
        self.behind_pooler = False
        """The server refused session time-outs as start-up parameters; they must be set per transaction."""
        self._sslmode = settings.sslmode
        if len(settings.hosts) == 1:  # with several, libpq must do it: a second walk past dead ones costs too much time
            self._sslmode = _FIRST_SSLMODE.get(settings.sslmode, settings.sslmode)

    def open(self, *, deadline_s: float = CONNECT_DEADLINE_S, cancelled: threading.Event | None = None) -> Any:
        """Return an open psycopg2 connection.

        Raises:
            ProblemError: it could not be made; the problem tells why, without the driver's text.
        """
        return within(self._negotiate, deadline_s, cancelled)

    def _negotiate(self, given_up: threading.Event) -> Psycopg2Connection:
        """Connect; without session time-outs, or with the other choice between TLS and none, if that is at fault.

        libpq itself carries `prefer` and `allow` out by trying twice, whatever the first failure was. A rejected
        password must be tried once only: accounts get locked. So the first try is made here, and libpq gets the mode
        as it was typed only after a refusal that has to do with encryption.
        """
        import psycopg2

        behind_pooler, sslmode = self.behind_pooler, self._sslmode
        while True:
            try:
                connection = self._connect("" if behind_pooler else SESSION_OPTIONS, sslmode)
            except (psycopg2.Error, UnicodeError, ValueError) as exc:
                error: Exception = exc
            else:
                self.behind_pooler, self._sslmode = behind_pooler, sslmode
                return connection
            # driver texts may quote parts of the DSN: only the diagnosis leaves this function, without a context
            found = diagnose(error, self.settings)
            if given_up.is_set():
                raise ProblemError(found)
            if found.code == "parameter-refused" and not behind_pooler:
                behind_pooler = True
            elif sslmode != self.settings.sslmode and depends_on_encryption(error):
                sslmode = self.settings.sslmode
            else:
                raise ProblemError(found)

    def _connect(self, session_options: str, sslmode: str) -> Psycopg2Connection:
        import psycopg2

        connection = psycopg2.connect(**self.parameters(session_options) | {"sslmode": sslmode})
        if session_options and connection.server_version >= _CLIENT_CHECK_VERSION:
            _notice_dead_clients(connection)
        return connection

    def parameters(self, session_options: str) -> dict[str, Any]:
        """Return libpq's keyword parameters; psycopg2 quotes them, so that each value arrives exactly as typed."""
        settings = self.settings
        own_options = f"{settings.options or ''} {session_options}".strip()
        parameters = {
            "host": ",".join(settings.hosts),
            "port": str(settings.port),
            "dbname": settings.database,
            "user": settings.username,
            "password": settings.password,
            "sslmode": settings.sslmode,
            "sslrootcert": settings.sslrootcert,
            "sslcert": settings.sslcert,
            "sslkey": settings.sslkey,
            "sslpassword": _NEVER_ASK,
            "target_session_attrs": settings.target_session_attrs,
            "channel_binding": settings.channel_binding,
            "options": own_options or None,
            "application_name": APPLICATION_NAME,
            "client_encoding": "utf8",
            "connect_timeout": max(2, min(CONNECT_TIMEOUT_S, int(CONNECT_DEADLINE_S - 1) // len(settings.hosts))),
            "gssencmode": "disable",
            "keepalives": 1,
            "keepalives_idle": 10,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        }
        return {name: value for name, value in parameters.items() if value is not None}


def _notice_dead_clients(connection: Psycopg2Connection) -> None:
    """Let the server end a statement soon after this process died, even one that waits for a lock."""
    import psycopg2

    connection.autocommit = True
    # servers on some systems, Windows among them, cannot do it and say so
    with contextlib.suppress(psycopg2.DataError, psycopg2.NotSupportedError), connection.cursor() as cursor:
        cursor.execute("SET client_connection_check_interval = '2s'")
    connection.autocommit = False


def within(
    connect: Callable[[threading.Event], Psycopg2Connection], deadline_s: float, cancelled: threading.Event | None
) -> Any:
    """Run `connect` in a thread of its own and give up on it after `deadline_s`, or when `cancelled` is set.

    libpq cannot be interrupted while it resolves a name or walks through addresses. An attempt that was given up ends
    by itself within libpq's own limits; its connection, should one come about, is closed at once.

    Args:
        connect: is told by the event it gets that it was given up.
        deadline_s: seconds for everything.
        cancelled: set by somebody who no longer wants the connection.
    """
    outcome: list[Any] = []
    done = threading.Event()
    given_up = threading.Event()
    decided = threading.Lock()

    def attempt() -> None:
        try:
            result: Any = connect(given_up)
        except BaseException as exc:  # noqa: BLE001 - carried over to the waiting thread
            result = exc
        with decided:
            outcome.append(result)
            if given_up.is_set() and not isinstance(result, BaseException):
                result.close()
        done.set()

    threading.Thread(target=attempt, name="connect", daemon=True).start()
    _wait_for_either(done, cancelled, deadline_s)
    with decided:
        if not outcome:
            given_up.set()
            raise ProblemError(problem("connection-timeout"))
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def _wait_for_either(done: threading.Event, cancelled: threading.Event | None, deadline_s: float) -> None:
    if cancelled is None:
        done.wait(deadline_s)
        return
    step_s = 0.05
    while deadline_s > 0 and not cancelled.is_set() and not done.wait(min(step_s, deadline_s)):
        deadline_s -= step_s


def check_connection(settings: ConnectionSettings) -> None:
    """Connect, run a trivial query, close.

    Raises:
        ProblemError: it did not work.
    """
    import psycopg2

    connection = Connector(settings).open()
    clock = cut_off_after(connection, CONNECT_TIMEOUT_S / 2)
    try:
        with clock, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except psycopg2.Error as exc:
        found = problem("connection-timeout") if clock.has_cut else diagnose(exc, settings)
        raise ProblemError(found) from None
    finally:
        connection.close()


class cut_off_after:  # noqa: N801 - reads as a verb where it is used
    """Context manager: cut the connection's socket if the block takes longer than `deadline_s`.

    A server that stopped, or a network that swallows packets, would otherwise hold the thread for minutes.
    """

    def __init__(self, connection: Any, deadline_s: float) -> None:
        self.has_cut = False
        self._connection = connection
        self._timer = threading.Timer(deadline_s, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> None:
        """Start the clock."""
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        """Stop the clock."""
        self._timer.cancel()

    def _cut(self) -> None:
        self.has_cut = True
        cut(self._connection)


def cut(connection: Any) -> None:
    """Shut a psycopg2 connection's socket down: whatever thread waits on it gets an error at once."""
    try:
        descriptor = connection.fileno()
        view = socket.socket(fileno=descriptor)
    except Exception:  # noqa: BLE001 - closed in this very moment, which is what is wanted
        return
    try:
        view.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    finally:
        view.detach()

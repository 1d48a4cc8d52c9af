"""Opening one connection to PostgreSQL: the very code that start-up, data calls and the connection test share."""

from __future__ import annotations

import contextlib
import functools
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app import __version__
from app.core.exceptions import ProblemError
from app.core.problems import Problem, problem
from app.db.conninfo import conninfo
from app.db.diagnose import asks_for_password, depends_on_encryption, diagnose, lacks_channel_binding
from app.db.login import REVEALING, Logins, Proof, allowed_methods, as_libpq, is_verified
from app.db.settings import ENCRYPTED
from app.db.trial import Lookup, Trial, phases_between, taken_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg2.extensions import connection as Psycopg2Connection  # noqa: N812 - a class in spite of its name

    from app.db.settings import ConnectionSettings

APPLICATION_NAME: Final = f"taskflow-sidecar/{__version__}"
CONNECT_TIMEOUT_S: Final = 5
"""libpq's own limit, which it applies to each address of each host anew; less for many hosts, so that each is tried."""
CONNECT_DEADLINE_S: Final = 12.0
"""Limit for one attempt as a whole, name resolution included, which libpq does not bound at all."""
STATEMENT_TIMEOUT_MS: Final = 15_000
IDLE_IN_TRANSACTION_TIMEOUT_MS: Final = 60_000
LOCK_TIMEOUT_MS: Final = 5_000
SESSION_OPTIONS: Final = (
    f"-c statement_timeout={STATEMENT_TIMEOUT_MS} "
    f"-c lock_timeout={LOCK_TIMEOUT_MS} "
    f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS}"
)
_WAKE_AGAIN_S: Final = 0.02
"""Until then a thread that had just asked has begun to wait."""
_CLIENT_CHECK_VERSION: Final = 140000
_FIRST_SSLMODE: Final = {"prefer": "require", "allow": "disable"}
_NEVER_ASK: Final = "-"
"""With none at all OpenSSL would ask for an encrypted key's passphrase on the terminal, or on stdin."""


class _Way(msgspec.Struct, frozen=True):
    """How one attempt is made; what is found to work is kept for the next connection."""

    sslmode: str
    behind_pooler: bool = False
    """The server refused session time-outs as start-up parameters; they must be set per transaction."""
    binds: bool = False
    """Demand channel binding: the login is good for this very TLS connection only."""
    reveals: bool = False
    """A verified server asks for the password itself."""


class Connector:
    """Opens connections with one set of settings; remembers what a server or a pooler refused, and what it can do.

    No login is weaker than the last one that succeeded: once a server has shown that it knows the password without
    being told (SCRAM), and that it binds the login to the TLS connection, it has to do so each time.
    """

    def __init__(self, settings: ConnectionSettings, logins: Logins | None = None) -> None:
        self.settings = settings
        self._logins = Logins() if logins is None else logins
        sslmode = tls_mode(settings)
        first_sslmode = sslmode
        if len(settings.hosts) == 1:  # with several, libpq must do it: a second walk past dead ones costs too much time
            first_sslmode = _FIRST_SSLMODE.get(sslmode, sslmode)
        self._way = _Way(first_sslmode, binds=_may_bind(settings, first_sslmode))

    @property
    def behind_pooler(self) -> bool:
        """Whether session time-outs must be set per transaction."""
        return self._way.behind_pooler

    @property
    def password(self) -> str | None:
        """The password that the next login uses."""
        return self._logins.password(self.settings)

    @property
    def proof(self) -> Proof:
        """What the logins so far have shown."""
        return self._logins.proof(self.settings)

    def open(self, *, deadline_s: float = CONNECT_DEADLINE_S, cancelled: threading.Event | None = None) -> Any:
        """Return an open psycopg2 connection.

        Raises:
            ProblemError: it could not be made; the problem tells why, without the driver's text.
        """
        return within(self._negotiate, deadline_s, cancelled)

    def _negotiate(self, given_up: threading.Event) -> Psycopg2Connection:
        """Connect; in another way if it is the way that is at fault.

        libpq itself carries `prefer` and `allow` out by trying twice, whatever the first failure was. A rejected
        password must be tried once only: accounts get locked. So the first try is made here, and libpq gets the mode
        as it was typed only after a refusal that has to do with encryption.
        """
        import psycopg2

        way, password, proof = self._way, self.password, self.proof
        while True:
            try:
                connection = self._connect(way, password, proof)
            except (psycopg2.Error, UnicodeError, ValueError) as exc:
                error: Exception = exc
            else:
                self._way = way
                self._logins.prove(self.settings, self._shown_by(connection, way, proof))
                return connection
            # driver texts may quote parts of the DSN: only the diagnosis leaves this function, without a context
            found = diagnose(error, msgspec.structs.replace(self.settings, password=password), proof)
            other = None if given_up.is_set() else self._another(way, error, found, proof)
            if other is None:
                raise ProblemError(found)
            way = other

    def _another(self, way: _Way, error: Exception, found: Problem, proof: Proof) -> _Way | None:
        """Return a way that may succeed where `way` failed; None if there is none, or none that may be gone."""
        if found.code == "parameter-refused" and not way.behind_pooler:
            return msgspec.structs.replace(way, behind_pooler=True)
        if way.binds and lacks_channel_binding(error) and not self._must_bind(proof):
            return msgspec.structs.replace(way, binds=False)
        if asks_for_password(error) and not way.reveals and is_verified(self.settings):
            revealing = allowed_methods(self.settings, proof, reveal=True)
            return msgspec.structs.replace(way, reveals=True) if revealing & REVEALING else None
        sslmode = tls_mode(self.settings)
        if way.sslmode != sslmode and depends_on_encryption(error):
            return msgspec.structs.replace(way, sslmode=sslmode, binds=False)
        return None

    def _must_bind(self, proof: Proof) -> bool:
        return proof.channel_binding or self.settings.channel_binding == "require"

    def _shown_by(self, connection: Psycopg2Connection, way: _Way, proof: Proof) -> Proof:
        """Return what a login that succeeded has shown."""
        has_shown_none = allowed_methods(self.settings, proof, reveal=way.reveals).isdisjoint(REVEALING)
        return Proof(scram=has_shown_none and bool(connection.info.used_password), channel_binding=way.binds)

    def _connect(self, way: _Way, password: str | None, proof: Proof) -> Psycopg2Connection:
        import psycopg2

        session_options = "" if way.behind_pooler else SESSION_OPTIONS
        must_bind = way.binds or self._must_bind(proof)
        parameters = self.parameters(session_options) | {
            "password": password,
            "sslmode": way.sslmode,
            "channel_binding": "require" if must_bind else "prefer",
            "require_auth": as_libpq(allowed_methods(self.settings, proof, reveal=way.reveals)),
        }
        connection = psycopg2.connect(conninfo(parameters), connection_factory=_connection_class())
        if session_options and connection.server_version >= _CLIENT_CHECK_VERSION:
            _notice_dead_clients(connection)
        return connection

    def parameters(self, session_options: str) -> dict[str, Any]:
        """Return libpq's keyword parameters, but for those that differ from one attempt to the next."""
        settings = self.settings
        own_options = f"{settings.options or ''} {session_options}".strip()
        parameters = {
            "host": ",".join(settings.hosts),
            "hostaddr": settings.hostaddr,
            "port": str(settings.port),
            "dbname": settings.database,
            "user": settings.username,
            "sslrootcert": settings.sslrootcert,
            "sslcert": settings.sslcert,
            "sslkey": settings.sslkey,
            "sslpassword": _NEVER_ASK,
            "sslcertmode": "require" if settings.auth == "certificate" else None,
            "sslnegotiation": settings.sslnegotiation,
            "target_session_attrs": settings.target_session_attrs,
            "load_balance_hosts": settings.load_balance_hosts,
            "options": own_options or None,
            "application_name": APPLICATION_NAME,
            "client_encoding": "utf8",
            "connect_timeout": max(2, min(CONNECT_TIMEOUT_S, int(CONNECT_DEADLINE_S - 1) // len(settings.hosts))),
            "krbsrvname": settings.krbsrvname,
            "gssencmode": settings.gssencmode or _gss_encryption(settings),
            "keepalives": 1,
            "keepalives_idle": 10,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        }
        return {name: value for name, value in parameters.items() if value is not None}


@functools.cache
def _connection_class() -> type[Psycopg2Connection]:
    """Return a connection that tells why it could not be made, in whatever encoding the server says so.

    Over words that are no UTF-8, psycopg2's error is a UnicodeDecodeError that has them; before CPython 3.11.5 it is an
    OperationalError without any (https://github.com/python/cpython/issues/107915).
    """
    from psycopg2 import OperationalError
    from psycopg2.extensions import connection

    class Telling(connection):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            try:
                super().__init__(*args, **kwargs)
            except OperationalError as exc:
                words = None if exc.args else self.info.error_message
                self.close()  # the traceback would keep it
                if words is None:
                    raise
                raise OperationalError(words) from None

    return Telling


def tls_mode(settings: ConnectionSettings) -> str:
    """Return the TLS mode that counts: a certificate can be shown over TLS only."""
    return "require" if settings.auth == "certificate" and settings.sslmode == "prefer" else settings.sslmode


def _may_bind(settings: ConnectionSettings, sslmode: str) -> bool:
    """Tell whether a login may be bound to a TLS connection: by SCRAM, over TLS."""
    is_local = all(host.startswith(("/", "@")) for host in settings.hosts)
    return settings.auth in ("password", "none") and sslmode != "disable" and not is_local


def _gss_encryption(settings: ConnectionSettings) -> str:
    """Kerberos encrypts where TLS is not demanded, and nothing is lost by trying: the ticket is there already."""
    return "prefer" if settings.auth == "kerberos" and settings.sslmode not in ENCRYPTED else "disable"


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


def check_connection(settings: ConnectionSettings, logins: Logins | None = None) -> Trial:
    """Connect, run a trivial query, close. `logins`: what is known of them, where the settings are the saved ones.

    Raises:
        ProblemError: it did not work.
    """
    import psycopg2

    lookup = Lookup(settings)
    begun_at = time.perf_counter()
    connection = Connector(settings, logins).open()
    connected_at = time.perf_counter()
    clock = cut_off_after(connection, CONNECT_TIMEOUT_S / 2)
    try:
        with clock, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            answered_at = time.perf_counter()
            arrival = taken_at(cursor)
        return Trial(
            phases_between(begun_at, arrival, connected_at, answered_at, lookup_s=lookup.took_s()),
            connection.info.parameter_status("server_version"),
            connection.info.ssl_attribute("protocol") if connection.info.ssl_in_use else None,
        )
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
    if sys.platform == "win32":
        _wake(descriptor)


if sys.platform == "win32":

    def _wake(descriptor: int) -> None:
        """Let a thread that waits on a socket get an error: on Windows it does not notice the shutdown."""
        import ctypes

        kernel = ctypes.WinDLL("kernel32")
        if not kernel.CancelIoEx(ctypes.c_void_p(descriptor), None):
            time.sleep(_WAKE_AGAIN_S)
            kernel.CancelIoEx(ctypes.c_void_p(descriptor), None)

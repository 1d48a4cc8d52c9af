"""Loopback networks that misbehave on demand: ports, a proxy with a switch, servers that are no PostgreSQL."""

from __future__ import annotations

import contextlib
import queue
import random
import select
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import uvicorn

from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

LOOPBACK = "127.0.0.1"
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""What a PostgreSQL client sends first to ask for TLS; the server answers one byte, S or N."""
GSSENC_REQUEST = struct.pack("!ii", 8, 80877104)
"""The same for GSSAPI encryption."""

LOWEST_PORT = 10_000
HIGHEST_PORT = 65_535
EPHEMERAL_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")
DEFAULT_EPHEMERAL_START = 32_768


def has_ipv6() -> bool:
    """Whether ::1 can be listened on."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def free_port() -> int:
    """Choose a TCP port that nothing listens on, on 127.0.0.1 and on ::1.

    The port lies below those the system hands to outgoing connections. A server can therefore stop and come back
    on it: with an ephemeral port any other program's connection may have taken it in between.

    Raises:
        OSError: a hundred ports in a row were taken.
    """
    # Seeded by the system, whatever a test did to the shared generator: parallel runs must not agree.
    candidates = random.SystemRandom().sample(range(LOWEST_PORT, _ephemeral_start()), 100)
    for port in candidates:
        if _is_free(port):
            return port
    raise OSError("no free port among a hundred candidates")


def _ephemeral_start() -> int:
    try:
        start = int(EPHEMERAL_RANGE_FILE.read_text().split()[0])
    except OSError:
        start = DEFAULT_EPHEMERAL_START
    return start if start > LOWEST_PORT + 1000 else HIGHEST_PORT


def _is_free(port: int) -> bool:
    families = [(socket.AF_INET, LOOPBACK)] + ([(socket.AF_INET6, "::1")] if has_ipv6() else [])
    for family, host in families:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


class LoopbackServer:
    """A TCP server on 127.0.0.1 that runs one function, in a thread of its own, for each connection.

    The connection is closed when the function returns. Leaving the `with` block closes everything, then waits for
    the threads, so the function must return once its connection is dead.
    """

    def __init__(self, handler: Callable[[socket.socket], None], *, port: int | None = None) -> None:
        self._handler = handler
        self.port = free_port() if port is None else port
        self.accepted = 0
        """Connections accepted so far."""
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self._is_closing = threading.Event()

    def __enter__(self) -> Self:
        self.listen()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def listen(self) -> None:
        """Open the listening socket on `port`, unless it is open."""
        if self._listener is not None:
            return
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((LOOPBACK, self.port))
            listener.listen(128)
            # Closing a socket does not wake the thread that accepts on it: that thread looks up from time to time.
            listener.settimeout(0.05)
        except BaseException:
            listener.close()
            raise
        self._is_closing.clear()
        self._listener = listener
        self._acceptor = threading.Thread(target=self._accept, args=(listener,), name="accept", daemon=True)
        self._acceptor.start()

    def stop_listening(self) -> None:
        """Close the listening socket; from then on the system refuses connections. Those established live on."""
        self._is_closing.set()
        if self._acceptor is not None:
            self._acceptor.join()
        if self._listener is not None:
            self._listener.close()
        self._listener = self._acceptor = None

    def drop_connections(self, *, reset: bool = False) -> int:
        """Close the established connections and wait until their functions have returned.

        Args:
            reset: send RST, as a firewall or a crashed host does, rather than an orderly end. (Over bytes that nobody
                has read yet the system resets in any case.)

        Returns:
            How many there were.
        """
        with self._lock:
            connections = dict(self._connections)
        for connection, thread in connections.items():
            with contextlib.suppress(OSError):
                if reset:
                    # With a zero linger time the final close sends RST. It counts before anything wakes the function.
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._on_drop(connection)
            with contextlib.suppress(OSError):
                if reset:
                    # Only wakes a reader, where shutting down both ways would send an orderly end first.
                    connection.shutdown(socket.SHUT_RD)
                    thread.join(timeout=1)
                # Wakes a writer too, one whose peer does not read.
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()
        return len(connections)

    def close(self) -> None:
        """Close the listening socket and every connection."""
        self.stop_listening()
        self.drop_connections()

    def _on_drop(self, connection: socket.socket) -> None:
        """Wake whatever else the function of a dropped connection waits for."""

    def _accept(self, listener: socket.socket) -> None:
        while not self._is_closing.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(None)
            thread = threading.Thread(target=self._serve, args=(connection,), name="connection", daemon=True)
            with self._lock:
                self.accepted += 1
                self._connections[connection] = thread
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError):
                self._handler(connection)
        finally:
            with self._lock:
                del self._connections[connection]
            connection.close()


class TcpProxy(LoopbackServer):
    """A proxy in front of a server on 127.0.0.1 whose network can be made to fail, and to heal.

    It starts by passing everything. `black_hole` keeps and accepts connections but forwards nothing, not even an
    end; what was withheld is delivered when the network heals. `refuse` closes the listening socket. `cut` ends the
    established connections, once. When the server itself does not answer, a new connection is accepted and closed.
    """

    def __init__(self, upstream_port: int, *, upstream_host: str = LOOPBACK, port: int | None = None) -> None:
        super().__init__(self._relay, port=port)
        self.upstream = (upstream_host, upstream_port)
        self._changed = threading.Condition()
        self._is_flowing = True
        self._servers: dict[socket.socket, socket.socket] = {}
        """By the client's socket, the one towards the server."""
        self._dropped: set[socket.socket] = set()

    def pass_through(self) -> None:
        """Forward everything, what a black hole withheld included; accept connections."""
        self._set_flowing(is_flowing=True)
        self.listen()

    def black_hole(self) -> None:
        """Accept connections and keep those that exist, but forward nothing."""
        self._set_flowing(is_flowing=False)
        self.listen()

    def refuse(self) -> None:
        """Refuse new connections; those established live on."""
        self.stop_listening()

    def cut(self, *, reset: bool = False) -> int:
        """Close the established connections, on both sides; return how many there were."""
        return self.drop_connections(reset=reset)

    def down(self) -> None:
        """Behave as if the server were gone: refuse, and cut."""
        self.refuse()
        self.cut()

    def _set_flowing(self, *, is_flowing: bool) -> None:
        with self._changed:
            self._is_flowing = is_flowing
            self._changed.notify_all()

    def _on_drop(self, connection: socket.socket) -> None:
        with self._changed:
            self._dropped.add(connection)
            self._changed.notify_all()
            server = self._servers.get(connection)
        if server is not None:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)

    def _wait_for_flow(self, client: socket.socket) -> bool:
        """Wait until the network passes; answer whether the connection still stands."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_flowing or client in self._dropped)
            return client not in self._dropped

    def _wait_for_bytes(self, source: socket.socket, client: socket.socket) -> None:
        """Wait until there is something to read, an end included; look up for a connection that was dropped.

        Raises:
            OSError: it was dropped.
        """
        while not select.select([source], [], [], 0.05)[0]:
            if client in self._dropped:
                raise ConnectionAbortedError

    def _relay(self, client: socket.socket) -> None:
        try:
            if not self._wait_for_flow(client):
                return
            with socket.create_connection(self.upstream, timeout=5) as server:
                server.settimeout(None)
                with self._changed:
                    self._servers[client] = server
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                answers = threading.Thread(target=self._pump, args=(server, client, client), daemon=True)
                answers.start()
                self._pump(client, server, client)
                answers.join()
        finally:
            with self._changed:
                self._dropped.discard(client)
                self._servers.pop(client, None)

    def _pump(self, source: socket.socket, sink: socket.socket, client: socket.socket) -> None:
        """Forward bytes until the source ends, and then the end; a failure on one side ends the other."""
        try:
            while True:
                if sys.platform == "win32":  # Wine wakes nobody in `recv` when another thread shuts the socket down
                    self._wait_for_bytes(source, client)
                chunk = source.recv(65536)
                if not self._wait_for_flow(client):
                    break
                if not chunk:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(chunk)
        except OSError:
            pass
        # Each side's reader wakes up and returns. Reception is enough: a reset is still to come for the client.
        for side in (source, sink):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RD)


@contextlib.contextmanager
def never_replies() -> Iterator[LoopbackServer]:
    """Run a server that accepts connections, reads all it is sent and never says a word."""

    def swallow(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    with LoopbackServer(swallow) as server:
        yield server


@contextlib.contextmanager
def black_hole() -> Iterator[tuple[str, int]]:
    """Provide an address on loopback that does not even answer a SYN, as behind a firewall that drops packets.

    A listening socket with a full queue ignores further connections (Linux does so unless told to refuse them).
    """
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        listener.bind((LOOPBACK, free_port()))
        listener.listen(0)
        address: tuple[str, int] = listener.getsockname()
        for _ in range(16):
            filler = sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            filler.settimeout(0.2)
            try:
                filler.connect(address)
            except TimeoutError:
                yield address
                return
        raise OSError("the queue of a listening socket does not fill up on this system")


@contextlib.contextmanager
def web_server() -> Iterator[int]:
    """Run a real HTTP server on 127.0.0.1 and yield its port; bytes that are not HTTP get `400 Bad Request`."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind((LOOPBACK, free_port()))
    config = uvicorn.Config(_hello, http="h11", lifespan="off", log_config=None, log_level="critical", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="web-server", daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started, timeout_s=10, what="the web server")
        port: int = listener.getsockname()[1]
        yield port
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


async def _hello(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"<h1>It works!</h1>"})


class DistantProxy(TcpProxy):
    """A proxy whose server is far away: all arrives late, however much is on its way at once."""

    def __init__(self, upstream_port: int, *, one_way_s: float) -> None:
        super().__init__(upstream_port)
        self._one_way_s = one_way_s

    def _pump(self, source: socket.socket, sink: socket.socket, client: socket.socket) -> None:
        distant = _Distant(sink, self._one_way_s)
        super()._pump(source, distant, client)  # type: ignore[arg-type]


class _Distant:
    """What a proxy does with a socket, done later, in the same order."""

    def __init__(self, sink: socket.socket, one_way_s: float) -> None:
        self._one_way_s = one_way_s
        self._on_its_way: queue.SimpleQueue[tuple[float, Callable[[], object]] | None] = queue.SimpleQueue()
        self._sink = sink
        threading.Thread(target=self._deliver, daemon=True).start()

    def sendall(self, chunk: bytes) -> None:
        self._later(lambda: self._sink.sendall(chunk))

    def shutdown(self, how: int) -> None:
        self._later(lambda: self._sink.shutdown(how))
        self._on_its_way.put(None)  # nothing comes after that

    def _later(self, act: Callable[[], object]) -> None:
        self._on_its_way.put((time.monotonic() + self._one_way_s, act))

    def _deliver(self) -> None:
        with contextlib.suppress(OSError):
            while (next_one := self._on_its_way.get()) is not None:
                due, act = next_one
                time.sleep(max(0.0, due - time.monotonic()))
                act()


class FakeServer(LoopbackServer):
    """A server that answers each connection with the same bytes and closes it.

    As a PostgreSQL it declines encryption and answers the start-up packet that follows. Otherwise it sends the bytes
    at once, as a mail or SSH server greets.
    """

    def __init__(self, reply: bytes, *, is_postgres: bool = True) -> None:
        super().__init__(self._answer)
        self._reply = reply
        self._is_postgres = is_postgres
        self.received: list[bytes] = []
        """The start-up packet of each connection, or all that a greeted client sent back, piece by piece."""

    def _answer(self, connection: socket.socket) -> None:
        if self._is_postgres:
            self.received.append(_read_startup_packet(connection))
        connection.sendall(self._reply)
        connection.shutdown(socket.SHUT_WR)
        # Read to the client's end: closing over unread bytes would reset the connection and destroy the reply.
        while rest := connection.recv(65536):
            if not self._is_postgres:
                self.received.append(rest)


def _read_startup_packet(connection: socket.socket) -> bytes:
    while True:
        header = _read_exactly(connection, 4)
        (length,) = struct.unpack("!i", header)
        packet = header + _read_exactly(connection, length - 4)
        if packet not in {SSL_REQUEST, GSSENC_REQUEST}:
            return packet
        connection.sendall(b"N")


def _read_exactly(connection: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        chunk = connection.recv(count - len(received))
        if not chunk:
            raise ConnectionError("the client hung up")
        received += chunk
    return received


def error_response(
    message: str,
    *,
    sqlstate: str,
    severity: str = "FATAL",
    localized_severity: str | None = None,
    encoding: str = "utf-8",
) -> bytes:
    """Build the ErrorResponse packet with which a PostgreSQL server refuses a connection.

    https://www.postgresql.org/docs/current/protocol-error-fields.html

    Args:
        message: the primary message, in whatever language.
        sqlstate: five characters, such as 28P01.
        severity: the untranslated severity, field V.
        localized_severity: the severity as a localised server words it, such as `FATALE`; field S.
        encoding: before authentication servers answer in their own encoding, whatever the client's.
    """
    fields = {"S": localized_severity or severity, "V": severity, "C": sqlstate, "M": message}
    body = b"".join(code.encode() + text.encode(encoding) + b"\0" for code, text in fields.items()) + b"\0"
    return b"E" + struct.pack("!i", len(body) + 4) + body

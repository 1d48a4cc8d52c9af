"""Throughput: requests a second over a few kept connections."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

from _measure import Bench, Row, compared, in_turn
from _servers import TOKEN, bare_stack, database_with_members, sidecar

REQUESTS = 3000
CONNECTIONS = 4


def measure(bench: Bench) -> Iterator[Row]:
    """Yield a row for each kind of request; sidecar and bare framework answer in turn."""
    url = database_with_members(bench, "load", 50)
    cases: list[tuple[str, str, str]] = [
        ("/health", "/health", "/health"),
        ("50 members", "/api/v1/members", "/members"),
    ]
    with sidecar(bench.home / "load-postgresql", url) as running, bare_stack(url) as bare:
        running.milestones()
        for name, subject_path, floor_path in cases:
            subject, floor = in_turn(
                bench.rounds, partial(rate, running.port, subject_path), partial(rate, bare.port, floor_path)
            )
            yield compared(name, "requests/s", subject, "bare framework", floor, "higher is better")


def rate(port: int, path: str) -> float:
    """Return the requests a second that a few connections get answered."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    each = REQUESTS // CONNECTIONS
    started = time.perf_counter()
    in_threads(CONNECTIONS, lambda: ask_repeatedly(port, request, each))
    return each * CONNECTIONS / (time.perf_counter() - started)


def in_threads(count: int, action: Callable[[], None]) -> None:
    """Run `action` in threads and wait for them."""
    threads = [threading.Thread(target=action) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def ask_repeatedly(port: int, request: bytes, times: int) -> None:
    """Send the same request over one connection; every answer is as long as the first."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request)
        length = len(first_answer(connection))
        for _ in range(times - 1):
            connection.sendall(request)
            missing = length
            while missing > 0:
                missing -= len(connection.recv(missing))


def first_answer(connection: socket.socket) -> bytes:
    """Read one answer by its Content-Length."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise RuntimeError("the server did not answer 200")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < int(lengths[0].split(b":")[1]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body

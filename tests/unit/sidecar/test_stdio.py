"""The handshake line, the announcer's lines, and an end that comes whatever hangs."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import __version__
from app.core.exceptions import HandshakeInvalidError
from app.sidecar.stdio import MAX_HANDSHAKE_BYTES, Handshake, parse_handshake
from tests.support.properties import PROPERTY
from tests.support.sidecar import CHECKOUT
from tests.support.system import posix_only
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "0123456789abcdef" * 2
ANY_JSON = st.recursive(st.none() | st.text(max_size=5) | st.integers(), st.lists, max_leaves=3)


def line(**changes: Any) -> bytes:
    """Make a handshake line without its end."""
    return json.dumps({"protocol": 1, "token": TOKEN, **changes}).encode()


# The handshake


@pytest.mark.parametrize(
    ("given_line", "expected"),
    [
        pytest.param(line(), Handshake(TOKEN, None), id="least"),
        pytest.param(line() + b"\r", Handshake(TOKEN, None), id="crlf"),
        pytest.param(b"\xef\xbb\xbf" + line(), Handshake(TOKEN, None), id="byte-order-mark"),
        pytest.param(line(token="AB" * 40), Handshake("AB" * 40, None), id="long-token"),
        pytest.param(line(encryption_key="key"), Handshake(TOKEN, "key"), id="key"),
        pytest.param(line(encryption_key=""), Handshake(TOKEN, None), id="empty-key"),
        pytest.param(line(encryption_key=None), Handshake(TOKEN, None), id="null-key"),
        pytest.param(
            line(jwt_secret_key="jwt", api_key_encryption_secret="aes"),
            Handshake(TOKEN, None, "jwt", "aes"),
            id="other-secrets",
        ),
        pytest.param(line(min_version=__version__, max_version="999"), Handshake(TOKEN), id="version-within"),
        pytest.param(line(later={"version": 9}), Handshake(TOKEN, None), id="unknown-field"),
    ],
)
def test_sound_handshake_is_read(given_line: bytes, expected: Handshake) -> None:
    """Unknown fields are for later versions."""
    assert parse_handshake(given_line) == expected


@pytest.mark.parametrize(
    ("given_line", "words"),
    [
        pytest.param(b"", "ended before", id="nothing"),
        pytest.param(b"hello", "not a JSON object", id="text"),
        pytest.param(b"\xff\xff", "not a JSON object", id="bytes"),
        pytest.param(b"[" * 60_000, "not a JSON object", id="too-deep"),
        pytest.param(b"[]", "not a JSON object", id="array"),
        pytest.param(line(protocol=2), "update the older", id="newer-protocol"),
        pytest.param(line(protocol=None), "update the older", id="no-protocol"),
        pytest.param(line(protocol=True), "update the older", id="boolean-protocol"),
        pytest.param(line(token=None), "token", id="no-token"),
        pytest.param(line(token=TOKEN[:-1]), "token", id="short-token"),
        pytest.param(line(token=TOKEN + "\n"), "token", id="token-with-line-end"),
        pytest.param(line(token="\uff11" * 32), "token", id="token-of-other-digits"),
        pytest.param(line(encryption_key=1), "encryption_key", id="number-for-key"),
        pytest.param(line(jwt_secret_key=[]), "jwt_secret_key", id="list-for-secret"),
        pytest.param(line(min_version="999.0"), "needs at least version 999.0 of the sidecar", id="too-old"),
        pytest.param(line(max_version="0.0.1"), "needs at most version 0.0.1 of the sidecar", id="too-new"),
        pytest.param(line(min_version="soon"), "min_version is not a version", id="no-version"),
        pytest.param(b" " * MAX_HANDSHAKE_BYTES + line(), "64 KiB", id="too-long"),
    ],
)
def test_unsound_handshake_is_refused(given_line: bytes, words: str) -> None:
    """One sentence that holds nothing of the line, and no error underneath that does."""
    with pytest.raises(HandshakeInvalidError, match=words) as caught:
        parse_handshake(given_line)

    assert TOKEN[:16] not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@PROPERTY
@given(st.binary(max_size=50) | ANY_JSON.map(lambda value: json.dumps(value).encode()))
def test_any_line_is_read_or_refused(given_line: bytes) -> None:
    """Nothing a broken launcher writes is an internal error."""
    with contextlib.suppress(HandshakeInvalidError):
        parse_handshake(given_line)


def test_handshake_does_not_show_its_secrets() -> None:
    """It may turn up in an exception or a log."""
    assert repr(Handshake("secret-token", "secret-key", "secret-jwt", "secret-aes")) == "Handshake()"


# What needs descriptors of its own, and so a process


def run(
    script: str,
    *,
    stdin: int | None = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start Python with the functions under test imported."""
    preamble = (
        "import os, sys, time, threading\n"
        "from app.sidecar.stdio import Announcer, ensure_standard_streams, exit_at_the_latest, read_handshake, tell\n"
        "from app.sidecar.stdio import watch_parent\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", preamble + textwrap.dedent(script)],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "backend")},
        **options,
    )


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """The writing end of a pipe that nobody reads and that takes nothing more."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    os.set_blocking(writing, True)
    yield writing
    os.close(writing)
    os.close(reading)


@pytest.fixture
def broken_pipe() -> Iterator[int]:
    """The writing end of a pipe whose reader is gone."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def test_announcer_writes_one_ascii_object_a_line() -> None:
    """Line separators, quotes and letters of any language inside a value end no line."""
    script = """
        announcer = Announcer()
        announcer.say("state", problem={"message": "line\\nend \\u2028 \\u00e4 \\U0001f511 \\"quoted\\""})
        announcer.say("exit", code="stopped")
        announcer.close()
    """

    written, _ = run(script).communicate(timeout=10)

    assert written.isascii()
    assert [json.loads(part) for part in written.splitlines()] == [
        {"event": "state", "problem": {"message": 'line\nend \u2028 \u00e4 \U0001f511 "quoted"'}},
        {"event": "exit", "code": "stopped"},
    ]


def test_stray_output_does_not_reach_the_announcers_stream() -> None:
    """Whatever prints, in Python or below it, prints on stderr once the announcer has taken stdout over."""
    script = """
        announcer = Announcer()
        print("printed by a library", flush=True)
        os.write(1, b"written by a C library\\n")
        os.system("echo said by a child")
        announcer.say("exit", code="stopped")
        announcer.close()
    """

    written, errors = run(script).communicate(timeout=10)

    assert written == b'{"event": "exit", "code": "stopped"}\n'
    assert [b"printed by" in errors, b"written by" in errors, b"said by" in errors] == [True, True, True]


def test_nothing_is_said_after_the_close() -> None:
    """The last event is the last line, whichever threads still report."""
    script = """
        announcer = Announcer()
        announcer.say("exit", code="stopped")
        announcer.close()
        announcer.say("state", state="ready")
        time.sleep(0.1)
    """

    written, _ = run(script).communicate(timeout=10)

    assert json.loads(written) == {"event": "exit", "code": "stopped"}


@pytest.mark.parametrize("pipe", [pytest.param("full_pipe", marks=posix_only), "broken_pipe"])
def test_announcer_never_waits_for_a_reader(request: pytest.FixtureRequest, pipe: str) -> None:
    """Five thousand events into a pipe that takes none: said at once, and closed within its bound."""
    script = """
        announcer = Announcer()
        begun_at = time.monotonic()
        for number in range(5000):
            announcer.say("state", number=number)
        said_s = time.monotonic() - begun_at
        announcer.close(0.2)
        print(said_s, time.monotonic() - begun_at, file=sys.stderr, flush=True)
        os._exit(0)
    """

    with run(script, stdout=request.getfixturevalue(pipe)) as process:
        _, errors = process.communicate(timeout=10)
    said_s, closed_s = (float(number) for number in errors.split())

    assert process.returncode == 0
    assert said_s < 2
    assert closed_s < 3


@pytest.mark.parametrize("pipe", [pytest.param("full_pipe", marks=posix_only), "broken_pipe"])
def test_telling_people_never_waits_for_a_reader(request: pytest.FixtureRequest, pipe: str) -> None:
    """The sentence is lost, the program goes on."""
    with run("tell('hello', 0.2)\nos._exit(7)", stderr=request.getfixturevalue(pipe)) as process:
        assert process.wait(10) == 7


def test_telling_people_writes_a_line() -> None:
    """Of any characters."""
    _, errors = run("tell('gr\u00fc\u00df \u4f60')").communicate(timeout=10)

    assert errors.decode() == "gr\u00fc\u00df \u4f60\n"


def test_handshake_leaves_the_rest_of_stdin_alone() -> None:
    """What comes after the line is not swallowed with it."""
    script = """
        handshake = read_handshake()
        print(handshake.token, os.read(0, 100).decode(), end="")
    """

    written, _ = run(script, stdin=subprocess.PIPE).communicate(line() + b"\nrest", timeout=10)

    assert written.decode() == f"{TOKEN} rest"


def test_end_of_stdin_is_noticed_behind_whatever_came_before() -> None:
    """A newer launcher may say more; only the end counts."""
    script = """
        gone = threading.Event()
        watch_parent(gone.set)
        print(gone.wait(0.1), flush=True)
        print(gone.wait(5), flush=True)
    """
    with run(script, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"something\n" * 10_000)
        process.stdin.flush()
        assert process.stdout.readline().strip() == b"False"

        process.stdin.close()

        assert process.stdout.readline().strip() == b"True"


def test_missing_streams_are_replaced() -> None:
    """Started without any, as services are, the program must not take its database's socket for stdout."""
    script = """
        for number in (0, 1, 2):
            os.close(number)
        sys.stderr = None
        ensure_standard_streams()
        first = os.open(os.devnull, os.O_RDONLY)
        print("into the void", file=sys.stderr)
        os._exit(0 if first > 2 and os.read(0, 1) == b"" else 1)
    """

    with run(script) as process:
        assert process.wait(10) == 0


def test_existing_streams_stay() -> None:
    """They belong to the launcher."""
    written, errors = run("ensure_standard_streams()\nprint('out')\nprint('err', file=sys.stderr)").communicate(
        timeout=10
    )

    assert (written.strip(), errors.strip()) == (b"out", b"err")


def test_last_resort_ends_what_hangs() -> None:
    """The main thread waits for ever; the process ends on time with its status."""
    begun_at = time.monotonic()
    with run("exit_at_the_latest(0.2, 7)\nprint('armed', flush=True)\nthreading.Event().wait()") as process:
        wait_until(lambda: process.poll() is not None, timeout_s=10, what="the end")

    assert process.returncode == 7
    assert time.monotonic() - begun_at < 5

"""Structured logs, and redaction under attack."""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import shlex
import threading
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import logging as app_logging
from app.core.logging import (
    KEPT_FILES,
    REDACTED,
    JsonFormatter,
    LogWriter,
    Redactor,
    protect,
    redact,
    redact_all,
    start_logging,
)
from tests.support.canaries import CANARIES, NASTY_PASSWORDS, find_canary
from tests.support.system import is_owner_only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRETS = {
    **CANARIES,
    "regex": r"^(a+)+$|[z-a]\1{2,}(?P<x>.*)?*",
    "replacement": r"\1\g<0>\\n$1${x}%(OCELOT)s",
    "percent-escapes": "a%2Fb%2fc%252F",
    "like-a-header": "Bearer: abc, realm=x",
    "control": "bell\x07 escape\x1b[31m nul\x01",
    "repeated": "abab" * 8,
    "surrogate": "half \udc80 a pair",
    "number": "8675309867",
}


@pytest.fixture(autouse=True)
def redactor(monkeypatch: pytest.MonkeyPatch) -> Redactor:
    """A redactor that has learnt nothing from other tests."""
    fresh = Redactor()
    monkeypatch.setattr(app_logging, "_redactor", fresh)
    return fresh


def record(message: str, *arguments: object, exc: BaseException | None = None, **extra: object) -> logging.LogRecord:
    """Make a log record as loggers do."""
    exc_info = (type(exc), exc, exc.__traceback__) if exc is not None else None
    made = logging.LogRecord("app.test", logging.WARNING, __file__, 1, message, arguments, exc_info)
    vars(made).update(extra)
    return made


def line(message: str, *arguments: object, exc: BaseException | None = None, **extra: object) -> str:
    """What becomes of a record, in both forms."""
    made = record(message, *arguments, exc=exc, **extra)
    plain = app_logging._PlainFormatter().format(made)
    return f"{JsonFormatter().format(made)}\n{plain}"


def raised(error: Exception) -> Exception:
    """Give an exception a traceback and a past."""

    def fail() -> None:
        try:
            {}[error.args[0]]
        except KeyError as first:
            raise error from first

    with pytest.raises(type(error)) as caught:
        fail()
    return caught.value


@dataclass
class Holder:
    """An object that shows what it holds."""

    secret: str


class Careless:
    """An object whose text is the secret."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __str__(self) -> str:
        return self.secret


ATTACKS: dict[str, Callable[[str], str]] = {
    "plain": lambda s: line(f"got {s} there"),
    "argument": lambda s: line("got %s there", s),
    "argument by name": lambda s: line("got %(x)s there", {"x": s}),
    "argument as repr": lambda s: line("got %r there", s),
    "argument in a tuple": lambda s: line("got %s", (s, [s])),
    "split over arguments": lambda s: line("%s%s%s", s[:2], s[2:5], s[5:]),
    "split over characters": lambda s: line("%s" * len(s), *s),
    "object": lambda s: line("got %s", Careless(s)),
    "dataclass": lambda s: line("got %s", Holder(s)),
    "extra": lambda s: line("x", value=s),
    "extra object": lambda s: line("x", value=Careless(s)),
    "extra dataclass": lambda s: line("x", value=Holder(s)),
    "extra nested": lambda s: line("x", value={"a": [{"b": (s, {"c": [s]})}]}),
    "extra key": lambda s: line("x", value={s: 1, "y": {s: {s: 2}}}),
    "extra set": lambda s: line("x", value={s, "other"}),
    "extra bytes": lambda s: line("x", value=[s.encode("utf-8", "surrogatepass")]),
    "extra exception": lambda s: line("x", value=ValueError(s)),
    "name of an extra": lambda s: line("x", value={f"prefix {s} suffix": None}),
    "exception": lambda s: line("x", exc=ValueError(s)),
    "exception chain": lambda s: line("x", exc=raised(ValueError(s))),
    "exception with many arguments": lambda s: line("x", exc=raised(OSError(5, s, s))),
    "exception holding an object": lambda s: line("x", exc=raised(RuntimeError(s, {"password": s}, Holder(s)))),
    "exception as text": lambda s: line("".join(traceback.format_exception(raised(ValueError(s))))),
    "JSON": lambda s: line(json.dumps({"p": s})),
    "JSON, unescaped": lambda s: line(json.dumps({"p": s}, ensure_ascii=False)),
    "JSON in JSON": lambda s: line(json.dumps({"p": json.dumps({"q": s})})),
    "JSON in repr": lambda s: line(repr(json.dumps({"q": s}))),
    "ascii": lambda s: line(ascii(s)),
    "repr of bytes": lambda s: line("%r", s.encode("utf-8", "surrogatepass")),
    "URL": lambda s: line(f"/path?p={quote(s, safe='', errors='surrogatepass')}&q=1"),
    "URL, lower case": lambda s: line(re.sub("%..", lambda m: m[0].lower(), quote(s, safe="", errors="surrogatepass"))),
    "URL path": lambda s: line(quote(s, errors="surrogatepass")),
    "URL form": lambda s: line(quote_plus(s, errors="surrogatepass")),
    "URL as SQLAlchemy writes it": lambda s: line(quote(s, safe=" +", errors="surrogatepass")),
    "URL component of JavaScript": lambda s: line(quote(s, safe="!'()*", errors="surrogatepass")),
    "URL-encoded twice": lambda s: line(
        quote(quote(s, safe="", errors="surrogatepass"), safe="", errors="surrogatepass")
    ),
    "HTML": lambda s: line(html.escape(s)),
    "shell": lambda s: line(shlex.quote(s)),
    "SQL": lambda s: line(f"PASSWORD '{s.replace(chr(39), chr(39) * 2)}'"),
    "conninfo": lambda s: line("x '" + s.replace("\\", "\\\\").replace("'", "\\'") + "'"),
    "base64": lambda s: line(base64.b64encode(s.encode("utf-8", "surrogatepass")).decode()),
    "base64 for URLs": lambda s: line(base64.urlsafe_b64encode(s.encode("utf-8", "surrogatepass")).decode()),
    "base64 amid other text": lambda s: line(
        " ".join(
            base64.b64encode(b"u" * n + b":" + s.encode("utf-8", "surrogatepass") + b"!").decode() for n in range(3)
        )
    ),
    "hexadecimal": lambda s: line(s.encode("utf-8", "surrogatepass").hex()),
    "hexadecimal, upper case": lambda s: line(s.encode("utf-8", "surrogatepass").hex().upper()),
    "very long line": lambda s: line("x" * 40_000 + s + "y" * 40_000),
    "very long line of secrets": lambda s: line(s * (400_000 // len(s))),
    "at the cut": lambda s: line("x" * (32 * 1024 - len(s) // 2) + s),
    "at the other cut": lambda s: line("x" * (256 * 1024 - len(s) // 2) + s),
    "many lines": lambda s: line("\n".join(f"{n}: {s}" for n in range(50))),
    "trimmed": lambda s: line(f"[{s.strip()}]"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_registered_secret_does_not_get_out(attack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In whatever form and at whatever place; something tells that it was there, or that the line was cut."""
    leaked: dict[str, list[str]] = {}
    untold: list[str] = []
    for name, secret in SECRETS.items():
        monkeypatch.setattr(app_logging, "_redactor", Redactor())
        protect(secret)

        text = ATTACKS[attack](secret)

        if forms := [form for form in find_forms(text, secret) if form != "reversed"]:
            leaked[name] = forms
        if REDACTED not in text and "[cut]" not in text:
            untold.append(name)

    assert leaked == {}
    assert untold == []


def find_forms(text: str, secret: str) -> list[str]:
    """Search as for canaries; half a surrogate pair cannot be encoded, so there the text itself must do."""
    if any("\ud800" <= character <= "\udfff" for character in secret):
        return [form for form in (secret, ascii(secret)[1:-1]) if form in text]
    return find_canary(text.encode("utf-8", "replace").decode(), secret)


def test_attacks_are_many() -> None:
    """Every secret was tried with every attack."""
    assert len(ATTACKS) * len(SECRETS) >= 800


@given(st.text(min_size=4, max_size=40).filter(lambda s: len(s.strip()) >= 4))
@settings(max_examples=200, deadline=None)
def test_arbitrary_text_is_redacted(secret: str) -> None:
    """Whatever people choose as a password."""
    redactor = Redactor()
    redactor.protect(secret)

    for text in (secret, json.dumps({"k": secret}), repr([secret]), quote(secret, errors="surrogatepass")):
        redacted = redactor.redact(f"<{text}>")
        assert REDACTED in redacted
        assert secret.strip() not in redacted.replace(REDACTED, "")


@pytest.mark.parametrize("password", NASTY_PASSWORDS.values(), ids=NASTY_PASSWORDS.keys())
def test_unregistered_password_is_caught_where_passwords_stand(password: str) -> None:
    """In URLs, conninfo strings, JSON, headers: patterns catch what nobody registered."""
    quoted = password.replace("\\", "\\\\").replace("'", "\\'")
    texts = [
        f"postgresql://user:{quote(password, safe='')}@host:5432/db",
        f"host=h password='{quoted}' dbname=d",
        json.dumps({"password": password, "port": 1}),
        json.dumps({"api_key": password}, ensure_ascii=False),
        json.dumps({"x": json.dumps({"client_secret": password})}),
        repr({"token": password}),
    ]

    for text in texts:
        redacted = redact(text)
        assert REDACTED in redacted
        for form in (password, json.dumps(password)[1:-1], quote(password, safe=""), quoted):
            assert form not in redacted


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("postgresql://u:p@ss:w/rd@host/db", "postgresql://u:[redacted]@host/db"),
        ("https://u:hunter22@a/ and amqp://v:hunter22@b/", "https://u:[redacted]@a/ and amqp://v:[redacted]@b/"),
        ("password=hunter2 host=h", "password=[redacted] host=h"),
        ("PGPASSWORD=hunter2", "PGPASSWORD=[redacted]"),
        ("password = 'hun\\'ter2' x", "password = [redacted] x"),
        ('"password": "hun\\"ter2", "x": 1', '"password": [redacted], "x": 1'),
        ("password='cut off here", "password=[redacted]"),
        ('{\\"password\\": \\"two words\\", \\"x\\": 1}', '{\\"password\\": [redacted], \\"x\\": 1}'),
        ("Authorization: Bearer abcdefgh.ijkl", "Authorization: [redacted]"),
        ("authorization: Basic dXNlcjpwYXNz", "authorization: [redacted]"),
        ("sent Bearer abcdefgh.ijkl", "sent Bearer [redacted]"),
        ("x-api-key: hunter2", "x-api-key: [redacted]"),
        ("api_key=hunter2&x=1", "api_key=[redacted]"),
        ("key sk-proj-abcdefghijkl is", "key [redacted] is"),
        ("private_key: hunter2", "private_key: [redacted]"),
        ("encryption_key=hunter2", "encryption_key=[redacted]"),
    ],
)
def test_patterns_take_the_secret_and_leave_the_rest(text: str, kept: str) -> None:
    """What helps to find a fault stays readable."""
    assert redact(text) == kept


def test_keys_and_tokens_are_known_by_their_looks() -> None:
    """A Fernet key and a Fernet token, wherever they stand."""
    key = Fernet.generate_key()
    token = Fernet(key).encrypt(b"x").decode()

    assert redact(f"<{key.decode()}>") == f"<{REDACTED}>"
    assert redact(f"encrypted:{token}") == f"encrypted:{REDACTED}"


@pytest.mark.parametrize(
    "text",
    [
        "ready",
        "credentials saved",
        "http://127.0.0.1:8000/health",
        "see https://example.org/a/b?c=d",
        "mail to lead@example.org",
        "key file rotated",
        "0123456789abcdef0123456789abcdef",
        "fernet.key holds 1 valid key(s): KeyRing(0123456789abcdef)",
        "tokens used: 17",
        "2026-11-20T10:11:12.131Z",
    ],
)
def test_innocent_text_is_left_alone(text: str) -> None:
    """Redaction does not make logs useless."""
    assert redact(text) == text


def test_fields_named_like_secrets_are_hidden_whatever_they_hold() -> None:
    """At any depth; true, false and nothing are no secrets, and other numbers stay numbers."""
    value = {
        "password": "hunter2",
        "api_key": ["hunter2"],
        "client_secret": {"x": "hunter2"},
        "token": 8675309,
        "has_password": True,
        "encryption_key": None,
        "input_tokens": 17,
        "deep": [{"PGPASSWORD": "hunter2", "port": 5432, "share": 0.5}],
    }

    assert redact_all(value) == {
        "password": REDACTED,
        "api_key": REDACTED,
        "client_secret": REDACTED,
        "token": REDACTED,
        "has_password": True,
        "encryption_key": None,
        "input_tokens": 17,
        "deep": [{"PGPASSWORD": REDACTED, "port": 5432, "share": 0.5}],
    }


def test_number_that_is_a_secret_is_hidden() -> None:
    """A password of digits may come along as a number."""
    protect("8675309")

    assert redact_all({"port": 8675309, "other": 5432}) == {"port": REDACTED, "other": 5432}


def test_very_short_secrets_do_not_blank_out_words() -> None:
    """Three characters would be found everywhere; the patterns know where they matter."""
    protect("in")

    assert redact("listening in vain, password=in") == f"listening in vain, password={REDACTED}"


def test_secret_that_holds_another_is_redacted_as_a_whole() -> None:
    """The longest first, whatever the order of registration."""
    protect("abcd")
    protect("abcdEFGH")
    protect("xxabcdEFGHyy")

    assert redact("xxabcdEFGHyy abcdEFGH abcd") == " ".join([REDACTED] * 3)


def test_secrets_are_forgotten_but_for_the_first_and_the_latest(redactor: Redactor) -> None:
    """Ten thousand tried passwords cost neither memory nor time, and do not push out the process's own."""
    redactor.protect("launch-token")
    for number in range(2_000):
        redactor.protect(f"tried-{number:05}")
        redactor.protect("saved-password")
    started = time.thread_time()
    text = redactor.redact("launch-token saved-password tried-01999 tried-01000")
    elapsed_s = time.thread_time() - started

    assert text == f"{REDACTED} {REDACTED} {REDACTED} tried-01000"
    assert elapsed_s < 0.1


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "a://b:",
            "a.a.",
            "'",
            '"',
            "password",
            "password=",
            'password="',
            "password='\\",
            '\\"',
            'password=\\"',
            "bearer ",
        ),
        *("A", "sk-", "gAAAAA", "password ", "x://", "://@", "token:", "\\", "=", "api", "Bearer\t"),
    ],
)
def test_no_text_makes_redaction_slow(unit: str) -> None:
    """Patterns do not run over an unlucky text again and again."""
    started = time.thread_time()

    redact(unit * (200_000 // len(unit)))

    assert time.thread_time() - started < 2


# --- lines -----------------------------------------------------------------------------------------------------------


def test_line_is_one_json_object() -> None:
    """Time in UTC, level, logger, message, extra fields, exception; newlines and control characters escaped."""
    made = record("two\nlines \x1b[31m", exc=ValueError("wrong"), attempt=3, parts=("a", {"b": None}))
    made.created, made.msecs = 1_767_323_045.678, 678.0

    text = JsonFormatter().format(made)

    assert "\n" not in text
    assert "\x1b" not in text
    document = json.loads(text)
    assert document.pop("exception").endswith("ValueError: wrong")
    assert document == {
        "time": "2026-01-02T03:04:05.678Z",
        "level": "warning",
        "logger": "app.test",
        "message": "two\nlines \x1b[31m",
        "attempt": 3,
        "parts": ["a", {"b": None}],
    }


def test_words_of_the_line_itself_are_not_redacted() -> None:
    """A password "warning" does not make the log unreadable for programs."""
    protect("warning")
    protect("2026")

    document = json.loads(JsonFormatter().format(record("a warning")))

    assert document["level"] == "warning"
    assert REDACTED not in document["time"]
    assert document["message"] == f"a {REDACTED}"


# --- writers ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def writer() -> Iterator[LogWriter]:
    """A writer; afterwards the root logger is as it was."""
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, threading.excepthook
    root.handlers.clear()
    made = LogWriter()
    yield made
    made.close()
    root.handlers[:], threading.excepthook = handlers, hook
    root.setLevel(level)


def lines_in(directory: Path) -> list[dict[str, Any]]:
    """All lines, oldest first."""
    files = sorted(directory.glob("sidecar.log*"), reverse=True)
    return [json.loads(text) for path in files for text in path.read_text().splitlines()]


def test_log_files_are_rotated_and_owner_only(
    tmp_path: Path, writer: LogWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bounded number of bounded files; the newest lines are there, in order."""
    monkeypatch.setattr(app_logging, "MAX_FILE_BYTES", 2_000)
    monkeypatch.setattr(app_logging, "_QUEUE_LINES", 0)
    logging.getLogger().setLevel("INFO")
    writer.add_file(tmp_path / "logs")
    for number in range(300):
        logging.getLogger("app.test").info("line %s", number)
    writer.close(10)

    files = list((tmp_path / "logs").iterdir())
    numbers = [int(entry["message"].split()[1]) for entry in lines_in(tmp_path / "logs")]

    assert len(files) == KEPT_FILES
    assert all(path.stat().st_size <= 2_000 for path in files)
    assert all(is_owner_only(path) for path in (*files, tmp_path / "logs"))
    assert numbers == list(range(numbers[0], 300))


def test_second_process_goes_on_where_the_first_stopped(tmp_path: Path, writer: LogWriter) -> None:
    """An existing file is continued, not begun anew."""
    (tmp_path / "sidecar.log").write_text('{"message": "before"}\n')
    logging.getLogger().setLevel("INFO")
    writer.add_file(tmp_path)
    logging.getLogger("app.test").info("after")
    writer.close(10)

    assert [entry["message"] for entry in lines_in(tmp_path)] == ["before", "after"]


def test_directory_that_cannot_be_used_stops_nothing(tmp_path: Path, writer: LogWriter) -> None:
    """There is no log file then, and a warning says so."""
    (tmp_path / "file").touch()

    writer.add_file(tmp_path / "file")

    assert own_handlers() == []


def own_handlers() -> list[logging.Handler]:
    """Handlers of the root logger that are not those of the test runner."""
    return [handler for handler in logging.getLogger().handlers if isinstance(handler, app_logging._QueueHandler)]


def test_stuck_writer_costs_lines_and_nothing_else(writer: LogWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe that nobody reads: the program goes on, and ends."""
    monkeypatch.setattr(app_logging, "_QUEUE_LINES", 10)
    stuck = threading.Event()
    writer._start(lambda _: stuck.wait(), JsonFormatter())
    logging.getLogger().setLevel("INFO")
    started = time.monotonic()

    for number in range(1_000):
        logging.getLogger("app.test").info("line %s", number)
    writer.close(0.2)

    assert time.monotonic() - started < 2
    stuck.set()


def test_failing_write_costs_one_line(writer: LogWriter) -> None:
    """A full disk or a broken pipe: later lines are written when it is over."""
    written: list[bytes] = []

    def write(data: bytes) -> None:
        if b"first" in data:
            raise BrokenPipeError
        written.append(data)

    writer._start(write, logging.Formatter("%(message)s"))
    for message in ("first", "second"):
        logging.getLogger("app.test").error(message)
    writer.close(10)

    assert written == [b"second\n"]


def test_line_that_cannot_be_formatted_is_dropped_without_a_word(
    writer: LogWriter, capfd: pytest.CaptureFixture[str]
) -> None:
    """Logging's own complaint would print the arguments."""
    written: list[bytes] = []
    writer._start(written.append, JsonFormatter())

    for handler in own_handlers():
        handler.handle(record("%d", "hunter2-the-secret"))
    writer.close(10)

    assert written == []

    captured = capfd.readouterr()
    assert "hunter2" not in captured.out + captured.err


def test_failed_thread_is_logged_like_anything_else(writer: LogWriter, capfd: pytest.CaptureFixture[str]) -> None:
    """What Python prints by itself about a thread would hold the secret."""
    protect("hunter2-the-secret")
    start_logging(writer, "debug", plain=False)

    def fail() -> None:
        raise RuntimeError("hunter2-the-secret")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    writer.close(10)

    error = capfd.readouterr().err
    assert "hunter2" not in error
    assert json.loads(error)["message"] == "a thread failed"


@pytest.mark.parametrize(("is_plain", "begins"), [(True, r"\d\d:\d\d:\d\d warning "), (False, r'\{"time"')])
def test_terminal_gets_short_lines_and_pipes_get_json(
    writer: LogWriter, capfd: pytest.CaptureFixture[str], begins: str, *, is_plain: bool
) -> None:
    """Each with its extra fields."""
    start_logging(writer, "info", plain=is_plain)

    logging.getLogger("app.test").warning("message", extra={"attempt": 3})
    logging.getLogger("app.test").debug("not this")
    logging.getLogger("sqlalchemy.engine").info("nor that")
    writer.close(10)

    error = capfd.readouterr().err
    assert re.match(begins, error)
    assert "attempt" in error
    assert len(error.splitlines()) == 1

"""Structured logs: one JSON object a line, to stderr and to rotated files, with secrets taken out.

Two nets catch secrets: values registered with `protect` are replaced wherever they turn up, in every common encoding,
and patterns (passwords in URLs and conninfo strings, bearer tokens, API keys) catch what nobody registered.
Handlers run in one background thread behind a bounded queue: a slow disk or a full pipe never delays the program.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import queue
import re
import sys
import threading
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LEVELS: Final = ("debug", "info", "warning", "error")
LOG_DIRECTORY: Final = "logs"
"""In the data directory."""
LOG_FILE: Final = "sidecar.log"
REDACTED: Final = "[redacted]"
MAX_FILE_BYTES: Final = 2 << 20
KEPT_FILES: Final = 5
_QUEUE_LINES: Final = 10_000
_SHORTEST_PROTECTED: Final = 4
"""Shorter values would blank out ordinary words everywhere; the patterns still catch them where they matter."""
_PINNED_SECRETS: Final = 50
_LATEST_SECRETS: Final = 50
"""Of the registered values the first stay, which are the process's own, and the latest: people try many passwords."""
_SEARCHED_CHARS: Final = 256 * 1024
_SHOWN_CHARS: Final = 32 * 1024

_NAMES: Final = r"(?:password|passwd|passphrase|pwd|secret|token|authorization|(?:api|encryption|private)[_-]?key)"
_SECRET_NAME: Final = re.compile(rf"(?i){_NAMES}\Z")
# Repetitions are bounded wherever an unlucky text could make a pattern run over it again and again.
_PATTERNS: Final = (
    # up to the last @ of the word: a password typed into a URL may hold one
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,30}://[^\s:/@]*):\S{1,4096}@"), rf"\1:{REDACTED}@"),
    (
        re.compile(
            rf"""(?is)({_NAMES}["'\\]{{0,6}}\s{{0,8}}[=:]\s{{0,8}})(?:(?:bearer|basic)\s{{1,8}})?"""
            # quoted, possibly inside another quotation, possibly cut off; or one word
            r"""(?:\\+".*?(?:\\+"|\Z)|"(?:[^"\\]|\\.)*(?:"|\Z)|'(?:[^'\\]|\\.)*(?:'|\Z)|\S+)"""
        ),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s{1,8}[a-z0-9._~+/=-]{8,}"), rf"\1 {REDACTED}"),
    (re.compile(r"\bsk-[A-Za-z0-9_-]{8,}"), REDACTED),
    (re.compile(r"\bgAAAAA[A-Za-z0-9_=-]{20,}"), REDACTED),
    (re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}=(?![A-Za-z0-9_=-])"), REDACTED),
)

_NEEDS_NO_ESCAPE: Final = re.compile(r"[A-Za-z0-9_.~-]*")
_PERCENT_ESCAPE: Final = re.compile(r"%[0-9A-F]{2}")
_HTML_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
_STANDARD_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Redactor:
    """Replaces registered secrets and whatever looks like one."""

    def __init__(self) -> None:
        self._secrets: dict[str, set[str]] = {}
        self._forms: list[str] = []
        self._lock = threading.Lock()

    def protect(self, secret: str) -> None:
        """Register `secret`; it is replaced from now on in its raw and encoded forms."""
        if len(secret) < _SHORTEST_PROTECTED:
            return
        with self._lock:
            is_known = secret in self._secrets
            # entered anew at the end, where the latest are
            self._secrets[secret] = self._secrets.pop(secret) if is_known else forms_of(secret)
            for forgotten in list(self._secrets)[_PINNED_SECRETS:-_LATEST_SECRETS]:
                del self._secrets[forgotten]
            if not is_known:
                # longest first, so that a form which contains another is replaced as a whole
                self._forms = sorted({form for forms in self._secrets.values() for form in forms}, key=len)[::-1]

    def redact(self, text: str) -> str:
        """Return `text` without secrets, and not at any length."""
        forms = self._forms
        is_cut = len(text) > _SEARCHED_CHARS
        text = text[:_SEARCHED_CHARS]
        for form in forms:
            if form in text:
                text = text.replace(form, REDACTED)
        if is_cut and forms:
            text = text[: -len(forms[0])]  # the cut may have gone through a secret
        if is_cut or len(text) > _SHOWN_CHARS:
            text = text[:_SHOWN_CHARS] + " [cut]"
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


def forms_of(secret: str) -> set[str]:
    """Return how `secret` may be written: raw, trimmed, escaped once or twice, encoded."""
    forms = {secret, secret.strip()}
    for _ in range(2):
        forms |= {escaped for form in forms for escaped in _escaped(form)}
    raw = secret.encode("utf-8", "surrogatepass")
    forms |= {raw.hex(), raw.hex().upper(), *_base64_forms(raw)}
    return {form for form in forms if len(form) >= _SHORTEST_PROTECTED}


def _escaped(text: str) -> Iterator[str]:
    """Yield `text` as URLs, JSON, Python, libpq, SQL, shells and HTML write it between their quotes."""
    if _NEEDS_NO_ESCAPE.fullmatch(text):
        return
    for safe in ("", "/", "/:", " +", "!'()*", "!$&'()*+,;=:@/"):
        quoted = quote(text, safe=safe, errors="surrogatepass")
        yield from (quoted, quoted.replace("%20", "+"), _PERCENT_ESCAPE.sub(lambda found: found[0].lower(), quoted))
    yield from (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    yield from (repr(text)[1:-1], ascii(text)[1:-1], repr(text.encode("utf-8", "surrogatepass"))[2:-1])
    yield from (text.replace("\\", "\\\\").replace("'", "\\'"), text.replace("'", "''"), text.replace("'", "'\"'\"'"))
    yield text.translate(_HTML_ESCAPES)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """Yield base64 of `raw` as a whole, and of `raw` amid other bytes, less the characters these have a part in."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode("ascii")
        for before, shared in enumerate((0, 2, 3)):
            text = encode(bytes(before) + raw).decode("ascii").rstrip("=")
            yield text[shared : len(text) if (before + len(raw)) % 3 == 0 else -1]


_redactor: Final = Redactor()


def protect(secret: str) -> None:
    """Keep `secret` out of every log line from now on."""
    _redactor.protect(secret)


def redact(text: str) -> str:
    """Return `text` without registered secrets and without what looks like one."""
    return _redactor.redact(text)


def redact_all(value: object) -> object:
    """Return `value`, made of what JSON knows, with every text in it redacted, and whatever is named like a secret."""
    if isinstance(value, dict):
        return {redact(str(name)): _redact_item(str(name), item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact_all(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    text = str(value)
    redacted = redact(text)
    return value if isinstance(value, (int, float)) and redacted == text else redacted


def _redact_item(name: str, value: object) -> object:
    is_secret = value is not None and not isinstance(value, bool) and _SECRET_NAME.search(name) is not None
    return REDACTED if is_secret else redact_all(value)


def get_logger(name: str) -> logging.Logger:
    """Return the logger of a module; its output begins when `start_logging` was called."""
    return logging.getLogger(name)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, extra fields, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the redacted line."""
        entry: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            # each text is redacted before it is quoted: patterns are written for plain text
            "message": redact(record.getMessage()),
            **_extra(record),
        }
        if record.exc_info:
            entry["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


def _extra(record: logging.LogRecord) -> dict[str, object]:
    """Return the redacted extra fields of a record."""
    fields = vars(record).items()
    return {name: _redact_item(name, value) for name, value in fields if name not in _STANDARD_FIELDS}


class _QueueHandler(logging.Handler):
    """Formats in the calling thread, hands the finished line to the writer; drops lines when the writer is stuck."""

    def __init__(self, lines: queue.Queue[str | None]) -> None:
        super().__init__()
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.lines.put_nowait(self.format(record))
        except queue.Full:
            pass  # nobody reads: losing log lines is better than standing still
        except Exception:  # noqa: BLE001 - logging must never break the program
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Say nothing: logging's own report would print the arguments, secrets included."""


class _RotatingFile:
    """`sidecar.log`, and up to four older ones, of 2 MiB each."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / LOG_FILE
        self._size = 0
        self._descriptor = -1

    def write(self, line: bytes) -> None:
        if self._descriptor < 0 or self._size + len(line) > MAX_FILE_BYTES:
            self._reopen(rotate=self._descriptor >= 0 or self._existing_size() > MAX_FILE_BYTES)
        self._size += os.write(self._descriptor, line)

    def _existing_size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def _reopen(self, *, rotate: bool) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        if rotate:
            for age in range(KEPT_FILES - 1, 0, -1):
                newer = self._path if age == 1 else self._path.with_name(f"{LOG_FILE}.{age - 1}")
                with contextlib.suppress(OSError):
                    newer.replace(self._path.with_name(f"{LOG_FILE}.{age}"))
        from app.core.trust import open_own

        self._descriptor = open_own(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._size = os.fstat(self._descriptor).st_size


class LogWriter:
    """The background threads that write finished lines: one for stderr, one for the file."""

    def __init__(self) -> None:
        self._queues: list[tuple[queue.Queue[str | None], threading.Thread]] = []

    def add_stderr(self, formatter: logging.Formatter) -> None:
        """Write to file descriptor 2."""
        self._start(lambda line: _write_all(2, line), formatter)

    def add_file(self, directory: Path) -> None:
        """Write rotated files into `directory`, made owner-only; without one the program goes on."""
        from app.core.files import make_private_directory

        try:
            make_private_directory(directory)
        except OSError as exc:
            get_logger(__name__).warning("no log file can be written", extra={"cause": exc.strerror})
            return
        self._start(_RotatingFile(directory).write, JsonFormatter())

    def _start(self, write: Callable[[bytes], object], formatter: logging.Formatter) -> None:
        lines: queue.Queue[str | None] = queue.Queue(_QUEUE_LINES)

        def run() -> None:
            while (line := lines.get()) is not None:
                # a broken pipe or a full disk stops neither the program nor later lines
                with contextlib.suppress(OSError):
                    write((line + "\n").encode("utf-8", "replace"))

        thread = threading.Thread(target=run, name="log-writer", daemon=True)
        thread.start()
        self._queues.append((lines, thread))
        handler = _QueueHandler(lines)
        handler.setFormatter(formatter)
        logging.getLogger().addHandler(handler)

    def close(self, timeout_s: float = 0.5) -> None:
        """Write what is queued, for at most `timeout_s`."""
        for lines, _ in self._queues:
            with contextlib.suppress(queue.Full):
                lines.put_nowait(None)
        deadline = time.monotonic() + timeout_s
        for _, thread in self._queues:
            thread.join(max(0.0, deadline - time.monotonic()))


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


class _PlainFormatter(logging.Formatter):
    """A short line for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        text = f"{time.strftime('%H:%M:%S', time.localtime(record.created))} {record.levelname.lower():7} "
        text += redact(record.getMessage())
        text += "".join(f" {name}={value}" for name, value in _extra(record).items())
        if record.exc_info:
            text += "\n" + redact(self.formatException(record.exc_info))
        return text


def start_logging(writer: LogWriter, level: str, *, plain: bool | None = None) -> None:
    """Send everything at `level` and above to stderr.

    Args:
        writer: carries the lines; `LogWriter.add_file` adds files to it.
        level: one of `LEVELS`.
        plain: short lines instead of JSON; default: when stderr is a terminal.
    """
    root = logging.getLogger()
    root.handlers.clear()
    root.setLevel(level.upper())
    for chatty in ("asyncio", "httpcore", "httpx", "alembic", "sqlalchemy"):
        # their debug and info lines hold statements, addresses and other people's formats
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    # it warns at each request that is none, which anybody may send; the door counts them
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    writer.add_stderr(_PlainFormatter() if (is_terminal if plain is None else plain) else JsonFormatter())
    threading.excepthook = _log_failed_thread


def _log_failed_thread(failure: threading.ExceptHookArgs) -> None:
    """Log what ended a thread; Python itself would print it as it is, secrets included."""
    if failure.exc_value is not None and not isinstance(failure.exc_value, SystemExit):
        get_logger(__name__).error("a thread failed", exc_info=failure.exc_value)

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
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LEVELS: Final = ("debug", "info", "warning", "error")
REDACTED: Final = "[redacted]"
MAX_FILE_BYTES: Final = 2 << 20
KEPT_FILES: Final = 5
_QUEUE_LINES: Final = 10_000
_SHORTEST_PROTECTED: Final = 4
"""Shorter values would blank out ordinary words everywhere; the patterns still catch them where they matter."""

_PATTERNS: Final = (
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@]+@"), rf"\1:{REDACTED}@"),
    (
        re.compile(
            r"""(?i)(["']?(?:password|passwd|pwd|secret|token|api[_-]?key|encryption[_-]?key|authorization)["']?"""
            r"""\s*[=:]\s*)(?:(?:bearer|basic)\s+)?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;&}]+)"""
        ),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}"), rf"\1 {REDACTED}"),
    (re.compile(r"\bsk-[A-Za-z0-9_-]{8,}"), REDACTED),
    (re.compile(r"\bgAAAAA[A-Za-z0-9_=-]{20,}"), REDACTED),
    (re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}=(?![A-Za-z0-9_=-])"), REDACTED),
)

_STANDARD_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Redactor:
    """Replaces registered secrets and whatever looks like one."""

    def __init__(self) -> None:
        self._forms: tuple[str, ...] = ()
        self._lock = threading.Lock()

    def protect(self, secret: str) -> None:
        """Register `secret`; it is replaced from now on in its raw and encoded forms."""
        if len(secret) < _SHORTEST_PROTECTED:
            return
        with self._lock:
            # longest first, so that a form which contains another is replaced as a whole
            self._forms = tuple(sorted({*self._forms, *_encoded_forms(secret)}, key=len, reverse=True))

    def redact(self, text: str) -> str:
        """Return `text` without secrets."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, REDACTED)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


def _encoded_forms(secret: str) -> set[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    return {
        secret,
        quote(secret, safe="", errors="replace"),
        quote_plus(secret, errors="replace"),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        repr(raw)[2:-1],
        secret.replace("\\", "\\\\").replace("'", "\\'"),
        base64.b64encode(raw).decode("ascii"),
        base64.urlsafe_b64encode(raw).decode("ascii"),
        raw.hex(),
    }


_redactor: Final = Redactor()


def protect(secret: str) -> None:
    """Keep `secret` out of every log line from now on."""
    _redactor.protect(secret)


def redact(text: str) -> str:
    """Return `text` without registered secrets and without what looks like one."""
    return _redactor.redact(text)


def get_logger(name: str) -> logging.Logger:
    """Return the logger of a module; its output begins when `start_logging` was called."""
    return logging.getLogger(name)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, extra fields, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the redacted line."""
        entry: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {key: value for key, value in vars(record).items() if key not in _STANDARD_FIELDS}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        # each text is redacted before it is quoted: patterns are written for plain text
        return json.dumps(_redact_values(entry), ensure_ascii=False, default=str)


def _redact_values(value: object) -> object:
    if isinstance(value, dict):
        return {key: _redact_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redact_values(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return redact(str(value))


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
        self._path = directory / "sidecar.log"
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
                newer = self._path if age == 1 else self._path.with_name(f"sidecar.log.{age - 1}")
                with contextlib.suppress(OSError):
                    newer.replace(self._path.with_name(f"sidecar.log.{age}"))
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
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
        extra = {key: value for key, value in vars(record).items() if key not in _STANDARD_FIELDS}
        if extra:
            text += " " + " ".join(f"{key}={_redact_values(value)}" for key, value in extra.items())
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
    for chatty in ("asyncio", "httpcore", "httpx", "alembic", "sqlalchemy", "uvicorn"):
        # their debug and info lines hold statements, addresses and other people's formats
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    writer.add_stderr(_PlainFormatter() if (is_terminal if plain is None else plain) else JsonFormatter())

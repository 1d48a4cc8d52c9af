"""What anybody can make up and hand in: each is taken, or refused by one sentence, and nothing else happens.

The budgets are examples for each kind: `ORDINARY` in every run, the same ones each time; `LONG` on demand, others each
time (`scripts/test.py --long`). Calls over HTTP are made up by `tests/process/test_openapi.py`, from the document and
in sequences.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.exceptions import FatalError, ProblemError, RequestError
from app.core.fernet_keys import KeyRing
from app.core.security import CREDENTIALS_FILE, KEY_FILE, read_credentials, read_keys
from app.db.settings import settings_from_body, settings_from_saved, settings_from_url
from app.services.gateway.usage import read_cursor
from app.services.legacy.import_json import parse_keys
from app.services.work.change_log import Position
from app.services.work.importing import import_lines
from app.services.work.task_list import Place
from app.services.work.update_list import UpdatePlace
from app.sidecar.stdio import parse_handshake
from tests.support.properties import PROPERTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.in_process import InProcess

ORDINARY: Final = 100
LONG: Final = 10_000
HANG_S: Final = 10.0
"""A single one that takes longer, on however busy a machine, does not end by itself."""
REFUSALS: Final = (FatalError, ProblemError, RequestError, ValueError)
LONGEST_SENTENCE: Final = 600
LONG_S: Final = 3600
"""For one kind under the long budget, on however busy a machine."""
RING: Final = KeyRing((bytes(32),))

Kind = tuple[st.SearchStrategy[Any], "Callable[[Any], object]"]


def _pieces(*pieces: str, length: int = 12) -> st.SearchStrategy[str]:
    """Return texts of pieces that mean something, and of others."""
    return st.lists(st.sampled_from(pieces) | st.text(max_size=4), max_size=length).map("".join)


DSN: Final = _pieces(
    *("postgresql://", "postgres://", "lead", ":", "p%40ss", "%4", "%", "@", "db.example.com", "[::1]", "[", "]", ","),
    *("5432", "99999999999999999999", "/", "taskflow", "?", "&", "=", "sslmode", "verify-full", "host", "hostaddr"),
    *("port", "user", "password", "dbname", "options", "-c x=y", "'", "\\", "\\'", " ", "\n", "\0", "pgbouncer=true"),
    *(
        "target_session_attrs=any",
        "connect_timeout",
        "require_auth",
        "!md5",
        "service=x",
        "passfile",
        "\u00e0",
        "\ud800",
    ),
)
NAMES: Final = st.sampled_from(
    [
        *(
            "protocol",
            "token",
            "encryption_key",
            "jwt_secret_key",
            "min_version",
            "max_version",
            "host",
            "port",
            "format",
        ),
        *("database", "username", "password", "auth", "sslmode", "hostaddr", "require_auth", "login", "dsn", "openai"),
        *(
            "anthropic",
            "google",
            "resource",
            "id",
            "title",
            "status",
            "created_at",
            "lines",
            "revision",
            "name",
            "email",
        ),
    ]
)
SCALARS: Final = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=40)
    | st.sampled_from(["task", "member", "taskflow-export", "0001", "To Do", "Blocked", "9" * 5000, "1.0.0", "a@b.c"])
    | st.sampled_from(["ab" * 16, "00000000-0000-4000-8000-000000000000", "2026-01-01T00:00:00Z", "9999-12-31"])
)
JSON: Final = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=6)
)
OBJECTS: Final = st.dictionaries(NAMES, JSON, max_size=8)
BYTES: Final = st.binary(max_size=200)
BASE64: Final = _pieces("A", "AAAA", "_-", "+/", "=", "==", " ", "\n", "\r\n", "AAAA" * 11 + "=", "A" * 43 + "=").map(
    str.encode
)


def _as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")


def _read_key_file(content: bytes) -> object:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / KEY_FILE).write_bytes(content)
        (Path(name) / KEY_FILE).chmod(0o600)
        return read_keys(Path(name))


def _read_credentials_file(content: bytes) -> object:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / CREDENTIALS_FILE).write_bytes(content)
        (Path(name) / CREDENTIALS_FILE).chmod(0o600)
        found = read_credentials(Path(name), RING)
    return found and settings_from_saved(found.values)


KINDS: Final[dict[str, Kind]] = {
    "DSN": (DSN, lambda text: settings_from_body({"dsn": text})),
    "database URL": (DSN, settings_from_url),
    "fields of a connection": (OBJECTS, settings_from_body),
    "handshake": (BYTES | JSON.map(_as_json) | OBJECTS.map(_as_json), parse_handshake),
    "handshake with its head": (
        OBJECTS.map(lambda others: _as_json({**others, "protocol": 1, "token": "ab" * 16})),
        parse_handshake,
    ),
    "key file": (BYTES | BASE64, _read_key_file),
    "credentials": (BYTES | BASE64, _read_credentials_file),
    "credentials under the right key": (
        BYTES.map(RING.encrypt) | OBJECTS.map(_as_json).map(RING.encrypt),
        _read_credentials_file,
    ),
    "cursor of tasks": (st.text() | BASE64.map(bytes.decode), Place.from_cursor),
    "cursor of updates": (st.text() | BASE64.map(bytes.decode), UpdatePlace.from_cursor),
    "cursor of usage": (st.text() | _pieces(".", "20260101", "ff", "00", "c3", "99999999"), read_cursor),
    "position among events": (st.text() | _pieces("-", "0", "9" * 30, "9" * 5000, "1-1"), Position.parse),
    "file of keys": (BYTES | JSON.map(_as_json) | OBJECTS.map(_as_json), parse_keys),
}


def _fuzz(made_up: Kind, how: settings) -> None:
    values, take = made_up

    @how
    @given(values)
    def one(value: Any) -> None:
        began = time.monotonic()
        try:
            take(value)
        except REFUSALS as exc:
            refusal: Exception | None = exc
        else:
            refusal = None
        if refusal is not None:
            sentence, kind = str(refusal), type(refusal)
            # a decoder's own error would tell what was handed in
            assert kind is ValueError or not issubclass(kind, ValueError), repr(refusal)
            assert sentence.isprintable(), repr(sentence)
            assert len(sentence) <= LONGEST_SENTENCE
        assert time.monotonic() - began < HANG_S

    one()


@pytest.mark.parametrize("name", KINDS)
def test_made_up_input_is_taken_or_refused(name: str) -> None:
    """Whatever it is."""
    _fuzz(KINDS[name], settings(PROPERTY, max_examples=ORDINARY))


@pytest.mark.long
@pytest.mark.timeout(LONG_S)
@pytest.mark.parametrize("name", KINDS)
def test_much_made_up_input_is_taken_or_refused(name: str) -> None:
    """Whatever it is, other examples each time."""
    _fuzz(KINDS[name], settings(PROPERTY, max_examples=LONG, derandomize=False))


HEADER: Final = {"format": "taskflow-export", "revision": "0001", "lines": {"member": 1, "task": 1}}
LINES: Final = st.lists(OBJECTS.map(_as_json) | BYTES, max_size=4).map(b"\n".join)
EXPORTS: Final = LINES | LINES.map(lambda lines: _as_json(HEADER) + b"\n" + lines)


def _import(store: InProcess) -> Kind:
    return EXPORTS, lambda content: import_lines(store.database, [content], merge=True)


def test_made_up_export_is_imported_or_refused(sqlite_store: InProcess) -> None:
    """Whole or not at all."""
    _fuzz(_import(sqlite_store), settings(PROPERTY, max_examples=ORDINARY))


@pytest.mark.long
@pytest.mark.timeout(LONG_S)
def test_many_made_up_exports_are_imported_or_refused(sqlite_store: InProcess) -> None:
    """The same, other examples each time."""
    _fuzz(_import(sqlite_store), settings(PROPERTY, max_examples=LONG // 10, derandomize=False))

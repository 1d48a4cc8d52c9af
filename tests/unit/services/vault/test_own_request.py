"""`join.request`: frozen as it is stored, and opened by nobody but the desktop that made it."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from app.services.vault.join_codes import JoinCode
from app.services.vault.own_request import REQUEST_FILE, OwnRequest, OwnRequestFile

if TYPE_CHECKING:
    from pathlib import Path

ROOT = bytes(range(32))
REQUEST = OwnRequest(
    "6f1c1c7e-6b0f-4a39-9d0e-2f6f1d0c9b11",
    "0123456789abcdef",
    JoinCode(bytes.fromhex("9dcef4ca7ae8a4dc2b0d")),
    dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC),
)
FROZEN_AT, FROZEN_IV = int(dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC).timestamp()), bytes(range(16))
FROZEN = (
    '{"vault_id": "6f1c1c7e-6b0f-4a39-9d0e-2f6f1d0c9b11", "sealed": "gAAAAABrADZAAAECAwQFBgcICQoLDA0OD1XjuWigyKxiEyTdXx'
    "3k2aGlGV-DYeC9Uew-mJ-l5RhRGqNVPaor2OvAk7s_Wg6nJf9LLhQy43UMqsqUzf3YuvIIVuJgv594Tolrxrn1uMB5pP7iQ5JdF9xkrTjELOki-8R"
    'VJC5b-2ppoJ78JBZaNO4SNZW-QFGXURXhUK_9WwMyn8A59-LhOMkuT_PcmjNrDA=="}'
)


def test_frozen_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read, and written alike: a desktop that is updated while it asks goes on asking."""
    monkeypatch.setattr(Fernet, "encrypt", lambda fernet, data: fernet._encrypt_from_parts(data, FROZEN_AT, FROZEN_IV))
    file = OwnRequestFile(tmp_path)

    file.keep(ROOT, REQUEST)

    assert (tmp_path / REQUEST_FILE).read_text() == FROZEN
    assert file.read(ROOT) == REQUEST


@pytest.mark.parametrize("what", ["root key", "vault", "sealed"])
def test_moved_or_changed_request_is_none(tmp_path: Path, what: str) -> None:
    """Under another root key, for another vault, or with another content."""
    content = json.loads(FROZEN)
    if what != "root key":
        content["vault_id" if what == "vault" else "sealed"] = content["vault_id"][::-1]
    (tmp_path / REQUEST_FILE).write_text(json.dumps(content))
    (tmp_path / REQUEST_FILE).chmod(0o600)

    assert OwnRequestFile(tmp_path).read(bytes(32) if what == "root key" else ROOT) is None

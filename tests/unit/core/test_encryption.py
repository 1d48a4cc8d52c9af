"""Masks, and the helpers for other modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.core import encryption
from app.core.encryption import mask_sensitive
from app.core.exceptions import EncryptionKeyInvalidError, ProblemError
from app.core.fernet_keys import KeyRing, encode_key
from app.core.security import load_or_create_keys

if TYPE_CHECKING:
    from pathlib import Path

KEY = encode_key(bytes(range(32)))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", "****"),
        ("short", "****"),
        ("fifteen letters", "****"),
        ("sixteen letters!", "****ers!"),
        ("sk-0123456789abcdef", "****cdef"),
    ],
)
def test_mask_shows_a_quarter_at_most(value: str, shown: str) -> None:
    """Short values are hidden as a whole."""
    assert mask_sensitive(value) == shown


def test_mask_can_show_less() -> None:
    """The number of characters is the caller's choice, up to a quarter."""
    assert mask_sensitive("x" * 19 + "y", 1) == "****y"
    assert mask_sensitive("x" * 20, 0) == "****"
    assert mask_sensitive("x" * 20, -3) == "****"
    assert mask_sensitive("x" * 20, 6) == "****"


def test_value_is_encrypted_and_known_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `encrypt` makes is opened by `decrypt`, under a key of the environment before that of the file."""
    monkeypatch.setenv("TASKFLOW_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("ENCRYPTION_KEY", raising=False)
    load_or_create_keys(tmp_path)
    by_file = encryption.encrypt("zwei Wörter")
    monkeypatch.setenv("ENCRYPTION_KEY", KEY)

    by_environment = encryption.encrypt("encrypted:looks like it")

    assert encryption.get_encryption_key() == KEY.encode()
    assert encryption.decrypt(by_file) == "zwei Wörter"
    assert encryption.decrypt(by_environment) == "encrypted:looks like it"
    assert encryption.is_encrypted(by_file)
    assert encryption.is_encrypted(by_environment)
    foreign = KeyRing((bytes(range(1, 33)),)).encrypt(b"hello").decode()
    for text in ("", "encrypted:", "encrypted:gAAAAAB", "encrypted:" + foreign, by_file[10:], "пароль"):
        assert not encryption.is_encrypted(text)


def test_helpers_never_make_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key, or with a malformed one, there is an error and no new file."""
    monkeypatch.setenv("TASKFLOW_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("ENCRYPTION_KEY", raising=False)

    with pytest.raises(ProblemError):
        encryption.encrypt("text")
    monkeypatch.setenv("ENCRYPTION_KEY", KEY[:-1])
    with pytest.raises(EncryptionKeyInvalidError):
        encryption.get_encryption_key()

    assert list(tmp_path.iterdir()) == []

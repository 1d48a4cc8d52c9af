"""The life of `fernet.key` and `db_credentials.enc`: made, read, saved, rotated, deleted.

Damage, kills and races have tests of their own: `tests/process/test_damaged_files.py` and `test_crash_safety.py`.
"""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from app.core.exceptions import ConfigDirectoryUnusableError, ProblemError
from app.core.fernet_keys import KeyRing, encode_key, fingerprint
from app.core.logging import redact
from app.core.security import (
    CREDENTIALS_FILE,
    KEY_FILE,
    SavedCredentials,
    delete_credentials,
    existing_keys,
    load_or_create_keys,
    prepare_config_directory,
    read_credentials,
    read_keys,
    remove_interrupted_writes,
    rotate_keys,
    save_credentials,
    saved_at_text,
)
from tests.support.canaries import NASTY_PASSWORDS
from tests.support.system import is_owner_only, posix_only

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VALUES = {"host": "db.example", "port": 5432, "database": "team", "username": "lead", "password": "p@ss"}


def problem_of(action: Callable[[], object]) -> str:
    """Run `action`, which must fail with a problem; return its code."""
    with pytest.raises(ProblemError) as caught:
        action()
    return caught.value.problem.code


def names_in(directory: Path) -> list[str]:
    """What is in a directory, hidden names included."""
    return sorted(path.name for path in directory.iterdir())


def saved_in(directory: Path) -> SavedCredentials:
    """What a start finds."""
    keys = existing_keys(directory)
    assert keys is not None
    found = read_credentials(directory, keys)
    assert found is not None
    return found


# --- the directory ---------------------------------------------------------------------------------------------------


def test_directory_is_prepared_without_a_trace(tmp_path: Path) -> None:
    """It is made, proven to be writable, and left empty; also when it is not empty and when many do it at once."""
    directory = tmp_path / "deep" / "config"
    for _ in range(2):
        prepare_config_directory(directory)
        assert names_in(directory) == []


def test_only_the_owner_cleans_up(tmp_path: Path) -> None:
    """Preparing leaves another process's half-written file alone; its owner removes what a killed one left."""
    under_way = tmp_path / f".{KEY_FILE}.0123456789abcdef.tmp"
    under_way.touch()

    prepare_config_directory(tmp_path)
    assert under_way.exists()
    remove_interrupted_writes(tmp_path)

    assert names_in(tmp_path) == []


def test_unusable_directory_is_one_sentence(tmp_path: Path) -> None:
    """The path and the cause are in the sentence."""
    (tmp_path / "file").touch()

    with pytest.raises(ConfigDirectoryUnusableError) as caught:
        prepare_config_directory(tmp_path / "file")

    assert str(caught.value).startswith(f"The config directory {tmp_path / 'file'} cannot be used: ")
    assert "exist" in str(caught.value)


# --- the key ---------------------------------------------------------------------------------------------------------


def test_first_start_makes_a_key_and_later_starts_read_it(tmp_path: Path) -> None:
    """Forty-four bytes, owner-only, the same ever after."""
    first = load_or_create_keys(tmp_path)
    content = (tmp_path / KEY_FILE).read_bytes()

    assert load_or_create_keys(tmp_path) == first == read_keys(tmp_path)
    assert content == encode_key(first.keys[0]).encode()
    assert len(content) == 44
    assert is_owner_only(tmp_path / KEY_FILE)
    assert names_in(tmp_path) == [KEY_FILE]


def test_keys_are_random(tmp_path: Path) -> None:
    """No two directories share one."""
    rings = []
    for number in range(5):
        (tmp_path / str(number)).mkdir()
        rings.append(load_or_create_keys(tmp_path / str(number)).keys)

    assert len(set(rings)) == 5


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"damaged", id="damaged"),
        pytest.param(None, id="dangling-link", marks=posix_only),
    ],
)
def test_key_is_never_made_beside_credentials(tmp_path: Path, content: bytes | None) -> None:
    """Whatever `db_credentials.enc` is, its key may still be restored."""
    if content is None:
        (tmp_path / CREDENTIALS_FILE).symlink_to("away")
    else:
        (tmp_path / CREDENTIALS_FILE).write_bytes(content)

    assert problem_of(lambda: load_or_create_keys(tmp_path)) == "key-missing"
    assert problem_of(lambda: existing_keys(tmp_path)) == "key-missing"
    assert problem_of(lambda: rotate_keys(tmp_path, lambda _: True)) == "key-missing"
    assert names_in(tmp_path) == [CREDENTIALS_FILE]


def test_reading_never_writes(tmp_path: Path) -> None:
    """An empty directory stays empty."""
    assert read_keys(tmp_path) is None
    assert existing_keys(tmp_path) is None
    assert read_credentials(tmp_path, KeyRing((bytes(range(32)),))) is None
    assert names_in(tmp_path) == []


def test_several_keys_in_one_file(tmp_path: Path) -> None:
    """The first encrypts, all decrypt."""
    first, retired = bytes(range(32)), bytes(range(32, 64))
    (tmp_path / KEY_FILE).write_bytes(f"{encode_key(first)}\n{encode_key(retired)}\n".encode())
    (tmp_path / CREDENTIALS_FILE).write_bytes(Fernet(encode_key(retired)).encrypt(json.dumps(VALUES).encode()))

    assert read_keys(tmp_path) == KeyRing((first, retired))
    assert saved_in(tmp_path).values == VALUES
    save_credentials(tmp_path, VALUES)
    assert Fernet(encode_key(first)).decrypt((tmp_path / CREDENTIALS_FILE).read_bytes())


def test_keys_are_named_by_their_fingerprints(tmp_path: Path) -> None:
    """Printing a ring tells no key, and a key that was read is kept out of the log."""
    ring = load_or_create_keys(tmp_path)
    text = encode_key(ring.keys[0])

    assert repr(ring) == f"KeyRing({fingerprint(ring.keys[0])})"
    assert text[2:] not in redact(f"key-{text[:9]}{text[9:]}-key")


# --- the credentials -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", NASTY_PASSWORDS.values(), ids=NASTY_PASSWORDS.keys())
def test_password_is_saved_exactly_as_typed(tmp_path: Path, password: str) -> None:
    """Any Fernet tool reads the file: a token over JSON."""
    save_credentials(tmp_path, {**VALUES, "password": password})

    token, key = (tmp_path / CREDENTIALS_FILE).read_bytes(), (tmp_path / KEY_FILE).read_bytes()

    assert json.loads(Fernet(key).decrypt(token)) == {**VALUES, "password": password}
    assert saved_in(tmp_path).values["password"] == password
    assert is_owner_only(tmp_path / CREDENTIALS_FILE)
    assert names_in(tmp_path) == [CREDENTIALS_FILE, KEY_FILE]


def test_save_keeps_the_key_and_replaces_the_rest(tmp_path: Path) -> None:
    """Readable credentials are replaced without a trace."""
    save_credentials(tmp_path, VALUES)
    key = (tmp_path / KEY_FILE).read_bytes()

    save_credentials(tmp_path, {**VALUES, "host": "new.example"})

    assert saved_in(tmp_path).values["host"] == "new.example"
    assert (tmp_path / KEY_FILE).read_bytes() == key
    assert names_in(tmp_path) == [CREDENTIALS_FILE, KEY_FILE]


def set_aside_in(directory: Path) -> dict[str, bytes]:
    """What was set aside, by the name it had."""
    return {path.name.split(".unreadable-")[0]: path.read_bytes() for path in directory.glob("*.unreadable-*")}


def test_save_sets_unreadable_credentials_aside(tmp_path: Path) -> None:
    """They may be another key's, and that key may be found again."""
    key = encode_key(load_or_create_keys(tmp_path).keys[0]).encode()
    (tmp_path / CREDENTIALS_FILE).write_bytes(b"of another key")

    save_credentials(tmp_path, VALUES)

    assert saved_in(tmp_path).values == VALUES
    assert set_aside_in(tmp_path) == {CREDENTIALS_FILE: b"of another key"}
    assert (tmp_path / KEY_FILE).read_bytes() == key


def test_save_sets_a_damaged_key_aside_and_what_hung_on_it(tmp_path: Path) -> None:
    """A new pair is made; the old one can still be repaired by hand."""
    save_credentials(tmp_path, VALUES)
    token = (tmp_path / CREDENTIALS_FILE).read_bytes()
    (tmp_path / KEY_FILE).write_bytes(b"half a ke")

    save_credentials(tmp_path, {**VALUES, "host": "new.example"})

    assert saved_in(tmp_path).values["host"] == "new.example"
    assert set_aside_in(tmp_path) == {KEY_FILE: b"half a ke", CREDENTIALS_FILE: token}


def test_save_without_the_key_sets_the_credentials_aside(tmp_path: Path) -> None:
    """Somebody who saves anew has given the lost key up; the file is kept all the same."""
    save_credentials(tmp_path, VALUES)
    token = (tmp_path / CREDENTIALS_FILE).read_bytes()
    (tmp_path / KEY_FILE).unlink()

    save_credentials(tmp_path, {**VALUES, "host": "new.example"})

    assert saved_in(tmp_path).values["host"] == "new.example"
    assert set_aside_in(tmp_path) == {CREDENTIALS_FILE: token}


def test_failed_save_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is a problem with a remedy; what was saved is still there."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    save_credentials(tmp_path, VALUES)
    monkeypatch.setattr(os, "fsync", full)

    assert problem_of(lambda: save_credentials(tmp_path, {**VALUES, "host": "new"})) == "storage-unwritable"
    assert problem_of(lambda: rotate_keys(tmp_path, lambda _: True)) == "storage-unwritable"
    monkeypatch.undo()

    assert saved_in(tmp_path).values == VALUES
    assert names_in(tmp_path) == [CREDENTIALS_FILE, KEY_FILE]


def test_time_of_the_save_is_told(tmp_path: Path) -> None:
    """It is the second that the token carries."""
    key = Fernet.generate_key()
    (tmp_path / KEY_FILE).write_bytes(key)
    (tmp_path / CREDENTIALS_FILE).write_bytes(Fernet(key).encrypt_at_time(json.dumps(VALUES).encode(), 1_767_323_045))

    assert saved_at_text(saved_in(tmp_path).saved_at) == "2026-01-02T03:04:05Z"


def test_deleted_credentials_are_gone_and_the_key_stays(tmp_path: Path) -> None:
    """Other things hang on the key; a second deletion has nothing to delete."""
    save_credentials(tmp_path, VALUES)

    assert delete_credentials(tmp_path) is True
    assert delete_credentials(tmp_path) is False
    assert names_in(tmp_path) == [KEY_FILE]


def test_unreadable_credentials_can_be_deleted(tmp_path: Path) -> None:
    """Without key, damaged, or both."""
    (tmp_path / CREDENTIALS_FILE).write_bytes(b"damaged")

    assert delete_credentials(tmp_path) is True
    assert names_in(tmp_path) == []


# --- rotation --------------------------------------------------------------------------------------------------------


def test_rotation_replaces_the_key_and_keeps_everything_else(tmp_path: Path) -> None:
    """One new key, the same credentials, saved at the same time; the old key opens nothing any more."""
    save_credentials(tmp_path, VALUES)
    before, old_key = saved_in(tmp_path), (tmp_path / KEY_FILE).read_bytes()

    assert rotate_keys(tmp_path, lambda _: True) is True

    assert saved_in(tmp_path) == before
    assert len((tmp_path / KEY_FILE).read_bytes()) == 44
    assert (tmp_path / KEY_FILE).read_bytes() != old_key
    assert names_in(tmp_path) == [CREDENTIALS_FILE, KEY_FILE]


def test_rotation_hands_new_and_old_keys_to_what_else_hangs_on_them(tmp_path: Path) -> None:
    """The new one first; and while it runs, the files on the disk can be read."""
    old = load_or_create_keys(tmp_path)
    given: list[KeyRing] = []

    def rewrap(ring: KeyRing) -> bool:
        given.append(ring)
        assert read_keys(tmp_path) == ring
        return True

    rotate_keys(tmp_path, rewrap)

    (ring,) = given
    assert ring.keys[1:] == old.keys
    assert read_keys(tmp_path) == KeyRing(ring.keys[:1])


def test_old_keys_stay_while_something_hangs_on_them(tmp_path: Path) -> None:
    """A database that is away keeps its wraps, so the keys for them are kept until a rotation reaches it."""
    save_credentials(tmp_path, VALUES)
    old = read_keys(tmp_path)
    assert old is not None

    assert rotate_keys(tmp_path, lambda _: False) is False
    both = read_keys(tmp_path)
    assert rotate_keys(tmp_path, lambda _: True) is True

    assert both is not None
    assert both.keys[1:] == old.keys
    assert saved_in(tmp_path).values == VALUES
    assert len((tmp_path / KEY_FILE).read_bytes()) == 44


def test_save_does_not_wait_for_what_else_is_encrypted_anew(tmp_path: Path) -> None:
    """A database that answers slowly holds no save up; what is saved meanwhile is under the new key."""
    save_credentials(tmp_path, VALUES)

    def rewrap(_: KeyRing) -> bool:
        save_credentials(tmp_path, {**VALUES, "host": "new.example"})
        return True

    assert rotate_keys(tmp_path, rewrap) is True

    assert saved_in(tmp_path).values["host"] == "new.example"
    assert len((tmp_path / KEY_FILE).read_bytes()) == 44


def test_key_that_was_replaced_meanwhile_stays(tmp_path: Path) -> None:
    """A save over a key file that was damaged in the middle of a rotation made another key, and that one counts."""
    save_credentials(tmp_path, VALUES)

    def rewrap(_: KeyRing) -> bool:
        (tmp_path / KEY_FILE).write_bytes(b"damaged")
        save_credentials(tmp_path, {**VALUES, "host": "new.example"})
        return True

    assert rotate_keys(tmp_path, rewrap) is False

    assert saved_in(tmp_path).values["host"] == "new.example"


def test_old_key_stays_while_the_credentials_need_it(tmp_path: Path) -> None:
    """Somebody restored the file of before in the middle of a rotation."""
    save_credentials(tmp_path, VALUES)
    token = (tmp_path / CREDENTIALS_FILE).read_bytes()

    def rewrap(_: KeyRing) -> bool:
        (tmp_path / CREDENTIALS_FILE).write_bytes(token)
        return True

    assert rotate_keys(tmp_path, rewrap) is False
    assert saved_in(tmp_path).values == VALUES
    assert rotate_keys(tmp_path, lambda _: True) is True
    assert saved_in(tmp_path).values == VALUES


def test_rotation_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    """Rotating over damaged files would lose them."""
    save_credentials(tmp_path, VALUES)
    key = (tmp_path / KEY_FILE).read_bytes()
    (tmp_path / CREDENTIALS_FILE).write_bytes(b"damaged")

    def never(_: KeyRing) -> bool:
        raise AssertionError("nothing may be re-encrypted")

    assert problem_of(lambda: rotate_keys(tmp_path, never)) == "credentials-unreadable"
    (tmp_path / KEY_FILE).write_bytes(b"damaged")
    assert problem_of(lambda: rotate_keys(tmp_path, never)) == "key-invalid"

    assert (tmp_path / KEY_FILE).read_bytes() == b"damaged" != key


def test_rotation_before_the_first_start_has_nothing_to_rotate(tmp_path: Path) -> None:
    """The sentence says so, and what to do."""
    with pytest.raises(ProblemError) as caught:
        rotate_keys(tmp_path, lambda _: True)

    assert caught.value.problem.sentence == (
        "There is no key file fernet.key yet. Start the sidecar once; it makes one."
    )
    assert names_in(tmp_path) == []

"""A file that libpq would refuse is told for what it is, before anybody connects."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization

from app.services.certificates import SOON, check_files
from tests.support.certificates import CertificateAuthority, KeyPair

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture(scope="module")
def authority() -> CertificateAuthority:
    """One for all tests; making keys takes time."""
    return CertificateAuthority()


@pytest.fixture(scope="module")
def pair(authority: CertificateAuthority) -> KeyPair:
    """A person's certificate and key."""
    return authority.issue_client("ada")


def code_of(path: Path | str, setting: str = "sslrootcert", now: dt.datetime = NOW) -> str:
    """The verdict's code about one file."""
    files = dict.fromkeys(("sslrootcert", "sslcert", "sslkey")) | {setting: str(path)}
    return check_files(**files, now=now)[setting].code


def test_certificate_and_key_that_belong_together_serve(
    tmp_path: Path, authority: CertificateAuthority, pair: KeyPair
) -> None:
    """Each file that is named gets a verdict, with the name and the end of its certificate."""
    certificate, key = pair.write(tmp_path, "ada")
    root = authority.write(tmp_path / "root.crt")

    found = check_files(str(root), str(certificate), str(key), now=NOW)

    assert {name: verdict.ok for name, verdict in found.items()} == {
        "sslrootcert": True,
        "sslcert": True,
        "sslkey": True,
    }
    assert (found["sslcert"].subject, found["sslrootcert"].subject) == ("ada", "Test Root")
    assert found["sslcert"].expires_at is not None
    assert NOW < found["sslcert"].expires_at < NOW + SOON
    assert found["sslcert"].code == "expires-soon"


def test_what_was_not_named_and_the_systems_authorities_are_not_judged() -> None:
    """`system` is no file."""
    assert check_files("system", None, None) == {}


def test_key_of_another_certificate_is_told(tmp_path: Path, authority: CertificateAuthority, pair: KeyPair) -> None:
    """The pair is compared, whichever of the two is wrong."""
    certificate, _ = pair.write(tmp_path, "ada")
    _, key = authority.issue_client("grace").write(tmp_path, "grace")

    assert check_files(None, str(certificate), str(key))["sslkey"].code == "key-mismatch"


@pytest.mark.parametrize(("days", "code"), [(-12, "not-yet-valid"), (0, "expires-soon"), (12, "expired")])
def test_dates_are_told(tmp_path: Path, authority: CertificateAuthority, days: int, code: str) -> None:
    """An authority of ten days around now, at other times."""
    root = authority.write(tmp_path / "root.crt")

    assert code_of(root, now=NOW + dt.timedelta(days=days)) == code


@pytest.mark.parametrize(
    ("content", "setting", "code"),
    [
        pytest.param(b"", "sslrootcert", "no-certificate", id="empty"),
        pytest.param(b"\x30\x82\x01\x00", "sslcert", "not-pem", id="der"),
        pytest.param(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "sslcert", "damaged", id="cut"),
        pytest.param(b"-----BEGIN PRIVATE KEY-----\n", "sslcert", "is-key", id="key-for-a-certificate"),
        pytest.param(b"-----BEGIN CERTIFICATE-----\n", "sslkey", "no-key", id="certificate-for-a-key"),
        pytest.param(b"words", "sslkey", "no-key", id="words-for-a-key"),
        pytest.param(
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "sslkey", "damaged", id="cut-key"
        ),
    ],
)
def test_other_content_is_told_for_what_it_is(tmp_path: Path, content: bytes, setting: str, code: str) -> None:
    """Each mistake that people make has a word of its own."""
    file = tmp_path / "file.pem"
    file.write_bytes(content)
    file.chmod(0o600)

    assert code_of(file, setting) == code


def test_key_with_a_passphrase_is_told(tmp_path: Path, pair: KeyPair) -> None:
    """Nobody could enter it."""
    key = serialization.load_pem_private_key(pair.key_pem, None)
    sealed = serialization.BestAvailableEncryption(b"a passphrase")
    file = tmp_path / "sealed.key"
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed))
    file.chmod(0o600)

    assert code_of(file, "sslkey") == "key-encrypted"


@pytest.mark.skipif(os.name == "nt", reason="rights are an access control list there, which libpq does not look at")
def test_key_that_others_may_read_is_told(tmp_path: Path, pair: KeyPair) -> None:
    """The driver refuses such a key."""
    _, key = pair.write(tmp_path, "ada")
    key.chmod(0o644)

    assert code_of(key, "sslkey") == "key-open"


def test_places_without_a_file_are_told(tmp_path: Path) -> None:
    """A folder, a pipe that nobody writes to, a part of a path, nothing at all: without waiting."""
    assert code_of(tmp_path) in ("no-file", "unreadable")
    assert code_of(tmp_path / "nothing.pem") == "missing"
    assert code_of("root.pem") == "relative"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        assert code_of(tmp_path / "pipe") == "no-file"

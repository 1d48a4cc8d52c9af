"""What libpq would say about a person's certificates, file by file and before it is asked."""

from __future__ import annotations

import datetime as dt
import os
import stat
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from app.schemas.connection import VerdictCode

SYSTEM_ROOTS: Final = "system"
"""What stands for the operating system's authorities in the place of a file."""
MAX_FILE_BYTES: Final = 4 << 20
"""The bundles of all public authorities together are under one MiB."""
SOON: Final = dt.timedelta(days=30)
_PLAINLY: Final = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
"""A pipe would be waited for."""


class Verdict(msgspec.Struct, frozen=True):
    """Whether a file serves, by a stable code and in one sentence."""

    ok: bool
    code: VerdictCode
    message: str
    subject: str | None = None
    """Whose certificate it is; of several authorities the one that is valid longest."""
    expires_at: dt.datetime | None = None
    """When that certificate stops to be valid."""


class _UnusableError(Exception):
    """A file that does not serve."""

    def __init__(self, code: VerdictCode, message: str) -> None:
        super().__init__(code)
        self.verdict = Verdict(ok=False, code=code, message=message)


def check_files(
    sslrootcert: str | None, sslcert: str | None, sslkey: str | None, *, now: dt.datetime | None = None
) -> dict[str, Verdict]:
    """Look at the files that are named; nothing of their content is told but subjects and dates.

    Args:
        sslrootcert: path of trusted authorities, or `system`.
        sslcert: path of the person's certificate.
        sslkey: path of its private key.
        now: the time to judge by; the present unless given.

    Returns:
        a verdict by the name of each setting that was given.
    """
    moment = now or dt.datetime.now(dt.UTC)
    found: dict[str, Verdict] = {}
    certificate: x509.Certificate | None = None
    if sslrootcert is not None and sslrootcert != SYSTEM_ROOTS:
        # One authority of a bundle that is still valid is enough.
        found["sslrootcert"], _ = _judged(sslrootcert, moment, lambda all_of_them: max(all_of_them, key=_end))
    if sslcert is not None:
        found["sslcert"], certificate = _judged(sslcert, moment, lambda all_of_them: all_of_them[0])
    if sslkey is not None:
        found["sslkey"] = _key(sslkey, certificate)
    return found


def _judged(
    path: str, now: dt.datetime, choose: Callable[[list[x509.Certificate]], x509.Certificate]
) -> tuple[Verdict, x509.Certificate | None]:
    """Judge a file of certificates by one of them; return that one too."""
    try:
        certificate = choose(_certificates(_read(path)[0]))
    except _UnusableError as exc:
        return exc.verdict, None
    return _dated(certificate, now), certificate


def _certificates(content: bytes) -> list[x509.Certificate]:
    from cryptography import x509

    if b"-----BEGIN CERTIFICATE-----" not in content:
        _refuse_content(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old authorities have serial numbers that are frowned upon
            return x509.load_pem_x509_certificates(content)
    except ValueError:
        raise _UnusableError("damaged", "The certificate in this file is damaged.") from None


def _end(certificate: x509.Certificate) -> dt.datetime:
    return certificate.not_valid_after_utc


def _dated(certificate: x509.Certificate, now: dt.datetime) -> Verdict:
    subject, end = _subject(certificate), certificate.not_valid_after_utc
    if now > end:
        return Verdict(
            ok=False, code="expired", message="This certificate has expired.", subject=subject, expires_at=end
        )
    if now < certificate.not_valid_before_utc:
        return Verdict(
            ok=False,
            code="not-yet-valid",
            message="This certificate is not valid yet.",
            subject=subject,
            expires_at=end,
        )
    if end - now < SOON:
        return Verdict(
            ok=True,
            code="expires-soon",
            message="This certificate serves, but expires soon.",
            subject=subject,
            expires_at=end,
        )
    return Verdict(ok=True, code="good", message="This certificate serves.", subject=subject, expires_at=end)


def _subject(certificate: x509.Certificate) -> str:
    """Its common name, else the whole name."""
    from cryptography.x509.oid import NameOID

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    value = names[0].value if names else certificate.subject.rfc4514_string()
    return value if isinstance(value, str) else value.decode(errors="replace")


def _key(path: str, certificate: x509.Certificate | None) -> Verdict:
    """Judge a private key: readable, for its owner alone, and the one of the certificate."""
    try:
        content, status = _read(path)
        key = _private_key(content)
        _require_owner_only(status)
    except _UnusableError as exc:
        return exc.verdict
    if certificate is not None and not _fits(key, certificate):
        return Verdict(ok=False, code="key-mismatch", message="This key belongs to another certificate.")
    return Verdict(ok=True, code="good", message="This key serves.")


def _private_key(content: bytes) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        load_der_private_key,
        load_pem_private_key,
    )

    is_pem = b"-----BEGIN " in content
    if is_pem and b"PRIVATE KEY-----" not in content:
        raise _UnusableError("no-key", "There is no private key in this file.")
    try:
        return load_pem_private_key(content, None) if is_pem else load_der_private_key(content, None)
    except TypeError:  # a passphrase is needed
        raise _UnusableError(
            "key-encrypted", "This key is protected by a passphrase, which nobody could enter."
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        if is_pem:
            raise _UnusableError("damaged", "The private key in this file is damaged.") from None
        raise _UnusableError("no-key", "There is no private key in this file.") from None


def _fits(key: PrivateKeyTypes, certificate: x509.Certificate) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    try:
        return key.public_key().public_bytes(*form) == certificate.public_key().public_bytes(*form)
    except (ValueError, UnsupportedAlgorithm):
        return False


def _require_owner_only(status: os.stat_result) -> None:
    """Apply libpq's rule: nobody else may read it, but for a group if it is the administrator's."""
    if sys.platform == "win32":
        return
    if status.st_mode & (0o027 if status.st_uid == 0 else 0o077):
        raise _UnusableError("key-open", "Others may read this key: take that right away (chmod 600).")


def _read(path: str) -> tuple[bytes, os.stat_result]:
    """Read a file that a person named, whatever it is."""
    if not Path(path).is_absolute():
        raise _UnusableError("relative", "Give the whole path, from the top.")
    try:
        descriptor = os.open(path, os.O_RDONLY | _PLAINLY)
    except (FileNotFoundError, NotADirectoryError):
        raise _UnusableError("missing", "There is no such file.") from None
    except (OSError, ValueError):
        raise _UnusableError("unreadable", "This file cannot be read: check its rights.") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _UnusableError("no-file", "This is not a file.")
        if status.st_size > MAX_FILE_BYTES:
            raise _UnusableError("no-certificate", "There is no certificate in this file.")
        return os.read(descriptor, MAX_FILE_BYTES), status
    finally:
        os.close(descriptor)


def _refuse_content(content: bytes) -> NoReturn:
    """Say what a file holds that has no certificate in PEM."""
    if b"PRIVATE KEY-----" in content:
        raise _UnusableError("is-key", "This is a private key; a certificate is wanted here.")
    if content[:1] == b"\x30":  # how DER begins, which files of Windows hold, and PKCS#12 too
        raise _UnusableError("not-pem", "This file is not in PEM form: convert it, or export it as Base64.")
    raise _UnusableError("no-certificate", "There is no certificate in this file.")

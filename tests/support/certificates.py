"""Certificates made on the spot: an authority, servers good and bad, clients."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key."""

    certificate_pem: bytes
    key_pem: bytes = field(repr=False)

    def write(self, directory: Path, stem: str) -> tuple[Path, Path]:
        """Write `<stem>.crt` and `<stem>.key`, the key for its owner only as libpq insists; return both."""
        certificate_file, key_file = directory / f"{stem}.crt", directory / f"{stem}.key"
        certificate_file.write_bytes(self.certificate_pem)
        key_file.touch(mode=0o600)
        key_file.write_bytes(self.key_pem)
        return certificate_file, key_file


class CertificateAuthority:
    """An issuer with a self-signed root, good for ten days before and after now."""

    def __init__(self, common_name: str = "Test Root") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(common_name)
        now = _now()
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 10 * DAY)
            .not_valid_after(now + 10 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(certificate_signing=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def certificate_pem(self) -> bytes:
        """The root certificate, what `sslrootcert` points to."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def write(self, path: Path) -> Path:
        """Write the root certificate to `path` and return it."""
        path.write_bytes(self.certificate_pem)
        return path

    def issue_server(
        self,
        hosts: Sequence[str] = LOOPBACK_HOSTS,
        *,
        not_before: dt.datetime | None = None,
        not_after: dt.datetime | None = None,
    ) -> KeyPair:
        """Issue a server's certificate.

        Args:
            hosts: DNS names and IP addresses it speaks for; the first is the common name too.
            not_before: start of validity; yesterday unless given.
            not_after: end of validity; tomorrow unless given.
        """
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        return self._issue(hosts[0], ExtendedKeyUsageOID.SERVER_AUTH, names, not_before, not_after)

    def issue_expired_server(self, hosts: Sequence[str] = LOOPBACK_HOSTS) -> KeyPair:
        """Issue a server's certificate that expired yesterday."""
        return self.issue_server(hosts, not_before=_now() - 3 * DAY, not_after=_now() - DAY)

    def issue_client(self, common_name: str) -> KeyPair:
        """Issue a client's certificate; PostgreSQL compares the common name with the role's name."""
        return self._issue(common_name, ExtendedKeyUsageOID.CLIENT_AUTH, None, None, None)

    def _issue(
        self,
        common_name: str,
        usage: x509.ObjectIdentifier,
        names: x509.SubjectAlternativeName | None,
        not_before: dt.datetime | None,
        not_after: dt.datetime | None,
    ) -> KeyPair:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(common_name))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(not_before or _now() - DAY)
            .not_valid_after(not_after or _now() + DAY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(certificate_signing=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return KeyPair(
            certificate_pem=certificate.public_bytes(serialization.Encoding.PEM),
            key_pem=key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )


@dataclass(frozen=True, slots=True)
class Certificates:
    """One authority and the certificates most tests want."""

    authority: CertificateAuthority
    root_file: Path
    """Root of `authority`, for `sslrootcert`."""
    stranger_root_file: Path
    """Root of an authority that issued none of these; with it every server here has an unknown issuer."""
    good: KeyPair
    expired: KeyPair
    wrong_host: KeyPair
    unknown_issuer: KeyPair
    """For the right hosts, issued by the stranger."""

    @classmethod
    def make(cls, directory: Path) -> Certificates:
        """Make them all; the two root files go into `directory`."""
        authority, stranger = CertificateAuthority(), CertificateAuthority("Stranger Root")
        return cls(
            authority=authority,
            root_file=authority.write(directory / "root.crt"),
            stranger_root_file=stranger.write(directory / "stranger.crt"),
            good=authority.issue_server(),
            expired=authority.issue_expired_server(),
            wrong_host=authority.issue_server(["database.example"]),
            unknown_issuer=stranger.issue_server(),
        )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, certificate_signing: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificate_signing,
        key_cert_sign=certificate_signing,
        crl_sign=certificate_signing,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )

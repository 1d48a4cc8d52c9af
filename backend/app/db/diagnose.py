"""What libpq says, as a problem with a stable code.

psycopg2's connection errors carry no SQLSTATE, so the text is all there is. Network failures come from libpq itself
in the process's own locale (C); the server's refusals may be localised: then nothing below matches, and the problem is
``connection-failed`` with the server's own first line, cleaned.
"""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from app.core.problems import Problem, problem

if TYPE_CHECKING:
    from app.db.settings import ConnectionSettings

_PATTERNS: Final[tuple[tuple[str, str], ...]] = (
    (r"could not translate host name|Name or service not known|nodename nor servname|No such host", "host-unresolved"),
    (
        (
            r"the database system is (starting up|shutting down|in recovery|not yet accepting|not accepting)|"
            r"terminating connection due to|server login has been failing|server_login_retry|pgbouncer is shutting"
        ),
        "server-starting",
    ),
    (
        r"too many clients|remaining connection slots|too many connections|no more connections allowed",
        "too-many-connections",
    ),
    (
        (
            r"password authentication failed|no password supplied|authentication failed for user|"
            r"SASL authentication failed|no such user|wrong password|invalid SCRAM|empty password|role \".*\" does not exist"
        ),
        "password-rejected",
    ),
    (r"database \".*\" does not exist|no such database", "database-missing"),
    (
        (
            r"is not permitted to log in|permission denied for database|does not have CONNECT privilege|"
            r"is not currently accepting connections|not allowed to connect"
        ),
        "permission-denied",
    ),
    (r"unsupported startup parameter|unrecognized configuration parameter", "parameter-refused"),
    (r"server does not support SSL, but SSL was required|server does not support SSL", "tls-unavailable"),
    (
        r"\bSSL required\b|TLS required|SSL connection is required|requires? (an )?(SSL|TLS|encrypted)",
        "tls-required",
    ),
    (
        (
            r"received invalid response|expected authentication request from server|"
            r"invalid response to SSL negotiation|wrong version number|unknown protocol|packet length too long|record layer failure|http request|"
            r"unexpected message from server|received unencrypted data after SSL|unsupported frontend protocol|"
            r"invalid message length|message type 0x|lost synchronization"
        ),
        "not-postgresql",
    ),
    (r"timeout expired|Connection timed out|timed out", "connection-timeout"),
    (r"Connection refused|\(0x0000274D/10061\)|No such file or directory", "connection-refused"),
    (
        (
            r"server closed the connection unexpectedly|Connection reset|connection reset|could not receive data|"
            r"SSL SYSCALL error|SSL connection has been closed|Broken pipe|could not send"
        ),
        "connection-lost",
    ),
)

_VARIANTS: Final[tuple[tuple[str, str, str, str], ...]] = (
    (
        r"Temporary failure in name resolution",
        "host-unresolved",
        "The database host name could not be looked up: no name server answers.",
        "Check the network and the VPN.",
    ),
    (
        r"No route to host|Network is unreachable|Host is down",
        "connection-timeout",
        "The network knows no way to the database server.",
        "Check the network, the VPN and the host address.",
    ),
    (
        r"does not match host name|host name mismatch",
        "tls-unverified",
        "The database server's certificate was issued for another name.",
        "Use the host name that the certificate names, or ask the database administrator for a matching certificate.",
    ),
    (
        r"root certificate file|root certificate|could not (read|load) .*root",
        "tls-unverified",
        "The root certificate to verify the database server with was not found or cannot be read.",
        "Give the path of the issuer's root certificate, or 'system' with the TLS mode verify-full.",
    ),
    (
        r"certificate file|private key file|could not load private key",
        "tls-unverified",
        "The client certificate or its private key was not found or cannot be read.",
        "Check the paths of certificate and key, and that only you can read the key.",
    ),
    (
        r"connection requires a valid client certificate|alert (certificate|handshake)",
        "tls-required",
        "The database server asks for a client certificate and did not accept one.",
        "Give the client certificate and its private key that the database administrator issued.",
    ),
    (
        r"certificate verify failed|self.signed certificate|unable to get .*issuer|certificate has expired",
        "tls-unverified",
        "",
        "",
    ),
    (
        r"session is (not )?read-only|server is (not )?in hot standby|target_session_attrs",
        "connection-failed",
        "None of the hosts is a server of the demanded kind (target_session_attrs).",
        "Check the list of hosts, or loosen target_session_attrs.",
    ),
)

_SERVER_REPLY: Final = re.compile(r"(?:^|: )(?P<severity>[^\s:\"]{3,30}):  (?P<text>[^\n]+)")
"""A server's own refusal, in any language: libpq prints ``SEVERITY:  text`` with two spaces."""


def diagnose(text: str, settings: ConnectionSettings) -> Problem:
    """Name the problem behind libpq's `text`.

    With several hosts or addresses libpq prints one line for each; what a server answered outweighs a network failure,
    so the patterns are ordered from the most telling to the least.
    """
    for pattern, code, message, remedy in _VARIANTS:
        if re.search(pattern, text):
            return problem(code, message or None, remedy or None)
    if "no pg_hba.conf entry" in text or "pg_hba.conf rejects connection" in text:
        return _no_entry(text, settings)
    if re.search(r"(Peer|Ident|GSSAPI|certificate) authentication failed", text):
        return problem(
            "permission-denied",
            "The database server wants another way of logging in than a password.",
            "Ask the database administrator to allow password log-in for this user from this computer.",
        )
    for pattern, code in _PATTERNS:
        if re.search(pattern, text):
            if code == "connection-timeout" and _web_server_answers(settings):
                return problem("not-postgresql")
            return problem(code)
    return _unknown(text, settings)


def _no_entry(text: str, settings: ConnectionSettings) -> Problem:
    """Tell apart: this user may not come from here at all, or not without TLS."""
    refused_plain = re.search(r"no encryption|SSL off", text) is not None
    refused_encrypted = re.search(r"SSL encryption|SSL on", text) is not None
    if refused_plain and not refused_encrypted and settings.sslmode in ("disable", "allow"):
        return problem("tls-required")
    return problem(
        "permission-denied",
        "The database server does not let this user into this database from this computer.",
        "Ask the database administrator for an entry in pg_hba.conf.",
    )


def _unknown(text: str, settings: ConnectionSettings) -> Problem:
    reply = _SERVER_REPLY.search(text)
    if reply is None:
        # libpq's own words: a network trouble we have no name for, which may pass
        first = clean(text.strip().split("\n", 1)[0].split(" failed: ", 1)[-1], settings)
        return problem("connection-failed", f"The connection could not be made: {first}.", retryable=True)
    # a refusal is tried once: it may be a localised "wrong password", and accounts get locked
    return problem(
        "connection-failed", f"The database server refused the connection: {clean(reply['text'], settings)}."
    )


def clean(text: str, settings: ConnectionSettings) -> str:
    """Return the first line of a foreign text without links, control characters, and anything that was typed."""
    line = re.sub(r"\b\w+://\S+", "", text.strip().split("\n", 1)[0])
    for secret in {settings.password, quote(settings.password, safe=""), quote_plus(settings.password)}:
        line = line.replace(secret, "...") if secret.strip() else line
    line = re.sub(r"[\x00-\x1f\x7f]", " ", line)
    return re.sub(r"\s+", " ", line).strip(" .:")[:200] or "no reason given"


def _web_server_answers(settings: ConnectionSettings, timeout_s: float = 1.0) -> bool:
    """Tell whether the address that stayed silent towards libpq speaks HTTP.

    A web server waits for the end of a request line that libpq never sends, so all libpq sees is silence.
    """
    host = settings.host.split(",")[0].strip().strip("[]")
    if host.startswith("/"):
        return False
    port = settings.port if isinstance(settings.port, int) else int(settings.port.split(",")[0])
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as probe:
            probe.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
            return probe.recv(5) == b"HTTP/"
    except OSError:
        return False

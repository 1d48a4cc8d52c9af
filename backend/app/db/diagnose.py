"""What libpq says, as a problem with a stable code.

psycopg2's connection errors carry no SQLSTATE, so the text is all there is. Network failures come from libpq itself
in the process's own locale (C); the server's refusals may be localised. Those that pass by themselves are known in
PostgreSQL's languages; of the others no pattern matches, and the problem is ``connection-failed`` with the server's
own first line, cleaned.

With several hosts or addresses libpq prints one line for each. What a server answered outweighs a network failure:
a rejected password must never look like a passing trouble, which would be retried.
"""

from __future__ import annotations

import locale
import re
import socket
import struct
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, quote_plus

from app.core.problems import Problem, problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.db.settings import ConnectionSettings


class _Sign(NamedTuple):
    """Words that give a problem away; `message` and `remedy` replace the catalogue's where more is known."""

    pattern: str
    code: str
    message: str | None = None
    remedy: str | None = None


_STARTING_ABROAD: Final = (
    r"Datenbanksystem (startet|fährt herunter|ist im Wiederherstellungsmodus)|"
    r"sistema de base de datos está (iniciándose|apagándose|en modo de recuperación)|"
    r"système de bases? de données (se lance|s'arrête|est en cours de restauration)|"
    r"il database (si sta avviando|si sta spegnendo|è in modalità di ripristino)|"
    r"sistema de banco de dados está|"
    r"データベースシステムは(起動|シャットダウン|リカバリ)|데이터베이스 시스템이 (새로 가동|중지 중|자동 복구)|"
    r"数据库系统(正在启动|启动中|正在关闭|在恢复模式中)|資料庫系統(正在|處於復原模式)|"
    r"система баз данных (запускается|останавливается|в режиме восстановления)|"
    r"система бази даних (запускається|завершує роботу|. режимі відновлення)|"
    r"databassystemet (startar upp|stänger ner|är återställningsläge)|"
    r"მონაცემთა ბაზის სისტემ(ის გაშვება|ა ითიშება|ა აღდგენის რეჟიმშია)"
)
_FULL_ABROAD: Final = (
    r"schon zu viele Verbindungen|tenemos demasiados clientes|trop de clients sont déjà connectés|"
    r"troppi client già connessi|muitos clientes conectados|現在クライアント数が多すぎます|최대 동시 접속자 수를 초과|"
    r"客户端连接过多|客戶端過多|уже слишком много клиентов|вже забагато клієнтів|för många klienter|"
    r"უკვე მეტისმეტად ბევრი კლიენტია"
)
"""What PostgreSQL 15's own catalogues of messages say for what passes by itself."""

_ANSWERS: Final = (
    _Sign(r"unsupported startup parameter|unrecognized configuration parameter", "parameter-refused"),
    _Sign(
        r"certificate authentication failed",
        "permission-denied",
        "The client certificate was issued for another database user.",
        "Give the client certificate and its private key that were issued for this user name.",
    ),
    _Sign(
        r"(Peer|Ident|GSSAPI|SSPI) authentication failed",
        "permission-denied",
        "The database server wants another way of logging in than a password.",
        "Ask the database administrator to allow password log-in for this user from this computer.",
    ),
    _Sign(
        r"authentication failed|no password supplied|no such user|wrong password|invalid SCRAM|empty password|"
        r'role ".*" does not exist',
        "password-rejected",
    ),
    _Sign(r'database ".*" does not exist|no such database', "database-missing"),
    _Sign(
        r"is not permitted to log in|permission denied for database|does not have CONNECT privilege|"
        r"is not currently accepting connections|not allowed to connect",
        "permission-denied",
    ),
    _Sign(
        r"too many clients|remaining connection slots|too many connections|no more connections allowed|"
        rf"could not fork new process|{_FULL_ABROAD}",
        "too-many-connections",
    ),
    _Sign(
        r"server login has been failing|server_login_retry|cannot connect to server|server down|query_wait_timeout",
        "server-starting",
        "The connection pooler answers, but does not reach the database server.",
        "Wait a moment and try again; if it stays so, ask the database administrator.",
    ),
    _Sign(
        r"the database system is (starting up|shutting down|in recovery|not yet accepting|not accepting)|"
        rf"terminating connection due to|pgbouncer is shutting|{_STARTING_ABROAD}",
        "server-starting",
    ),
    _Sign(r"canceling authentication due to timeout", "connection-timeout"),
    _Sign(
        r"session is (not )?read-only|server is (not )?in hot standby",
        "connection-failed",
        "None of the hosts is a server of the demanded kind (target_session_attrs).",
        "Check the list of hosts, or loosen target_session_attrs.",
    ),
    _Sign(
        r"requires a valid client certificate|alert (certificate|bad certificate|unsupported certificate|unknown ca)",
        "tls-required",
        "The database server asks for a client certificate and did not accept one.",
        "Give the client certificate and its private key that the database administrator issued.",
    ),
    _Sign(
        r"does not match host name|host name mismatch",
        "tls-unverified",
        "The database server's certificate was issued for another name.",
        "Use the host name that the certificate names, or ask the database administrator for a matching certificate.",
    ),
    _Sign(
        r"root certificate",
        "tls-unverified",
        "The root certificate to verify the database server with was not found or cannot be read.",
        "Give the path of the issuer's root certificate, or 'system' with the TLS mode verify-full.",
    ),
    _Sign(
        r"certificate file|private key",
        "tls-unverified",
        "The client certificate or its private key was not found or cannot be read.",
        "Check the paths of certificate and key, that they belong together, that only you can read the key, and that "
        "it has no passphrase.",
    ),
    _Sign(
        r"certificate verify failed|self.signed certificate|unable to get .*issuer|certificate has expired",
        "tls-unverified",
    ),
    _Sign(
        r"pg_hba\.conf",
        "permission-denied",
        "The database server does not let this user into this database from this computer.",
        "Ask the database administrator for an entry in pg_hba.conf.",
    ),
    _Sign(r"server does not support SSL", "tls-unavailable"),
    _Sign(
        r"channel binding required",
        "tls-unavailable",
        "The settings demand channel binding, which the database server does not offer.",
        "Set channel_binding to prefer, or ask the database administrator.",
    ),
    _Sign(r"\bSSL required\b|TLS required|SSL connection is required|connection is insecure", "tls-required"),
)
"""What a server, or TLS, settled; the more telling comes first."""

_SILENCE: Final = r"timeout expired|timed out"

_FAILURES: Final = (
    _Sign(
        r"received invalid response|expected authentication request from server|invalid response to SSL negotiation|"
        r"wrong version number|unknown protocol|packet length too long|record layer failure|http request|"
        r"unexpected message from server|received unencrypted data after SSL|unsupported frontend protocol|"
        r"invalid message length|message type 0x|lost synchronization|invalid authentication request",
        "not-postgresql",
    ),
    _Sign(_SILENCE, "connection-timeout"),
    _Sign(
        r"No route to host|Network is unreachable|Host is down|Cannot assign requested address|Invalid argument|"
        r"Permission denied|Operation not permitted",
        "connection-timeout",
        "This computer has no way to the database server.",
        "Check the network, the VPN, the firewall and the host address.",
    ),
    _Sign(r"Connection refused|No such file or directory", "connection-refused"),
    _Sign(
        r"Temporary failure in name resolution",
        "host-unresolved",
        "The database host name could not be looked up: no name server answers.",
        "Check the network and the VPN.",
    ),
    _Sign(r"could not translate host name", "host-unresolved"),
    _Sign(
        r"server closed the connection unexpectedly|[Cc]onnection reset|could not receive data|could not send|"
        r"SSL SYSCALL error|SSL connection has been closed|Broken pipe",
        "connection-lost",
        "The server closed the connection before it could be used.",
        "Check host and port; if they are right, wait a moment and try again.",
    ),
    _Sign(
        r"SSL error",
        "connection-failed",
        "The database server and this program could not agree on how to encrypt.",
        "Ask the database administrator which TLS versions and ciphers the server takes.",
    ),
)
"""What the network did, in libpq's own words."""

_SERVER_REPLY: Final = re.compile(r"failed: [^:\n]{1,40}:  (?P<text>[^\n]+)")
"""A server's own refusal, in any language: libpq prints ``SEVERITY:  text`` with two spaces."""

_SSL_REQUEST: Final = struct.pack("!ii", 8, 80877103)
_TLS_ALERT: Final = b"\x15\x03"


def diagnose(error: Exception, settings: ConnectionSettings) -> Problem:
    """Name the problem behind an error of psycopg2."""
    text = _text_of(error)
    words = _without_names(text)
    found = _find(_ANSWERS, words)
    if found is not None:
        # nobody comes in without TLS, or not this user: libpq's words are the same
        is_for_want_of_tls = "pg_hba.conf" in words and settings.sslmode == "disable" and _server_offers_tls(settings)
        return problem("tls-required") if is_for_want_of_tls else found
    reply = _SERVER_REPLY.search(text)
    if reply is not None:
        return _refusal(reply["text"], settings)
    found = _find(_FAILURES, words)
    if found is None:
        # libpq's own words: a network trouble we have no name for, which may pass
        reason = clean(text.strip().split("\n", 1)[0].split(" failed: ", 1)[-1], settings)
        return problem("connection-failed", f"The connection could not be made: {reason}.", retryable=True)
    if re.search(_SILENCE, words) and _web_server_answers(settings):
        return problem("not-postgresql")
    return found


def depends_on_encryption(error: Exception) -> bool:
    """Tell whether the other choice between TLS and none could succeed where this one failed.

    Never after the server has judged the password: accounts get locked.
    """
    words = _without_names(_text_of(error))
    if "authentication failed" in words:
        return False
    return re.search(r"(?i)pg_hba\.conf|\b(SSL|TLS)|certificate", words) is not None


def _text_of(error: Exception) -> str:
    """Return the error's text; a server words its refusals in its own encoding, over which psycopg2 stumbles."""
    if not isinstance(error, UnicodeDecodeError):
        return str(error)
    try:
        return error.object.decode(locale.getencoding())  # desktop and server often stand in the same country
    except UnicodeDecodeError:
        return error.object.decode("cp1252", errors="replace")


def _without_names(text: str) -> str:
    """Blank what is quoted: a database may be named like an error."""
    return re.sub(r'"[^"\n]*"', '""', text)


def _find(signs: Sequence[_Sign], words: str) -> Problem | None:
    for sign in signs:
        if re.search(sign.pattern, words):
            return problem(sign.code, sign.message, sign.remedy)
    return None


def _refusal(reply: str, settings: ConnectionSettings) -> Problem:
    """Pass on what the server said; tried once, as it may be a localised "wrong password"."""
    return problem("connection-failed", f"The database server refused the connection: {clean(reply, settings)}.")


def clean(text: str, settings: ConnectionSettings) -> str:
    """Return the first line of a foreign text without links and control characters.

    A text that holds the password is not shown at all: a gap would tell what was cut out.
    """
    line = text.strip().split("\n", 1)[0]
    password = settings.password
    forms = {password, password.strip(), quote(password, safe=""), quote_plus(password)}
    if any(form.casefold() in line.casefold() for form in forms if form):
        return "its reason is not shown here"
    line = re.sub(r"\b\w+://\S+|\bwww\.\S+", "", line)
    line = "".join(character if character.isprintable() else " " for character in line)
    return re.sub(r"\s+", " ", line).strip(" .:")[:200] or "no reason given"


def _web_server_answers(settings: ConnectionSettings) -> bool:
    """Tell whether the address that stayed silent towards libpq speaks HTTP, or TLS from the first byte.

    A web server waits for the end of a request line that libpq never sends, so all libpq sees is silence.
    """
    answer = _ask(settings, b"HEAD / HTTP/1.0\r\n\r\n")
    return answer.startswith((b"HTTP/", _TLS_ALERT))


def _server_offers_tls(settings: ConnectionSettings) -> bool:
    return _ask(settings, _SSL_REQUEST).startswith(b"S")


def _ask(settings: ConnectionSettings, question: bytes, timeout_s: float = 1.0) -> bytes:
    """Send a few bytes to the first host and return the beginning of the answer; nothing if there is none."""
    host = settings.hosts[0]
    if host.startswith("/"):
        return b""
    port = int(str(settings.port).split(",")[0])
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as probe:
            probe.sendall(question)
            return probe.recv(8)
    except (OSError, UnicodeError):
        return b""

"""What libpq says, as a problem with a stable code.

psycopg2's connection errors carry no SQLSTATE, so the text is all there is. Network failures come from libpq itself
in the process's own locale (C); the server's refusals may be localised. Those that pass by themselves, and rejected
passwords, are known in PostgreSQL's languages. Of the others no pattern matches, nor of what the next pooler may say:
that is ``connection-refused-unknown`` with the server's own first line, cleaned, and is tried again now and then.

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

from app.core.problems import DBA, SESSIONS_WANTED, YOU, Problem, problem
from app.db.login import NOTHING_PROVEN, Proof

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.db.settings import ConnectionSettings


class _Sign(NamedTuple):
    """Words that give a problem away; `message` and `remedy` replace the catalogue's where more is known."""

    pattern: str
    code: str
    message: str | None = None
    remedy: str | None = None
    who: str | None = None


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
_REJECTED_ABROAD: Final = (
    r"Passwort-Authentifizierung .*fehlgeschlagen|autentificación password falló|"
    r"authentification par mot de passe (échouée|a échoué)|autenticazione con password fallita|"
    r"のパスワード認証に失敗しました|password 인증을 실패했습니다|не прошёл проверку подлинности|"
    r"Lösenordsautentisering misslyckades|не пройшов автентифікацію за допомогою пароля|Password 认证失败|"
    r"პაროლით ავთენტიფიკაცია .*ვერ მოხერხდა"
)
_DATABASE_ABROAD: Final = (
    r"Datenbank »[^»«]*« existiert nicht|no existe la base de datos|la base de données .*n'existe pas|"
    r'il database "" non esiste|データベース""は存在しません|"" 데이터베이스 없음|база данных "" не существует|'
    r'databasen "" existerar inte|бази даних "" не існує|数据库 "" 不存在|მონაცემთა ბაზა "" არ არსებობს'
)
"""What PostgreSQL 15's own catalogues of messages say for what passes by itself, or must not be tried too often."""

_LOG_IN: Final = "Log in to Kerberos again (kinit, or lock and unlock the computer's session)."
_BUSY_POOLER: Final = f"The connection pooler has no connection to the database left; {SESSIONS_WANTED}."

_ANSWERS: Final = (
    _Sign(
        r"No Kerberos credentials|No credentials were supplied|[Cc]redentials cache (file .*)?not found|"
        r"No credentials cache found|No credentials are available|Matching credential not found",
        "permission-denied",
        "There is no Kerberos ticket on this computer.",
        _LOG_IN,
        YOU,
    ),
    _Sign(r"[Tt]icket( has)? expired", "permission-denied", "The Kerberos ticket has expired.", _LOG_IN, YOU),
    _Sign(
        r"[Cc]lock skew too great|Ticket not yet valid",
        "permission-denied",
        "This computer's clock and the one of the Kerberos server are too far apart.",
        "Set date and time of this computer.",
        YOU,
    ),
    _Sign(
        r"not found in Kerberos database|Cannot (find KDC|determine realm)|[Tt]arget name is incorrect|"
        r"Wrong principal in request",
        "permission-denied",
        "Kerberos does not know the database server by that name.",
        "Use the server's full host name, and check krbsrvname; or ask the database administrator for its principal.",
        DBA,
    ),
    _Sign(
        r"Cannot contact any KDC|Cannot resolve .*KDC",
        "host-unresolved",
        "The Kerberos server does not answer.",
        "Check the network and the VPN.",
    ),
    _Sign(
        r"(GSSAPI|SSPI) authentication failed|GSSAPI-Authentifizierung .*fehlgeschlagen|accepting GSS security context",
        "permission-denied",
        "The database server does not let this Kerberos principal in under that user name.",
        "Enter the user name that belongs to your principal, or ask the database administrator to map it.",
    ),
    _Sign(
        r"GSSAPI|SSPI|GSS failure",
        "permission-denied",
        "The log-in by Kerberos failed.",
        "Check your ticket (klist), the server's host name and krbsrvname, or ask the database administrator.",
    ),
    _Sign(
        r"password retrieved from file",
        "password-rejected",
        "The database server rejected the user name, or the password from your password file (.pgpass).",
        "Correct the line of this server in that file, or enter the password here.",
    ),
    _Sign(
        r"no password supplied",
        "password-rejected",
        "The database server asks for a password, and none is given here or in your password file (.pgpass).",
        "Enter the password, or add a line for this server to that file.",
    ),
    _Sign(r"unsupported startup parameter|unrecognized configuration parameter", "parameter-refused"),
    _Sign(
        r"certificate authentication failed",
        "permission-denied",
        "The client certificate was issued for another database user.",
        "Give the client certificate and its private key that were issued for this user name.",
    ),
    _Sign(
        r"[Pp]eer authentication failed",
        "permission-denied",
        "The database server lets an account of this computer in under its own name only.",
        "Enter the user name that belongs to your account, or ask the database administrator for a mapping or a "
        "password.",
    ),
    _Sign(
        r"Ident authentication failed",
        "permission-denied",
        "The database server wants another way of logging in than a password.",
        "Ask the database administrator to allow password log-in for this user from this computer.",
    ),
    _Sign(
        r"access token (has )?expired|token is expired|token has expired|PAM authentication failed",
        "password-rejected",
        "The database server rejected the user name, or the password or token, which may have expired.",
        "Enter the right user name, and a password or token that is still valid.",
    ),
    _Sign(
        r"[Tt]enant or user not found|tenant/user .*not found|Invalid Username specified|"
        r"Endpoint ID is not specified|has no credentials for the role",
        "password-rejected",
        "The connection pooler does not know that user name, or for which project it is meant.",
        "Copy user name and host as the provider of the database shows them, or ask the database administrator.",
    ),
    _Sign(
        r"authentication failed|no such user|wrong password|invalid SCRAM|empty password|"
        r"password that was provided for the role .* is wrong|Wrong password|"
        rf'role ".*" does not exist|{_REJECTED_ABROAD}',
        "password-rejected",
    ),
    _Sign(rf'database ".*" does not exist|no such database|{_DATABASE_ABROAD}', "database-missing"),
    _Sign(
        r"is not permitted to log in|permission denied for database|does not have CONNECT privilege|"
        r"is not currently accepting connections|not allowed to connect",
        "permission-denied",
    ),
    _Sign(
        r"MaxClientsInSessionMode|[Mm]ax client connections reached|Timed-out waiting to acquire database connection|"
        r"unable to check ?out process from the pool|connection pool (is )?exhausted",
        "too-many-connections",
        _BUSY_POOLER,
    ),
    _Sign(
        r"too many clients|remaining connection slots|too many connections|no more connections allowed|"
        rf"could not fork new process|{_FULL_ABROAD}",
        "too-many-connections",
    ),
    _Sign(
        r"out of memory|[Nn]o space left on device|could not (write|extend|create|open) .*(file|segment)",
        "connection-refused-unknown",
        "The database server has run out of memory or of disk space.",
        "Ask the database administrator to make room; it is tried again by itself.",
    ),
    _Sign(
        r"endpoint (has been|is) disabled|exceeded the .*quota|project .*paused|instance is (stopped|not running)|"
        r"server is (stopped|paused)",
        "connection-refused-unknown",
        "The provider has switched the database off, or a limit of the account is reached.",
        "Switch it on, or ask whoever has the account; it is tried again by itself.",
    ),
    _Sign(
        r"endpoint is in transition|[Cc]ontrol plane request failed|[Cc]ouldn't connect to compute|"
        r"connection to database (was )?closed|Target group doesn't have any associated|"
        r"RDS [Pp]roxy couldn't connect|database instance is not yet available",
        "server-starting",
        "The database is being started or moved by its provider.",
        "Wait a moment; a saved connection is retried by itself.",
    ),
    _Sign(
        r"server login has been failing|server_login_retry|cannot connect to server|server down|query_wait_timeout|"
        r"server_connect_timeout|pgbouncer cannot connect|server conn crashed|failed to connect to database",
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
        r"session is read-only|server is in hot standby",
        "read-only",
        "None of the hosts is a server that takes changes (target_session_attrs).",
        "Wait until one is promoted, it is tried again by itself; or check the list of hosts.",
    ),
    _Sign(
        r"session is not read-only|server is not in hot standby",
        "connection-refused-unknown",
        "None of the hosts is a server of the demanded kind (target_session_attrs).",
        "Check the list of hosts, or loosen target_session_attrs; it is tried again by itself.",
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
        r"channel binding (is )?required",
        "tls-unavailable",
        "The settings demand channel binding, which the database server does not offer.",
        "Set channel_binding to prefer, or ask the database administrator.",
    ),
    _Sign(
        r"\bSSL required\b|TLS required|SSL connection is required|connection is insecure|requires TLS connections",
        "tls-required",
    ),
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
        r"SSL SYSCALL error|SSL connection has been closed|Broken pipe|select\(\) failed",
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


_REQUIREMENT: Final = re.compile(r"authentication method requirement .* failed: ([^\n]*)")
_NO_BINDING: Final = re.compile(r"channel binding (is )?required")
_ASKS_FOR_PASSWORD: Final = ("server requested a cleartext password", "server requested a hashed password")
_NO_CERTIFICATE: Final = re.compile(
    r"server did not request an SSL certificate|server accepted connection without a valid SSL certificate"
)


def diagnose(error: Exception, settings: ConnectionSettings, proof: Proof = NOTHING_PROVEN) -> Problem:
    """Name the problem behind an error of psycopg2.

    Args:
        error: what the driver raised.
        settings: with the password that was used.
        proof: what earlier logins have shown, so that a weaker one is known for what it is.
    """
    import psycopg2

    if isinstance(error, psycopg2.ProgrammingError):  # "invalid dsn", with a part of it
        return problem("connection-failed")
    text = _text_of(error)
    words = _without_names(text)
    found = _weaker_login(words, settings, proof) or _find(_ANSWERS, words)
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


def _weaker_login(words: str, settings: ConnectionSettings, proof: Proof) -> Problem | None:
    """Name the problem where we refused the way in which a server wanted the login to happen."""
    if "GSSAPI encryption" in words:
        return problem(
            "permission-denied",
            "The connection could not be encrypted by Kerberos.",
            "Check your ticket (klist), or set gssencmode to prefer.",
        )
    requirement = _REQUIREMENT.search(words)
    if requirement is not None and requirement[1] in _ASKS_FOR_PASSWORD:
        what = "in clear text" if "cleartext" in requirement[1] else "as an MD5 hash"
        before = ", which it did not before" if proof.scram else ""
        return problem(
            "auth-downgraded",
            f"The database server asks for the password {what}{before}; it was not sent.",
            "Ask the database administrator for SCRAM log-in (scram-sha-256) and whether this is the right server, or "
            "verify it with the TLS mode verify-full" + (" and enter the settings again." if proof.scram else "."),
        )
    if (requirement is not None and proof.scram) or (_NO_BINDING.search(words) and proof.channel_binding):
        return problem("auth-downgraded")
    if requirement is not None or _NO_CERTIFICATE.search(words):
        wanted = {"kerberos": "by Kerberos", "certificate": "by certificate"}.get(settings.auth, "as the settings say")
        return problem(
            "permission-denied",
            f"The database server does not offer to log in {wanted}.",
            "Choose another way of logging in, or ask the database administrator for this one.",
        )
    return None


def asks_for_password(error: Exception) -> bool:
    """Tell whether we refused to show the server the password, or its MD5 hash."""
    found = _REQUIREMENT.search(_without_names(_text_of(error)))
    return found is not None and found[1] in _ASKS_FOR_PASSWORD


def lacks_channel_binding(error: Exception) -> bool:
    """Tell whether nothing but channel binding, which we demanded, was missing."""
    return _NO_BINDING.search(_without_names(_text_of(error))) is not None


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
            return problem(sign.code, sign.message, sign.remedy, who=sign.who)
    return None


def _refusal(reply: str, settings: ConnectionSettings) -> Problem:
    """Pass on what the server said: nobody knows whether it passes."""
    return problem(
        "connection-refused-unknown", f"The database server refused the connection: {clean(reply, settings)}."
    )


def clean(text: str, settings: ConnectionSettings) -> str:
    """Return the first line of a foreign text without links and control characters.

    A text that holds the password is not shown at all: a gap would tell what was cut out.
    """
    line = text.strip().split("\n", 1)[0]
    password = settings.password or ""
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

"""Libpq's words become problems; the words are those of libpq 17 and of PostgreSQL 13 to 18."""

from __future__ import annotations

import locale
import re
import socket
import time
from typing import Any
from urllib.parse import quote, quote_plus

import psycopg2
import pytest

from app.db.diagnose import clean, depends_on_encryption, diagnose
from app.db.session import PLACES
from app.db.settings import ConnectionSettings
from tests.support.canaries import CANARIES, find_canary
from tests.support.network import FakeServer, LoopbackServer, free_port, never_replies


def settings(**changes: Any) -> ConnectionSettings:
    """Settings that lead nowhere: nothing listens on the port."""
    fields = {"host": "127.0.0.1", "port": free_port(), "database": "team", "username": "lead", "password": "hunter2!"}
    return ConnectionSettings(**{**fields, **changes})


def failed(words: str, host: str = "127.0.0.1") -> str:
    """One line as libpq writes it for one address."""
    return f'connection to server at "{host}", port 5432 failed: {words}\n'


def fatal(words: str, severity: str = "FATAL") -> str:
    """One line with a server's refusal."""
    return failed(f"{severity}:  {words}")


def error(text: str) -> psycopg2.OperationalError:
    """What psycopg2 raises."""
    return psycopg2.OperationalError(text)


REFUSED = failed("Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?", "::1")
UNRESOLVED = 'could not translate host name "gone.example" to address: Name or service not known\n'
WRONG_PASSWORD = fatal('password authentication failed for user "lead"')


WORDS: dict[str, tuple[str, ...]] = {
    "connection-refused": (
        REFUSED,
        failed("Connection refused (0x0000274D/10061)\n\tIs the server running?"),
        failed("No such file or directory\n\tIs the server running locally?"),
    ),
    "host-unresolved": (
        UNRESOLVED,
        'could not translate host name "x" to address: nodename nor servname provided, or not known',
        'could not translate host name "x" to address: Temporary failure in name resolution',
    ),
    "connection-timeout": (
        failed("timeout expired"),
        failed("Connection timed out (0x0000274C/10060)\n\tIs the server running?"),
        failed("No route to host\n\tIs the server running?"),
        failed("Network is unreachable\n\tIs the server running?"),
        failed("Permission denied\n\tIs the server running?"),
        fatal("canceling authentication due to timeout"),
    ),
    "password-rejected": (
        WRONG_PASSWORD,
        fatal('LDAP authentication failed for user "lead"'),
        fatal('role "lead" does not exist'),
        fatal("SASL authentication failed"),
    ),
    "permission-denied": (
        fatal('Ident authentication failed for user "lead"'),
        fatal('certificate authentication failed for user "lead"'),
        fatal('role "lead" is not permitted to log in'),
        fatal('permission denied for database "team"\nDETAIL:  User does not have CONNECT privilege.'),
        fatal('database "team" is not currently accepting connections'),
    ),
    "database-missing": (
        fatal('database "team" does not exist'),
        fatal("no such database: team"),
    ),
    "too-many-connections": (
        fatal("sorry, too many clients already"),
        fatal("remaining connection slots are reserved for roles with the SUPERUSER attribute"),
        fatal('too many connections for role "lead"'),
        fatal("no more connections allowed (max_client_conn)"),
    ),
    "server-starting": (
        fatal("the database system is starting up"),
        fatal("the database system is shutting down"),
        fatal("the database system is in recovery mode"),
        fatal("the database system is not accepting connections\nDETAIL:  Hot standby mode is disabled."),
        fatal("server login has been failing, try again later (server_login_retry)"),
        fatal("client_login_timeout (server down)"),
    ),
    "parameter-refused": (
        fatal("unsupported startup parameter: options"),
        fatal('unrecognized configuration parameter "statement_timeout"'),
    ),
    "tls-unavailable": (
        failed("server does not support SSL, but SSL was required"),
        failed("channel binding required, but SSL not in use"),
    ),
    "tls-required": (
        fatal("SSL required"),
        fatal("connection requires a valid client certificate"),
        failed("SSL error: tlsv13 alert certificate required"),
        failed("SSL error: tlsv1 alert unknown ca"),
    ),
    "tls-unverified": (
        failed("SSL error: certificate verify failed"),
        failed('server certificate for "a" (and 2 other names) does not match host name "b"'),
        failed('root certificate file "/r" does not exist\nEither provide the file, ...'),
        failed('could not load private key file "/k": key values mismatch'),
    ),
    "connection-failed": (failed("SSL error: no protocols available"),),
    "read-only": (
        failed("session is read-only"),
        failed("server is in hot standby mode"),
    ),
    "auth-downgraded": (
        failed('authentication method requirement "!password,!md5" failed: server requested a cleartext password'),
        failed('authentication method requirement "!password,!md5" failed: server requested a hashed password'),
    ),
    "connection-refused-unknown": (
        failed("server is not in hot standby mode"),
        fatal("out of memory"),
        fatal("The endpoint has been disabled. Enable it using Neon API and retry."),
        fatal("something nobody has heard of"),
    ),
    "not-postgresql": (
        failed("received invalid response to SSL negotiation: H"),
        failed("expected authentication request from server, but received H"),
        failed("SSL error: wrong version number"),
    ),
    "connection-lost": (
        failed("server closed the connection unexpectedly\n\tThis probably means ..."),
        failed("SSL SYSCALL error: EOF detected"),
        failed("could not receive data from server: Connection reset by peer"),
        failed("select() failed: I/O operation aborted.\n (0x000003E3/995)"),
    ),
}


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in WORDS.items() for text in texts])
def test_words_have_their_code(code: str, text: str) -> None:
    """Each way in which libpq or a server words a failure has one code, a sentence and a remedy."""
    found = diagnose(error(text), settings())

    assert found.code == code
    assert re.fullmatch(r"[A-Z][^\n]*\. [A-Z][^\n]*\.", found.sentence)


@pytest.mark.parametrize("before", [REFUSED, UNRESOLVED, failed("timeout expired"), failed("Network is unreachable")])
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (WRONG_PASSWORD, "password-rejected"),
        (fatal("Passwort-Authentifizierung für Benutzer »lead« fehlgeschlagen"), "password-rejected"),
        (
            fatal('no pg_hba.conf entry for host "::1", user "lead", database "team", SSL encryption'),
            "permission-denied",
        ),
        (failed("SSL error: certificate verify failed"), "tls-unverified"),
    ],
    ids=["password", "localised", "pg_hba", "certificate"],
)
def test_an_answer_outweighs_what_the_network_did_elsewhere(before: str, answer: str, code: str) -> None:
    """Another address that is dead must not make a refusal look like a trouble that passes, and be retried."""
    for text in (before + answer, answer + before):
        found = diagnose(error(text), settings())

        assert found.code == code
        assert not found.retryable


def test_password_outweighs_the_second_try_without_tls() -> None:
    """The pooler with TLS only, asked twice: what it said about the password counts."""
    text = fatal("SASL authentication failed") + fatal("SSL required")

    assert diagnose(error(text), settings()).code == "password-rejected"


def test_certificate_outweighs_the_refusal_without_tls() -> None:
    """`prefer` with a wrong root certificate falls back, and is refused for that; the cause is the certificate."""
    text = failed("SSL error: certificate verify failed") + fatal(
        'no pg_hba.conf entry for host "127.0.0.1", user "lead", database "team", no encryption'
    )

    assert diagnose(error(text), settings()).code == "tls-unverified"


@pytest.mark.parametrize(
    "name", ["timeout expired", "root certificate", "too many clients", "SSL required", "authentication failed"]
)
def test_names_are_not_read_as_words(name: str) -> None:
    """A database or a user may be called like an error."""
    missing = error(fatal(f'database "{name}" does not exist'))

    assert diagnose(missing, settings(database=name)).code == "database-missing"
    assert not depends_on_encryption(missing)


# Encryption


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (failed("server does not support SSL, but SSL was required"), True),
        (failed("SSL error: certificate verify failed"), True),
        (failed("SSL SYSCALL error: EOF detected"), True),
        (fatal('no pg_hba.conf entry for host "::1", user "lead", database "team", SSL encryption'), True),
        (
            fatal('kein pg_hba.conf-Eintrag für Host "::1", Benutzer "lead", Datenbank "team", SSL-Verschlüsselung'),
            True,
        ),
        (WRONG_PASSWORD, False),
        (fatal('password authentication failed for user "SSL"'), False),
        (fatal('certificate authentication failed for user "lead"'), False),
        (fatal("Passwort-Authentifizierung fehlgeschlagen"), False),
        (fatal('database "team" does not exist'), False),
        (REFUSED, False),
        (failed("timeout expired"), False),
    ],
)
def test_second_try_needs_a_refusal_about_encryption(text: str, expected: bool) -> None:
    """Nothing is tried again with or without TLS that has nothing to do with TLS, a password least of all."""
    assert depends_on_encryption(error(text)) is expected


@pytest.mark.parametrize(
    ("answer", "sslmode", "code"),
    [
        pytest.param(b"S", "disable", "tls-required", id="tls-offered-but-switched-off"),
        pytest.param(b"N", "disable", "permission-denied", id="no-tls-there"),
        pytest.param(b"S", "prefer", "permission-denied", id="tls-was-not-the-trouble"),
    ],
)
def test_missing_entry_is_about_tls_only_where_there_is_tls(answer: bytes, sslmode: str, code: str) -> None:
    """pg_hba.conf lets nobody in: without TLS, or at all? The server is asked whether it offers TLS."""
    text = fatal('no pg_hba.conf entry for host "127.0.0.1", user "lead", database "team", no encryption')
    with FakeServer(answer, is_postgres=False) as server:
        found = diagnose(error(text), settings(port=server.port, sslmode=sslmode))

    assert found.code == code


# Silence


@pytest.mark.parametrize("answer", [b"HTTP/1.0 200 OK\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x46"], ids=["http", "https"])
def test_silent_web_server_is_recognised(answer: bytes) -> None:
    """It waits for the end of a line that libpq never sends; asked in its own language it answers."""

    def serve(connection: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(1024)
        connection.sendall(answer)

    with LoopbackServer(serve) as server:
        # libpq counts a list's ports separately; the first is asked
        several = settings(host="127.0.0.1,127.0.0.1", port=f"{server.port},{free_port()}")
        found = diagnose(error(failed("timeout expired")), several)

    assert found.code == "not-postgresql"


def test_question_to_a_silent_server_ends_soon() -> None:
    """A second after libpq's own time-out at the latest the verdict stands."""
    with never_replies() as server:
        started = time.monotonic()
        found = diagnose(error(failed("timeout expired")), settings(port=server.port))

    assert found.code == "connection-timeout"
    assert time.monotonic() - started < 8


def test_socket_is_not_asked() -> None:
    """A Unix socket is no web server."""
    found = diagnose(error(failed("timeout expired")), settings(host="/var/run/postgresql"))

    assert found.code == "connection-timeout"


# The server's own words


@pytest.mark.parametrize(
    ("words", "severity"),
    [
        ("Passwort-Authentifizierung für Benutzer »lead« fehlgeschlagen", "FATAL"),
        ("l'authentification par mot de passe a échoué pour l'utilisateur « lead »", "FATAL"),
        ("la autentificación password falló para el usuario «lead»", "FATAL"),
        ('ユーザー"lead"のパスワード認証に失敗しました', "FATAL"),
        ('사용자 "lead"의 password 인증을 실패했습니다', "치명적오류"),
        ('пользователь "lead" не прошёл проверку подлинности (по паролю)', "ВАЖНО"),
        ('用户 "lead" Password 认证失败', "致命错误"),
    ],
    ids=["de", "fr", "es", "ja", "ko", "ru", "zh"],
)
def test_localised_rejection_of_a_password_is_known_and_not_retried(words: str, severity: str) -> None:
    """The words are those of PostgreSQL's own message catalogues; accounts get locked in every language."""
    found = diagnose(error(fatal(words, severity)), settings())

    assert (found.code, found.retryable) == ("password-rejected", False)


def test_refusal_without_words_of_ours_is_passed_on_and_tried_again() -> None:
    """Nobody knows what it means, nor what the next pooler may say."""
    words = "sunucu şifreyi kabul etmedi"
    found = diagnose(error(fatal(words, "ÖLÜMCÜL (FATAL)")), settings())

    assert (found.code, found.retryable) == ("connection-refused-unknown", True)
    assert words in found.message


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("MaxClientsInSessionMode: max clients reached - in Session mode", "too-many-connections"),
        ("Max client connections reached", "too-many-connections"),
        ("Timed-out waiting to acquire database connection", "too-many-connections"),
        ("Tenant or user not found", "password-rejected"),
        ("Control plane request failed: endpoint is in transition", "server-starting"),
        ("This RDS Proxy requires TLS connections", "tls-required"),
        ("This RDS proxy has no credentials for the role lead", "password-rejected"),
        ("Invalid Username specified. Please check the Username and retry connection.", "password-rejected"),
        ("The access token has expired", "password-rejected"),
        ("Cloud SQL IAM user authentication failed for user", "password-rejected"),
        ("pgbouncer cannot connect to server", "server-starting"),
        ("query_wait_timeout", "server-starting"),
        ("no more connections allowed (max_client_conn)", "too-many-connections"),
    ],
)
def test_words_of_poolers_and_managed_services_are_known(words: str, code: str) -> None:
    """PgBouncer, Supabase, RDS Proxy, Neon, Azure, Cloud SQL."""
    assert diagnose(error(fatal(words)), settings()).code == code


def test_shortage_of_connections_tells_how_many_are_wanted() -> None:
    """The administrator gets a number: the places, the heartbeat, the listener."""
    found = diagnose(error(fatal("sorry, too many clients already")), settings())

    assert f" {sum(PLACES.values()) + 2} " in found.message


def test_words_of_the_driver_about_the_string_stay_here() -> None:
    """They quote a part of it."""
    found = diagnose(psycopg2.ProgrammingError('invalid dsn: missing "=" after "hunter2"'), settings())

    assert "hunter2" not in found.sentence
    assert found.code == "connection-failed"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param("das Datenbanksystem startet", "server-starting", id="de"),
        pytest.param("das Datenbanksystem fährt herunter", "server-starting", id="de-stopping"),
        pytest.param("le système de bases de données se lance", "server-starting", id="fr"),
        pytest.param("le système de base de données s'arrête", "server-starting", id="fr-stopping"),
        pytest.param("el sistema de base de datos está en modo de recuperación", "server-starting", id="es-recovery"),
        pytest.param("il database si sta avviando", "server-starting", id="it"),
        pytest.param("データベースシステムは起動処理中です", "server-starting", id="ja"),
        pytest.param("데이터베이스 시스템이 새로 가동 중입니다.", "server-starting", id="ko"),
        pytest.param("система баз данных запускается", "server-starting", id="ru"),
        pytest.param("数据库系统正在启动", "server-starting", id="zh"),
        pytest.param("tut mir leid, schon zu viele Verbindungen", "too-many-connections", id="de-full"),
        pytest.param("désolé, trop de clients sont déjà connectés", "too-many-connections", id="fr-full"),
        pytest.param("извините, уже слишком много клиентов", "too-many-connections", id="ru-full"),
    ],
)
def test_localised_passing_trouble_is_known_and_retried(words: str, code: str) -> None:
    """The words are those of PostgreSQL's own message catalogues."""
    found = diagnose(error(fatal(words, "FATAL")), settings())

    assert (found.code, found.retryable) == (code, True)


def test_refusal_in_another_encoding_is_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it knows the client's encoding a server uses its own, often that of the desktop's region too."""
    found = []
    for encoding, region in (("cp1252", "utf-8"), ("cp932", "cp932")):
        words = {"cp1252": "für »lead« fehlgeschlagen", "cp932": "認証に失敗しました"}[encoding]
        raw = fatal(words).encode(encoding)
        with pytest.raises(UnicodeDecodeError) as caught:
            raw.decode("utf-8")
        monkeypatch.setattr(locale, "getencoding", lambda region=region: region)
        found.append((words, diagnose(caught.value, settings())))

    for words, problem in found:
        assert problem.code == "connection-refused-unknown"
        assert words in problem.message


def test_unknown_words_of_libpq_may_pass() -> None:
    """A network trouble without a name is retried; the sentence keeps libpq's first line."""
    found = diagnose(error(failed("something new\nmore of it")), settings())

    assert found.code == "connection-failed"
    assert found.retryable
    assert "something new" in found.message
    assert "more of it" not in found.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one line\nanother", "one line"),
        ("see https://example.com/a?b or www.example.com now", "see or now"),
        ("a\x07b\x1b[31mred\x85next\u2028line\u202eturned", "a b [31mred next line turned"),
        ("too   many\t blanks .", "too many blanks"),
        ("x" * 5000, "x" * 200),
        ("postgresql://u:p@h/d", "no reason given"),
        ("", "no reason given"),
    ],
    ids=["first-line", "links", "control-characters", "blanks", "long", "only-a-link", "nothing"],
)
def test_foreign_text_is_cleaned(text: str, expected: str) -> None:
    """One printable line, without links."""
    assert clean(text, settings()) == expected


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
def test_text_with_the_password_is_not_shown(canary: str) -> None:
    """Not with a gap in its place either, which would tell where it was: another text stands in for all of it."""
    for form in (canary, canary.strip(), quote(canary, safe=""), quote_plus(canary), canary.upper()):
        found = diagnose(error(fatal(f"you sent {form}, really")), settings(password=canary))

        assert find_canary(found.sentence, canary) == []
        assert "you sent" not in found.sentence


def test_one_letter_password_cannot_be_inferred() -> None:
    """Cut out of a known sentence it would stand in the gaps."""
    words = "tenant or user not found"

    assert clean(words, settings(password="t")) == clean(words, settings(password="r"))
    assert clean(words, settings(password="z")) == words

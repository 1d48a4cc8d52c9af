"""Connection settings as people type them: fields, DSNs, and the sentence for each way to get them wrong."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from app.core.exceptions import ProblemError, ValidationError
from app.db.conninfo import read_dsn
from app.db.settings import (
    ConnectionSettings,
    connection_from_body,
    settings_from_body,
    settings_from_saved,
    settings_from_url,
)
from tests.support.canaries import CANARIES, NASTY_PASSWORDS, find_canary

FIELDS: dict[str, Any] = {"host": "db.example", "port": 5432, "database": "team", "username": "lead", "password": "pw"}
CANARY = CANARIES["url-syntax"]
LONG = "x" * 256
INTEGER = "port: Input should be a valid integer"
MODES = "Input should be 'disable', 'allow', 'prefer', 'require', 'verify-ca' or 'verify-full'"
URI = "dsn: Input should be a valid postgresql:// URI, special characters of the password percent-encoded"
AUTH = "Input should be 'password', 'kerberos', 'certificate' or 'none'"
METHODS = (
    "Input should be a list of password, md5, gss, sspi, scram-sha-256, none, either all of them or none with an"
    " exclamation mark"
)
ADDRESS = "Input should be an IP address, or one for each host"
DSN = "dsn: Input should be a postgresql:// URI or a libpq key=value string"


def refusal(body: dict[str, Any]) -> str:
    """Return the sentence with which a body is refused."""
    with pytest.raises(ValidationError) as caught:
        settings_from_body(body)
    return caught.value.message


def changed(**changes: Any) -> dict[str, Any]:
    """Good fields with changes; an ellipsis leaves a field out."""
    return {name: value for name, value in {**FIELDS, **changes}.items() if value is not ...}


# The five fields and their companions


@pytest.mark.parametrize("password", NASTY_PASSWORDS.values(), ids=NASTY_PASSWORDS)
def test_password_is_kept_exactly_as_typed(password: str) -> None:
    """No space, quote or percent sign is touched, in the settings and in what is saved."""
    settings = settings_from_body(changed(password=password))

    assert settings.password == password
    assert json.loads(json.dumps(settings.to_saved()))["password"] == password
    assert settings_from_saved(settings.to_saved()) == settings


@pytest.mark.parametrize("field", ["host", "database", "username"])
def test_other_text_is_trimmed(field: str) -> None:
    """Blanks around a pasted name go, those inside stay."""
    settings = settings_from_body(changed(**{field: "\t two words \n"}))

    assert getattr(settings, field) == "two words"


@pytest.mark.parametrize(
    ("typed", "port"),
    [(1, 1), (65535, 65535), ("5433", 5433), (" 5433 ", 5433)],
    ids=["lowest", "highest", "text", "text-with-blanks"],
)
def test_port_is_a_number_or_its_text(typed: object, port: int) -> None:
    """A numeric string counts as a number."""
    assert settings_from_body(changed(port=typed)).port == port


@pytest.mark.parametrize(
    ("host", "port", "hosts", "saved_port"),
    [
        pytest.param("[::1]", 5432, ("::1",), 5432, id="brackets-of-a-url"),
        pytest.param("fe80::1%eth0", 5432, ("fe80::1%eth0",), 5432, id="zone"),
        pytest.param("a, b ,[::1]", "1, 2,3", ("a", "b", "::1"), "1,2,3", id="list"),
        pytest.param("a,b", "5432", ("a", "b"), 5432, id="one-port-for-all"),
        pytest.param("/var/run/postgresql", 5432, ("/var/run/postgresql",), 5432, id="socket"),
    ],
)
def test_hosts_are_read_as_libpq_takes_them(
    host: str, port: object, hosts: tuple[str, ...], saved_port: object
) -> None:
    """One host or several; a list of ports only with several."""
    settings = settings_from_body(changed(host=host, port=port))

    assert settings.hosts == hosts
    assert settings.port == saved_port


def test_defaults_are_neither_asked_for_nor_saved() -> None:
    """Five fields are enough, and five are saved."""
    settings = settings_from_body(changed(sslrootcert=None, unknown="ignored"))

    assert settings.sslmode == "prefer"
    assert settings.to_saved() == FIELDS


def test_companions_are_saved_and_shown_and_the_password_is_not() -> None:
    """TLS fields and the kind of server go with the five."""
    companions = {
        "sslmode": "verify-full",
        "sslrootcert": "system",
        "sslcert": "/c.crt",
        "sslkey": "/c.key",
        "target_session_attrs": "read-write",
        "channel_binding": "require",
        "options": "-c search_path=team",
    }
    settings = settings_from_body(changed(**companions))

    assert settings.to_saved() == FIELDS | companions
    shown = FIELDS | companions
    assert settings.without_password() == {name: value for name, value in shown.items() if name != "password"}


def test_settings_do_not_show_themselves() -> None:
    """A log line or a traceback with the settings in it holds no password."""
    settings = settings_from_body(changed(password=CANARY))

    assert find_canary(f"{settings!r} {settings}", CANARY) == []


# What is wrong, in the order of the schema


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        pytest.param({}, "host: Field required", id="nothing"),
        pytest.param(changed(port=...), "port: Field required", id="no-port"),
        pytest.param(changed(database=...), "database: Field required", id="no-database"),
        pytest.param(changed(username=...), "username: Field required", id="no-username"),
        pytest.param(changed(password=...), "password: Field required", id="no-password"),
        pytest.param(changed(host=None), "host: field cannot be null", id="host-null"),
        pytest.param(changed(password=None), "password: Field required", id="password-null"),
        pytest.param(changed(auth="ldap", password=...), "password: Field required", id="no-password-before-auth"),
        pytest.param(changed(auth="ldap"), f"auth: {AUTH}", id="auth"),
        pytest.param(
            changed(auth="certificate", sslmode="disable"),
            "sslmode: Input should be 'require' or stricter when auth is 'certificate'",
            id="certificate-without-tls",
        ),
        pytest.param(
            changed(sslnegotiation="direct"),
            "sslmode: Input should be 'require' or stricter when sslnegotiation is 'direct'",
            id="direct-without-tls",
        ),
        pytest.param(
            changed(require_auth="password"),
            "require_auth: Input should leave a way to log in that does not show the password",
            id="require-auth-that-weakens",
        ),
        pytest.param(changed(require_auth="ldap"), f"require_auth: {METHODS}", id="require-auth-unknown"),
        pytest.param(changed(require_auth="!md5,gss"), f"require_auth: {METHODS}", id="require-auth-mixed"),
        pytest.param(changed(hostaddr="db.example"), f"hostaddr: {ADDRESS}", id="hostaddr-name"),
        pytest.param(changed(host="a,b", hostaddr="::1"), f"hostaddr: {ADDRESS}", id="hostaddr-too-few"),
        pytest.param(changed(host=""), "host: field cannot be blank", id="host-empty"),
        pytest.param(changed(host=" \t"), "host: field cannot be blank", id="host-blank"),
        pytest.param(changed(host="a,,b"), "host: field cannot be blank", id="host-gap-in-list"),
        pytest.param(changed(host="[]"), "host: field cannot be blank", id="host-brackets"),
        pytest.param(changed(database=" "), "database: field cannot be blank", id="database-blank"),
        pytest.param(changed(username=" "), "username: field cannot be blank", id="username-blank"),
        pytest.param(changed(password=""), "password: field cannot be blank", id="password-empty"),
        pytest.param(changed(sslrootcert=""), "sslrootcert: field cannot be blank", id="root-empty"),
        pytest.param(changed(host=LONG), "host: String should have at most 255 characters", id="host-long"),
        pytest.param(changed(database=LONG), "database: String should have at most 255 characters", id="database-long"),
        pytest.param(changed(username=LONG), "username: String should have at most 255 characters", id="username-long"),
        pytest.param(
            changed(password="x" * 8193), "password: String should have at most 8192 characters", id="password-long"
        ),
        pytest.param(changed(host=7), "host: Input should be a valid string", id="host-number"),
        pytest.param(changed(password=7), "password: Input should be a valid string", id="password-number"),
        pytest.param(changed(password=["a"]), "password: Input should be a valid string", id="password-list"),
        pytest.param(changed(password="a\0b"), "password: Input should not contain NUL characters", id="password-nul"),
        pytest.param(changed(username="\ud800"), "username: Input should be valid Unicode text", id="half-a-surrogate"),
        pytest.param(changed(host="u:p@h"), "host: Input should be a host name or an address", id="host-with-password"),
        pytest.param(changed(port=0), "port: Input should be greater than or equal to 1", id="port-0"),
        pytest.param(changed(port="-1"), "port: Input should be greater than or equal to 1", id="port-negative"),
        pytest.param(changed(port=65536), "port: Input should be less than or equal to 65535", id="port-65536"),
        pytest.param(changed(port="99999"), "port: Input should be less than or equal to 65535", id="port-text-99999"),
        pytest.param(changed(port="5432x"), INTEGER, id="port-letters"),
        pytest.param(changed(port=""), INTEGER, id="port-empty"),
        pytest.param(changed(port="٥٤٣٢"), INTEGER, id="port-other-digits"),
        pytest.param(changed(port=5432.0), INTEGER, id="port-float"),
        pytest.param(changed(port=True), INTEGER, id="port-boolean"),
        pytest.param(changed(port="9" * 5000), INTEGER, id="port-huge"),
        pytest.param(changed(port="1,2"), INTEGER, id="ports-for-one-host"),
        pytest.param(changed(host="a,b", port="1,"), INTEGER, id="ports-gap"),
        pytest.param(
            changed(host="a,b", port="1,70000"), "port: Input should be less than or equal to 65535", id="second-port"
        ),
        pytest.param(
            changed(host="a,b,c", port="1,2"),
            "port: Input should be one port, or one for each host",
            id="ports-too-few",
        ),
        pytest.param(changed(sslmode="on"), f"sslmode: {MODES}", id="sslmode"),
        pytest.param(changed(sslmode=1), f"sslmode: {MODES}", id="sslmode-number"),
        pytest.param(changed(sslmode=None), "sslmode: field cannot be null", id="sslmode-null"),
        pytest.param(
            changed(sslrootcert="system", sslmode="verify-ca"),
            "sslmode: Input should be 'verify-full' when sslrootcert is 'system'",
            id="system-roots-without-full-verification",
        ),
        pytest.param(
            changed(target_session_attrs="master"),
            "target_session_attrs: Input should be 'any', 'read-write', 'read-only', 'primary', 'standby'"
            " or 'prefer-standby'",
            id="target",
        ),
        pytest.param({"password": 1, "host": 2}, "host: Input should be a valid string", id="first-in-schema-order"),
        pytest.param(changed(port=0, database=""), "port: Input should be greater than or equal to 1", id="port-first"),
    ],
)
def test_first_broken_rule_is_named(body: dict[str, Any], sentence: str) -> None:
    """One sentence, for the first field in the order of the schema."""
    assert refusal(body) == sentence


@pytest.mark.parametrize("field", ["host", "port", "database", "username", "password", "sslmode", "sslrootcert", "dsn"])
@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
def test_submitted_values_are_never_echoed(field: str, canary: str) -> None:
    """Whatever is wrong with a value, the sentence does not repeat it."""
    for value in (f"{canary}\0", canary * 600, [canary], {canary: canary}):
        with pytest.raises(ValidationError) as caught:
            settings_from_body(changed(**{field: value}))

        assert find_canary(repr(caught.value), canary) == []
        assert caught.value.__context__ is None or find_canary(repr(caught.value.__context__), canary) == []


# DSNs


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        pytest.param("postgresql://lead:pw@db.example:5433/team", {"port": 5433}, id="uri"),
        pytest.param("postgres://lead:pw@db.example/team", {}, id="short-scheme-and-default-port"),
        pytest.param("  postgresql://lead:pw@db.example/team\n", {}, id="pasted-with-blanks"),
        pytest.param("postgresql+psycopg2://lead:pw@db.example/team", {}, id="sqlalchemy"),
        pytest.param("postgresql+asyncpg://lead:pw@db.example/team", {}, id="sqlalchemy-async"),
        pytest.param("jdbc:postgresql://db.example/team?user=lead&password=pw", {}, id="java"),
        pytest.param("POSTGRESQL://lead:pw@db.example/team", {}, id="upper-case-scheme"),
        pytest.param("host=db.example dbname=team user=lead password=pw", {}, id="key-value"),
        pytest.param("host = db.example port=6000 dbname=team user=lead password = pw", {"port": 6000}, id="spaced"),
        pytest.param(
            "postgresql://lead:p%40ss%3Aw%2Frd%23%25%2B%20@db.example/team", {"password": "p@ss:w/rd#%+ "}, id="encoded"
        ),
        pytest.param("postgresql://lead:a:b@db.example/team", {"password": "a:b"}, id="second-colon-is-the-password's"),
        pytest.param(
            r"host=db.example dbname=team user=lead password=' it\'s \\ '",
            {"password": r" it's \ "},
            id="quoted-password",
        ),
        pytest.param(
            "postgresql://l%C3%A9ad:pw@db.example/Gr%C3%B6%C3%9Fe%20%22x%22",
            {"username": "léad", "database": 'Größe "x"'},
            id="encoded-names",
        ),
        pytest.param("postgresql://lead:pw@[::1]:5433/team", {"host": "::1", "port": 5433}, id="ipv6"),
        pytest.param("postgresql://lead:pw@a:1,b:2/team", {"host": "a,b", "port": "1,2"}, id="several-hosts"),
        pytest.param("postgresql://lead:pw@a,b:2/team", {"host": "a,b", "port": "5432,2"}, id="first-port-left-out"),
        pytest.param("postgresql://lead:pw@a,b/team", {"host": "a,b", "port": "5432,5432"}, id="all-ports-left-out"),
        pytest.param(
            "postgresql://lead:pw@db.example/team?target_session_attrs=read-write&sslmode=require&channel_binding=require",
            {"target_session_attrs": "read-write", "sslmode": "require", "channel_binding": "require"},
            id="parameters",
        ),
        pytest.param(
            "postgresql://lead:pw@db.example/team?options=endpoint%3Dx%20-c%20search_path%3Dy",
            {"options": "endpoint=x -c search_path=y"},
            id="options",
        ),
        pytest.param(
            "postgresql://lead:pw@db.example/team?sslmode=verify-full&sslrootcert=/r&sslcert=/c&sslkey=/k",
            {"sslmode": "verify-full", "sslrootcert": "/r", "sslcert": "/c", "sslkey": "/k"},
            id="tls",
        ),
        pytest.param(
            "postgresql://lead:pw@db.example/team?connect_timeout=1&application_name=x&keepalives=0",
            {},
            id="our-own-ignored",
        ),
    ],
)
def test_dsn_is_understood(dsn: str, expected: dict[str, Any]) -> None:
    """All forms that libpq knows, and those that people have in the files of other programs."""
    assert settings_from_body({"dsn": dsn}).to_saved() == FIELDS | expected


@pytest.mark.parametrize("password", NASTY_PASSWORDS.values(), ids=NASTY_PASSWORDS)
def test_password_in_a_dsn_arrives_as_it_was_encoded(password: str) -> None:
    """Percent-encoding in a URI and quoting in a key=value string are both undone exactly."""
    quoted = password.replace("\\", "\\\\").replace("'", "\\'")

    for dsn in (
        f"postgresql://lead:{quote(password, safe='')}@db.example/team",
        f"postgresql+psycopg2://lead:{quote(password, safe='')}@db.example/team",
        f"host=db.example dbname=team user=lead password='{quoted}'",
    ):
        assert settings_from_body({"dsn": dsn}).password == password


def test_fields_fill_the_gaps_of_a_dsn() -> None:
    """A DSN without a password, as many are stored, takes it from the field beside it; what both have is the DSN's."""
    settings = settings_from_body(
        {"dsn": "postgresql://lead@db.example/team", "password": "pw", "host": "ignored", "sslmode": None}
    )

    assert settings.to_saved() == FIELDS


@pytest.mark.parametrize(
    ("dsn", "sentence"),
    [
        pytest.param("", "dsn: field cannot be blank", id="empty"),
        pytest.param("  ", "dsn: field cannot be blank", id="blank"),
        pytest.param(7, "dsn: Input should be a valid string", id="number"),
        pytest.param("a\0", "dsn: Input should not contain NUL characters", id="nul"),
        pytest.param("db.example", DSN, id="host-name"),
        pytest.param("mysql://lead:pw@db.example/team", DSN, id="other-database"),
        pytest.param("host=db.example password='open", DSN, id="open-quote"),
        pytest.param("nonsense=1", DSN, id="unknown-key"),
        pytest.param("postgresql://lead:100%@db.example/team", URI, id="percent-sign-not-encoded"),
        pytest.param("postgresql://lead:p@ss@db.example/team", URI, id="at-sign-not-encoded"),
        pytest.param("postgresql://lead:5/a?b=c@db.example/team", URI, id="password-that-looks-like-a-query"),
        pytest.param("postgresql://lead:%00@db.example/team", URI, id="encoded-nul"),
        pytest.param(
            "service=team", "dsn: The parameter service is not supported, as it reads another file", id="service"
        ),
        pytest.param(
            "postgresql://lead:pw@db.example/team?passfile=/p",
            "dsn: The parameter passfile is not supported, as it reads another file",
            id="passfile",
        ),
        pytest.param("host=a replication=1", "dsn: The parameter replication is not supported", id="replication"),
        pytest.param("postgresql://lead:pw@db.example/team?hostaddr=x", f"hostaddr: {ADDRESS}", id="hostaddr"),
        pytest.param("postgresql://", "host: Field required", id="nothing-in-it"),
        pytest.param("postgresql://lead:pw@/team", "host: Field required", id="no-host"),
        pytest.param("postgresql://lead:pw@db.example", "database: Field required", id="no-database"),
        pytest.param("postgresql://db.example/team", "username: Field required", id="no-user"),
        pytest.param("postgresql://lead:p/w@db.example/team", INTEGER, id="slash-not-encoded"),
        pytest.param("postgresql://lead:pw@db.example/team?sslmode=maybe", f"sslmode: {MODES}", id="sslmode"),
    ],
)
def test_wrong_dsn_is_refused_with_a_reason(dsn: object, sentence: str) -> None:
    """What libpq does not understand is the DSN's fault, what is missing the field's."""
    assert refusal({"dsn": dsn}) == sentence


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
def test_broken_dsn_gives_no_password_away(canary: str) -> None:
    """Libpq's own words quote what they stumbled over: neither they nor a chained error comes out."""
    for dsn in (
        f"postgresql://lead:{canary}%@db.example/team",
        f"postgresql://lead:{canary}%zz@db.example/team",
        f"host=db.example password={canary} {canary}",
        f"host=db.example password='{canary}",
        f"{canary}=1",
        canary,
    ):
        with pytest.raises(ValidationError) as caught:
            settings_from_body({"dsn": dsn})

        assert caught.value.__context__ is None
        assert find_canary(repr(caught.value), canary) == []


@pytest.mark.parametrize(
    ("dsn", "ignored"),
    [
        pytest.param("postgresql://lead:pw@db.example/team?schema=x", ("schema",), id="prisma"),
        pytest.param(
            "postgresql://lead:pw@db.example/team?pgbouncer=true&connection_limit=1&sslmode=prefer&pool_timeout=0",
            ("pgbouncer", "connection_limit", "pool_timeout"),
            id="several",
        ),
        pytest.param("postgresql://lead:p?w@db.example/team?a%5Fb=x", ("a_b",), id="question-mark-in-the-password"),
        pytest.param("host=db.example dbname=team user=lead password=pw pgbouncer=true", ("pgbouncer",), id="pairs"),
        pytest.param("postgresql://lead:pw@db.example/team?connect_timeout=1", (), id="libpqs-own"),
    ],
)
def test_parameters_of_other_programs_are_ignored_and_named(dsn: str, ignored: tuple[str, ...]) -> None:
    """Strings as managed services print them are taken."""
    typed = connection_from_body({"dsn": dsn})

    assert typed.ignored == ignored
    assert typed.settings.to_saved() | {"password": "pw"} == FIELDS


@pytest.mark.parametrize("dsn", ["postgresql://lead@db.example/team", "host=db.example user=lead dbname=team"])
def test_dsn_without_a_password_is_a_login_without_one(dsn: str) -> None:
    """As trust, peer, or the person's own .pgpass allow it; null beside it is the saved password."""
    fields = {name: value for name, value in FIELDS.items() if name != "password"}

    assert connection_from_body({"dsn": dsn}).settings.to_saved() == fields | {"auth": "none"}
    assert connection_from_body({"dsn": dsn, "auth": "kerberos"}).settings.to_saved() == fields | {"auth": "kerberos"}
    assert connection_from_body({"dsn": dsn, "password": None}).settings.lacks_password


@pytest.mark.parametrize("auth", ["kerberos", "certificate", "none"])
def test_password_that_nobody_uses_is_not_kept(auth: str) -> None:
    """It may be absent, and is not stored."""
    assert "password" not in settings_from_body(changed(auth=auth)).to_saved()
    assert settings_from_body(changed(auth=auth, password=...)).password is None


def test_libpqs_own_parameters_are_taken_where_they_are_safe() -> None:
    """Each is a field too."""
    own = {
        "hostaddr": "127.0.0.1",
        "load_balance_hosts": "random",
        "sslnegotiation": "direct",
        "sslmode": "require",
        "krbsrvname": "pg",
        "gssencmode": "prefer",
        "require_auth": "scram-sha-256",
        "channel_binding": "require",
    }
    query = "&".join(f"{name}={value}" for name, value in own.items())

    assert settings_from_body({"dsn": f"postgresql://lead:pw@db.example/team?{query}"}).to_saved() == FIELDS | own
    assert settings_from_body(FIELDS | own).to_saved() == FIELDS | own


@pytest.mark.parametrize("text", ["à", "naïve pass", "x\u00a0y", "ssà"])
def test_letters_beyond_ascii_reach_libpq_whole(text: str) -> None:
    """Unquoted, a byte of theirs counts as a space where the C library reads another alphabet."""
    bare = text.replace(" ", "\\ ")

    for dsn in (f"host=db.example user=lead dbname=team password={bare}", f"postgresql://lead:{text}@db.example/team"):
        assert read_dsn(dsn).parameters["password"] == text


# Saved settings and the environment variable


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param({"password": ...}, id="no-password"),
        pytest.param({"port": "x"}, id="port"),
        pytest.param({"host": 1}, id="host"),
        pytest.param({"dsn": "postgresql://lead:pw@db.example/team", "host": ...}, id="dsn-is-no-substitute"),
    ],
)
def test_incomplete_saved_settings_are_a_problem(damage: dict[str, Any]) -> None:
    """They decrypt, but are not what a save wrote."""
    with pytest.raises(ProblemError) as caught:
        settings_from_saved(changed(**damage))

    assert caught.value.problem.code == "credentials-incomplete"


def test_database_url_is_a_dsn() -> None:
    """`TASKFLOW_DATABASE_URL` is read as a pasted DSN is."""
    assert settings_from_url("postgresql+psycopg2://lead:pw@db.example/team").to_saved() == FIELDS


def test_incomplete_database_url_names_the_variable() -> None:
    """The remedy is where it was set, not the settings page."""
    with pytest.raises(ProblemError) as caught:
        settings_from_url(f"postgresql://lead:{CANARY}")

    assert caught.value.problem.code == "credentials-incomplete"
    assert "TASKFLOW_DATABASE_URL" in caught.value.problem.message
    assert find_canary(repr(caught.value.problem), CANARY) == []


def test_settings_cannot_be_changed() -> None:
    """Threads share them."""
    settings = settings_from_body(FIELDS)

    with pytest.raises(AttributeError):
        settings.password = "other"  # type: ignore[misc]
    assert isinstance(settings, ConnectionSettings)
    assert msgspec.structs.replace(settings, port=1).port == 1

"""Connection settings as people type them: five fields or a DSN, and their optional TLS companions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta

from app.core.exceptions import ProblemError, ValidationError
from app.core.logging import protect
from app.core.problems import problem
from app.core.validation import Rule, build, checked_value, integer, one_of, plain_string, text

if TYPE_CHECKING:
    from collections.abc import Mapping

SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
DEFAULT_PORT: Final = 5432
MAX_PATH: Final = 4096

_PORT: Final = integer(1, 65535)
_DSN_NAMES: Final = {"dbname": "database", "user": "username"}
_OURS: Final = frozenset(
    {"application_name", "fallback_application_name", "connect_timeout", "client_encoding", "tcp_user_timeout"}
    | {"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "gssencmode"}
)
"""Parameters of a pasted DSN that the sidecar sets itself."""
_DSN_SENTENCE: Final = "Input should be a postgresql:// URI or a libpq key=value string"


def _check_port(value: object) -> int | str:
    """One port, or as libpq takes them for several hosts: ``5432,5433``."""
    if isinstance(value, str) and "," in value:
        return ",".join(str(_PORT.check(part)) for part in value.split(","))
    port: int = _PORT.check(value)
    return port


_Short = Annotated[str, text(255), Meta(min_length=1, max_length=255)]
_Path = Annotated[str, text(MAX_PATH), Meta(min_length=1, max_length=MAX_PATH)]


class ConnectionSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One PostgreSQL connection; the password is kept exactly as typed."""

    host: _Short
    port: Annotated[
        int | str,
        Rule(_check_port),
        Meta(extra_json_schema={"anyOf": [{"type": "integer", "minimum": 1, "maximum": 65535}, {"type": "string"}]}),
    ]
    database: _Short
    username: _Short
    password: Annotated[str, text(255, trim=False), Meta(min_length=1, max_length=255)]
    sslmode: Annotated[str, one_of(*SSL_MODES), Meta(extra_json_schema={"enum": list(SSL_MODES)})] = "prefer"
    sslrootcert: _Path | None = None
    sslcert: _Path | None = None
    sslkey: _Path | None = None
    target_session_attrs: (
        Annotated[str, one_of("any", "read-write", "read-only", "primary", "standby", "prefer-standby")] | None
    ) = None
    channel_binding: Annotated[str, one_of("disable", "prefer", "require")] | None = None
    options: Annotated[str, text(1000)] | None = None

    def __repr__(self) -> str:
        return "ConnectionSettings(...)"

    def to_saved(self) -> dict[str, Any]:
        """Return the fields as they are stored: the five, and what differs from its default."""
        saved: dict[str, Any] = msgspec.to_builtins(self)
        return saved

    def without_password(self) -> dict[str, Any]:
        """Return the fields that may be shown."""
        shown = {name: getattr(self, name) for name in self.__struct_fields__ if name != "password"}
        return {name: value for name, value in shown.items() if value is not None}


def settings_from_body(values: Mapping[str, Any]) -> ConnectionSettings:
    """Check a request body: the five fields, or a `dsn` whose gaps the fields may fill.

    Raises:
        ValidationError: the first broken rule.
    """
    if values.get("dsn") is not None:
        values = {**{k: v for k, v in values.items() if v is not None}, **_fields_of_dsn(values["dsn"])}
        values.setdefault("port", DEFAULT_PORT)
    settings = build(ConnectionSettings, values)
    _check_ports_match_hosts(settings)
    if settings.sslrootcert == "system" and settings.sslmode != "verify-full":
        raise ValidationError("sslmode: Input should be 'verify-full' when sslrootcert is 'system'")
    protect(settings.password)
    return settings


def settings_from_saved(values: Mapping[str, Any]) -> ConnectionSettings:
    """Check what `db_credentials.enc` held.

    Raises:
        ProblemError: ``credentials-incomplete``.
    """
    try:
        return settings_from_body({name: value for name, value in values.items() if name != "dsn"})
    except ValidationError:
        raise ProblemError(problem("credentials-incomplete")) from None


def settings_from_url(url: str) -> ConnectionSettings:
    """Check `TASKFLOW_DATABASE_URL`.

    Raises:
        ProblemError: ``credentials-incomplete``, naming the variable.
    """
    try:
        return settings_from_body({"dsn": url})
    except ValidationError:
        raise ProblemError(
            problem(
                "credentials-incomplete",
                "The environment variable TASKFLOW_DATABASE_URL is not a complete database URL.",
                "Write it as postgresql://user:password@host:5432/database.",
            )
        ) from None


def _fields_of_dsn(dsn: object) -> dict[str, Any]:
    """Parse a DSN with libpq's own parser; its error texts may quote the password, so none of them is passed on."""
    import psycopg2
    from psycopg2.extensions import parse_dsn

    string = checked_value("dsn", Rule(plain_string), dsn).strip()
    # other programs write SQLAlchemy's driver into the scheme; libpq does not know that form
    string = re.sub(r"(?i)\A(postgres(?:ql)?)\+\w+://", r"\1://", string)
    try:
        parsed = parse_dsn(string)
    except (psycopg2.Error, UnicodeError):
        raise ValidationError(f"dsn: {_DSN_SENTENCE}") from None
    if not parsed:
        raise ValidationError(f"dsn: {_DSN_SENTENCE}")
    fields = {_DSN_NAMES.get(name, name): value for name, value in parsed.items() if name not in _OURS}
    if not fields.keys() <= set(ConnectionSettings.__struct_fields__):
        raise ValidationError("dsn: It sets a parameter that is not supported")
    return fields


def _check_ports_match_hosts(settings: ConnectionSettings) -> None:
    if isinstance(settings.port, int):
        return
    hosts, ports = settings.host.split(","), settings.port.split(",")
    if len(hosts) == 1:
        raise ValidationError("port: Input should be a valid integer")
    if len(ports) != len(hosts):
        raise ValidationError("port: Input should be one port, or one for each host")

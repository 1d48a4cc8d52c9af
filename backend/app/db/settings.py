"""Connection settings as people type them: five fields or a DSN, and their optional TLS companions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from app.core.exceptions import ProblemError, ValidationError
from app.core.logging import protect
from app.core.problems import problem
from app.core.validation import BLANK, Rule, build, checked_value, integer, one_of, plain_string, text

if TYPE_CHECKING:
    from collections.abc import Mapping

SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
DEFAULT_PORT: Final = 5432
MAX_PATH: Final = 4096

_HOST: Final = text(255)
_PORT: Final = integer(1, 65535)
_DSN_NAMES: Final = {"dbname": "database", "user": "username"}
_OURS: Final = frozenset(
    {"application_name", "fallback_application_name", "connect_timeout", "client_encoding", "tcp_user_timeout"}
    | {"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "gssencmode"}
)
"""Parameters of a pasted DSN that the sidecar sets itself."""
_DSN_SENTENCE: Final = "Input should be a postgresql:// URI or a libpq key=value string"
_URI_SENTENCE: Final = "Input should be a valid postgresql:// URI, special characters of the password percent-encoded"
_URI_SCHEME: Final = "postgresql://"
_SCHEMES: Final = re.compile(r"(?i)\A(?:jdbc:)?postgres(?:ql)?(?:\+\w+)?://")
"""How other programs write it: SQLAlchemy with its driver, Java with a prefix. Libpq does not know these forms."""


def _check_host(value: object) -> str:
    """One host, or several, comma separated."""
    host: str = _HOST.check(value)
    for part in host.split(","):
        if not part.strip(" []"):
            raise ValueError(BLANK)
        if "@" in part.strip()[1:]:  # user and password before the host; they must not end up in a name look-up
            raise ValueError("Input should be a host name or an address")
    return host


def _check_port(value: object) -> int | str:
    """One port, or as libpq takes them for several hosts: ``5432,5433``."""
    if isinstance(value, str) and "," in value:
        return ",".join(str(_PORT.check(part)) for part in value.split(","))
    port: int = _PORT.check(value)
    return port


_PORTS_SCHEMA: Final = {"type": "string", "pattern": r"^\s*[0-9]{1,5}\s*(,\s*[0-9]{1,5}\s*)+$"}
_Short = Annotated[str, text(255)]
_Path = Annotated[str, text(MAX_PATH)]


class ConnectionSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One PostgreSQL connection; the password is kept exactly as typed."""

    host: Annotated[str, Rule(_check_host, **_HOST.schema)]
    port: Annotated[int | str, Rule(_check_port, anyOf=[*_PORT.schema["anyOf"], _PORTS_SCHEMA])]
    database: _Short
    username: _Short
    password: Annotated[str, text(255, trim=False)]
    sslmode: Annotated[str, one_of(*SSL_MODES)] = "prefer"
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

    @property
    def hosts(self) -> tuple[str, ...]:
        """Each host as libpq takes it: IPv6 addresses without the brackets that URLs need."""
        return tuple(host.strip().removeprefix("[").removesuffix("]") for host in self.host.split(","))

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
    """Parse a DSN with libpq's own parser."""
    string = _SCHEMES.sub(_URI_SCHEME, checked_value("dsn", Rule(plain_string), dsn).strip())
    if not string:
        raise ValidationError(f"dsn: {BLANK}")
    parsed = _parse(string)
    if parsed is None or "@" in parsed.get("host", "")[1:]:
        raise ValidationError(f"dsn: {_URI_SENTENCE if string.startswith(_URI_SCHEME) else _DSN_SENTENCE}")
    fields = {_DSN_NAMES.get(name, name): value for name, value in parsed.items() if name not in _OURS}
    for name in fields:
        if name not in ConnectionSettings.__struct_fields__:
            raise ValidationError(f"dsn: The parameter {name} is not supported")
    if "port" in fields:  # libpq reads a gap in a list as the default
        fields["port"] = ",".join(port.strip() or str(DEFAULT_PORT) for port in fields["port"].split(","))
    return fields


def _parse(dsn: str) -> dict[str, str] | None:
    """Return the parameters; None if libpq does not understand it.

    The caller raises: an error raised here would keep libpq's error, which may quote the password, as its context.
    """
    import psycopg2
    from psycopg2.extensions import parse_dsn

    try:
        parsed: dict[str, str] = parse_dsn(dsn)
    except (psycopg2.Error, UnicodeError):
        return None
    return parsed


def _check_ports_match_hosts(settings: ConnectionSettings) -> None:
    if isinstance(settings.port, int):
        return
    hosts, ports = settings.host.split(","), settings.port.split(",")
    if len(hosts) == 1:
        raise ValidationError("port: Input should be a valid integer")
    if len(ports) != len(hosts):
        raise ValidationError("port: Input should be one port, or one for each host")

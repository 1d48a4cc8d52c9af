"""Connection settings as people type them: five fields or a DSN, and their optional companions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import msgspec

from app.core.exceptions import ProblemError, ValidationError
from app.core.logging import protect
from app.core.problems import problem
from app.core.validation import BLANK, Rule, build, integer, one_of, text
from app.db.conninfo import NOT_A_DSN, NOT_A_URI, read_dsn
from app.db.login import NOTHING_PROVEN, allowed_methods, is_verified, parse_methods

if TYPE_CHECKING:
    from collections.abc import Mapping

SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
ENCRYPTED: Final = ("require", "verify-ca", "verify-full")
DEFAULT_PORT: Final = 5432
MAX_PATH: Final = 4096
MAX_PASSWORD: Final = 8192
"""Tokens of managed services have one or two thousand characters."""

_HOST: Final = text(255)
_PORT: Final = integer(1, 65535)
_DSN_NAMES: Final = {"dbname": "database", "user": "username"}
_CHANGEABLE: Final = frozenset({"database", "password", "options", "target_session_attrs", "load_balance_hosts"})
"""What may change while the password stays the saved one: nothing that decides who gets to see it, or how."""


def _check_host(value: object) -> str:
    """One host, or several, comma separated."""
    host: str = _HOST.check(value)
    for part in host.split(","):
        if not part.strip(" []"):
            raise ValueError(BLANK)
        if "@" in part.strip()[1:]:  # user and password before the host; they must not end up in a name look-up
            raise ValueError("Input should be a host name or an address")
    return host


def _check_addresses(value: object) -> str:
    """One address, or one for each host, comma separated."""
    import ipaddress

    addresses = [part.strip() for part in _HOST.check(value).split(",")]
    try:
        for address in addresses:
            ipaddress.ip_address(address)
    except ValueError:
        raise ValueError("Input should be an IP address, or one for each host") from None
    return ",".join(addresses)


def _check_port(value: object) -> int | str:
    """One port, or as libpq takes them for several hosts: ``5432,5433``."""
    if isinstance(value, str) and "," in value:
        return ",".join(str(_PORT.check(part)) for part in value.split(","))
    port: int = _PORT.check(value)
    return port


def _check_methods(value: object) -> str:
    """A value of libpq's `require_auth`."""
    methods: str = _HOST.check(value)
    parse_methods(methods)
    return methods


_PORTS_SCHEMA: Final = {"type": "string", "pattern": r"^\s*[0-9]{1,5}\s*(,\s*[0-9]{1,5}\s*)+$"}
_METHODS_SCHEMA: Final = {"type": "string", "maxLength": 255, "pattern": r"^\s*!?[a-z0-9-]+\s*(,\s*!?[a-z0-9-]+\s*)*$"}
_Short = Annotated[str, text(255)]
_Path = Annotated[str, text(MAX_PATH)]


class ConnectionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One PostgreSQL connection; the password is kept exactly as typed.

    With `auth` ``password`` a password is needed; null stands for the one that is saved.
    """

    host: Annotated[str, Rule(_check_host, **_HOST.schema)]
    port: Annotated[int | str, Rule(_check_port, anyOf=[*_PORT.schema["anyOf"], _PORTS_SCHEMA])]
    database: _Short
    username: _Short
    password: Annotated[str, text(MAX_PASSWORD, trim=False)] | None = None
    auth: Annotated[str, one_of("password", "kerberos", "certificate", "none")] = "password"
    sslmode: Annotated[str, one_of(*SSL_MODES)] = "prefer"
    sslrootcert: _Path | None = None
    sslcert: _Path | None = None
    sslkey: _Path | None = None
    target_session_attrs: (
        Annotated[str, one_of("any", "read-write", "read-only", "primary", "standby", "prefer-standby")] | None
    ) = None
    channel_binding: Annotated[str, one_of("disable", "prefer", "require")] | None = None
    options: Annotated[str, text(1000)] | None = None
    krbsrvname: _Short | None = None
    gssencmode: Annotated[str, one_of("disable", "prefer", "require")] | None = None
    require_auth: Annotated[str, Rule(_check_methods, **_METHODS_SCHEMA)] | None = None
    hostaddr: Annotated[str, Rule(_check_addresses, **_HOST.schema)] | None = None
    load_balance_hosts: Annotated[str, one_of("disable", "random")] | None = None
    sslnegotiation: Annotated[str, one_of("postgres", "direct")] | None = None

    def __repr__(self) -> str:
        return "ConnectionSettings(...)"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Each host as libpq takes it: IPv6 addresses without the brackets that URLs need."""
        return tuple(host.strip().removeprefix("[").removesuffix("]") for host in self.host.split(","))

    @property
    def lacks_password(self) -> bool:
        """Whether a password is needed that is not here."""
        return self.auth == "password" and self.password is None

    @property
    def wants_to_write(self) -> bool:
        """Whether a server that only reads will not do."""
        return self.target_session_attrs not in ("read-only", "standby", "prefer-standby")

    def to_saved(self) -> dict[str, Any]:
        """Return the fields as they are stored: the five, and what differs from its default."""
        fields = msgspec.structs.fields(self)
        return {field.name: value for field in fields if (value := getattr(self, field.name)) != field.default}

    def without_password(self) -> dict[str, Any]:
        """Return the fields that may be shown."""
        saved = self.to_saved()
        saved.pop("password", None)
        return {**saved, "sslmode": self.sslmode}

    def leads_where(self, other: ConnectionSettings) -> bool:
        """Tell whether a password goes to the same server, for the same user, protected alike."""
        return all(
            getattr(self, name) == getattr(other, name) for name in self.__struct_fields__ if name not in _CHANGEABLE
        )


class TypedConnection(NamedTuple):
    """What a person has sent: the settings, and which parameters of the DSN belong to other programs."""

    settings: ConnectionSettings
    ignored: tuple[str, ...] = ()


def connection_from_body(values: Mapping[str, Any]) -> TypedConnection:
    """Check a request body: the five fields, or a `dsn` whose gaps the fields may fill.

    A DSN without a password means a login without one, unless the body says otherwise.

    Raises:
        ValidationError: the first broken rule.
    """
    ignored: tuple[str, ...] = ()
    if values.get("dsn") is not None:
        dsn = read_dsn(values["dsn"])
        ignored = dsn.ignored
        given = {name: value for name, value in values.items() if value is not None or name == "password"}
        values = {**given, **_fields_of(dsn.parameters)}
        values.setdefault("port", DEFAULT_PORT)
        if "password" not in values:
            values.setdefault("auth", "none")
    needs_password = values.get("auth") not in ("kerberos", "certificate", "none")
    settings = build(ConnectionSettings, values, required=("password",) if needs_password else ())
    if settings.auth != "password":
        settings = msgspec.structs.replace(settings, password=None)  # a secret that nobody uses is not kept
    _check_ports_match_hosts(settings)
    _check_tls(settings)
    if not allowed_methods(settings, NOTHING_PROVEN, reveal=is_verified(settings)):
        raise ValidationError("require_auth: Input should leave a way to log in that does not show the password")
    if settings.password is not None:
        protect(settings.password)
    return TypedConnection(settings, ignored)


def settings_from_body(values: Mapping[str, Any]) -> ConnectionSettings:
    """Check the same where nothing is saved that a null could stand for.

    Raises:
        ValidationError: the first broken rule.
    """
    settings = connection_from_body(values).settings
    if settings.lacks_password:
        raise ValidationError("password: Field required")
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
        ProblemError: ``credentials-incomplete``, naming the variable and what is wrong.
    """
    try:
        return settings_from_body({"dsn": url})
    except ValidationError as exc:
        found = problem(
            "credentials-incomplete",
            f"The environment variable TASKFLOW_DATABASE_URL is not a complete database URL.{_in_words(exc.message)}",
            "Write it as postgresql://user:password@host:5432/database.",
        )
    raise ProblemError(found)


def _in_words(sentence: str) -> str:
    """Say what a rule says, without a request around it; nothing where it only says what the remedy does."""
    field, _, rule = sentence.partition(": ")
    if rule == "Field required":
        return f" It names no {field}."
    return "" if rule in (NOT_A_DSN, NOT_A_URI) else f" {field.capitalize()}: {rule[0].lower()}{rule[1:]}."


def _fields_of(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return libpq's parameters as fields."""
    fields = {_DSN_NAMES.get(name, name): value for name, value in parameters.items()}
    if "port" in fields:  # libpq reads a gap in a list as the default
        fields["port"] = ",".join(port.strip() or str(DEFAULT_PORT) for port in fields["port"].split(","))
    return fields


def _check_ports_match_hosts(settings: ConnectionSettings) -> None:
    hosts = settings.host.split(",")
    if settings.hostaddr is not None and len(settings.hostaddr.split(",")) != len(hosts):
        raise ValidationError("hostaddr: Input should be an IP address, or one for each host")
    if isinstance(settings.port, int):
        return
    ports = settings.port.split(",")
    if len(hosts) == 1:
        raise ValidationError("port: Input should be a valid integer")
    if len(ports) != len(hosts):
        raise ValidationError("port: Input should be one port, or one for each host")


def _check_tls(settings: ConnectionSettings) -> None:
    if settings.sslrootcert == "system" and settings.sslmode != "verify-full":
        raise ValidationError("sslmode: Input should be 'verify-full' when sslrootcert is 'system'")
    if settings.auth == "certificate" and settings.sslmode in ("disable", "allow"):
        raise ValidationError("sslmode: Input should be 'require' or stricter when auth is 'certificate'")
    if settings.sslnegotiation == "direct" and settings.sslmode not in ENCRYPTED:
        raise ValidationError("sslmode: Input should be 'require' or stricter when sslnegotiation is 'direct'")

"""Connection strings: those people paste, read with libpq's own parser, and those libpq is given, quoted whole.

Libpq's parser knows its own parameters only, and asks the C library what a space is, byte by byte: on Windows a byte
of a UTF-8 letter may count as one. So what other programs added is taken out before it reads, and every value it is
given is quoted, with or without a space in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, unquote

from app.core.exceptions import ValidationError
from app.core.validation import BLANK, Rule, checked_value, plain_string

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_A_DSN: Final = "Input should be a postgresql:// URI or a libpq key=value string"
NOT_A_URI: Final = "Input should be a valid postgresql:// URI, special characters of the password percent-encoded"
_URI_SCHEME: Final = "postgresql://"
_SCHEMES: Final = re.compile(r"(?i)\A(?:jdbc:)?postgres(?:ql)?(?:\+\w+)?://")
"""How other programs write it: SQLAlchemy with its driver, Java with a prefix. Libpq does not know these forms."""
_VISIBLE: Final = "".join(map(chr, range(33, 127)))
_PAIR: Final = re.compile(
    r"[ \t\r\n]*([^ \t\r\n='\\]+)[ \t\r\n]*=[ \t\r\n]*(?:'((?:[^'\\]|\\.)*)'|((?:[^ \t\r\n'\\]|\\.)*))", re.DOTALL
)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")

_TAKEN: Final = frozenset(
    {"host", "hostaddr", "port", "dbname", "user", "password", "sslmode", "sslrootcert", "sslcert", "sslkey"}
    | {"sslnegotiation", "target_session_attrs", "load_balance_hosts", "channel_binding", "require_auth", "options"}
    | {"krbsrvname", "gssencmode"}
)
_SET_BY_US: Final = frozenset(
    {"application_name", "fallback_application_name", "connect_timeout", "client_encoding", "tcp_user_timeout"}
    | {"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "sslcompression"}
)
"""Parameters of libpq that the sidecar sets itself, or that have no effect any more."""
_READS_FILES: Final = frozenset({"service", "servicefile", "passfile", "sslcrl", "sslcrldir", "sslkeylogfile"})
_REFUSED: Final = frozenset(
    {"authtype", "tty", "sslpassword", "sslsni", "sslcertmode", "requirepeer", "requiressl", "gsslib", "gssdelegation"}
    | {"replication", "ssl_min_protocol_version", "ssl_max_protocol_version", "min_protocol_version"}
    | {"max_protocol_version", "scram_client_key", "scram_server_key"}
    | {"oauth_issuer", "oauth_client_id", "oauth_client_secret", "oauth_scope"}
)
_LIBPQS: Final = _TAKEN | _SET_BY_US | _READS_FILES | _REFUSED | {"ssl"}
"""`ssl=true` is Java's, and libpq takes it in URIs."""
_OF_OTHER_PROGRAMS: Final = frozenset(
    {"pgbouncer", "connection_limit", "pool_timeout", "schema", "currentschema", "pool_size", "max_overflow", "pool"}
    | {"pool_mode", "poolmode", "statement_cache_size", "prepared_statement_cache_size", "preparethreshold"}
    | {"prepared_statements", "sslaccept", "sslidentity", "socket_timeout", "sockettimeout", "connecttimeout"}
    | {"logintimeout", "tcpkeepalive", "binarytransfer", "applicationname", "stringtype", "targetservertype"}
    | {"loadbalancehosts", "sslfactory", "uselibpqcompat", "workaround", "min_pool_size", "max_pool_size", "timezone"}
    | {"command_timeout", "charset", "encoding", "max_lifetime", "idle_timeout", "pool_max_conns", "pool_min_conns"}
    | {"default_query_exec_mode", "statement_cache_capacity", "search_path", "statement_timeout", "lock_timeout"}
)
"""In a key=value string, where an unquoted password with a space would pass for a parameter, these alone are known."""


class Dsn(NamedTuple):
    """A pasted string, understood."""

    parameters: dict[str, str]
    ignored: tuple[str, ...]
    """Names of parameters that other programs read, in order."""


def read_dsn(dsn: object) -> Dsn:
    """Parse a pasted string.

    Raises:
        ValidationError: it is none, or has a parameter that cannot be taken.
    """
    string = _SCHEMES.sub(_URI_SCHEME, checked_value("dsn", Rule(plain_string), dsn).strip())
    if not string:
        raise ValidationError(f"dsn: {BLANK}")
    is_uri = string.startswith(_URI_SCHEME)
    own = _own_part_of_uri(string) if is_uri else _own_part_of_pairs(string)
    parsed = None if own is None else _parse(own[0])
    if own is None or parsed is None or "@" in parsed.get("host", "")[1:]:
        raise ValidationError(f"dsn: {NOT_A_URI if is_uri else NOT_A_DSN}")
    for name in parsed:
        if name in _READS_FILES:
            raise ValidationError(f"dsn: The parameter {name} is not supported, as it reads another file")
        if name not in _TAKEN | _SET_BY_US:
            raise ValidationError(f"dsn: The parameter {name} is not supported")
    return Dsn({name: value for name, value in parsed.items() if name in _TAKEN}, own[1])


def _own_part_of_uri(uri: str) -> tuple[str, tuple[str, ...]] | None:
    """Return a URI with libpq's parameters only, and the names of the others; None if it is no URI."""
    # as libpq does: a user's name and password end at the first @, unless a / comes before it
    user_end = re.search(r"[@/]", uri[len(_URI_SCHEME) :])
    start = len(_URI_SCHEME) + (user_end.end() if user_end is not None and user_end[0] == "@" else 0)
    mark = uri.find("?", start)
    pairs = uri[mark + 1 :].split("&") if mark >= 0 else []
    names = [unquote(pair.partition("=")[0]) for pair in pairs]
    others = tuple(name for name, pair in zip(names, pairs, strict=True) if name not in _LIBPQS and "=" in pair)
    if any(_NAME.fullmatch(name) is None for name in others) or (others and "@" in uri[mark:]):
        return None  # not parameters: a password whose special characters were not encoded
    if others:
        kept = [pair for name, pair in zip(names, pairs, strict=True) if name not in others]
        uri = uri[:mark] + ("?" + "&".join(kept) if kept else "")
    return quote(uri, safe=_VISIBLE), others


def _own_part_of_pairs(string: str) -> tuple[str, tuple[str, ...]] | None:
    """Return a key=value string with libpq's parameters only, quoted whole, and the names of the others."""
    found, position = [], 0
    while position < len(string):
        pair = _PAIR.match(string, position)
        if pair is None:
            return None
        name, quoted, bare = pair.groups()
        value = re.sub(r"(?s)\\(.)", r"\1", quoted if quoted is not None else bare)
        found.append((name, value))
        position = pair.end()
        if position < len(string) and string[position] not in " \t\r\n":
            return None
    others = tuple(name for name, _ in found if name.lower() in _OF_OTHER_PROGRAMS)
    return conninfo({name: value for name, value in found if name not in others}), others


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


def conninfo(parameters: Mapping[str, Any]) -> str:
    """Return the string that gives libpq these parameters, each value exactly as it is; None is left out."""
    return " ".join(f"{name}={_quoted(str(value))}" for name, value in parameters.items() if value is not None)


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

"""The catalogue of problems: stable code, sentence, remedy, whether retrying helps, and who can fix it.

A problem describes a state the process survives. Sentences name the cause and the remedy but no value that
somebody typed: a host name, a user name or a server's text could hold (part of) a password.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

YOU: Final = "you"
DBA: Final = "database administrator"
DEVELOPER: Final = "developer"
SESSIONS_WANTED: Final = "this program needs 2, and wants up to 31 while it is busy"
"""Numbers for whoever sets limits: the heartbeat, whose connection calls borrow, and the listener; then all places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem as `/api/v1/status` shows it."""

    code: str
    message: str
    remedy: str
    retryable: bool
    who: str
    sqlstate: str | None = None
    """PostgreSQL's own code, where the server told one."""

    @property
    def sentence(self) -> str:
        """Cause and remedy on one line."""
        return f"{self.message} {self.remedy}"


_CATALOGUE: Final[tuple[tuple[str, bool, str, str, str], ...]] = (
    (
        "key-missing",
        False,
        YOU,
        "The key file fernet.key is missing, so the saved database settings cannot be read.",
        "Restore fernet.key from a backup, or enter the database settings again.",
    ),
    (
        "key-invalid",
        False,
        YOU,
        "The key file fernet.key is damaged.",
        "Restore fernet.key from a backup, or enter the database settings again.",
    ),
    (
        "credentials-unreadable",
        False,
        YOU,
        "The saved database settings cannot be decrypted with the present key.",
        "Restore db_credentials.enc and fernet.key from one backup, or enter the database settings again.",
    ),
    (
        "credentials-incomplete",
        False,
        YOU,
        "The saved database settings are incomplete.",
        "Enter the database settings again.",
    ),
    ("database-not-configured", False, YOU, "No database is configured.", "Enter the database settings."),
    (
        "host-unresolved",
        True,
        YOU,
        "The database host name could not be found.",
        "Check the host name, the network and the VPN.",
    ),
    (
        "connection-refused",
        True,
        DBA,
        "The database server refused the connection.",
        "Check host and port, and that PostgreSQL is running and listens there.",
    ),
    (
        "connection-timeout",
        True,
        DBA,
        "The database server did not answer in time.",
        "Check host and port, and that firewall and VPN let the connection through.",
    ),
    (
        "password-rejected",
        False,
        YOU,
        "The database server rejected the user name or the password.",
        "Enter the right user name and password.",
    ),
    (
        "database-missing",
        False,
        YOU,
        "The database does not exist on that server.",
        "Check the database name, or ask the database administrator to create it.",
    ),
    (
        "permission-denied",
        False,
        DBA,
        "The database user is not allowed to connect to that database.",
        "Ask the database administrator for the right to log in and to connect from this computer.",
    ),
    (
        "tls-required",
        False,
        YOU,
        "The database server accepts encrypted connections only.",
        "Set the TLS mode to require or stricter.",
    ),
    (
        "tls-unavailable",
        False,
        YOU,
        "The database server does not offer TLS, but the TLS mode demands it.",
        "Set the TLS mode to prefer, or ask the database administrator to switch TLS on.",
    ),
    (
        "tls-unverified",
        False,
        DBA,
        "The database server's certificate could not be verified: it has expired, or its issuer is unknown here.",
        "Give the issuer's root certificate, or ask the database administrator for a valid certificate.",
    ),
    (
        "too-many-connections",
        True,
        DBA,
        f"The database server has no connection left; {SESSIONS_WANTED}.",
        "Close other clients, or ask the database administrator to allow more connections.",
    ),
    (
        "server-starting",
        True,
        DBA,
        "The database server is starting up or shutting down.",
        "Wait a moment, then try again; a saved connection is retried by itself.",
    ),
    (
        "connection-lost",
        True,
        DBA,
        "Database connection lost. Please retry.",
        "Wait a moment, then try again; a saved connection is retried by itself.",
    ),
    (
        "not-postgresql",
        False,
        YOU,
        "What answers at that address is not a PostgreSQL server.",
        "Check host and port; a web server or a proxy may be listening there.",
    ),
    (
        "parameter-refused",
        False,
        DBA,
        "The server, probably a connection pooler, refused a start-up parameter.",
        "Ask the database administrator to allow it (PgBouncer: ignore_startup_parameters), or connect directly.",
    ),
    (
        "auth-downgraded",
        False,
        DBA,
        "The database server asks for a weaker way of logging in than before; nothing was sent to it.",
        "Ask the database administrator whether this is the right server; if it is, enter the settings again.",
    ),
    (
        "read-only",
        True,
        DBA,
        "The database takes no changes at the moment.",
        "Wait, it is tried again by itself; or give the address of the primary server.",
    ),
    (
        "locked",
        True,
        DBA,
        "Somebody else holds a lock on what is to be read or changed.",
        "Try again in a moment; if it stays so, ask the database administrator who holds it.",
    ),
    (
        "connection-refused-unknown",
        True,
        DBA,
        "The database server refused the connection for a reason of its own.",
        "It is tried again by itself; if it stays so, show this message to the database administrator.",
    ),
    (
        "connection-failed",
        False,
        DBA,
        "The database server refused the connection for a reason of its own.",
        "Check the settings, or show this message to the database administrator.",
    ),
    (
        "migration-failed",
        False,
        DEVELOPER,
        "The database schema could not be upgraded; it was left as it was.",
        "Send the log file to the developer.",
    ),
    (
        "schema-newer",
        False,
        YOU,
        "The database schema is newer than this program.",
        "Update this program; nothing was changed.",
    ),
    (
        "storage-unwritable",
        False,
        YOU,
        "A file of this program could not be written.",
        "Check free disk space and the rights of the config and data directories.",
    ),
    (
        "storage-untrusted",
        False,
        YOU,
        "A file or folder of this program is not yours alone.",
        "Find out who put it there or opened it to others; then remove it, or make it yours alone (owner, chmod 600).",
    ),
    (
        "storage-unreadable",
        True,
        YOU,
        "A file of this program cannot be read at the moment.",
        "Close the program that holds it, such as a backup or a virus scanner, or give your user the right to read it.",
    ),
    (
        "internal",
        False,
        DEVELOPER,
        "Something unexpected went wrong.",
        "Restart the program; if it comes back, send the log file to the developer.",
    ),
)

PROBLEMS: Final[dict[str, Problem]] = {
    code: Problem(code=code, message=message, remedy=remedy, retryable=retryable, who=who)
    for code, retryable, who, message, remedy in _CATALOGUE
}


def problem(
    code: str,
    message: str | None = None,
    remedy: str | None = None,
    *,
    retryable: bool | None = None,
    who: str | None = None,
) -> Problem:
    """Return the catalogue's problem `code`, with its sentence made more specific where that is known."""
    found = PROBLEMS[code]
    return replace(
        found,
        message=found.message if message is None else message,
        remedy=found.remedy if remedy is None else remedy,
        retryable=found.retryable if retryable is None else retryable,
        who=found.who if who is None else who,
    )

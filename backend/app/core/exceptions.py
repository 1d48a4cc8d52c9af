"""The whole error tree on one screen, and its translation to ``{"error": ...}``.

Three families: errors that end the process (`FatalError`), problems of a start-up stage that the process survives
(`ProblemError`), and answers to a request (`RequestError`). Messages are one sentence for a person and never hold
a secret, a path or a submitted value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from app.core.problems import Problem


class SidecarError(Exception):
    """Base of every error raised on purpose."""


class FatalError(SidecarError):
    """Ends the process; `code` goes into the ``exit`` event, `exit_status` to the parent."""

    code: ClassVar[str] = "internal"
    exit_status: ClassVar[int] = 70


class UsageError(FatalError):
    """A flag or an environment variable has a value that cannot be used."""

    code = "usage"
    exit_status = 2


class PortInUseError(FatalError):
    """The requested TCP port is taken."""

    code = "port-in-use"
    exit_status = 3


class AlreadyRunningError(FatalError):
    """Another sidecar owns the config directory."""

    code = "already-running"
    exit_status = 4


class HandshakeInvalidError(FatalError):
    """The first line on stdin is missing, late, too long or not the agreed JSON."""

    code = "handshake-invalid"
    exit_status = 5


class EncryptionKeyInvalidError(FatalError):
    """A secret from the environment or the handshake is malformed or too short."""

    code = "encryption-key-invalid"
    exit_status = 6


class ConfigDirectoryUnusableError(FatalError):
    """The config directory cannot be created, entered or written."""

    code = "config-directory-unusable"
    exit_status = 7


class NotEmptyError(FatalError):
    """What goes into an empty database only met one that is not."""

    code = "not-empty"
    exit_status = 1


class ProblemError(SidecarError):
    """A start-up stage met a problem that the process survives and `/health` tells."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class RequestError(SidecarError):
    """A request that is answered with an error; `status` is the HTTP status, `code` the stable machine code."""

    status: ClassVar[int] = 500
    code: str = "internal"

    def __init__(self, message: str, *, code: str | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.headers = headers or {}


class ValidationError(RequestError):
    """The request breaks a rule of its schema; the message begins with the field's name where one is at fault."""

    status = 400
    code = "validation"


class UnauthorizedError(RequestError):
    """The launch token is missing or wrong."""

    status = 401
    code = "unauthorized"


class PaymentRequiredError(RequestError):
    """An AI provider refuses the key, or the account behind it has no credit left; `code` tells which."""

    status = 402
    code = "key-rejected"


class ForbiddenError(RequestError):
    """Known caller, forbidden act."""

    status = 403
    code = "forbidden"


class NotFoundError(RequestError):
    """The thing named by the path does not exist."""

    status = 404
    code = "not-found"


class ConflictError(RequestError):
    """The request is sound, but the present state forbids it."""

    status = 409
    code = "conflict"


class PreconditionFailedError(RequestError):
    """`If-Match` names another version than the present one."""

    status = 412
    code = "precondition-failed"


class MisdirectedError(RequestError):
    """The `Host` header does not name this server."""

    status = 421
    code = "misdirected"


class KeyReusedError(RequestError):
    """An `Idempotency-Key` came with another request than before."""

    status = 422
    code = "idempotency-key-reused"


class TooManyRequestsError(RequestError):
    """More at once, or a minute, than is allowed."""

    status = 429
    code = "too-many-requests"


class StorageError(RequestError):
    """The config directory could not be written."""

    status = 500
    code = "storage-unwritable"


class DatabaseAwayError(RequestError):
    """The database cannot be used now; every data call answers alike."""

    status = 503
    code = "connection-lost"

    def __init__(
        self,
        message: str = "Database connection lost. Please retry.",
        *,
        code: str | None = None,
        may_pass: bool = True,
    ) -> None:
        """`may_pass`: it may come right although nobody does anything, so that it helps to call again."""
        super().__init__(message, code=code, headers={"Retry-After": "5"} if may_pass else None)


INTERNAL = "Internal server error"

STATUS_CODES = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    500: "internal",
}
"""Machine codes of answers that the framework makes before a route is reached."""

STATUS_SENTENCES = {
    400: "The request is malformed",
    404: "Not found",
    405: "Method not allowed",
    408: "The request did not arrive in time",
    413: "The request body is larger than 1 MiB",
}


def error_headers(code: str, extra: dict[str, str] | None = None) -> dict[str, str]:
    """Return the headers that every error answer carries."""
    return {"Taskflow-Error-Code": code, "Cache-Control": "no-store", **(extra or {})}

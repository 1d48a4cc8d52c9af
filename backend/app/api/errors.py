"""The one place that turns errors into answers: `{"error": "<one sentence>"}` and a code in a header."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from app.core.exceptions import INTERNAL, STATUS_CODES, STATUS_SENTENCES, RequestError, error_headers
from app.core.logging import get_logger

log = get_logger(__name__)


def _answer_request_error(_: Request[Any, Any, Any], exc: RequestError) -> Response[dict[str, str]]:
    return _error(exc.status, exc.message, error_headers(exc.code, exc.headers))


def _answer_missing_body(_: Request[Any, Any, Any], __: ValidationException) -> Response[dict[str, str]]:
    """Answer a request without the body that its handler needs: the one thing that never reaches our own rules."""
    return _error(400, "body: Field required", error_headers("validation"))


def _answer_http_exception(_: Request[Any, Any, Any], exc: HTTPException) -> Response[dict[str, str]]:
    """Translate what the framework raises: no route, no such method, body too large, unreadable request."""
    sentence = STATUS_SENTENCES.get(exc.status_code, INTERNAL if exc.status_code >= 500 else STATUS_SENTENCES[400])
    headers = dict(exc.headers or {})
    if exc.status_code == 405:
        methods = set(headers.pop("allow", "").split(", "))
        headers["Allow"] = ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))
    return _error(exc.status_code, sentence, error_headers(STATUS_CODES.get(exc.status_code, "bad-request"), headers))


def _answer_unexpected(request: Request[Any, Any, Any], exc: Exception) -> Response[dict[str, str]]:
    """Answer 500 and tell the log what happened; the outermost edge of every request."""
    log.error("request failed", extra={"method": request.method, "route": request.url.path}, exc_info=exc)
    return _error(500, INTERNAL, error_headers("internal"))


def _error(status: int, sentence: str, headers: dict[str, str]) -> Response[dict[str, str]]:
    return Response({"error": sentence}, status_code=status, headers=headers, media_type="application/json")


EXCEPTION_HANDLERS: Final[dict[int | type[Exception], Any]] = {
    RequestError: _answer_request_error,
    ValidationException: _answer_missing_body,
    HTTPException: _answer_http_exception,
    Exception: _answer_unexpected,
}

"""`Idempotency-Key`: a client that saw no answer to a POST may send it again without creating twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import msgspec
from litestar import Request, Response
from litestar.di import Provide
from litestar.params import HeaderParameter

from app.api.again import KEPT
from app.core.exceptions import ValidationError
from app.services.idempotency import Answer, KeptAnswers, KeyedRequest

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER: Final = "Idempotency-Key"
_KEY: Final = r"[ -~]{1,255}"

T = TypeVar("T", bound=msgspec.Struct)

IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name=HEADER,
        description="Chosen by the client, such as a UUID: sent again with it within 24 hours, the request is not"
        " carried out again, and the answer is the same",
        schema_extra={"type": "string", "one_of": None, "min_length": 1, "max_length": 255, "pattern": f"^{_KEY}$"},
    ),
]


class Once:
    """Carries one request out, unless its key says that this has been done."""

    def __init__(self, answers: KeptAnswers, key: str | None, route: str, ids: dict[str, Any]) -> None:
        self._answers = answers
        self._key = key
        self._route = route
        self._ids = ids

    def __call__(self, data: msgspec.Struct, create: Callable[[], Response[T]]) -> Response[T]:
        """Return what `create` answers, or what it answered to this request before.

        Args:
            data: the body, checked: how it was written makes no difference.
            create: carries the request out.
        """
        if self._key is None:
            return create()
        content = msgspec.json.encode([self._ids, data])
        answer = self._answers.once(KeyedRequest(self._key, self._route, content), lambda: _answer(create()))
        body: Any = answer.body  # encoded already
        return Response(body, status_code=answer.status, headers=answer.headers, media_type="application/json")


def _answer(response: Response[T]) -> Answer:
    headers = {name: str(value) for name, value in response.headers.items()}
    content: Any = response.content
    body = content if isinstance(content, bytes) else msgspec.json.encode(content)
    return Answer(response.status_code or 201, headers, body)


def provide_once(answers: KeptAnswers) -> Provide:
    """Return the dependency `once` of handlers that create."""

    def once(request: Request[Any, Any, Any], idempotency_key: IdempotencyKey = None) -> Once:
        if idempotency_key is not None and not re.fullmatch(_KEY, idempotency_key):
            raise ValidationError(f"header.{HEADER}: Input should be 1 to 255 printable ASCII characters")
        if idempotency_key is not None:
            request.scope[KEPT] = True  # type: ignore[typeddict-unknown-key]
        route = f"{request.method} {request.scope['path_template']}"
        return Once(answers, idempotency_key, route, dict(request.path_params))

    return Provide(once, sync_to_thread=False)

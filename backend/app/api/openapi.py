"""How bodies reach handlers, and how handlers describe themselves in the OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from litestar.dto import AbstractDTO
from litestar.openapi.datastructures import ResponseSpec
from litestar.typing import FieldDefinition

from app.core.exceptions import ValidationError
from app.core.validation import build, check_uuid, decode_object
from app.schemas.common import ErrorBody

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from litestar._openapi.schema_generation import SchemaCreator
    from litestar.connection import ASGIConnection
    from litestar.dto.data_structures import DTOFieldDefinition
    from litestar.handlers import BaseRouteHandler
    from litestar.openapi.spec import Reference, Schema

T = TypeVar("T", bound=msgspec.Struct)

_DESCRIPTIONS = {
    400: "A rule of the request is broken",
    401: "The launch token is missing or wrong",
    403: "The origin is not allowed",
    404: "It does not exist",
    409: "The present state forbids it",
    412: "If-Match names another version",
    413: "The body is larger than 1 MiB",
    421: "The Host header does not name this server",
    429: "Too many at once",
    500: "Internal server error",
    503: "The database cannot be used now",
}


def errors(*statuses: int) -> dict[int, ResponseSpec]:
    """Describe the error answers of a handler; those of the outermost layer are always among them."""
    return {
        status: ResponseSpec(data_container=ErrorBody, description=_DESCRIPTIONS[status], generate_examples=False)
        for status in sorted({*statuses, 401, 403, 421})
    }


class JsonBody(AbstractDTO[T]):
    """Reads a JSON body by the rules of `app.core.validation`: the first broken rule in schema order, worded."""

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Any:
        """Turn a JSON object into what the handler takes."""
        return build(cls.model_type, values)

    def decode_bytes(self, value: bytes) -> Any:
        """Read the request's body."""
        return self.parse(decode_object(value))

    @classmethod
    def create_for_field_definition(cls, *args: Any, **kwargs: Any) -> None:
        """Do nothing: no transfer model is needed."""

    @classmethod
    def create_openapi_schema(
        cls,
        field_definition: FieldDefinition,
        handler_id: str,
        schema_creator: SchemaCreator,
    ) -> Reference | Schema:
        """Describe the body by its Struct."""
        return schema_creator.for_field_definition(field_definition)

    @classmethod
    def generate_field_definitions(cls, model_type: type[Any]) -> Generator[DTOFieldDefinition, None, None]:
        """Yield nothing: no transfer model is needed."""
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:
        """No transfer model, hence none nested."""
        return False


def uuids_in_path(*names: str) -> Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]:
    """Return a guard that checks the named path parameters, before anything else, and makes them canonical."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        for name in names:
            if name in connection.path_params:
                try:
                    connection.path_params[name] = check_uuid(connection.path_params[name])
                except ValueError as exc:
                    raise ValidationError(f"path.{name}: {exc}") from None

    return guard

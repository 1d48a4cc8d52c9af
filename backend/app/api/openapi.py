"""How bodies reach handlers, and how handlers describe themselves in the OpenAPI document."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from litestar.datastructures import ResponseHeader
from litestar.dto import AbstractDTO
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIType, SecurityRequirement
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

from app.core.exceptions import ValidationError
from app.core.validation import build, check_uuid, decode_object, rules_of
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
    401: "The token is missing or wrong",
    402: "The provider refuses the key, or the account behind it has no credit left",
    403: "The origin, or this token, is not allowed",
    404: "It does not exist",
    409: "The present state forbids it",
    410: "It was there, and its time is over",
    412: "If-Match names another version",
    413: "The body is larger than 1 MiB",
    421: "The Host header does not name this server",
    422: "The Idempotency-Key was used for another request",
    423: "The vault is locked",
    429: "Too many at once",
    500: "Internal server error",
    503: "The database cannot be used now",
}


LAUNCH_TOKEN: Final[list[SecurityRequirement]] = [{"launchToken": []}]
USER_TOKEN: Final[list[SecurityRequirement]] = [{"userToken": []}]
"""Whose token a handler takes; what several layers name are alternatives."""

ETAG = ResponseHeader(name="ETag", value="", description="Version, for If-Match", documentation_only=True)


def errors(*statuses: int, public: bool = False) -> dict[int, ResponseSpec]:
    """Describe the error answers of a handler, those of the outermost layer included; `public` ones need no token."""
    outermost = {403, 421} if public else {400, 401, 403, 421}  # 400: a query that the call does not know
    return _Shared(
        (status, ResponseSpec(data_container=ErrorBody, description=_DESCRIPTIONS[status], generate_examples=False))
        for status in sorted({*statuses, *outermost})
    )


class _Shared(dict[int, ResponseSpec]):
    """Descriptions that all copies of a handler share: Litestar makes several, and that took a quarter of the build."""

    def __deepcopy__(self, memo: object) -> _Shared:
        return self


class StructSchemas(OpenAPISchemaPlugin):
    """Describes Structs as msgspec does, and the fields of request bodies by their rules."""

    @staticmethod
    def is_plugin_supported_field(field_definition: FieldDefinition) -> bool:
        """Tell whether the type is a Struct."""
        return not field_definition.is_union and field_definition.is_subclass_of(msgspec.Struct)

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: SchemaCreator) -> Schema:
        """Put the Struct, and those in it, among the components."""
        model: type[msgspec.Struct] = field_definition.annotation
        _, components = msgspec.json.schema_components([model], ref_template="#/components/schemas/{name}")
        described = components[model.__name__]
        for words in described["properties"].values():
            if "enum" in words:
                words["type"] = "string"  # msgspec leaves it out
        for hint in typing.get_type_hints(model).values():
            for nested in _structs_in(hint):
                schema_creator.for_field_definition(FieldDefinition.from_annotation(nested))
        schema = schema_creator.schema_registry.get_schema_for_field_definition(field_definition)
        schema.title = model.__name__
        schema.type = OpenAPIType.OBJECT
        schema.description = described["description"]
        schema.required = described["required"] or None
        schema.properties = described["properties"] | _described_by_rules(model, described["properties"])
        return schema


def _structs_in(hint: Any) -> list[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return [hint]
    return [struct for part in typing.get_args(hint) for struct in _structs_in(part)]


def _described_by_rules(model: type[msgspec.Struct], properties: dict[str, Any]) -> dict[str, Any]:
    """Describe the fields that have a rule; description and default stay."""
    described = {}
    for name, (rule, nullable) in rules_of(model).items():
        if rule.schema:
            kept = {key: value for key, value in properties[name].items() if key in ("description", "default")}
            schema = {"anyOf": [rule.schema, {"type": "null"}]} if nullable else rule.schema
            described[name] = kept | schema
    return described


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

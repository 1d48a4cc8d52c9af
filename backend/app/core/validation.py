"""Request bodies into msgspec Structs, with the first broken rule named in schema order.

A Struct's fields carry their rule as an annotation, ``Annotated[str, text(100)]``; the same rule describes the field in
the OpenAPI document. msgspec's own decoder stops at the first error in the *order of the input* and measures
text before trimming, so the rules here check one field after the other in the order of the schema instead.
Messages never hold the submitted value.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
import types
import typing
import uuid
from typing import TYPE_CHECKING, Any, Final, TypeVar, Union

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.core.exceptions import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

S = TypeVar("S", bound=msgspec.Struct)

_NOT_JSON: Final = object()
BLANK: Final = "field cannot be blank"
NULL: Final = "field cannot be null"

_INTEGER: Final = r"\s*[+-]?[0-9]{1,18}\s*"
_PLAIN: Final = r"^[^\u0000]*$"
_NOT_BLANK: Final = r"^[^\u0000]*\S[^\u0000]*$"
_INSTANT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(\.\d{1,6})?\d*([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_EMAIL_ATOM: Final = r"[^\s@<>()\[\]\\,;:\".\x00-\x1f\x7f]+"
_EMAIL_LABEL: Final = r"[^\W_](?:[\w-]*[^\W_])?"
_EMAIL: Final = re.compile(rf"{_EMAIL_ATOM}(?:\.{_EMAIL_ATOM})*@{_EMAIL_LABEL}(?:\.{_EMAIL_LABEL})+")


class Rule:
    """Checks and normalises one JSON value; raises ValueError with a sentence that does not hold the value."""

    def __init__(self, check: Callable[[Any], Any], **schema: Any) -> None:
        """`schema`: keywords of JSON Schema that describe what passes, as far as they can."""
        self.check = check
        self.schema = schema


def text(max_length: int, *, trim: bool = True, blank: bool = False) -> Rule:
    """A string of at most `max_length` characters, counted after trimming; empty only where `blank` allows it."""

    def check(value: object) -> str:
        string = plain_string(value)
        if trim:
            string = string.strip()
        if not blank and not string.strip() and (trim or not string):
            raise ValueError(BLANK)
        if len(string) > max_length:
            raise ValueError(f"String should have at most {max_length} characters")
        return string

    if blank:
        return Rule(check, type="string", maxLength=max_length, pattern=_PLAIN)
    pattern = _NOT_BLANK if trim else _PLAIN
    return Rule(check, type="string", minLength=1, maxLength=max_length, pattern=pattern)


def plain_string(value: object) -> str:
    """Return `value` if it is text that a database can hold.

    Raises:
        ValueError: no string, or one with NUL or half a surrogate pair.
    """
    if not isinstance(value, str):
        raise ValueError("Input should be a valid string")
    if "\x00" in value:
        raise ValueError("Input should not contain NUL characters")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("Input should be valid Unicode text")
    return value


def slug(max_length: int) -> Rule:
    """1 to `max_length` ASCII letters, digits, hyphens and underscores: an id that somebody else has given."""
    pattern = re.compile(rf"[A-Za-z0-9_-]{{1,{max_length}}}")

    def check(value: object) -> str:
        string = plain_string(value)
        if not pattern.fullmatch(string):
            raise ValueError(f"String should be 1 to {max_length} letters, digits, hyphens or underscores")
        return string

    return Rule(check, type="string", minLength=1, maxLength=max_length, pattern="^[A-Za-z0-9_-]+$")


def one_of(*values: str) -> Rule:
    """One of a few fixed words."""
    quoted = [f"'{value}'" for value in values]
    sentence = "Input should be " + (", ".join(quoted[:-1]) + " or " + quoted[-1] if len(quoted) > 1 else quoted[0])

    def check(value: object) -> str:
        if not isinstance(value, str) or value not in values:
            raise ValueError(sentence)
        return value

    return Rule(check, type="string", enum=list(values))


def integer(minimum: int, maximum: int) -> Rule:
    """A whole number in a range; a numeric string is accepted."""

    def check(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(_INTEGER, value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("Input should be a valid integer")
        if value < minimum:
            raise ValueError(f"Input should be greater than or equal to {minimum}")
        if value > maximum:
            raise ValueError(f"Input should be less than or equal to {maximum}")
        return value

    number = {"type": "integer", "minimum": minimum, "maximum": maximum}
    return Rule(check, anyOf=[number, {"type": "string", "pattern": f"^{_INTEGER}$"}])


def _check_boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("Input should be a valid boolean")
    return value


def _check_email(value: object) -> str:
    address = plain_string(value).strip()
    if not address:
        raise ValueError(BLANK)
    if len(address) > 320:
        raise ValueError("String should have at most 320 characters")
    if not _EMAIL.fullmatch(address) or not address.isprintable():
        raise ValueError("Input should be a plain email address")
    return address


def check_uuid(value: object) -> str:
    """Return the canonical form of a UUID written with hyphens, in any case.

    Raises:
        ValueError: it is no UUID.
    """
    if isinstance(value, str) and len(value) == 36:
        try:
            canonical = str(uuid.UUID(value))
        except ValueError:
            canonical = ""
        if canonical == value.lower():
            return canonical
    raise ValueError("Input should be a valid UUID")


def _check_instant(value: object) -> dt.datetime:
    found = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if found:
        date, time, fraction, zone = found.groups()
        try:
            return dt.datetime.fromisoformat(f"{date}T{time}{fraction or ''}{zone.upper()}").astimezone(dt.UTC)
        except (ValueError, OverflowError):
            pass
    raise ValueError("Input should be a date and time with its zone, such as 2026-11-29T08:00:00Z")


INSTANT: Final = Rule(_check_instant, type="string", format="date-time")
Email = typing.Annotated[str, Rule(_check_email, type="string", format="email", maxLength=320)]
Boolean = typing.Annotated[bool, Rule(_check_boolean, type="boolean")]
Moment = typing.Annotated[dt.datetime, INSTANT]
Uuid = typing.Annotated[str, Rule(check_uuid, type="string", format="uuid")]


class _Field(typing.NamedTuple):
    name: str
    rule: Rule
    nullable: bool
    required: bool


def rules_of(schema: type[msgspec.Struct]) -> dict[str, tuple[Rule, bool]]:
    """Return the rule of each field of a body by its name in JSON, and whether null passes too; none for an answer."""
    hints = typing.get_type_hints(schema, include_extras=True)
    found = {info.encode_name: _rule_of(hints[info.name]) for info in msgspec.structs.fields(schema)}
    return {name: (rule, nullable) for name, (rule, nullable) in found.items() if rule is not None}


@functools.cache
def _fields(schema: type[msgspec.Struct]) -> tuple[_Field, ...]:
    rules = rules_of(schema)
    return tuple(
        _Field(info.encode_name, *rules[info.encode_name], info.required) for info in msgspec.structs.fields(schema)
    )


def _rule_of(hint: Any) -> tuple[Rule | None, bool]:
    """Find the rule in an annotation such as ``Annotated[str, Rule] | None | UnsetType``."""
    if typing.get_origin(hint) is typing.Annotated:
        found = next((item for item in hint.__metadata__ if isinstance(item, Rule)), None)
        inner, nullable = _rule_of(typing.get_args(hint)[0])
        return found or inner, nullable
    if typing.get_origin(hint) in (Union, types.UnionType):
        rule = None
        for part in typing.get_args(hint):
            rule = rule or _rule_of(part)[0]
        return rule, type(None) in typing.get_args(hint)
    return None, False


def decode_object(raw: bytes) -> dict[str, Any]:
    """Decode a JSON object.

    By the standard library's decoder: msgspec's takes half a surrogate pair or a number beyond 64 bits for broken JSON,
    whatever field it stands in, and could not name that field.

    Raises:
        ValidationError: it is no JSON, or no object.
    """
    value = _decoded(raw)
    if value is _NOT_JSON:
        raise ValidationError("body: Input should be valid JSON")
    if not isinstance(value, dict):
        raise ValidationError("body: Input should be an object")
    return value


def _decoded(raw: bytes) -> object:
    """Return the value; the decoder's errors, which hold the whole text, end here: no context refers to them."""
    try:
        return json.loads(raw.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return _NOT_JSON


def _refuse_constant(_: str) -> None:
    """Refuse `NaN` and `Infinity`, which Python knows and JSON does not."""
    raise ValueError


def build(schema: type[S], values: Mapping[str, Any], *, required: Iterable[str] = ()) -> S:
    """Check `values` against the rules of `schema` and return the Struct; unknown keys are ignored.

    Args:
        schema: the Struct.
        values: by name.
        required: fields that are needed here although they have a default.

    Raises:
        ValidationError: ``<field>: <what is wrong>`` for the first broken rule in the order of the schema.
    """
    checked: dict[str, Any] = {}
    for field in _fields(schema):
        if field.name not in values:
            if field.required or field.name in required:
                raise ValidationError(f"{field.name}: Field required")
            continue
        value = values[field.name]
        if value is None:
            if not field.nullable:
                raise ValidationError(f"{field.name}: {NULL}")
            checked[field.name] = None
            continue
        checked[field.name] = checked_value(field.name, field.rule, value)
    return schema(**checked)


def checked_value(name: str, rule: Rule, value: object) -> Any:
    """Apply one rule.

    Raises:
        ValidationError: ``<name>: <what is wrong>``.
    """
    try:
        return rule.check(value)
    except ValueError as exc:
        raise ValidationError(f"{name}: {exc}") from None


def present(body: msgspec.Struct) -> dict[str, Any]:
    """Return the fields of a PATCH body that were sent."""
    return {name: value for name in body.__struct_fields__ if not isinstance(value := getattr(body, name), UnsetType)}


__all__ = ["UNSET", "Boolean", "Email", "Meta", "Rule", "UnsetType", "Uuid", "build", "decode_object", "text"]

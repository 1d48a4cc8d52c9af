"""Request and response bodies of alert rules."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.core.exceptions import ValidationError
from app.core.validation import Boolean, Rule, build, plain_string, text
from app.schemas.common import Timestamp
from app.schemas.urls import MAX_URL_CHARS, parse_url
from app.schemas.vault import EXPIRY, MAX_SECRET_CHARS

S = TypeVar("S", bound=msgspec.Struct)

WEBHOOK_PORTS: Final = {"http": 80, "https": 443}
MAX_NAME_CHARS: Final = 100
MAX_HEADERS: Final = 50
MAX_HEADER_NAME_CHARS: Final = 100
MAX_EVENT_DEPTH: Final = 100
REFUSED_HEADERS: Final = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""They are about one connection or the message's length, which are not the rule's to decide."""
_TOKEN: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105 - RFC 9110, section 5.6.2
HEADER_NAME: Final = re.compile(_TOKEN)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_USUAL_URL: Final = r"^https?://[a-z]{3,20}(\.[a-z]{3,20}){1,3}(:[1-9][0-9]{0,3})?(/[A-Za-z0-9._~-]{0,30}){0,5}$"
"""What usual addresses look like; more is understood."""


def _check_url(value: object) -> str:
    string = plain_string(value).strip()
    parse_url(string, WEBHOOK_PORTS)
    return string


def _check_headers(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("Input should be an object")
    if len(value) > MAX_HEADERS:
        raise ValueError(f"There should be at most {MAX_HEADERS} headers")
    names = [str(name).lower() for name in value]
    if len(set(names)) < len(names):
        raise ValueError("Each header should be there once; upper and lower case do not matter")
    for name in value:
        _check_header_name(name)
    return {name: _header_value(text) for name, text in value.items() if text is not None}


def _check_header_name(name: str) -> None:
    if not re.fullmatch(_TOKEN, name) or len(name) > MAX_HEADER_NAME_CHARS:
        raise ValueError("Each name of a header should be up to 100 letters, digits, hyphens and the like")
    if name.lower() in REFUSED_HEADERS:
        raise ValueError("Headers such as Host, Content-Length and Connection cannot be set")


def _header_value(value: object) -> str:
    try:
        string = plain_string(value).strip(" \t\r\n")
    except ValueError:
        raise ValueError("Each value of a header should be a valid string") from None
    if not string or len(string) > MAX_SECRET_CHARS or _CONTROL.search(string):
        raise ValueError(
            f"Each value of a header should have 1 to {MAX_SECRET_CHARS} characters, without line breaks and the like"
        )
    return string


def _check_event(value: object) -> object:
    """Any JSON that is not nested deeper than it could be written out again."""
    level = [value]
    for _ in range(MAX_EVENT_DEPTH):
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return value
    raise ValueError(f"Input should be nested at most {MAX_EVENT_DEPTH} deep")


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _part(schema: type[S], path: str) -> Rule:
    """A nested body, whose rules are named with the path to it."""

    def check(value: object) -> S:
        if not isinstance(value, dict):
            raise ValidationError(f"{path}: Input should be an object")
        try:
            return build(schema, value)
        except ValidationError as exc:
            nested = exc.message.startswith(f"{path}.")
            raise ValidationError(exc.message if nested else f"{path}.{exc.message}") from None

    return Rule(check)


HEADERS: Final = Rule(
    _check_headers,
    type="object",
    maxProperties=MAX_HEADERS,
    propertyNames={"pattern": f"^{_TOKEN}$", "maxLength": MAX_HEADER_NAME_CHARS},
    additionalProperties={
        "anyOf": [
            {"type": "string", "minLength": 1, "maxLength": MAX_SECRET_CHARS, "pattern": r"^[!-~]([ -~]*[!-~])?$"},
            {"type": "null"},
        ]
    },
)

Name = Annotated[str, text(MAX_NAME_CHARS)]
WebhookUrl = Annotated[
    str,
    Rule(_check_url, type="string", maxLength=MAX_URL_CHARS, pattern=_USUAL_URL),
    Meta(description="http or https; credentials in it are moved to the header Authorization"),
]
Headers = Annotated[
    dict[str, str | None],
    HEADERS,
    Meta(description="All there are to be: a mask, as it was read, keeps a value; one left out or null is removed"),
]
AllowPrivate = Annotated[Boolean, Meta(description="Loopback and private addresses may be called")]
Expiry = Annotated[
    Any, EXPIRY, Meta(description="Of the header values sent with it that are no masks; sent without headers, of all")
]


class Webhook(msgspec.Struct):
    """What an alert rule calls; the values of the headers are masked."""

    url: Annotated[str, Meta(description="Without credentials")]
    headers: dict[str, str]
    allow_private: bool
    status: Annotated[str | None, Meta(description="Of the stored header values: unreadable or expired if one is")]
    expires_at: Annotated[Timestamp | None, Meta(description="When the first of the header values expires")]


class Actions(msgspec.Struct):
    """What an alert rule does."""

    webhook: Webhook


class AlertRule(msgspec.Struct):
    """One alert rule."""

    id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
    name: str
    enabled: bool
    actions: Actions


class WebhookBody(msgspec.Struct):
    """A whole webhook."""

    url: WebhookUrl
    headers: Headers | UnsetType = UNSET
    allow_private: AllowPrivate = False
    expires_at: Expiry | UnsetType | None = UNSET

    def __repr__(self) -> str:
        return "WebhookBody(...)"


class WebhookChange(msgspec.Struct):
    """A change of a webhook: only what is present changes."""

    url: WebhookUrl | UnsetType = UNSET
    headers: Headers | UnsetType = UNSET
    allow_private: AllowPrivate | UnsetType = UNSET
    expires_at: Expiry | UnsetType | None = UNSET

    def __repr__(self) -> str:
        return "WebhookChange(...)"


class ActionsBody(msgspec.Struct):
    """What a rule is to do."""

    webhook: Annotated[WebhookBody, _part(WebhookBody, "actions.webhook")]


class ActionsChange(msgspec.Struct):
    """A change of what a rule does."""

    webhook: Annotated[WebhookChange, _part(WebhookChange, "actions.webhook")] | UnsetType = UNSET


class AlertRuleBody(msgspec.Struct):
    """A whole alert rule."""

    name: Name
    actions: Annotated[ActionsBody, _part(ActionsBody, "actions")]
    enabled: Boolean = True


class AlertRuleChange(msgspec.Struct):
    """A change of an alert rule: only what is present changes."""

    name: Name | UnsetType = UNSET
    actions: Annotated[ActionsChange, _part(ActionsChange, "actions")] | UnsetType = UNSET
    enabled: Boolean | UnsetType = UNSET


class TriggerBody(msgspec.Struct):
    """An event."""

    event: Annotated[
        Any,
        Rule(_check_event, type=["object", "array", "string", "number", "boolean"]),
        Meta(description="Any JSON but null; the webhook gets it as it is"),
    ]


class Delivery(msgspec.Struct):
    """What became of a webhook."""

    delivered: Annotated[bool, Meta(description="The target answered with a status from 200 to 299")]
    status_code: Annotated[int | None, Meta(description="Of the last attempt; null if that got no answer")]
    attempts: int

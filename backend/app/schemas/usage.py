"""Response bodies of the usage of AI providers."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class UsageItem(msgspec.Struct):
    """What one owner used of one model on one day."""

    owner_kind: str
    owner_id: str
    provider: str
    model: Annotated[str, Meta(description="As the provider tells it; empty where a call names none")]
    day: Annotated[str, Meta(description="In UTC", extra_json_schema={"format": "date"})]
    requests: Annotated[int, Meta(description="Calls that the provider answered with success")]
    input_tokens: int
    output_tokens: int


class UsagePage(msgspec.Struct):
    """Usage, the latest day first."""

    items: list[UsageItem]
    next_cursor: Annotated[str | None, Meta(description="For the items that follow; null at the end")]

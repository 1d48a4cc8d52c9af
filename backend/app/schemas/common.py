"""Bodies that several resources share."""

from __future__ import annotations

import msgspec


class ErrorBody(msgspec.Struct):
    """Every error answer, from whatever layer."""

    error: str


class StatusBody(msgspec.Struct):
    """A word that says what happened."""

    status: str

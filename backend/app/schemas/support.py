"""What helps whoever helps a person."""

from __future__ import annotations

import msgspec


class LogLines(msgspec.Struct):
    """The log's newest lines."""

    lines: list[str]
    """Oldest first, without secrets."""


class SupportArchive(msgspec.Struct):
    """A support archive: findings, versions and logs, without secrets."""

    file_name: str
    content: str
    """The zip file in base64."""

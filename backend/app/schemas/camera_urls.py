"""Addresses of cameras: credentials come out, wherever they stand, and go in again only for a request."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final
from urllib.parse import quote, unquote

from app.core.encryption import MASK
from app.schemas.urls import TargetUrl, parse_url

PORTS: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_PASSWORD: Final = re.compile(
    r"(?i)(?P<name>(?<![a-z])(?:password|passwd|passwort|passphrase|pass|pwd|psw|loginpas)=)(?P<value>[^&;/?]*)"
)
"""Where cameras without a login of their own take a password: `?user=admin&pwd=...`, `/user=admin&password=.../`."""


def parse_camera_url(text: str) -> TargetUrl:
    """Take a camera's URL apart; a password in path or query is replaced by a mask, and returned like one before `@`.

    Raises:
        ValueError: it is no such URL, or holds two different passwords.
    """
    target = parse_url(text, PORTS)
    found = {target.password} if target.password else set()
    found |= {_value(match) for match in _PASSWORD.finditer(target.url) if match["value"]}
    if len(found) > 1:
        raise ValueError("The URL should not hold two different passwords")
    masked = _PASSWORD.sub(lambda match: match["name"] + (MASK if match["value"] else ""), target.url)
    return replace(target, url=masked, password=found.pop() if found else None)


def _value(match: re.Match[str]) -> str:
    return unquote(match["value"])


def with_password(url: str, password: str | None) -> str:
    """Put a password back where `parse_camera_url` took one out of path or query."""
    return _PASSWORD.sub(lambda match: match["name"] + (quote(password or "", safe="") if match["value"] else ""), url)

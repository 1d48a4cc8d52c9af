"""JSON paths: strings inside a JSON text found by path and replaced, every other character left as it is.

A path is a small part of RFC 9535: ``$``, then members (``.name``, ``."dotted.name"``, ``['name']``), array items
(``[0]``), and ``.*`` or ``[*]`` for every member or item.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY: Final = None
"""The step of a path that ``*`` stands for."""

Step = str | int | None
"""A member's name, an item's index, or `EVERY`."""

_QUOTED: Final = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
_STEP: Final = re.compile(
    rf"""\.(?:(?P<every>\*)|(?P<quoted>{_QUOTED})|(?P<member>[^.*\[\]"']+))"""
    rf"""|\[(?:(?P<every_item>\*)|(?P<index>\d{{1,9}})|(?P<quoted_item>{_QUOTED}))\]""",
    re.DOTALL,
)
_BLANKS: Final = re.compile(r"[ \t\n\r]*")
# Numbers are looked at only to be passed over: Python refuses very long ones, and rounds.
_decode: Final = json.JSONDecoder(parse_int=lambda _: 0, parse_float=lambda _: 0.0).raw_decode


def parse_path(text: str) -> tuple[Step, ...]:
    """Parse a path such as ``$.webhook.headers.*``.

    Raises:
        ValueError: it is no path of the form above.
    """
    if not text.startswith("$"):
        raise ValueError("a JSON path begins with $")
    steps: list[Step] = []
    at = 1
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise ValueError(f"the JSON path cannot be read from character {at + 1} on")
        steps.append(_step(found))
        at = found.end()
    return tuple(steps)


def _step(found: re.Match[str]) -> Step:
    if found["every"] or found["every_item"]:
        return EVERY
    if found["index"]:
        return int(found["index"])
    quoted: str | None = found["quoted"] or found["quoted_item"]
    return found["member"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted[1:-1], flags=re.DOTALL)


def replace_values(text: str, path: tuple[Step, ...], replace: Callable[[Any], str | None]) -> str | None:
    """Replace values that `path` names by strings.

    Args:
        text: a JSON text.
        path: what `parse_path` returned.
        replace: is given each value that the path names, in order; returns the string to put in its place, or None
            to leave it.

    Returns:
        The new text, equal to the old one but for the replaced values; None if `text` is no JSON.
    """
    try:
        beginning = _after_blanks(text, 0)
        _, end = _decode(text, beginning)
    except (ValueError, RecursionError):
        return None
    if _after_blanks(text, end) != len(text):
        return None
    parts: list[str] = []
    copied = 0
    for start, stop, value in _found(text, beginning, path):
        replacement = replace(value)
        if replacement is not None:
            parts += (text[copied:start], json.dumps(replacement))
            copied = stop
    return "".join((*parts, text[copied:]))


def _found(text: str, at: int, path: tuple[Step, ...]) -> list[tuple[int, int, Any]]:
    found: list[tuple[int, int, Any]] = []
    _walk(text, at, path, found)
    return found


def _walk(text: str, at: int, path: tuple[Step, ...], found: list[tuple[int, int, Any]]) -> int:
    """Collect start, end and value of what `path` names in the value that begins at `at`; return where that ends.

    The text is known to be sound, so only its shape is looked at.
    """
    if not path or text[at] not in "{[":
        value, end = _decode(text, at)
        if not path:
            found.append((at, end, value))
        return end
    is_object = text[at] == "{"
    number = 0
    at = _after_blanks(text, at + 1)
    while text[at] not in "}]":
        name: str | int = number
        if is_object:
            name, at = _decode(text, at)
            at = _after_blanks(text, _after_blanks(text, at) + 1)  # past the colon
        at = _walk(text, at, path[1:], found) if path[0] in (EVERY, name) else _decode(text, at)[1]
        number += 1
        at = _after_blanks(text, at)
        if text[at] == ",":
            at = _after_blanks(text, at + 1)
    return at + 1


def _after_blanks(text: str, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    return blanks.end() if blanks is not None else at

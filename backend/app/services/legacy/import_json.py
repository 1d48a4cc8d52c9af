"""A global key file of another application taken over: an object of provider name to key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from app.core.encryption import mask_sensitive
from app.core.exceptions import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PROVIDERS: Final = ("openai", "anthropic", "google", "deepseek")
MAX_FILE_BYTES: Final = 1 << 20
MAX_KEY_CHARS: Final = 512


def import_keys(file: Path, store: Callable[[Mapping[str, str]], object]) -> dict[str, str]:
    """Store the keys of a JSON file, all or none.

    Args:
        file: left as it is.
        store: stores all of the keys, by provider, or raises and stores none.

    Returns:
        A masked hint for each provider.

    Raises:
        UsageError: the file cannot be read, or something in it is wrong; nothing was stored.
    """
    keys = parse_keys(_content(file))
    store(keys)
    return {provider: mask_sensitive(key) for provider, key in keys.items()}


def parse_keys(content: bytes) -> dict[str, str]:
    """Check the content of a key file.

    Returns:
        Keys by provider, without blanks around them.

    Raises:
        UsageError: the first thing that is wrong. No name or value from the file is repeated: people mix them up.
    """
    pairs = _pairs(content)
    if pairs is None:
        raise UsageError("The file is not a JSON object of provider names and keys.")
    if not pairs:
        raise UsageError("The file holds no key.")
    keys: dict[str, str] = {}
    for number, (name, value) in enumerate(pairs, start=1):
        if name not in PROVIDERS:
            raise UsageError(f"Entry {number} of the file names no known provider; known are {', '.join(PROVIDERS)}.")
        if name in keys:
            raise UsageError(f"The file holds two keys for {name}.")
        keys[name] = _checked_key(name, value)
    return keys


def _checked_key(provider: str, value: object) -> str:
    if not isinstance(value, str):
        raise UsageError(f"The key for {provider} is no text.")
    key = value.strip()
    if not key:
        raise UsageError(f"The key for {provider} is blank.")
    if len(key) > MAX_KEY_CHARS:
        raise UsageError(f"The key for {provider} is longer than {MAX_KEY_CHARS} characters.")
    if not key.isprintable():
        raise UsageError(f"The key for {provider} holds characters that no key has.")
    if key.startswith("****"):
        raise UsageError(f"The key for {provider} is masked; the file must hold the real one.")
    return key


def _pairs(content: bytes) -> list[tuple[str, Any]] | None:
    """Return the members of the outermost object in order, repeated ones included; None if there is no such object.

    The caller raises: an error raised here would keep JSONDecodeError as its context, whose `doc` holds the keys.
    """
    try:
        value = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_Object)
    except (ValueError, RecursionError):
        return None
    return list(value) if isinstance(value, _Object) else None


class _Object(list[tuple[str, Any]]):
    """A JSON object's members; a plain list is a JSON array."""


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except OSError as exc:
        raise UsageError(f"The file cannot be read: {exc.strerror}.") from None
    if len(content) > MAX_FILE_BYTES:
        raise UsageError("The file is larger than 1 MiB.")
    return content

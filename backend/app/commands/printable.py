"""Text from the database on a terminal: it cannot steer it, whoever wrote it there."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return text with a question mark for each character that a terminal might take for a command."""
    return "".join(character if character.isprintable() else "?" for character in text)

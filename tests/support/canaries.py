"""Passwords that break careless code, and a search for them in whatever form they leak."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from tests.support import processes

if TYPE_CHECKING:
    from pathlib import Path

NASTY_PASSWORDS: dict[str, str] = {
    "url-syntax": "p@ss:w/rd#%+",
    "outer-spaces": " lead and trail ",
    "umlaut-and-space": "zwei Wörter",
    "percent": "100%",
    "interpolation": "%(here)s%%{name}$HOME`id`",
    "single-quote": "it's 'quoted'",
    "double-quote": 'say "friend"',
    "backslash": "back\\slash\\n\\",
    "conninfo": "x' host=evil.example password='y",
    "url-encoded-already": "p%40ss%20word%2B",
    "unicode": "пароль-密码-🔑",
    "tab-and-newline": "tab\there\nand there",
    "looks-like-a-mask": "****abcd",
    "longest": "0123456789abcde" * 17,
}
"""By name, passwords that must survive being tested, saved and read again, exactly as they are. The longest has 255
characters, the most the settings accept."""

CANARIES: dict[str, str] = {
    "url-syntax": "p@ssVELLUM7:w/rdQUOKKA3#%+",
    "outer-spaces": " leadNUTHATCH and trailGANNET ",
    "umlaut-and-space": "zweiKIWI99 WörterBÄR42",
    "percent": "100%-AXOLOTL%s-MARKHOR%d",
    "single-quote": "it's 'WOMBAT88' again",
    "double-quote": 'say "TAPIR5521" twice',
    "backslash": "NARWHAL7\\n\\DUGONG8",
    "unicode": "ВЫХУХОЛЬ-密码-PANGOLIN",
    "longest": "CAPYBARA-" + "0123456789abcdef" * 15 + "-EMU77",
}
"""By name, nasty passwords with words that occur nowhere else, for searching; a leaked piece gives them away too."""

SHORTEST_CANARY = 8
SHORTEST_PIECE = 6


def find_canary(haystack: str | bytes, canary: str) -> list[str]:
    """Search for a secret in every form in which it commonly leaks.

    Args:
        haystack: text, or the bytes of a file.
        canary: the secret; at least 8 characters, so that a hit is no coincidence.

    Returns:
        The names of the forms found, such as ``["raw", "base64"]``; empty when there is no trace. ``piece`` is a word
        of the secret of at least 6 characters, as a driver quotes it that cut a URL at the wrong place.

    Raises:
        ValueError: the secret is too short to be searched for.
    """
    if len(canary) < SHORTEST_CANARY:
        raise ValueError(f"a canary needs at least {SHORTEST_CANARY} characters")
    if isinstance(haystack, str):
        haystack = haystack.encode("utf-8", "surrogateescape")
    # Percent-escapes and hexadecimal digits may be written in either case.
    folded = haystack.lower()
    found = [name for name, needle in _forms(canary).items() if needle in haystack or needle.lower() in folded]
    if any(core in haystack for core in _base64_cores(canary.encode())):
        found.append("base64")
    return found


def scan_files(directory: Path, canary: str) -> dict[Path, list[str]]:
    """Search every file below a directory, names included; return the forms found by path, empty when clean."""
    found: dict[Path, list[str]] = {}
    for path in sorted(directory.rglob("*")):
        forms = find_canary(str(path.relative_to(directory)), canary)
        if path.is_file():
            forms += find_canary(path.read_bytes(), canary)
        if forms:
            found[path] = forms
    return found


def scan_process(pid: int, canary: str) -> dict[str, list[str]]:
    """Search what other programs see of a process, its arguments and its environment; empty when clean."""
    environment = (f"{name}={value}" for name, value in processes.environment(pid).items())
    seen = {"argv": "\0".join(processes.arguments(pid)), "environment": "\0".join(environment)}
    return {where: forms for where, text in seen.items() if (forms := find_canary(text, canary))}


def _forms(canary: str) -> dict[str, bytes]:
    """Name every textual form; those that look like another named before are left out."""
    texts = {
        "raw": canary,
        "stripped": canary.strip(),
        "spaces-collapsed": " ".join(canary.split()),
        "spaces-removed": "".join(canary.split()),
        "reversed": canary[::-1],
        "words-reversed": " ".join(reversed(canary.split())),
        "quote": quote(canary),
        "quote-all": quote(canary, safe=""),
        "quote_plus": quote_plus(canary),
        "quoted-twice": quote(quote(canary, safe=""), safe=""),
        "json": json.dumps(canary)[1:-1],
        "json-unicode": json.dumps(canary, ensure_ascii=False)[1:-1],
        "json-twice": json.dumps(json.dumps(canary)[1:-1])[1:-1],
        "repr": repr(canary)[1:-1],
        "repr-bytes": repr(canary.encode())[2:-1],
        "ascii": ascii(canary)[1:-1],
        "shell": shlex.quote(canary),
        "conninfo": canary.replace("\\", "\\\\").replace("'", "\\'"),
        "sql": canary.replace("'", "''"),
        "html": html.escape(canary),
        "hex": canary.encode().hex(),
    }
    forms = {name: text.encode() for name, text in texts.items()}
    forms["utf-16"] = canary.encode("utf-16-le")
    forms["latin-1"] = canary.encode("latin-1", "replace")
    words = re.split(r"[\W_]+", canary)
    forms |= {f"piece {word}": word.encode() for word in words if len(word) >= SHORTEST_PIECE}
    # Named once by its first name: most canaries look the same in several forms.
    first_name: dict[bytes, str] = {}
    for name, form in forms.items():
        first_name.setdefault(form, name)
    return {name: form for form, name in first_name.items()}


def _base64_cores(secret: bytes) -> set[bytes]:
    """Base64 of the secret wherever it starts in the encoded text, without the characters its neighbours influence."""
    cores: set[bytes] = set()
    for offset, contaminated in enumerate((0, 2, 3)):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(b"\0" * offset + secret).rstrip(b"=")
            is_whole = (offset + len(secret)) % 3 == 0
            cores.add(encoded[contaminated : None if is_whole else -1])
    return cores

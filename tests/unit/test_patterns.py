"""Every regular expression of the product takes time in proportion to its text, whatever that is."""

from __future__ import annotations

import ast
import importlib
import itertools
import re
import time
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import app
from app.db import diagnose
from app.services.gateway import lent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

CHARS = 1_500
NOTICED_S = 0.003
"""Far above what a linear pattern takes for so many characters, far below what others take."""
GROWTH = 4
ODD = "aA0_-+.~ \t\r\n,;:=/\\\"'@<>()[]{}&?#%*\x00é"
"""Characters of which grammars are made."""
ELSEWHERE = {
    ("app.core.validation", 'rf"[A-Za-z0-9_-]{{1,{max_length}}}"'): ["[A-Za-z0-9_-]{1,64}"],
    ("app.db.diagnose", "sign.pattern"): [
        sign.pattern
        for signs in vars(diagnose).values()
        if isinstance(signs, tuple)
        for sign in signs
        if isinstance(sign, diagnose._Sign)
    ],
    ("app.api.page", 'rf"<{tag}>(.*?)</{tag}>".encode()'): [],  # our own page
    ("app.services.gateway.lent", "_ALLOWED[call.owner.provider]"): [*lent._ALLOWED.values()],
    ("app.sidecar.gate", 'rf"[0-9A-Fa-f]{{1,{MAX_CHALLENGE_CHARS}}}"'): ["[0-9A-Fa-f]{1,512}"],
}
"""Patterns that are not known before the program runs, and what they are then."""


def modules() -> Iterator[ModuleType]:
    """All of the product that use regular expressions."""
    root = Path(app.__path__[0])
    for file in sorted(root.rglob("*.py")):
        if "import re\n" in file.read_text(encoding="utf-8"):
            with warnings.catch_warnings(action="ignore"):  # the framework's own, about itself
                yield importlib.import_module(".".join(file.relative_to(root.parent).with_suffix("").parts))


def patterns_of(module: ModuleType) -> Iterator[tuple[re.Pattern[Any], bool]]:
    """The patterns that a module's source names, compiled or written in place, and whether they are searched for."""
    assert module.__file__ is not None
    source = Path(module.__file__).read_text(encoding="utf-8")
    tree = ast.parse(source)
    names = {node.value: ast.unparse(node.target) for node in ast.walk(tree) if isinstance(node, ast.AnnAssign)}
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.args):
            continue
        if ast.unparse(call.func.value) != "re" or call.func.attr == "escape":
            continue
        written = ast.get_source_segment(source, call.args[0]) or ""
        flags = call.args[1:2] if call.func.attr == "compile" else [k.value for k in call.keywords if k.arg == "flags"]
        value = [eval(compile(ast.Expression(flag), "", "eval"), vars(module)) for flag in flags]
        name = names.get(call, "")
        uses = set(re.findall(rf"\b{name}\.(\w+)\(", source)) if name else {call.func.attr}
        for pattern in ELSEWHERE.get((module.__name__, written)) or _evaluated(call.args[0], module, written):
            yield re.compile(pattern, *value), not uses <= {"fullmatch", "match"}


def _evaluated(expression: ast.expr, module: ModuleType, written: str) -> list[Any]:
    if (module.__name__, written) in ELSEWHERE:
        return []
    return [eval(compile(ast.Expression(expression), "", "eval"), vars(module))]


PATTERNS = sorted(((module.__name__, *found) for module in modules() for found in patterns_of(module)), key=str)


def texts(pattern: re.Pattern[Any]) -> Iterator[str]:
    """Texts that a pattern may run over again and again: beginnings of what it looks for, repeated and unfinished."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    words = re.findall(r"[A-Za-z]{3,}", source)[:3]
    starts = ["", *words[:1], *(f'"{word}":"' for word in words[:1]), *(f'{word}=\\"' for word in words[:1]), "a://"]
    units = [*ODD, *words, ", a b", 'a="', 'a="\\"']
    units += [f"{word}{end}" for word in words for end in ('="', '":', '":"', '=\\"', "=", " ")]
    pairs = list(map("".join, itertools.product('a0 ,=:/\\".@-', repeat=2)))
    for start in starts:
        for unit in units if start else units + pairs:
            yield start + unit * (CHARS // len(unit)) + "\x01"


def seconds(action: Callable[[], object], rounds: int) -> float:
    """The shortest time that an action took."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        taken.append(time.perf_counter() - began)
    return min(taken)


def run_over(pattern: re.Pattern[Any], text: Any, *, is_sought: bool) -> None:
    """Use a pattern as the product does."""
    if not is_sought:
        pattern.fullmatch(text)
        return
    for _ in pattern.finditer(text):
        pass


@pytest.mark.parametrize(
    ("module", "pattern", "is_sought"), PATTERNS, ids=lambda value: str(getattr(value, "pattern", value))[:60]
)
def test_pattern_takes_linear_time(module: str, pattern: re.Pattern[Any], is_sought: bool) -> None:
    """What a text of four times the length takes is nowhere near sixteen times as long."""
    is_bytes = isinstance(pattern.pattern, bytes)
    for text in texts(pattern):
        given: Any = text.encode("latin-1") if is_bytes else text
        if seconds(partial(run_over, pattern, given, is_sought=is_sought), 1) < NOTICED_S:
            continue
        longer: Any = given[:-1] * GROWTH + given[-1:]
        short, long = (seconds(partial(run_over, pattern, t, is_sought=is_sought), 3) for t in (given, longer))
        assert short < NOTICED_S or long < short * GROWTH * 2, f"{module}: {pattern.pattern!r} over {text[:40]!r}..."


def test_patterns_were_found() -> None:
    """Those of foreign bytes among them; and a pattern that takes its time does not pass."""
    found = {module for module, *_ in PATTERNS}
    assert {"app.services.targets.http_auth", "app.services.gateway.tokens", "app.core.logging"} <= found
    with pytest.raises(AssertionError):
        test_pattern_takes_linear_time("", re.compile(r'[\s,]*(?:a="[^"]*")'), is_sought=True)

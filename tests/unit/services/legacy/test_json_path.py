"""Strings in a JSON text are found by path and replaced, and nothing else changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.legacy.json_path import EVERY, parse_path, replace_values

TEXT = '{ "a" : {"b": "x", "b.c":"y", "n": 1.10},\n "list":["p", {"q":"r"}, ["s"]] , "a\\u0062": "t\\n" }'

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


def found(text: str, path: str) -> list[Any]:
    """Return the values that a path names."""
    values: list[Any] = []
    assert replace_values(text, parse_path(path), values.append) == text
    return values


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        pytest.param("$", (), id="all"),
        pytest.param("$.webhook.headers.*", ("webhook", "headers", EVERY), id="members"),
        pytest.param("$[0][*].x", (0, EVERY, "x"), id="items"),
        pytest.param('$."x.api-key"[\'it\\\'s\']["a\\"b"]', ("x.api-key", "it's", 'a"b'), id="quoted"),
        pytest.param("$.X-Api-Key.größe.two words", ("X-Api-Key", "größe", "two words"), id="unquoted"),
    ],
)
def test_path_is_read(path: str, steps: tuple[object, ...]) -> None:
    """Members, items and stars become steps."""
    assert parse_path(path) == steps


@pytest.mark.parametrize(
    "path", ["", "webhook", "$webhook", "$..x", "$.", "$.a.", "$[", "$[x]", "$[-1]", "$.a*", "$.'a"]
)
def test_malformed_path_is_refused(path: str) -> None:
    """What is no path, or uses more of the standard than is supported, raises instead of naming nothing."""
    with pytest.raises(ValueError, match=r"JSON path"):
        parse_path(path)


@pytest.mark.parametrize(
    ("path", "values"),
    [
        pytest.param("$.a.b", ["x"], id="member"),
        pytest.param('$.a."b.c"', ["y"], id="name-with-a-dot"),
        pytest.param("$.a.*", ["x", "y", 0.0], id="every-member"),
        pytest.param("$.list[*]", ["p", {"q": "r"}, ["s"]], id="every-item"),
        pytest.param("$.list.*.q", ["r"], id="star-over-items"),
        pytest.param("$.list[2][0]", ["s"], id="index"),
        pytest.param("$.ab", ["t\n"], id="escaped-name"),
        pytest.param("$.list.0", [], id="name-is-no-index"),
        pytest.param("$.a.b.c", [], id="below-a-string"),
        pytest.param("$.nothing.*", [], id="absent"),
    ],
)
def test_path_names_values(path: str, values: list[Any]) -> None:
    """Exactly the values at the path are found, in order."""
    assert found(TEXT, path) == values


def test_replacement_keeps_every_other_character() -> None:
    """Blanks, escapes, the digits of numbers and the order of members stay as they were."""
    replaced = replace_values(TEXT, parse_path("$.*.*"), lambda value: 'Z"' if isinstance(value, str) else None)

    assert replaced == TEXT.replace('"x"', '"Z\\""').replace('"y"', '"Z\\""').replace('["p"', '["Z\\""')


def test_repeated_members_are_all_replaced() -> None:
    """A name that occurs twice hides no secret behind the other."""
    assert replace_values('{"a": "1", "a": "2"}', parse_path("$.a"), lambda value: f"<{value}>") == (
        '{"a": "<1>", "a": "<2>"}'
    )


@pytest.mark.parametrize("text", ["", "{", '{"a": }', "secret", '"a" "b"', "[" * 100_000, "{'a': 1}"])
def test_other_text_is_no_json(text: str) -> None:
    """None tells it; nothing is replaced in half of a document."""
    assert replace_values(text, parse_path("$.*"), lambda _: "z") is None


@given(value=json_values, indent=st.sampled_from([None, 1]), is_ascii=st.booleans())
def test_any_document_is_walked_like_the_parsed_one(value: Any, indent: int | None, is_ascii: bool) -> None:
    """Members of members, replaced in the text, are those that a parser would have replaced."""
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii)

    replaced = replace_values(text, (EVERY, EVERY), lambda inner: "new" if isinstance(inner, str) else None)

    assert replaced is not None
    assert json.loads(replaced) == _replaced(value, depth=2)


def _replaced(value: Any, *, depth: int) -> Any:
    if depth == 0:
        return "new" if isinstance(value, str) else value
    if isinstance(value, list):
        return [_replaced(item, depth=depth - 1) for item in value]
    if isinstance(value, dict):
        return {name: _replaced(item, depth=depth - 1) for name, item in value.items()}
    return value


def test_long_numbers_are_passed_over() -> None:
    """More digits than Python converts are no reason to leave a secret."""
    digits = "9" * 5000

    assert replace_values(f'{{"n": {digits}, "a": "x"}}', parse_path("$.a"), lambda _: "z") == (
        f'{{"n": {digits}, "a": "z"}}'
    )

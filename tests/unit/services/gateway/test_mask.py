"""A key is taken out of a stream wherever the network cuts it, and nothing else is held up."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.services.gateway.mask import Mask
from tests.support.properties import PROPERTY

KEY = "sk-proj-AbC123_~xyz-0987654321"
AWKWARD = 'sk/with+"odd"\\bytes%41==&<tail>'


def masked(secret: str, pieces: list[bytes]) -> bytes:
    """Pass a stream through a mask."""
    mask = Mask(secret)
    return b"".join([*(mask.feed(piece) for piece in pieces), mask.end()])


@pytest.mark.parametrize("secret", [KEY, AWKWARD])
@pytest.mark.parametrize("length", range(1, 40))
def test_key_is_taken_out_wherever_it_is_cut(secret: str, length: int) -> None:
    """And the stream stays as long as it was."""
    text = f'before {secret} between {secret}{secret} {{"k": {json.dumps(secret)}}} after sk-proj'.encode()

    shown = masked(secret, [text[start : start + length] for start in range(0, len(text), length)])

    assert len(shown) == len(text)
    assert secret.encode() not in shown
    assert json.dumps(secret)[1:-1].encode() not in shown
    assert shown.startswith(b"before ***")
    assert shown.endswith(b" after sk-proj")


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda key: quote(key, safe=""), id="url"),
        pytest.param(lambda key: json.dumps(key)[1:-1], id="json"),
        pytest.param(lambda key: base64.b64encode(key.encode()).decode(), id="base64"),
        pytest.param(lambda key: key.encode().hex(), id="hex"),
    ],
)
@pytest.mark.parametrize("secret", [KEY, "sk+a/b=cdefghijklmno%pqrst"])
def test_key_is_taken_out_in_other_encodings(secret: str, form: object) -> None:
    """Those in which a server may repeat it."""
    text = form(secret)  # type: ignore[operator]

    assert masked(secret, [f"<{text}>".encode()]) == f"<{'*' * len(text)}>".encode()


def test_nothing_but_the_beginning_of_a_key_is_held_back() -> None:
    """An event that is complete goes on at once."""
    mask = Mask(KEY)

    assert mask.feed(b"data: hello\n\n") == b"data: hello\n\n"
    assert mask.feed(b"data: sk-pro") == b"data: "
    assert mask.feed(b"be\n\n") == b"sk-probe\n\n"
    assert mask.feed(b"x" + KEY[:-1].encode()) == b"x"
    assert mask.feed(KEY[-1:].encode() + b"y") == b"*" * len(KEY) + b"y"
    assert mask.feed(b"ends in s") == b"ends in "
    assert mask.end() == b"s"


@given(
    pieces=st.lists(
        st.sampled_from([b"sk-", b"sk-proj-A", b"bC123", b"_~xyz-0987654321", KEY.encode(), b"\n\n", b"x"])
    ),
    cut=st.integers(1, 9),
)
@example(pieces=[b"sk-", b"sk-proj-A", b"bC123", b"_~xyz-0987654321"], cut=1)
@PROPERTY
def test_streams_keep_their_length_and_lose_their_keys(pieces: list[bytes], cut: int) -> None:
    """However beginnings of keys and keys follow each other, cuts change nothing."""
    text = b"".join(pieces)

    shown = masked(KEY, [text[start : start + cut] for start in range(0, len(text), cut)])

    assert shown == text.replace(KEY.encode(), b"*" * len(KEY))


def test_short_secret_does_not_blank_out_words() -> None:
    """Nothing that a provider issues is that short."""
    assert masked("abc", [b"abcabc"]) == b"abcabc"


@pytest.mark.parametrize("secret", [KEY, AWKWARD])
@pytest.mark.parametrize("length", [1, 2, 3, 5, 7, 40, 1000])
def test_key_is_taken_out_however_json_escapes_it(secret: str, length: int) -> None:
    """Any character may be written by its number; what is escaped and no key stays as it was."""
    written = [
        "".join(rf"\u{ord(c):04{x}}" if n % step == 0 else c for n, c in enumerate(plain(secret)))
        for step, x in ((1, "x"), (2, "X"), (5, "x"))
    ]
    secret = plain(secret)
    text = (" ".join(f'{{"caf\\u0065": "{form}"}}' for form in written) + r' "\u0073k-proj \u00').encode()

    shown = masked(secret, [text[start : start + length] for start in range(0, len(text), length)])

    assert len(shown) == len(text)
    assert shown.count(rb'{"caf\u0065": "***') == 3
    assert shown.endswith(rb' "\u0073k-proj \u00')
    for document in shown.split(b"} ")[:3]:
        assert secret not in json.loads(document.removesuffix(b"}") + b"}").popitem()[1]


def plain(secret: str) -> str:
    """A secret without the characters that JSON must escape, beside those that are escaped here."""
    return secret.replace('"', "").replace("\\", "")

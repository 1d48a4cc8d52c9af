"""Users' tokens: what is genuine, and everything that only looks like it."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.jwt import LIFETIME, MAX_ID_CHARS, JwtError, is_id, mint_token, read_token
from tests.support.properties import PROPERTY

SECRET = "0123456789abcdef" * 4
OTHER_SECRET = "fedcba9876543210" * 4
LATER = int(time.time()) + 86_400


def encoded(part: object) -> str:
    """Encode one part of a token by hand."""
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(claims: object, *, secret: str = SECRET, **header: Any) -> str:
    """Make a token by hand, from whatever: the library would refuse to make some of these."""
    text = f"{encoded({'alg': 'HS256', 'typ': 'JWT', **header})}.{encoded(claims)}"
    return f"{text}.{encoded(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())}"


def claims(**changes: Any) -> dict[str, Any]:
    """Sound claims, changed; what is changed to None is left out."""
    return {name: value for name, value in {"sub": "ann", "exp": LATER, **changes}.items() if value is not None}


def assert_refused(token: str) -> None:
    """A token is no token of ours; the error says nothing of what it holds."""
    with pytest.raises(JwtError, match=r"^The token cannot be used$") as caught:
        read_token(token, SECRET)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("given_claims", "whose"),
    [
        (claims(), ("ann", None)),
        (claims(sub="1"), ("1", None)),
        (claims(exp=LATER + 0.5), ("ann", None)),
        (claims(tenant_id="acme"), ("ann", "acme")),
        (claims(aud="another application"), ("ann", None)),
        (claims(aud=["a", "b"], iss="https://id.example", jti="1", nbf=1, iat=1), ("ann", None)),
        (claims(type="access"), ("ann", None)),
        (claims(token_type="bearer", token_use="id"), ("ann", None)),
        (claims(sub="x" * MAX_ID_CHARS), ("x" * MAX_ID_CHARS, None)),
    ],
)
def test_a_genuine_token_tells_whose_it_is(given_claims: dict[str, Any], whose: tuple[str, str | None]) -> None:
    """Made by any library; other claims are somebody else's business."""
    assert read_token(signed(given_claims), SECRET) == whose
    assert read_token(jwt.encode(given_claims, SECRET, algorithm="HS256"), SECRET) == whose


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"exp": None}, id="no exp"),
        pytest.param({"exp": 1}, id="expired long ago"),
        pytest.param({"exp": int(time.time()) - 1}, id="just expired"),
        pytest.param({"exp": "never"}, id="exp is text"),
        pytest.param({"exp": str(LATER)}, id="exp is a number in text"),
        pytest.param({"exp": True}, id="exp is true"),
        pytest.param({"exp": [LATER]}, id="exp is a list"),
        pytest.param({"exp": {"at": LATER}}, id="exp is an object"),
        pytest.param({"exp": float("inf")}, id="exp is infinite"),
        pytest.param({"exp": float("nan")}, id="exp is no number"),
        pytest.param({"exp": -LATER}, id="exp is negative"),
        pytest.param({"nbf": LATER}, id="not yet"),
        pytest.param({"iat": LATER}, id="of the future"),
        pytest.param({"sub": None}, id="no sub"),
        pytest.param({"sub": 1}, id="sub is a number"),
        pytest.param({"sub": ["ann"]}, id="sub is a list"),
        pytest.param({"sub": {"id": "ann"}}, id="sub is an object"),
        pytest.param({"sub": True}, id="sub is true"),
        pytest.param({"sub": ""}, id="sub is empty"),
        pytest.param({"sub": " ann"}, id="sub begins with a blank"),
        pytest.param({"sub": "ann\n"}, id="sub ends with a newline"),
        pytest.param({"sub": "a\x00b"}, id="sub has NUL"),
        pytest.param({"sub": "a\ud800b"}, id="sub has half a surrogate pair"),
        pytest.param({"sub": "x" * (MAX_ID_CHARS + 1)}, id="sub is too long"),
        pytest.param({"tenant_id": ""}, id="tenant_id is empty"),
        pytest.param({"tenant_id": 1}, id="tenant_id is a number"),
        pytest.param({"tenant_id": ["acme"]}, id="tenant_id is a list"),
        pytest.param({"type": "refresh"}, id="refresh by type"),
        pytest.param({"token_type": "refresh"}, id="refresh by token_type"),
        pytest.param({"token_use": "refresh"}, id="refresh by token_use"),
        pytest.param({"type": "access", "token_use": "refresh"}, id="refresh by one of several"),
    ],
)
def test_a_genuine_token_that_is_not_for_use(changes: dict[str, Any]) -> None:
    """Signed, and refused all the same."""
    assert_refused(signed(claims(**changes)))


@pytest.mark.parametrize("name", ["type", "token_type", "token_use", "typ"])
@pytest.mark.parametrize("kind", ["refresh", "Refresh", "REFRESH", "refresh_token", "Refresh_Token"])
def test_a_refresh_token_is_not_for_access(name: str, kind: str) -> None:
    """However its issuer says so, among the claims or in the header."""
    assert_refused(signed(claims(**{name: kind})))
    assert_refused(signed(claims(), **{name: kind}))


@pytest.mark.parametrize(
    ("changes", "is_taken"),
    [
        pytest.param({"aud": "ours", "iss": "https://id.example"}, True, id="as demanded"),
        pytest.param({"aud": ["theirs", "ours"], "iss": "https://id.example"}, True, id="one of several"),
        pytest.param({"iss": "https://id.example"}, False, id="no audience"),
        pytest.param({"aud": "theirs", "iss": "https://id.example"}, False, id="another audience"),
        pytest.param({"aud": {"ours": 1}, "iss": "https://id.example"}, False, id="audience of another type"),
        pytest.param({"aud": "ours"}, False, id="no issuer"),
        pytest.param({"aud": "ours", "iss": "https://id.example/"}, False, id="another issuer"),
        pytest.param({"aud": "ours", "iss": ["https://id.example"]}, False, id="issuer of another type"),
    ],
)
def test_audience_and_issuer_are_demanded_when_set(changes: dict[str, Any], *, is_taken: bool) -> None:
    """A token of the same secret that is meant for another application opens nothing."""
    token = signed(claims(**changes))
    demands = {"audience": "ours", "issuer": "https://id.example"}

    if is_taken:
        assert read_token(token, SECRET, **demands) == ("ann", None)
    else:
        with pytest.raises(JwtError, match=r"^The token cannot be used$"):
            read_token(token, SECRET, **demands)
    assert read_token(mint_token("ann", SECRET, dt.datetime.now(dt.UTC), **demands)[0], SECRET, **demands)[0] == "ann"


@pytest.mark.parametrize("name", [b'"exp":"1e3"', b'"exp":99999999999999999999999999', b'"exp":1e400'])
def test_strange_numbers(name: bytes) -> None:
    """Beyond what a date can be."""
    raw = b'{"sub":"ann",' + name + b"}"
    token = signed(raw)
    try:
        whose = read_token(token, SECRET)
    except JwtError:
        return
    assert whose == ("ann", None)
    assert b"9999" in name  # far in the future, as it says


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(signed(claims(), secret=OTHER_SECRET), id="another secret"),
        pytest.param(signed(claims(), secret=""), id="no secret"),
        pytest.param(f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(claims())}.", id="alg none"),
        pytest.param(f"{encoded({'alg': 'None'})}.{encoded(claims())}.", id="alg None"),
        pytest.param(signed(claims(), alg="none"), id="alg none, signed"),
        pytest.param(signed(claims(), alg="HS384"), id="alg says HS384"),
        pytest.param(signed(claims(), alg="RS256"), id="alg says RS256"),
        pytest.param(signed(claims(), alg=None), id="alg null"),
        pytest.param(signed(claims(), alg=["HS256"]), id="alg is a list"),
        pytest.param(signed(claims(), alg="hs256"), id="alg in lower case"),
        pytest.param(signed(claims(), crit=["exp"]), id="critical extension"),
        pytest.param(signed(claims(), b64=False, crit=["b64"]), id="detached payload"),
        pytest.param(jwt.encode(claims(), SECRET, algorithm="HS512"), id="HS512"),
        pytest.param(jwt.encode(claims(), SECRET, algorithm="HS384"), id="HS384"),
        pytest.param(signed(claims())[:-1], id="cut off"),
        pytest.param(signed(claims()) + "A", id="longer"),
        pytest.param(signed(claims()) + ".", id="a fourth part"),
        pytest.param(signed(claims()).rpartition(".")[0], id="without signature"),
        pytest.param(signed(claims()).rpartition(".")[0] + ".", id="with an empty signature"),
        pytest.param(signed([claims()]), id="claims in a list"),
        pytest.param(signed("ann"), id="claims are text"),
        pytest.param(signed(None), id="claims are null"),
        pytest.param(signed(b"{"), id="claims are no JSON"),
        pytest.param(signed(b"\xff\xfe"), id="claims are no text"),
        pytest.param(signed(b"[" * 100_000), id="claims are nested without end"),
        pytest.param("", id="empty"),
        pytest.param("..", id="dots"),
        pytest.param("ann", id="a word"),
        pytest.param("zoë.ключ.🔑", id="no ASCII"),
        pytest.param("a.\ud800.b", id="half a surrogate pair"),
        pytest.param("=.=.=", id="padding"),
        pytest.param("a" * 1_000_000, id="a huge word"),
        pytest.param(("a" * 300_000 + ".") * 3, id="huge parts"),
        pytest.param("." * 100_000, id="very many parts"),
    ],
)
def test_a_token_that_is_not_genuine(token: str) -> None:
    """Refused with the one error, whatever it is."""
    assert_refused(token)


def test_a_huge_genuine_token_is_a_token() -> None:
    """Servers limit headers; here nothing breaks by length."""
    assert read_token(signed(claims(roles=["x" * 100] * 1000)), SECRET) == ("ann", None)


@PROPERTY
@given(st.text(max_size=200))
@example("\x00")
def test_no_other_text_is_a_token(text: str) -> None:
    """Nor does any make reading fail otherwise."""
    assert_refused(text)


@PROPERTY
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_changed_token_is_genuine(position: int, change: int) -> None:
    """One byte anywhere in header, claims or signature."""
    head, payload, signature = signed(claims()).split(".")
    parts = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in (head, payload, signature)]
    raw = bytearray(b"".join(parts))
    raw[position % len(raw)] ^= change
    cuts = (len(parts[0]), len(parts[0]) + len(parts[1]))
    changed = (bytes(raw[: cuts[0]]), bytes(raw[cuts[0] : cuts[1]]), bytes(raw[cuts[1] :]))

    assert_refused(".".join(encoded(part) for part in changed))


def test_a_minted_token_is_read_back() -> None:
    """It says when it was made and when it ends, in whole seconds."""
    now = dt.datetime.now(dt.UTC)

    token, expires_at = mint_token("ann", SECRET, now)

    assert read_token(token, SECRET) == ("ann", None)
    assert expires_at == now.replace(microsecond=0) + LIFETIME
    assert dt.timedelta(minutes=15) == LIFETIME
    header, payload = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    assert header["alg"] == "HS256"
    assert payload == {
        "sub": "ann",
        "iat": int(now.timestamp()),
        "exp": int(expires_at.timestamp()),
    }


def test_a_minted_token_ends() -> None:
    """After its fifteen minutes."""
    now = dt.datetime.now(dt.UTC) - LIFETIME - dt.timedelta(seconds=1)

    assert_refused(mint_token("ann", SECRET, now)[0])


@pytest.mark.parametrize("value", ["1", "Ann Smith", "zoë", "x" * 255, "a/b:c@d"])
def test_ids(value: str) -> None:
    """Printable text."""
    assert is_id(value)


@pytest.mark.parametrize("value", ["", " ", " a", "a ", "a\nb", "\u200b", "x" * 256, None, 1, True, ["a"], b"a"])
def test_no_ids(value: object) -> None:
    """Nothing that could be taken for another's."""
    assert not is_id(value)

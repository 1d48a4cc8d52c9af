"""Challenges of HTTP and RTSP servers: read whatever their form, and answered as the RFCs say."""

from __future__ import annotations

import base64

import pytest

from app.services.targets.http_auth import Challenge, Credentials, answer_to, parse_challenges

MUFASA = Credentials("Mufasa", "Circle Of Life")
NONCE_2617 = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
NONCE_7616 = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE_7616 = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def answered(challenge: str, credentials: Credentials, *, cnonce: str = "", uri: str = "/dir/index.html") -> str:
    """Answer one header's challenges."""
    answer = answer_to(parse_challenges([challenge]), credentials, "GET", uri, lambda: cnonce)
    assert answer is not None
    return answer


@pytest.mark.parametrize(
    ("challenge", "credentials", "cnonce", "response"),
    [
        pytest.param(
            f'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="{NONCE_2617}", opaque="5ccc"',
            MUFASA,
            "0a4f113b",
            "6629fae49393a05397450978507c4ef1",
            id="rfc-2617",
        ),
        pytest.param(
            f'Digest realm="testrealm@host.com", nonce="{NONCE_2617}", opaque="5ccc"',
            Credentials("Mufasa", "CircleOfLife"),
            "never used",
            "1949323746fe6a43ef61f9606e7febea",
            id="rfc-2069-with-its-erratum",
        ),
        pytest.param(
            f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="{NONCE_7616}"',
            Credentials("Mufasa", "Circle of Life"),
            CNONCE_7616,
            "8ca523f5e9506fed4657c9700eebdbec",
            id="rfc-7616-md5",
        ),
        pytest.param(
            f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="{NONCE_7616}"',
            Credentials("Mufasa", "Circle of Life"),
            CNONCE_7616,
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            id="rfc-7616-sha-256",
        ),
    ],
)
def test_published_vectors(challenge: str, credentials: Credentials, cnonce: str, response: str) -> None:
    """The digests are those in the RFCs."""
    answer = answered(challenge, credentials, cnonce=cnonce)

    assert f'response="{response}"' in answer


def test_what_the_server_said_is_given_back() -> None:
    """Realm, nonce and opaque as they were, with what needs it escaped; algorithm only if it was named."""
    answer = answered('Digest realm="a \\"b\\"", nonce="n", opaque="o\\\\p", qop="auth"', Credentials('x"y', "p"))

    assert answer.startswith('Digest username="x\\"y", realm="a \\"b\\"", nonce="n", uri="/dir/index.html"')
    assert 'opaque="o\\\\p"' in answer
    assert 'qop=auth, nc=00000001, cnonce="' in answer
    assert "algorithm" not in answer


def test_strongest_challenge_is_answered() -> None:
    """Whatever the order: SHA-256 before MD5 before Basic."""
    md5, sha = 'Digest realm="r", nonce="m"', 'Digest realm="r", nonce="s", algorithm=SHA-256'
    basic = 'Basic realm="r"'

    assert 'nonce="s"' in answered(f"{basic}, {md5}, {sha}", MUFASA)
    assert 'nonce="m"' in answered(f"{md5}, {basic}", MUFASA)
    assert answered(basic, MUFASA) == "Basic " + base64.b64encode(b"Mufasa:Circle Of Life").decode()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Basic realm="x"', [("basic", {"realm": "x"})]),
        ("Negotiate", [("negotiate", {})]),
        ('NTLM TlRMTVNTUAAC==, Basic realm="a, b=c"', [("ntlm", {}), ("basic", {"realm": "a, b=c"})]),
        (
            "Digest realm=plain,nonce=a/b+c==,stale=TRUE",
            [("digest", {"realm": "plain", "nonce": "a/b+c==", "stale": "TRUE"})],
        ),
        (
            'Basic realm="x", Digest realm = "y" , nonce="n"',
            [("basic", {"realm": "x"}), ("digest", {"realm": "y", "nonce": "n"})],
        ),
        ('Digest realm="first", realm="second"', [("digest", {"realm": "first"})]),
        ("", []),
        ("=,;;==", []),
        ('realm="without a scheme"', []),
    ],
)
def test_challenges_are_read_in_every_form(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    """Several in one header, tokens, commas in quotation marks, blanks; nonsense is no challenge."""
    assert [(found.scheme, dict(found.parameters)) for found in parse_challenges([header])] == expected


@pytest.mark.parametrize(
    "header",
    [
        "Negotiate",
        'Digest realm="r"',
        'Digest realm="r", nonce="n", algorithm=SHA-1024',
        'Digest realm="r", nonce="n", qop="auth-conf"',
    ],
)
def test_challenge_that_is_not_understood_is_not_answered(header: str) -> None:
    """Nothing is sent then, least of all the password in clear."""
    assert answer_to(parse_challenges([header]), MUFASA, "GET", "/") is None


def test_user_name_with_colon_is_never_sent_by_basic() -> None:
    """There the colon would end it, and move a part of it into the password."""
    challenges = [Challenge("basic", {"realm": "r"})]

    assert answer_to(challenges, Credentials("a:b", "c"), "GET", "/") is None


def test_credentials_do_not_show() -> None:
    """Not in the repr."""
    assert "Circle" not in repr(MUFASA)

"""URLs of cameras and webhooks: strict about hosts, and no piece of a password stays in what is shown."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemas.camera_urls import PORTS, parse_camera_url, with_password
from app.schemas.urls import parse_url
from tests.support.canaries import NASTY_PASSWORDS


@pytest.mark.parametrize(
    ("typed", "url", "username", "password"),
    [
        ("rtsp://192.168.1.10:554/stream1", "rtsp://192.168.1.10:554/stream1", None, None),
        ("RTSP://Cam.Example/Live?x=1", "rtsp://cam.example/Live?x=1", None, None),
        ("rtsp://admin:secret@cam/s", "rtsp://cam/s", "admin", "secret"),
        ("rtsp://admin@cam/s", "rtsp://cam/s", "admin", None),
        ("rtsp://DOMAIN\\admin:secret@cam/s", "rtsp://cam/s", "DOMAIN\\admin", "secret"),
        ("rtsp://:secret@cam/s", "rtsp://cam/s", None, "secret"),
        ("rtsp://admin:p%40ss%3Aw%2Frd@cam", "rtsp://cam", "admin", "p@ss:w/rd"),
        ("rtsp://admin:p@ss:w@rd@cam/s", "rtsp://cam/s", "admin", "p@ss:w@rd"),
        ("http://a%20b:100%@[2001:DB8::1]:8080/x", "http://[2001:db8::1]:8080/x", "a b", "100%"),
        ("https://u:pw1@b\u00fccher.example/", "https://xn--bcher-kva.example/", "u", "pw1"),
        ("http://cam/s?user=admin&pwd=geheim&x=1", "http://cam/s?user=admin&pwd=****&x=1", None, "geheim"),
        (
            "rtsp://cam:554/user=admin&password=a%26b&channel=1",
            "rtsp://cam:554/user=admin&password=****&channel=1",
            None,
            "a&b",
        ),
        ("http://u:same@cam/?password=same", "http://cam/?password=****", "u", "same"),
        ("http://cam/compass=5?bypass=1&pass=", "http://cam/compass=5?bypass=1&pass=", None, None),
        ("http://cam/x#secret", "http://cam/x", None, None),
        ("  rtsp://cam/s\n", "rtsp://cam/s", None, None),
    ],
)
def test_credentials_come_out(typed: str, url: str, username: str | None, password: str | None) -> None:
    """Decoded, from wherever they stand; the rest stays as it was typed."""
    found = parse_camera_url(typed)

    assert (found.url, found.username, found.password) == (url, username, password)
    assert password is None or password not in repr(found)


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("", id="empty"),
        pytest.param("cam/s", id="no-scheme"),
        pytest.param("ftp://cam/s", id="other-scheme"),
        pytest.param("rtsp://", id="no-host"),
        pytest.param("rtsp://admin:secret@/s", id="no-host-after-credentials"),
        pytest.param("rtsp://admin:12/34@cam/s", id="slash-in-password"),
        pytest.param("rtsp://admin:12?34@cam/s", id="question-mark-in-password"),
        pytest.param("rtsp://admin:12#34@cam/s@x", id="hash-in-password"),
        pytest.param("rtsp://admin:pw@cam/w@x", id="at-in-path"),
        pytest.param("rtsp://cam:0/", id="port-0"),
        pytest.param("rtsp://cam:65536/", id="port-too-high"),
        pytest.param("rtsp://cam:x/", id="port-no-number"),
        pytest.param("rtsp://cam :1/", id="blank"),
        pytest.param("rtsp://cam\\evil/", id="backslash"),
        pytest.param("rtsp://ca%6d/", id="escaped-host"),
        pytest.param("rtsp://[::1/", id="bracket"),
        pytest.param("rtsp://[fe80::1%25eth0]/", id="zone"),
        pytest.param("rtsp://a..b/", id="empty-label"),
        pytest.param("rtsp://u%0d%0aX:p@cam/", id="line-break-in-user-name"),
        pytest.param("rtsp://u:%ff@cam/", id="not-utf-8"),
        pytest.param("http://u:one@cam/?pwd=two", id="two-passwords"),
        pytest.param("http://cam/" + "x" * 2048, id="too-long"),
        pytest.param("http://cam/x\x00", id="nul"),
    ],
)
def test_what_could_be_understood_in_two_ways_is_refused(typed: str) -> None:
    """With a sentence that holds nothing of it."""
    with pytest.raises(ValueError, match=r"\A[A-Z][^\n]+\Z") as refused:
        parse_camera_url(typed)

    assert not any(piece in str(refused.value) for piece in ("admin", "34", "evil", "one"))


@given(
    password=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda text: text[:4] != "****")
)
def test_any_password_survives_the_url(password: str) -> None:
    """Percent-encoded before the host or in the query, and put back where the camera wants it."""
    in_front = parse_camera_url(f"rtsp://admin:{quote(password, safe='')}@cam/s")
    in_query = parse_camera_url(f"http://cam/s?pwd={quote(password, safe='')}&x=1")

    assert in_front.password == in_query.password == password
    assert parse_camera_url(with_password(in_query.url, password)).password == password
    assert in_query.url == "http://cam/s?pwd=****&x=1"


@pytest.mark.parametrize("password", NASTY_PASSWORDS.values(), ids=NASTY_PASSWORDS)
def test_raw_password_is_refused_or_taken_whole(password: str) -> None:
    """As people type it, unescaped: no piece of it is ever shown."""
    try:
        found = parse_url(f"rtsp://admin:{password}@cam.example/s", PORTS)
    except ValueError:
        return
    assert found.url == "rtsp://cam.example/s"


def test_moving_is_told_by_scheme_host_and_port() -> None:
    """Not by path, spelling or a default port that is written out."""
    origin = parse_camera_url("rtsp://Cam/a").origin

    assert origin == parse_camera_url("rtsp://cam:554/b").origin
    for other in ("rtsp://cam2/a", "rtsp://cam:555/a", "http://cam:554/a"):
        assert parse_camera_url(other).origin != origin

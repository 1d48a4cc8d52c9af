"""The page at `/`: the built interface, or what stands in its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from litestar.testing import create_test_client

from app.api import page as page_module
from app.api.page import asset, page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from litestar.testing import TestClient

SCRIPT = "index-AbC123.js"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built interface, beside a file that is none of its own."""
    folder = tmp_path / "ui"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>built</title>")
    (folder / "assets" / SCRIPT).write_text("1")
    (folder / "assets" / "notes.txt").write_text("secret")
    (folder / "manifest.json").write_text("secret")
    monkeypatch.setattr(page_module, "UI_FOLDER", folder)
    return folder


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient[Any]]:
    """Asks for pages and files."""
    with create_test_client([page, asset]) as client:
        yield client


def test_the_build_is_served_and_asked_for_anew(client: TestClient[Any]) -> None:
    """The page is checked each time, by its digest; what it loads is kept for good."""
    answer = client.get("/")
    again = client.get("/", headers={"If-None-Match": answer.headers["etag"]})
    script = client.get(f"/assets/{SCRIPT}")

    assert (answer.status_code, answer.text) == (200, "<title>built</title>")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_a_new_build_is_served_without_a_restart(client: TestClient[Any], folder: Path) -> None:
    """Whoever works on the interface sees it after a reload."""
    old = client.get("/")
    (folder / "index.html").write_text("<title>newer</title>")

    assert client.get("/", headers={"If-None-Match": old.headers["etag"]}).text == "<title>newer</title>"


@pytest.mark.parametrize("built", [True, False], ids=["built", "not-built"])
def test_nothing_foreign_may_run_load_or_frame_it(client: TestClient[Any], folder: Path, *, built: bool) -> None:
    """The policy allows the page's own script and style, and connections to where it came from."""
    if not built:
        (folder / "index.html").unlink()

    headers = client.get("/").headers

    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert all("unsafe" not in source and "*" not in source for source in policy.values())
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "name",
    [
        "..%2Findex.html",
        "%2e%2e%2fmanifest.json",
        "notes.txt",
        "missing.js",
        "a%00.js",
        "x" * 300,
    ],
)
def test_only_files_of_the_interface_are_served(client: TestClient[Any], name: str) -> None:
    """No name leads out of its folder, or to another kind of file."""
    assert client.get(f"/assets/{name}").status_code == 404


def test_without_a_build_the_page_says_what_is_missing(client: TestClient[Any], folder: Path) -> None:
    """In one screen, with the state and the connection's form still there."""
    (folder / "index.html").unlink()

    answer = client.get("/")

    assert answer.headers["cache-control"] == "no-store"
    assert "Node.js 20" in answer.text
    assert 'id="state"' in answer.text
    assert 'id="connection"' in answer.text
    kinds = re.findall(r'<option value="([a-z]+)"', answer.text)
    assert kinds == ["password", "kerberos", "certificate", "none"]

"""The interface for a browser: the built files of the package folder, or one plain page that says what is missing.

None of it holds a secret, so none needs the token: that comes in the URL's fragment, which browsers keep to themselves.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from pathlib import Path
from typing import Annotated, Final

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, HeaderParameter

_WEB: Final = Path(__file__).parent.parent / "web"
UI_FOLDER: Final = _WEB / "ui"
"""Made by `npm run ui`; absent from a checkout until then."""
_WITHOUT_UI: Final = _WEB / "without-ui.html"

_MEDIA_TYPES: Final = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_ASSET: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_FOREVER: Final = "public, max-age=31536000, immutable"
"""For files that have a digest of their content in their names."""
_ALWAYS: Final = {"Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}

IfNoneMatch = Annotated[str | None, HeaderParameter(name="If-None-Match")]


@get("/", sync_to_thread=False, include_in_schema=False)
def page(if_none_match: IfNoneMatch = None) -> Response[bytes]:
    """Serve the interface; without a build, the plain page in its place."""
    index = UI_FOLDER / "index.html"
    built = _file(index)
    if built is not None:
        return _answer(built, index.suffix, if_none_match, {"Content-Security-Policy": _policy(), **_ALWAYS})
    return _plain_answer()


@get("/assets/{name:str}", sync_to_thread=False, include_in_schema=False)
def asset(name: FromPath[str], if_none_match: IfNoneMatch = None) -> Response[bytes]:
    """Serve one of the interface's files."""
    path = UI_FOLDER / "assets" / name
    is_ours = _ASSET.fullmatch(name) is not None and path.suffix in _MEDIA_TYPES
    found = _file(path) if is_ours else None
    if found is None:
        raise NotFoundException
    return _answer(found, path.suffix, if_none_match, {"Cache-Control": _FOREVER, **_ALWAYS})


def _plain_answer() -> Response[bytes]:
    """Return the page that needs no build."""
    content, policy = _plain_page()
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", **_ALWAYS}
    return Response(content, media_type=_MEDIA_TYPES[".html"], headers=headers)


def _answer(content: bytes, suffix: str, if_none_match: str | None, headers: dict[str, str]) -> Response[bytes]:
    """Send a file, or only that it is still the one the browser has."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"Cache-Control": "no-cache", **headers, "ETag": etag}
    known = {each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")}
    if etag in known:
        return Response(b"", status_code=304, headers=headers, media_type=_MEDIA_TYPES[suffix])
    return Response(content, media_type=_MEDIA_TYPES[suffix], headers=headers)


def _file(path: Path) -> bytes | None:
    """Return a file's content, read again only when it has changed; None if there is no such file."""
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, ValueError):
        return None


@functools.lru_cache(maxsize=64)
def _read(path: Path, _mtime_ns: int) -> bytes:
    return path.read_bytes()


def _policy(script: str = "'self'", style: str = "'self'") -> str:
    """Return a policy that lets nothing run but the page's own, and nothing be loaded from elsewhere."""
    return (
        f"default-src 'none'; script-src {script}; style-src {style}; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@functools.cache
def _plain_page() -> tuple[bytes, str]:
    content = _WITHOUT_UI.read_bytes()
    return content, _policy(_hash_of("script", content), _hash_of("style", content))


def _hash_of(tag: str, content: bytes) -> str:
    """Return the CSP hash source of the page's one element `tag`."""
    found = re.search(rf"<{tag}>(.*?)</{tag}>".encode(), content, re.DOTALL)
    digest = hashlib.sha256(found[1] if found else b"").digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"

"""The settings page for a sidecar that was started by hand.

It holds no secret: the token comes in the URL's fragment, which browsers keep to themselves.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from pathlib import Path

from litestar import Response, get

_FILE = Path(__file__).parent.parent / "web" / "settings.html"


@get("/", sync_to_thread=False, include_in_schema=False)
def settings_page() -> Response[bytes]:
    """Serve the page with a policy that lets nothing run but its own script, and nothing be loaded from elsewhere."""
    content, policy = _page()
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    return Response(content, media_type="text/html; charset=utf-8", headers=headers)


@functools.cache
def _page() -> tuple[bytes, str]:
    content = _FILE.read_bytes()
    policy = (
        f"default-src 'none'; script-src {_hash_of('script', content)}; style-src {_hash_of('style', content)}; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return content, policy


def _hash_of(tag: str, content: bytes) -> str:
    """Return the CSP hash source of the page's one element `tag`."""
    found = re.search(rf"<{tag}>(.*?)</{tag}>".encode(), content, re.DOTALL)
    digest = hashlib.sha256(found[1] if found else b"").digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"

"""HTTP with a camera; imported when the first one is tested, as httpx is."""

from __future__ import annotations

from typing import Final

import httpx

from app.services.targets.rtsp import Answer


class HttpSession:
    """Requests for one URL, of which only the heads of the answers are read: a stream has no end."""

    method: Final = "GET"

    def __init__(self, client: httpx.AsyncClient, url: str, user_agent: str) -> None:
        self._client = client
        self._url = httpx.URL(url)
        self._user_agent = user_agent
        self.uri = self._url.raw_path.decode("ascii")

    async def ask(self, authorization: str | None) -> Answer:
        """Send one GET.

        Raises:
            httpx.TransportError: no connection, or no answer.
            OSError: the host has no address.
        """
        headers = [(b"User-Agent", self._user_agent.encode())]
        if authorization is not None:
            headers.append((b"Authorization", authorization.encode()))
        async with self._client.stream("GET", self._url, headers=headers) as answer:
            challenges = answer.headers.get_list("www-authenticate")
            return Answer(answer.status_code, challenges, answer.headers.get("content-type", ""))

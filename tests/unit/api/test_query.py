"""Query parameters of calls: what is known of them is kept once, not with each call."""

from __future__ import annotations

import gc

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.testing import create_test_client

from app.api.query import known_query, query_parameter

CALLS = 20


@get("/things", sync_to_thread=False, guards=[known_query])
def things(limit: str | None = query_parameter("how many")) -> str:
    """Echo the parameter."""
    return limit or ""


def handlers() -> int:
    """Count the handlers there are; each call is given a copy of its own."""
    gc.collect()
    return sum(issubclass(type(each), HTTPRouteHandler) for each in gc.get_objects())


def test_nothing_is_kept_of_a_call() -> None:
    """However many come."""
    with create_test_client(things) as client:
        assert client.get("/things?limit=1").text == "1"
        before = handlers()
        for number in range(CALLS):
            assert client.get(f"/things?limit={number}").text == str(number)
        assert handlers() == before


def test_what_is_known_is_known_again() -> None:
    """Of the first call and of later ones."""
    with create_test_client(things) as client:
        for _ in range(2):
            assert client.get("/things?limit=1").status_code == 200
            assert client.get("/things?limt=1").status_code == 500

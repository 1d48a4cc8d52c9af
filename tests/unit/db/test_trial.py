"""What the trial of a connection tells: the parts of the way to the server, and which server it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from app.api.timing import server_timing
from app.db.connect import check_connection
from app.db.settings import settings_from_body
from app.db.trial import Arrival, Phases, Trial, phases_between

if TYPE_CHECKING:
    from tests.support.databases import Database


@pytest.mark.parametrize(
    ("arrived_at", "lookup_s", "phases"),
    [
        pytest.param(12.0, None, (None, 2000, 3000), id="an address"),
        pytest.param(12.0, 0.5, (500, 1500, 3000), id="a name"),
        pytest.param(12.0, 4.0, (2000, 0, 3000), id="a name that took longer than the way"),
        pytest.param(None, None, (None, None, 5000), id="a server that does not say"),
        pytest.param(None, 0.5, (500, None, 4500), id="a name, and a server that does not say"),
        pytest.param(9.0, 0.5, (500, None, 4500), id="a session that was there before"),
        pytest.param(9.8, None, (None, 0, 5000), id="at once, as far as can be told"),
        pytest.param(15.2, None, (None, 5000, 0), id="at the end, as far as can be told"),
        pytest.param(15.5, 9.0, (5000, None, 0), id="a session that a pooler opened after the login"),
    ],
)
def test_parts_are_told_apart_where_they_can_be(
    arrived_at: float | None, lookup_s: float | None, phases: tuple[float | None, float | None, float]
) -> None:
    """Together they are what it took; none is negative, and what is not known is None."""
    found = phases_between(
        10.0, None if arrived_at is None else Arrival(arrived_at, 0.25), 15.0, 16.0, lookup_s=lookup_s
    )

    assert found == Phases(*phases, 1000)
    assert sum(ms for ms in msgspec.structs.astuple(found) if ms is not None) == 6000


def test_real_server_is_told(database: Database) -> None:
    """Version and every phase; a name is looked up, an address is not."""
    version = database.query("SHOW server_version")[0][0]

    by_address, by_name = (
        check_connection(settings_from_body({**database.fields(), "host": host})) for host in ("127.0.0.1", "localhost")
    )

    assert by_address.server_version == by_name.server_version == version
    assert by_address.phases.lookup_ms is None
    assert by_name.phases.lookup_ms is not None
    for phases in (by_address.phases, by_name.phases):
        assert phases.reach_ms is not None
        assert min(phases.reach_ms, phases.login_ms, phases.query_ms) >= 0


def test_header_says_it() -> None:
    """Every phase by its name; a text that a header does not take is made into one that it does."""
    trial = Trial(Phases(1.26, 0.44, 8, 0.5), server_version='18.4 "x"\r\nEvil: \\é' + "x" * 100, encryption="TLSv1.3")

    said = server_timing(trial)

    assert said.startswith(
        'lookup;dur=1.3, reach;dur=0.4, login;dur=8.0, query;dur=0.5, server;desc="18.4 ?x???Evil: ??'
    )
    assert said.endswith('x", encryption;desc="TLSv1.3"')
    assert len(said) < 200
    assert server_timing(Trial(Phases(None, None, 8, 0.5), None, None)) == "login;dur=8.0, query;dur=0.5"

"""Fixtures for tests that start sidecars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.databases import fresh_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Database
    from tests.support.postgres import PostgresServer


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    """A database on `postgres` with the product's tables; `empty_database` is one without."""
    with fresh_database(postgres, with_tables=True) as fresh:
        yield fresh

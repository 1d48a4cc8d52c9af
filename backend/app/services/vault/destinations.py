"""Where a secret may go: the text that a ciphertext is bound to.

So what was entered for one address is never sent to another one that somebody has written into the database.

A destination is computed from the row that says where to connect, each time a secret is opened. None stands for a row
that leads nowhere, since somebody has put something else in the place of its address.
"""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from app.models.alert_rules import alert_rules
from app.models.cameras import cameras
from app.schemas.alert_rules import WEBHOOK_PORTS
from app.schemas.camera_urls import PORTS
from app.schemas.urls import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

CAMERA: Final = "camera"
ALERT_RULE: Final = "alert_rule"
NOWHERE: Final = ""
"""Of a secret that is only shown to a person."""
_MAX_NAMED: Final = 500
_UUID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def camera_destination(stream_url: str, username: str | None) -> str | None:
    """Return where a camera's password goes."""
    return _joined(CAMERA, stream_url, PORTS, username or "")


def webhook_destination(url: str, *, allow_private: bool | None) -> str | None:
    """Return where the values of a rule's headers go."""
    if allow_private is None:
        return None
    return _joined("webhook", url, WEBHOOK_PORTS, "true" if allow_private else "false")


def provider_destination(origin: str) -> str:
    """Return where a key of an AI provider goes; `origin` is scheme, host and port."""
    return f"provider|{origin}"


def _joined(kind: str, url: str, ports: Mapping[str, int], last: str) -> str | None:
    try:
        scheme, host, port = parse_url(url, ports).origin
    except ValueError:
        return None
    return f"{kind}|{scheme}|{host}|{port}|{last}"


class Located(SimpleNamespace):
    """A row of `secrets` and the destination of its secret; the row's columns are attributes of its own.

    A rotation looks at each of them many times, which through the row would take as long as decrypting.
    """

    status: str | None = None
    destination: str | None

    def __init__(self, row: Any, destination: str | None) -> None:
        columns = row._asdict() if hasattr(row, "_asdict") else vars(row)
        super().__init__(**{**columns, "destination": destination})

    def __repr__(self) -> str:
        return f"Located(destination={self.destination!r})"


def located(connection: sa.Connection, rows: Sequence[Any]) -> list[Located]:
    """Return rows of `secrets` with where each secret may go, as the owners' rows say now.

    Args:
        connection: that the rows were read with.
        rows: each with `owner_kind`, `owner_id` and `pinned_host`.
    """
    found: dict[str, dict[str, str | None]] = {
        CAMERA: _of_cameras(connection, _owners(rows, CAMERA)),
        ALERT_RULE: _of_rules(connection, _owners(rows, ALERT_RULE)),
    }

    def of(row: Any) -> Located:
        if row.owner_kind in found:
            return Located(row, found[row.owner_kind].get(row.owner_id, NOWHERE))
        return located_key(row)

    return [of(row) for row in rows]


def located_key(row: Any) -> Located:
    """Return a row of a secret that is pinned to a provider's host, or is only shown."""
    return Located(row, key_destination(row))


def key_destination(row: Any) -> str:
    """Return where such a secret may go."""
    return NOWHERE if row.pinned_host is None else provider_destination(row.pinned_host)


def _owners(rows: Iterable[Any], kind: str) -> list[str]:
    return sorted({row.owner_id for row in rows if row.owner_kind == kind and _UUID.fullmatch(row.owner_id)})


def _among(column: sa.ColumnElement[str], ids: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    """Return the condition that a row is one of these; none if they are so many that all are read as quickly."""
    return [column.in_(ids)] if len(ids) <= _MAX_NAMED else []


def _of_cameras(connection: sa.Connection, ids: Sequence[str]) -> dict[str, str | None]:
    if not ids:
        return {}
    table = cameras.c
    query = sa.select(table.id, table.stream_url, table.username).where(*_among(table.id, ids))
    return {row.id: camera_destination(row.stream_url, row.username) for row in connection.execute(query)}


def _of_rules(connection: sa.Connection, ids: Sequence[str]) -> dict[str, str | None]:
    if not ids:
        return {}
    table = alert_rules.c
    query = sa.select(table.id, table.webhook_url, table.allow_private).where(*_among(table.id, ids))
    return {
        row.id: webhook_destination(row.webhook_url, allow_private=row.allow_private)
        for row in connection.execute(query)
    }

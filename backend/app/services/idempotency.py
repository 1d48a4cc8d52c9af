"""Requests that are repeated with one `Idempotency-Key`: done once, answered alike each time."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from app.core.exceptions import KeyReusedError
from app.db.clock import database_now
from app.db.statements import insert_if_absent
from app.models.idempotency import idempotency_keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.db.session import Database

LIFETIME: Final = dt.timedelta(hours=24)


class Answer(NamedTuple):
    """What a client got, and gets again."""

    status: int
    headers: dict[str, str]
    body: bytes


class KeyedRequest(msgspec.Struct, frozen=True):
    """A request that may be a repetition."""

    key: str
    route: str
    """Method and path, ids left out."""
    content: bytes
    """All that makes it this request: the ids in its path, and its body."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 in hex."""
        return hashlib.sha256(self.content).hexdigest()


class KeptAnswers:
    """The answers that one installation got within the last 24 hours, in the database it works on."""

    def __init__(self, database: Database, caller: Callable[[], str]) -> None:
        self._database = database
        self._caller = caller

    def once(self, request: KeyedRequest, create: Callable[[], Answer]) -> Answer:
        """Create and keep the answer, in one transaction, or return what was kept when it was done before.

        While another request with the same key is being answered this one waits for it. What fails is not kept.

        Args:
            request: with its key.
            create: all that it writes becomes part of the transaction.

        Raises:
            KeyReusedError: the key came with another request.
        """
        table = idempotency_keys.c
        place = {"caller": self._caller(), "route": request.route, "key": request.key}
        is_this = sa.and_(*(table[name] == value for name, value in place.items()))
        with self._database.together() as connection:
            now = database_now(connection)
            connection.execute(sa.delete(idempotency_keys).where(table.created_at < now - LIFETIME))
            blank = {"fingerprint": request.fingerprint, "status": 0, "headers": "", "body": "", "created_at": now}
            if not insert_if_absent(connection, idempotency_keys, place | blank):
                return _repeated(connection, is_this, request)
            answer = create()
            connection.execute(
                sa.update(idempotency_keys)
                .where(is_this)
                .values(status=answer.status, headers=json.dumps(answer.headers), body=answer.body.decode())
            )
        return answer


def _repeated(connection: sa.Connection, is_this: sa.ColumnElement[bool], request: KeyedRequest) -> Answer:
    row = connection.execute(sa.select(idempotency_keys).where(is_this)).one()
    if row.fingerprint != request.fingerprint:
        raise KeyReusedError("The Idempotency-Key was used for another request before")
    return Answer(row.status, json.loads(row.headers), row.body.encode())

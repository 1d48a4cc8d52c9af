"""What the tests of the owners' resources have in common: requests, errors, and a look at what lies in the database."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from app.models.vault import secrets
from tests.support.vaults import Desktop, change, desktop, read, rows_of, store_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.support.ai_answers import Canned
    from tests.support.ai_providers import FakeProvider
    from tests.support.databases import Backend
    from tests.support.sidecar import Sidecar

LOOKS_ENCRYPTED = "encrypted:gAAAAABnotAToken-but-typed-by-a-person"
UNSET_KEY = {"set": False, "hint": None, "status": None, "last_validated_at": None, "expires_at": None}


def shown(hint: str | None, *, status: str = "unknown", expires_at: str | None = None) -> dict[str, Any]:
    """A key that was never checked, as reads show it."""
    return {"set": True, "hint": hint, "status": status, "last_validated_at": None, "expires_at": expires_at}


def error_of(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, machine code and sentence of an error, which has nothing else in it."""
    assert set(answer.json()) == {"error"}, answer.text
    return answer.status_code, answer.headers["Taskflow-Error-Code"], answer.json()["error"]


def ok(answer: httpx.Response, status: int = 200) -> Any:
    """The body of an answer that has to be a success."""
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


@contextlib.contextmanager
def inside_of(backend: Backend) -> Iterator[Desktop]:
    """The vault of a running sidecar, seen with its own key."""
    with store_of(backend) as store:
        yield desktop(store, backend.sidecar.config_dir)


def ciphertexts(backend: Backend) -> dict[tuple[str, str, str], str]:
    """What lies in the database, by owner kind, owner id and name."""
    with store_of(backend) as store:
        rows = rows_of(store).values()
    return {(row["owner_kind"], row["owner_id"], row["name"]): row["ciphertext"] for row in rows}


def swap(backend: Backend, first: tuple[str, str, str], second: tuple[str, str, str]) -> None:
    """Exchange all that two rows hold of their secrets, as somebody with access to the database might."""
    held = ("ciphertext", "kid", "row_version", "fingerprint", "hint", "api_secret_fingerprint", "expires_at")
    with store_of(backend) as store:
        by_name = {(row["owner_kind"], row["owner_id"], row["name"]): row for row in rows_of(store).values()}
        for target, source in ((first, second), (second, first)):
            values = {column: by_name[source][column] for column in held}
            change(store, sa.update(secrets).where(secrets.c.id == by_name[target]["id"]).values(**values))


class HeldBack:
    """An answer that a provider gives when the test lets it go."""

    def __init__(self) -> None:
        self.has_come = threading.Event()
        self.is_let_go = threading.Event()

    def wait_for_request(self, timeout_s: float = 10.0) -> None:
        """Wait until the question has come."""
        assert self.has_come.wait(timeout_s), "no request came"

    def let_go(self) -> None:
        """Let the answer go."""
        self.is_let_go.set()


@contextlib.contextmanager
def held_back(provider: FakeProvider, key: str) -> Iterator[HeldBack]:
    """Hold a provider's answers about a key back."""
    held, answer_for = HeldBack(), provider.answer_for

    def wait_and_answer(asked: str | None) -> Canned | None:
        if asked == key:
            held.has_come.set()
            held.is_let_go.wait(10)
        return answer_for(asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provider, "answer_for", wait_and_answer)
        try:
            yield held
        finally:
            held.let_go()


def actions(sidecar: Sidecar, **query: str) -> list[str]:
    """What the audit log tells, oldest first, as `action actor name outcome`."""
    entries = ok(sidecar.request("GET", "/api/v1/audit", params={"limit": "500", **query}))["entries"]
    return [f"{entry['action']} {entry['actor']} {entry['name']} {entry['outcome']}" for entry in reversed(entries)]


def refuse_audit(backend: Backend) -> None:
    """Let no audit entry be written any more, until `allow_audit`."""
    if backend.name == "sqlite":
        backend.database.execute(
            "CREATE TRIGGER no_audit BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    else:
        backend.database.execute("ALTER TABLE audit_entries ADD CONSTRAINT no_audit CHECK (false) NOT VALID")


def allow_audit(backend: Backend) -> None:
    """Undo `refuse_audit`."""
    if backend.name == "sqlite":
        backend.database.execute("DROP TRIGGER no_audit")
    else:
        backend.database.execute("ALTER TABLE audit_entries DROP CONSTRAINT no_audit")


def count_owner_rows(backend: Backend, owner_kind: str, owner_id: str) -> int:
    """Count what is left of an owner: secrets, and the salt they were sealed with."""
    with store_of(backend) as store:
        tables = ("secrets", "vault_owners")
        return sum(
            read(
                store,
                sa.text(f"SELECT count(*) FROM {table} WHERE owner_kind = :kind AND owner_id = :id").bindparams(
                    kind=owner_kind, id=owner_id
                ),
            )[0][0]
            for table in tables
        )

"""Which key serves a call: corners that no application meets every day."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from app.db.base import utc_now
from app.models.tenants import tenants
from app.models.vault import secrets
from app.services.gateway.key_choice import KeyChoice, KeyOwner, KeyUnavailableError, today
from app.services.gateway.usage import Usage
from app.services.vault.rows import SecretName, SecretUnreadableError
from tests.support.vaults import Desktop, change, desktop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.in_process import InProcess

KEY = "sk-some-key-0123456789"
USER = KeyOwner("user", "ann", "openai")
OWN = SecretName("user", "ann", "openai")


@pytest.fixture
def ours(store: InProcess, tmp_path: Path) -> Desktop:
    """A desktop with the user's key."""
    there = desktop(store, tmp_path / "ours")
    there.vault.attachment.attach()
    there.set(OWN, KEY)
    return there


def choice_of(there: Desktop, **urls: str) -> KeyChoice:
    """The choice among the desktop's keys, with providers at other addresses."""
    database = there.store.database
    return KeyChoice(dataclasses.replace(there.config, provider_urls=urls), database, there.vault, Usage(database))


def anything() -> None:
    """Let a lent key serve any call."""


def refused(choose: Callable[[], Any]) -> str:
    """Choose in vain; return the code."""
    with pytest.raises(KeyUnavailableError) as caught:
        choose()
    assert KEY not in str(caught.value)
    return caught.value.code


def test_chosen_key_does_not_show_itself(ours: Desktop) -> None:
    """Not in a traceback either."""
    chosen = choice_of(ours).take(USER, actor="test", lend=anything)

    assert (chosen.secret, chosen.which, chosen.row_version) == (KEY, OWN, 1)
    assert KEY not in repr(chosen)


@pytest.mark.parametrize("host", [None, "http://127.0.0.1:1", ""])
def test_key_whose_pin_was_changed_goes_nowhere(ours: Desktop, host: str | None) -> None:
    """It is sealed to the host it was entered for."""
    change(ours.store, sa.update(secrets).values(pinned_host=host))

    with pytest.raises(SecretUnreadableError):
        choice_of(ours, openai="http://127.0.0.1:1").take(USER, actor="test", lend=anything)


def test_path_below_the_same_host_is_the_same_provider(ours: Desktop) -> None:
    """A key is pinned to scheme, host and port."""
    same, other = "https://api.openai.com/through", "http://api.openai.com"

    assert choice_of(ours, openai=same).take(USER, actor="test", lend=anything).secret == KEY
    assert refused(lambda: choice_of(ours, openai=other).take(USER, actor="test", lend=anything)) == "key-rejected"


def test_key_that_is_deleted_in_this_very_moment_is_missing(ours: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at its row and its opening."""
    monkeypatch.setattr(ours.vault, "take", lambda *_, **__: None)

    assert refused(lambda: choice_of(ours).take(USER, actor="test", lend=anything)) == "key-missing"


@pytest.mark.parametrize(
    "owner",
    [
        KeyOwner("user", "ANN", "openai"),
        KeyOwner("user", "ann ", "openai"),
        KeyOwner("user", "ann", "deepseek"),
        KeyOwner("tenant", "ann", "openai"),
        KeyOwner("server", "ann", "openai"),
        KeyOwner("user", "a%", "openai"),
        KeyOwner("user", "' OR 1=1 --", "openai"),
    ],
)
def test_names_that_are_alike_are_not_the_same(ours: Desktop, owner: KeyOwner) -> None:
    """Each has to be spelled as the key's owner is."""
    assert refused(lambda: choice_of(ours).take(owner, actor="test", lend=anything)) == "key-missing"


def test_each_use_is_counted_for_whoever_made_it(ours: Desktop) -> None:
    """In the audit log, one entry a minute with a count."""
    choice = choice_of(ours)
    for _ in range(3):
        choice.take(USER, actor="user:ann", lend=anything)
    page = ours.audit.page(owner_kind="user", owner_id="ann", action="use", limit=10, cursor=None)

    assert [(entry.actor, entry.owner and entry.owner.id, entry.name) for entry in page.entries] == [
        ("user:ann", "ann", "openai")
    ]


@contextlib.contextmanager
def statements_of(there: Desktop) -> Iterator[list[str]]:
    """The statements that the block sends to the database, whatever threads of other tests still write."""
    sent: list[str] = []
    ours = threading.get_ident()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if threading.get_ident() == ours:
            sent.append(statement)

    event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(sa.Engine, "before_cursor_execute", note)


def test_choice_and_opening_are_one_read(ours: Desktop) -> None:
    """For whomever a key is looked up, the one that may be lent beside it, and what proves that it is alive."""
    choice = choice_of(ours)
    for which in (SecretName("system", "default", "openai"), SecretName("server", "ann", "openai")):
        ours.set(which, KEY)
    owners = [KeyOwner(kind, owner_id, "openai") for kind, owner_id in (("system", "default"), ("server", "ann"))]
    for owner in (USER, *owners):
        choice.take(owner, actor="test", lend=anything)  # the first use in a minute is told to the audit log
        with statements_of(ours) as sent:
            assert choice.take(owner, actor="test", lend=anything).secret == KEY
        assert ["vault_manifest" in statement for statement in sent] == [True], owner


def test_a_change_elsewhere_costs_one_more_read(ours: Desktop) -> None:
    """What vouches for a key is read again when anything has changed, and only then."""
    choice = choice_of(ours)
    choice.take(USER, actor="test", lend=anything)
    ours.set(SecretName("tenant", "acme", "openai"), KEY)
    counts = []
    for _ in range(2):
        with statements_of(ours) as sent:
            assert choice.take(USER, actor="test", lend=anything).secret == KEY
        counts.append(len(sent))

    assert counts == [2, 1]


def on_trial(ours: Desktop) -> KeyOwner:
    """Add a tenant on trial, with five calls and a thousand tokens a day, and the platform's key."""
    ours.set(SecretName("system", "default", "openai"), KEY)
    values = {"id": "acme", "name": "Acme", "tier": "trial", "trial_limit": 5, "trial_tokens": 1000}
    with ours.vault.writing() as connection:
        connection.execute(sa.insert(tenants).values(**values, created_at=utc_now(), updated_at=utc_now()))
        ours.vault.note(connection, ("tenant", "acme"), ["trial", 5, 1000])
    return KeyOwner("tenant", "acme", "openai")


def test_call_of_a_tenant_on_trial_is_one_read_and_one_count(ours: Desktop) -> None:
    """Tier, limits and the platform's key come together."""
    choice, tenant = choice_of(ours), on_trial(ours)
    choice.take(tenant, actor="test", lend=anything)
    with statements_of(ours) as sent:
        assert choice.take(tenant, actor="test", lend=anything).is_lent

    told = [statement for statement in sent if "FROM" in statement]
    assert [statement.split()[0] for statement in told] == ["SELECT", "INSERT"]


def test_tokens_that_are_written_in_this_very_moment_count_once(ours: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at the tenant's row and the look at what is not yet written."""
    choice, tenant = choice_of(ours), on_trial(ours)
    choice.take(tenant, actor="test", lend=anything)
    look = choice._rows

    def look_while_it_is_written(owner: KeyOwner) -> list[Any]:
        rows = look(owner)
        choice._usage.flush()
        return rows

    monkeypatch.setattr(choice, "_rows", look_while_it_is_written)
    choice.spend(tenant, 999, day=today())
    choice.take(tenant, actor="test", lend=anything)
    choice.spend(tenant, 1, day=today())

    assert refused(lambda: choice.take(tenant, actor="test", lend=anything)) == "trial-exhausted"

"""How strong a login has to be, without a server."""

from __future__ import annotations

from typing import Any

import pytest

from app.db.login import (
    METHODS,
    Logins,
    Proof,
    allowed_methods,
    as_libpq,
    parse_methods,
    proof_in,
    trusts_whoever_answers,
    with_proof,
)
from app.db.settings import ConnectionSettings, settings_from_body

SCRAM = Proof(scram=True)


def settings(**changes: Any) -> ConnectionSettings:
    """Settings with changes."""
    fields = {"host": "db.example", "port": 5432, "database": "team", "username": "lead", "password": "secret"}
    return settings_from_body({**fields, **changes})


@pytest.mark.parametrize(
    ("typed", "proof", "reveal", "expected"),
    [
        ({}, Proof(), False, "!password,!md5"),
        ({}, Proof(), True, None),
        ({}, SCRAM, False, "scram-sha-256"),
        ({}, SCRAM, True, "scram-sha-256"),
        ({"auth": "none"}, Proof(), False, "!password,!md5"),
        ({"auth": "kerberos"}, SCRAM, True, "gss,sspi"),
        ({"auth": "certificate"}, Proof(), True, "none"),
        ({"require_auth": "scram-sha-256,password"}, Proof(), False, "scram-sha-256"),
        ({"require_auth": "!gss,!sspi"}, Proof(), False, "scram-sha-256,none"),
    ],
)
def test_only_these_ways_of_logging_in_pass(
    typed: dict[str, Any], proof: Proof, reveal: bool, expected: str | None
) -> None:
    """What was typed narrows it, what was proven is not undercut."""
    assert as_libpq(allowed_methods(settings(**typed), proof, reveal=reveal)) == expected


def test_methods_are_read_as_libpq_reads_them() -> None:
    """All of them, or none with an exclamation mark."""
    assert parse_methods("md5, none") == {"md5", "none"}
    assert parse_methods("!md5,!none") == set(METHODS) - {"md5", "none"}


def test_proof_is_kept_among_the_saved_values_and_survives_damage() -> None:
    """Whatever else stands there proves nothing."""
    proof = Proof(scram=True, channel_binding=True)

    assert proof_in(with_proof({"host": "h"}, proof)) == proof
    assert with_proof({"host": "h", "login": {}}, Proof()) == {"host": "h"}
    damages: tuple[Any, ...] = (None, [], "x", {"scram": "true"}, {"scram": 1})
    for damage in damages:
        assert proof_in({"login": damage}) == Proof()


def test_what_is_known_belongs_to_one_server_and_user_and_is_forgotten_with_a_save() -> None:
    """The name of the database does not matter."""
    logins, here = Logins(), settings()
    logins.use_password(here, "token")
    logins.prove(here, SCRAM)

    assert (logins.password(settings(database="other")), logins.proof(settings(database="other"))) == ("token", SCRAM)
    assert (logins.password(settings(host="other")), logins.proof(settings(username="other"))) == ("secret", Proof())
    logins.forget()
    assert (logins.password(here), logins.proof(here)) == ("secret", Proof())


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({}, True),
        ({"sslmode": "verify-ca"}, True),
        ({"sslmode": "verify-full"}, False),
        ({"host": "127.0.0.1,localhost,[::1]"}, False),
        ({"host": "/run/postgresql"}, False),
        ({"host": "localhost,db.example"}, True),
        ({"auth": "kerberos"}, False),
    ],
)
def test_server_elsewhere_that_nothing_vouches_for_is_warned_of(typed: dict[str, Any], expected: bool) -> None:
    """Below full verification anybody on the way may answer."""
    assert trusts_whoever_answers(settings(**typed)) is expected

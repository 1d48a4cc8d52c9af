"""Tokens of users, as the sidecar issues them to whoever embeds it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.support.owners import error_of, ok
from tests.support.tokens import JWT_SECRET, token_for

if TYPE_CHECKING:
    import httpx

    from tests.conftest import SidecarFactory
    from tests.support.databases import Backend
    from tests.support.sidecar import Sidecar

NO_ID = "user_id: String should have 1 to 255 printable characters, without blanks at its ends"
PATH = "/api/v1/auth/token"


def issue(sidecar: Sidecar, **body: Any) -> httpx.Response:
    """Ask for a token."""
    return sidecar.request("POST", PATH, json=body)


def status(sidecar: Sidecar, token: str) -> httpx.Response:
    """Use a token for what it is good for."""
    return sidecar.request("GET", "/api/api-keys/status", token=token)


@pytest.mark.in_turn
def test_a_token_is_good_for_fifteen_minutes(ai_backend: Backend) -> None:
    """For its user, and to everybody who knows the secret; no cache may keep it."""
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)

    answer = issue(ai_backend.sidecar, user_id="ann")

    issued = ok(answer)
    assert set(issued) == {"token", "expires_at"}
    assert answer.headers["Cache-Control"] == "no-store"
    expires_at = dt.datetime.fromisoformat(issued["expires_at"])
    assert issued["expires_at"].endswith("Z")
    assert dt.timedelta(minutes=15) <= expires_at - before <= dt.timedelta(minutes=15, seconds=30)
    claims = jwt.decode(issued["token"], JWT_SECRET, algorithms=["HS256"])
    assert (claims["sub"], claims["exp"]) == ("ann", expires_at.timestamp())
    assert "tenant_id" not in claims
    assert status(ai_backend.sidecar, issued["token"]).status_code == 200


def test_a_token_does_not_make_tokens(ai_backend: Backend) -> None:
    """Nor does it open anything that takes the launch token."""
    token = ok(issue(ai_backend.sidecar, user_id="ann"))["token"]

    for given in (token, token_for("ann"), "", "nonsense"):
        answer = ai_backend.sidecar.request("POST", PATH, json={"user_id": "root"}, token=given)
        assert error_of(answer)[:2] == (401, "unauthorized")


@pytest.mark.parametrize("user_id", ["1", "a@b.example", "Ann Smith", "Zoë 🔑", "0" * 255, "a:b/c", "../ann"])
def test_sound_ids(ai_backend: Backend, user_id: str) -> None:
    """Whatever an application calls its users; the token is good for exactly that one."""
    token = ok(issue(ai_backend.sidecar, user_id=user_id))["token"]

    assert jwt.decode(token, JWT_SECRET, algorithms=["HS256"])["sub"] == user_id
    assert status(ai_backend.sidecar, token).status_code == 200


@pytest.mark.rules
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "user_id: Field required"),
        ({"user_id": None}, "user_id: field cannot be null"),
        ({"user_id": 1}, "user_id: Input should be a valid string"),
        ({"user_id": ["ann"]}, "user_id: Input should be a valid string"),
        ({"user_id": "a\x00"}, "user_id: Input should not contain NUL characters"),
        *(
            (
                {"user_id": user_id},
                "user_id: String should have 1 to 255 printable characters, without blanks at its ends",
            )
            for user_id in ("", " ", " ann", "ann ", "ann\n", "a\tb", "a\u202eb", "x" * 256)
        ),
    ],
)
def test_unsound_ids(ai_backend: Backend, body: dict[str, Any], sentence: str) -> None:
    """What no token could hold is refused rather than changed: ` 1` is not `1`."""
    assert error_of(issue(ai_backend.sidecar, **body)) == (400, "validation", sentence)


def test_without_a_secret_there_are_no_tokens(sidecar_factory: SidecarFactory) -> None:
    """The answer names what is missing; a broken rule is told first."""
    sidecar = sidecar_factory().wait_healthy()

    answer = issue(sidecar, user_id="ann")

    assert error_of(answer)[:2] == (503, "jwt-not-configured")
    assert "JWT_SECRET_KEY" in answer.json()["error"]
    assert "Retry-After" not in answer.headers, "waiting alone does not set it"
    assert error_of(issue(sidecar))[0] == 400


def test_tokens_outlive_the_sidecar_and_not_its_secret(sidecar_factory: SidecarFactory) -> None:
    """Another start with the same secret knows them, one with another secret does not."""
    first = sidecar_factory(env={"JWT_SECRET_KEY": JWT_SECRET}).wait_healthy()
    same = sidecar_factory(env={"JWT_SECRET_KEY": JWT_SECRET}).wait_healthy()
    other = sidecar_factory(env={"JWT_SECRET_KEY": JWT_SECRET[::-1]}).wait_healthy()
    token = ok(issue(first, user_id="ann"))["token"]

    assert [status(sidecar, token).status_code for sidecar in (first, same, other)] == [200, 200, 401]


def test_tokens_of_another_application_are_refused(sidecar_factory: SidecarFactory) -> None:
    """With JWT_AUDIENCE and JWT_ISSUER the secret alone is not enough; what the sidecar issues itself has both."""
    env = {"JWT_SECRET_KEY": JWT_SECRET, "JWT_AUDIENCE": "taskflow", "JWT_ISSUER": "https://id.example"}
    sidecar = sidecar_factory(env=env).wait_healthy()
    own = ok(issue(sidecar, user_id="ann"))["token"]
    claims = jwt.decode(own, JWT_SECRET, algorithms=["HS256"], audience="taskflow")
    theirs = jwt.encode({**claims, "aud": "another"}, JWT_SECRET, algorithm="HS256")
    refresh = jwt.encode(claims, JWT_SECRET, algorithm="HS256", headers={"typ": "refresh+jwt"})
    stronger = [jwt.encode(claims, JWT_SECRET, algorithm=name) for name in ("HS384", "HS512")]

    answers = [status(sidecar, token).status_code for token in (own, theirs, refresh, *stronger)]

    assert answers == [200, 401, 401, 401, 401]


def test_no_auth_still_asks_who_a_user_is(sidecar_factory: SidecarFactory) -> None:
    """`--no-auth` leaves out the launch token; whose keys are meant, only a user's token tells."""
    sidecar = sidecar_factory(args=("--no-auth",), env={"JWT_SECRET_KEY": JWT_SECRET}).wait_healthy()

    token = ok(sidecar.request("POST", PATH, json={"user_id": "ann"}, token=""))["token"]

    assert sidecar.request("GET", "/api/api-keys/status", token="").status_code == 401
    assert status(sidecar, token).status_code == 200
    assert sidecar.request("GET", "/api/api-keys/status-initial", token="").status_code == 200
    assert sidecar.request("GET", "/api/v1/tenants", token="").status_code == 200
    assert sidecar.request("GET", "/api/v1/tenants", token=token).status_code == 403


def test_secrets_and_tokens_are_not_logged(sidecar_factory: SidecarFactory) -> None:
    """Not at level debug, nor in refusals."""
    sidecar = sidecar_factory(args=("--log-level", "debug"), env={"JWT_SECRET_KEY": JWT_SECRET}).wait_healthy()
    token = ok(issue(sidecar, user_id="ann"))["token"]
    status(sidecar, token)
    status(sidecar, token[:-1])
    sidecar.stop()

    said = sidecar.stderr_text() + sidecar.log_text()
    assert JWT_SECRET not in said
    assert token.split(".")[2] not in said
    assert token.split(".")[1] not in said

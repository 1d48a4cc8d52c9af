"""What the pipeline reports is what `/health`, the status document and the data calls tell."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from app.core.exceptions import DatabaseAwayError
from app.core.problems import problem
from app.core.readiness import (
    FAILED,
    POSTGRESQL,
    READY,
    RECONNECTING,
    SETUP_REQUIRED,
    STAGES,
    STARTING,
    STARTING_SENTENCE,
    Readiness,
    Run,
)

LOST = "Database connection lost. Please retry."
DATABASE = {"dialect": "postgresql", "host": "db.example"}


@pytest.fixture
def readiness() -> Readiness:
    """The state of a process that has just begun."""
    return Readiness()


def made_ready(readiness: Readiness) -> Run:
    """Report a whole run."""
    run = readiness.begin_run()
    for name in STAGES[:-1]:
        with run.stage(name):
            pass
    with run.stage("ready"):
        run.ready(DATABASE)
    return run


def stages(readiness: Readiness) -> dict[str, str]:
    """The state of each stage."""
    return {entry["name"]: entry["state"] for entry in readiness.document()["stages"]}


def refusal(readiness: Readiness) -> tuple[str, str]:
    """What a data call is told: sentence and code."""
    with pytest.raises(DatabaseAwayError) as caught:
        readiness.require_ready()
    assert caught.value.status == 503
    met = readiness.problem
    assert caught.value.headers == ({"Retry-After": "5"} if met is None or met.retryable else {})
    return caught.value.message, caught.value.code


def test_new_process_is_starting(readiness: Readiness) -> None:
    """Before the first report everything is pending, and data calls are told to wait."""
    document = readiness.document()

    assert (document["state"], document["problem"], document["database"]) == (STARTING, None, None)
    assert set(stages(readiness).values()) == {"pending"}
    assert refusal(readiness) == (STARTING_SENTENCE, "starting")
    assert readiness.sentence == STARTING_SENTENCE


def test_document_is_plain_json(readiness: Readiness) -> None:
    """It is sent as it is."""
    made_ready(readiness)

    assert json.loads(json.dumps(readiness.document())) == readiness.document()


def test_run_shows_its_stages(readiness: Readiness) -> None:
    """One runs, those before are done, those after pending; the elapsed time grows while it runs and then stays."""
    run = readiness.begin_run()
    with run.stage("config"):
        pass
    with run.stage("key"):
        assert stages(readiness) == {**dict.fromkeys(STAGES, "pending"), "config": "done", "key": "running"}
        run.attempt("key", 3)
        first = _entry(readiness, "key")
        time.sleep(0.01)
        second = _entry(readiness, "key")
    third = _entry(readiness, "key")
    time.sleep(0.01)

    assert first["attempt"] == third["attempt"] == 3
    assert first["elapsed_ms"] < second["elapsed_ms"] <= third["elapsed_ms"]
    assert _entry(readiness, "key") == third
    assert set(first) == {"name", "state", "elapsed_ms", "attempt"}


def _entry(readiness: Readiness, name: str) -> dict[str, Any]:
    entry: dict[str, Any] = readiness.document()["stages"][STAGES.index(name)]
    return entry


def test_failed_stage_says_so(readiness: Readiness) -> None:
    """The error goes on to the pipeline."""
    run = readiness.begin_run()

    with pytest.raises(OSError, match="disk"), run.stage("credentials"):
        raise OSError("disk")

    assert stages(readiness)["credentials"] == "failed"


def test_ready_flips_the_flag(readiness: Readiness) -> None:
    """Data calls pass, and nothing of an earlier problem is left."""
    run = readiness.begin_run()
    run.problem(problem("connection-refused"), state=RECONNECTING, retry_in_s=0.5)
    run.mode(POSTGRESQL)
    run.key("0123456789abcdef")

    with run.stage("ready"):
        assert run.ready(DATABASE)

    document = readiness.document()
    assert readiness.is_ready
    readiness.require_ready()
    assert (document["state"], document["problem"], document["mode"]) == (READY, None, POSTGRESQL)
    assert (document["database"], document["key_fingerprint"]) == (DATABASE, "0123456789abcdef")
    assert set(stages(readiness).values()) == {"done"}


def test_message_of_a_stage_is_the_sentence_while_it_runs(readiness: Readiness) -> None:
    """Somebody who waits for another desktop reads that."""
    run = readiness.begin_run()
    with run.stage("migrate"):
        run.message("migrate", "Another desktop is upgrading the database.")
        assert readiness.sentence == "Another desktop is upgrading the database."
        assert _entry(readiness, "migrate")["message"] == readiness.sentence

    assert readiness.sentence == STARTING_SENTENCE
    assert "message" not in _entry(readiness, "migrate")


@pytest.mark.parametrize(
    ("code", "state"), [("password-rejected", FAILED), ("database-not-configured", SETUP_REQUIRED)]
)
def test_problem_is_told_to_everybody(readiness: Readiness, code: str, state: str) -> None:
    """Status, `/health` and data calls use the same sentence."""
    found = problem(code)

    readiness.begin_run().problem(found, state=state)

    document = readiness.document()["problem"]
    assert set(document) == {"code", "message", "remedy", "retryable", "who", "since", "next_retry_in_s", "details"}
    assert (document["code"], document["message"], document["who"]) == (code, found.message, found.who)
    assert document["next_retry_in_s"] is None
    assert (readiness.state, readiness.sentence) == (state, found.message)
    assert refusal(readiness) == (found.message, code)


def test_time_of_the_next_attempt_counts_down(readiness: Readiness) -> None:
    """Whoever looks sees what is left, never less than nothing."""
    run = readiness.begin_run()
    run.problem(problem("connection-refused"), state=RECONNECTING, retry_in_s=4.0)
    assert readiness.document()["problem"]["next_retry_in_s"] == pytest.approx(4.0, abs=0.2)

    run.problem(problem("connection-refused"), state=RECONNECTING, retry_in_s=-1.0)

    assert readiness.document()["problem"]["next_retry_in_s"] == 0.0


def test_since_is_when_the_problem_began(readiness: Readiness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not when it was last seen; another problem begins anew."""
    run = readiness.begin_run()
    for now, code, since in [
        (0, "connection-refused", "1970-01-01T00:00:00Z"),
        (60, "connection-refused", "1970-01-01T00:00:00Z"),
        (90, "server-starting", "1970-01-01T00:01:30Z"),
    ]:
        monkeypatch.setattr(time, "time", lambda now=now: now)
        run.problem(problem(code), state=RECONNECTING, retry_in_s=1)
        assert readiness.document()["problem"]["since"] == since


def test_loss_is_one_step(readiness: Readiness) -> None:
    """Nobody ever sees a state between ready and reconnecting, and the database stays named."""
    made_ready(readiness)
    seen: list[tuple[str, bool, str]] = []

    with readiness.listening(lambda: seen.append((readiness.state, readiness.is_ready, readiness.away().message))):
        run = readiness.begin_run(lost=problem("connection-refused"))

    assert seen == [(RECONNECTING, False, LOST)]
    assert readiness.document()["database"] == DATABASE
    assert readiness.document()["problem"]["code"] == "connection-refused"
    run.problem(problem("server-starting"), state=RECONNECTING, retry_in_s=1)
    assert refusal(readiness) == (LOST, "connection-lost"), "it was ready once, and so it is lost"


def test_outage_before_the_first_success_tells_its_reason(readiness: Readiness) -> None:
    """Nothing was lost that was never there."""
    run = readiness.begin_run()

    run.problem(problem("connection-refused"), state=RECONNECTING, retry_in_s=1)

    assert refusal(readiness) == (problem("connection-refused").message, "connection-refused")


def test_loss_that_cannot_be_cured_tells_its_reason(readiness: Readiness) -> None:
    """To retry would be in vain."""
    made_ready(readiness)

    readiness.begin_run(lost=problem("password-rejected")).problem(problem("password-rejected"), state=FAILED)

    assert refusal(readiness) == (problem("password-rejected").message, "password-rejected")


def test_new_settings_begin_anew(readiness: Readiness) -> None:
    """What was known of another database is forgotten at once."""
    made_ready(readiness)

    readiness.begin_run()

    document = readiness.document()
    assert (document["state"], document["database"], document["problem"]) == (STARTING, None, None)
    assert not readiness.is_ready
    assert refusal(readiness) == (STARTING_SENTENCE, "starting")


def test_superseded_run_changes_nothing(readiness: Readiness) -> None:
    """An attempt that hung for minutes must not bring its old database back."""
    old = readiness.begin_run()
    new = readiness.begin_run()
    before = readiness.document()

    assert old.superseded.is_set()
    assert not new.superseded.is_set()
    with old.stage("connect"):
        old.attempt("connect", 9)
        old.target({"dialect": "sqlite"})
        old.problem(problem("connection-refused"), state=RECONNECTING, retry_in_s=1)
    assert not old.ready({"dialect": "sqlite"})

    assert readiness.document() == before
    assert not readiness.is_ready


def test_end_is_final(readiness: Readiness) -> None:
    """While the process stops nothing is ready any more."""
    run = made_ready(readiness)

    readiness.end()

    assert run.superseded.is_set()
    assert not run.ready(DATABASE)
    assert not readiness.is_ready


def test_listeners_hear_each_change_until_they_leave(readiness: Readiness) -> None:
    """Each sees the new state already."""
    seen: list[str] = []
    with readiness.listening(lambda: seen.append(readiness.state)):
        made_ready(readiness)
    count = len(seen)

    readiness.begin_run()

    assert seen[0] == STARTING
    assert seen[-1] == READY
    assert len(seen) == count


def test_readers_never_see_a_mixture(readiness: Readiness) -> None:
    """While one thread reports run after run, the parts of each document belong together."""
    over = threading.Event()
    wrong: list[object] = []

    def look() -> None:
        while not over.is_set():
            document = readiness.document()
            is_sound = {
                STARTING: document["problem"] is None,
                READY: document["problem"] is None and document["database"] is not None,
                RECONNECTING: document["problem"] is not None,
            }
            if not is_sound[document["state"]]:
                wrong.append(document)

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(300):
        made_ready(readiness)
        readiness.begin_run(lost=problem("connection-lost"))
    over.set()
    for reader in readers:
        reader.join()

    assert wrong == []

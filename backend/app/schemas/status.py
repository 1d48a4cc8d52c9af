"""The status document."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.schemas.common import Timestamp


class Healthy(msgspec.Struct):
    """The connection is proven and the schema is at head."""

    status: Literal["healthy"]


class Unhealthy(msgspec.Struct):
    """Not ready, and why."""

    status: Literal["unhealthy"]
    error: Annotated[str, Meta(description="One sentence for a person")]


class ProblemDetails(msgspec.Struct):
    """Facts for whoever repairs it; null is what is not known, or not safe to show."""

    host: str | None
    port: Annotated[int | str | None, Meta(description="Text if there are several hosts with a port each")]
    username: str | None
    database: str | None
    sqlstate: Annotated[str | None, Meta(description="PostgreSQL's own code, where the server told one")]
    step: Annotated[str | None, Meta(description="The stage that met the problem")]
    at: Annotated[str | None, Meta(description="When it was met last", extra_json_schema={"format": "date-time"})]


class ProblemBody(msgspec.Struct):
    """What is wrong, in words for a person."""

    code: Annotated[str, Meta(description="Stable machine code; later versions may know more of them")]
    message: Annotated[str, Meta(description="One sentence: what is wrong")]
    remedy: Annotated[str, Meta(description="One sentence: what to do about it")]
    retryable: Annotated[bool, Meta(description="Whether trying again may help without anybody doing anything")]
    who: Annotated[Literal["you", "database administrator", "developer"], Meta(description="Who can fix it")]
    since: Timestamp
    next_retry_in_s: Annotated[float | None, Meta(description="Seconds until the next attempt; null if none is due")]
    details: ProblemDetails | UnsetType = UNSET


class StageBody(msgspec.Struct):
    """One stage of start-up."""

    name: Literal["config", "key", "credentials", "connect", "migrate", "ready"]
    state: Literal["pending", "running", "done", "failed"]
    elapsed_ms: int
    attempt: Annotated[int, Meta(description="Counted from 1; 0 while the stage is pending")]
    message: Annotated[str, Meta(description="What the stage waits for; only while it does")] | UnsetType = UNSET


class DatabaseBody(msgspec.Struct):
    """The database in use, without the password; null is what is not known yet or does not apply."""

    dialect: Literal["postgresql", "sqlite"]
    server_version: str | None
    host: str | None
    port: Annotated[int | str | None, Meta(description="Text if there are several hosts with a port each")]
    database: str | None
    username: str | None
    tls: bool | None
    revision: Annotated[str | None, Meta(description="Present revision of the schema")]
    head: Annotated[str | None, Meta(description="Newest revision that this version knows")]
    clock_offset_s: Annotated[
        float | None, Meta(description="Seconds by which this computer's clock is ahead of the database's")
    ]
    history_lost_at: Annotated[
        Timestamp | None,
        Meta(description="When the server's history was found to have gone back: what was written last is lost"),
    ]


class VaultBody(msgspec.Struct):
    """The vault's state and the fingerprint of the key it uses, or needs."""

    state: Literal["unlocked", "locked", "rolled-back", "unavailable"]
    key_fingerprint: str | None
    needs_fingerprint: Annotated[str | None, Meta(description="Of the key that is not at hand; only while locked")]
    access: Annotated[
        Literal["member", "requested", "none"],
        Meta(description="Whether this desktop is in, asks to come in, or neither"),
    ]


class StatusDocument(msgspec.Struct):
    """Everything there is to tell about the sidecar."""

    state: Literal["starting", "setup_required", "ready", "failed", "reconnecting"]
    mode: Annotated[Literal["embedded", "postgresql"] | None, Meta(description="Null while nothing is configured")]
    version: str
    protocol: Annotated[int, Meta(description="Version of the conversation between launcher and sidecar")]
    instance: Annotated[str, Meta(description="Random, one for each launch")]
    config_dir: str
    problem: ProblemBody | None
    stages: Annotated[list[StageBody], Meta(description="In the order in which they run")]
    database: DatabaseBody | None
    vault: VaultBody

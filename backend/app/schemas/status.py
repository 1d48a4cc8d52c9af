"""The status document."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType


class HealthBody(msgspec.Struct):
    """Body of `/health`: `error` only when unhealthy."""

    status: str
    error: str | UnsetType = UNSET


class ProblemBody(msgspec.Struct):
    """What is wrong, in words for a person."""

    code: str
    message: str
    remedy: str
    retryable: bool
    who: str
    since: str
    next_retry_in_s: float | None


class StageBody(msgspec.Struct):
    """One stage of start-up; `message` only while it waits for something."""

    name: str
    state: str
    elapsed_ms: int
    attempt: int
    message: str | UnsetType = UNSET


class DatabaseBody(msgspec.Struct):
    """The database in use, without the password."""

    dialect: str
    server_version: str | None
    host: str | None
    port: int | str | None
    database: str | None
    username: str | None
    tls: bool | None
    revision: str | None
    head: str | None


class VaultBody(msgspec.Struct):
    """The vault's state and the fingerprint of the key it uses, or needs."""

    state: str
    key_fingerprint: str | None
    needs_fingerprint: str | None


class StatusDocument(msgspec.Struct):
    """Everything there is to tell about the sidecar."""

    state: str
    mode: str
    version: str
    protocol: int
    instance: str
    config_dir: str
    problem: ProblemBody | None
    stages: list[StageBody]
    database: DatabaseBody | None
    vault: VaultBody

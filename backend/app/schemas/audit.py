"""Response bodies of the audit log."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from app.schemas.common import Timestamp

Cause = Literal["history-lost"]
ProblemKind = Literal[
    "edited",
    "missing",
    "reordered",
    "unlinked",
    "inserted",
    "replaced",
    "truncated",
    "unknown-writer",
    "vault-replaced",
]


class AuditOwner(msgspec.Struct):
    """Whom the secret belongs to."""

    kind: str
    id: str


class AuditEntry(msgspec.Struct):
    """What was done with which secret, by whom, and its place in its writer's chain."""

    seq: int
    time: Timestamp
    actor: str
    device: str
    action: str
    owner: AuditOwner | None
    name: str | None
    fingerprint: str | None
    outcome: str
    reason: str | None
    count: Annotated[int, Meta(description="How many times; uses are collapsed to one entry a minute")]
    writer: Annotated[str, Meta(description="Installation and fingerprint of its local root key")]
    writer_seq: Annotated[int, Meta(description="Number in the writer's chain, without gaps")]
    prev: Annotated[str, Meta(description="MAC of the entry before in the chain")]
    mac: str


class AuditPage(msgspec.Struct):
    """Entries, newest first."""

    entries: list[AuditEntry]
    next_cursor: Annotated[str | None, Meta(description="For the entries that follow; null at the end")]


class AuditHead(msgspec.Struct):
    """Where a chain ends."""

    writer: str
    writer_seq: int
    mac: str


class AuditProblem(msgspec.Struct):
    """A trace of tampering."""

    seq: Annotated[int | None, Meta(description="Entry at which it shows; null if nothing is left of the chain")]
    kind: ProblemKind
    cause: Annotated[
        Cause | None,
        Meta(description="Why, if the log tells: the server's history had gone back, as after a failover that lost it"),
    ] = None


class AuditGap(msgspec.Struct):
    """Entries of one chain that are not there."""

    writer: str
    first: Annotated[int, Meta(description="`writer_seq` of the first that is missing")]
    last: int
    cause: Cause | None
    accepted: Annotated[bool, Meta(description="A member has stated that they are lost; an entry of the log tells so")]


class Verification(msgspec.Struct):
    """Whether every chain is intact."""

    ok: bool
    entries: int
    unchecked: Annotated[
        int, Meta(description="Entries of other desktops whose key is not at hand: only numbers and links were checked")
    ]
    head: Annotated[AuditHead | None, Meta(description="The end of this desktop's own chain")]
    problems: list[AuditProblem]
    gaps: list[AuditGap] = []

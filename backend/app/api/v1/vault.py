"""HTTP for the vault itself; the secrets of each kind of owner have resources of their own."""

from __future__ import annotations

from litestar import Controller, get, post

from app.api.openapi import JsonBody, errors
from app.schemas.vault import (
    AcceptBody,
    BulkAnswer,
    BulkBody,
    RecoveryBody,
    ResetBody,
    RotationDocument,
    UnlockBody,
    VaultDocument,
    VaultVerification,
)
from app.services.audit.log import Audit
from app.services.vault.bulk import apply_operations
from app.services.vault.rotation import Rotations
from app.services.vault.unlocking import accept, keep_recovery_code, reset, unlock
from app.services.vault.vault import Vault

ACTOR = "launch-token"


class VaultController(Controller):
    """State, ways out of locked, rotation, bulk writes."""

    path = "/vault"
    tags = ["vault"]

    @get("/", sync_to_thread=True, responses=errors(503), summary="The vault")
    def get_vault(self, vault: Vault) -> VaultDocument:
        """Its state, and what it holds by count; nothing is decrypted."""
        return vault.document()

    @post(
        "/unlock",
        dto=JsonBody[UnlockBody],
        status_code=200,
        sync_to_thread=True,
        responses=errors(400, 413, 503),
        summary="Unlock",
    )
    def unlock(self, data: UnlockBody, vault: Vault, audit: Audit) -> VaultDocument:
        """Give the key that the vault needs, or its recovery code; this computer's own key opens it from then on."""
        given = {"encryption_key": data.encryption_key, "recovery_code": data.recovery_code}
        unlock(vault.attachment, audit, **given, actor=ACTOR)
        return vault.document()

    @post(
        "/reset",
        dto=JsonBody[ResetBody],
        status_code=200,
        sync_to_thread=True,
        responses=errors(400, 409, 413, 503),
        summary="Give a lost key up",
    )
    def reset(self, data: ResetBody, vault: Vault, audit: Audit) -> VaultDocument:
        """Start a new vault key; what the lost one protected stays, unreadable, and is replaced one by one."""
        reset(vault.attachment, audit, confirm=data.confirm, actor=ACTOR)
        return vault.document()

    @post(
        "/recovery",
        dto=JsonBody[RecoveryBody],
        status_code=200,
        sync_to_thread=True,
        responses=errors(400, 413, 423, 503),
        summary="Set the recovery code",
    )
    def recovery(self, data: RecoveryBody, vault: Vault, audit: Audit, rotations: Rotations) -> VaultDocument:
        """Let 160 random bits that the caller has made and a person has typed from paper open the vault.

        The code is in no answer: whoever made it shows it. An older code no longer opens the vault, and as somebody
        may have kept what it opened, the vault key is rotated.
        """
        if keep_recovery_code(vault.attachment, audit, data.recovery_code, actor=ACTOR):
            rotations.start(actor=ACTOR)
            rotations.work_in_background()
        return vault.document()

    @post(
        "/accept",
        dto=JsonBody[AcceptBody],
        status_code=200,
        sync_to_thread=True,
        responses=errors(400, 409, 413, 423, 503),
        summary="Accept what the database says",
    )
    def accept(self, data: AcceptBody, vault: Vault, audit: Audit) -> VaultDocument:
        """Believe an older state than this computer has seen, such as a backup that was restored."""
        accept(vault.attachment, audit, confirm=data.confirm, actor=ACTOR)
        return vault.document()

    @get("/verify", sync_to_thread=True, responses=errors(503), summary="Verify the vault")
    def verify(self, vault: Vault) -> VaultVerification:
        """Every secret is opened and compared with the manifest; whatever is not as it was left is told."""
        return vault.verified()

    @post("/rotate", status_code=202, sync_to_thread=True, responses=errors(423, 503), summary="Rotate the vault key")
    def rotate(self, rotations: Rotations) -> RotationDocument:
        """Begin in the background; a rotation that runs already goes on."""
        document = rotations.start(actor=ACTOR)
        rotations.work_in_background()
        return document

    @get("/rotation", sync_to_thread=True, responses=errors(503), summary="Progress of the rotation")
    def rotation(self, rotations: Rotations) -> RotationDocument:
        """The present or the last rotation."""
        return rotations.document()

    @post(
        "/bulk",
        dto=JsonBody[BulkBody],
        status_code=200,
        sync_to_thread=True,
        responses=errors(400, 413, 423, 503),
        summary="Write many secrets",
    )
    def bulk(self, data: BulkBody, vault: Vault) -> BulkAnswer:
        """All or nothing."""
        return apply_operations(vault, data.operations, actor=ACTOR)

"""`taskflow-sidecar vault`: state, rotation, verification, recovery code; `app.commands.legacy` holds the rest."""

from __future__ import annotations

import json

import click

from app.commands.devices import approve, ask, devices, remove
from app.commands.legacy import encrypt_legacy, import_json
from app.commands.opened import opened_vault
from app.commands.options import as_json_option, config_for, directory_option
from app.commands.printable import printable

ACTOR = "cli"


@click.group()
def vault() -> None:
    """The vault: secrets in the configured database."""


for command in (devices, ask, approve, remove):
    vault.add_command(command)
vault.add_command(encrypt_legacy)
vault.add_command(import_json)


@vault.command("status")
@directory_option
@as_json_option
def vault_status(config_dir: str | None, *, as_json: bool) -> int:
    """Tell the vault's state and what it holds, by count."""
    import msgspec

    with opened_vault(config_for(config_dir)) as services:
        document = services.vault.document()
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(document), indent=2))
        return 0
    click.echo(f"state: {document.state}, key {document.key_fingerprint}")
    if document.needs_fingerprint is not None:
        click.echo(f"needs the key {document.needs_fingerprint}")
    click.echo(f"secrets: {document.secrets}, unreadable: {document.unreadable}")
    click.echo(f"recovery code: {'made' if document.has_recovery_code else 'none'}")
    return 0


@vault.command("rotate")
@directory_option
@as_json_option
def vault_rotate(config_dir: str | None, *, as_json: bool) -> int:
    """Replace the vault key and seal every secret anew; an interrupted rotation goes on."""
    import msgspec

    from app.commands.progress import progress

    with opened_vault(config_for(config_dir)) as services, progress() as report:
        services.rotations.start(actor=ACTOR)
        services.rotations.work(lambda job: report("Sealing secrets anew", job.done, job.total))
        document = services.rotations.document()
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(document), indent=2))
    elif document.state != "done":
        click.echo(f"Another sidecar is at it: {document.done} of {document.total}.")
    else:
        click.echo(f"{document.done} secrets were sealed anew under the key {document.to_kid}.")
        if document.quarantined:
            click.echo(
                f"{document.quarantined} could not be opened here and were left as they are; see 'vault verify'."
            )
    return 0 if document.state == "done" else 1


@vault.command("verify")
@directory_option
@as_json_option
def vault_verify(config_dir: str | None, *, as_json: bool) -> int:
    """Open every secret; list those that do not open, which are marked. Ends with 0 only if all open."""
    import msgspec

    from app.services.vault.check import verify

    with opened_vault(config_for(config_dir)) as services:
        tally, broken = verify(services.vault.attachment, services.database)
        found = services.vault.verified()
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found), indent=2))
        return 0 if found.ok else 1
    click.echo(f"{tally.opened} secrets open, {tally.broken} do not.")
    for info in broken:
        click.echo(f"  {printable(f'{info.owner_kind} {info.owner_id}: {info.name}')}")
    if tally.locked:
        click.echo(f"{tally.locked} lie under a key that is not at hand.")
    if tally.waiting:
        click.echo(f"{tally.waiting} were stored with another API_KEY_ENCRYPTION_SECRET than the one set here.")
    for finding in found.findings:
        where = " ".join(filter(None, (finding.owner_kind, finding.owner_id, finding.name)))
        click.echo("  " + printable(f"{finding.kind}{f' ({where})' if where else ''}: {finding.message}"))
    return 0 if found.ok else 1


@vault.command("accept")
@directory_option
@click.option("--confirm", metavar="ID", required=True, help="The vault's id, which 'vault status' prints.")
def vault_accept(config_dir: str | None, confirm: str) -> int:
    """Believe what the database says, though this computer has seen a newer state of the vault."""
    from app.services.vault.unlocking import accept

    with opened_vault(config_for(config_dir)) as services:
        accept(services.vault.attachment, services.audit, confirm=confirm, actor=ACTOR)
    click.echo("The state of the vault is accepted.")
    return 0


@vault.command("recovery")
@directory_option
def vault_recovery(config_dir: str | None) -> int:
    """Make a recovery code to print out; it opens the vault when every key is lost. An older code is replaced."""
    from app.services.vault.recovery import is_same_code, new_recovery_code
    from app.services.vault.unlocking import keep_recovery_code

    with opened_vault(config_for(config_dir)) as services:
        services.vault.attachment.unlocked_keys()
        code = new_recovery_code()
        click.echo(f"Recovery code: {code}\nPrint it, keep it away from this computer, and enter it once more.")
        if not is_same_code(click.prompt("Recovery code", prompt_suffix=": "), code):
            click.echo("taskflow-sidecar: That is another code; nothing was changed.", err=True)
            return 1
        if keep_recovery_code(services.vault.attachment, services.audit, code, actor=ACTOR):
            services.rotations.start(actor=ACTOR)
            services.rotations.work()
    click.echo("The recovery code is set.")
    return 0

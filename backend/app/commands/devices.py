"""The commands `vault devices`, `ask`, `approve` and `remove`; codes are typed at a prompt, never arguments."""

from __future__ import annotations

import json

import click

from app.commands.opened import opened_vault
from app.commands.options import as_json_option, config_for, directory_option
from app.commands.printable import printable

ACTOR = "cli"


@click.command("devices")
@directory_option
@as_json_option
def devices(config_dir: str | None, *, as_json: bool) -> int:
    """List the desktops of the vault, those that ask to come in first."""
    import msgspec

    with opened_vault(config_for(config_dir)) as services:
        found = services.team.devices()
    if as_json:
        click.echo(json.dumps({"items": msgspec.to_builtins(found)}, indent=2))
        return 0
    for device in found:
        when = f"asked {device.requested_at}" if device.state == "requested" else f"last seen {device.last_seen_at}"
        here = ", this computer" if device.is_this else ""
        click.echo(f"{device.device_id}  {device.state:9}  {printable(device.label)}  ({when}{here})")
    return 0


@click.command("ask")
@directory_option
@click.option("--label", help="How this computer is to be called there; user and host name unless given.")
def ask(config_dir: str | None, label: str | None) -> int:
    """Ask to come into the team's vault; prints the code that is to be read out to somebody who is in."""
    from app.core.exceptions import UsageError
    from app.schemas.devices import MAX_LABEL_CHARS

    label = label.strip() if label is not None else None
    if label is not None and not 0 < len(label) <= MAX_LABEL_CHARS:
        raise UsageError(f"A label has 1 to {MAX_LABEL_CHARS} characters.")
    with opened_vault(config_for(config_dir)) as services:
        asked = services.team.ask(label, actor=ACTOR)
    click.echo(f"Code: {asked.code}")
    click.echo(
        f"Read it out to somebody whose desktop is in: by telephone, not by mail. Valid until {asked.expires_at}."
    )
    click.echo(f"There: taskflow-sidecar vault approve {asked.device_id}")
    return 0


@click.command("approve")
@directory_option
@click.argument("device_id", metavar="ID")
def approve(config_dir: str | None, device_id: str) -> int:
    """Let the desktop ID in; asks for the code that its person reads out."""
    config, device_id = config_for(config_dir), device_id.strip().lower()
    with opened_vault(config) as services:
        asking = services.team.asking(device_id)
    click.echo(f"{printable(asking.label)} asks to come in. Let the person there read the code to you, by telephone.")
    code = click.prompt("Code", prompt_suffix=": ")  # typed in their own time: no session waits for it
    with opened_vault(config) as services:
        device = services.team.approve(device_id, code, actor=ACTOR)
    click.echo(f"{printable(device.label)} is in.")
    return 0


@click.command("remove")
@directory_option
@click.argument("device_id", metavar="ID")
def remove(config_dir: str | None, device_id: str) -> int:
    """Remove the desktop ID, which replaces the vault key; or reject its request."""
    from app.commands.progress import progress

    with opened_vault(config_for(config_dir)) as services, progress() as report:
        removal = services.team.remove(device_id.strip().lower(), actor=ACTOR)
        if removal is not None:
            services.rotations.work(lambda job: report("Sealing secrets anew", job.done, job.total))
            services.team.finish_leaving()
    if removal is None:
        click.echo("The request is rejected.")
        return 0
    click.echo("The desktop is removed, and the vault key replaced.")
    click.echo(f"It could have read {removal.secrets} secrets: replace them at their providers.")
    if removal.recovery_code_void:
        click.echo("The recovery code is void: make a new one with 'taskflow-sidecar vault recovery'.")
    return 0

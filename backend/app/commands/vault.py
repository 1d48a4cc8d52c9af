"""`taskflow-sidecar vault`: state, rotation, verification, recovery code; `app.commands.legacy` holds the rest."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from app.commands.legacy import encrypt_legacy, import_json
from app.commands.options import as_json_option, config_for, directory_option
from app.core.exceptions import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.schemas.vault import RotationDocument

ACTOR = "cli"


@click.group()
def vault() -> None:
    """The vault: secrets in the configured database."""


vault.add_command(encrypt_legacy)
vault.add_command(import_json)


@vault.command("status")
@directory_option
@as_json_option
def vault_status(config_dir: str | None, *, as_json: bool) -> int:
    """Tell the vault's state and what it holds, by count."""
    import msgspec

    from app.services.standalone import standalone

    with standalone(config_for(config_dir)) as services:
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

    from app.services.standalone import standalone

    with standalone(config_for(config_dir)) as services:
        services.rotations.start(actor=ACTOR)
        with _progress(quiet=as_json) as show:
            services.rotations.work(show)
        document = services.rotations.document()
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(document), indent=2))
    elif document.state == "done":
        click.echo(f"Rotated {document.done} secrets; {document.quarantined} do not open and were left as they are.")
    else:
        click.echo(f"Another sidecar is at it: {document.done} of {document.total}.")
    return 0


class _progress:  # noqa: N801 - reads as a verb where it is used
    """A progress bar on a terminal, plain lines elsewhere, nothing if `quiet`."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._last = -1

    def __enter__(self) -> Callable[[RotationDocument], None]:
        """Return what shows a document."""
        return self._show

    def __exit__(self, *_: object) -> None:
        """End the bar's line."""
        if not self._quiet and self._last >= 0 and sys.stderr.isatty():
            click.echo(err=True)

    def _show(self, document: RotationDocument) -> None:
        if self._quiet:
            return
        percent = 100 if document.total == 0 else min(100, document.done * 100 // document.total)
        if sys.stderr.isatty():
            bar = "#" * (percent // 4)
            click.echo(f"\r[{bar:25}] {document.done}/{document.total}", nl=False, err=True)
        elif percent // 10 != self._last // 10:
            click.echo(f"{document.state}: {document.done} of {document.total}", err=True)
        self._last = percent


@vault.command("verify")
@directory_option
@as_json_option
def vault_verify(config_dir: str | None, *, as_json: bool) -> int:
    """Open every secret; list those that do not open, which are marked. Ends with 0 only if all open."""
    import msgspec

    from app.services.standalone import standalone

    with standalone(config_for(config_dir)) as services:
        opened, broken = services.vault.verify()
    if as_json:
        click.echo(json.dumps({"opened": opened, "unreadable": msgspec.to_builtins(broken)}, indent=2))
    else:
        click.echo(f"{opened} secrets open, {len(broken)} do not.")
        for info in broken:
            click.echo(f"  {info.owner_kind} {info.owner_id}: {info.name}")
    return 1 if broken else 0


@vault.command("recovery")
@directory_option
def vault_recovery(config_dir: str | None) -> int:
    """Make a recovery code to print out; it opens the vault when every key is lost. An older code is replaced."""
    from app.services.standalone import standalone

    def shown_and_repeated(code: str) -> bool:
        click.echo(f"Recovery code: {code}\nPrint it, keep it away from this computer, and enter it once more.")
        repeated = click.prompt("Recovery code", hide_input=False, prompt_suffix=": ")
        return "".join(str(repeated).split()).replace("-", "").upper() == code.replace("-", "")

    with standalone(config_for(config_dir)) as services:
        try:
            services.vault.make_recovery_code(actor=ACTOR, check=shown_and_repeated)
        except RequestError as exc:
            click.echo(f"taskflow-sidecar: {exc.message}.", err=True)
            return 1
    click.echo("The recovery code is set.")
    return 0

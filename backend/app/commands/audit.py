"""`taskflow-sidecar audit`: read, verify and export the audit log, beside a stopped or a running sidecar."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.options import as_json_option, config_for, directory_option
from app.commands.printable import printable

if TYPE_CHECKING:
    from app.schemas.audit import AuditEntry, Verification


@click.group()
def audit() -> None:
    """The audit log: what was done with which secret, by whom."""


@audit.command("list")
@directory_option
@as_json_option
@click.option("--owner-kind", metavar="KIND", help="Only of this kind of owner, such as tenant.")
@click.option("--owner-id", metavar="ID", help="Only of this owner.")
@click.option("--action", metavar="ACTION", help="Only this, such as reveal.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="Entries to print.")
@click.option("--cursor", type=click.IntRange(1), help="Go on after an earlier list; it printed the number.")
def audit_list(config_dir: str | None, *, as_json: bool, **filters: Any) -> int:
    """Print entries, newest first."""
    import msgspec

    from app.services.audit.standalone import readable_audit

    with readable_audit(config_for(config_dir)) as log:
        page = log.page(**filters)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(page), indent=2))
        return 0
    for entry in page.entries:
        click.echo(_line(entry))
    if page.next_cursor is not None:
        click.echo(f"There is more: --cursor {page.next_cursor}", err=True)
    return 0


@audit.command("verify")
@directory_option
@as_json_option
def audit_verify(config_dir: str | None, *, as_json: bool) -> int:
    """Check every entry. Ends with 0 only if nothing was edited, deleted, inserted, moved or cut off."""
    import msgspec

    from app.services.audit.standalone import readable_audit

    with readable_audit(config_for(config_dir)) as log:
        verdict = log.verify()
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(verdict), indent=2))
    else:
        click.echo("\n".join(_verdict_lines(verdict)))
    return 0 if verdict.ok else 1


@audit.command("export")
@directory_option
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path), help="Instead of stdout.")
def audit_export(config_dir: str | None, output: Path | None) -> int:
    """Print every entry as a line of JSON, oldest first; chains and MACs are among it."""
    from app.core.exceptions import UsageError
    from app.services.audit.standalone import readable_audit

    with readable_audit(config_for(config_dir)) as log:
        if output is None:
            with contextlib.suppress(BrokenPipeError):  # whoever reads has seen enough
                for line in log.export():
                    click.echo(line)
            return 0
        try:
            count = _write_lines(output, log.export())
        except OSError as exc:
            raise UsageError(f"The file cannot be written: {exc.strerror}.") from None
    click.echo(f"{count} entries written.", err=True)
    return 0


@audit.command("accept-gap")
@directory_option
@as_json_option
@click.option("--confirm", metavar="ID", required=True, help="The vault's id, which 'vault status' prints.")
def audit_accept_gap(config_dir: str | None, confirm: str, *, as_json: bool) -> int:
    """State that entries which are missing are lost, as after a failover or a restore; the log tells who did."""
    import msgspec

    from app.commands.opened import opened_vault
    from app.services.audit.history import accept_gaps

    with opened_vault(config_for(config_dir)) as services:
        gaps = accept_gaps(services.audit, confirm=confirm, actor="cli")
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(gaps), indent=2))
        return 0
    for gap in gaps:
        click.echo("Accepted as lost: " + printable(f"entries {gap.first} to {gap.last} of {gap.writer}"))
    if not gaps:
        click.echo("The lost history is accepted; no entry is missing.")
    return 0


def _write_lines(path: Path, lines: Any) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(f"{line}\n")
            count += 1
    return count


def _verdict_lines(verdict: Verification) -> list[str]:
    lines = [f"{verdict.entries} entries; {_state(verdict)}."]
    if verdict.unchecked:
        lines.append(
            f"{verdict.unchecked} of them were written under keys that are not at hand: of these only numbers and"
            " links were checked."
        )
    for problem in verdict.problems:
        place = "end of a chain" if problem.seq is None else f"entry {problem.seq}"
        lines.append(f"  {place}: {problem.kind}" + (" (the server's history has gone back)" if problem.cause else ""))
    lines += [
        printable(f"  entries {gap.first} to {gap.last} of {gap.writer} are lost; that was accepted")
        for gap in verdict.gaps
        if gap.accepted
    ]
    if any(not gap.accepted for gap in verdict.gaps):
        lines.append("After a failover that lost data, or a restore, 'audit accept-gap' states that entries are lost.")
    return lines


def _state(verdict: Verification) -> str:
    if verdict.ok:
        return "the log is intact"
    if not verdict.problems:
        return "the log is not to be checked here as a whole"
    if all(problem.cause is not None for problem in verdict.problems):
        return "the log has lost entries with the server's history"
    return "the log was tampered with"


def _line(entry: AuditEntry) -> str:
    """Return one entry on one line; whatever somebody put into the table cannot steer the terminal."""
    owner = "-" if entry.owner is None else f"{entry.owner.kind}/{entry.owner.id}"
    times = f" x{entry.count}" if entry.count != 1 else ""
    reason = f" ({entry.reason})" if entry.reason is not None else ""
    text = (
        f"{entry.seq} {entry.time} {entry.action}{times} {owner} {entry.name or '-'} {entry.outcome}{reason}"
        f" by {entry.actor} on {entry.device}"
    )
    return printable(text)

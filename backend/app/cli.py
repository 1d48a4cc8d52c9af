"""The command line: serve (default), status, key, doctor, migrations, demo, openapi."""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any, Final

import click

from app import __version__
from app.commands.audit import audit
from app.commands.options import as_json_option, config_for, directory_option
from app.commands.vault import vault
from app.commands.work import work
from app.core.config import VARIABLES
from app.core.exceptions import FatalError, ProblemError, RequestError
from app.core.logging import LEVELS, redact
from app.core.memory import keep_private

if TYPE_CHECKING:
    from collections.abc import Sequence


_SELDOM: Final = 50_000
"""Objects more than freed until a command looks for garbage: importing makes none, and is most of what it does."""


class _DefaultToServe(click.Group):
    """``taskflow-sidecar --port 0`` means ``taskflow-sidecar serve --port 0``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "-h", "--version")):
            args = ["serve", *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command when this one is unknown."""
        import difflib

        if args and self.get_command(ctx, args[0]) is None:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1, cutoff=0.5)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            ctx.fail(f"No such command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)


def _environment_help() -> str:
    return "\b\n" + "\n".join(f"{v.name} (default: {v.default})\n    {v.help}" for v in VARIABLES)


@click.group(
    cls=_DefaultToServe,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"Environment:\n\n{_environment_help()}",
)
@click.version_option(__version__, prog_name="taskflow-sidecar")
@click.pass_context
def cli(context: click.Context) -> None:
    """Connect a team to its PostgreSQL, keep its secrets encrypted, tell the truth about readiness."""
    if context.invoked_subcommand != "serve":  # which has its own way with garbage
        gc.set_threshold(_SELDOM)


@cli.command()
@click.option("--port", type=click.IntRange(0, 65535), help="TCP port on 127.0.0.1; 0 for any free one.")
@directory_option
@click.option("--stdio", is_flag=True, help="Run by a launcher: handshake on stdin, events on stdout.")
@click.option("--no-auth", is_flag=True, help="Development only: ask for no token.")
@click.option("--open", "open_browser", is_flag=True, help="Open the interface in the browser.")
@click.option("--log-level", type=click.Choice(LEVELS, case_sensitive=False), help="How much to log.")
def serve(**flags: Any) -> int:
    """Run the sidecar until it is stopped."""
    from app.sidecar.process import serve as run_sidecar

    return run_sidecar(os.environ, **flags)


@cli.command()
@directory_option
@as_json_option
def status(config_dir: str | None, *, as_json: bool) -> int:
    """Tell what the running sidecar does."""
    from app.commands.client import SidecarClient

    document = SidecarClient.of(config_for(config_dir).config_dir).get("/api/v1/status")
    if as_json:
        click.echo(json.dumps(document, indent=2))
        return 0
    click.echo(f"state: {document['state']} ({document['mode']}), version {document['version']}")
    for stage in document["stages"]:
        click.echo(f"  {stage['name']:12} {stage['state']:8} {stage['elapsed_ms']} ms")
    if document["problem"] is not None:
        click.echo(f"{document['problem']['message']} {document['problem']['remedy']}")
    return 0


cli.add_command(vault)
cli.add_command(work)
cli.add_command(audit)


@cli.group()
def key() -> None:
    """The key file fernet.key."""


@key.command("rotate")
@directory_option
def key_rotate(config_dir: str | None) -> int:
    """Replace fernet.key and re-encrypt what hangs on it, beside a stopped sidecar or through a running one.

    Not re-encrypted is what 'vault encrypt-legacy' wrote into another application's database: while that is in use,
    keep the key.
    """
    from app.commands.client import SidecarClient
    from app.core.exceptions import AlreadyRunningError
    from app.core.ownership import owned
    from app.core.security import prepare_config_directory, remove_interrupted_writes, rotate_keys
    from app.services.vault.standalone import adopt_everywhere

    config = config_for(config_dir)
    directory = config.config_dir
    prepare_config_directory(directory)
    try:
        with owned(directory):
            remove_interrupted_writes(directory)
            retired = rotate_keys(directory, lambda ring: adopt_everywhere(config, ring, actor="cli"))
    except AlreadyRunningError:
        retired = SidecarClient.of(directory).post("/api/v1/settings/rotate-key")["retired"]
    click.echo("fernet.key was replaced; the saved connection is encrypted under the new key.")
    if not retired:
        click.echo("The database was not reached: the old key stays beside the new one until the next rotation.")
    return 0


@cli.command()
@directory_option
@as_json_option
@click.option("--bundle", metavar="FILE", help="Write a redacted support archive.")
@click.option("--details", is_flag=True, help="Print the facts of the connection too; --json always has them.")
def doctor(config_dir: str | None, bundle: str | None, *, as_json: bool, details: bool) -> int:
    """Check everything the sidecar needs; print what is wrong and the remedy."""
    from app.services.doctor import examine, write_bundle

    config = config_for(config_dir)
    checks = examine(config)
    if as_json:
        click.echo(json.dumps([check.document() for check in checks], indent=2))
    else:
        for check in checks:
            click.echo("\n".join([check.line(), *(check.detail_lines() if details else ())]))
    if bundle is not None:
        write_bundle(bundle, config, checks)
        click.echo(f"Support archive written to {bundle}.", err=True)
    return 0 if all(check.ok for check in checks) else 1


@cli.group()
def migrations() -> None:
    """The database schema."""


@migrations.command("current")
@directory_option
def migrations_current(config_dir: str | None) -> int:
    """Print the revision of the configured database and the newest one."""
    from app.db.migrations import HEAD
    from app.services.migrations import revision_of

    click.echo(f"current: {revision_of(config_for(config_dir)) or 'none'}\nhead: {HEAD}")
    return 0


@migrations.command("upgrade")
@directory_option
def migrations_upgrade(config_dir: str | None) -> int:
    """Bring the configured database to the newest revision."""
    from app.db.migrations import HEAD
    from app.services.migrations import upgrade

    upgrade(config_for(config_dir))
    click.echo(f"The schema is at {HEAD}.")
    return 0


@migrations.command("sql")
@directory_option
def migrations_sql(config_dir: str | None) -> int:
    """Print the SQL that brings the configured PostgreSQL to the newest revision, for its administrator."""
    from app.services.migrations import upgrade_script

    click.echo(upgrade_script(config_for(config_dir)), nl=False)
    return 0


@cli.command()
@directory_option
@as_json_option
def demo(config_dir: str | None, *, as_json: bool) -> int:
    """Fill an empty database with a made-up team and its work, so that there is something to look at.

    Works beside a stopped sidecar and beside a running one, whose windows show the team at once. A database that holds
    members or tasks is left alone.
    """
    from app.services.work.demo import fill

    added = fill(config_for(config_dir))
    if as_json:
        click.echo(json.dumps(added._asdict()))
    else:
        click.echo(
            f"Added {added.members} members, {added.tasks} tasks, {added.sub_tasks} sub-tasks and"
            f" {added.daily_updates} daily updates."
        )
    return 0


@cli.command()
def openapi() -> int:
    """Print the OpenAPI document."""
    from app.api.schema import document
    from app.main import described_app

    click.echo(json.dumps(document(described_app), indent=2, sort_keys=True))
    return 0


def run(arguments: Sequence[str]) -> int:
    """Run one command and return the exit status; every error becomes one sentence on stderr."""
    keep_private()
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]  # libpq would let them override what people typed
    try:
        result = cli.main(list(arguments), prog_name="taskflow-sidecar", standalone_mode=False)
    except click.exceptions.Abort:
        return 1
    except click.ClickException as exc:
        exc.show(sys.stderr)
        return exc.exit_code
    except FatalError as exc:
        return _say(str(exc), exc.exit_status)
    except ProblemError as exc:
        return _say(exc.problem.sentence, 1)
    except RequestError as exc:
        return _say(exc.message, 1)
    except Exception:  # noqa: BLE001 - the outermost edge of the process; what Python would print may hold secrets
        click.echo(redact(traceback.format_exc()), err=True)
        return _say("internal error", FatalError.exit_status)
    return result if isinstance(result, int) else 0


def _say(sentence: str, status: int) -> int:
    click.echo(f"taskflow-sidecar: {sentence}", err=True)
    return status

"""`taskflow-sidecar work`: the team's work as a file, out of the configured database and into it."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from app.commands.options import as_json_option, config_for, directory_option

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 1 << 16


@click.group()
def work() -> None:
    """The team's work: members, tasks, sub-tasks and daily updates."""


@work.command("export")
@directory_option
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
def work_export(config_dir: str | None, file: Path | None) -> int:
    """Write the team's work as JSON lines into FILE, or to standard output.

    A FILE that is there already is left alone. Works beside a stopped and a running sidecar.
    """
    from app.services.configured import standalone_database
    from app.services.work.exporting import export_lines

    with standalone_database(config_for(config_dir)) as database, _written(file) as out:
        for line in export_lines(database):
            out.write(line.encode())
    return 0


@contextlib.contextmanager
def _written(file: Path | None) -> Iterator[BinaryIO]:
    """Provide what to write to; of a file that was begun and not finished nothing stays."""
    if file is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        out = file.open("xb")
    except FileExistsError:
        raise click.UsageError("The file exists already.") from None
    except OSError:
        raise click.UsageError("The file cannot be written.") from None
    try:
        with out:
            yield out
    except BaseException:
        file.unlink(missing_ok=True)
        raise


@work.command("import")
@directory_option
@as_json_option
@click.option("--merge-skip", is_flag=True, help="Add what is not there, also to a database that is not empty.")
@click.argument("file", type=click.File("rb"))
def work_import(config_dir: str | None, file: BinaryIO, *, as_json: bool, merge_skip: bool) -> int:
    """Take an export (FILE, or - for standard input) into the configured database: all of it, or nothing."""
    import msgspec

    from app.commands.progress import progress
    from app.services.configured import standalone_database
    from app.services.work.importing import import_lines

    with standalone_database(config_for(config_dir)) as database, progress() as report:
        chunks = iter(lambda: file.read(CHUNK_BYTES), b"")
        added = import_lines(database, chunks, merge=merge_skip, report=lambda done, of: report("Importing", done, of))
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(added)))
    else:
        click.echo(
            f"Added {added.members} members, {added.tasks} tasks, {added.sub_tasks} sub-tasks and"
            f" {added.daily_updates} daily updates; {added.skipped} were there already."
        )
    return 0

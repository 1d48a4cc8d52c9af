"""`taskflow-sidecar vault encrypt-legacy` and `vault import-json`: secrets of applications that came before."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from app.commands.opened import opened_vault
from app.commands.options import as_json_option, config_for, directory_option
from app.core.exceptions import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

ACTOR: Final = "cli"
STDIN: Final = "-"
MAX_URL_CHARS: Final = 1 << 16


@click.command("encrypt-legacy")
@directory_option
@as_json_option
@click.option(
    "--database-url-file",
    "url_file",
    metavar="FILE",
    help="File whose first line is the URL of the application's database; - reads it from stdin. Better than"
    " --database-url, because every user of a computer can see the arguments of its programs.",
)
@click.option(
    "--database-url",
    "url",
    metavar="URL",
    help="postgresql://user:password@host:5432/database or sqlite:///path; - reads it from stdin.",
)
@click.option("--column", "columns", metavar="SPEC", multiple=True, required=True, help="What to encrypt; repeatable.")
@click.option("--apply", "apply", is_flag=True, help="Change the database; without it this is a dry run.")
@click.option("--vacuum", is_flag=True, help="SQLite: rewrite the file afterwards, so that it keeps no old values.")
@click.option(
    "--include-tokens",
    is_flag=True,
    help="Encrypt values that are tokens of another key too, as if they were text; they are left otherwise.",
)
def encrypt_legacy(
    config_dir: str | None,
    url: str | None,
    url_file: str | None,
    columns: tuple[str, ...],
    *,
    apply: bool,
    vacuum: bool,
    include_tokens: bool,
    as_json: bool,
) -> int:
    """Encrypt plaintext in another application's database, where it lies.

    Without --apply nothing is changed: values are only counted. Encrypted values begin with 'encrypted:' and open with
    this program's key; those that do already are left alone, so that the command may be repeated, also after it was
    interrupted. The application may go on working meanwhile.

    \b
    A SPEC is one of these; put it in quotes:
      'cameras.password'                            all rows of a column
      'public.cameras.password'                     the same, with its schema
      'system_settings.value[key=smtp|token]'       rows whose column "key" is "smtp" or "token"
      'alert_rules.actions:$.webhook.secret'        a string inside JSON (json, jsonb or text)
      'alert_rules.actions:$.webhook.headers.*'     * is every member or item
      'alert_rules.actions:$.hooks[*]."x.api-key"'  every item, and a member with a dot in its name
      '"Camera Table"."Pass word"'                  names with unusual characters

    Ends with 0 when nothing is left to look into, with 1 when a value could not be encrypted.
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from app.commands.progress import progress
    from app.services.legacy.encrypting import encrypt_legacy as run
    from app.services.legacy.targets import parse_targets

    targets = parse_targets(columns)
    config = config_for(config_dir)
    with progress() as report:
        outcome = run(
            config,
            _database_url(url, url_file),
            targets,
            report,
            apply=apply,
            vacuum=vacuum,
            include_tokens=include_tokens,
        )
    if as_json:
        click.echo(json.dumps(outcome.document(), indent=2))
    else:
        click.echo("\n".join(outcome.lines()))
    return 0 if outcome.ok else 1


def _database_url(url: str | None, file: str | None) -> str:
    """Return the URL that was given in one of the ways.

    Raises:
        UsageError: none or several were given, or it cannot be read.
    """
    if (url is None) == (file is None):
        raise UsageError("Give the database URL with --database-url-file or with --database-url.")
    if STDIN in (url, file):
        text = _typed_url() if sys.stdin.isatty() else sys.stdin.read(MAX_URL_CHARS)
    elif file is not None:
        text = _content(Path(file))
    else:
        text = url or ""
    lines = text.removeprefix("\ufeff").strip().splitlines()
    if not lines:
        raise UsageError("No database URL was given.")
    return lines[0].strip()


def _typed_url() -> str:
    typed: str = click.prompt("Database URL", hide_input=True, err=True)
    return typed


def _content(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.read(MAX_URL_CHARS)
    except OSError as exc:
        raise UsageError(f"The file with the database URL cannot be read: {exc.strerror}.") from None
    except UnicodeError:
        raise UsageError("The file with the database URL is not UTF-8 text.") from None


@click.command("import-json")
@directory_option
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
def import_json(config_dir: str | None, file: Path) -> int:
    """Take over a global key file: a JSON object of provider name (openai, anthropic, google, deepseek) to key.

    The keys become the system's own, all of them or none; those that are set already are replaced.
    """
    from app.services.legacy.import_json import import_keys
    from app.services.vault.rows import SecretName

    config = config_for(config_dir)

    def store(keys: Mapping[str, str]) -> None:
        with opened_vault(config) as services, services.vault.writing() as connection:
            for provider, key in keys.items():
                services.vault.put(connection, SecretName("system", "default", provider), key, actor=ACTOR)

    hints = import_keys(file, store)
    for provider, hint in hints.items():
        click.echo(f"{provider}: set, {hint}")
    click.echo("The file still holds the keys in plaintext: delete it.")
    return 0

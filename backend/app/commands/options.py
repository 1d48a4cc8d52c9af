"""Options that commands share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from app.core.config import Config

directory_option = click.option("--config-dir", metavar="DIR", help="Config directory instead of TASKFLOW_CONFIG_DIR.")
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def config_for(config_dir: str | None) -> Config:
    """Read the configuration of a command; tell what is odd about it."""
    from app.core.config import Config

    config = Config.from_environ(os.environ, config_dir=config_dir)
    for sentence in config.warnings:
        click.echo(f"taskflow-sidecar: {sentence}", err=True)
    return config

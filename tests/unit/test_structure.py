"""The house keeps its plan: who may import whom, and no circle, not even one that a late import hides."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from litestar import Litestar

from app.api.schema import document
from app.core.config import Config
from app.core.readiness import Readiness
from app.core.security import OWN_FILES
from app.db.session import Database
from app.main import described_app, secrets_app, work_app
from app.parts import secrets as secrets_parts
from app.parts import work as work_parts
from app.sidecar.gate import is_work
from app.sidecar.startup import Startup

if TYPE_CHECKING:
    from collections.abc import Iterator

APP = Path(__file__).parents[2] / "backend" / "app"
PACKAGES = {"core", "db", "models", "schemas", "services", "api", "commands", "parts", "sidecar", "main", "cli"}
SECRETS = {f"services.{name}" for name in ("vault", "audit", "gateway", "targets", "ai_keys", "owners")}
FORBIDDEN: dict[str, set[str]] = {
    "core": PACKAGES - {"core"},
    "services.vault": {"services.providers", "services.ai_keys"},
    "db": {"models", "schemas", "services", "api", "commands", "parts", "sidecar", "main"},
    "models": {"schemas", "services", "api", "commands", "parts", "sidecar", "main"},
    "schemas": {"services", "api", "commands", "parts", "sidecar", "main"},
    "services": {"api", "commands", "parts", "sidecar", "main"},
    "api": {"sidecar", "commands", "parts", "main"},
    "services.work": SECRETS,
    "parts.work": SECRETS,
}
"""By package or module, what it never imports: at the top, inside a function, or for its types."""


class Import(NamedTuple):
    """One import of one of our modules by another."""

    source: str
    target: str
    is_for_types: bool


def modules() -> dict[str, Path]:
    """Return every module by its name below `app`."""
    found = {".".join(path.relative_to(APP).with_suffix("").parts): path for path in APP.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for name, path in found.items()}


MODULES = modules()


def imports_in(name: str) -> Iterator[Import]:
    """Yield what a module imports of ours, wherever in it."""
    nodes = [*ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8")))]
    for_types = {
        id(inner)
        for node in nodes
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in nodes:
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            targets = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in targets:
            known = _known(target)
            if known is not None:
                yield Import(name, known, id(node) in for_types)


def _known(target: str) -> str | None:
    """Return which module of ours an import means: itself, or the one that the name is in."""
    if not target.startswith("app."):
        return None
    name = target.removeprefix("app.")
    return name if name in MODULES else name.rpartition(".")[0] or None


@functools.cache
def all_imports() -> list[Import]:
    """Return every import of ours; read when a test runs, as reading takes a second."""
    return [found for name in MODULES for found in imports_in(name)]


def is_below(name: str, package: str) -> bool:
    """Tell whether a module is a package, or in it."""
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("package", FORBIDDEN)
def test_package_imports_nothing_above_it(package: str) -> None:
    """Data flows one way."""
    assert any(is_below(name, package) for name in MODULES)

    found = [
        f"{source} -> {target}"
        for source, target, _ in all_imports()
        if is_below(source, package) and any(is_below(target, other) for other in FORBIDDEN[package])
    ]

    assert found == []


def test_there_is_no_circle() -> None:
    """Modules can be read in an order in which each stands on those before; imports for types alone do not count."""
    waiting = {
        name: {i.target for i in all_imports() if i.source == name and not i.is_for_types} - {name} for name in MODULES
    }
    while free := {name for name, needs in waiting.items() if not needs & waiting.keys()}:
        waiting = {name: needs for name, needs in waiting.items() if name not in free}

    assert sorted(waiting) == []


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")  # what the framework's next major version will ask for
def test_gate_knows_which_half_serves_each_path(tmp_path: Path) -> None:
    """Every route is served by the half to which the gate passes its path, and the document describes both halves."""
    config = Config(config_dir=tmp_path, data_dir=tmp_path)
    readiness = Readiness()
    database = Database(readiness)
    work = work_parts.assemble(
        config,
        readiness,
        database,
        Startup(config, readiness, database),
        instance="",
        stop=lambda: None,
        want_rest=lambda: None,
    )
    secrets = secrets_parts.assemble(config, database, work)

    halves = work_app(work), secrets_app(work, secrets)
    of_work, of_secrets = ({path for app in half.all() for path in _paths(app)} for half in halves)

    assert {path for path in of_work if not is_work(path)} == set()
    assert {path for path in of_secrets if is_work(path)} == set()
    described = set(document(described_app)["paths"])
    assert described >= {path for path in of_work | of_secrets if path.startswith("/api")}
    for half in halves:
        for app in half.all():
            assert {path for path in _paths(app) if half.at(path) is not app} == set()


def _paths(app: Litestar) -> set[str]:
    return {route.path_format.rstrip("/") or "/" for route in app.routes}


def test_every_file_of_a_service_is_checked_at_the_start() -> None:
    """Whose it is and who may write it, before anything of it is believed."""
    named = re.compile(r'^[A-Z]+_FILE: Final = "([\w.]+)"', re.MULTILINE)
    kept = {name for module in (APP / "services").rglob("*.py") for name in named.findall(module.read_text("utf-8"))}

    assert {"audit.head", "vault.later"} <= kept <= set(OWN_FILES)

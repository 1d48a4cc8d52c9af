"""What is not loaded until it is used. Each case has an interpreter of its own, in which nothing is loaded yet."""

from __future__ import annotations

import subprocess
import sys

from app.core.deferred import DEFERRED

LOADED_BY_A_START = (
    "app.cli, app.sidecar.process, app.sidecar.server, app.sidecar.startup, app.parts.work, app.main, app.api.again,"
    " sqlalchemy.dialects.postgresql.psycopg2, sqlalchemy.dialects.sqlite.pysqlite"
)
WAITING = "[name for name in deferred.DEFERRED if type(sys.modules.get(name)) is deferred._Deferred]"


def run(program: str) -> str:
    """Run a program that begins with all deferred; return what it prints."""
    begin = "import sys, threading\nfrom app.core import deferred\n"
    finished = subprocess.run(
        [sys.executable, "-c", begin + program], capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


def test_a_start_uses_none_of_them() -> None:
    """Else deferring would be for nothing: a library that has come to need one is found here."""
    early = run("deferred.defer()\nimport tempfile, shutil\nprint(type(shutil) is not deferred._Deferred)")
    taken_by_python = {"shutil"} if early == "True" else set()  # by tempfile, in the first releases of 3.11
    waiting = run(f"deferred.defer()\nimport {LOADED_BY_A_START}\nprint(*{WAITING})").split()
    assert set(waiting) == set(DEFERRED) - taken_by_python


def test_they_are_loaded_when_used() -> None:
    """By an attribute, by a name imported from one, below a package."""
    program = """deferred.defer()
import bz2, csv, logging.config, lzma, shutil, yaml
from pdb import Pdb
bz2.compress, lzma.compress
print(yaml.safe_load("a: [1]"), next(csv.reader(["b,c"])), Pdb.__name__, callable(shutil.rmtree))
print(callable(logging.config.dictConfig), """
    told = run(program + WAITING + ")")
    assert told == "{'a': [1]} ['b', 'c'] Pdb True\nTrue []"


def test_a_name_with_a_home_is_taken_from_there() -> None:
    """The rest of its package waits on, and is the same when it comes."""
    program = """deferred.defer()
import uvicorn
from uvicorn import Config
print(uvicorn.Server.__module__, "uvicorn.main" in sys.modules, "click" in sys.modules, end=" ")
print(callable(uvicorn.run), uvicorn.Config is Config, type(uvicorn).__name__)"""
    assert run(program) == "uvicorn.server False False True True module"


def test_threads_that_ask_at_once_get_all_of_it() -> None:
    """The second one waits for what the first one loads; the name that it asks for stands at the module's end."""
    program = """sys.setswitchinterval(1e-6)
deferred.defer()
import yaml
gate, found = threading.Barrier(8), []
def ask():
    gate.wait()
    found.append(yaml.YAMLObject.__name__)
threads = [threading.Thread(target=ask) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(found == ["YAMLObject"] * 8)"""
    assert run(program) == "True"


def test_unknown_name_is_told_as_always() -> None:
    """Also before anything else was asked for; what is loaded already, or not there, is left alone."""
    program = """import csv
deferred.DEFERRED = ("csv", "no_such_module", "shutil")
deferred.defer()
import shutil
try:
    shutil.no_such_name
except AttributeError as exc:
    print(exc, hasattr(shutil, "rmtree"), "no_such_module" in sys.modules, csv.reader is not None)"""
    assert run(program) == "module 'shutil' has no attribute 'no_such_name' True False True"


def test_failure_is_told_each_time() -> None:
    """A module that cannot be loaded is no empty one."""
    program = """import pathlib, tempfile
folder = tempfile.mkdtemp()
pathlib.Path(folder, "broken_module.py").write_text("raise ImportError('broken')")
sys.path.insert(0, folder)
deferred.DEFERRED = ("broken_module",)
deferred.defer()
import broken_module
for _ in range(2):
    try:
        broken_module.name
    except ImportError as exc:
        print(exc, end=" ")
import shutil
shutil.rmtree(folder)"""
    assert run(program) == "broken broken"

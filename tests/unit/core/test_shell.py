"""A start runs no other program."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.support.sidecar import CHECKOUT
from tests.support.windows import PATIENCE

SCRIPT = """
import json, sys
started = []
sys.addaudithook(lambda event, given: started.append(str(given[:2])) if event == "subprocess.Popen" else None)
sys.argv = ["taskflow-sidecar", "--version"]
import app.core.ending
def look(status):
    import platform
    import sqlalchemy, uvicorn.server
    print(json.dumps([status, started, platform.machine(), platform.version()]))
app.core.ending.end_process = look
from app.__main__ import main
main()
"""


def test_no_shell_is_asked_what_system_this_is() -> None:
    """By no package that wants to know the machine; it is told all the same."""
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        timeout=60 * PATIENCE,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "backend")},
    )

    assert finished.returncode == 0, finished.stderr
    status, started, machine, version = json.loads(finished.stdout.splitlines()[-1])
    assert (status, started) == (0, [])
    assert machine
    assert version

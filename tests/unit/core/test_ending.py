"""The end of a process that waits for nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.sidecar import CHECKOUT

SCRIPT = """
import threading, time
from app.core.ending import end_process
threading.Thread(target=time.sleep, args=(60,)).start()
print("said", flush=True)
end_process({status})
"""


@pytest.mark.parametrize("status", [0, 7])
def test_process_ends_at_once_whoever_works(status: int) -> None:
    """With the exit status, and with what was written before."""
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(status=status)],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "backend")},
    )

    assert (finished.returncode, finished.stdout, finished.stderr) == (status, "said\n", "")

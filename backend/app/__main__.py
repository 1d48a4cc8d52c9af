"""Entry point: the one place where errors become exit statuses."""

from __future__ import annotations

import contextlib
import os
import sys


def main() -> None:
    """Run the command line and end the process.

    `os._exit`: threads that wait in libpq for a silent server cannot be interrupted; the end must not wait for them.
    """
    from app.cli import run

    status = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    os._exit(status)


if __name__ == "__main__":
    main()

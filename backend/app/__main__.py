"""Entry point: the one place where errors become exit statuses."""

from __future__ import annotations

import contextlib
import sys


def main() -> None:
    """Run the command line and end the process."""
    from app.core.deferred import defer

    defer()
    from app.cli import run
    from app.core.ending import end_process

    if sys.platform == "win32":
        from app.core.shell import ask_no_shell

        ask_no_shell()
    status = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    end_process(status)


if __name__ == "__main__":
    main()

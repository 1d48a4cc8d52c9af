"""Other processes, as the system shows them: who descends from whom, what was given to them, whether they live."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]

from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence


def descendants(pid: int) -> list[psutil.Process]:
    """The children of a process, and theirs."""
    return list(psutil.Process(pid).children(recursive=True))


def kill(victims: Sequence[psutil.Process], *, timeout_s: float) -> None:
    """Kill processes and wait until none of them runs any more.

    Raises:
        TimeoutError: one lives on.
    """
    for process in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    wait_until(
        lambda: not any(is_running(process) for process in victims),
        timeout_s=timeout_s,
        what="killed processes to end",
    )


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended, and that its parent has yet to reap, does not."""
    try:
        return is_running(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


def arguments(pid: int) -> list[str]:
    """The command line, as every user of the machine sees it."""
    return list(psutil.Process(pid).cmdline())


def environment(pid: int) -> dict[str, str]:
    """The environment that the process was started with, as its user sees it."""
    return dict(psutil.Process(pid).environ())


def is_running(process: psutil.Process) -> bool:
    """Tell whether a process goes on; one that has ended may wait for its new parent to take note."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def let_children_clean_up(timeout_s: float) -> None:
    """Terminate the children of this process, and wait until none of them has children of its own any more."""
    children = psutil.Process().children()
    for child in children:
        child.terminate()
    with contextlib.suppress(TimeoutError):
        wait_until(
            lambda: not any(is_running(child) and child.children() for child in children),
            timeout_s=timeout_s,
            what="the children to clean up",
        )

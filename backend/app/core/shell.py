"""What Python and its packages would ask a shell."""

from __future__ import annotations

import platform
import sys


def ask_no_shell() -> None:
    """Let `platform` take the version of Windows from the system's API.

    It runs `cmd /c ver` for that, once in each process, as soon as a package asks what machine this is, as SQLAlchemy
    and uvicorn do: a tenth of a second of the start, a second where a scanner looks at programs, and a window where
    nobody hid it. A shell that outlives us holds our standard error open, too.
    """
    if sys.platform == "win32":
        setattr(platform, "_syscmd_ver", _as_given)  # noqa: B010 - no public way to do so


def _as_given(system: str = "", release: str = "", version: str = "", *_: object) -> tuple[str, str, str]:
    """Know nothing, as `platform`'s own function does where there is no shell."""
    return system, release, version

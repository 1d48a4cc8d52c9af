"""What a test asks in other words on Windows, or cannot ask there."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from app.core.trust import rights_of

if TYPE_CHECKING:
    from pathlib import Path

forks = pytest.mark.skipif(sys.platform == "win32", reason="the test forks, to be killed in the midst of it")
needs_psql = pytest.mark.skipif(sys.platform == "win32", reason="psql is run where the server's programs are")
needs_own_server = pytest.mark.skipif(
    sys.platform == "win32",
    reason="starts a PostgreSQL or a pooler of its own; there is none for Windows here",
)
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="modes, umask, links and descriptors as POSIX has them")


def is_owner_only(path: Path) -> bool:
    """Whether nobody but the owner may use a file or folder; on Windows under Wine, that nobody else may write to it.

    Wine tells the modes of Linux as access control lists and lets nobody change them; what a real Windows makes of
    lists is tested by injection, in `unit/core/test_windows_acl.py`.
    """
    if os.name == "nt":
        rights = rights_of(path, path.stat())
        return rights.is_ours and not rights.others_write
    return stat.S_IMODE(path.stat().st_mode) & 0o177 == 0o000 or stat.S_IMODE(path.stat().st_mode) == 0o700

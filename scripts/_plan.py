"""What `build.py` makes on a kind of system, told without being there: `build.py --plan darwin-arm64`.

It is made of the same parts as a build: the command, the names, the package's manifest. Only what a build finds there,
such as which libraries there are, it cannot tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from _environment import ROOT
from _npm_package import DIGESTS, archive_of, manifest
from _windows_program import NAME
from notices import LIST, NOTICES

_LIBRARIES = {"linux": ("*.so", "*.so.*"), "win32": ("*.dll", "*.pyd"), "darwin": ("*.so", "*.dylib", "Python")}
"""What stands in `lib/` and is loaded by the system, by patterns of its names."""


@dataclass(frozen=True)
class Plan:
    """A build for one kind of system."""

    system: str
    """As Node names it."""
    version: str
    command: Sequence[str]
    """Of PyInstaller."""

    def document(self) -> dict[str, object]:
        """Return all of it, for people and for tests."""
        return {
            "system": self.system,
            "command": [_below_root(word) for word in self.command],
            "then": self._steps(),
            "package": archive_of(Path(), self.system, self.version).name,
            "package.json": manifest(self.system, self.version),
            "layout": self._layout(),
            "signing": self._signing(),
        }

    @property
    def _operating_system(self) -> str:
        return self.system.partition("-")[0]

    @property
    def _executable(self) -> str:
        return f"{NAME}.exe" if self._operating_system == "win32" else NAME

    def _steps(self) -> list[str]:
        own = {
            "linux": ["strip libraries of debugging symbols"],
            "win32": [],
            "darwin": ["leave of Python.framework its library"],
        }
        return ["write licences and list", "replace links by files", *own[self._operating_system], "write digests"]

    def _layout(self) -> list[str]:
        """What there is in every package, and patterns of what there may be."""
        beside = (self._executable, NOTICES, LIST, DIGESTS, "lib/base_library.zip", "lib/app/")
        libraries = (f"lib/**/{pattern}" for pattern in _LIBRARIES[self._operating_system])
        return ["package.json", "README.md", "LICENSE", *(f"{NAME}/{name}" for name in (*beside, *libraries))]

    def _signing(self) -> dict[str, object] | None:
        """What the app's packager signs with the app; Linux has nothing of the kind."""
        if self._operating_system == "linux":
            return None
        signed = [self._executable, *(f"lib/**/{pattern}" for pattern in _LIBRARIES[self._operating_system])]
        if self._operating_system == "win32":
            return {"files": signed}
        # All by one team, so that library validation needs no exception; nothing writes code while it runs.
        return {"files": signed, "hardened_runtime": True, "entitlements": {}}


def _below_root(word: str) -> str:
    """Name files of the checkout as they are named in it."""
    here, there = PurePath(ROOT).as_posix() + "/", PurePath(word).as_posix()
    return there.replace(here, "") if here in there else word

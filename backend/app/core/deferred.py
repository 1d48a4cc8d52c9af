"""Modules that libraries import for what nothing here does before the first data: they are loaded when first used.

A start is mostly loading code, and some of that is for what a framework or a server can do besides: render YAML, debug,
configure logging by files, pack and unpack, other drivers. `importlib.util.LazyLoader` does the same, but fails where
two threads ask at once (https://github.com/python/cpython/issues/114763), as loading and start-up do here.
"""

from __future__ import annotations

import sys
import threading
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec

HOMES: Final = {"uvicorn": {"Config": "uvicorn.config", "Server": "uvicorn.server"}}
"""Packages that only gather names, those of a command line among them, and where the names that are used come from."""
DEFERRED: Final = (
    *HOMES,
    *("anyio.from_thread", "anyio.to_thread", "bz2", "csv", "email.header", "logging.config", "lzma"),
    *("msgspec.inspect", "pdb", "shutil", "yaml"),
    *(f"sqlalchemy.dialects.postgresql.{driver}" for driver in ("asyncpg", "pg8000", "psycopg2cffi")),
    *(f"sqlalchemy.dialects.sqlite.{driver}" for driver in ("aiosqlite", "pysqlcipher")),
)

_WAITING: Final = "__waiting_loader__"
_loading: Final = threading.RLock()


class _Deferred(ModuleType):
    """A module whose content is loaded when an attribute is asked for that it lacks and that has no home elsewhere."""

    def __getattr__(self, name: str) -> Any:
        home = HOMES.get(self.__name__, {}).get(name)
        if home is not None:
            return getattr(import_module(home), name)
        with _loading:  # whoever comes while another thread loads it
            loader = self.__dict__.pop(_WAITING, None)
            if loader is not None:
                try:
                    loader.exec_module(self)
                except BaseException:
                    self.__dict__[_WAITING] = loader  # the next one is told the same
                    raise
                self.__class__ = ModuleType  # type: ignore[assignment]
        return ModuleType.__getattribute__(self, name)


class _Later:
    """Makes a module as its own loader does, and leaves the rest for later."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__dict__[_WAITING] = self._loader
        module.__class__ = _Deferred


class _Finder:
    """Finds what the others find; what is in `DEFERRED` gets another loader."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in DEFERRED:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next((spec for finder in others if (spec := finder.find_spec(name, path, target))), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _Later(spec.loader)  # type: ignore[assignment]
        return spec


def defer() -> None:
    """Put off loading `DEFERRED`, from now on."""
    sys.meta_path.insert(0, _Finder())

"""Modules that libraries import for what nothing here does before the first data: they are loaded when first used.

A start is mostly loading code, and some of that is for what a framework or a server can do besides: render YAML, debug,
configure logging by files, look for plugins in tables. `importlib.util.LazyLoader` does the same, but fails where two
threads ask at once (https://github.com/python/cpython/issues/114763), as loading and start-up do here.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from types import ModuleType
from typing import Any, Final

DEFERRED: Final = ("csv", "logging.config", "pdb", "shutil", "yaml")

_WAITS: Final = "__waits__"
_loading: Final = threading.RLock()


class _Deferred(ModuleType):
    """A module whose content is loaded when an attribute is asked for that it lacks."""

    def __getattr__(self, name: str) -> Any:
        with _loading:  # whoever comes while another thread loads it
            if self.__dict__.pop(_WAITS, False):
                try:
                    self.__spec__.loader.exec_module(self)  # type: ignore[union-attr]  # `defer` has found both
                except BaseException:
                    self.__dict__[_WAITS] = True  # the next one is told the same
                    raise
                self.__class__ = ModuleType  # type: ignore[assignment]
        return ModuleType.__getattribute__(self, name)


def defer() -> None:
    """Put off loading `DEFERRED`, those of them that are there and not loaded yet."""
    for name in DEFERRED:
        if name in sys.modules:
            continue
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            continue
        module = importlib.util.module_from_spec(spec)
        module.__dict__[_WAITS] = True
        module.__class__ = _Deferred
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)

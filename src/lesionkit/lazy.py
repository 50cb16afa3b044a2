"""Packages whose names are imported when they are first used: a domain costs what is used of it."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


class LazyPackage(ModuleType):
    """Its `_HOME` says which of its modules has a name; `_MODULES` are modules that are names.

    A function may have its module's name. An import of the module would put it in the place of the
    function: here it does not.
    """

    _HOME: dict[str, str]
    _MODULES: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        if name in self._MODULES:
            return self._module(name, name)
        if name in self._HOME:
            return getattr(self._module(self._HOME[name], name), name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def _module(self, home: str, name: str) -> ModuleType:
        try:
            return importlib.import_module(f"{self.__name__}.{home}")
        except ModuleNotFoundError as missing:
            from lesionkit import extras

            raise extras.in_words(missing, f"{self.__name__}.{name} needs") from missing

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in self._HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted((*self._HOME, *self._MODULES))


def make_lazy(package: str) -> None:
    """The last line of a package's `__init__.py`."""
    sys.modules[package].__class__ = LazyPackage

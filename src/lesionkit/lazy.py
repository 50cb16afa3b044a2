"""Packages whose names are imported when they are first used: a domain costs what is used of it.

A package's names stand once, in its `__init__.pyi`, which type checkers and editors read as well:
`from lesionkit.texture.glcm import graycomatrix as graycomatrix`, a line for each.
"""

from __future__ import annotations

import importlib
import re
import sys
from types import ModuleType
from typing import Any

_LINE = re.compile(r"^from (\S+) import (?:\(\s*)?(\w+) as", re.MULTILINE)


class LazyPackage(ModuleType):
    """Its `_HOME` says which module has a name; of a module that is a name, the package itself.

    A function may have its module's name. An import of the module would put it in the place of the
    function: here it does not.
    """

    _HOME: dict[str, str]

    def __getattr__(self, name: str) -> Any:
        home = self._HOME.get(name)
        if home is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        module = f"{home}.{name}" if home == self.__name__ else home
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError as missing:
            from lesionkit import extras

            raise extras.in_words(missing, f"{self.__name__}.{name} needs") from missing
        return found if home == self.__name__ else getattr(found, name)

    def __setattr__(self, name: str, value: Any) -> None:
        function = self._HOME.get(name, self.__name__) != self.__name__
        if not (function and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted(self._HOME)


def make_lazy(package: str) -> None:
    """The last line of a package's `__init__.py`."""
    module: Any = sys.modules[package]
    stub = module.__spec__.loader.get_data(re.sub(r"\.pyc?$", ".pyi", module.__file__)).decode()
    module._HOME = {name: home for home, name in _LINE.findall(stub)}
    module.__all__ = sorted(module._HOME)
    module.__class__ = LazyPackage

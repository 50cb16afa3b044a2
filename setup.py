"""Compile csrc/ into one extension module per instruction set (docs/decisions/0002)."""

import os
import platform
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pybind11.setup_helpers import Pybind11Extension
from setuptools import setup
from setuptools.command.build_ext import build_ext

SOURCES = ["csrc/module.cpp", *sorted(map(str, Path("csrc").glob("*/bind*.cpp")))]
HEADERS = sorted(map(str, Path("csrc").rglob("*.hpp")))
FLAGS = ["-O3", "-fvisibility=hidden", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"]

# The level's name is the module's suffix; _core.py picks the highest that the processor has.
X86_LEVELS = {
    "v2": ["-march=x86-64-v2"],
    "v3": ["-march=x86-64-v3"],
    "v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
}
LEVELS = X86_LEVELS if platform.machine() in ("x86_64", "AMD64") else {"generic": []}


def extension(name: str, sources: list[str], flags: list[str]) -> Pybind11Extension:
    return Pybind11Extension(
        f"lesionkit.{name}",
        sources,
        depends=HEADERS,
        include_dirs=["csrc"],
        cxx_std=20,
        extra_compile_args=[*FLAGS, *flags],
    )


class BuildEachApart(build_ext):
    """Each module has its own object directory: inline functions of one level never meet another's."""

    def build_extensions(self) -> None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(self.build_extension, self.extensions))

    def build_extension(self, ext: Pybind11Extension) -> None:
        apart = BuildEachApart(self.distribution)
        apart.__dict__.update(self.__dict__)
        apart.build_temp = os.path.join(self.build_temp, ext.name)
        build_ext.build_extension(apart, ext)


setup(
    ext_modules=[
        extension("_cpu", ["csrc/cpu.cpp"], []),
        *(
            extension(f"_core_{level}", SOURCES, [f"-DLESIONKIT_LEVEL={level}", *flags])
            for level, flags in LEVELS.items()
        ),
    ],
    cmdclass={"build_ext": BuildEachApart},
)

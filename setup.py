"""Compile csrc/ into an extension module for each instruction set asked for
(docs/decisions/0002)."""

import sys
import sysconfig


def refuse(sentence):
    """Stop where lesionkit cannot be built, before anything is imported or compiled.

    Down to here this file is Python of any version; below, no syntax is newer than Python 3.6.
    """
    raise SystemExit("lesionkit " + sentence)


if sys.version_info < (3, 11):
    refuse("needs Python 3.11 or newer, this is %d.%d" % sys.version_info[:2])
if sys.platform == "win32":
    refuse("does not support Windows: install it in WSL (the Windows Subsystem for Linux)")
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    refuse("does not support free-threaded Python: install it in the usual one")

import copy
import os
import platform
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from sysconfig import get_platform
from threading import Semaphore

import pybind11
from pybind11.setup_helpers import ParallelCompile, Pybind11Extension
from setuptools import setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

# What includes pybind11 and brings no loops comes last: of a function that several files have, the
# linker keeps the first.
BINDINGS = ["csrc/module.cpp", *sorted(map(str, Path("csrc").glob("*/bind.cpp")))]
SOURCES = [*sorted({*map(str, Path("csrc").glob("*/**/*.cpp"))} - {*BINDINGS}), *BINDINGS]
HEADERS = sorted(map(str, Path("csrc").rglob("*.hpp")))
KERNELS = sorted(map(str, Path("csrc").rglob("*.cu")))
FLAGS = [
    "-O3",
    "-fvisibility=hidden",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=fast",
]
# Most of the compiler's time would go into pybind11's own code, which no loop waits for.
QUICKLY = {source: ["-O1"] for source in BINDINGS}

# The level's name is the module's suffix; _core picks the highest that the processor has.
X86_LEVELS = {
    "v2": ["-march=x86-64-v2"],
    "v3": ["-march=x86-64-v3"],
    "v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
}
LEVELS = X86_LEVELS if platform.machine() in ("x86_64", "AMD64") else {"generic": []}
# Which are built: "all", or names with commas; unset: the highest that this processor runs.
WANTED = os.environ.get("LESIONKIT_LEVELS", "")

REPOSITORY = "https://github.com/lesionkit/lesionkit"

# Objects are kept from one build to the next, apart for each Python and pybind11.
OBJECTS = Path(
    "build",
    f"objects-{get_platform()}-{sys.implementation.cache_tag}-pybind11-{pybind11.__version__}",
)


def extension(name: str, sources: list[str], flags: list[str]) -> Pybind11Extension:
    return Pybind11Extension(
        f"lesionkit.{name}",
        sources,
        depends=HEADERS,
        include_dirs=["csrc"],
        cxx_std=20,
        extra_compile_args=["-pthread", "-MMD", *FLAGS, *flags],
        extra_link_args=["-pthread"],
    )


def stale(obj: str, command: str) -> bool:
    """Whether `obj` was made by another command (kept in its .command file), or a file of this
    project that it was made from (listed in its .d file) is newer."""
    listing, made_by = Path(obj).with_suffix(".d"), Path(obj).with_suffix(".command")
    if not (os.path.exists(obj) and listing.exists() and made_by.exists()):
        return True
    if made_by.read_text() != command:
        return True
    made_from = re.findall(r"(?<=\s)csrc/[^\s:\\]+", listing.read_text())
    made = os.path.getmtime(obj)
    return any(not os.path.exists(f) or os.path.getmtime(f) > made for f in made_from)


class WithSources(build_py):
    """GPU kernels are compiled when they are first launched: a wheel holds csrc as _csrc.

    An editable install reads the checkout's csrc (lesionkit/gpu.py).
    """

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for source in (*HEADERS, *KERNELS):
                copy_to = Path(
                    self.build_lib, "lesionkit", "_csrc", Path(source).relative_to("csrc")
                )
                self.mkpath(str(copy_to.parent))
                self.copy_file(source, str(copy_to))


class BuildEachApart(build_ext):
    """Each module has its own object directory: functions inlined for one level stay in it."""

    def build_extensions(self) -> None:
        self.require_compiler()
        compile_one, slots = self.compiler._compile, Semaphore(os.cpu_count() or 1)

        def compile_if_stale(
            obj: str, source: str, kind: str, cc: list[str], flags: list[str], pp: list[str]
        ) -> None:
            flags = [*flags, *QUICKLY.get(source, [])]
            command = " ".join([*self.command(), *flags])  # without folders, which pip changes
            if stale(obj, command):
                with slots:
                    compile_one(obj, source, kind, cc, flags, pp)
                Path(obj).with_suffix(".command").write_text(command)

        self.compiler._compile = compile_if_stale
        with ParallelCompile(default=len(SOURCES)), ThreadPoolExecutor() as pool:
            cpu = next(ext for ext in self.extensions if ext.name == "lesionkit._cpu")
            self.build_extension(cpu)
            kept = {f"lesionkit._core_{level}" for level in self.levels(cpu)}
            self.left_out = [e for e in self.extensions if e is not cpu and e.name not in kept]
            self.extensions = [e for e in self.extensions if e not in self.left_out]
            list(pool.map(self.build_extension, [e for e in self.extensions if e is not cpu]))
        for ext in self.left_out:  # what an older build made does not stay beside this one's
            Path(self.get_ext_fullpath(ext.name)).unlink(missing_ok=True)

    def copy_extensions_to_source(self) -> None:
        super().copy_extensions_to_source()
        for ext in self.left_out:
            Path("src", self.get_ext_filename(ext.name)).unlink(missing_ok=True)

    def levels(self, cpu: Pybind11Extension) -> list[str]:
        """The levels to build: those that LESIONKIT_LEVELS names, or the one of this machine."""
        if WANTED == "all":
            return list(LEVELS)
        if WANTED:
            names = WANTED.split(",")
            unknown = set(names) - set(LEVELS)
            if unknown:
                raise SystemExit(
                    f"LESIONKIT_LEVELS must be 'all' or some of {','.join(LEVELS)}, "
                    f"got {sorted(unknown)}"
                )
            return names
        spec = spec_from_file_location("_cpu", self.get_ext_fullpath(cpu.name))
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        if not module.levels():
            raise SystemExit("lesionkit needs a processor of level x86-64-v2 (SSE4.2) or higher")
        return module.levels()[-1:]

    def build_extension(self, ext: Pybind11Extension) -> None:
        apart = copy.copy(self)
        apart.build_temp = str(OBJECTS / ext.name)
        apart.force = True  # to look at each object; linking asks for itself whether it is needed
        build_ext.build_extension(apart, ext)

    def command(self) -> list[str]:
        return getattr(self.compiler, "compiler_so_cxx", self.compiler.compiler_so)

    def require_compiler(self) -> None:
        """Stop with one clear sentence where the compiler is missing or too old."""
        command = self.command()
        flags = ["-std=c++20", *(flag for level in LEVELS.values() for flag in level)]
        test = [*command, *flags, "-x", "c++", "-fsyntax-only", "-"]
        program = "#include <concepts>\n#include <thread>\n"
        try:
            done = subprocess.run(test, input=program, capture_output=True, text=True)
            problem = done.returncode and (done.stderr.strip() or f"it exits {done.returncode}")
        except OSError as missing:
            problem = missing.strerror
        if problem:
            raise SystemExit(
                "lesionkit needs a C++20 compiler: g++ 11 or newer, or clang++ 14 or newer (set "
                f"CXX to choose one). {command[0]!r} cannot do it: {str(problem).splitlines()[0]}"
            )


def readme():
    """README.md, whose links to files of the checkout lead to those of its version."""
    text = Path("README.md").read_text(encoding="utf-8")
    version = re.search(r'(?m)^version = "(.+)"$', Path("pyproject.toml").read_text()).group(1)
    return re.sub(r"\]\((?!\w+:|#)", f"]({REPOSITORY}/blob/v{version}/", text)


setup(
    long_description=readme(),
    long_description_content_type="text/markdown",
    ext_modules=[
        extension("_cpu", ["csrc/cpu.cpp"], []),
        *(
            extension(f"_core_{level}", SOURCES, [f"-DLESIONKIT_LEVEL={level}", *flags])
            for level, flags in LEVELS.items()
        ),
    ],
    cmdclass={"build_ext": BuildEachApart, "build_py": WithSources},
)

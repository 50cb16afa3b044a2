"""What a card would say to a launch: the rules, the launch as the façade asks for it, and the
kernel's parameters as the compiler lays them out."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

import nvrtc
from fake_cupy import OPT_IN
from lesionkit import gpu

REGISTERS = 65536  # of a multiprocessor, given to warps in parts of 256
NUMBERS = {
    "unsigned char": "u1",
    "unsigned short": "u2",
    "int": "i4",
    "unsigned int": "u4",
    "long long": "i8",
    "unsigned long long": "u8",
    "float": "f4",
    "double": "f8",
    "lesionkit::Complex<double>": "c16",
}
"""Types of kernels as NumPy knows them."""


class Launch(NamedTuple):
    """As `gpu.launch` is called."""

    file: str
    kernel: str
    grid: int | Sequence[int]
    block: int | Sequence[int]
    args: Sequence[Any]
    shared: int = 0


class Parameter(NamedTuple):
    type: str  # "double const*", "long long"
    offset: int
    size: int


@cache
def parameters(file: str, kernel: str) -> tuple[Parameter, ...]:
    """Of a kernel, in order, from the compiler: types by its mangled name, sizes by its PTX."""
    compiled = nvrtc.compile_kernels(gpu.source(file), gpu.KERNELS[file], 90)
    name = compiled.names[kernel]
    entry = compiled.ptx.split(f".entry {name}(", 1)[1].split(")", 1)[0]
    types, found, end = _types(demangled(name)), [], 0
    declared = re.findall(
        r"\.param (?:\.align (\d+) )?\.([bfu])(\d+) \w+?(?:\[(\d+)\])?\s*(?:,|$)", entry
    )
    assert len(declared) == len(types), (kernel, entry, types)
    for type_, (align, _, bits, count) in zip(types, declared, strict=True):
        size = int(bits) // 8 * int(count or 1)
        step = int(align or size)
        end = -(-end // step) * step
        found.append(Parameter(type_, end, size))
        end += size
    return tuple(found)


def demangled(name: str) -> str:
    """As C++ writes it; by the compiler's own library."""
    library = ctypes.CDLL("libstdc++.so.6")
    library.__cxa_demangle.restype = ctypes.c_void_p
    text = library.__cxa_demangle(name.encode(), None, None, None)
    assert text, name
    return (ctypes.string_at(text)).decode()


def _types(signature: str) -> list[str]:
    """The arguments' types of a demangled function."""
    types, depth, first = [], 0, signature.rindex("(") + 1
    for i in range(first, len(signature)):
        depth += (signature[i] == "<") - (signature[i] == ">")
        if signature[i] in ",)" and not depth:
            types.append(signature[first:i].strip())
            first = i + 1
    return types


def faults(launch: Launch, card: int) -> list[str]:
    """What that generation of cards would refuse, or a kernel misread."""
    usage = nvrtc.compile_kernels(gpu.source(launch.file), gpu.KERNELS[launch.file], card).usages[
        launch.kernel
    ]
    grid, block = ([*gpu.sizes(n), 1, 1][:3] for n in (launch.grid, launch.block))
    threads, most = math.prod(block), (2**31 - 1, 65535, 65535)
    found = []
    if threads > 1 and threads % 32:
        found.append(f"a block of {threads} threads is no number of whole warps")
    if not 0 < threads <= 1024:
        found.append(f"a block has 1 to 1024 threads, not {threads}")
    if not all(0 < n <= limit for n, limit in zip(grid, most, strict=True)):
        found.append(f"the grid {grid} is out of bounds")
    if usage.shared + launch.shared > OPT_IN[card]:
        found.append(f"{usage.shared} + {launch.shared} bytes of shared memory")
    warps = -(-threads // 32)
    if -(-usage.registers * 32 // 256) * 256 * warps > REGISTERS:
        found.append(f"{usage.registers} registers for each of {threads} threads")
    return found + _arguments(launch)


def _arguments(launch: Launch) -> list[str]:
    wanted = parameters(launch.file, launch.kernel)
    if len(launch.args) != len(wanted):
        return [f"{len(launch.args)} arguments for {len(wanted)} parameters"]
    found = []
    for i, (arg, parameter) in enumerate(zip(map(gpu.scalar, launch.args), wanted, strict=True)):
        if not _fits(arg, parameter):
            given = f"{type(arg).__name__} {getattr(arg, 'dtype', '')}"
            found.append(f"argument {i} is {given}, for {parameter.type}")
    return found


def _fits(arg: Any, parameter: Parameter) -> bool:
    """CuPy passes arrays and None by address, a scalar or a struct by its own bytes."""
    number = isinstance(arg, np.generic) and arg.dtype.kind != "V"
    struct = not number and arg is not None and arg.dtype.kind == "V"
    if not parameter.type.endswith("*"):
        kind = NUMBERS.get(parameter.type)
        if kind is None:
            return struct and arg.nbytes == parameter.size
        return number and f"{arg.dtype.kind}{arg.dtype.itemsize}" == kind
    if arg is None:
        return True
    if number or struct:
        return False
    kind = NUMBERS.get(parameter.type.removesuffix("*").removesuffix(" const"))
    return bool(arg.flags.c_contiguous) and (
        kind is None or f"{arg.dtype.kind}{arg.dtype.itemsize}" == kind
    )


def narrow_offsets(ptx: str) -> list[str]:
    """Lines that make a 64-bit number of one in which 32 bits held a block's number times
    something: past 4 G items it would start anew. (Shared memory is addressed in 32 bits.)
    """
    found = []
    for kernel in re.split(r"\.entry ", ptx)[1:]:
        blocks = set(re.findall(r"mov\.u32 \t?(%r\d+), %ctaid\.[xyz]", kernel))
        products: set[str] = set()
        for line in kernel.splitlines():
            step = re.match(r"\s*(\S+)\s+(%rd?\d+), (.*);", line)
            if not step:
                continue
            operation, result, operands = step[1], step[2], {*step[3].split(", ")}
            wide = result.startswith("%rd")
            if not wide and re.match(r"(mul|mad)\.lo\.|shl\.", operation) and operands & blocks:
                products.add(result)
            elif operands & products:
                if not wide:
                    products.add(result)
                elif re.match(r"cvt\.[su]64|(mul|mad)\.wide", operation):
                    found.append(f"{kernel.split('(')[0]}: {line.strip()}")
    return found

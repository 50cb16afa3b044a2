"""The net: kernels run on the host, and what is broken in them is noticed.

A silent sanitizer proves nothing until a planted fault makes it speak.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import on_host
import pytest
from on_host import ADDRESS, HERE, PLAIN, THREAD, KernelFault, Program

HISTOGRAM = HERE / "histogram.cu"
Builder = Callable[..., Program]
KERNELS = ("histogram<40>", "histogram<3>")
RACE, OVERFLOW = "ThreadSanitizer: data race", "AddressSanitizer: heap"

# In histogram.cu: (what is broken, text as it stands, with the fault, flags, what must be said)
FAULTS = [
    ("first barrier", "  __syncthreads();\n  int32_t part", "  int32_t part", THREAD, RACE),
    ("last barrier", "  __syncthreads();\n  for", "  for", THREAD, RACE),
    ("atomic in a block", "atomicAdd(&mine[values[i]], 1)", "mine[values[i]] += 1", THREAD, RACE),
    ("atomic between blocks", "atomicAdd(sum, warp_sum[w])", "*sum += warp_sum[w]", THREAD, RACE),
    ("bound of the grid", "i < n; i +=", "i <= n; i +=", ADDRESS, OVERFLOW),
    ("bound of shared memory", "values[i] < BINS", "values[i] <= BINS", ADDRESS, OVERFLOW),
    ("dynamic shared memory", "warp_sum[thread / 32]", "warp_sum[thread]", ADDRESS, OVERFLOW),
]


def run(program: Program) -> tuple[np.ndarray, int, np.ndarray]:
    values = np.random.default_rng(0).integers(0, 41, 1001).astype(np.int32)
    counts, total = np.zeros(40, np.int32), np.zeros(1, np.int32)
    program.launch("histogram<40>", 3, 64, [values, len(values), counts, total], shared=2 * 4)
    return counts, int(total[0]), values


@pytest.mark.parametrize("order", on_host.ORDERS)
@pytest.mark.parametrize("flags", [PLAIN, THREAD, ADDRESS], ids=["plain", "thread", "address"])
def test_a_sound_kernel_is_right_and_silent(
    built: Builder, flags: tuple[str, ...], order: on_host.Order
) -> None:
    program = built(HISTOGRAM, KERNELS, flags)
    program.order = order
    counts, total, values = run(program)
    np.testing.assert_array_equal(counts, np.bincount(values, minlength=41)[:40])
    assert total == values.sum()


@pytest.mark.parametrize(
    ("text", "fault", "flags", "said"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_a_fault_is_noticed(
    tmp_path: Path, text: str, fault: str, flags: tuple[str, ...], said: str
) -> None:
    source = HISTOGRAM.read_text()
    assert source.count(text) == 1, "histogram.cu has changed: bring FAULTS up to date"
    broken = tmp_path / "broken.cu"
    broken.write_text(source.replace(text, fault))
    program = on_host.build(tmp_path, broken, KERNELS, flags)
    program.order = "together"
    with pytest.raises(KernelFault, match=said):
        run(program)


def test_shared_memory_is_fresh_for_each_block(built: Builder, tmp_path: Path) -> None:
    """A kernel that does not clear its counters finds neither zeros there nor the last block's."""
    broken = tmp_path / "broken.cu"
    clear = "mine[i] = 0"
    assert clear in HISTOGRAM.read_text()
    broken.write_text(HISTOGRAM.read_text().replace(clear, "(void)mine[i]"))
    counts, _, values = run(on_host.build(tmp_path, broken, KERNELS))
    np.testing.assert_array_equal(counts, np.bincount(values, minlength=41)[:40] - 3)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((np.zeros(3), 3, np.zeros(40, np.int32), None), r"argument 0 .* must be \*i4, got \*f8"),
        ((np.zeros(3, np.int32), np.int32(3), None, None), "argument 1 .* must be i8, got i4"),
        ((np.zeros(3, np.int32), 3.0, None, None), "argument 1 .* must be i8, got f8"),
        ((np.zeros(3, np.int32), 3, None), "takes 4 arguments, got 3"),
    ],
)
def test_arguments_of_the_wrong_type_are_refused(
    built: Builder, args: tuple[object, ...], said: str
) -> None:
    """On a GPU nobody looks at them: the kernel would read other bytes."""
    with pytest.raises(KernelFault, match=said):
        built(HISTOGRAM, KERNELS).launch("histogram<40>", 1, 32, args)

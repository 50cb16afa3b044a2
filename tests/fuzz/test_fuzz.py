"""A short campaign of a fixed seed, and that the table, the judge and the watch do their work."""

from __future__ import annotations

import importlib
import os
import signal
import time
from typing import Any

import numpy as np
import pytest

import lesionkit

for _library in ("torch", "nibabel", "pydicom", "h5py", "SimpleITK"):
    pytest.importorskip(_library)

from . import campaign, table  # noqa: E402
from .arguments import numbers, whole  # noqa: E402
from .judge import judge  # noqa: E402
from .target import Target  # noqa: E402

DOMAINS = ("optics", "texture", "clustering", "fronts", "metrics", "nets", "studies.stroke", "io")


def public(domain: str) -> list[str]:
    module = importlib.import_module(f"lesionkit.{domain}")
    return list(module.__all__)


def test_every_public_name_has_a_line_or_a_reason() -> None:
    have = {target.full_name for target in table.TARGETS}
    have |= {name.rsplit(".", 1)[0] for name in have}  # read_image.png: a kind of read_image
    names = [f"{domain}.{name}" for domain in DOMAINS for name in public(domain)]
    wrong = [name for name in names if (name in have) == (name in table.EXCEPTIONS)]
    assert not wrong, f"one line in the table, or one reason, for {', '.join(wrong)}"


def test_no_name_is_there_twice() -> None:
    names = [target.full_name for target in table.TARGETS]
    assert len(names) == len({*names})


def test_calls_are_the_same_every_time() -> None:
    target = next(target for target in table.TARGETS if target.name == "watershed")
    seen: list[list[str]] = []
    for _ in range(2):
        calls: list[str] = []
        campaign.each_call(
            campaign.Batch(target, 5, 12), lambda i, given, c=calls: c.append(repr(given))
        )
        seen.append(calls)
    assert seen[0] == seen[1]
    assert len({*seen[0]}) > 6


# --- the judge sees each kind ---------------------------------------------------------------------


def target_of(call: Any) -> Target:
    return Target("none", "none", call, {"x": numbers(3, 4), "n": whole(1, 3)})


def kinds(call: Any, **given: Any) -> list[str]:
    given = {"x": np.ones((3, 4)), "n": 1, **given}
    return [finding.kind for finding in judge(target_of(call), given).findings]


def raises(fault: Exception) -> Any:
    def call(x: Any, n: Any) -> Any:
        raise fault

    return call


def overwritten(x: Any, n: Any) -> Any:
    x[0, 0] = 7
    return n


def test_what_is_right_is_not_told() -> None:
    assert kinds(lambda x, n: x.sum(axis=0)) == []
    assert kinds(raises(ValueError("n must be at least 1, got 0"))) == []
    assert kinds(raises(MemoryError())) == []
    assert kinds(lambda x, n: x, x=np.array([[np.nan]])) == []


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (raises(IndexError("x must be long")), "exception"),
        (raises(ValueError("setting an element with a sequence")), "unnamed"),
        (raises(TypeError("n")), "unnamed"),
        (raises(TypeError("f(): incompatible function arguments. x: ...")), "pybind"),
        (lambda x, n: x / 0 * 0, "nan"),
        (lambda x, n: {"a": [1.0, (float("inf"),)]}, "nan"),
        (lambda x, n: x.flags.f_contiguous, "order"),
        (lambda x, n: x * (1 + 1e-11 * x.flags.f_contiguous), "order"),
        (lambda x, n: 1 + 1e-15 * lesionkit.threads(), "threads"),
        (overwritten, "changed"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_wrong_is_told(call: Any, kind: str) -> None:
    assert kinds(call)[:1] == [kind]


def test_a_call_that_dies_or_hangs_is_told_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(campaign, "LIMIT", 0.5)
    monkeypatch.setattr(campaign, "WAIT", 3.0)

    def call(x: Any, n: Any) -> Any:
        if n == 2:
            os.kill(os.getpid(), signal.SIGSEGV)
        if n == 3:
            time.sleep(60)
        while n == 4:
            pass
        return 1.0

    ns = [1, 2, 1, 3, 4, 1]

    def each_call(batch: campaign.Batch, act: Any) -> None:
        for i, n in enumerate(ns):
            act(i, {"x": 0, "n": n})

    monkeypatch.setattr(campaign, "each_call", each_call)
    report = campaign.run([campaign.Batch(target_of(call), seed, 6) for seed in (0, 1)])
    assert report.outcomes == {("none", "answer"): 6, ("none", "fault"): 6}
    assert report.kinds == {("none", "crash"): 2, ("none", "hang"): 4}
    told = sorted(what for what, _ in report.first.values())
    assert told[0].startswith("SIGSEGV")
    assert all(what.startswith("no end within") for what in told[1:])
    assert all(":0:6:" in again for _, again in report.first.values())


# --- and the library ------------------------------------------------------------------------------


@pytest.mark.parametrize("domain", DOMAINS)
def test_nothing_crashes_hangs_or_changes_its_input(domain: str) -> None:
    """A few calls of each function; `python -m tests.fuzz` makes more of them."""
    targets = [target for target in table.TARGETS if target.domain == domain]
    todo = [campaign.Batch(target, 1, max(2, target.batch // 10)) for target in targets]
    report = campaign.run(todo)
    assert report.calls == sum(batch.count for batch in todo)
    bad = {
        key: report.first[key] for key in report.groups if key[1] in ("crash", "hang", "changed")
    }
    assert not bad, bad

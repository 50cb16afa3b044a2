"""One call, judged: what came of it, and what is wrong with that."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

import lesionkit

from .target import Target

ORDER = {"d": 1e-12, "f": 1e-6}  # how far answers of C and F order may be apart, by kind
THREADS = (1, 3)
PACKAGE = os.path.dirname(lesionkit.__file__)


class Finding(NamedTuple):
    """Something wrong, of one of the kinds of KINDS."""

    kind: str
    what: str


class Verdict(NamedTuple):
    outcome: str  # "answer", "refusal" or "fault"
    findings: list[Finding]
    seconds: float


KINDS = {
    "crash": "the process died",
    "hang": "no end within the limit",
    "sanitizer": "AddressSanitizer or UBSan spoke",
    "exception": "neither ValueError, TypeError nor MemoryError",
    "pybind": "a raw signature of the binding",
    "unnamed": "a refusal that names no argument",
    "nan": "NaN or infinity from finite input",
    "order": "C and F order differ",
    "threads": "one and several threads differ",
    "changed": "an input was changed",
    "warning": "a warning of NumPy's arithmetic",
}


def judge(target: Target, given: dict[str, Any]) -> Verdict:
    """Call it; then once more in the other memory order, and with another number of threads."""
    start = time.perf_counter()
    lesionkit.threads(THREADS[0])
    before = dict(_fingerprints(given))
    findings: list[Finding] = []
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            answer, outcome = target.call(**given), "answer"
        except MemoryError:
            answer, outcome = None, "refusal"
        except (ValueError, TypeError) as refusal:
            answer, outcome = None, "refusal"
            findings += _of_refusal(target, refusal)
        except (Exception, SystemExit) as fault:
            answer, outcome = None, "fault"
            findings.append(Finding("exception", f"{_report(fault)} {_place(fault)}"))
    findings += _of_warnings(heard)
    changed = [name for name, mark in _fingerprints(given) if before.get(name) != mark]
    if changed:
        findings.append(Finding("changed", ", ".join(changed)))
    if outcome == "answer":
        findings += _of_numbers(target, given, answer)
        if not changed:
            findings += _of_variants(target, given, answer)
    return Verdict(outcome, findings, time.perf_counter() - start)


def _of_refusal(target: Target, refusal: Exception) -> Iterator[Finding]:
    sentence = str(refusal)
    if "incompatible function arguments" in sentence:
        yield Finding("pybind", sentence.split("(): ")[0])
    elif len(sentence.split()) < 3 or not target.names_an_argument(sentence):
        yield Finding("unnamed", f"{_report(refusal)} {_place(refusal)}")


def _of_warnings(heard: Sequence[warnings.WarningMessage]) -> Iterator[Finding]:
    for warning in heard:
        if issubclass(warning.category, RuntimeWarning) and warning.filename.startswith(PACKAGE):
            yield Finding("warning", f"{warning.message} [{_short(warning.filename)}]")


def _of_numbers(target: Target, given: Mapping[str, Any], answer: Any) -> Iterator[Finding]:
    if target.nonfinite or not all(_finite(array) for _, array in leaves(given)):
        return
    for path, array in leaves(answer):
        if not _finite(array):
            bad = array[~np.isfinite(array)] if array.dtype.kind in "fc" else array
            yield Finding("nan", f"{bad.flat[0]} in {path or 'the answer'}")
            return


def _of_variants(target: Target, given: dict[str, Any], answer: Any) -> Iterator[Finding]:
    if given.get("random_state", 0) is None:  # another answer each time
        return
    turned = {name: _other_order(value) for name, value in given.items()}
    if any(turned[name] is not given[name] for name in given):
        yield from _compare(target, turned, answer, "order")
    lesionkit.threads(THREADS[1])
    yield from _compare(target, given, answer, "threads")


def _compare(target: Target, given: dict[str, Any], answer: Any, kind: str) -> Iterator[Finding]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            other = target.call(**given)
        except Exception as fault:
            yield Finding(kind, f"an answer, and then {_report(fault)}")
            return
    apart = difference(answer, other, kind == "order")
    if apart:
        yield Finding(kind, apart)


def difference(one: Any, other: Any, loosely: bool) -> str:
    """Where two answers differ, by a bit or, loosely, beyond ORDER; "" where they do not."""
    theirs = dict(leaves(other))
    for path, a in leaves(one):
        b = theirs.get(path)
        if b is None or a.shape != b.shape or a.dtype != b.dtype:
            return f"{path or 'the answer'} is of another shape or dtype"
        if a.dtype.kind not in "fc":
            if _bytes(a) != _bytes(b):
                return f"{path or 'the answer'} differs"
            continue
        with np.errstate(all="ignore"):
            same = (a == b) | (np.isnan(a) & np.isnan(b))
            if loosely:
                allowed = ORDER.get(a.dtype.char, 1e-12)
                same |= abs(a - b) <= allowed * np.maximum(abs(a), abs(b))
        if not same.all():
            i = int(np.flatnonzero(~same)[0])
            return f"{path or 'the answer'}: {a.flat[i]!r} and {b.flat[i]!r}"
    return ""


# --- values in arguments and answers --------------------------------------------------------------


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Every array, number and text in an argument or answer, as arrays, with the way there."""
    if _tensor(value):
        value = value.detach()
        value = (value.to_dense() if value.is_sparse else value).cpu().numpy()
    if hasattr(value, "toarray"):
        value = value.toarray()
    if isinstance(value, np.ma.MaskedArray):
        yield f"{path}.mask", np.array(np.ma.getmaskarray(value))
        yield path, np.array(value.filled(0))
    elif isinstance(value, np.ndarray | np.generic | bool | float | complex | str):
        yield path, np.asarray(value)
    elif isinstance(value, int):
        yield path, np.array(str(value))
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from leaves(part, f"{path}[{key}]")
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from leaves(part, f"{path}[{index}]")
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from leaves(getattr(value, field.name), f"{path}.{field.name}")


def _fingerprints(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in given.items():
        parts = [(path, a.shape, a.dtype.str, _bytes(a)) for path, a in leaves(value)]
        yield name, (parts, type(value), getattr(value, "strides", None))


def _bytes(array: np.ndarray) -> Any:
    return repr(array.tolist()) if array.dtype.hasobject else array.tobytes()


def _finite(array: np.ndarray) -> bool:
    if array.dtype.kind in "fc":
        return bool(np.isfinite(array).all())
    return array.dtype.kind != "O"  # nobody knows what an object is


def _tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _other_order(value: Any) -> Any:
    if type(value) is not np.ndarray or value.ndim < 2:
        return value
    return np.ascontiguousarray(value) if not value.flags.c_contiguous else np.asfortranarray(value)


def described(given: Mapping[str, Any]) -> str:
    """The arguments in a line."""
    return ", ".join(f"{name}={_described(value)}" for name, value in given.items())


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        kind = "" if type(value) is np.ndarray else f"{type(value).__name__} "
        order = "C" if value.flags.c_contiguous else "F" if value.flags.f_contiguous else "strided"
        ends = ""
        if value.size and value.dtype.kind in "biuf":
            ends = f" {value.min():.3g}..{value.max():.3g}"
        return f"<{kind}{value.dtype} {value.shape} {order}{ends}>"
    if _tensor(value):
        return f"<tensor {value.dtype} {tuple(value.shape)}{' grad' * value.requires_grad}>"
    text = repr(value)
    return text if len(text) < 60 else f"{text[:57]}..."


# --- faults in words ------------------------------------------------------------------------------


def _report(fault: BaseException) -> str:
    text = " ".join(str(fault).split())
    return f"{type(fault).__name__}: {text[:160]}"


def _place(fault: BaseException) -> str:
    """The innermost line of the library, and the innermost of all where that is another's."""
    frames = traceback.extract_tb(fault.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(PACKAGE)]
    report = [f"{_short(frame.filename)}:{frame.lineno}" for frame in (*ours[-1:], frames[-1])]
    return f"[{', then '.join(dict.fromkeys(report))}]"


def _short(filename: str) -> str:
    return re.sub(r".*/(?:src|site-packages)/", "", filename)


def group(finding: Finding) -> str:
    """The finding without its numbers: two of one group have, most likely, one cause."""
    return re.sub(r"-?\d[\d.e+-]*|(?<=got ).*?(?= \[|$)", "#", finding.what)

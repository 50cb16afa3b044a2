"""lesionkit: a fast backend for lesion imaging.

Domains are loaded when first used: ``lesionkit.optics`` (light in tissue),
``lesionkit.texture`` (GLCM and its kin), ``lesionkit.clustering`` (k-means and fuzzy c-means),
``lesionkit.fronts`` (marching, contours, watershed), ``lesionkit.nets`` (Z-Net and Y-Net; torch),
``lesionkit.radiomics`` (features of regions, as PyRadiomics), ``lesionkit.studies`` (published
studies), ``lesionkit.io`` (image files), ``lesionkit.metrics``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lesionkit import clustering as clustering
    from lesionkit import fronts as fronts
    from lesionkit import io as io
    from lesionkit import metrics as metrics
    from lesionkit import nets as nets
    from lesionkit import optics as optics
    from lesionkit import radiomics as radiomics
    from lesionkit import studies as studies
    from lesionkit import texture as texture


def _check_interpreter() -> None:
    """ImportError before NumPy is imported, which hangs there or fails in words of its own, as the
    compiled module does."""
    for name in ("_interpreters", "_xxsubinterpreters"):  # since Python 3.13, and before
        try:
            interpreters: Any = importlib.import_module(name)
        except ImportError:
            continue
        if interpreters.get_current() != interpreters.get_main():
            raise ImportError(
                "lesionkit works in the main interpreter only, as NumPy does: use threads, whose "
                "kernels run side by side, or processes"
            )
        return


_check_interpreter()

__version__ = "0.1.0"
__all__ = [
    "clustering",
    "fronts",
    "io",
    "metrics",
    "nets",
    "optics",
    "radiomics",
    "studies",
    "texture",
    "threads",
]


def threads(count: int | None = None) -> int:
    """Set how many threads every kernel may use, and return that number.

    The number of threads never changes an answer, not by one bit.

    Parameters
    ----------
    count : int, optional
        1 to 1024; None leaves it as it is. At first: LESIONKIT_NUM_THREADS, else OMP_NUM_THREADS,
        and no more than the processors that this process may run on (its affinity, its container's
        quota).

    Returns
    -------
    int
        Threads from now on.

    Raises
    ------
    TypeError, ValueError
        Where `count` is no such number.

    Examples
    --------
    >>> import lesionkit
    >>> before = lesionkit.threads()
    >>> lesionkit.threads(2)
    2
    >>> _ = lesionkit.threads(before)
    """
    from lesionkit import _core, arrays

    if count is not None:
        _core.set_threads(arrays.integer(count, "count", at_least=1, at_most=1024))
    return int(_core.get_threads())


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"lesionkit.{name}")
    raise AttributeError(f"module 'lesionkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return ["__version__", *__all__]

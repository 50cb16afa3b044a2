"""What the spatial fuzzy c-means have in common: settings, seeds, the order of a fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from lesionkit import arrays
from lesionkit.clustering import fcm_gpu, kmeans_gpu
from lesionkit.clustering.fcm_gpu import MAX_FEATURES
from lesionkit.clustering.images import ImageView, Real, read
from lesionkit.clustering.starts import kernels_for, plus_plus, random_of

Border = Literal["valid", "reflect", "symmetric", "edge"]
BORDERS = ("valid", "reflect", "symmetric", "edge")  # in the order of Border in window.hpp
MAX_CLASSES = 256
MAX_PIXELS = 32767  # of a window
Doubles = npt.NDArray[np.float64]


@dataclass(kw_only=True, eq=False)
class Spatial:
    """Settings that all have, and what happens before and after the passes."""

    n_clusters: int = field(kw_only=False)
    m: float = 2.0
    size: int | Sequence[int] = 3
    border: Border = "valid"
    init: Any = "k-means++"
    max_iter: int = 300
    tol: float = 1e-4
    random_state: Any = None

    cluster_centers_: npt.NDArray[Any] = field(init=False, repr=False)
    labels_: Any = field(init=False, repr=False)
    n_iter_: int = field(init=False, repr=False)
    _home_of: ClassVar[Any] = staticmethod(arrays.home)  # else an error: only the CPU
    _view: ImageView = field(init=False, repr=False)
    _scale: float = field(init=False, repr=False)  # what the picture was multiplied by
    _centres: Doubles = field(init=False, repr=False)

    def fit(self, image: Any, mask: Any = None, channel_axis: int | None = None) -> Self:
        """Fit to an image or volume.

        Parameters
        ----------
        image : (rows, columns) or (planes, rows, columns) array of real numbers
            Finite inside the mask; with channels one axis more. 8- and 16-bit integers are computed
            in float32, which holds them exactly, other integers in float64.
        mask : array of bool or int, optional
            Of the image's shape. Pixels where it is 0 do not count, neither for the centres nor as
            neighbours, and may be NaN.
        channel_axis : int, optional
            The axis of the channels, if the image has one. None: the image is grey.

        Returns
        -------
        Self
            The estimator, fitted.

        Raises
        ------
        TypeError, ValueError
            Where a setting or an argument is not as described.
        """
        view = read(image, mask, channel_axis, self._home_of)
        with view.home.current():
            return self._fit_view(view)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get the settings by name, as scikit-learn's `clone` and searches ask for them.

        Parameters
        ----------
        deep : bool, default True
            Ignored: no setting is an estimator.

        Returns
        -------
        dict
            The settings.
        """
        return {f.name: getattr(self, f.name) for f in fields(self) if f.init}

    def set_params(self, **params: Any) -> Self:
        """Change settings.

        Parameters
        ----------
        **params : settings
            By name.

        Returns
        -------
        Self
            The estimator.

        Raises
        ------
        ValueError
            Where there is no such setting.
        """
        there = self.get_params()
        for name, value in params.items():
            if name not in there:
                raise ValueError(
                    f"settings of {type(self).__name__} are {', '.join(there)}, got {name}"
                )
            setattr(self, name, value)
        return self

    def _fit_view(self, view: ImageView) -> Self:
        """`fit` to an image that is checked."""
        self._check_parameters()
        if len(view.shape) not in (2, 3):
            raise ValueError(
                f"image must have 2 or 3 axes{' beside that of its channels' * view.channels}, "
                f"got {arrays.describe(view.pixels)}"
            )
        self._half(len(view.shape))
        if view.home.gpu is not None and view.channels and view.pixels.shape[-1] > MAX_FEATURES:
            raise ValueError(
                f"image must have at most {MAX_FEATURES} channels on a GPU, got "
                f"{view.pixels.shape[-1]}; copy it to the host first"
            )
        if view.total < self.n_clusters:
            raise ValueError(
                f"n_clusters must be at most the number of pixels, {view.total}, got "
                f"{self.n_clusters}"
            )
        view, self._scale = view.scaled()
        self._fit(view)
        self._view = view
        single = view.pixels.dtype == np.float32
        centres = self._centres / self._scale
        self.cluster_centers_ = centres.astype(np.float32 if single else np.float64)
        return self

    def fit_predict(self, image: Any, mask: Any = None, channel_axis: int | None = None) -> Any:
        """Fit to an image or volume, and label its pixels.

        Parameters
        ----------
        image : array
            As for `fit`.
        mask : array, optional
            As for `fit`.
        channel_axis : int, optional
            As for `fit`.

        Returns
        -------
        array of int32, of the image's shape
            `labels_`.

        Raises
        ------
        TypeError, ValueError
            Where an argument is not as described.
        """
        return self.fit(image, mask, channel_axis).labels_

    def membership(self, j: int) -> Any:
        """Memberships of all pixels in class j.

        Parameters
        ----------
        j : int
            Class, in the order of `cluster_centers_`.

        Returns
        -------
        array of the image's shape
            0 outside the mask; float32 for a float32 image and for 8- and 16-bit integers, else
            float64.

        Raises
        ------
        AttributeError
            Before `fit`.
        TypeError, ValueError
            Where there is no class j.
        """
        if not hasattr(self, "cluster_centers_"):
            raise AttributeError(f"{type(self).__name__} is not fitted yet; call fit(image) first")
        j = arrays.integer(j, "j", at_least=0, at_most=len(self._centres) - 1)
        with self._view.home.current():
            return self._plane(j)

    def _fit(self, view: ImageView) -> None:
        """Sets _centres, labels_ and n_iter_."""
        raise NotImplementedError

    def _plane(self, j: int) -> Any:
        raise NotImplementedError

    def _check_parameters(self) -> None:
        """ValueError or TypeError where a setting cannot be."""
        arrays.integer(self.n_clusters, "n_clusters", at_least=1, at_most=MAX_CLASSES)
        arrays.number(self.m, "m", above=1)
        arrays.one_of(self.border, "border", BORDERS)
        arrays.integer(self.max_iter, "max_iter", at_least=1)
        arrays.number(self.tol, "tol", at_least=0)

    def _half(self, axes: int) -> tuple[int, int, int]:
        """Half of the window's side, rounded down, along planes, rows and columns."""
        many = isinstance(self.size, Sequence) or np.shape(self.size) != ()
        given = list(self.size) if many else [self.size] * axes  # type: ignore[arg-type]
        if len(given) != axes:
            raise ValueError(
                f"size must be one odd number, or one for each of {axes} axes, got {self.size!r}"
            )
        sides = [arrays.integer(side, "size", at_least=1) for side in given]
        if any(side % 2 == 0 for side in sides):
            raise ValueError(f"size must be odd, so that a window has a middle, got {self.size!r}")
        if math.prod(sides) > MAX_PIXELS:
            raise ValueError(
                f"size must give a window of at most {MAX_PIXELS} pixels, got {self.size!r}"
            )
        planes, rows, columns = [0] * (3 - axes) + [side // 2 for side in sides]
        return planes, rows, columns

    def _window(self, view: ImageView) -> tuple[tuple[int, int, int], int]:
        """As kernels want it."""
        return self._half(len(view.shape)), BORDERS.index(self.border)

    def _first_centres(self, samples: Real, weights: Doubles | None = None) -> Doubles:
        """(n_clusters, channels): those given, or seeds from the samples (n, channels)."""
        count, channels = self.n_clusters, samples.shape[1]
        if isinstance(self.init, str):
            if self.init != "k-means++":
                raise ValueError(f"init must be 'k-means++' or centres, got {self.init!r}")
            kernels = kernels_for(samples, kmeans_gpu)
            return plus_plus(samples, weights, count, random_of(self.random_state), kernels)
        centres = arrays.numbers(self.init, "init", kinds="fiu")
        if channels == 1 and centres.ndim == 1:
            centres = centres[:, None]
        return np.array(arrays.real(centres, "init", (count, channels))) * self._scale

    def _tolerance(self, samples: Real, weights: Doubles | None = None) -> float:
        """How far a centre may move in the last pass."""
        if self.tol == 0:
            return 0.0
        found = np.empty((samples.shape[1], 4))  # least, greatest, mean, variance of each channel
        kernels_for(samples, fcm_gpu).column_statistics(samples, weights, found)
        return self.tol * math.sqrt(found[:, 3].mean())

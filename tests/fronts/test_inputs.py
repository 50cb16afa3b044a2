"""Each public function, each argument: a mistake is told in one sentence that names the argument,
and the same numbers in another layout or as a torch tensor give the same answer."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from invariances import layouts
from lesionkit import fronts

RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.random((7, 9)) + 0.1
PHI = np.ones((7, 9))
PHI[3, 4] = -1
MARKERS = np.zeros((7, 9), int)
MARKERS[1, 1], MARKERS[5, 7] = 1, 2
# What each takes; the first argument is the image.
CALLS: dict[str, dict[str, Any]] = {
    "arrival_time": {"speed": IMAGE, "seeds": (3, 4)},
    "chan_vese": {"image": IMAGE, "max_num_iter": 5},
    "checkerboard_level_set": {"image_shape": (7, 9)},
    "disk_level_set": {"image_shape": (7, 9)},
    "distance": {"phi": PHI},
    "distance_transform": {"mask": IMAGE > 0.5},
    "edge_flow": {"image": IMAGE},
    "extension_velocities": {"phi": PHI, "speed": IMAGE},
    "geodesic_active_contour": {"gimage": IMAGE, "num_iter": 3},
    "geodesic_path": {"times": fronts.arrival_time(IMAGE, (3, 4)), "points": (1.0, 1.0)},
    "geodesic_segment": {"image": IMAGE, "seeds": (3, 4)},
    "gradient_weight": {"image": IMAGE},
    "grey_weight": {"image": IMAGE, "seeds": (3, 4)},
    "h_minima": {"image": IMAGE, "h": 0.1},
    "inverse_gaussian_gradient": {"image": IMAGE},
    "link_boundaries": {"boundary": IMAGE > 0.7},
    "morphological_chan_vese": {"image": IMAGE, "num_iter": 3},
    "morphological_geodesic_active_contour": {"gimage": IMAGE, "num_iter": 3},
    "region_grow": {"image": IMAGE, "seeds": MARKERS, "tolerance": 0.2},
    "travel_time": {"phi": PHI, "speed": IMAGE},
    "watershed": {"image": IMAGE, "markers": MARKERS},
}
ARRAYS = ("phi", "speed", "image", "gimage", "mask", "markers", "boundary", "times", "ext_mask")
NO_ARRAYS: dict[str, Any] = {
    "text": "abc",
    "ragged": [[1, 2], [3]],
    "no number": {},
    "complex": IMAGE + 0j,
    "objects": IMAGE.astype(object),
    "dates": np.zeros((7, 9), "M8[s]"),
    "records": np.zeros((7, 9), [("a", float)]),
    "five axes": np.ones((2, 2, 2, 2, 2)),
    "no axis": np.array(1.0),
}
NO_NUMBERS = {
    **NO_ARRAYS,
    "NaN": np.nan,
    "infinite": np.inf,
    "400 digits": 10**400,
    "imaginary": 1j,
    "image": IMAGE,
    "empty": np.zeros((0, 9)),
}


def arguments(kind: str) -> list[tuple[str, str]]:
    """(function, argument): those that are arrays, or the others."""
    return [
        (name, argument)
        for name in CALLS
        for argument in inspect.signature(getattr(fronts, name)).parameters
        if (argument in ARRAYS) == (kind == "arrays") and argument != "options"
    ]


def report(name: str, argument: str, value: Any) -> str:
    """What a call says of one bad argument; nothing where it takes it."""
    try:
        getattr(fronts, name)(**(CALLS[name] | {argument: value}))
    except (ValueError, TypeError) as mistake:
        return str(mistake)
    return ""


def is_a_sentence(message: str, argument: str) -> bool:
    return argument in message and "\n" not in message and len(message) < 220


def test_every_function_is_here() -> None:
    assert set(CALLS) == {name for name in fronts.__all__ if name != "EdgeFlow"}


@pytest.mark.parametrize(("name", "argument"), arguments("arrays"))
def test_what_is_no_array_of_numbers(name: str, argument: str) -> None:
    fits = set()
    if name in ("distance", "distance_transform", "h_minima", "inverse_gaussian_gradient"):
        fits = {"five axes"}  # any number of axes
    for kind, value in NO_ARRAYS.items():
        message = report(name, argument, value)
        if kind in fits:
            continue
        assert is_a_sentence(message, argument), (kind, message)


@pytest.mark.parametrize(("name", "argument"), arguments("arrays"))
def test_nothing_in_the_place_of_an_array(name: str, argument: str) -> None:
    if argument in ("mask", "ext_mask", "markers") and name != "distance_transform":
        assert not report(name, argument, None)
    else:
        assert is_a_sentence(report(name, argument, None), argument)


@pytest.mark.parametrize(("name", "argument"), arguments("arrays"))
def test_nan_and_masked_entries(name: str, argument: str) -> None:
    for value in (np.nan, np.inf):
        image = np.ones((7, 9))
        image[2, 3] = value
        if argument == "times" and value == np.inf:
            continue  # no front arrived
        assert is_a_sentence(report(name, argument, image), argument)
    if name in ("distance", "travel_time", "extension_velocities") and argument != "ext_mask":
        return  # take masked arrays
    masked = np.ma.MaskedArray(CALLS[name].get(argument, IMAGE > 0.5), IMAGE > 0.9)
    assert "masked entries" in report(name, argument, masked)


@pytest.mark.parametrize(("name", "argument"), arguments("numbers"))
def test_what_is_no_number_no_name_and_no_list(name: str, argument: str) -> None:
    takes: dict[str, set[str]] = {
        "init_level_set": {"image"},
        "weight": {"image"},
        "center": set(),
        "dtype": set(),
        "narrow": {"infinite", "400 digits", "no axis"},
        "dx": {"no axis"},
        "spacing": {"no axis"},
        "cutoff": set(),
    }
    for kind, value in NO_NUMBERS.items():
        message = report(name, argument, value)
        if not message:
            assert kind in takes.get(argument, set()), kind
        else:
            about = is_a_sentence(message, argument) or (
                argument == "threshold" and is_a_sentence(message, "tolerance")
            )
            assert about, (kind, message)


@pytest.mark.parametrize(
    ("name", "argument", "value"),
    [
        ("chan_vese", "max_num_iter", 2**63),
        ("edge_flow", "orientations", 2**63),
        ("edge_flow", "max_iter", 2**31),
        ("edge_flow", "sigma", 1e300),
        ("geodesic_active_contour", "num_iter", 10**400),
        ("gradient_weight", "sigma", 1e300),
        ("gradient_weight", "rolloff", 1e300),
        ("grey_weight", "midpoint", 1e300),
        ("grey_weight", "midpoint", 1e-300),
        ("inverse_gaussian_gradient", "sigma", -1),
        ("inverse_gaussian_gradient", "alpha", -1),
        ("morphological_chan_vese", "smoothing", 2**63),
        ("morphological_chan_vese", "init_level_set", np.full((7, 9), np.nan)),
        ("checkerboard_level_set", "square_size", 0),
        ("checkerboard_level_set", "image_shape", (3.5, 2)),
        ("checkerboard_level_set", "image_shape", ()),
        ("disk_level_set", "center", (1, 2, 3)),
        ("arrival_time", "return_labels", 2),
        ("geodesic_segment", "return_times", "yes"),
        ("watershed", "watershed_line", None),
        ("distance_transform", "dtype", "abc"),
    ],
)
def test_out_of_range(name: str, argument: str, value: Any) -> None:
    assert is_a_sentence(report(name, argument, value), argument)


def same(one: Any, two: Any) -> None:
    """Equal answers; a list is one of paths."""
    many = (tuple, list)
    for a, b in zip(
        one if isinstance(one, many) else (one,),
        two if isinstance(two, many) else (two,),
        strict=True,
    ):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


IMAGES = [name for name in CALLS if not name.endswith("_level_set")]


@pytest.mark.parametrize("name", IMAGES)
def test_any_layout(name: str) -> None:
    call = getattr(fronts, name)
    first, *_ = CALLS[name]
    given = CALLS[name][first]
    kept = given.copy()
    expected = call(**CALLS[name])
    for other in layouts(given):
        same(call(**(CALLS[name] | {first: other})), expected)
    np.testing.assert_array_equal(given, kept)


@pytest.mark.parametrize("name", IMAGES)
def test_torch_tensors(name: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    tensors = {
        argument: torch.tensor(value) if isinstance(value, np.ndarray) else value
        for argument, value in CALLS[name].items()
    }
    answer = getattr(fronts, name)(**tensors)
    expected = getattr(fronts, name)(**CALLS[name])
    same(answer, expected)
    many = (tuple, list)
    for one, other in zip(
        answer if isinstance(answer, many) else (answer,),
        expected if isinstance(expected, many) else (expected,),
        strict=True,
    ):
        assert isinstance(one, torch.Tensor)
        assert one.numpy().dtype == other.dtype


def test_a_tensor_is_nan_where_an_array_is_masked() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    speed = np.where(np.arange(9) == 7, 0.0, 1.0) * np.ones((7, 1))
    for name in ("travel_time", "extension_velocities"):
        call = getattr(fronts, name)
        arrays = call(PHI, speed, narrow=2.0)
        tensors = call(torch.tensor(PHI), torch.tensor(speed), narrow=2.0)
        for array, tensor in zip(
            arrays if isinstance(arrays, tuple) else (arrays,),
            tensors if isinstance(tensors, tuple) else (tensors,),
            strict=True,
        ):
            same(tensor, array.filled(np.nan))
            assert array.mask.any()


def test_tensors_reach_the_callback_and_mixed_kinds_are_refused() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    seen: list[Any] = []
    image = torch.tensor(IMAGE)
    fronts.morphological_chan_vese(image, 2, iter_callback=seen.append)
    assert [(type(level), level.dtype) for level in seen] == [(torch.Tensor, torch.int8)] * 3
    for name, argument in (
        ("travel_time", "speed"),
        ("extension_velocities", "ext_mask"),
        ("morphological_chan_vese", "init_level_set"),
        ("geodesic_active_contour", "init_level_set"),
        ("watershed", "mask"),
    ):
        message = report(name, argument, torch.ones(7, 9))
        assert is_a_sentence(message, argument), message
        assert "must live in one place" in message


@pytest.mark.parametrize(("name", "argument"), arguments("arrays"))
def test_tensors_that_carry_gradients(name: str, argument: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    tensor = torch.tensor(IMAGE, requires_grad=True)
    assert f"{argument} carries gradients" in report(name, argument, tensor)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [2.0**1000, 2.0**-1000, 2.0**500, 2.0**-560])
def test_huge_and_tiny_numbers_give_what_others_give(scale: float) -> None:
    """Squares and sums of these would overflow or vanish."""
    image = np.random.default_rng(3).random((12, 13)) + 0.1
    seeds = np.zeros(image.shape, int)
    seeds[3, 4], seeds[9, 9] = 1, 2
    calls: dict[str, Any] = {
        "gradient_weight": lambda k: fronts.gradient_weight(image * k),
        "grey_weight": lambda k: fronts.grey_weight(image * k, (3, 4)),
        "grey_weight, cutoff": lambda k: fronts.grey_weight(image * k, (3, 4), cutoff=0.3 * k),
        "geodesic_segment": lambda k: fronts.geodesic_segment(image * k, [(3, 4)]),
        "chan_vese": lambda k: fronts.chan_vese((image - 0.6) * k, extended_output=True)[1],
        "morphological_chan_vese": lambda k: fronts.morphological_chan_vese(image * k, 3),
        "edge_flow": lambda k: fronts.edge_flow(image * k).flow / k,
        "geodesic_active_contour": lambda k: fronts.geodesic_active_contour(
            image * k, 3, extended_output=True
        )[1],
        "region_grow": lambda k: fronts.region_grow(image * k, seeds, 0.2 * k),
        "region_grow, threshold": lambda k: fronts.region_grow(image * k, seeds, threshold=k / 2),
        "watershed": lambda k: fronts.watershed(image * k, seeds, compactness=0.01 * k),
        "h_minima": lambda k: fronts.h_minima(image * k, 0.3 * k),
        "arrival_time": lambda k: fronts.arrival_time(image * k, (3, 4), order=2) * k,
        "distance": lambda k: fronts.distance((image - 0.6) * k),
    }
    for name, call in calls.items():
        np.testing.assert_allclose(call(scale), call(1.0), rtol=1e-12, atol=1e-12, err_msg=name)
    assert fronts.inverse_gaussian_gradient(image * 2.0**1000).max() < 1e-140


def test_speeds_too_small_for_times() -> None:
    with pytest.raises(ValueError, match="speed must be so great that times are numbers"):
        fronts.arrival_time(IMAGE * 1e-309, (3, 4))


def test_float_masks_and_nan_outside_them() -> None:
    mask = np.ones(IMAGE.shape)
    mask[:, 6:] = 0
    nearly = mask * np.float32(0.9999999)
    hidden = np.where(mask > 0, IMAGE, np.nan)
    same(
        fronts.arrival_time(hidden, (3, 4), mask=nearly),
        fronts.arrival_time(IMAGE, (3, 4), mask=mask > 0),
    )
    same(
        fronts.watershed(hidden, MARKERS.astype(float), mask=nearly),
        fronts.watershed(IMAGE, MARKERS, mask=mask > 0),
    )
    same(fronts.chan_vese(hidden, mask=nearly), fronts.chan_vese(IMAGE, mask=mask > 0))
    same(
        fronts.region_grow(hidden, MARKERS.astype(float), 0.2, mask=nearly),
        fronts.region_grow(IMAGE, MARKERS, 0.2, mask=mask > 0),
    )
    same(
        fronts.geodesic_segment(hidden, [(3, 4)], mask=nearly, weight=IMAGE),
        fronts.geodesic_segment(IMAGE, [(3, 4)], mask=mask > 0, weight=IMAGE),
    )
    same(fronts.distance_transform(nearly), fronts.distance_transform(mask > 0))
    same(fronts.link_boundaries(nearly), fronts.link_boundaries(mask > 0))


@pytest.mark.parametrize("name", IMAGES)
def test_other_byte_orders_and_floats(name: str) -> None:
    first, *_ = CALLS[name]
    given = CALLS[name][first]
    if given.dtype == bool:
        return
    kinds = [">f8", np.longdouble] if name not in ("distance", "travel_time") else [">f8"]
    kinds = [">f8"] if name == "extension_velocities" else kinds
    for kind in kinds:
        same(
            getattr(fronts, name)(**(CALLS[name] | {first: given.astype(kind)})),
            getattr(fronts, name)(**CALLS[name]),
        )


@pytest.mark.parametrize("narrow", [np.float32(3.5), 10**400, np.float64(0)])
def test_a_band_of_any_kind_of_number(narrow: Any) -> None:
    phi = np.hypot(*np.mgrid[-9:10, -9:10]) - 4
    given = float(narrow) if narrow < 1e9 else np.inf
    expected = fronts.distance(phi, narrow=0.0 if given == np.inf else given)
    np.testing.assert_array_equal(fronts.distance(phi, narrow=narrow), expected)


@pytest.mark.parametrize(("speed", "spacing"), [(1e-30, 9e18), (1.0, 5e-324)])
def test_times_that_the_dtype_does_not_hold_are_refused(speed: float, spacing: float) -> None:
    """They were infinite, as if no front came, or NaN."""
    field = np.full((4, 5), speed, np.float32)
    with pytest.raises(ValueError, match="spacing over speed must give times that float32 holds"):
        fronts.arrival_time(field, (1, 1), spacing=spacing)


def test_slopes_that_float64_does_not_hold_are_refused() -> None:
    image = 1.7e308 * np.sign(np.arange(8) - 3.5) * np.ones((5, 1))
    with pytest.raises(ValueError, match="image must have slopes that float64 holds"):
        fronts.edge_flow(image, 0.5)


def test_distances_that_float64_does_not_hold_are_refused() -> None:
    phi = np.arange(9.0) - 0.5
    with pytest.raises(ValueError, match="dx must be so small that float64 holds the answer"):
        fronts.distance(phi, dx=1e308)
    with pytest.raises(TypeError, match=r"narrow.* must be a number"):
        fronts.distance(phi, narrow=np.array("2"))


def test_energies_that_are_no_numbers_are_refused() -> None:
    image = np.random.default_rng(0).random((9, 9))
    with pytest.raises(ValueError, match="mu, lambda1 and lambda2 must be numbers whose energies"):
        fronts.chan_vese(image, lambda1=1.7e308, lambda2=1.7e308, extended_output=True)


def test_a_level_set_that_float32_does_not_hold_is_refused() -> None:
    edge = np.ones((4, 5), np.float32)
    with pytest.raises(ValueError, match="init_level_set must hold numbers that float32 holds"):
        fronts.geodesic_active_contour(edge, 1, np.full((4, 5), 1e308))

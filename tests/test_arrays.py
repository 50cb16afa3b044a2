"""Where arrays live: told without importing, one home for all, and the answer goes back there."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fake_cupy import FakeCupy, on_gpu
from lesionkit import arrays, gpu
from lesionkit.arrays import Home
from lesionkit.optics.forward.model import ForwardModel
from lesionkit.optics.mesh.disc import disc_mesh


@pytest.fixture
def cupy(monkeypatch: pytest.MonkeyPatch) -> FakeCupy:
    fake = FakeCupy(90, 90)
    monkeypatch.setitem(sys.modules, "cupy", fake)
    monkeypatch.setattr(gpu, "require", lambda: fake)
    return fake


class TorchDevice(SimpleNamespace):
    """As a torch device."""

    def __str__(self) -> str:
        return self.type


class Tensor:
    """As a torch tensor, wherever it says."""

    requires_grad = False
    layout, dtype = "torch.strided", "torch.float64"

    def __init__(self, device: str, index: int | None = None) -> None:
        self.device = TorchDevice(type=device, index=index)


@pytest.fixture
def fake_torch(monkeypatch: pytest.MonkeyPatch) -> Any:
    stream = SimpleNamespace(cuda_stream=1234)
    fake = SimpleNamespace(
        Tensor=Tensor, cuda=SimpleNamespace(current_stream=lambda device: stream)
    )
    monkeypatch.setitem(sys.modules, "torch", fake)
    return fake


def test_asking_imports_nothing() -> None:
    code = """
import sys, numpy
from lesionkit import arrays
print(arrays.home(a=numpy.ones(3), b=[1.0], c=2))
print({"torch", "cupy"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "NumPy array\nset()\n", done.stderr


def test_homes(cupy: FakeCupy, fake_torch: Any) -> None:
    assert arrays.home(a=np.ones(3), b=[1, 2], c=1.0) == Home("NumPy", None)
    assert arrays.home(a=on_gpu([1.0], gpu=1)) == Home("CuPy", 1)
    assert arrays.home(a=Tensor("cpu")) == Home("torch", None)
    assert arrays.home(a=Tensor("cuda", 1), b=Tensor("cuda", 1)) == Home("torch", 1)
    assert arrays.namespace(on_gpu([1.0])) is cupy
    assert arrays.namespace(np.ones(1)) is np


N, C0, C1 = np.ones(2), on_gpu([1.0]), on_gpu([1.0], gpu=1)
T, G0, G1 = Tensor("cpu"), Tensor("cuda", 0), Tensor("cuda", 1)


@pytest.mark.parametrize(
    ("a", "b", "sentence"),
    [
        (N, C1, "got b, a CuPy array on GPU 1, and a, a NumPy array; convert with cupy.asarray(a)"),
        (
            C0,
            [1.0],
            "got a, a CuPy array on GPU 0, and b, a NumPy array; convert with cupy.asarray",
        ),
        (C0, C1, "got a, a CuPy array on GPU 0, and b, a CuPy array on GPU 1; convert with"),
        (N, T, "got b, a torch tensor, and a, a NumPy array; convert with torch.as_tensor(a)"),
        (T, G1, "and a, a torch tensor; convert with torch.as_tensor(a, device='cuda:1')"),
        (
            G0,
            G1,
            "and b, a torch tensor on GPU 1; convert with torch.as_tensor(b, device='cuda:0')",
        ),
        (C0, G0, "and a, a CuPy array on GPU 0; convert with torch.as_tensor(a, device='cuda:0')"),
        (
            T,
            C0,
            "got b, a CuPy array on GPU 0, and a, a torch tensor; convert with cupy.asarray(a)",
        ),
    ],
)
def test_mixed_homes_are_refused(
    cupy: FakeCupy, fake_torch: Any, a: Any, b: Any, sentence: str
) -> None:
    with pytest.raises(TypeError) as report:
        arrays.home(a=a, b=b)
    assert str(report.value).startswith("a and b must live in one place, ")
    assert sentence in str(report.value)


def test_other_places_are_refused(fake_torch: Any) -> None:
    with pytest.raises(
        TypeError, match=r"^a must be a tensor on the CPU or a CUDA device, .* mps$"
    ):
        arrays.home(a=Tensor("mps"))
    numba = SimpleNamespace(__cuda_array_interface__={})
    with pytest.raises(TypeError, match=r"got a GPU array .* convert with cupy\.asarray\(a\)$"):
        arrays.home(a=numba)
    tracked = Tensor("cpu")
    tracked.requires_grad = True
    with pytest.raises(TypeError, match=r"^a carries gradients, .* pass a\.detach\(\)$"):
        arrays.home(a=tracked)


def test_cuda_tensors_go_by_dlpack_in_torchs_stream(cupy: FakeCupy, fake_torch: Any) -> None:
    streams: list[tuple[int, int]] = []

    class ExternalStream:
        def __init__(self, stream: int, device: int) -> None:
            self.both = stream, device

        def __enter__(self) -> None:
            streams.append((*self.both, cupy.device))

        def __exit__(self, *_: object) -> None:
            pass

    cupy.cuda.ExternalStream = ExternalStream
    cupy.from_dlpack = lambda tensor: ("CuPy's view of", tensor)
    fake_torch.from_dlpack = lambda array: ("torch's view of", array)
    home = arrays.home(a=G1)
    with home.current():
        view = home.view(G1, "a")
        assert home.xp is cupy
        assert home.back(view) == ("torch's view of", ("CuPy's view of", G1))
    assert streams == [(1234, 1, 1)]
    with Home("CuPy", 1).current():
        assert cupy.device == 1
    assert len(streams) == 1, "CuPy's own current stream is left alone"
    with Home("NumPy", None).current():
        assert home.gpu == 1


def test_tensors_that_have_no_view(cupy: FakeCupy, fake_torch: Any) -> None:
    def refuse(*_: object) -> None:
        raise TypeError("Got unsupported ScalarType BFloat16")

    cupy.from_dlpack = refuse
    sentence = r"^a must be a dense tensor of real numbers that NumPy knows, got strided torch\.f"
    with pytest.raises(TypeError, match=sentence):
        arrays.home(a=G0).view(G0, "a")


def test_real_on_a_gpu(cupy: FakeCupy) -> None:
    strided = on_gpu(np.arange(6, dtype=np.float32).reshape(3, 2)).T
    taken = arrays.real(strided, "x", (2, 3), xp=cupy)
    assert taken.dtype == np.float64
    assert taken.flags.c_contiguous
    assert isinstance(taken, cupy.ndarray)
    for bad, error, message in (
        (on_gpu([1.0, np.nan]), ValueError, "x must be finite, got 1 NaN or infinite"),
        (on_gpu([1j, 2.0]), TypeError, "x must hold real numbers, got complex128 array of shape"),
        (on_gpu([True, False]), TypeError, "x must hold real numbers, got bool array of shape"),
        (on_gpu([1.0]), ValueError, r"x must have shape \(2\), got float64 array of shape \(1,\)"),
    ):
        with pytest.raises(error, match=message):
            arrays.real(bad, "x", (2,), xp=cupy)


def test_real_keeps_float32_where_asked() -> None:
    single = np.array([1.0, -2.5], np.float32)
    assert arrays.real(single, "x", (2,)).dtype == np.float64
    assert arrays.real(single, "x", (2,), keep_float32=True) is single
    for other in (np.arange(2), np.arange(2.0), np.arange(2, dtype=np.float16)):
        assert arrays.real(other, "x", (2,), keep_float32=True).dtype == np.float64
    for bad, message in (
        ([1.0, np.inf], "x must be finite, got 1 NaN or infinite"),
        ([1.0, -2.5], "x must be at least 0, got -2.5"),
    ):
        with pytest.raises(ValueError, match=message):
            arrays.real(np.array(bad, np.float32), "x", (2,), keep_float32=True, at_least=0.0)


# --- torch on the CPU, where it is installed ---------------------------------------------------


@pytest.fixture(scope="module")
def model() -> ForwardModel:
    mesh = disc_mesh(radius=10.0, nodes=61, optodes=6)
    rim = mesh.nodes[mesh.boundary[::4, 0]]
    return ForwardModel(mesh, rim, rim)


def test_cpu_tensors_give_tensors(model: ForwardModel) -> None:
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(0)
    mua = random.uniform(0.01, 0.02, (2, len(model.mesh.nodes)))
    mus = np.ones_like(mua)
    for kind, complex_kind in ((torch.float64, torch.float64), (torch.float32, torch.float32)):
        given = torch.as_tensor(mua, dtype=kind), torch.as_tensor(mus, dtype=kind)
        kept = given[0].clone()
        read = model.measure(*given)
        assert isinstance(read, torch.Tensor)
        assert read.dtype == complex_kind
        assert torch.equal(given[0], kept)
        expected = model.measure(given[0].numpy(), given[1].numpy())
        np.testing.assert_array_equal(read.numpy(), expected)
    home = arrays.home(a=given[0])
    assert home.back(home.view(given[0], "a")).data_ptr() == given[0].data_ptr(), "no copy"
    strided = torch.as_tensor(mua.T.copy()).T
    np.testing.assert_array_equal(
        model.measure(strided, torch.as_tensor(mus)).numpy(), model.measure(mua, mus)
    )


def test_cpu_tensors_that_are_refused(model: ForwardModel) -> None:
    torch = pytest.importorskip("torch")
    good = torch.ones(len(model.mesh.nodes), dtype=torch.float64)
    for bad, message in (
        (good.clone().requires_grad_(), r"absorption carries gradients, .*\.detach\(\)"),
        (good.numpy(), r"must live in one place, .* convert with torch\.as_tensor\(absorption\)$"),
        (good.to(torch.bfloat16), r"absorption must be a dense tensor .* strided torch\.bfloat16$"),
        (good.to_sparse(), r"absorption must be a dense tensor .*, got sparse_coo torch\.float64$"),
        (good.to(torch.complex64), r"absorption must hold real numbers, got complex64 array"),
        (torch.empty_like(good, device="meta"), r"absorption must be a tensor on the CPU .* meta$"),
    ):
        with pytest.raises(TypeError, match=message):
            model.measure(bad, good)


# --- images, masks, labels ------------------------------------------------------------------------

HOME = Home("NumPy", None)


@pytest.mark.parametrize(
    "value",
    [
        [[0, 1], [1, 0]],
        np.array([[0, 255], [255, 0]], np.uint8),
        np.array([[0, 0.9999999], [1.0000001, -1e-9]], np.float32),
        np.array([[0, 1], [1, 0]], ">f8"),
        np.array([[0, 1], [1, 0]], np.float16),
        np.asfortranarray(np.array([[False, True], [True, False]])),
        np.ma.masked_array([[0, 1], [1, 0]], mask=False),
    ],
)
def test_masks_of_every_kind_are_one_mask(value: Any) -> None:
    inside = arrays.mask(value, (2, 2), HOME)
    assert inside.dtype == bool
    assert inside.flags.c_contiguous
    np.testing.assert_array_equal(inside, [[False, True], [True, False]])


@pytest.mark.parametrize(
    ("value", "error", "sentence"),
    [
        (np.array([0.0, 0.5]), ValueError, r"mask must hold booleans .*, got 0.5; .*mask > 0.5"),
        (np.array([0.0, np.nan]), ValueError, r"mask must hold booleans .*, got nan; "),
        (np.array([0.0, np.inf]), ValueError, r"mask must hold booleans .*, got inf; "),
        (np.array(["a", "b"]), TypeError, r"mask must hold booleans .*, got <U1 array"),
        (np.ones(3), ValueError, r"mask must have the shape of image, \(2,\), got .*\(3,\)"),
        (np.ma.masked_array([1, 1], [0, 1]), ValueError, "mask has masked entries, .* fill them"),
        ([np.ma.masked, 1], ValueError, "mask has masked entries, .* fill them"),
        (np.zeros(2), ValueError, "mask must hold a pixel or more, and all of it is False"),
    ],
)
def test_masks_refused(value: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=f"^{sentence}"):
        arrays.mask(value, (2,), HOME, some=True)


def test_a_label_that_is_not_there_is_told_with_those_that_are() -> None:
    labels = arrays.labels(np.array([0.0, 255.0, 7.0]), "mask", HOME)
    np.testing.assert_array_equal(arrays.labelled(labels, 7, "mask"), [False, False, True])
    with pytest.raises(ValueError, match=r"^mask must hold .* label 1, got labels 0, 7, 255$"):
        arrays.labelled(labels, 1, "mask")


def test_images_are_what_kernels_read() -> None:
    for dtype in (">i2", ">f4", "f2", "g", "?", "u8"):
        value = np.arange(6).reshape(2, 3).astype(dtype).T
        read = arrays.image(value, "image", HOME)
        assert read.dtype.isnative
        assert read.flags.c_contiguous
        assert read.dtype.itemsize <= 8
        np.testing.assert_array_equal(read, value.astype(float))
    masked = np.ma.masked_less(np.arange(3), 1)
    with pytest.raises(ValueError, match=r"fill them first, with image.filled\(...\)$"):
        arrays.image(masked, "image", HOME)
    with pytest.raises(ValueError, match=r"pass image.data with mask=~image.mask$"):
        arrays.image(masked, "image", HOME, takes_mask=True)


def test_what_is_outside_need_not_be_finite() -> None:
    image, inside = np.array([1.0, np.nan, np.inf]), np.array([True, False, False])
    np.testing.assert_array_equal(arrays.finite_inside(image, "image", inside), [1, 0, 0])
    with pytest.raises(ValueError, match=r"^image must be finite inside the mask, got 1 NaN"):
        arrays.finite_inside(image, "image", ~inside & [True, True, False])
    with pytest.raises(ValueError, match=r"^image must be finite, got 2 NaN"):
        arrays.finite_inside(image, "image")


def test_images_of_other_libraries_say_where_their_voxels_are() -> None:
    sitk = pytest.importorskip("SimpleITK")
    for ask in (lambda v: arrays.home(v=v), lambda v: arrays.real(v, "v", (None,))):
        with pytest.raises(TypeError, match=r"^v must be .* SimpleITK.GetArrayFromImage\(v"):
            ask(sitk.Image(4, 4, sitk.sitkUInt8))


def test_none_lives_nowhere() -> None:
    assert arrays.home(mask=None) == HOME
    assert arrays.home(image=np.ones(2), mask=None) == HOME


def test_one_of() -> None:
    assert arrays.one_of("b", "x", ("a", "b")) == "b"
    assert arrays.one_of(None, "x", ("a", None)) is None
    with pytest.raises(ValueError, match=r"^x must be 'a', 'b' or None, got ndarray|got float64"):
        arrays.one_of(np.ones(2), "x", ("a", "b", None))
    assert arrays.flag(np.True_, "x") is True
    with pytest.raises(ValueError, match=r"^n must be from 0 to 9223372036854775807, got"):
        arrays.integer(2**63, "n", at_least=0)


def test_what_is_no_tensor_beside_a_tensor_is_told() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")
    with pytest.raises(TypeError, match=r"^a must be a torch tensor, got NoneType None$"):
        arrays.home(b=torch.ones(2)).view(None, "a")


def test_masked_records_are_told_by_their_kind() -> None:
    records = np.ma.zeros((2, 3), dtype=[("x", "f4"), ("y", "i2")])
    with pytest.raises(TypeError, match="counts must hold real numbers, got"):
        arrays.numbers(records, "counts")

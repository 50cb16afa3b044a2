"""Z-Net and Y-Net: as large as published, and of the right shape."""

from __future__ import annotations

import subprocess
import sys

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[nets]'")

from lesionkit import extras  # noqa: E402
from lesionkit.nets import YNet, ZNet, ZNetWithoutMRI  # noqa: E402
from lesionkit.nets.layers import parameter_count  # noqa: E402


@pytest.mark.parametrize(
    ("net", "count", "published", "within"),
    [(ZNet, 3_512_699, 3.48e6, 0.01), (YNet, 6_054_395, 6.09e6, 0.015)],
)
def test_parameters_are_those_of_the_paper(net, count, published, within) -> None:
    assert parameter_count(net()) == count
    assert abs(count / published - 1) < within
    assert f"{count:,}" in net.__doc__


@pytest.mark.parametrize("net", [ZNet, YNet, ZNetWithoutMRI])
@pytest.mark.parametrize(
    ("wavelengths", "optodes", "pixels", "count"),
    [(9, 16, 100, 1), (2, 16, 33, 3), (1, 8, 63, 2), (6, 5, 40, 1)],
)
def test_shapes(net, wavelengths, optodes, pixels, count) -> None:
    signals = torch.randn(count, wavelengths, optodes, optodes - 1)
    mri = torch.randn(count, 1, pixels, pixels)
    with torch.inference_mode():
        maps = net(wavelengths, pixels).eval()(signals, mri)
    assert maps.shape == (count, 3, pixels, pixels)
    assert maps.dtype == torch.float32
    assert torch.isfinite(maps).all()


@pytest.mark.parametrize("net", [ZNet, YNet])
def test_every_parameter_learns_from_both_inputs(net) -> None:
    torch.manual_seed(0)
    made = net(2, 32)
    signals = torch.randn(4, 2, 16, 15, requires_grad=True)
    mri = torch.randn(4, 1, 32, 32, requires_grad=True)
    made(signals, mri).square().sum().backward()
    for name, parameter in made.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
    assert signals.grad.abs().amin(dim=(0, 1)).max() > 0
    assert (mri.grad != 0).any()


def test_the_net_without_mri_is_z_net_less_the_path_of_the_mri() -> None:
    alone, whole = ZNetWithoutMRI(2, 32), ZNet(2, 32)
    assert f"{parameter_count(ZNetWithoutMRI()):,}" in ZNetWithoutMRI.__doc__
    paths = {name.split(".")[0] for name in whole.state_dict()}
    assert {name.split(".")[0] for name in alone.state_dict()} == paths - {"mri_in", "mri_down"}
    alone(torch.randn(2, 2, 16, 15), None).square().sum().backward()
    for name, parameter in alone.named_parameters():
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("net", [ZNet, YNet])
def test_an_answer_does_not_depend_on_the_batch(net) -> None:
    torch.manual_seed(1)
    made = net(2, 32).eval()
    signals, mri = torch.randn(3, 2, 16, 15), torch.randn(3, 1, 32, 32)
    with torch.inference_mode():
        together, alone = made(signals, mri), made(signals[1:2], mri[1:2])
    # Sums of a convolution in another order, in float32, through some 20 layers.
    torch.testing.assert_close(together[1:2], alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ZNet(0), "wavelengths must be at least 1, got 0"),
        (lambda: ZNet(9, 15), "pixels must be at least 16, got 15"),
        (lambda: YNet(9, 31), "pixels must be at least 32, got 31"),
        (lambda: YNet(9, 100.0), "pixels must be an integer at least 32, got float 100.0"),
    ],
)
def test_a_size_that_is_none(make, sentence) -> None:
    with pytest.raises((ValueError, TypeError), match=f"^{sentence}$"):
        make()


def test_without_torch_there_is_a_sentence() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import lesionkit; lesionkit.nets\n"
        "from lesionkit import cli\n"
        "print(cli.main(['train', 'znet', '--data', 'a', '--out', 'b']))\n"
        "from lesionkit.nets import ZNet"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    sentence = f"lesionkit.nets needs torch, which is not installed: {extras.command('nets')}"
    assert done.stdout == "2\n"
    assert done.stderr.splitlines()[0] == f"lesionkit: {sentence}"
    assert done.stderr.splitlines()[-1] == f"lesionkit.extras.MissingLibrary: {sentence}"


def test_the_package_is_lazy() -> None:
    code = (
        "import sys, lesionkit; lesionkit.nets; dir(lesionkit.nets); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"

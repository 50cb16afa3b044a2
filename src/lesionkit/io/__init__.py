"""Medical images from files, and masks into them.

NIfTI, DICOM (slices, series, mosaics, multi-frame), MetaImage and NRRD volumes; PNG and JPEG
slices; the MAT files of the public brain-tumour set. Arrays are (rows, columns) or (planes, rows,
columns), left and right halves along the columns: volumes of any orientation are turned so that
planes go up, rows to the front and columns to the right; pictures stay as they are seen. What is
written goes back to the orientation of its image.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from lesionkit import arrays
from lesionkit.extras import MissingLibrary
from lesionkit.geometry import Geometry
from lesionkit.io import dicom, itk, matlab, nifti, raster
from lesionkit.io.common import MAX_BYTES, Image, library
from lesionkit.io.matlab import TumourSlice
from lesionkit.io.plane import Plane
from lesionkit.io.writing import sidecar_of, write_image, write_mask

__all__ = [
    "DICOM",
    "ENDINGS",
    "MAX_BYTES",
    "NIFTI",
    "PNG",
    "Geometry",
    "Image",
    "MissingLibrary",
    "Plane",
    "TumourSlice",
    "format_of",
    "library",
    "read_image",
    "read_images",
    "read_mask",
    "read_tumour",
    "series",
    "sidecar_of",
    "write_image",
    "write_mask",
]

NIFTI = (".nii", ".nii.gz")
DICOM = (".dcm", ".ima", ".dicom")
PNG = (".png",)
FORMATS = {
    "NIfTI": NIFTI,
    "DICOM": DICOM,
    "PNG": PNG,
    "JPEG": (".jpg", ".jpeg"),
    "MetaImage": (".mha", ".mhd"),
    "NRRD": (".nrrd", ".nhdr"),
    "MAT": (".mat",),
}
ENDINGS = tuple(ending for endings in FORMATS.values() for ending in endings)
RASTER = ("PNG", "JPEG", "MAT")  # of no place: as they are seen
LABELS = 32  # the most that a mask may have


def read_images(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> dict[str, Image]:
    """Read all images of a file, or of a folder with one DICOM series, by name.

    Parameters
    ----------
    path : str or path
        NIfTI, DICOM, PNG, JPEG, MetaImage, NRRD or MAT file, or a folder.
    max_bytes : int, default 2 GiB
        The most that a header may ask for; a larger image is refused before it is read.

    Returns
    -------
    dict of str to Image
        One image has the name "". Several are told apart by what differs: "b=0", "b=1000", "b=1000,
        direction=2", "echo=30 ms", "type=phase", "time=3"; volumes of a fourth axis by the b-values
        in the .bval next to a NIfTI file, or "volume=0" and so on.

    Raises
    ------
    TypeError, ValueError
        In a sentence that names the file, where it cannot be read whole, is of colours, or does not
        tell what it holds and where that lies.
    MissingLibrary
        Where the library that reads the format is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from PIL import Image as Pillow
    >>> from lesionkit import io
    >>> grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Pillow.fromarray(grey).save(f"{folder}/slice.png")
    ...     images = io.read_images(f"{folder}/slice.png")
    >>> list(images), images[""].values.shape, images[""].geometry.unit
    ([''], (3, 4), 'pixel')
    """
    file, limit = Path(path), arrays.integer(max_bytes, "max_bytes", at_least=1)
    kind = format_of(file)
    if kind == "NIfTI":
        return nifti.read(file, limit)
    if kind == "DICOM":
        return dicom.read(file, series(file) if file.is_dir() else [file], limit)
    if kind in ("PNG", "JPEG"):
        return raster.read(file, kind, limit)
    if kind == "MAT":
        return {"": matlab.read(file, limit).image}
    return itk.read(file, kind, limit)


def read_image(
    path: str | os.PathLike[str], which: str | None = None, *, max_bytes: int = MAX_BYTES
) -> Image:
    """Read a file, or a folder with one DICOM series, that holds one image.

    Values are as stored, times the slope and plus the intercept that the file gives for each slice.

    Parameters
    ----------
    path : str or path
        NIfTI, DICOM, PNG, JPEG, MetaImage, NRRD or MAT file, or a folder.
    which : str, optional
        The name of one of several, as :func:`read_images` has them. Without it a file of several is
        refused, and their names are listed.
    max_bytes : int, default 2 GiB
        The most that a header may ask for; a larger image is refused before it is read.

    Returns
    -------
    Image
        Values, and where they lie.

    Raises
    ------
    TypeError, ValueError
        In a sentence that names the file, where it cannot be read whole, is of colours, holds
        several images and none is chosen, or does not tell what it holds and where that lies.
    MissingLibrary
        Where the library that reads the format is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from PIL import Image as Pillow
    >>> from lesionkit import io
    >>> grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Pillow.fromarray(grey).save(f"{folder}/slice.png")
    ...     image = io.read_image(f"{folder}/slice.png")
    >>> image.values[1].tolist(), image.spacing
    ([4, 5, 6, 7], (1.0, 1.0))
    """
    images = read_images(path, max_bytes=max_bytes)
    if which is None and len(images) == 1:
        return next(iter(images.values()))
    names = ", ".join(repr(name) for name in list(images)[:8]) + ", ..." * (len(images) > 8)
    if which is None:
        shape = next(iter(images.values())).values.shape
        raise ValueError(
            f"{path} must hold one slice or volume of grey values, it has {len(images)} of shape "
            f"{shape}; choose one with which=: {names}"
        )
    if which not in images:
        raise ValueError(f"which must be one of {names}, in {path}, got {arrays.describe(which)}")
    return images[which]


def read_mask(
    path: str | os.PathLike[str], like: Image | None = None, *, max_bytes: int = MAX_BYTES
) -> Image:
    """Read a mask: values above 0.5 are inside, so that 0.9999999 is, and NaN is outside.

    Of a MAT file of the brain-tumour set it is the tumour's mask.

    Parameters
    ----------
    path : str or path
        NIfTI, DICOM, PNG, JPEG, MetaImage, NRRD or MAT file, or a folder.
    like : Image, optional
        The image that it belongs to: shape and place must be its. PNG and JPEG have no place: next
        to another format the file's rows go to the back and its columns to the left.
    max_bytes : int, default 2 GiB
        The most that a header may ask for; a larger image is refused before it is read.

    Returns
    -------
    Image
        Its values are booleans.

    Raises
    ------
    TypeError, ValueError
        As :func:`read_images`. Also where the file is an image and no mask: more than 32 different
        values that go beyond 1, or values below 0; or where it does not lie where `like` does.
    MissingLibrary
        Where the library that reads the format is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from PIL import Image as Pillow
    >>> from lesionkit import io
    >>> grey = np.uint8([[0, 255, 255], [0, 0, 255]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Pillow.fromarray(grey).save(f"{folder}/mask.png")
    ...     mask = io.read_mask(f"{folder}/mask.png")
    >>> mask.values.tolist()
    [[False, True, True], [False, False, True]]
    """
    is_tumour = format_of(Path(path)) == "MAT"
    mask = read_tumour(path, max_bytes=max_bytes).mask if is_tumour else (
        read_image(path, max_bytes=max_bytes)
    )  # fmt: skip
    values = mask.values
    known = values[~np.isnan(values)] if values.dtype.kind == "f" else values.ravel()
    if known.size == 0 or not np.isfinite(known).all():
        raise ValueError(
            f"{mask.path} must be a mask of finite numbers, it has NaN alone or infinite ones"
        )
    low, high = known.min(), known.max()
    different = 2 if high <= 1 else len(np.unique(known))
    if low < 0 or different > LABELS:
        raise ValueError(
            f"{mask.path} must be a mask, of values from 0 to 1 or of {LABELS} labels at most, got "
            f"values from {low:g} to {high:g}" + f", {different} of them" * (different > LABELS)
        )
    inside = Image(values > 0.5, mask.geometry, mask.affine, mask.axes, mask.path)
    return inside if like is None else _placed(inside, like)


def _placed(inside: Image, like: Image) -> Image:
    """The mask where its image lies; ValueError where it does not."""
    if inside.values.shape != like.values.shape:
        raise ValueError(
            f"{inside.path} must have the shape of {like.path}, {like.values.shape}, got "
            f"{inside.values.shape}"
        )
    seen = [format_of(image.path) in RASTER for image in (inside, like)]
    if seen[0] != seen[1]:
        turned = np.ascontiguousarray(inside.values[::-1, ::-1])
        return Image(turned, like.geometry, like.affine, like.axes, inside.path)
    if not seen[0]:
        shape = inside.values.shape
        apart = np.abs(inside.geometry.corners(shape) - like.geometry.corners(shape)).max()
        if apart > 0.1 * min(like.spacing):  # a tenth of a pixel: headers are rounded
            raise ValueError(
                f"{inside.path} must lie where {like.path} lies, it is {apart:.3g} mm off"
            )
    return inside


def read_tumour(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> TumourSlice:
    """Read image, mask and label of a MAT v7.3 file of the public brain-tumour set.

    The patient's id is never read.

    Parameters
    ----------
    path : str or path
        Ends with .mat.
    max_bytes : int, default 2 GiB
        The most that a header may ask for; a larger image is refused before it is read.

    Returns
    -------
    TumourSlice
        `image`, `mask` and `label`.

    Raises
    ------
    TypeError, ValueError
        Where the file is cut, or lacks one of the three.
    MissingLibrary
        Without h5py.

    References
    ----------
    Cheng, 2017, figshare 10.6084/m9.figshare.1512427.

    Examples
    --------
    >>> import tempfile
    >>> import h5py
    >>> from lesionkit import io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with h5py.File(f"{folder}/1.mat", "w") as file:
    ...         file["cjdata/image"] = [[10, 20], [30, 40]]
    ...         file["cjdata/tumorMask"], file["cjdata/label"] = [[0, 1], [0, 0]], 2
    ...     found = io.read_tumour(f"{folder}/1.mat")
    >>> found.label, found.image.values[found.mask.values].tolist()  # MATLAB's axes are swapped
    (2, [20])
    """
    file = Path(path)
    if format_of(file) != "MAT":
        raise ValueError(f"path must end with .mat, got {file}")
    return matlab.read(file, arrays.integer(max_bytes, "max_bytes", at_least=1))


def format_of(path: Path) -> str:
    """The format of a file: by its name, or for names without an ending by its content.

    Parameters
    ----------
    path : Path
        A file, or a folder with a DICOM series.

    Returns
    -------
    str
        "NIfTI", "DICOM", "PNG", "JPEG", "MetaImage", "NRRD" or "MAT".

    Raises
    ------
    ValueError
        Where there is no such file, or its format is another.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from lesionkit import io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "volume.nii.gz")
    ...     file.touch()
    ...     io.format_of(file)
    'NIfTI'
    """
    name = path.name.lower()
    if not path.exists():
        raise ValueError(f"{path} does not exist")
    if path.is_dir():
        if series(path):
            return "DICOM"
        raise ValueError(f"{path} is a folder without a DICOM series; name a file in it")
    for kind, endings in FORMATS.items():
        if name.endswith(endings):
            return kind
    if dicom.is_dicom(path):
        return "DICOM"
    known = [f"{kind} ({', '.join(endings)})" for kind, endings in FORMATS.items()]
    raise ValueError(f"{path} must be {', '.join(known[:-1])} or {known[-1]}")


def series(folder: Path) -> list[Path]:
    """The DICOM files of a folder that holds two or more, and no NIfTI or PNG.

    Parameters
    ----------
    folder : Path
        The folder.

    Returns
    -------
    list of Path
        Empty where the folder is none such.

    Raises
    ------
    OSError
        Where a file in it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from lesionkit import io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     io.series(Path(folder))
    []
    """
    return dicom.series(folder, (*NIFTI, *PNG))

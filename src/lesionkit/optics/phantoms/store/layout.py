"""The layout of a phantom store: what its files are called, and what is in each.

    PATH/zarr.json          the group; its attributes say what the phantoms are, and hold SHA-256 of
                            the small files of the arrays and of this very file ("checksums")
    PATH/signal/zarr.json   an array of Zarr v3 ("sharding_indexed", "bytes", "blosc", "crc32c")
    PATH/signal/c.0.0.0.0   a shard: SHARD chunks one after the other, each followed by its CRC-32C;
                            then the index (offset and length of each) and the CRC-32C of that
    PATH/signal/checksums   the CRC-32C of all chunks again, uint32: a chunk in another's place,
                            or another store's, is whole by its own
    ... and so on for `mri`, `chromophores`, `inclusions`

The root seals the small files, these seal the chunks: no bit can change without being told. Format
1 had a file for each chunk, `c.3.0.0.0`, without any checksum.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lesionkit import extras
from lesionkit.optics.phantoms.ellipsoids import Ellipsoid
from lesionkit.optics.phantoms.recipe import PhantomRecipe

CHUNK = 64
"""Phantoms in a chunk of every array, whatever the batch in which they are computed."""

SHARD = 64
"""Chunks in a shard, which is a file: 4,096 phantoms, 2 to 30 MiB an array."""

FORMAT = 2
"""Version of the layout of the store; format 1 is still read."""

LEVEL, BLOCK = 1, 2**19
"""Of zstd in Blosc. Blocks of half a MiB pack in half the time of Blosc's own choice, and better;
higher levels and, for maps and MRI, shuffling cost time and do not pack better."""


class Region(NamedTuple):
    """A disc of one tissue: the background, or an inclusion.

    Attributes
    ----------
    x, y : float
        Of its middle, mm.
    radius : float
        mm.
    hbo, hb : float
        Micromolar.
    water : float
        Per cent.
    amplitude, power : float
        Of scattering; mm^-1, and no unit.
    """

    x: float
    y: float
    radius: float
    hbo: float
    hb: float
    water: float
    amplitude: float
    power: float


REGION_COLUMNS = Region._fields
"""Columns of `inclusions`; in three dimensions those of `Ellipsoid`."""

CHECKSUMS = "checksums"
"""The file of an array, and the attribute of the group."""

EMPTY = 2**64 - 1
"""Offset and length, in a shard's index, of a chunk that is not there."""

INDEX_BYTES = 16 * SHARD + 4

UNSEALED = "0" * 64
"""In the place of the root's own digest, while that is computed."""


@dataclass(frozen=True)
class Layout:
    """One array of the store: all but its length."""

    dtype: str
    shape: tuple[int, ...]  # of one phantom
    shuffle: str  # of the bytes, before zstd: what packs this kind of data best
    dimensions: tuple[str, ...]
    attributes: dict[str, Any]

    @property
    def stored_dtype(self) -> np.dtype[Any]:
        return np.dtype(self.dtype).newbyteorder("<")

    def file(self, number: int) -> str:
        """Name of a shard, or of a chunk of format 1: points, not slashes, so that an array is one
        flat folder."""
        return ".".join(["c", str(number), *("0" for _ in self.shape)])

    def empty(self, count: int, xp: Any = np) -> Any:
        """Room for `count` phantoms, all zero: an array of NumPy, or of the module `xp`."""
        return xp.zeros((count, *self.shape), self.dtype)

    def pack(self, chunk: npt.NDArray[Any]) -> bytes:
        """(CHUNK, ...) as it lies in its shard, CRC-32C included. The bytes do not depend on the
        thread."""
        blosc = codec()
        shuffle = getattr(blosc, self.shuffle.upper())
        little = chunk.astype(self.stored_dtype, copy=False)
        packed = bytes(blosc.compress(little, b"zstd", LEVEL, shuffle, BLOCK))
        return packed + crc32c(packed).to_bytes(4, "little")

    def metadata(self, count: int, version: int = FORMAT) -> dict[str, Any]:
        """zarr.json of the array (Zarr v3 core specification), in this format or in format 1."""
        itemsize = self.stored_dtype.itemsize
        blosc = {"typesize": itemsize, "cname": "zstd", "clevel": LEVEL}
        little = {"configuration": {"endian": "little"}} if itemsize > 1 else {}
        blosc |= {"shuffle": self.shuffle, "blocksize": BLOCK}
        codecs: list[dict[str, Any]] = [
            {"name": "bytes", **little},
            {"name": "blosc", "configuration": blosc},
        ]
        chunk = [CHUNK, *self.shape]
        if version > 1:
            sharding = {
                "chunk_shape": chunk,
                "codecs": [*codecs, {"name": "crc32c"}],
                "index_codecs": [
                    {"name": "bytes", "configuration": {"endian": "little"}},
                    {"name": "crc32c"},
                ],
                "index_location": "end",
            }
            codecs = [{"name": "sharding_indexed", "configuration": sharding}]
            chunk = [SHARD * CHUNK, *self.shape]
        return {
            "zarr_format": 3,
            "node_type": "array",
            "shape": [count, *self.shape],
            "data_type": self.dtype,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
            "fill_value": 0,
            "codecs": codecs,
            "dimension_names": ["phantom", *self.dimensions],
            "attributes": self.attributes,
        }


def region_kind(recipe: PhantomRecipe) -> type[Region] | type[Ellipsoid]:
    """What the rows of `inclusions` are."""
    return Ellipsoid if recipe.solid else Region


def layouts(recipe: PhantomRecipe) -> dict[str, Layout]:
    """The arrays of a store of this recipe, by name."""
    optodes, shape = recipe.optodes, recipe.image_shape
    image = ("plane", "row", "column")[-recipe.axes :]
    kind = region_kind(recipe)
    tissue = ["uM", "uM", "%", "mm^-1", ""]
    units = [*["mm"] * 6, *[""] * 4, *tissue] if recipe.solid else [*["mm"] * 3, *tissue]
    absent = "semi-axes 0" if recipe.solid else "radius 0"
    return {
        "signal": Layout(
            "float32",
            (len(recipe.wavelengths), optodes, optodes - 1),
            "shuffle",
            ("wavelength", "source", "detector"),
            {"unit": "mm^-1", "detector": "j of source s is optode (s + 1 + j) mod optodes"},
        ),
        "mri": Layout("uint8", shape, "noshuffle", image, {"unit": "gray value"}),
        "chromophores": Layout(
            "float32",
            (3, *shape),
            "noshuffle",
            ("chromophore", *image),
            {"chromophores": ["HbO", "Hb", "water"], "units": ["uM", "uM", "%"]},
        ),
        "inclusions": Layout(
            "float64",
            (3, len(kind._fields)),
            "shuffle",
            ("region", "column"),
            {
                "rows": ["background", "inclusion 1", f"inclusion 2 ({absent}: absent)"],
                "columns": list(kind._fields),
                "units": units,
            },
        ),
    }


def chunk_count(count: int) -> int:
    """Chunks of so many phantoms."""
    return -(-count // CHUNK)


def shard_count(count: int) -> int:
    """Files that so many phantoms take in each array."""
    return -(-count // (SHARD * CHUNK))


def crc32c(data: bytes | npt.NDArray[np.uint8]) -> int:
    """CRC-32C (Castagnoli, IEEE Trans. Communications 41(6), 1993; RFC 3720), that of Zarr."""
    return int(extras.require("google_crc32c", "stores of phantoms need").value(data))


def check_libraries() -> None:
    """MissingLibrary where one is not installed that a store is written with."""
    codec(), crc32c(b"")


def codec() -> Any:
    """numcodecs' Blosc."""
    return extras.require("numcodecs.blosc", "stores of phantoms need")


def chunk_sum(piece: bytes) -> int | None:
    """CRC-32C of a chunk as it lies in its shard; None where its last bytes say another."""
    total = crc32c(np.frombuffer(piece, np.uint8)[:-4])
    return total if piece[-4:] == total.to_bytes(4, "little") else None


def shard_index(lengths: Sequence[int]) -> bytes:
    """The end of a shard whose chunks have so many bytes, and lie one after the other."""
    index = np.full((SHARD, 2), EMPTY, "<u8")
    index[: len(lengths), 1] = lengths
    index[: len(lengths), 0] = np.cumsum([0, *lengths[:-1]])
    data = index.tobytes()
    return data + crc32c(data).to_bytes(4, "little")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def root_metadata(attributes: Mapping[str, Any], digests: Mapping[str, str]) -> bytes:
    """zarr.json of the group, with the digests of the small files and its own."""
    sums = {**digests, "zarr.json": UNSEALED}
    root = {"zarr_format": 3, "node_type": "group", "attributes": {**attributes, CHECKSUMS: sums}}
    text = json_bytes(root)
    return text.replace(UNSEALED.encode(), digest(text).encode())


def is_sealed(text: bytes, seal: Any) -> bool:
    """Whether these bytes of the root are those that its own digest was computed of."""
    return isinstance(seal, str) and digest(text.replace(seal.encode(), UNSEALED.encode())) == seal


def json_bytes(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()

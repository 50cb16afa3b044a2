"""Light in tissue: meshes, the diffusion forward model, spectra and NIRST phantoms."""

from __future__ import annotations

from lesionkit.lazy import make_lazy

make_lazy(__name__)

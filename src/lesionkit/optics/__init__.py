"""Light in tissue: meshes, the diffusion forward model, spectra and NIRST phantoms."""

"""The diffusion forward model, its plan and its derivatives."""

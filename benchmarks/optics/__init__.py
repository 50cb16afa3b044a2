"""The forward model, its peers, phantoms and reconstruction."""

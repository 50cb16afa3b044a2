"""A store of phantoms: a Zarr group that is whole or is none, in a folder or an object store."""

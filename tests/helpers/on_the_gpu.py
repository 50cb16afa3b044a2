"""What says of itself that it is an array on a GPU."""

from __future__ import annotations


class OnTheGpu:
    __cuda_array_interface__ = {"version": 3}  # noqa: RUF012

"""Ours and its peers on the same work, in one run, with equal answers (see README.md)."""

import os

# Threads of a peer's pool that wait for more work must not hold a core while another is timed. Read
# by OpenMP and OpenBLAS when they are loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")

"""One table of tolerances, each with its reason. Relative unless said otherwise."""

# Two direct solvers of the same matrix: its condition, 1e3 to 1e4, times rounding; 1e-14 was seen.
SOLVERS = 1e-12

# Sources and detectors swapped: the same factor, sums in another order; 1e-14 was seen.
RECIPROCITY = 1e-12

# One instruction set against another: products and sums are fused or not.
INSTRUCTION_SETS = 1e-12

# float32 maps against the same values in float64: the answer is rounded once.
SINGLE = 1e-6

# The errors of linear elements that we compare with were found on meshes fitted to
# inclusions, ours of plain rings: the same size and order, not the same triangles.
PUBLISHED_ERRORS = 0.3

# A GPU, or its kernels on the host, against the CPU in float64: sums in another order, sine and
# cosine of another library.
GPU = 1e-9

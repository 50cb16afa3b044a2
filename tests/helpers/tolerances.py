"""One table of tolerances, each with its reason. Relative unless said otherwise."""

import numpy as np

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

# Entropies and quotients of counts: logarithms summed in another order; 4e-14 was seen. Also the
# absolute tolerance, for features that are 0.
TEXTURE_SUMS = 1e-11

# Scores of features: means and variances of a few hundred numbers, in another order.
SELECTION = 1e-9

# Moments and a small least-squares system: its condition, up to 1e3, times rounding. Also the
# absolute tolerance, for features that are 0.
MOMENTS = 1e-10

# Features of PyRadiomics: it adds 2e-16 inside logarithms, and Imc1 is a difference of entropies.
PYRADIOMICS = 1e-9

# PyRadiomics' MCC: the root of an eigenvalue, by a solver for matrices that are not symmetric; a
# small one is known to rounding only before the root is taken. 2e-10 was seen.
EIGENVALUE = 1e-7

# Memberships and centres of a few passes: sums in another order, powers by exp2 and log2. Also the
# absolute tolerance, of numbers about 1.
SPATIAL = 1e-11

# Centres of fuzzy c-means in float64, and its objective: sums in another order, over a few passes,
# each of which may enlarge an error a little. 1e-14 was seen.
CENTRES = 1e-11

# The same where the samples are float32, and memberships are worked out in float32: 2e-7 was seen.
CENTRES_OF_SINGLE = 2e-6

# Means and inertias of k-means: sums in another order.
KMEANS = 1e-11


def single(dtype: object) -> float:
    """KMEANS, or the rounding of centres to float32."""
    return 2e-6 if dtype == np.float32 else KMEANS


# Level sets after a few iterations, and their energies, against plain loops: sums in another order.
# Also the absolute tolerance.
CONTOUR_STEPS = 1e-12
CONTOUR_ENERGY = 1e-12
# Marching times, one program's against another's: sums in another order, along paths of some ten to
# a thousand nodes; 1e-13 was seen. Also the absolute tolerance, for times near 0.
MARCHING = 1e-11

# Exact distances: a root of a sum of squares, of which a few are rounded.
DISTANCE = 1e-14

# Arrival times: two orders of the same updates, each rounded. The roots of some thousand steps in
# a row; 1e-15 and 3e-7 were seen.
TIMES = 1e-12
TIMES_SINGLE = 1e-6

# Arrival times of order 2: where the two roots of a quadratic are nearly one, rounding grows to its
# square root; 2e-9 was seen.
DOUBLE_ROOT = 1e-7

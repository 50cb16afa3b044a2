"""Names of features, in the order of the kernels' enums."""

from __future__ import annotations

# In the order of the enum Feature in csrc/texture/rois/rois.hpp.
MAZDA = (
    "AngScMom",
    "Contrast",
    "Correlat",
    "SumOfSqs",
    "InvDfMom",
    "SumAverg",
    "SumVarnc",
    "SumEntrp",
    "Entropy",
    "DifVarnc",
    "DifEntrp",
)

HARALICK = (
    "angular_second_moment",
    "contrast",
    "correlation",
    "joint_variance",
    "inverse_difference_moment",
    "sum_average",
    "sum_variance",
    "sum_entropy",
    "joint_entropy",
    "difference_variance",
    "difference_entropy",
    "information_correlation_1",
    "information_correlation_2",
    "maximal_correlation",
)

# In the order of MapFeature in csrc/texture/maps/maps.hpp.
MAP_FEATURES = (*HARALICK[:11], "dissimilarity", "energy", "joint_average")

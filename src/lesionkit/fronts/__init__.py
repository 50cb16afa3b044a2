"""Fast marching, contours and watershed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lesionkit.lazy import make_lazy

if TYPE_CHECKING:
    from lesionkit.fronts.arrival import arrival_time as arrival_time
    from lesionkit.fronts.contours.active_contour import (
        geodesic_active_contour as geodesic_active_contour,
    )
    from lesionkit.fronts.contours.chan_vese import chan_vese as chan_vese
    from lesionkit.fronts.contours.morphological import (
        inverse_gaussian_gradient as inverse_gaussian_gradient,
    )
    from lesionkit.fronts.contours.morphological import (
        morphological_chan_vese as morphological_chan_vese,
    )
    from lesionkit.fronts.contours.morphological import (
        morphological_geodesic_active_contour as morphological_geodesic_active_contour,
    )
    from lesionkit.fronts.distance import distance as distance
    from lesionkit.fronts.distance import extension_velocities as extension_velocities
    from lesionkit.fronts.distance import travel_time as travel_time
    from lesionkit.fronts.edge_flow import EdgeFlow as EdgeFlow
    from lesionkit.fronts.edge_flow import edge_flow as edge_flow
    from lesionkit.fronts.edge_flow import link_boundaries as link_boundaries
    from lesionkit.fronts.geodesic import geodesic_segment as geodesic_segment
    from lesionkit.fronts.geodesic import gradient_weight as gradient_weight
    from lesionkit.fronts.geodesic import grey_weight as grey_weight
    from lesionkit.fronts.level_sets import checkerboard_level_set as checkerboard_level_set
    from lesionkit.fronts.level_sets import disk_level_set as disk_level_set
    from lesionkit.fronts.markers import h_minima as h_minima
    from lesionkit.fronts.paths import geodesic_path as geodesic_path
    from lesionkit.fronts.region import region_grow as region_grow
    from lesionkit.fronts.transform import distance_transform as distance_transform
    from lesionkit.fronts.watershed import watershed as watershed

_HOME = {
    "EdgeFlow": "edge_flow",
    "arrival_time": "arrival",
    "chan_vese": "contours.chan_vese",
    "checkerboard_level_set": "level_sets",
    "disk_level_set": "level_sets",
    "distance": "distance",
    "distance_transform": "transform",
    "edge_flow": "edge_flow",
    "extension_velocities": "distance",
    "geodesic_active_contour": "contours.active_contour",
    "geodesic_path": "paths",
    "geodesic_segment": "geodesic",
    "gradient_weight": "geodesic",
    "grey_weight": "geodesic",
    "h_minima": "markers",
    "inverse_gaussian_gradient": "contours.morphological",
    "link_boundaries": "edge_flow",
    "morphological_chan_vese": "contours.morphological",
    "morphological_geodesic_active_contour": "contours.morphological",
    "region_grow": "region",
    "travel_time": "distance",
    "watershed": "watershed",
}
__all__ = [
    "EdgeFlow",
    "arrival_time",
    "chan_vese",
    "checkerboard_level_set",
    "disk_level_set",
    "distance",
    "distance_transform",
    "edge_flow",
    "extension_velocities",
    "geodesic_active_contour",
    "geodesic_path",
    "geodesic_segment",
    "gradient_weight",
    "grey_weight",
    "h_minima",
    "inverse_gaussian_gradient",
    "link_boundaries",
    "morphological_chan_vese",
    "morphological_geodesic_active_contour",
    "region_grow",
    "travel_time",
    "watershed",
]

make_lazy(__name__)

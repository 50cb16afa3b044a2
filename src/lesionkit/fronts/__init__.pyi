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

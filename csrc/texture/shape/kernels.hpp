// Shape of a mask: what the binding and the tests call. Python has checked and cut the mask
// (texture/shape.py).
#pragma once

#include "common/view.hpp"
#include "texture/region/kernels.hpp"

namespace lesionkit::texture {

// mask: of a box with less than 65,536 voxels along each axis. steps (3, 3): from a voxel to the
// next along z, y and x, mm. sums (10): voxels, and the sums of their places z, y, x and of zz, yy,
// xx, zy, zx, yx. sizes (6): surface, mm^2, volume, mm^3, and the diameters in planes of constant
// z, y and x and in space, mm, between vertices of the surface.
void shape_of_volume(Box<uint8_t> mask, View<const double> steps, View<int64_t> sums,
                     View<double> sizes);

// The same of a mask of one slice: steps (2, 3) along y and x; sizes (3): outline, mm, surface,
// mm^2, and diameter, mm.
void shape_of_picture(Box<uint8_t> mask, View<const double> steps, View<int64_t> sums,
                      View<double> sizes);

}  // namespace lesionkit::texture

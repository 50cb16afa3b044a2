// Filters of images: what the binding and the tests call. Python has checked and cut the image
// (radiomics/filters.py).
#pragma once

#include "common/view.hpp"
#include "texture/region/kernels.hpp"

namespace lesionkit::texture {

// The Laplacian of a Gaussian, times sigma^2, by recursion (gaussian.hpp).
//
// image: 4 voxels or more along each of its axes, of which there are 2 (the volume has one slice)
// or 3. spacing (3): along z, y and x, mm, as sigma. wanted (3, 2): first and last but one of the
// voxels that are wanted along z, y and x; out has their shape.
template <class From>
void laplacian_of_gaussian(Box<From> image, View<const double> spacing, double sigma, int64_t axes,
                           View<const int64_t> wanted, View<float> out);

// A region whose contour a smooth random field shifts, and an image with noise (z, y, x).
//
// distance: to the contour, above 0 inside. first (z + y + x), weights (z + y + x, 4): of each
// place along z, y and x the first of four splines that reach there, ascending, and what they
// weigh. shift, noise: standard deviations. kept: 1 inside.
void perturb(View<const double> values, View<const double> distance, View<const int64_t> first,
             View<const double> weights, double shift, double noise, uint64_t seed, uint64_t item,
             View<uint8_t> kept, View<double> noisy);

}  // namespace lesionkit::texture

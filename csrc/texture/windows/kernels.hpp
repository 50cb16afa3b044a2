// Features of the window about each voxel: what the binding and the tests call. Python has checked
// and cut everything (texture/region/voxels.py).
#pragma once

#include <array>

#include "common/view.hpp"

namespace lesionkit::texture::windows {

// What is asked for of each family: how many features it has in `out`, 0 or all of them.
struct Families {
  bool first_order, pairs, runs, zones, dependences, tones;
};

// How windows are measured.
struct Rules {
  int64_t levels;  // the highest
  bool symmetric, one_level, maximal;
  int64_t alpha;
  double shift, voxel;  // mm^3
};

// padded: levels as texture/region/volume.hpp tells, with a border no less than the radius (along
// z, y and x); values: of the same places, for the first-order features. middles (n): places in
// `padded` of the voxels whose windows are measured, levels there are not 0. directions (d, 3) of
// pairs and neighbours, steps (s, 3) of runs and zones: of two opposite ones, one. out (n,
// features): families in their order. T: uint8_t, uint16_t or uint32_t.
template <class T>
void window_features(View<const T> padded, Maybe<const double> values, View<const int64_t> middles,
                     View<const int64_t> directions, View<const int64_t> steps,
                     std::array<int64_t, 3> radius, const Families& families, const Rules& rules,
                     View<double> out);

// Of a whole region, of 65,533 voxels or fewer, as if it was one window; padded: with any border or
// none. On one thread: for small regions.
template <class T>
void region_features(View<const T> padded, Maybe<const double> values,
                     View<const int64_t> directions, View<const int64_t> steps,
                     const Families& families, const Rules& rules, View<double> out);

}  // namespace lesionkit::texture::windows

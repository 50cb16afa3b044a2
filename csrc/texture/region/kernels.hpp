// Regions of grey levels, and what is counted in them: what the binding and the tests call. Python
// has checked shapes and values (texture/region/discretise.py). `padded` is as volume.hpp tells; T,
// the type of its levels, is uint8_t, uint16_t or uint32_t.
#pragma once

#include <algorithm>
#include <tuple>
#include <vector>

#include "common/view.hpp"

namespace lesionkit::texture {

// Part of a C-contiguous volume: its rows are contiguous, and slices and rows are so many bytes
// apart.
template <class T>
struct Box {
  const char* start;
  int64_t depth, height, width;
  int64_t slice, line;

  const T* row(int64_t z, int64_t y) const {
    return reinterpret_cast<const T*>(start + z * slice + y * line);
  }
  // Slices for one chunk of work.
  int64_t grain() const {
    return std::max<int64_t>(1, (1 << 16) / std::max<int64_t>(height * width, 1));
  }
};

// (z begin, z end, y begin, y end, x begin, x end, voxels) of a mask.
std::vector<int64_t> mask_box(Box<uint8_t> mask);

// Of a volume inside a mask: (least, greatest, all finite), and the values. From: double, float,
// int16_t or int32_t.
template <class From>
std::tuple<double, double, bool> inside_extent(Box<From> volume, Box<uint8_t> mask);
template <class From>
void gather(Box<From> volume, Box<uint8_t> mask, View<double> values);

// (sum, sum of squares) of all values; of whole numbers exact while below 2^53.
template <class T>
std::tuple<double, double> value_sums(View<const T> values);

// levels (int32_t or int64_t), mask (or none): of the box. Returns whether all levels in the region
// are in [0, limit).
template <class From, class T>
bool place(View<const From> levels, Maybe<const uint8_t> mask, int64_t limit, int64_t border,
           View<T> padded);

// Of each voxel of the region its bin, 1 for the first and `highest` for the last. epsilon: how far
// apart the type of the edges has the numbers about 1.
template <class From, class T>
void place_bins(Box<From> volume, Box<uint8_t> mask, View<const double> edges, int64_t highest,
                double epsilon, int64_t border, View<T> padded);

// Of each voxel of the region its number; whether all are whole, from 1 to `highest`.
template <class From, class T>
bool place_levels(Box<From> volume, Box<uint8_t> mask, int64_t highest, int64_t border,
                  View<T> padded);

// counts[level], 0 for outside: how many voxels of `padded` have it.
template <class T>
void level_counts(View<const T> padded, View<int64_t> counts);

// sums (6): how many values lie in [low, high]; of these about `centre` the sums of deviations, of
// their sizes, and of their second to fourth powers.
void power_sums(View<const double> values, double centre, double low, double high,
                View<double> sums);

// found[i]: the value of rank ranks[i] among those in [low, high].
void order_statistics(View<const double> values, double low, double high, View<const int64_t> ranks,
                      View<double> found);

// table: zeros (directions, levels + 1, longest + 1). Level or length 0: garbage.
template <class T>
void run_lengths(View<const T> padded, int64_t border, View<const int64_t> directions,
                 View<uint32_t> table);

// table: zeros (directions, levels + 1, levels + 1). Row or column 0: garbage.
template <class T>
void region_pairs(View<const T> padded, int64_t border, View<const int64_t> directions,
                  View<uint32_t> table);

// The sizes that zones have, ascending, and how many of each level (levels, sizes) have them.
struct ZoneCounts {
  std::vector<int64_t> sizes, counts;
};
template <class T>
ZoneCounts zones(View<const T> padded, int64_t border, int64_t levels, int64_t connectivity);

// offsets (neighbours, 3): within the border; rows (levels + 1): of each level, 0 for outside, its
// row in the tables. dependence, differences (times neighbours): zeros (rows, neighbours + 1);
// voxels: zeros (rows, 2), without a neighbour and with one or more.
template <class T>
void neighbours(View<const T> padded, int64_t border, View<const int64_t> offsets, int32_t alpha,
                View<const int32_t> rows, View<int64_t> dependence, View<int64_t> voxels,
                View<int64_t> differences);

}  // namespace lesionkit::texture

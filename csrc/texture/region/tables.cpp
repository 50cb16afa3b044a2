// Tables of a region of grey levels: runs, pairs, zones and neighbourhoods.
#include <algorithm>
#include <functional>
#include <vector>

#include "common/reduce.hpp"
#include "common/view.hpp"
#include "texture/region/kernels.hpp"
#include "texture/region/neighbours.hpp"
#include "texture/region/pairs3d.hpp"
#include "texture/region/runs.hpp"
#include "texture/region/zones.hpp"

namespace lesionkit::texture {
namespace {

template <class T>
Volume<T> view(View<const T> padded, int64_t border) {
  return volume_of(padded.data(), padded.shape(0), padded.shape(1), padded.shape(2), border);
}

// Made once: small regions would wait for little else. A volume may be flat too: one row high.
const Before& before_of(int64_t connectivity, bool flat) {
  static const Before known[2][3] = {{{1, false}, {2, false}, {3, false}},
                                     {{1, true}, {2, true}, {3, true}}};
  return known[flat][connectivity - 1];
}

template <class Number>
void add_to(View<Number> sum, const std::vector<Number>& part) {
  std::transform(part.begin(), part.end(), sum.data(), sum.data(), std::plus<>());
}

// The tables of neighbours one after another.
struct NeighbourTables {
  int64_t* dependence;
  int64_t* voxels;
  int64_t* differences;
  int64_t width;  // neighbours that a voxel may have, and 1

  template <class Raise>
  void add(int64_t row, int64_t dependent, int64_t count, int64_t apart, Raise&& raise) const {
    raise(dependence[row * width + dependent], 1);
    raise(voxels[row * 2 + (count > 0)], 1);
    raise(differences[row * width + count], apart);
  }
};

// Each thread counts in tables of its own; in those of the caller where they are large.
template <class Wide, class T>
void neighbours_in(const Volume<T>& volume, View<const int64_t> offsets, int32_t alpha,
                   View<const int32_t> rows, View<int64_t> dependence, View<int64_t> voxels,
                   View<int64_t> differences) {
  constexpr int64_t max_own = 1 << 14;
  const auto* first = reinterpret_cast<const Offset*>(offsets.data());
  const std::vector<Offset> steps(first, first + offsets.shape(0));
  const int64_t width = dependence.shape(1), cells = dependence.size();
  const int64_t grain = std::max<int64_t>(1, (1 << 15) / volume.slice);
  const int32_t* row = rows.data();
  const auto count = [&](int64_t begin, int64_t end, const NeighbourTables& to, auto&& raise) {
    NeighbourBlock<Wide> block(block_length(volume));
    for (int64_t z = begin; z < end; ++z)
      each_neighbourhood(volume, steps, z, alpha, block,
                         [&](int64_t level, int64_t dependent, int64_t neighbours, int64_t apart) {
                           to.add(row[level], dependent, neighbours, apart, raise);
                         });
  };
  if (cells > max_own) {
    const NeighbourTables to = {dependence.data(), voxels.data(), differences.data(), width};
    parallel_for(volume.depth, grain, [&](int64_t begin, int64_t end) {
      count(begin, end, to,
            [](int64_t& sum, int64_t by) { __atomic_fetch_add(&sum, by, __ATOMIC_RELAXED); });
    });
    return;
  }
  const int64_t all = 2 * cells + voxels.size();
  const auto found = reduce_in_any_order(
      volume.depth, grain, Counts<int64_t>(all),
      [&](int64_t begin, int64_t end, Counts<int64_t>& part) {
        int64_t* at = part.of.data();
        count(begin, end, NeighbourTables{at, at + 2 * cells, at + cells, width},
              [](int64_t& sum, int64_t by) { sum += by; });
      });
  const int64_t* from = found.of.data();
  std::copy_n(from, cells, dependence.data());
  std::copy_n(from + cells, cells, differences.data());
  std::copy_n(from + 2 * cells, voxels.size(), voxels.data());
}

}  // namespace

template <class T>
void run_lengths(View<const T> padded, int64_t border, View<const int64_t> directions,
                 View<uint32_t> table) {
  const Volume<T> volume = view(padded, border);
  const auto* by = reinterpret_cast<const Offset*>(directions.data());
  uint32_t* to = table.data();
  const RunTable cells = {table.shape(1) - 1, table.shape(2) - 1};
  const int64_t count = directions.shape(0), groups = (count + RUN_GROUP - 1) / RUN_GROUP;
  const int64_t grain = volume.depth * volume.slice < 1 << 13 ? groups : 1;
  parallel_for(groups, grain, [&](int64_t begin, int64_t end) {
    for (int64_t g = begin; g < end; ++g) {
      // groups as even as can be
      const int64_t first = g * count / groups, here = (g + 1) * count / groups - first;
      uint32_t* part = to + cells.cell(first, 0, 0);
      if (here == 4) count_runs<4>(volume, by + first, cells, part);
      if (here == 3) count_runs<3>(volume, by + first, cells, part);
      if (here == 2) count_runs<2>(volume, by + first, cells, part);
      if (here == 1) count_runs<1>(volume, by + first, cells, part);
    }
  });
}

template <class T>
void region_pairs(View<const T> padded, int64_t border, View<const int64_t> directions,
                  View<uint32_t> table) {
  const Volume<T> volume = view(padded, border);
  const auto* by = reinterpret_cast<const Offset*>(directions.data());
  const int64_t count = directions.shape(0), levels = table.shape(1) - 1;
  const int64_t grain = std::max<int64_t>(1, (1 << 16) / volume.slice);
  const auto found =
      reduce_in_any_order(volume.depth, grain, Counts<uint32_t>(table.size()),
                          [&](int64_t begin, int64_t end, Counts<uint32_t>& part) {
                            for (int64_t z = begin; z < end; ++z)
                              count_region_pairs(volume, by, count, z, levels, part.of.data());
                          });
  add_to(table, found.of);
}

template <class T>
ZoneCounts zones(View<const T> padded, int64_t border, int64_t levels, int64_t connectivity) {
  const Volume<T> volume = view(padded, border);
  const Before& before = before_of(connectivity, volume.height == 1);
  std::vector<std::pair<T, int32_t>> found;
  Zones<T>(volume, before).each([&](T level, int32_t size) { found.push_back({level, size}); });
  int32_t largest = 0;
  for (const auto& zone : found) largest = std::max(largest, zone.second);
  std::vector<int32_t> column(largest + 1);  // of each size, 1 + where its counts stand
  for (const auto& zone : found) column[zone.second] = 1;
  ZoneCounts made;
  for (int32_t size = 1; size <= largest; ++size)
    if (column[size]) {
      made.sizes.push_back(size);
      column[size] = static_cast<int32_t>(made.sizes.size());
    }
  const auto width = static_cast<int64_t>(made.sizes.size());
  made.counts.resize(levels * width);
  for (const auto& [level, size] : found) ++made.counts[(level - 1) * width + column[size] - 1];
  return made;
}

template <class T>
void neighbours(View<const T> padded, int64_t border, View<const int64_t> offsets, int32_t alpha,
                View<const int32_t> rows, View<int64_t> dependence, View<int64_t> voxels,
                View<int64_t> differences) {
  const Volume<T> volume = view(padded, border);
  if (sizeof(T) == 1 && dependence.shape(1) * 255 < 1 << 16)
    neighbours_in<uint16_t>(volume, offsets, alpha, rows, dependence, voxels, differences);
  else
    neighbours_in<uint32_t>(volume, offsets, alpha, rows, dependence, voxels, differences);
}

#define OF_LEVELS(T)                                                                       \
  template void run_lengths(View<const T>, int64_t, View<const int64_t>, View<uint32_t>);  \
  template void region_pairs(View<const T>, int64_t, View<const int64_t>, View<uint32_t>); \
  template ZoneCounts zones(View<const T>, int64_t, int64_t, int64_t);                     \
  template void neighbours(View<const T>, int64_t, View<const int64_t>, int32_t,           \
                           View<const int32_t>, View<int64_t>, View<int64_t>, View<int64_t>);
OF_LEVELS(uint8_t)
OF_LEVELS(uint16_t)
OF_LEVELS(uint32_t)

}  // namespace lesionkit::texture

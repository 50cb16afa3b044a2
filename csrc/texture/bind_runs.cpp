// lesionkit.texture: regions of grey levels, runs, zones, neighbourhoods and intensities. Python
// has checked shapes and values (texture/discretise.py); `padded` is as volume.hpp tells.
#include <pybind11/stl.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "common/arrays.hpp"
#include "common/parallel.hpp"
#include "texture/intensity.hpp"
#include "texture/neighbours.hpp"
#include "texture/pairs3d.hpp"
#include "texture/runs.hpp"
#include "texture/zones.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::texture;

namespace {

template <class T>
Volume<T> view(const Array<T>& padded, int64_t border) {
  return volume_of(padded.data(), padded.shape(0), padded.shape(1), padded.shape(2), border);
}

// The box of the voxels where mask (depth, height, width) is 1 rather than 0, and their number:
// (z begin, z end, y begin, y end, x begin, x end, voxels).
std::vector<int64_t> mask_box(const Array<uint8_t>& mask) {
  const int64_t depth = mask.shape(0), height = mask.shape(1), width = mask.shape(2);
  const auto first_one = [](const uint8_t* from, int64_t n) {  // n if there is none
    const void* found = std::memchr(from, 1, n);
    return found ? static_cast<const uint8_t*>(found) - from : n;
  };
  std::vector<int64_t> box = {depth, 0, height, 0, width, 0, 0};
  std::vector<uint8_t> columns(width);
  std::mutex adding;
  const int64_t slice = height * width, grain = (1 << 19) / std::max<int64_t>(slice, 1) + 1;
  parallel_for(depth, grain, [&](int64_t begin, int64_t end) {
    int64_t z0 = depth, z1 = 0, y0 = height, y1 = 0, voxels = 0;
    std::vector<uint8_t> seen(width);
    for (int64_t z = begin; z < end; ++z) {
      const uint8_t* from = mask.data() + z * slice;
      const int64_t top = first_one(from, slice) / std::max<int64_t>(width, 1);
      if (top == height) continue;
      int64_t bottom = height;
      while (first_one(from + (bottom - 1) * width, width) == width) --bottom;
      for (int64_t y = top; y < bottom; ++y)
        for (int64_t x = 0; x < width; ++x) seen[x] |= from[y * width + x];
      uint32_t count = 0;
      for (int64_t i = top * width; i < bottom * width; ++i) count += from[i];
      voxels += count;
      z0 = std::min(z0, z);
      z1 = z + 1;
      y0 = std::min(y0, top);
      y1 = std::max(y1, bottom);
    }
    std::lock_guard guard(adding);
    for (int64_t x = 0; x < width; ++x) columns[x] |= seen[x];
    box = {std::min(box[0], z0),
           std::max(box[1], z1),
           std::min(box[2], y0),
           std::max(box[3], y1),
           width,
           0,
           box[6] + voxels};
  });
  for (int64_t x = 0; x < width; ++x) {
    if (columns[x] == 0) continue;
    box[4] = std::min(box[4], x);
    box[5] = x + 1;
  }
  return box;
}

// Calls row(from, to, width) for each row of a box of that shape: where it starts in the box, and
// where in `padded`.
template <class T, class Row>
void each_row(Array<T>& padded, int64_t border, Row&& row) {
  T* start = padded.mutable_data();
  const auto v = volume_of<T>(start, padded.shape(0), padded.shape(1), padded.shape(2), border);
  T* origin = start + (v.origin - start);
  std::fill(start, start + padded.size(), T{0});
  parallel_for(v.depth, std::max<int64_t>(1, (1 << 16) / v.slice), [&](int64_t begin, int64_t end) {
    for (int64_t z = begin; z < end; ++z)
      for (int64_t y = 0; y < v.height; ++y)
        row((z * v.height + y) * v.width, origin + z * v.slice + y * v.row, v.width);
  });
}

// levels, mask (or none): of the box. Returns whether all levels in the region are in [0, limit).
template <class From, class T>
bool place(const Array<From>& levels, const std::optional<Array<uint8_t>>& mask, int64_t limit,
           int64_t border, Array<T>& padded) {
  const From* from = levels.data();
  const uint8_t* in = mask ? mask->data() : nullptr;
  std::atomic<bool> fits{true};
  each_row(padded, border, [&](int64_t first, T* to, int64_t width) {
    const From* row = from + first;
    bool bad = false;
    if (in) {
      const uint8_t* inside = in + first;
      for (int64_t x = 0; x < width; ++x) {
        bad |= (inside[x] != 0) & ((row[x] < 0) | (row[x] >= static_cast<From>(limit)));
        to[x] = inside[x] ? static_cast<T>(row[x] + 1) : T{0};
      }
    } else {
      for (int64_t x = 0; x < width; ++x) {
        bad |= (row[x] < 0) | (row[x] >= static_cast<From>(limit));
        to[x] = static_cast<T>(row[x] + 1);
      }
    }
    if (bad) fits.store(false, std::memory_order_relaxed);
  });
  return fits;
}

// The numbers of volume where mask is not 0, in order.
void gather(const Array<double>& volume, const Array<uint8_t>& mask, Array<double>& values) {
  const double* from = volume.data();
  const uint8_t* inside = mask.data();
  double* to = values.mutable_data();
  for (int64_t i = 0, n = volume.size(); i < n; ++i)
    if (inside[i]) *to++ = from[i];
}

// Of each voxel of the region its bin, 1 for the first.
template <class T>
void place_bins(const Array<double>& volume, const Array<uint8_t>& mask, const Array<double>& edges,
                int64_t border, Array<T>& padded) {
  const Bins given(edges.data(), edges.size());
  const double* from = volume.data();
  const uint8_t* in = mask.data();
  each_row(padded, border, [&](int64_t first, T* __restrict to, int64_t width) {
    const Bins bins = given;  // its own, so that writing to `to` cannot change it
    const double* value = from + first;
    const uint8_t* inside = in + first;
    for (int64_t x = 0; x < width; ++x) {
      const int32_t bin = bins(inside[x] ? value[x] : bins.edges[0]);
      to[x] = inside[x] ? static_cast<T>(bin) : T{0};
    }
  });
}

// counts[level], 0 for outside: how many voxels of `padded` have it. Several tables take turns, so
// that no count waits for the one before it.
template <class T>
void level_counts(const Array<T>& padded, Array<int64_t>& counts) {
  constexpr int tables = 4;
  const T* from = padded.data();
  const int64_t n = padded.size(), levels = counts.size();
  std::vector<uint32_t> table(tables * levels);
  for (int64_t i = 0; i < n; ++i) ++table[(i % tables) * levels + from[i]];
  int64_t* to = counts.mutable_data();
  for (int64_t i = 0; i < tables * levels; ++i) to[i % levels] += table[i];
}

// table: zeros (directions, levels + 1, longest + 1). Level or length 0: garbage.
template <class T>
void run_lengths(const Array<T>& padded, int64_t border, const Array<int64_t>& directions,
                 Array<uint32_t>& table) {
  const Volume<T> volume = view(padded, border);
  const auto* by = reinterpret_cast<const Step*>(directions.data());
  uint32_t* to = table.mutable_data();
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

// table: zeros (directions, levels + 1, levels + 1). Row or column 0: garbage.
template <class T>
void region_pairs(const Array<T>& padded, int64_t border, const Array<int64_t>& directions,
                  Array<uint32_t>& table) {
  const Volume<T> volume = view(padded, border);
  const auto* by = reinterpret_cast<const Step*>(directions.data());
  const int64_t count = directions.shape(0), levels = table.shape(1) - 1;
  std::mutex adding;
  const int64_t grain = std::max<int64_t>(1, (1 << 16) / volume.slice);
  parallel_for(volume.depth, grain, [&](int64_t begin, int64_t end) {
    std::vector<uint32_t> part(table.size());
    for (int64_t z = begin; z < end; ++z)
      count_region_pairs(volume, by, count, z, levels, part.data());
    std::lock_guard guard(adding);  // whole numbers: any order gives the same sums
    std::transform(part.begin(), part.end(), table.data(), table.mutable_data(), std::plus<>());
  });
}

// (sizes (k), counts (levels, k)): the sizes that zones have, ascending, and how many have each.
template <class T>
py::tuple zones(const Array<T>& padded, int64_t border, int64_t levels, int64_t connectivity) {
  std::vector<std::pair<T, int32_t>> found;
  std::vector<int32_t> sizes;
  {
    py::gil_scoped_release release;
    const Volume<T> volume = view(padded, border);
    const Before before(connectivity, volume.height == 1);
    Zones<T>(volume, before).each([&](T level, int32_t size) { found.push_back({level, size}); });
    int32_t largest = 0;
    for (const auto& zone : found) largest = std::max(largest, zone.second);
    std::vector<uint8_t> there(largest + 1);
    for (const auto& zone : found) there[zone.second] = 1;
    for (int32_t size = 1; size <= largest; ++size)
      if (there[size]) sizes.push_back(size);
  }
  Array<int64_t> columns(static_cast<py::ssize_t>(sizes.size()));
  Array<int64_t> counts({levels, static_cast<int64_t>(sizes.size())});
  int64_t* to = counts.mutable_data();
  std::copy(sizes.begin(), sizes.end(), columns.mutable_data());
  std::fill(to, to + counts.size(), 0);
  {
    py::gil_scoped_release release;
    std::vector<int32_t> column(sizes.empty() ? 1 : sizes.back() + 1);
    for (size_t k = 0; k < sizes.size(); ++k) column[sizes[k]] = static_cast<int32_t>(k);
    for (const auto& [level, size] : found)
      ++to[(level - 1) * static_cast<int64_t>(sizes.size()) + column[size]];
  }
  return py::make_tuple(columns, counts);
}

template <class Wide, class T>
void neighbours_in(const Volume<T>& volume, int64_t distance, int32_t alpha,
                   Array<int64_t>& dependence, Array<int64_t>& voxels,
                   Array<int64_t>& differences) {
  const auto steps = neighbourhood(distance, volume.height == 1);
  const int64_t levels = dependence.shape(0) - 1, most = dependence.shape(1) - 1;
  std::mutex adding;
  const int64_t grain = std::max<int64_t>(1, (1 << 15) / volume.slice);
  parallel_for(volume.depth, grain, [&](int64_t begin, int64_t end) {
    NeighbourBlock<Wide> found(block_length(volume));
    NeighbourTables tables(levels, most);
    for (int64_t z = begin; z < end; ++z) count_neighbours(volume, steps, z, alpha, found, tables);
    std::lock_guard guard(adding);  // whole numbers: any order gives the same sums
    const auto add = [](const std::vector<int64_t>& part, Array<int64_t>& sum) {
      std::transform(part.begin(), part.end(), sum.data(), sum.mutable_data(), std::plus<>());
    };
    add(tables.dependence, dependence);
    add(tables.voxels, voxels);
    add(tables.differences, differences);
  });
}

// dependence, voxels, differences: zeros (levels + 1, neighbours + 1), see neighbours.hpp.
template <class T>
void neighbours(const Array<T>& padded, int64_t distance, int32_t alpha, Array<int64_t>& dependence,
                Array<int64_t>& voxels, Array<int64_t>& differences) {
  const Volume<T> volume = view(padded, distance);
  if (sizeof(T) == 1 && dependence.shape(1) * 255 < 1 << 16)
    neighbours_in<uint16_t>(volume, distance, alpha, dependence, voxels, differences);
  else
    neighbours_in<uint32_t>(volume, distance, alpha, dependence, voxels, differences);
}

void power_sums_of(const Array<double>& values, double centre, double low, double high,
                   Array<double>& sums) {
  const PowerSums found = power_sums(values.data(), values.size(), centre, low, high);
  double* to = sums.mutable_data();
  for (double sum :
       {found.count, found.sum, found.absolute, found.square, found.cube, found.fourth})
    *to++ = sum;
}

void order_statistics_of(const Array<double>& values, double low, double high,
                         const Array<int64_t>& ranks, Array<double>& found) {
  order_statistics(values.data(), values.size(), low, high, ranks.data(), ranks.size(),
                   found.mutable_data());
}

template <class T>
void bind_levels(py::module_ m) {
  const auto padded = py::arg("padded").noconvert();
  const auto place_of = [&]<class From>(From) {
    m.def("place", &place<From, T>, py::arg("levels").noconvert(), py::arg("mask").noconvert(),
          py::arg("limit"), py::arg("border"), padded, ReleaseGil());
  };
  place_of(int32_t{});
  place_of(int64_t{});
  m.def("place_bins", &place_bins<T>, py::arg("volume").noconvert(), py::arg("mask").noconvert(),
        py::arg("edges").noconvert(), py::arg("border"), padded, ReleaseGil());
  m.def("level_counts", &level_counts<T>, padded, py::arg("counts").noconvert(), ReleaseGil());
  m.def("run_lengths", &run_lengths<T>, padded, py::arg("border"),
        py::arg("directions").noconvert(), py::arg("table").noconvert(), ReleaseGil());
  m.def("region_pairs", &region_pairs<T>, padded, py::arg("border"),
        py::arg("directions").noconvert(), py::arg("table").noconvert(), ReleaseGil());
  m.def("zones", &zones<T>, padded, py::arg("border"), py::arg("levels"), py::arg("connectivity"));
  m.def("neighbours", &neighbours<T>, padded, py::arg("distance"), py::arg("alpha"),
        py::arg("dependence").noconvert(), py::arg("voxels").noconvert(),
        py::arg("differences").noconvert(), ReleaseGil());
}

}  // namespace

void bind_runs(py::module_ m) {
  m.def("mask_box", &mask_box, py::arg("mask").noconvert(), ReleaseGil());
  m.def("gather", &gather, py::arg("volume").noconvert(), py::arg("mask").noconvert(),
        py::arg("values").noconvert(), ReleaseGil());
  bind_levels<uint8_t>(m);
  bind_levels<uint16_t>(m);
  bind_levels<uint32_t>(m);
  m.def("power_sums", &power_sums_of, py::arg("values").noconvert(), py::arg("centre"),
        py::arg("low"), py::arg("high"), py::arg("sums").noconvert(), ReleaseGil());
  m.def("order_statistics", &order_statistics_of, py::arg("values").noconvert(), py::arg("low"),
        py::arg("high"), py::arg("ranks").noconvert(), py::arg("found").noconvert(), ReleaseGil());
}

// lesionkit.texture: runs, pairs, zones and neighbourhoods of a region of grey levels. Python has
// checked shapes and values (texture/region/discretise.py); `padded` is as volume.hpp tells.
#include <algorithm>
#include <functional>
#include <mutex>
#include <vector>

#include "common/arrays.hpp"
#include "common/parallel.hpp"
#include "texture/region/neighbours.hpp"
#include "texture/region/pairs3d.hpp"
#include "texture/region/runs.hpp"
#include "texture/region/zones.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::texture;

namespace {

template <class T>
Volume<T> view(const Array<T>& padded, int64_t border) {
  return volume_of(padded.data(), padded.shape(0), padded.shape(1), padded.shape(2), border);
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

// Made once: small regions would wait for little else. A volume may be flat too: one row high.
const Before& before_of(int64_t connectivity, bool flat) {
  static const Before known[2][3] = {{{1, false}, {2, false}, {3, false}},
                                     {{1, true}, {2, true}, {3, true}}};
  return known[flat][connectivity - 1];
}

// (sizes (k), counts (levels, k)): the sizes that zones have, ascending, and how many have each.
template <class T>
py::tuple zones(const Array<T>& padded, int64_t border, int64_t levels, int64_t connectivity) {
  std::vector<std::pair<T, int32_t>> found;
  std::vector<int32_t> sizes;
  {
    lesionkit::WithoutGil release;
    const Volume<T> volume = view(padded, border);
    const Before& before = before_of(connectivity, volume.height == 1);
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
    lesionkit::WithoutGil release;
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

template <class T>
void bind_region(py::module_ m) {
  const auto padded = py::arg("padded").noconvert();
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
  bind_region<uint8_t>(m);
  bind_region<uint16_t>(m);
  bind_region<uint32_t>(m);
}

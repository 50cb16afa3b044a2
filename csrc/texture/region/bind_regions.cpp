// lesionkit.texture: from images and masks to regions of grey levels, and statistics of
// intensities. Python has checked shapes (texture/region/discretise.py); `padded` is as volume.hpp
// tells.
#include <pybind11/stl.h>

#include <atomic>
#include <optional>
#include <tuple>

#include "common/arrays.hpp"
#include "texture/region/intensity.hpp"
#include "texture/region/regions.hpp"
#include "texture/region/volume.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::texture;

namespace {

template <class T>
using Part = py::array_t<T, 0>;  // (z, y, x), contiguous along x

template <class T>
Box<T> box_of(const Part<T>& part) {
  return {static_cast<const char*>(static_cast<const void*>(part.data())),
          part.shape(0),
          part.shape(1),
          part.shape(2),
          part.strides(0),
          part.strides(1)};
}

// (z begin, z end, y begin, y end, x begin, x end, voxels)
std::vector<int64_t> mask_box(const Part<uint8_t>& mask) {
  const Bounds b = mask_bounds(box_of(mask));
  return {b.z0, b.z1, b.y0, b.y1, b.x0, b.x1, b.voxels};
}

// (least, greatest, all finite) of the volume inside the mask
template <class T>
std::tuple<double, double, bool> inside_extent(const Part<T>& volume, const Part<uint8_t>& mask) {
  const Extent found = extent_inside(box_of(volume), box_of(mask));
  return {found.low, found.high, found.finite};
}

template <class T>
void gather_inside(const Part<T>& volume, const Part<uint8_t>& mask, Array<double>& values) {
  gather(box_of(volume), box_of(mask), values.mutable_data(), values.size());
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

// Calls row(values, mask, to, width) for each row of a volume.
template <class From, class T, class Row>
void each_row_of(const Part<From>& volume, const Part<uint8_t>& mask, int64_t border,
                 Array<T>& padded, Row&& row) {
  const Box<From> from = box_of(volume);
  const Box<uint8_t> in = box_of(mask);
  each_row(padded, border, [&](int64_t first, T* to, int64_t width) {
    const int64_t z = first / (from.height * width), y = first / width % from.height;
    row(from.row(z, y), in.row(z, y), to, width);
  });
}

// Of each voxel of the region its bin, 1 for the first and `highest` for the last. epsilon: how far
// apart the type of the edges has the numbers about 1.
template <class From, class T>
void place_bins(const Part<From>& volume, const Part<uint8_t>& mask, const Array<double>& edges,
                int64_t highest, double epsilon, int64_t border, Array<T>& padded) {
  const Bins bins(edges.data(), edges.size(), highest, epsilon);
  each_row_of(volume, mask, border, padded,
              [&](const From* value, const uint8_t* inside, T* to, int64_t width) {
                bins.place(value, inside, width, to);
              });
}

// Of each voxel of the region its number; whether all are whole, from 1 to `highest`.
template <class From, class T>
bool place_levels(const Part<From>& volume, const Part<uint8_t>& mask, int64_t highest,
                  int64_t border, Array<T>& padded) {
  std::atomic<bool> whole{true};
  each_row_of(volume, mask, border, padded,
              [&](const From* value, const uint8_t* inside, T* __restrict to, int64_t width) {
                uint32_t wrong = 0;
                for (int64_t x = 0; x < width; ++x) {
                  const From given = inside[x] ? value[x] : From{1};
                  const bool fits = given >= From{1} && given <= static_cast<From>(highest);
                  const auto level = static_cast<int32_t>(fits ? given : From{0});
                  wrong += static_cast<From>(level) != given;
                  to[x] = inside[x] ? static_cast<T>(level) : T{0};
                }
                if (wrong) whole.store(false, std::memory_order_relaxed);
              });
  return whole;
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
  using namespace py::literals;
  const auto place_of = [&]<class From>(From) {
    m.def("place", &place<From, T>, "levels"_a.noconvert(), "mask"_a.noconvert(), "limit"_a,
          "border"_a, "padded"_a.noconvert(), ReleaseGil());
  };
  place_of(int32_t{});
  place_of(int64_t{});
  const auto place_of_volume = [&]<class From>(From) {
    m.def("place_bins", &place_bins<From, T>, "volume"_a.noconvert(), "mask"_a.noconvert(),
          "edges"_a.noconvert(), "highest"_a, "epsilon"_a, "border"_a, "padded"_a.noconvert(),
          ReleaseGil());
    m.def("place_levels", &place_levels<From, T>, "volume"_a.noconvert(), "mask"_a.noconvert(),
          "highest"_a, "border"_a, "padded"_a.noconvert(), ReleaseGil());
  };
  place_of_volume(double{});
  place_of_volume(float{});
  place_of_volume(int16_t{});
  place_of_volume(int32_t{});
  m.def("level_counts", &level_counts<T>, "padded"_a.noconvert(), "counts"_a.noconvert(),
        ReleaseGil());
}

template <class T>
void bind_intensities(py::module_ m) {
  using namespace py::literals;
  m.def("inside_extent", &inside_extent<T>, "volume"_a.noconvert(), "mask"_a.noconvert(),
        ReleaseGil());
  m.def("gather", &gather_inside<T>, "volume"_a.noconvert(), "mask"_a.noconvert(),
        "values"_a.noconvert(), ReleaseGil());
}

}  // namespace

void bind_regions(py::module_ m) {
  using namespace py::literals;
  m.def("mask_box", &mask_box, "mask"_a.noconvert(), ReleaseGil());
  bind_intensities<double>(m);
  bind_intensities<float>(m);
  bind_intensities<int16_t>(m);
  bind_intensities<int32_t>(m);
  bind_levels<uint8_t>(m);
  bind_levels<uint16_t>(m);
  bind_levels<uint32_t>(m);
  m.def("power_sums", &power_sums_of, "values"_a.noconvert(), "centre"_a, "low"_a, "high"_a,
        "sums"_a.noconvert(), ReleaseGil());
  m.def("order_statistics", &order_statistics_of, "values"_a.noconvert(), "low"_a, "high"_a,
        "ranks"_a.noconvert(), "found"_a.noconvert(), ReleaseGil());
}

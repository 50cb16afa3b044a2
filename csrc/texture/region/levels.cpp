// From images and masks to regions of grey levels, and statistics of intensities. `padded` is as
// volume.hpp tells.

#include <array>
#include <atomic>
#include <tuple>

#include "common/reduce.hpp"
#include "common/simd.hpp"
#include "common/view.hpp"
#include "texture/region/intensity.hpp"
#include "texture/region/kernels.hpp"
#include "texture/region/regions.hpp"
#include "texture/region/volume.hpp"

namespace lesionkit::texture {
namespace {

// Calls row(from, to, width) for each row of a box of that shape: where it starts in the box, and
// where in `padded`.
template <class T, class Row>
void each_row(View<T> padded, int64_t border, Row&& row) {
  T* start = padded.data();
  const auto v = volume_of<T>(start, padded.shape(0), padded.shape(1), padded.shape(2), border);
  T* origin = start + (v.origin - start);
  std::fill(start, start + padded.size(), T{0});
  parallel_for(v.depth, std::max<int64_t>(1, (1 << 16) / v.slice), [&](int64_t begin, int64_t end) {
    for (int64_t z = begin; z < end; ++z)
      for (int64_t y = 0; y < v.height; ++y)
        row((z * v.height + y) * v.width, origin + z * v.slice + y * v.row, v.width);
  });
}

// Calls row(values, mask, to, width) for each row of a volume.
template <class From, class T, class Row>
void each_row_of(Box<From> volume, Box<uint8_t> mask, int64_t border, View<T> padded, Row&& row) {
  each_row(padded, border, [&](int64_t first, T* to, int64_t width) {
    const int64_t z = first / (volume.height * width), y = first / width % volume.height;
    row(volume.row(z, y), mask.row(z, y), to, width);
  });
}

}  // namespace

std::vector<int64_t> mask_box(Box<uint8_t> mask) {
  const Bounds b = mask_bounds(mask);
  return {b.z0, b.z1, b.y0, b.y1, b.x0, b.x1, b.voxels};
}

template <class T>
std::tuple<double, double, bool> inside_extent(Box<T> volume, Box<uint8_t> mask) {
  const Extent found = extent_inside(volume, mask);
  return {found.low, found.high, found.finite};
}

template <class T>
void gather(Box<T> volume, Box<uint8_t> mask, View<double> values) {
  gather(volume, mask, values.data(), values.size());
}

template <class T>
std::tuple<double, double> value_sums(View<const T> values) {
  const T* x = values.data();
  std::array<double, 2> total{};
  sum_in_order(values.size(), 1 << 16, total, [&](int64_t begin, int64_t end, double* sums) {
    if constexpr (sizeof(T) == 2) {
      int64_t sum = 0, squares = 0;
      for (int64_t i = begin; i < end; ++i) {
        sum += x[i];
        squares += int32_t{x[i]} * int32_t{x[i]};
      }
      sums[0] = static_cast<double>(sum);
      sums[1] = static_cast<double>(squares);
    } else {
      using V = Simd<double>;
      constexpr int width = lane_count<double>;
      V sum[4] = {}, squares[4] = {};
      int64_t i = begin;
      for (; i + 4 * width <= end; i += 4 * width)
        for (int k = 0; k < 4; ++k) {
          const V value = load<V>(x + i + k * width);
          sum[k] += value;
          squares[k] += value * value;
        }
      for (; i < end; ++i) {
        const auto value = static_cast<double>(x[i]);
        sums[0] += value;
        sums[1] += value * value;
      }
      for (int k = 0; k < 4; ++k)
        for (int l = 0; l < width; ++l) {
          sums[0] += sum[k][l];
          sums[1] += squares[k][l];
        }
    }
  });
  return {total[0], total[1]};
}

template <class From, class T>
bool place(View<const From> levels, Maybe<const uint8_t> mask, int64_t limit, int64_t border,
           View<T> padded) {
  const From* from = levels.data();
  const uint8_t* in = data_or_null(mask);
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

template <class From, class T>
void place_bins(Box<From> volume, Box<uint8_t> mask, View<const double> edges, int64_t highest,
                double epsilon, int64_t border, View<T> padded) {
  const Bins bins(edges.data(), edges.size(), highest, epsilon);
  each_row_of(volume, mask, border, padded,
              [&](const From* value, const uint8_t* inside, T* to, int64_t width) {
                bins.place(value, inside, width, to);
              });
}

template <class From, class T>
bool place_levels(Box<From> volume, Box<uint8_t> mask, int64_t highest, int64_t border,
                  View<T> padded) {
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

// Several tables take turns, so that no count waits for the one before it.
template <class T>
void level_counts(View<const T> padded, View<int64_t> counts) {
  constexpr int tables = 4;
  const T* from = padded.data();
  const int64_t n = padded.size(), levels = counts.size();
  std::vector<uint32_t> table(tables * levels);
  for (int64_t i = 0; i < n; ++i) ++table[(i % tables) * levels + from[i]];
  int64_t* to = counts.data();
  for (int64_t i = 0; i < tables * levels; ++i) to[i % levels] += table[i];
}

void power_sums(View<const double> values, double centre, double low, double high,
                View<double> sums) {
  const PowerSums found = power_sums(values.data(), values.size(), centre, low, high);
  double* to = sums.data();
  for (double sum :
       {found.count, found.sum, found.absolute, found.square, found.cube, found.fourth})
    *to++ = sum;
}

void order_statistics(View<const double> values, double low, double high, View<const int64_t> ranks,
                      View<double> found) {
  order_statistics(values.data(), values.size(), low, high, ranks.data(), ranks.size(),
                   found.data());
}

#define OF_LEVELS(From, T) \
  template bool place(View<const From>, Maybe<const uint8_t>, int64_t, int64_t, View<T>);
#define OF_VOLUME(From, T)                                                                        \
  template void place_bins(Box<From>, Box<uint8_t>, View<const double>, int64_t, double, int64_t, \
                           View<T>);                                                              \
  template bool place_levels(Box<From>, Box<uint8_t>, int64_t, int64_t, View<T>);
#define INTO(T)         \
  OF_LEVELS(int32_t, T) \
  OF_LEVELS(int64_t, T) \
  OF_VOLUME(double, T)  \
  OF_VOLUME(float, T)   \
  OF_VOLUME(int16_t, T) \
  OF_VOLUME(int32_t, T) \
  template void level_counts(View<const T>, View<int64_t>);
INTO(uint8_t)
INTO(uint16_t)
INTO(uint32_t)

#define INTENSITIES(T)                                                           \
  template std::tuple<double, double, bool> inside_extent(Box<T>, Box<uint8_t>); \
  template void gather(Box<T>, Box<uint8_t>, View<double>);                      \
  template std::tuple<double, double> value_sums(View<const T>);
INTENSITIES(double)
INTENSITIES(float)
INTENSITIES(int16_t)
INTENSITIES(int32_t)

}  // namespace lesionkit::texture

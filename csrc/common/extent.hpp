// The least and the greatest of many numbers, in one pass at the speed of memory.
#pragma once

#include <algorithm>
#include <limits>

#include "common/simd.hpp"

namespace lesionkit {

template <class T>
struct Range {
  T low = std::numeric_limits<T>::max(), high = std::numeric_limits<T>::lowest();

  void add(const Range& other) {
    low = std::min(low, other.low);
    high = std::max(high, other.high);
  }
};

struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  bool finite = true;

  void add(const Extent& other) {
    low = std::min(low, other.low);
    high = std::max(high, other.high);
    finite = finite && other.finite;
  }
};

// Of x[0 .. n): NaN and infinities only clear `finite`. In several lanes, for the compiler.
template <class T>
Extent extent_of(const T* x, int64_t n) {
  constexpr int width = 4 * lane_count<double>;
  double low[width], high[width], nothing[width] = {};  // x - x is 0, or NaN if x is not finite
  std::fill_n(low, width, std::numeric_limits<double>::infinity());
  std::fill_n(high, width, -std::numeric_limits<double>::infinity());
  int64_t i = 0;
  for (; i + width <= n; i += width)
    for (int l = 0; l < width; ++l) {
      const double value = x[i + l];
      low[l] = value < low[l] ? value : low[l];
      high[l] = value > high[l] ? value : high[l];
      nothing[l] += value - value;
    }
  Extent extent;
  for (int l = 0; l < width; ++l) extent.add({low[l], high[l], nothing[l] == 0.0});
  for (; i < n; ++i) extent.add({x[i], x[i], x[i] - x[i] == 0.0});
  return extent;
}

// The same of many, by several threads. T: float or double (extent.cpp).
template <class T>
Extent parallel_extent(const T* x, int64_t n);

}  // namespace lesionkit

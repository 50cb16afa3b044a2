// From a volume and a mask to the grey levels of a region: the mask's box, the extent of what is
// inside, bins. A box is read where it lies, row by row.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/extent.hpp"
#include "common/reduce.hpp"
#include "texture/region/kernels.hpp"

namespace lesionkit::texture {

// [z0, z1) x [y0, y1) x [x0, x1), and the voxels inside; depth, 0, height, 0 ... where there is
// none.
struct Bounds {
  int64_t z0, z1, y0, y1, x0, x1, voxels;
};

// What a thread knows of the bounds: those along x as which columns hold something.
struct SeenBounds {
  Range<int64_t> z, y;  // to the last one itself
  int64_t voxels = 0;
  std::vector<uint8_t> columns;

  void add(const SeenBounds& other) {
    z.add(other.z);
    y.add(other.y);
    voxels += other.voxels;
    for (size_t x = 0; x < columns.size(); ++x) columns[x] |= other.columns[x];
  }
};

// The bounds of the voxels where mask is 1 rather than 0.
inline Bounds mask_bounds(const Box<uint8_t>& mask) {
  const int64_t width = mask.width, height = mask.height;
  const auto any = [width](const uint8_t* row) {
    uint8_t found = 0;
    for (int64_t x = 0; x < width; ++x) found |= row[x];
    return found != 0;
  };
  const auto first_line = [&](int64_t z) {  // height if there is none
    int64_t y = 0;
    if (mask.line == width) {
      const uint8_t* from = mask.row(z, 0);
      const void* found = std::memchr(from, 1, height * width);
      return found ? (static_cast<const uint8_t*>(found) - from) / width : height;
    }
    while (y < height && !any(mask.row(z, y))) ++y;
    return y;
  };
  const auto look = [&](int64_t begin, int64_t end, SeenBounds& seen) {
    std::vector<uint8_t> count(width);
    const auto flush = [&] {  // before a count might be too large
      for (int64_t x = 0; x < width; ++x) {
        seen.voxels += count[x];
        seen.columns[x] |= count[x];
      }
      std::fill(count.begin(), count.end(), uint8_t{0});
    };
    int64_t counted = 0;
    for (int64_t z = begin; z < end; ++z) {
      const int64_t top = first_line(z);
      int64_t bottom = height;
      if (top == height) continue;
      while (bottom > top + 1 && !any(mask.row(z, bottom - 1))) --bottom;
      for (int64_t y = top; y < bottom; ++y) {
        const uint8_t* row = mask.row(z, y);
        uint8_t* __restrict sum = count.data();
        for (int64_t x = 0; x < width; ++x) sum[x] = static_cast<uint8_t>(sum[x] + row[x]);
        if (++counted % std::numeric_limits<uint8_t>::max() == 0) flush();
      }
      seen.z.add({z, z});
      seen.y.add({top, bottom - 1});
    }
    flush();
  };
  const SeenBounds seen = reduce_in_any_order(
      mask.depth, 4 * mask.grain(), SeenBounds{{}, {}, 0, std::vector<uint8_t>(width)}, look);
  Bounds whole = {mask.depth, 0, height, 0, width, 0, seen.voxels};
  if (seen.z.low <= seen.z.high) {
    whole.z0 = seen.z.low, whole.z1 = seen.z.high + 1;
    whole.y0 = seen.y.low, whole.y1 = seen.y.high + 1;
  }
  for (int64_t x = 0; x < width; ++x) {
    if (seen.columns[x] == 0) continue;
    whole.x0 = std::min(whole.x0, x);
    whole.x1 = x + 1;
  }
  return whole;
}

// Of the numbers inside a mask: the least, the greatest, and whether all are finite.
template <class T>
class ExtentOf {
 public:
  void add(const T* x, const uint8_t* inside, int64_t n) {
    ExtentOf sum = *this;  // its own, so that x cannot be part of it
    int64_t i = 0;
    for (; i + width <= n; i += width) sum.add(x + i, inside + i);
    if (i < n) {
      T rest[width] = {};
      uint8_t in[width] = {};
      std::copy(x + i, x + n, rest);
      std::copy(inside + i, inside + n, in);
      sum.add(rest, in);
    }
    *this = sum;
  }

  Extent found() const {
    Extent all = {static_cast<double>(highest), static_cast<double>(lowest), true};
    for (int l = 0; l < width; ++l) {
      all.low = std::min(all.low, static_cast<double>(low_[l]));
      all.high = std::max(all.high, static_cast<double>(high_[l]));
      all.finite &= odd_[l] == 0;
    }
    return all;
  }

 private:
  static constexpr int width = lane_count<T>;
  static constexpr T lowest = std::numeric_limits<T>::lowest(),
                     highest = std::numeric_limits<T>::max();
  using V = Simd<T>;

  void add(const T* from, const uint8_t* in) {
    const V x = load<V>(from);
    const auto inside = load<Mask<V>>(in) != 0;
    const V below = inside ? x : broadcast<V>(highest), above = inside ? x : broadcast<V>(lowest);
    low_ = min(below, low_);
    high_ = max(above, high_);
    if constexpr (std::is_floating_point_v<T>) {
      const V given = inside ? x : V{};
      odd_ += given - given;  // NaN from then on, if x is not finite
    }
  }

  V low_ = broadcast<V>(highest), high_ = broadcast<V>(lowest), odd_ = {};
};

template <class T>
Extent extent_inside(const Box<T>& volume, const Box<uint8_t>& mask) {
  return reduce_in_any_order(volume.depth, volume.grain(), ExtentOf<T>().found(),
                             [&](int64_t begin, int64_t end, Extent& part) {
                               ExtentOf<T> extent;
                               for (int64_t z = begin; z < end; ++z)
                                 for (int64_t y = 0; y < volume.height; ++y)
                                   extent.add(volume.row(z, y), mask.row(z, y), volume.width);
                               part.add(extent.found());
                             });
}

// The numbers inside a mask, in order: `room` of them, or what another thread that writes to the
// mask meanwhile leaves of it, but never more.
template <class T>
void gather(const Box<T>& volume, const Box<uint8_t>& mask, double* values, int64_t room) {
  const int64_t grain = volume.grain();
  std::vector<int64_t> first((volume.depth + grain - 1) / grain + 1);
  parallel_for(volume.depth, grain, [&](int64_t begin, int64_t end) {
    int64_t count = 0;
    for (int64_t z = begin; z < end; ++z)
      for (int64_t y = 0; y < volume.height; ++y) {
        const uint8_t* inside = mask.row(z, y);
        uint32_t here = 0;
        for (int64_t x = 0; x < volume.width; ++x) here += inside[x] != 0;
        count += here;
      }
    first[begin / grain] = count;
  });
  int64_t next = 0;
  for (int64_t& count : first) next = std::min(room, next + std::exchange(count, next));
  parallel_for(volume.depth, grain, [&](int64_t begin, int64_t end) {
    int64_t at = first[begin / grain];
    const int64_t stop = first[begin / grain + 1];
    for (int64_t z = begin; z < end; ++z)
      for (int64_t y = 0; y < volume.height; ++y) {
        const T* from = volume.row(z, y);
        const uint8_t* inside = mask.row(z, y);
        for (int64_t x = 0; x < volume.width; ++x)
          if (inside[x] && at < stop) values[at++] = static_cast<double>(from[x]);
      }
  });
}

// Bins by ascending edges that are evenly spaced, but for the last and for rounding to `epsilon` of
// the largest: bin k has edges[k - 1] <= x < edges[k], and none is above `highest`. A guess in
// vector code is certain but near an edge, where rounding counts: there the edges themselves are
// asked.
class Bins {
 public:
  Bins(const double* edges, int64_t count, int64_t highest, double epsilon)
      : edges_(edges), count_(count), highest_(static_cast<int32_t>(highest)) {
    const int64_t even = count > 2 ? count - 2 : count - 1;  // bins of one width
    if (even > 0) per_width_ = static_cast<double>(even) / (edges[even] - edges[0]);
    const double largest = std::max(std::fabs(edges[0]), std::fabs(edges[count - 1]));
    near_ = 8 * epsilon * (largest * per_width_ + static_cast<double>(count));
    sure_ = std::isfinite(near_) ? static_cast<double>(even) : 0.0;
  }

  // to[i] = the bin of x[i] where inside, else 0.
  template <class From, class T>
  void place(const From* x, const uint8_t* inside, int64_t n, T* __restrict to) const {
    constexpr int64_t piece = 64;
    for (int64_t i = 0; i < n; i += piece)
      if (i + piece <= n)
        place_piece(x + i, inside + i, to + i, Whole{});
      else
        place_piece(x + i, inside + i, to + i, n - i);
  }

 private:
  struct Whole {  // a piece of 64, known when compiled
    constexpr operator int64_t() const { return 64; }
  };

  template <class From, class T, class Count>
  void place_piece(const From* x, const uint8_t* inside, T* __restrict to, Count count) const {
    const double first = edges_[0], per_width = per_width_, near = near_, sure = sure_,
                 most = static_cast<double>(count_ - 1);
    const int32_t highest = highest_;
    uint8_t unsure[64];
    for (int64_t i = 0; i < count; ++i) {
      const double value = inside[i] ? static_cast<double>(x[i]) : first;
      double guess = (value - first) * per_width;
      guess = guess < most ? guess : most;  // and where it is NaN
      guess = guess > 0.0 ? guess : 0.0;
      const double bin = std::floor(guess), above = guess - bin;
      unsure[i] = (above < near) | (above > 1.0 - near) | (guess >= sure) ? inside[i] : uint8_t{0};
      const int32_t level = std::min(static_cast<int32_t>(bin) + 1, highest);
      to[i] = inside[i] ? static_cast<T>(level) : T{0};
    }
    for (const uint8_t* at = unsure;; ++at) {
      at = static_cast<const uint8_t*>(std::memchr(at, 1, unsure + count - at));
      if (!at) return;
      to[at - unsure] = static_cast<T>(search(static_cast<double>(x[at - unsure])));
    }
  }

  // x >= edges[0]; what is not below the last edge belongs to bin `count`.
  int32_t search(double x) const {
    const double guess = (x - edges_[0]) * per_width_, most = static_cast<double>(count_ - 1);
    int64_t bin = guess > 0.0 ? static_cast<int64_t>(std::min(guess, most)) : 0;  // 0 if NaN
    while (bin + 1 < count_ && edges_[bin + 1] <= x) ++bin;
    while (bin > 0 && edges_[bin] > x) --bin;
    return std::min(static_cast<int32_t>(bin + 1), highest_);
  }

  const double* edges_;
  int64_t count_;
  int32_t highest_;  // and what another thread writes to the image meanwhile has no other either
  double per_width_ = 0.0;
  double near_;  // bins: how far the guess may be off, and more
  double sure_;  // guesses from here on are not trusted: the last bin may be wider
};

}  // namespace lesionkit::texture

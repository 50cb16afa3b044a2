// Statistics of plain numbers: power sums about a centre, and order statistics.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "common/reduce.hpp"
#include "common/simd.hpp"

namespace lesionkit::texture {

// Over the numbers x within [low, high], with d = x - centre.
struct PowerSums {
  double count = 0, sum = 0, absolute = 0, square = 0, cube = 0, fourth = 0;

  void add(const PowerSums& other) {
    count += other.count;
    sum += other.sum;
    absolute += other.absolute;
    square += other.square;
    cube += other.cube;
    fourth += other.fourth;
  }
  void add(double x, double centre, double low, double high) {
    const double in = x >= low && x <= high ? 1.0 : 0.0;
    const double d = in * (x - centre), dd = d * d;
    count += in;
    sum += d;
    absolute += std::fabs(d);
    square += dd;
    cube += d * dd;
    fourth += dd * dd;
  }
};

// In several lanes, for the compiler; the chunks' sums are added in their order.
inline PowerSums power_sums(const double* x, int64_t n, double centre, double low, double high) {
  constexpr int64_t grain = 1 << 15;
  constexpr int width = lane_count<double>;
  return reduce_in_order(n, grain, PowerSums{}, [&](int64_t begin, int64_t end, PowerSums& part) {
    double lanes[6][width] = {};
    int64_t i = begin;
    for (; i + width <= end; i += width)
      for (int l = 0; l < width; ++l) {
        const double in = (x[i + l] >= low) & (x[i + l] <= high) ? 1.0 : 0.0;
        const double d = in * (x[i + l] - centre), dd = d * d;
        lanes[0][l] += in;
        lanes[1][l] += d;
        lanes[2][l] += std::fabs(d);
        lanes[3][l] += dd;
        lanes[4][l] += d * dd;
        lanes[5][l] += dd * dd;
      }
    for (int l = 0; l < width; ++l)
      part.add({lanes[0][l], lanes[1][l], lanes[2][l], lanes[3][l], lanes[4][l], lanes[5][l]});
    for (; i < end; ++i) part.add(x[i], centre, low, high);
  });
}

// found[i] becomes the number that would stand at ranks[i] if x were sorted. A histogram tells in
// which bucket each rank lies; only those buckets' numbers are looked at again.
inline void order_statistics(const double* x, int64_t n, double low, double high,
                             const int64_t* ranks, int64_t count, double* found) {
  constexpr int buckets = 4096;
  const double scale = (buckets - 1) / (high - low);
  const bool spread = std::isfinite(scale) && scale > 0.0;  // else all share one bucket
  // Grows with x, so that buckets are in order.
  const auto bucket_of = [&](double value) {  // clamped: another thread may write to x meanwhile
    const double place = spread ? (value - low) * scale : 0.0;
    return place > 0.0 ? static_cast<int32_t>(std::min(place, buckets - 1.0)) : 0;
  };
  std::vector<int64_t> start(buckets + 1);
  std::vector<uint16_t> bucket(n);
  for (int64_t i = 0; i < n; ++i) {
    bucket[i] = static_cast<uint16_t>(bucket_of(x[i]));
    ++start[bucket[i] + 1];
  }
  std::partial_sum(start.begin(), start.end(), start.begin());

  std::vector<int16_t> slot(buckets, -1);
  std::vector<std::vector<double>> kept;
  std::vector<int64_t> home(count);
  for (int64_t k = 0; k < count; ++k) {
    home[k] = std::upper_bound(start.begin(), start.end(), ranks[k]) - start.begin() - 1;
    if (slot[home[k]] >= 0) continue;
    slot[home[k]] = static_cast<int16_t>(kept.size());
    kept.emplace_back().reserve(start[home[k] + 1] - start[home[k]]);
  }
  for (int64_t i = 0; i < n; ++i)
    if (slot[bucket[i]] >= 0) kept[slot[bucket[i]]].push_back(x[i]);
  for (int64_t k = 0; k < count; ++k) {
    auto& numbers = kept[slot[home[k]]];
    const auto place = numbers.begin() + (ranks[k] - start[home[k]]);
    std::nth_element(numbers.begin(), place, numbers.end());
    found[k] = *place;
  }
}

}  // namespace lesionkit::texture

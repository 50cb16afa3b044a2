// Numbers by their order: the least has rank 0, equal ones have the same rank.
//
// A radix sort of the 32 uppermost bits in which they differ, in three passes of 11; then runs of
// equal uppermost bits are sorted by the rest. A pass that would move nothing is left out.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/memory.hpp"
#include "common/parallel.hpp"

namespace lesionkit::fronts {

// A whole number that is in the same order as x.
template <class T>
uint64_t ordered(T x) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<uint64_t>(x) ^ (std::is_signed_v<T> ? uint64_t{1} << 63 : 0);
  } else {
    using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
    constexpr Bits sign = Bits{1} << (8 * sizeof(T) - 1);
    const Bits bits = std::bit_cast<Bits>(x == 0 ? T{0} : x);  // -0 is 0
    return bits & sign ? static_cast<Bits>(~bits) : bits | sign;
  }
}

// ranks[0 .. n) of x; returns how many there are. n must be below 2^32.
template <class T>
uint32_t rank(const T* x, int64_t n, uint32_t* ranks) {
  uint64_t low = ~uint64_t{0}, high = 0;
  for (int64_t i = 0; i < n; ++i) {
    low = std::min(low, ordered(x[i]));
    high = std::max(high, ordered(x[i]));
  }
  const int rest = std::max(0, static_cast<int>(std::bit_width(high - low)) - 32);
  const auto key = [=](uint32_t i) { return ordered(x[i]) - low; };

  constexpr int bits = 11, passes = 3;
  constexpr uint64_t cells = uint64_t{1} << bits;
  std::vector<uint32_t> counts(passes * cells);
  Large<uint64_t> from = large<uint64_t>(n), to = large<uint64_t>(n);  // key, and where it is
  for (int64_t i = 0; i < n; ++i) {
    const uint64_t top = key(static_cast<uint32_t>(i)) >> rest;
    for (int p = 0; p < passes; ++p) ++counts[p * cells + (top >> p * bits) % cells];
    from[i] = top << 32 | static_cast<uint64_t>(i);
  }
  for (int p = 0; p < passes; ++p) {
    uint32_t* count = counts.data() + p * cells;
    if (*std::max_element(count, count + cells) == n) continue;
    uint32_t sum = 0;
    for (uint64_t c = 0; c < cells; ++c) sum += std::exchange(count[c], sum);
    for (int64_t i = 0; i < n; ++i) to[count[(from[i] >> (32 + p * bits)) % cells]++] = from[i];
    std::swap(from, to);
  }
  uint32_t distinct = 0;
  std::vector<std::pair<uint64_t, uint32_t>> run;  // read once: what is sorted must not change
  for (int64_t begin = 0, end; begin < n; begin = end) {
    end = begin + 1;
    while (end < n && from[end] >> 32 == from[begin] >> 32) ++end;
    run.clear();
    for (int64_t i = begin; i < end; ++i) {
      const auto at = static_cast<uint32_t>(from[i]);
      run.emplace_back(rest > 0 ? key(at) : 0, at);
    }
    if (rest > 0) std::sort(run.begin(), run.end());
    for (size_t i = 0; i < run.size(); ++i) {
      if (i > 0 && run[i].first != run[i - 1].first) ++distinct;
      ranks[run[i].second] = distinct;
    }
    ++distinct;
  }
  return distinct;
}

}  // namespace lesionkit::fronts

// An image of few different numbers is clustered by its histogram: how often each whole number
// occurs, and, once these are clustered, a table with an answer for each.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <mutex>
#include <type_traits>
#include <vector>

#include "common/parallel.hpp"

namespace lesionkit::clustering::histogram {

constexpr int64_t GRAIN = 1 << 16;  // pixels

// counts[x - low] for x[0 .. n), of those whose mask is not 0. Four tables, since neighbours are
// often equal, and a sum would wait for the last one of the same number. False where a number is
// not whole; all must lie from low to low + size - 1, but for those outside the mask.
template <class T>
bool count_part(const T* x, const uint8_t* mask, int64_t n, int64_t low, int64_t size,
                uint32_t* tables) {
  bool whole = true;
  int64_t i = 0;
  const auto add = [&](int64_t at, int64_t table) {
    uint32_t* to = tables + table * size;
    if (mask && !mask[at]) return;
    if constexpr (std::is_floating_point_v<T>) {
      const auto number = static_cast<int64_t>(x[at]);
      whole &= static_cast<T>(number) == x[at];
      ++to[number - low];
    } else {
      ++to[static_cast<int64_t>(x[at]) - low];
    }
  };
  for (; i + 4 <= n; i += 4)
    for (int64_t t = 0; t < 4; ++t) add(i + t, t);
  for (; i < n; ++i) add(i, 0);
  return whole;
}

template <class T>
bool count(const T* x, const uint8_t* mask, int64_t n, int64_t low, int64_t size,
           int64_t* counts) {
  std::atomic<bool> whole{true};
  std::mutex adding;
  // A table is filled and added up once for many pixels: parts that are long beside it.
  const int64_t part = std::max(GRAIN, 8 * size);
  parallel_for_with(
      n, part, [&] { return std::vector<uint32_t>(4 * size); },
      [&](std::vector<uint32_t>& tables, int64_t begin, int64_t end) {
        for (int64_t at = begin; at < end && whole.load(std::memory_order_relaxed); at += GRAIN)
          if (!count_part(x + at, mask ? mask + at : nullptr, std::min(GRAIN, end - at), low, size,
                          tables.data()))
            whole.store(false, std::memory_order_relaxed);
        std::lock_guard guard(adding);
        for (int64_t v = 0; v < size; ++v) {
          int64_t sum = 0;
          for (int64_t t = 0; t < 4; ++t) sum += tables[t * size + v];
          counts[v] += sum;
        }
        std::fill(tables.begin(), tables.end(), 0);
      });
  return whole.load();
}

// out[i] = table[x[i] - low], or `outside` where the mask is 0.
template <class T, class Out>
void look_up(const T* x, const uint8_t* mask, int64_t n, int64_t low, const Out* table, Out outside,
             Out* out) {
  const Out* from = table - low;
  parallel_for(n, GRAIN, [&](int64_t begin, int64_t end) {
    if (!mask) {
      for (int64_t i = begin; i < end; ++i) out[i] = from[static_cast<int64_t>(x[i])];
    } else {
      for (int64_t i = begin; i < end; ++i)
        out[i] = mask[i] ? from[static_cast<int64_t>(x[i])] : outside;
    }
  });
}

}  // namespace lesionkit::clustering::histogram

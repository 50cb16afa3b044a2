// Images of few grey levels: how often each occurs, and a table applied to them.
#pragma once

#include <atomic>
#include <cmath>
#include <span>
#include <type_traits>
#include <vector>

#include "common/reduce.hpp"

namespace lesionkit::clustering {

// Whether all of x are whole numbers; looks no further than the first part that has another.
template <class X>
bool whole_numbers(const X* x, int64_t n) {
  if constexpr (std::is_integral_v<X>) return true;
  const auto whole = [&](int64_t begin, int64_t end) {
    bool all = true;
    for (int64_t i = begin; i < end; ++i) all &= x[i] == std::trunc(x[i]);
    return all;
  };
  constexpr int64_t probe = 1024;
  if (!whole(0, std::min(n, probe))) return false;
  std::atomic<bool> all{true};
  parallel_for(n, int64_t{1} << 18, [&](int64_t begin, int64_t end) {
    if (all.load(std::memory_order_relaxed) && !whole(begin, end)) all.store(false);
  });
  return all.load();
}

// counts[v - low] += how often v occurs, for low <= v < low + m; likewise the sum of its weights.
template <class X>
void count_values(const X* x, const double* w, int64_t n, int64_t low, int64_t m, int64_t* counts,
                  double* weights) {
  const int64_t copies = m <= 4096 ? 4 : 1;  // neighbours are often equal, and must not wait
  const int64_t max_chunks = m <= 4096 ? 64 : 8;
  const int64_t grain = std::max(int64_t{1} << 18, n / max_chunks + 1);
  const int64_t chunks = (n + grain - 1) / grain;
  std::vector<uint32_t> table(chunks * copies * m);
  const std::span<double> sums(weights, w ? m : 0);
  sum_in_order(n, grain, sums, [&](int64_t begin, int64_t end, double* sum) {
    uint32_t* const mine = table.data() + begin / grain * copies * m;
    int64_t i = begin;
    const auto place = [&](int64_t at) { return static_cast<int64_t>(x[at]) - low; };
    if (copies == 4)
      for (; i + 4 <= end; i += 4)
        for (int64_t c = 0; c < 4; ++c) ++mine[c * m + place(i + c)];
    for (; i < end; ++i) ++mine[place(i)];
    if (w)
      for (i = begin; i < end; ++i) sum[place(i)] += w[i];
  });
  for (int64_t c = 0; c < chunks * copies; ++c)
    for (int64_t v = 0; v < m; ++v) counts[v] += table[c * m + v];
  for (int64_t v = 0; v < m; ++v)
    if (!w) weights[v] = static_cast<double>(counts[v]);
}

// labels[i] = table[x[i] - low]
template <class X>
void look_up(const X* x, int64_t n, int64_t low, const int32_t* table, int32_t* labels) {
  parallel_for(n, int64_t{1} << 18, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) labels[i] = table[static_cast<int64_t>(x[i]) - low];
  });
}

}  // namespace lesionkit::clustering

// Fuzzy c-means from given centres to the last: passes over the samples until the centres, or the
// memberships, hold still.
//
// Work is cut into chunks that do not depend on the threads, and the sums of the chunks are added
// in their order, so that the centres have the same bits with any number of threads.
#pragma once

#include <cmath>
#include <optional>

#include "clustering/fcm/line.hpp"
#include "common/reduce.hpp"

namespace lesionkit::clustering::fuzzy {

// The sums of a pass over all samples, as PassSums has them.
using Totals = std::vector<double>;

// How many samples a chunk has: some 50 microseconds' worth; fewer chunks where their sums are
// many.
inline int64_t samples_of_chunk(int64_t n, int64_t c, int64_t d, int64_t tile) {
  const int64_t max_chunks = std::max<int64_t>(16, (int64_t{1} << 22) / (c * (d + 1)));
  const int64_t wanted = n / std::max<int64_t>(1, (int64_t{1} << 20) / (c * d));
  const int64_t chunks = std::clamp<int64_t>(wanted, 1, max_chunks);
  return ((n + chunks - 1) / chunks + tile - 1) / tile * tile;
}

// Adds up what add(state, begin, end, sums) finds in each chunk of samples, a tile at a time.
template <class MakeState, class Add>
Totals sum_of_chunks(int64_t n, int64_t c, int64_t d, int64_t tile, MakeState&& make_state,
                     const Add& add) {
  const int64_t chunk = samples_of_chunk(n, c, d, tile);
  Totals totals(static_cast<size_t>(c * (d + 1) + 3));
  sum_in_order(n, chunk, totals, make_state,
               [&](auto& state, int64_t begin, int64_t end, double* to) {
                 PassSums sums(c, d);
                 for (int64_t first = begin; first < end; first += tile)
                   add(state, first, std::min(end, first + tile), sums);
                 for (const Simd<double>& lanes : sums.sums) *to++ = sum(lanes);
               });
  return totals;
}

template <class Main, bool pair, class In>
Totals pass_by(const Samples<In>& s, const double* centres, const double* old, int64_t c,
               const Fuzziness& f) {
  using Careful = CarefulPass<In, double, pair>;
  struct State {
    Main main;
    std::optional<Careful> careful;
  };
  return sum_of_chunks(
      s.n, c, s.d, Main::capacity, [&] { return State{Main(s, centres, old, c, f), {}}; },
      [&](State& state, int64_t first, int64_t last, PassSums& sums) {
        if (state.main.add(first, last - first, sums)) return;
        if (!state.careful) state.careful.emplace(s, centres, old, c, f);
        for (int64_t i = first; i < last; i += Careful::capacity)
          state.careful->add(i, std::min(last - i, Careful::capacity), sums);
      });
}

template <bool pair, class T>
Totals pass(const Samples<T>& s, const double* centres, const double* old, int64_t c,
            const Fuzziness& f) {
  const auto fast = [&](auto count) {
    constexpr int C = count;
    if constexpr (!pair)
      if (s.d == 1 && !s.weight) return pass_by<LinePass<T, C>, pair>(s, centres, old, c, f);
    return pass_by<FastPass<T, C, pair>, pair>(s, centres, old, c, f);
  };
  if (f.two) switch (c) {
      case 2:
        return fast(Constant<2>{});
      case 3:
        return fast(Constant<3>{});
      case 4:
        return fast(Constant<4>{});
      case 5:
        return fast(Constant<5>{});
      case 6:
        return fast(Constant<6>{});
      case 7:
        return fast(Constant<7>{});
      case 8:
        return fast(Constant<8>{});
    }
  if (f.power <= MAX_POWER_IN_FLOAT)
    return pass_by<CarefulPass<T, T, pair>, pair>(s, centres, old, c, f);
  return pass_by<CarefulPass<T, double, pair>, pair>(s, centres, old, c, f);
}

struct Stop {
  int64_t max_iter;
  double tol;           // below it: the largest shift of a centre in a coordinate, or
  bool of_memberships;  // the root of the mean square change of the memberships
};

struct Fit {
  int64_t n_iter = 0;
  double objective = 0.0;
};

// Moves all centres [c][d]; the largest shift.
inline double move(const Totals& totals, double scale, int64_t c, int64_t d, double* centres) {
  double shift = 0.0;
  for (int64_t j = 0; j < c; ++j) {
    const double* sums = totals.data() + j * (d + 1);
    shift = std::max(shift, move_centre(sums, d, scale, centres + j * d));
  }
  return shift;
}

// Moves `centres` [c][d] until they stop, and tells the objective there.
template <class T>
Fit fit(const Samples<T>& s, int64_t c, const Fuzziness& f, const Stop& stop, double total_weight,
        double* centres) {
  Fit result;
  const size_t size = static_cast<size_t>(c * s.d);
  std::vector<double> old(size);
  const bool pairs = stop.of_memberships && stop.tol > 0.0;
  bool still = false;  // the centres are: what is left to do is the objective
  for (;;) {
    const bool last = still || result.n_iter == stop.max_iter;
    const bool pair = pairs && !last && result.n_iter > 0;
    const Totals totals =
        pair ? pass<true>(s, centres, old.data(), c, f) : pass<false>(s, centres, centres, c, f);
    const double* three = totals.data() + totals.size() - 3;
    result.objective = three[0] / s.weight_scale / s.scale / s.scale;
    if (last) return result;
    if (pair) {
      const double memberships = total_weight * static_cast<double>(c);
      if (std::sqrt(three[1] / s.weight_scale / memberships) < stop.tol) return result;
    }
    std::copy(centres, centres + size, old.begin());
    const double shift = move(totals, s.scale, c, s.d, centres);
    ++result.n_iter;
    still = shift <= (pairs ? 0.0 : stop.tol);
  }
}

}  // namespace lesionkit::clustering::fuzzy

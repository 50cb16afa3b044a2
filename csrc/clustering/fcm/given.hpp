// Fuzzy c-means from given memberships, as scikit-fuzzy iterates it: centres from memberships,
// memberships from centres, until their change is small in the Frobenius norm.
#pragma once

#include "clustering/fcm/fit.hpp"

namespace lesionkit::clustering::fuzzy {

struct Given {
  const double* u;  // [c][n], which need not add up to 1
  int64_t c;
  Fuzziness f;
};

// A tile's part of a pass that reads memberships. They are divided by their sum, and at least eps.
class GivenPass {
 public:
  GivenPass(const Samples<double>& s, const Given& given, const double* centres)
      : s_(s),
        given_(given),
        centres_(s, centres, given.c),
        tile_(s.d),
        weights_(tile_.registers * given.c),
        distances_(weights_.size()),
        u_(given.c) {}

  // Adds the sums that lead to centres, moments being of x - centre.
  void add_sums(int64_t first, int64_t last, PassSums& sums) {
    read(first, last - first);
    add_moments(tile_, centres_, weights_.data(), given_.c, s_.d, sums);
  }

  // Adds (u - given)^2 to the change, u being the memberships of the centres, and given^m D.
  void add_change(int64_t first, int64_t last, PassSums& sums) {
    const int c = static_cast<int>(given_.c);
    read(first, last - first);
    tile_distances(tile_, centres_, given_.c, s_.d, distances_.data());
    for (int r = 0; r < tile_.used; ++r) {
      const Simd<double>* distance = distances_.data() + r * c;
      memberships(distance, c, given_.f, u_.data());
      for (int j = 0; j < c; ++j) {
        Simd<double> before{};
        const int64_t at = first + int64_t{r} * lane_count<double>,
                      here = std::min<int64_t>(lane_count<double>, last - at);
        for (int64_t l = 0; l < here; ++l)
          before[l] = std::max(given_.u[j * s_.n + at + l], MIN_MEMBERSHIP);
        const Simd<double> sample = tile_.weighted ? tile_.weight[r] : broadcast<Simd<double>>(1.0);
        sums.change() += sample * (u_[j] - before) * (u_[j] - before);
        sums.lagging() += weights_[r * c + j] * distance[j];
      }
    }
  }

  static constexpr int64_t capacity = Tile<double, double>::capacity;

 private:
  static constexpr double MIN_MEMBERSHIP = 0x1p-52;

  // Fills the tile, and weights_ with given^m; 0 past the last sample.
  void read(int64_t first, int64_t count) {
    tile_.fill(s_, first, count);
    const int64_t c = given_.c;
    for (int64_t r = 0; r < tile_.used; ++r) {
      const int64_t at = first + r * lane_count<double>,
                    here = std::min<int64_t>(lane_count<double>, first + count - at);
      Simd<double> sum{};
      for (int64_t j = 0; j < c; ++j) {
        Simd<double> u{};
        for (int64_t l = 0; l < here; ++l) u[l] = given_.u[j * s_.n + at + l];
        weights_[r * c + j] = u;
        sum += u;
      }
      const Simd<double> sample = tile_.weighted ? tile_.weight[r] : broadcast<Simd<double>>(1.0);
      for (int64_t j = 0; j < c; ++j) {
        const Simd<double> share = weights_[r * c + j] / sum;
        const Simd<double> u =
            share > MIN_MEMBERSHIP ? share : broadcast<Simd<double>>(MIN_MEMBERSHIP);
        weights_[r * c + j] = sample * (given_.f.two ? u * u : power_of(u, given_.f.m));
      }
    }
  }

  const Samples<double>& s_;
  const Given& given_;
  Centres<double> centres_;
  Tile<double, double> tile_;
  std::vector<Simd<double>> weights_, distances_, u_;  // the first two [registers][c]
};

template <class Add>
Totals given_pass(const Samples<double>& s, const Given& given, const double* centres,
                  const Add& add) {
  return sum_of_chunks(
      s.n, given.c, s.d, GivenPass::capacity, [&] { return GivenPass(s, given, centres); }, add);
}

struct Change {
  double norm, objective;
};

inline Change change_of(const Totals& totals, double scale) {
  const double* last = totals.data() + totals.size();
  return {std::sqrt(last[-2]), last[-1] / scale / scale};
}

inline Change change_from(const Samples<double>& s, const Given& given, const double* centres) {
  const auto add = [](GivenPass& pass, int64_t first, int64_t last, PassSums& sums) {
    pass.add_change(first, last, sums);
  };
  return change_of(given_pass(s, given, centres, add), s.scale);
}

// Fills `centres`; the objective of each pass, that of the memberships before it and the centres
// after it.
inline std::vector<double> fit_given(const Samples<double>& s, const Given& given, double error,
                                     int64_t maxiter, double* centres) {
  const auto add = [](GivenPass& pass, int64_t first, int64_t last, PassSums& sums) {
    pass.add_sums(first, last, sums);
  };
  const int64_t c = given.c;
  for (int64_t j = 0; j < c; ++j) std::copy(s.x, s.x + s.d, centres + j * s.d);
  move(given_pass(s, given, centres, add), s.scale, c, s.d, centres);
  Change change = change_from(s, given, centres);
  std::vector<double> history = {change.objective}, old(static_cast<size_t>(c * s.d));
  Totals totals;
  while (!(change.norm < error) && static_cast<int64_t>(history.size()) < maxiter) {
    if (totals.empty()) totals = pass<false>(s, centres, centres, c, given.f);
    std::copy(centres, centres + old.size(), old.begin());
    move(totals, s.scale, c, s.d, centres);
    totals = pass<true>(s, centres, old.data(), c, given.f);
    change = change_of(totals, s.scale);
    history.push_back(change.objective);
  }
  return history;
}

}  // namespace lesionkit::clustering::fuzzy

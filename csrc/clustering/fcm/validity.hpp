// How fuzzy a partition is, and how compact: sums over the memberships of all samples in one pass.
#pragma once

#include "clustering/fcm/fit.hpp"

namespace lesionkit::clustering::fuzzy {

struct ValiditySums {
  double squares;    // of w u^2
  double logarithm;  // of w u ln u
  double objective;  // J
};

template <class In>
class ValidityPass {
 public:
  static constexpr int64_t capacity = Tile<In, double>::capacity;

  ValidityPass(const Samples<In>& s, const double* centres, int64_t c, const Fuzziness& f)
      : s_(s),
        centres_(s, centres, c),
        tile_(s.d),
        c_(static_cast<int>(c)),
        f_(f),
        distances_(static_cast<size_t>(tile_.registers * c)),
        u_(static_cast<size_t>(c)) {}

  // `change` of the sums holds the squares, `lagging` the logarithms.
  void add(int64_t first, int64_t last, PassSums& sums) {
    constexpr double ln_2 = 0.6931471805599453094;
    tile_.fill(s_, first, last - first);
    tile_distances(tile_, centres_, c_, s_.d, distances_.data());
    for (int r = 0; r < tile_.used; ++r) {
      Simd<double>* distance = distances_.data() + r * c_;
      const Simd<double> w = tile_.weighted ? tile_.weight[r] : broadcast<Simd<double>>(1.0);
      memberships(distance, c_, f_, u_.data());
      for (const Simd<double>& u : u_) {
        const Simd<double> least =
            broadcast<Simd<double>>(Layout<Simd<double>>::min_normal);  // u ln u is 0 there
        sums.change() += w * u * u;
        sums.lagging() += w * u * log2_of<Simd<double>>(u < least ? least : u) * ln_2;
      }
      sums.objective() += w * weights_of_centres(distance, c_, f_, distance);
    }
  }

 private:
  const Samples<In>& s_;
  Centres<double> centres_;
  Tile<In, double> tile_;
  int c_;
  Fuzziness f_;
  std::vector<Simd<double>> distances_, u_;
};

template <class In>
ValiditySums validity(const Samples<In>& s, const double* centres, int64_t c, const Fuzziness& f) {
  using Pass = ValidityPass<In>;
  const Totals totals = sum_of_chunks(
      s.n, c, s.d, Pass::capacity, [&] { return Pass(s, centres, c, f); },
      [](Pass& pass, int64_t first, int64_t last, PassSums& sums) { pass.add(first, last, sums); });
  const double* three = totals.data() + totals.size() - 3;
  return {three[1], three[2], three[0] / s.scale / s.scale};
}

}  // namespace lesionkit::clustering::fuzzy

// What must be known of samples before they are clustered, in one pass: range, mean and variance of
// each feature, and whether all is finite.
#pragma once

#include "clustering/fcm/tile.hpp"
#include "common/parallel.hpp"

namespace lesionkit::clustering::fuzzy {

// Of one feature.
struct ColumnStatistics {
  double low, high, mean, variance;
};

constexpr int64_t STATISTICS_GRAIN = int64_t{1} << 18;  // numbers

// Fills `of` [d]; false where not all is finite. The variance is about the first sample of each
// chunk, and chunks are joined in their order (Chan, Golub and LeVeque, 1979).
template <class In>
bool column_statistics(const Samples<In>& s, ColumnStatistics* of) {
  struct Part {
    double low, high, weight, sum, squares;
    bool finite;
  };
  const int64_t chunk = std::max<int64_t>(1024, STATISTICS_GRAIN / s.d / 1024 * 1024);
  const int64_t chunks = (s.n + chunk - 1) / chunk;
  std::vector<Part> parts(static_cast<size_t>(chunks * s.d));
  Samples<In> plain = s;
  plain.scale = 1.0;
  parallel_for_with(
      s.n, chunk, [&] { return Tile<In, double>(s.d); },
      [&](Tile<In, double>& tile, int64_t begin, int64_t end) {
        std::vector<Simd<double>> sums(static_cast<size_t>(6 * s.d));
        for (int64_t k = 0; k < s.d; ++k)
          sums[6 * k] = sums[6 * k + 1] = broadcast<Simd<double>>(s.x[begin * s.d + k]);
        for (int64_t first = begin; first < end; first += tile.capacity) {
          tile.fill(plain, first, std::min(end - first, tile.capacity));
          for (int64_t k = 0; k < s.d; ++k) {
            const double shift = s.x[begin * s.d + k];
            Simd<double>* to = sums.data() + 6 * k;
            Simd<double> low = to[0], high = to[1], weight{}, sum{}, squares{}, nothing{};
            for (int r = 0; r < tile.used; ++r) {
              const Simd<double> x = tile.x[k * tile.registers + r], t = x - shift;
              const Simd<double> w = tile.weighted ? tile.weight[r] : broadcast<Simd<double>>(1.0);
              low = min(x, low);
              high = max(x, high);
              nothing += x - x;  // 0, or NaN where x is not finite
              weight += w;
              sum += w * t;
              squares += w * t * t;
            }
            to[0] = low, to[1] = high;
            to[2] += weight, to[3] += sum, to[4] += squares, to[5] += nothing;
          }
        }
        for (int64_t k = 0; k < s.d; ++k) {
          const Simd<double>* from = sums.data() + 6 * k;
          Part part = {from[0][0],   from[1][0],   sum(from[2]),
                       sum(from[3]), sum(from[4]), sum(from[5]) == 0.0};
          for (int l = 1; l < lane_count<double>; ++l) {
            part.low = std::min(part.low, from[0][l]);
            part.high = std::max(part.high, from[1][l]);
          }
          parts[static_cast<size_t>(begin / chunk * s.d + k)] = part;
        }
      });
  bool finite = true;
  for (int64_t k = 0; k < s.d; ++k) {
    ColumnStatistics& all = of[k];
    double weight = 0.0, spread = 0.0;
    all = {parts[k].low, parts[k].high, 0.0, 0.0};
    for (int64_t i = 0; i < chunks; ++i) {
      const Part& part = parts[static_cast<size_t>(i * s.d + k)];
      finite = finite && part.finite;
      all.low = std::min(all.low, part.low);
      all.high = std::max(all.high, part.high);
      if (!(part.weight > 0.0)) continue;
      const double shift = s.x[i * chunk * s.d + k], mean = shift + part.sum / part.weight;
      const double off = mean - all.mean, joined = weight + part.weight;
      spread += part.squares - part.sum * part.sum / part.weight +
                off * off * weight * part.weight / joined;
      all.mean += off * part.weight / joined;
      weight = joined;
    }
    all.variance = weight > 0.0 ? std::max(0.0, spread / weight) : 0.0;
  }
  return finite;
}

}  // namespace lesionkit::clustering::fuzzy

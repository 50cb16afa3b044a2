// k-means of one feature: a pass at the speed of memory.
//
// Nothing is stored for a sample. For each cut between two centres a pass keeps the number of
// samples above it, their weight, and the sum of w (x - c), c being the centre of each sample's
// own cluster: such a sum carries only the shift, so float lanes are enough for half a thousand
// samples, after which they are added to doubles. A cluster is what lies above one cut and not
// above the next. If the numbers above the cuts are those of the pass before, no sample has moved.
#pragma once

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "clustering/kmeans/kmeans.hpp"
#include "clustering/kmeans/lloyd.hpp"
#include "common/reduce.hpp"
#include "common/simd.hpp"

#define CUTS_UNROLLED _Pragma("GCC unroll 16")

namespace lesionkit::clustering {

inline constexpr int MAX_LINE_CLUSTERS = 16;  // clusters; more are faster in kmeans/space.hpp
inline constexpr int64_t FLOAT_BLOCK = 512;   // summed before they are added to doubles
inline constexpr int64_t MIN_FLOAT_SAMPLES = 65536;  // fewer do not even out their rounding
inline constexpr int64_t PREFETCH = 4096;            // asked from memory

// The centres in ascending order, each value once, and the cuts between them.
template <class Real>
struct Line {
  std::vector<Real> centres, cuts;
  std::vector<int32_t> cluster;  // the lowest number that has this value

  Line(const double* given, int64_t k) {
    std::vector<int32_t> order(k);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int32_t a, int32_t b) { return given[a] < given[b]; });
    for (int32_t j : order) {
      if (!cluster.empty()) {
        const double below = given[cluster.back()], here = given[j];
        if (here == below) continue;
        cuts.push_back(cut(below / 2 + here / 2, cluster.back() < j));
      }
      cluster.push_back(j);
      centres.push_back(static_cast<Real>(given[j]));
    }
  }

  // A Real so that x > it just where x > middle, or x >= middle if a tie goes up.
  static Real cut(double middle, bool tie_goes_down) {
    constexpr Real low = -std::numeric_limits<Real>::infinity();
    constexpr Real high = std::numeric_limits<Real>::infinity();
    Real near = static_cast<Real>(middle);
    if (tie_goes_down) return near > middle ? std::nextafter(near, low) : near;
    if (near < middle) near = std::nextafter(near, high);
    return std::nextafter(near, low);
  }
};

// The sums of a chunk, above the cuts; place 0 is below all cuts.
struct LineSums {
  double count[MAX_LINE_CLUSTERS], weight[MAX_LINE_CLUSTERS], shift[MAX_LINE_CLUSTERS], squares;

  void add(const LineSums& other) {
    for (int m = 0; m < MAX_LINE_CLUSTERS; ++m) {
      count[m] += other.count[m];
      weight[m] += other.weight[m];
      shift[m] += other.shift[m];
    }
    squares += other.squares;
  }
};

// Line, as the lanes read it; places that are not used lie above all samples.
template <class Real, int M>
struct LineLanes {
  Simd<Real> cut[M], centre[M + 1];
  Mask<Simd<Real>> cluster[M + 1];

  explicit LineLanes(const Line<Real>& line) {
    const int used = static_cast<int>(line.cuts.size());
    for (int m = 0; m < M; ++m)
      cut[m] =
          broadcast<Simd<Real>>(m < used ? line.cuts[m] : std::numeric_limits<Real>::infinity());
    for (int m = 0; m <= M; ++m) {
      centre[m] = broadcast<Simd<Real>>(line.centres[std::min(m, used)]);
      cluster[m] = broadcast<Mask<Simd<Real>>>(line.cluster[std::min(m, used)]);
    }
  }
};

template <class Real, int M, class X>
LineSums sums_on_line(const Line<Real>& line, const X* x, const double* w, int64_t n) {
  using V = Simd<Real>;
  const LineLanes<Real, M> lanes(line);
  Simd<double> shift[M + 1] = {}, squares = {};
  V weight[M + 1] = {};  // of doubles alone
  Mask<V> count[M] = {};
  int64_t i = 0;
  const int64_t whole = n - n % lane_count<Real>;
  const auto add = [&](auto weighted) {
    while (i < whole) {
      const int64_t end = std::min(whole, i + FLOAT_BLOCK);
      V shift_here[M + 1] = {}, squares_here = {};
      for (; i < end; i += lane_count<Real>) {
        __builtin_prefetch(x + i + PREFETCH);
        const V here = load<V>(x + i);
        V centre = lanes.centre[0];
        Mask<V> above[M];
        CUTS_UNROLLED
        for (int m = 0; m < M; ++m) {
          above[m] = here > lanes.cut[m];
          centre = above[m] ? lanes.centre[m + 1] : centre;
        }
        const V step = here - centre;
        if constexpr (weighted) {
          const V weight_here = load<V>(w + i), moment = weight_here * step;
          squares_here += moment * step;
          shift_here[0] += moment;
          weight[0] += weight_here;
          CUTS_UNROLLED
          for (int m = 0; m < M; ++m) {
            shift_here[m + 1] = above[m] ? shift_here[m + 1] + moment : shift_here[m + 1];
            weight[m + 1] = above[m] ? weight[m + 1] + weight_here : weight[m + 1];
            count[m] -= above[m];
          }
        } else {
          squares_here += step * step;
          shift_here[0] += step;
          CUTS_UNROLLED
          for (int m = 0; m < M; ++m) {
            shift_here[m + 1] = above[m] ? shift_here[m + 1] + step : shift_here[m + 1];
            count[m] -= above[m];
          }
        }
      }
      CUTS_UNROLLED
      for (int m = 0; m <= M; ++m) shift[m] += to_double(shift_here[m]);
      squares += to_double(squares_here);
    }
  };
  if constexpr (std::is_same_v<Real, double>) {
    if (w)
      add(std::true_type{});
    else
      add(std::false_type{});
  } else {
    add(std::false_type{});
  }

  LineSums sums = {};
  for (int m = 0; m <= M; ++m) {
    sums.shift[m] = sum(shift[m]);
    if constexpr (std::is_same_v<Real, double>) sums.weight[m] = sum(weight[m]);
    for (int l = 0; m > 0 && l < lane_count<Real>; ++l) sums.count[m] += count[m - 1][l];
  }
  sums.count[0] = static_cast<double>(n);
  sums.squares = sum(squares);
  for (; i < n; ++i) {
    const int below = cuts_below(static_cast<Real>(x[i]), line.cuts.data(), line.cuts.size());
    const double step = static_cast<double>(x[i]) - line.centres[below],
                 weight_here = w ? w[i] : 1.0;
    sums.squares += weight_here * step * step;
    for (int m = 0; m <= below; ++m) {
      sums.count[m] += m > 0;
      sums.weight[m] += weight_here;
      sums.shift[m] += weight_here * step;
    }
  }
  if (!w) std::copy_n(sums.count, M + 1, sums.weight);
  return sums;
}

inline Simd<double> squares_of(const Halves& x) { return x.low * x.low + x.high * x.high; }

// Writes the labels of n samples, and returns sum of w (x - c)^2; adds to counts[k].
template <class Real, int M, class X>
double labels_on_line(const Line<Real>& line, const X* x, const double* w, int64_t n,
                      int32_t* labels, int64_t* counts) {
  using V = Simd<Real>;
  const LineLanes<Real, M> lanes(line);
  Simd<double> squares = {};
  Mask<V> count[M] = {};
  const int64_t whole = n - n % lane_count<Real>;
  int64_t i = 0;
  for (; i < whole; i += lane_count<Real>) {
    __builtin_prefetch(x + i + PREFETCH);
    const V here = load<V>(x + i);
    V centre = lanes.centre[0];
    Mask<V> cluster = lanes.cluster[0];
    CUTS_UNROLLED
    for (int m = 0; m < M; ++m) {
      const Mask<V> above = here > lanes.cut[m];
      centre = above ? lanes.centre[m + 1] : centre;
      cluster = above ? lanes.cluster[m + 1] : cluster;
      count[m] -= above;
    }
    const V step = here - centre;
    if constexpr (std::is_same_v<Real, double>)
      squares += (w ? load<V>(w + i) : broadcast<V>(1.0)) * step * step;
    else
      squares += squares_of(halves(step));
    store(labels + i, cluster);
  }
  double total = sum(squares);
  int64_t above[M + 2] = {whole};
  for (int m = 0; m < M; ++m)
    for (int l = 0; l < lane_count<Real>; ++l) above[m + 1] += count[m][l];
  for (size_t m = 0; m < line.cluster.size(); ++m)
    counts[line.cluster[m]] += above[m] - (m < line.cuts.size() ? above[m + 1] : 0);
  for (; i < n; ++i) {
    const int below = cuts_below(static_cast<Real>(x[i]), line.cuts.data(), line.cuts.size());
    const double step = static_cast<double>(x[i]) - line.centres[below];
    total += (w ? w[i] : 1.0) * step * step;
    labels[i] = line.cluster[below];
    ++counts[labels[i]];
  }
  return total;
}

// The two functions above, compiled for some numbers of cuts.
template <class Real, class X>
struct LineLoops {
  LineSums (*sums)(const Line<Real>&, const X*, const double*, int64_t);
  double (*labels)(const Line<Real>&, const X*, const double*, int64_t, int32_t*, int64_t*);

  template <int M>
  static LineLoops of() {
    return {sums_on_line<Real, M, X>, labels_on_line<Real, M, X>};
  }
  // The fewest cuts that are not less than `cuts`.
  explicit LineLoops(size_t cuts)
      : LineLoops(cuts <= 1    ? of<1>()
                  : cuts == 2  ? of<2>()
                  : cuts == 3  ? of<3>()
                  : cuts <= 5  ? of<5>()
                  : cuts <= 7  ? of<7>()
                  : cuts <= 11 ? of<11>()
                               : of<15>()) {}

 private:
  LineLoops(decltype(sums) s, decltype(labels) l) : sums(s), labels(l) {}
};

// The passes over samples of one feature, for up to `MAX_LINE_CLUSTERS` clusters.
template <class X>
class LineKMeans {
 public:
  LineKMeans(const Samples<X>& samples, int64_t k)
      : s_(samples), k_(k), grain_(chunk_size(s_.n, int64_t{1} << 21, k, 3 * k)) {}

  void pass(const double* centres, Means& to) {
    if constexpr (std::is_same_v<X, float>)
      if (single_) {
        pass_in<float>(centres, to);
        if (to.finite) return;
        single_ = false;  // NaN, infinity, or squares that only a double holds
      }
    pass_in<double>(centres, to);
  }

  // Of the samples, known once a pass is done.
  double variance() const { return doubtful_ ? mean_variance(s_) : variance_; }

  Fit label(const double* centres, int32_t* labels) const {
    if constexpr (std::is_same_v<X, float>)
      if (single_ &&
          std::all_of(centres, centres + k_, [](double c) { return c == static_cast<float>(c); }))
        return label_in<float>(centres, labels);
    return label_in<double>(centres, labels);
  }

 private:
  const double* weights_from(int64_t begin) const { return s_.w ? s_.w + begin : nullptr; }

  template <class Real>
  void pass_in(const double* centres, Means& to) {
    const Line<Real> line(centres, k_);
    const LineLoops<Real, X> loops(line.cuts.size());
    const LineSums all =
        reduce_in_order(s_.n, grain_, LineSums{}, [&](int64_t begin, int64_t end, LineSums& part) {
          part = loops.sums(line, s_.x + begin, weights_from(begin), end - begin);
        });
    take(line, all, to);
  }

  template <class Real>
  void take(const Line<Real>& line, const LineSums& all, Means& to) {
    to.finite = std::isfinite(std::is_same_v<Real, float> ? all.squares : all.shift[0]);
    if (!to.finite) return;
    const size_t used = line.cluster.size();
    std::fill(to.weight.begin(), to.weight.end(), 0.0);
    for (size_t m = 0; m < used; ++m) {
      const bool last = m + 1 == used;
      const double weight = all.weight[m] - (last ? 0.0 : all.weight[m + 1]);
      const double shift = all.shift[m] - (last ? 0.0 : all.shift[m + 1]);
      const int32_t j = line.cluster[m];
      to.weight[j] = weight;
      if (weight > 0.0) to.mean[j] = line.centres[m] + shift / weight;
    }

    const std::vector<double> above(all.count, all.count + used);
    to.moved = above != above_ || line.cluster != cluster_;
    above_ = above;
    cluster_ = line.cluster;

    double mean = 0.0;
    for (int64_t j = 0; j < k_; ++j) mean += to.weight[j] > 0.0 ? to.weight[j] * to.mean[j] : 0.0;
    mean /= all.weight[0];
    variance_ = all.squares;
    for (size_t m = 0; m < used; ++m) {
      const double away = line.centres[m] - mean, weight = to.weight[line.cluster[m]];
      if (weight > 0.0)
        variance_ += weight * away * (2.0 * to.mean[line.cluster[m]] - mean - line.centres[m]);
    }
    variance_ /= all.weight[0];
    doubtful_ = !(variance_ > 1e-3 * all.squares / all.weight[0]);  // mostly cancelled
  }

  template <class Real>
  Fit label_in(const double* centres, int32_t* labels) const {
    const Line<Real> line(centres, k_);
    const LineLoops<Real, X> loops(line.cuts.size());
    return reduce_in_order(s_.n, grain_, Fit(k_), [&](int64_t begin, int64_t end, Fit& part) {
      part.inertia = loops.labels(line, s_.x + begin, weights_from(begin), end - begin,
                                  labels + begin, part.counts.data());
    });
  }

  Samples<X> s_;
  int64_t k_, grain_;
  bool single_ = std::is_same_v<X, float> && !s_.w && s_.n >= MIN_FLOAT_SAMPLES, doubtful_ = false;
  double variance_ = 0.0;
  std::vector<double> above_;     // numbers above the cuts, in the pass before
  std::vector<int32_t> cluster_;  // between them
};

}  // namespace lesionkit::clustering

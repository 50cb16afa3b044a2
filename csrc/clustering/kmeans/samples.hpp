// What the passes of k-means take and give.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace lesionkit::clustering {

// n samples of d features, one after another, with weights or (nullptr) with weight 1 each.
// `counted`: the weights are numbers of equal samples.
template <class X>
struct Samples {
  const X* x;
  const double* w;
  int64_t n, d;
  bool counted = false;

  double weight(int64_t i) const { return w ? w[i] : 1.0; }
};

// A power of two that brings numbers of up to `far` near 1, where their squares are floats.
template <class X>
double scale_for(double far, const X*) {
  constexpr int max_exponent = sizeof(X) == sizeof(float) ? 120 : 1000;
  return far > 0.0 && std::isfinite(far)
             ? std::ldexp(1.0, std::clamp(-std::ilogb(far), -max_exponent, max_exponent))
             : 1.0;
}

// What a pass finds for centres that are given: the weighted means of their samples.
struct Means {
  std::vector<double> mean;    // k x d; as it was where no weight is
  std::vector<double> weight;  // k
  bool moved = true;           // a sample has another cluster than in the pass before
  bool finite = true;          // no NaN or infinity among the samples

  Means(int64_t k, int64_t d) : mean(k * d), weight(k) {}
};

// How labels fit the centres.
struct Fit {
  double inertia = 0.0;         // sum of w |x - c|^2
  std::vector<int64_t> counts;  // samples of each cluster

  explicit Fit(int64_t k) : counts(k) {}
  void add(const Fit& other) {
    inertia += other.inertia;
    for (size_t j = 0; j < counts.size(); ++j) counts[j] += other.counts[j];
  }
};

// Samples in a chunk, so that a chunk is worth a thread's while: `pairs` of a sample and a number
// to compare it with, or more where the sums of all chunks would not fit well into memory.
inline int64_t chunk_size(int64_t n, int64_t pairs, int64_t per_sample, int64_t sums) {
  constexpr int64_t unit = 512;
  const int64_t max_chunks = std::clamp<int64_t>((int64_t{1} << 23) / sums, 8, 256);
  const int64_t wanted = std::max(pairs / per_sample, (n + max_chunks - 1) / max_chunks);
  return (std::max<int64_t>(wanted, 1) + unit - 1) / unit * unit;
}

}  // namespace lesionkit::clustering

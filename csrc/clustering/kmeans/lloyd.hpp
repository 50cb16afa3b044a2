// Lloyd's loop, with scikit-learn's rules for when to stop and for clusters that are left empty.
#pragma once

#include <cmath>
#include <tuple>

#include "clustering/kmeans/kmeans.hpp"
#include "clustering/kmeans/samples.hpp"
#include "common/reduce.hpp"

namespace lesionkit::clustering {

// A sample that an empty cluster may have; before another if it is farther from its centre.
struct Far {
  double distance;
  int64_t sample;
  int32_t cluster;

  bool operator<(const Far& other) const {
    return std::tie(other.distance, sample) < std::tie(distance, other.sample);
  }
};

// The samples farthest from their centres, and how many samples with a weight each cluster has.
struct Farthest {
  std::vector<Far> samples;
  std::vector<double> counts;

  void add(const Farthest& other) {
    samples.insert(samples.end(), other.samples.begin(), other.samples.end());
    for (size_t j = 0; j < counts.size(); ++j) counts[j] += other.counts[j];
  }
};

template <class X>
Farthest farthest_samples(const Samples<X>& s, const double* centres, int64_t k, size_t wanted) {
  const int64_t grain = chunk_size(s.n, int64_t{1} << 16, k * s.d, 2 * (k + int64_t(wanted)));
  const auto shorten = [&](std::vector<Far>& list) {
    std::sort(list.begin(), list.end());
    if (list.size() > wanted) list.resize(wanted);
  };
  const Farthest none = {{}, std::vector<double>(k)};
  Farthest all = reduce_in_order(s.n, grain, none, [&](int64_t begin, int64_t end, Farthest& part) {
    for (int64_t i = begin; i < end; ++i) {
      if (s.weight(i) == 0.0) continue;
      Far here = {std::numeric_limits<double>::infinity(), i, 0};
      for (int64_t j = 0; j < k; ++j) {
        const double distance = squared_distance(s.x + i * s.d, centres + j * s.d, s.d, 1);
        if (distance < here.distance) here = {distance, i, static_cast<int32_t>(j)};
      }
      part.counts[here.cluster] += s.counted ? s.w[i] : 1.0;
      if (part.samples.size() >= 2 * wanted + 64) shorten(part.samples);
      part.samples.push_back(here);
    }
    shorten(part.samples);
  });
  shorten(all.samples);
  return all;
}

// Every cluster without weight takes the sample that is farthest from its own centre; that sample
// leaves its cluster, unless it is the only one there. With no sample away from its centre, the
// cluster goes where the heaviest is: there are fewer distinct samples than clusters.
template <class X>
void fill_empty(const Samples<X>& s, const double* centres, Means& m) {
  const int64_t k = static_cast<int64_t>(m.weight.size());
  const int64_t empty = std::count(m.weight.begin(), m.weight.end(), 0.0);
  if (!empty) return;
  const Farthest far = farthest_samples(s, centres, k, static_cast<size_t>(empty + k));
  std::vector<double> left = far.counts;
  int64_t taker = 0;
  for (const Far& sample : far.samples) {
    const double w = s.counted ? 1.0 : s.weight(sample.sample);
    for (double equal = s.counted ? s.w[sample.sample] : 1.0; equal >= 1.0; equal -= 1.0) {
      while (taker < k && m.weight[taker] != 0.0) ++taker;
      if (taker == k || sample.distance == 0.0 || left[sample.cluster] < 2.0) break;
      left[sample.cluster] -= 1.0;
      const double rest = m.weight[sample.cluster] - w;
      for (int64_t e = 0; e < s.d; ++e) {
        const double x = s.x[sample.sample * s.d + e];
        double& mean = m.mean[sample.cluster * s.d + e];
        mean += (mean - x) * (w / rest);
        m.mean[taker * s.d + e] = x;
      }
      m.weight[sample.cluster] = rest;
      m.weight[taker] = w;
    }
  }
  const int64_t heaviest = std::max_element(m.weight.begin(), m.weight.end()) - m.weight.begin();
  for (int64_t j = 0; j < k; ++j)
    if (m.weight[j] == 0.0)
      std::copy_n(m.mean.begin() + heaviest * s.d, s.d, m.mean.begin() + j * s.d);
}

// The mean over the features of the variance of the samples.
template <class X>
double mean_variance(const Samples<X>& s) {
  const int64_t grain = chunk_size(s.n, int64_t{1} << 19, s.d, 3 * s.d);
  std::vector<double> sums(1 + 2 * s.d);  // of w; of w t and of w t^2, t as seen from x[0]
  sum_in_order(s.n, grain, sums, [&](int64_t begin, int64_t end, double* part) {
    for (int64_t i = begin; i < end; ++i) {
      const double w = s.weight(i);
      part[0] += w;
      for (int64_t e = 0; e < s.d; ++e) {
        const double step = static_cast<double>(s.x[i * s.d + e]) - s.x[e];
        part[1 + e] += w * step;
        part[1 + s.d + e] += w * step * step;
      }
    }
  });
  const double weight = sums[0];
  double total = 0.0;
  for (int64_t e = 0; e < s.d; ++e) {
    const double sum = sums[1 + e], squares = sums[1 + s.d + e];
    total += std::max(0.0, squares / weight - (sum / weight) * (sum / weight));
  }
  return total / static_cast<double>(s.d);
}

struct Step {
  double inertia, shift;  // before the centres moved; the sum of their squared shifts
};

struct Outcome {
  int64_t passes = 0;
  bool settled = false;  // no sample moved in the last pass
  bool finite = true;    // else nothing else is of use
  double limit = 0.0;    // of the squared shifts
  std::vector<Step> steps;
};

// Moves the centres (k x d) until no sample changes its cluster, or the sum of their squared shifts
// is at most `tol` times the mean variance of the features, or `max_iter` passes are done.
// `watched`: tells each step, at the price of another pass.
template <class X, class Passes>
Outcome lloyd(const Samples<X>& s, Passes& passes, int64_t k, double* centres, int64_t max_iter,
              double tol, bool watched) {
  Outcome done;
  Means means(k, s.d);
  std::vector<int32_t> labels(watched ? s.n : 0);
  while (done.passes < max_iter) {
    passes.pass(centres, means);
    done.finite = means.finite;
    if (!means.finite) break;
    if (done.passes++ == 0 && tol > 0.0) done.limit = tol * passes.variance();
    fill_empty(s, centres, means);
    double shift = 0.0;
    for (int64_t i = 0; i < k * s.d; ++i)
      shift += (means.mean[i] - centres[i]) * (means.mean[i] - centres[i]);
    if (watched) done.steps.push_back({passes.label(centres, labels.data()).inertia, shift});
    std::copy(means.mean.begin(), means.mean.end(), centres);
    done.settled = !means.moved;
    if (done.settled || shift <= done.limit) break;
  }
  return done;
}

}  // namespace lesionkit::clustering

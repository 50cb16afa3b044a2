// The best k-means of values on a line: the cuts that make the sum of w (x - c)^2 least of all.
//
// Wang and Song, "Ckmeans.1d.dp", The R Journal 3, 2011: clusters are runs of the ascending values,
// so the best c clusters of the first j values are the best c - 1 clusters of the first i and one
// cluster of the rest. The best i does not fall as j rises, so each c costs m log m steps of a
// divide and conquer.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "common/interrupt.hpp"

namespace lesionkit::clustering {

class LineOptimum {
 public:
  // m > 0 values in ascending order, each once, with weights above 0.
  LineOptimum(const double* values, const double* weights, int64_t m)
      : m_(m), pivot_(values[m / 2]), sums_(m + 1) {
    for (int64_t i = 0; i < m; ++i) {
      const double x = values[i] - pivot_, w = weights[i];
      sums_[i + 1] = {sums_[i].weight + w, sums_[i].moment + w * x, sums_[i].square + w * x * x};
    }
  }

  // The means of the best k <= m clusters, ascending.
  std::vector<double> means(int64_t k) {
    before_.resize(m_ + 1);
    now_.resize(m_ + 1);
    starts_.assign(k * (m_ + 1), 0);
    for (int64_t j = 1; j <= m_; ++j) now_[j] = cost(0, j);
    for (int64_t c = 1; c < k; ++c) {
      before_.swap(now_);
      best(starts_.data() + c * (m_ + 1), c + 1, m_, c, m_ - 1);
    }
    std::vector<double> found(k);
    int64_t end = m_;
    for (int64_t c = k - 1; c >= 0; --c) {
      const int64_t start = starts_[c * (m_ + 1) + end];
      const double weight = sums_[end].weight - sums_[start].weight;
      found[c] = pivot_ + (sums_[end].moment - sums_[start].moment) / weight;
      end = start;
    }
    return found;
  }

 private:
  struct Sums {
    double weight, moment, square;  // of the values before a place, as seen from the pivot
  };

  // The sum of w (x - mean)^2 of the values from `start` to `end` - 1.
  double cost(int64_t start, int64_t end) const {
    const double weight = sums_[end].weight - sums_[start].weight;
    const double moment = sums_[end].moment - sums_[start].moment;
    const double square = sums_[end].square - sums_[start].square;
    const double found = square - moment * moment / weight;
    return found > 0.0 ? found : 0.0;
  }

  // now_[j] and starts[j] for the j from low to high, whose last cluster starts within [from, to].
  void best(int32_t* starts, int64_t low, int64_t high, int64_t from, int64_t to) {
    if (low > high) return;
    interrupt_();
    const int64_t j = low + (high - low) / 2;
    double least = std::numeric_limits<double>::infinity();
    int64_t start = from;
    for (int64_t i = from; i <= std::min(to, j - 1); ++i) {
      const double here = before_[i] + cost(i, j);
      if (here < least) {
        least = here;
        start = i;
      }
    }
    now_[j] = least;
    starts[j] = static_cast<int32_t>(start);
    best(starts, low, j - 1, from, start);
    best(starts, j + 1, high, start, to);
  }

  int64_t m_;
  double pivot_;
  std::vector<Sums> sums_;
  std::vector<double> before_, now_;  // the least cost of the first j values
  std::vector<int32_t> starts_;       // [clusters - 1][j]: where the last cluster starts
  InterruptCounter interrupt_;
};

}  // namespace lesionkit::clustering

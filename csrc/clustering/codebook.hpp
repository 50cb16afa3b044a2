// Codebooks: what the cells of a code look like, and codes merged by pairs.
//
// Pairwise nearest neighbour (Equitz, IEEE Trans. ASSP 37, 1568-1575, 1989): the two words a, b
// whose merger costs least, n_a n_b / (n_a + n_b) |y_a - y_b|^2, become their weighted mean, until
// few enough are left. It is exact: a merger never brings a word nearer to a third one than the
// nearer of the two was (Ward's distance is reducible), so only words whose partner is gone look
// for another.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/interrupt.hpp"

namespace lesionkit::clustering {

// Adds a sample of weight w to its cell: [1 + 2 d] sums of w, of w t and of w t^2, t = x - word.
template <class T>
inline void add_to_cell(const T* x, double w, const double* word, int64_t d, double* cell) {
  cell[0] += w;
  for (int64_t e = 0; e < d; ++e) {
    const double t = static_cast<double>(x[e]) - word[e];
    cell[1 + e] += w * t;
    cell[1 + d + e] += w * t * t;
  }
}

class PairwiseMerger {
 public:
  // words (k, d) and their weights (k); both are changed.
  PairwiseMerger(double* words, double* weights, int64_t k, int64_t d)
      : words_(words), weights_(weights), k_(k), d_(d), partner_(k), cost_(k) {
    for (int64_t a = 0; a < k; ++a) look(a);
  }

  // Merges until `target` words are left, in place and in their order.
  void reduce(int64_t target) {
    std::vector<bool> gone(k_);
    for (int64_t left = k_; left > target; --left) {
      check_interrupt();
      int64_t a = -1;
      for (int64_t i = 0; i < k_; ++i)
        if (!gone[i] && partner_[i] >= 0 && (a < 0 || cost_[i] < cost_[a])) a = i;
      const int64_t b = partner_[a];
      merge(a, b);
      gone[b] = true;
      gone_ = &gone;
      for (int64_t i = 0; i < k_; ++i)
        if (!gone[i] && (i == a || partner_[i] == a || partner_[i] == b)) look(i);
    }
    int64_t to = 0;
    for (int64_t i = 0; i < k_; ++i) {
      if (gone[i]) continue;
      std::copy_n(words_ + i * d_, d_, words_ + to * d_);
      weights_[to++] = weights_[i];
    }
  }

 private:
  double cost(int64_t a, int64_t b) const {
    const double both = weights_[a] + weights_[b];
    if (!(both > 0.0)) return 0.0;
    double apart = 0.0;
    for (int64_t e = 0; e < d_; ++e) {
      const double t = words_[a * d_ + e] - words_[b * d_ + e];
      apart += t * t;
    }
    return weights_[a] * (weights_[b] / both) * apart;
  }

  // The partner of a: of the words after it, the first whose merger costs least.
  void look(int64_t a) {
    check_interrupt();
    partner_[a] = -1;
    for (int64_t b = a + 1; b < k_; ++b) {
      if (gone_ && (*gone_)[b]) continue;
      const double here = cost(a, b);
      if (partner_[a] < 0 || here < cost_[a]) {
        partner_[a] = b;
        cost_[a] = here;
      }
    }
  }

  void merge(int64_t a, int64_t b) {
    const double both = weights_[a] + weights_[b];
    for (int64_t e = 0; e < d_ && both > 0.0; ++e)
      words_[a * d_ + e] += weights_[b] / both * (words_[b * d_ + e] - words_[a * d_ + e]);
    weights_[a] = both;
  }

  double *words_, *weights_;
  int64_t k_, d_;
  std::vector<int64_t> partner_;
  std::vector<double> cost_;
  const std::vector<bool>* gone_ = nullptr;
};

}  // namespace lesionkit::clustering

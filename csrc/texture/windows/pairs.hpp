// PyRadiomics' 24 co-occurrence features of one window along one direction, without its matrix:
// moments from the pairs themselves, entropies from counts of equal pairs, sums and differences
// (Haralick 1973; the identities are those of texture/rois/rois.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "texture/windows/second.hpp"
#include "texture/windows/window.hpp"

namespace lesionkit::texture::windows {

// In the order of PyRadiomics' names.
enum PairFeature : int {
  AUTOCORRELATION,
  CLUSTER_PROMINENCE,
  CLUSTER_SHADE,
  CLUSTER_TENDENCY,
  PAIR_CONTRAST,
  PAIR_CORRELATION,
  DIFFERENCE_AVERAGE,
  PAIR_DIFFERENCE_ENTROPY,
  PAIR_DIFFERENCE_VARIANCE,
  INVERSE_DIFFERENCE,
  INVERSE_MOMENT,
  INVERSE_MOMENT_NORMALISED,
  INVERSE_DIFFERENCE_NORMALISED,
  INFORMATION_1,
  INFORMATION_2,
  INVERSE_VARIANCE,
  PAIR_JOINT_AVERAGE,
  JOINT_ENERGY,
  PAIR_JOINT_ENTROPY,
  MAXIMAL_CORRELATION,
  MAXIMUM_PROBABILITY,
  PAIR_SUM_AVERAGE,
  PAIR_SUM_ENTROPY,
  SUM_SQUARES,
  PAIR_FEATURES
};

class Pairs {
 public:
  // levels: the highest; one_level: whether the region has no other.
  Pairs(int64_t places, int64_t levels, bool symmetric, bool one_level, bool maximal,
        const Logs& logs)
      : symmetric_(symmetric),
        one_level_(one_level),
        maximal_(maximal),
        logs_(logs),
        sum_count_(2 * levels + 1),
        difference_count_(levels + 1),
        x_count_(places),
        y_count_(places),
        small_of_(places),
        pairs_(places),
        second_(!symmetric) {
    weights_.reserve(levels + 1);
    const auto all = static_cast<double>(levels);
    for (int64_t k = 0; k <= levels; ++k) {
      const auto d = static_cast<double>(k);
      weights_.push_back({1.0 / (1.0 + d), 1.0 / (1.0 + d * d), 1.0 / (1.0 + d * d / (all * all)),
                          1.0 / (1.0 + d / all), k > 0 ? 1.0 / (d * d) : 0.0});
    }
  }

  // Adds the features; false, and nothing, where there is no pair.
  bool add(const Levels& levels, const std::vector<Beside>& along, double* feature) {
    count_ = 0;
    for (const Beside& beside : along) {
      const uint16_t i = levels.rank[beside.from], j = levels.rank[beside.to];
      if (i == Levels::NOWHERE || j == Levels::NOWHERE) continue;
      const int64_t a = levels.level[beside.from], b = levels.level[beside.to];
      Pair& pair = pairs_[count_++];
      pair = {i,
              j,
              static_cast<double>(a),
              static_cast<double>(b),
              static_cast<int32_t>(a + b),
              static_cast<int32_t>(std::abs(a - b))};
      if (symmetric_ && i > j) std::swap(pair.i, pair.j);
    }
    if (count_ == 0) return false;
    moments(feature);
    counts(levels, feature);
    return true;
  }

  // After the last direction.
  void finish(double* feature) {
    if (maximal_) feature[MAXIMAL_CORRELATION] += second_.take();
  }

 private:
  struct Pair {
    uint16_t i, j;  // ranks; the lower first where symmetric
    double a, b;
    int32_t sum, difference;
  };
  struct Weights {
    double difference, moment, moment_normalised, difference_normalised, variance;
  };

  void moments(double* feature) {
    const double n = static_cast<double>(count_), each = 1.0 / n;
    double first = 0.0, second = 0.0, difference = 0.0;
    Weights w = {};
    for (int64_t k = 0; k < count_; ++k) {
      const Pair& p = pairs_[k];
      first += p.a;
      second += p.b;
      difference += p.difference;
      const Weights& of = weights_[p.difference];
      w.difference += of.difference;
      w.moment += of.moment;
      w.moment_normalised += of.moment_normalised;
      w.difference_normalised += of.difference_normalised;
      w.variance += of.variance;
    }
    const double mean = (first + second) / n, apart = difference / n;
    const double x = symmetric_ ? mean / 2.0 : first / n, y = symmetric_ ? x : second / n;
    double square = 0.0, cube = 0.0, fourth = 0.0, contrast = 0.0, spread = 0.0;
    double of_x = 0.0, of_y = 0.0;
    for (int64_t k = 0; k < count_; ++k) {
      const Pair& p = pairs_[k];
      const double s = p.a + p.b - mean, d = p.difference, off = d - apart, ss = s * s;
      square += ss;
      cube += ss * s;
      fourth += ss * ss;
      contrast += d * d;
      spread += off * off;
      of_x += (p.a - x) * (p.a - x);
      of_y += (p.b - y) * (p.b - y);
    }
    // of a symmetric matrix: var(i + j) = 2 var + 2 cov, mean of (i - j)^2 = 2 var - 2 cov
    const double variance_x = symmetric_ ? (square + contrast) / (4.0 * n) : of_x / n;
    const double variance_y = symmetric_ ? variance_x : of_y / n;
    const double covariance =
        symmetric_ ? (square - contrast) / (4.0 * n) : (square - of_x - of_y) / (2.0 * n);
    const double scale = symmetric_ ? variance_x : std::sqrt(variance_x * variance_y);
    feature[AUTOCORRELATION] += covariance + x * y;
    feature[CLUSTER_PROMINENCE] += fourth * each;
    feature[CLUSTER_SHADE] += cube * each;
    feature[CLUSTER_TENDENCY] += square * each;
    feature[PAIR_CONTRAST] += contrast * each;
    feature[PAIR_CORRELATION] += scale > 0.0 ? covariance / scale : 1.0;
    feature[DIFFERENCE_AVERAGE] += apart;
    feature[PAIR_DIFFERENCE_VARIANCE] += spread * each;
    feature[INVERSE_DIFFERENCE] += w.difference * each;
    feature[INVERSE_MOMENT] += w.moment * each;
    feature[INVERSE_MOMENT_NORMALISED] += w.moment_normalised * each;
    feature[INVERSE_DIFFERENCE_NORMALISED] += w.difference_normalised * each;
    feature[INVERSE_VARIANCE] += w.variance * each;
    feature[PAIR_JOINT_AVERAGE] += x;
    feature[PAIR_SUM_AVERAGE] += mean;
    feature[SUM_SQUARES] += variance_x;
  }

  void counts(const Levels& levels, double* feature) {
    const int64_t kinds = levels.kinds();
    if (kinds * kinds > static_cast<int64_t>(joint_count_.size()))
      joint_count_.resize(kinds * kinds);
    const double n = static_cast<double>(count_);
    // sums of c ln c over the cells of each list, and of c^2 over the matrix
    double joint = 0.0, sums = 0.0, differences = 0.0;
    int64_t squares = 0, off_diagonal = 0, largest = 0;
    for (int64_t k = 0; k < count_; ++k) {
      const Pair& p = pairs_[k];
      const int64_t c = ++joint_count_[p.i * kinds + p.j];
      joint += logs_.step[c];
      const bool off = p.i != p.j;
      off_diagonal += off;
      if (symmetric_) {  // c in each of two cells, or 2 c in one
        squares += (off ? 2 : 4) * (2 * c - 1);
        largest = std::max(largest, off ? c : 2 * c);
        ++x_count_[p.j];
      } else {
        squares += 2 * c - 1;
        largest = std::max(largest, c);
        ++y_count_[p.j];
      }
      ++x_count_[p.i];
      sums += logs_.step[++sum_count_[p.sum]];
      differences += logs_.step[++difference_count_[p.difference]];
    }
    constexpr double ln2 = 0.693147180559945309417;
    const double entries = symmetric_ ? 2.0 * n : n, log_n = logs_.log[count_];
    const double entropy = std::max(
        0.0, log_n - joint / n + (symmetric_ ? ln2 * static_cast<double>(off_diagonal) / n : 0.0));
    const double log_entries = symmetric_ ? log_n + ln2 : log_n;
    double of_x = 0.0, of_y = 0.0;
    for (int64_t k = 0; k < kinds; ++k) {
      of_x += logs_.c_log_c[x_count_[k]];
      of_y += logs_.c_log_c[y_count_[k]];
    }
    const double entropy_x = std::max(0.0, log_entries - of_x / entries);
    const double entropy_y = symmetric_ ? entropy_x : std::max(0.0, log_entries - of_y / entries);
    const double shared = entropy_x + entropy_y - entropy, most = std::max(entropy_x, entropy_y);
    feature[PAIR_DIFFERENCE_ENTROPY] += std::max(0.0, log_n - differences / n) / ln2;
    feature[INFORMATION_1] += most > 1e-14 ? -shared / most : 0.0;
    // PyRadiomics raises e to the power of entropies in bits
    feature[INFORMATION_2] += shared > 1e-14 ? std::sqrt(-std::expm1(-2.0 * shared / ln2)) : 0.0;
    feature[JOINT_ENERGY] += static_cast<double>(squares) / (entries * entries);
    feature[PAIR_JOINT_ENTROPY] += entropy / ln2;
    feature[MAXIMUM_PROBABILITY] += static_cast<double>(largest) / entries;
    feature[PAIR_SUM_ENTROPY] += std::max(0.0, log_n - sums / n) / ln2;
    if (maximal_) feature[MAXIMAL_CORRELATION] += maximal_correlation(kinds);
    for (int64_t k = 0; k < count_; ++k) {
      const Pair& p = pairs_[k];
      joint_count_[p.i * kinds + p.j] = 0;
      sum_count_[p.sum] = difference_count_[p.difference] = 0;
    }
    std::fill_n(x_count_.begin(), kinds, 0);
    std::fill_n(y_count_.begin(), kinds, 0);
  }

  // Of the levels that occur in pairs; where all pairs have one level, 0, and where it takes more
  // than a look, 0 until finish().
  double maximal_correlation(int64_t kinds) {
    int64_t size = 0;
    used_.clear();
    for (int64_t k = 0; k < kinds; ++k)
      if (x_count_[k] > 0 || y_count_[k] > 0) {
        small_of_[k] = static_cast<uint16_t>(size++);
        used_.push_back(static_cast<uint16_t>(k));
      }
    if (one_level_) return 1.0;
    return symmetric_ ? of_symmetric(kinds, size) : of_other(kinds, size);
  }

  double of_symmetric(int64_t kinds, int64_t size) {
    if (size < 2) return 0.0;
    second_.open(size);
    for (int64_t k = 0; k < count_; ++k)
      second_.join(small_of_[pairs_[k].i], small_of_[pairs_[k].j]);
    if (second_.tied()) return 1.0;
    begin(size);
    for (int64_t k = 0; k < count_; ++k) {
      const Pair& p = pairs_[k];
      const int64_t i = small_of_[p.i], j = small_of_[p.j];
      const double c = joint_count_[p.i * kinds + p.j];
      matrix_[i * size + j] = matrix_[j * size + i] =
          (i == j ? 2.0 * c : c) / (root_[i] * root_[j]);
    }
    second_.add(matrix_.data(), first_.data(), size);
    return 0.0;
  }

  // The root of the second eigenvalue of A A', A = p(i, j) / sqrt(p_x(i) p_y(j)).
  double of_other(int64_t kinds, int64_t size) {
    int64_t rows = 0, columns = 0;
    for (const uint16_t k : used_) {
      rows += x_count_[k] > 0;
      columns += y_count_[k] > 0;
    }
    if (rows < 2 || columns < 2) return 0.0;
    begin(size);
    half_.assign(size * size, 0.0);
    for (int64_t i = 0; i < size; ++i)
      for (int64_t j = 0; j < size; ++j) {
        const uint16_t c = joint_count_[used_[i] * kinds + used_[j]];
        if (c > 0) half_[i * size + j] = c / (root_[i] * std::sqrt(double(y_count_[used_[j]])));
      }
    for (int64_t i = 0; i < size; ++i)
      for (int64_t j = 0; j < size; ++j) {
        double sum = 0.0;
        for (int64_t k = 0; k < size; ++k) sum += half_[i * size + k] * half_[j * size + k];
        matrix_[i * size + j] = sum;
      }
    second_.add(matrix_.data(), first_.data(), size);
    return 0.0;
  }

  void begin(int64_t size) {
    matrix_.assign(size * size, 0.0);
    first_.resize(size);
    root_.resize(size);
    double total = 0.0;
    for (const uint16_t k : used_) total += x_count_[k];
    for (int64_t i = 0; i < size; ++i) {
      root_[i] = std::sqrt(static_cast<double>(x_count_[used_[i]]));
      first_[i] = root_[i] / std::sqrt(total);
    }
  }
  bool symmetric_, one_level_, maximal_;
  const Logs& logs_;
  std::vector<Weights> weights_;                        // of each difference
  std::vector<uint16_t> sum_count_, difference_count_;  // of each sum and difference of levels
  std::vector<uint16_t> joint_count_, x_count_, y_count_, small_of_, used_;  // by rank
  std::vector<Pair> pairs_;
  int64_t count_ = 0;
  SecondEigenvalues second_;
  std::vector<double> matrix_, half_, first_, root_;
};

}  // namespace lesionkit::texture::windows

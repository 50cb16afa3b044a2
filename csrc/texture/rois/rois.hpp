// MaZda's 11 co-occurrence features of one small region, at one offset, without a matrix.
//
// Of a pair of levels (a, b) only s = a + b and d = |a - b| are summed, as integers, so that every
// moment is exact. The matrix is the symmetric one: each pair stands in it twice, as (a, b) and
// (b, a). Its sums are those of Haralick 1973 (section II and appendix), rewritten for counts:
// with n pairs of which c fall on one unordered pair of levels,
//   sum P^2       = (sum c^2 + sum of c^2 on the diagonal) / (2 n^2)
//   -sum P log P  = log n + log 2 (pairs off the diagonal) / n - (sum c log c) / n
// and likewise, without halves, for the counts of s and of d. When a count goes from c to c + 1,
// sum c^2 grows by 2 c + 1 and sum c log c by `entropy_step(c)`. Departures from Haralick: the sum
// variance is taken about the sum average (his text says the sum entropy, a misprint), the
// difference variance is that of |a - b| (as MaZda and IBSI have it).
#pragma once

#include "common/portable.hpp"

namespace lesionkit::texture::rois {

enum Feature {
  ANG_SC_MOM,
  CONTRAST,
  CORRELAT,
  SUM_OF_SQS,
  INV_DF_MOM,
  SUM_AVERG,
  SUM_VARNC,
  SUM_ENTRP,
  ENTROPY,
  DIF_VARNC,
  DIF_ENTRP,
  FEATURES
};

enum Normalise { NONE, SIGMA, PERCENTILE, SINGLE = 4 };  // + SINGLE: values are float32's

// The level of a value: `levels` equal steps from low to high, what lies outside in the end steps;
// all in the first where there is no width. `slack`: how far below a step, in steps, rounding may
// have put a value that lies on it.
struct Quantiser {
  double low, high, levels, slack;

  HD int64_t operator()(double x) const {
    if (!(high > low)) return 0;
    const double level = floor((x - low) / (high - low) * levels + slack);
    return static_cast<int64_t>(level < 0.0 ? 0.0 : level < levels ? level : levels - 1.0);
  }
};

// The levels of values from low to high. Where they are float32's, each of the three is off by half
// a unit of its last place or less: 0.7 is then on the step 0.7 as 7 is on 7.
HD Quantiser quantiser_between(double low, double high, double levels, int normalise) {
  double slack = 0.0;
  if ((normalise & SINGLE) && high > low) {
    const double least = fabs(low), most = fabs(high), largest = least > most ? least : most;
    slack = levels * 2.384185791015625e-07 * (largest / (high - low));  // 2^-22
    slack = slack < 0.25 ? slack : 0.25;
  }
  return {low, high, levels, slack};
}

// From the mean - 3 to the mean + 3 standard deviations of n values (of the population).
HD Quantiser three_sigma(const double* x, int64_t n, double levels, int normalise) {
  double sum = 0.0, squares = 0.0;
  bool flat = true;
  for (int64_t i = 0; i < n; ++i) sum += x[i];
  const double mean = sum / static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i) {
    squares += (x[i] - mean) * (x[i] - mean);
    flat = flat && x[i] == x[0];
  }
  double width = flat ? 0.0 : 3.0 * sqrt(squares / static_cast<double>(n));
  if (!flat && squares < 1e-280) {  // squares are lost below 1e-308: of greater numbers instead
    constexpr double larger = 1e180;
    squares = 0.0;
    for (int64_t i = 0; i < n; ++i) squares += (x[i] - mean) * larger * ((x[i] - mean) * larger);
    width = 3.0 * sqrt(squares / static_cast<double>(n)) / larger;
  }
  return quantiser_between(mean - width, mean + width, levels, normalise);
}

// Where a percentile of n values lies, as numpy.percentile has it: between two of them in order.
struct Percentile {
  int64_t below, above;
  double part;

  HD Percentile(double share, int64_t n) {
    const double at = share * static_cast<double>(n - 1);
    below = static_cast<int64_t>(at);
    above = below + 1 < n ? below + 1 : below;
    part = at - static_cast<double>(below);
  }
  HD double between(double lower, double upper) const { return lower + (upper - lower) * part; }
};

// Which parts of PairSums a feature needs.
enum Part { JOINT = 1, SUMS = 2, DIFFERENCES = 4, INVERSE = 8 };

HD int parts_of(int feature) {
  switch (feature) {
    case ANG_SC_MOM:
    case ENTROPY:
      return JOINT;
    case SUM_ENTRP:
      return SUMS;
    case DIF_ENTRP:
      return DIFFERENCES;
    case INV_DF_MOM:
      return INVERSE;
    default:
      return 0;
  }
}

// What the pairs of one region at one offset add up to.
struct PairSums {
  int64_t pairs, diagonal;                    // how many; how many with a == b
  int64_t sum, sum_squared;                   // of s
  int64_t difference, contrast;               // of d, of d^2
  int64_t joint_before;                       // sum of c (c - 1) / 2, on the diagonal of c (c - 1)
  double joint_log, sum_log, difference_log;  // sums of c log c
  double inverse;                             // of 1 / (1 + d^2)
};

// (c + 1) log(c + 1) - c log c
HD double entropy_step(double c) { return c > 0.0 ? log(c + 1.0) + c * log1p(1.0 / c) : 0.0; }

// The variance of n integers from their sum and the sum of their squares; `each` is 1 / n. Exact
// until it is a double, since all is taken about the whole number below the mean. Overflow cancels.
HD double variance_of(int64_t n, int64_t sum, int64_t squares, double each) {
  const int64_t near = sum / n, rest = sum - near * n;
  const int64_t about =
      static_cast<int64_t>(static_cast<uint64_t>(squares) -
                           static_cast<uint64_t>(near) * static_cast<uint64_t>(sum + rest));
  const double off = static_cast<double>(rest) * each;
  const double variance = static_cast<double>(about) * each - off * off;
  return variance > 0.0 ? variance : 0.0;
}

// All features. Levels count from 1. Entropies are in nats times `per_nat` (1 / log of the base);
// `log_pairs` is log(of.pairs). The correlation of a region with one level is 1.
HD void features_of(const PairSums& of, double log_pairs, double per_nat, double* feature) {
  const double each = 1.0 / static_cast<double>(of.pairs);
  // With a symmetric matrix: var s = 2 var x + 2 cov, mean d^2 = 2 var x - 2 cov.
  const double contrast = static_cast<double>(of.contrast) * each;
  const double variance = variance_of(of.pairs, of.sum, of.sum_squared, each);
  const double spread = variance_of(of.pairs, of.difference, of.contrast, each);
  const double both = variance + contrast;
  // What has no variance is all in one cell: exactly 0, whatever rounding did to the sum of logs.
  const auto nats = [&](double c_log_c, bool varies) {
    const double h = log_pairs - c_log_c * each;
    return varies && h > 0.0 ? h : 0.0;
  };
  // sum c^2 = 2 sum c (c - 1) / 2 + sum c
  const int64_t squares = 2 * of.joint_before + of.pairs + of.diagonal;
  const double mirrored = 0.693147180559945309417 * static_cast<double>(of.pairs - of.diagonal);
  feature[ANG_SC_MOM] = static_cast<double>(squares) * 0.5 * each * each;
  feature[CONTRAST] = contrast;
  feature[CORRELAT] = both > 0.0 ? (variance - contrast) / both : 1.0;
  feature[SUM_OF_SQS] = 0.25 * both;
  feature[INV_DF_MOM] = of.inverse * each;
  feature[SUM_AVERG] = static_cast<double>(of.sum) * each + 2.0;
  feature[SUM_VARNC] = variance;
  feature[SUM_ENTRP] = nats(of.sum_log, variance > 0.0) * per_nat;
  feature[ENTROPY] =
      (nats(of.joint_log, variance > 0.0 || spread > 0.0) + mirrored * each) * per_nat;
  feature[DIF_VARNC] = spread;
  feature[DIF_ENTRP] = nats(of.difference_log, spread > 0.0) * per_nat;
}

}  // namespace lesionkit::texture::rois

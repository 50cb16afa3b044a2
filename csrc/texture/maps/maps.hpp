// Co-occurrence features of a window about each pixel, from running sums; no matrix is built.
//
// All windows have the same number of pairs (a, b), counted in both orders. Moments follow from
// sums of a + b, (a + b)^2, |a - b|, (a - b)^2 and 1 / (1 + (a - b)^2) over the pairs. Angular
// second moment and entropies need, of the counts c of equal pairs, the sums of c^2 and c ln c:
// when a count goes from c to c + 1 these change by a number that depends on c alone.
// Formulas of one window; the loops are in maps.cpp and maps.cu.
#pragma once

#include "texture/glcm/glcm.hpp"

namespace lesionkit::texture {

// In the order of MAP_FEATURES in lesionkit.texture.names.
enum MapFeature : int {
  ANGULAR_SECOND_MOMENT,
  CONTRAST,
  CORRELATION,
  JOINT_VARIANCE,
  INVERSE_DIFFERENCE_MOMENT,
  SUM_AVERAGE,
  SUM_VARIANCE,
  SUM_ENTROPY,
  JOINT_ENTROPY,
  DIFFERENCE_VARIANCE,
  DIFFERENCE_ENTROPY,
  DISSIMILARITY,
  ENERGY,
  JOINT_AVERAGE,
  MAP_FEATURES
};

// Which counts a feature needs: of equal pairs, of equal sums, of equal differences, or none.
enum Counted : int { PAIRS, SUMS, DIFFERENCES, NOTHING };

HD constexpr Counted counted(int feature) {
  switch (feature) {
    case ANGULAR_SECOND_MOMENT:
    case JOINT_ENTROPY:
    case ENERGY:
      return PAIRS;
    case SUM_ENTROPY:
      return SUMS;
    case DIFFERENCE_ENTROPY:
      return DIFFERENCES;
    default:
      return NOTHING;
  }
}

// A pair as a number: equal for equal cells of the symmetric matrix, its sum or its difference.
HD uint32_t code_of(Counted what, uint32_t a, uint32_t b, uint32_t levels) {
  const uint32_t low = a < b ? a : b, high = a < b ? b : a;
  return what == PAIRS ? low * levels + high : what == SUMS ? a + b : high - low;
}

// The sums over the pairs of a window, each pair once.
struct WindowSums {
  double sum, sum_square, difference, difference_square, inverse;
  double squares;  // of the symmetric matrix's counts c: sum of c^2
  double logs;     // sum of c ln c: of those counts, or of those of sums or differences
};

// What all windows share.
struct WindowRule {
  double pairs;        // in a window, each once
  double first_level;  // number of the level 0
  double log_pairs;    // ln pairs
  double log_base;     // ln of the base of entropies
};

HD double feature_of(int feature, const WindowSums& w, const WindowRule& rule) {
  const double n = rule.pairs, square = w.sum * w.sum;
  switch (feature) {
    case ANGULAR_SECOND_MOMENT:
      return w.squares / (4.0 * n * n);
    case ENERGY:
      return sqrt(w.squares) / (2.0 * n);
    case CONTRAST:
      return w.difference_square / n;
    case DISSIMILARITY:
      return w.difference / n;
    case INVERSE_DIFFERENCE_MOMENT:
      return w.inverse / n;
    case CORRELATION: {  // covariance / variance, each times (2 n)^2: exact, for they are whole
      const double variance = (w.sum_square + w.difference_square) * n - square;
      const double covariance = (w.sum_square - w.difference_square) * n - square;
      return variance > 0.0 ? covariance / variance : 1.0;
    }
    case JOINT_VARIANCE:
      return ((w.sum_square + w.difference_square) * n - square) / (4.0 * n * n);
    case JOINT_AVERAGE:
      return w.sum / (2.0 * n) + rule.first_level;
    case SUM_AVERAGE:
      return w.sum / n + 2.0 * rule.first_level;
    case SUM_VARIANCE:
      return (w.sum_square * n - square) / (n * n);
    case DIFFERENCE_VARIANCE:
      return (w.difference_square * n - w.difference * w.difference) / (n * n);
    case JOINT_ENTROPY: {  // of 2 n entries
      const double entropy = rule.log_pairs + 0.6931471805599453 - w.logs / (2.0 * n);
      return (entropy > 0.0 ? entropy : 0.0) / rule.log_base;
    }
    default: {  // SUM_ENTROPY, DIFFERENCE_ENTROPY
      const double entropy = rule.log_pairs - w.logs / n;
      return (entropy > 0.0 ? entropy : 0.0) / rule.log_base;
    }
  }
}

}  // namespace lesionkit::texture

// First-order features of the values in one window, as numpy has percentiles and means.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "texture/windows/window.hpp"

namespace lesionkit::texture::windows {

// In the order of PyRadiomics' names.
enum ValueFeature : int {
  PERCENTILE_10,
  PERCENTILE_90,
  ENERGY,
  VALUE_ENTROPY,
  INTERQUARTILE_RANGE,
  KURTOSIS,
  MAXIMUM,
  MEAN_ABSOLUTE_DEVIATION,
  MEAN,
  MEDIAN,
  MINIMUM,
  RANGE,
  ROBUST_MEAN_ABSOLUTE_DEVIATION,
  ROOT_MEAN_SQUARE,
  SKEWNESS,
  TOTAL_ENERGY,
  UNIFORMITY,
  VARIANCE,
  VALUE_FEATURES
};

class Values {
 public:
  Values(int64_t places, const Logs& logs) : logs_(logs), counts_(places) { x_.reserve(places); }

  // volume: mm^3 of a voxel
  void measure(const double* middle, const std::vector<int64_t>& steps, const Levels& levels,
               double shift, double volume, double* feature) {
    x_.clear();
    std::fill_n(counts_.begin(), levels.kinds(), 0);
    for (size_t k = 0; k < steps.size(); ++k)
      if (levels.level[k] != 0) {
        x_.push_back(middle[steps[k]]);
        ++counts_[levels.rank[k]];
      }
    std::sort(x_.begin(), x_.end());
    const double n = static_cast<double>(x_.size()), low = x_.front(), high = x_.back();
    double sum = 0.0, energy = 0.0;
    for (const double x : x_) {
      sum += x;
      energy += (x + shift) * (x + shift);
    }
    const double mean = sum / n;
    double absolute = 0.0, square = 0.0, cube = 0.0, fourth = 0.0;
    for (const double x : x_) {
      const double d = x - mean;
      absolute += std::fabs(d);
      square += d * d;
      cube += d * d * d;
      fourth += d * d * d * d;
    }
    const double variance = low < high ? square / n : 0.0;
    const double ten = percentile(0.1), ninety = percentile(0.9);
    double logs = 0.0, squares = 0.0;
    for (int64_t k = 0; k < levels.kinds(); ++k) {
      logs += logs_.c_log_c[counts_[k]];
      squares += static_cast<double>(counts_[k]) * static_cast<double>(counts_[k]);
    }
    const double nats = std::log(n) - logs / n;
    feature[PERCENTILE_10] = ten;
    feature[PERCENTILE_90] = ninety;
    feature[ENERGY] = energy;
    feature[VALUE_ENTROPY] =
        levels.kinds() > 1 && nats > 0.0 ? nats / 0.693147180559945309417 : 0.0;
    feature[INTERQUARTILE_RANGE] = percentile(0.75) - percentile(0.25);
    feature[KURTOSIS] = variance > 0.0 ? fourth / n / (variance * variance) : 0.0;
    feature[MAXIMUM] = high;
    feature[MEAN_ABSOLUTE_DEVIATION] = absolute / n;
    feature[MEAN] = mean;
    feature[MEDIAN] = percentile(0.5);
    feature[MINIMUM] = low;
    feature[RANGE] = high - low;
    feature[ROBUST_MEAN_ABSOLUTE_DEVIATION] = robust(ten, ninety);
    feature[ROOT_MEAN_SQUARE] = std::sqrt(energy / n);
    feature[SKEWNESS] = variance > 0.0 ? cube / n / (variance * std::sqrt(variance)) : 0.0;
    feature[TOTAL_ENERGY] = energy * volume;
    feature[UNIFORMITY] = squares / (n * n);
    feature[VARIANCE] = variance;
  }

 private:
  double percentile(double share) const {
    const double at = share * static_cast<double>(x_.size() - 1);
    const auto below = static_cast<size_t>(at);
    const size_t above = std::min(below + 1, x_.size() - 1);
    const double part = at - static_cast<double>(below), a = x_[below], b = x_[above];
    return part < 0.5 ? a + (b - a) * part : b - (b - a) * (1.0 - part);
  }

  // The mean absolute deviation of those between two percentiles; NaN where there is none.
  double robust(double low, double high) const {
    double n = 0.0, sum = 0.0, absolute = 0.0;
    for (const double x : x_)
      if (low <= x && x <= high) {
        n += 1.0;
        sum += x;
      }
    if (n == 0.0) return std::numeric_limits<double>::quiet_NaN();
    for (const double x : x_)
      if (low <= x && x <= high) absolute += std::fabs(x - sum / n);
    return absolute / n;
  }

  const Logs& logs_;
  std::vector<int64_t> counts_;
  std::vector<double> x_;
};

}  // namespace lesionkit::texture::windows

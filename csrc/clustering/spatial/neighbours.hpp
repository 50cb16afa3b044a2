// What a pixel's neighbours say, as an image of their own: their mean (FCM_S1, EnFCM), their median
// (FCM_S2), or the mean in which those count that are near and alike (FGFCM).
//
// A neighbour is a pixel of the window that lies in the mask and, with Border::VALID, in the image;
// the pixel itself where it is asked for. A pixel without neighbours gets its own value.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "clustering/fcm/power.hpp"
#include "clustering/spatial/window.hpp"

namespace lesionkit::clustering::spatial {

// One channel: `image` and, unless all pixels count, `mask` (nonzero: counts).
template <class T>
struct MaskedImage {
  const T* image;
  const uint8_t* mask;

  T value(int64_t at) const { return mask && !mask[at] ? T(0) : image[at]; }
  double counts(int64_t at) const { return mask && !mask[at] ? 0.0 : 1.0; }
};

// to[i] = from[i] + ... + from[i + span - 1]
template <class T>
void running_sums(const T* from, int64_t span, int64_t n, T* to) {
  std::copy_n(from, n, to);
  for (int64_t k = 1; k < span; ++k)
    for (int64_t i = 0; i < n; ++i) to[i] += from[i + k];
}

template <class T>
class MeanOfWindow {
 public:
  MeanOfWindow(const Window& window, MaskedImage<T> image, bool self)
      : w_(window), x_(image), self_(self) {
    for (auto* line : {&lines_, &counts_}) line->resize(w_.width());
    for (auto* line : {&sum_, &count_}) line->resize(w_.grid.columns);
  }

  void line(int64_t plane, int64_t row, T* to) {
    const int64_t n = w_.grid.columns, own = (plane * w_.grid.rows + row) * n;
    double* sum = lines_.data() + w_.columns;
    double* count = counts_.data() + w_.columns;
    std::fill_n(sum, n, 0.0);
    std::fill_n(count, n, 0.0);
    w_.each_line(plane, row, [&](int64_t from, int64_t, int64_t) {
      const T* x = x_.image + from * n;
      if (!x_.mask) {
        for (int64_t i = 0; i < n; ++i) sum[i] += x[i], count[i] += 1.0;
      } else {
        const uint8_t* m = x_.mask + from * n;
        for (int64_t i = 0; i < n; ++i) {
          sum[i] += m[i] ? x[i] : T(0);
          count[i] += m[i] ? 1.0 : 0.0;
        }
      }
    });
    w_.pad(lines_.data(), 0.0);
    w_.pad(counts_.data(), 0.0);
    running_sums(lines_.data(), 2 * w_.columns + 1, n, sum_.data());
    running_sums(counts_.data(), 2 * w_.columns + 1, n, count_.data());
    for (int64_t i = 0; i < n; ++i) {
      double all = sum_[i], many = count_[i];
      if (!self_) all -= x_.value(own + i), many -= x_.counts(own + i);
      to[i] = many > 0.0 ? static_cast<T>(all / many) : x_.image[own + i];
    }
  }

 private:
  const Window& w_;
  MaskedImage<T> x_;
  bool self_;
  std::vector<double> lines_, counts_, sum_, count_;
};

// The comparisons that sort n numbers whatever they are (Batcher's merge exchange, Knuth's
// algorithm 5.2.2M): each is done for many pixels at once.
inline std::vector<std::pair<int, int>> sorting_network(int n) {
  std::vector<std::pair<int, int>> pairs;
  int top = 1;
  while (2 * top < n) top *= 2;
  for (int p = top; p > 0; p /= 2) {
    int q = top, r = 0, d = p;
    while (true) {
      for (int i = 0; i < n - d; ++i)
        if ((i & p) == r) pairs.emplace_back(i, i + d);
      if (q == p) break;
      d = q - p;
      q /= 2;
      r = p;
    }
  }
  return pairs;
}

template <class T>
class MedianOfWindow {
 public:
  MedianOfWindow(const Window& window, MaskedImage<T> image, bool self)
      : w_(window), x_(image), self_(self), members_(window.size() - !self) {
    network_ = sorting_network(static_cast<int>(members_));
    padded_.resize((2 * w_.planes + 1) * (2 * w_.rows + 1) * w_.width());
    values_.resize(members_ * SIDE);
  }

  void line(int64_t plane, int64_t row, T* to) {
    constexpr T none = std::numeric_limits<T>::infinity();  // sorts behind every pixel
    const int64_t n = w_.grid.columns, own = (plane * w_.grid.rows + row) * n;
    std::fill(padded_.begin(), padded_.end(), none);
    w_.each_line(plane, row, [&](int64_t from, int64_t p, int64_t r) {
      T* line = padded_.data() + ((p + w_.planes) * (2 * w_.rows + 1) + r + w_.rows) * w_.width();
      for (int64_t i = 0; i < n; ++i)
        line[w_.columns + i] = x_.mask && !x_.mask[from * n + i] ? none : x_.image[from * n + i];
      w_.pad(line, none);
    });
    for (int64_t first = 0; first < n; first += SIDE)
      block(first, std::min(SIDE, n - first), x_.image + own + first, to + first);
  }

 private:
  static constexpr int64_t SIDE = 64;

  void block(int64_t first, int64_t pixels, const T* image, T* to) {
    const int64_t middle = members_ / 2;  // where the pixel itself lies, if it is no member
    int64_t member = 0;
    const int64_t lines = (2 * w_.planes + 1) * (2 * w_.rows + 1), span = 2 * w_.columns + 1;
    for (int64_t line = 0; line < lines; ++line)
      for (int64_t k = 0; k < span; ++k) {
        if (!self_ && line * span + k == middle) continue;
        std::copy_n(padded_.data() + line * w_.width() + first + k, pixels,
                    values_.data() + member++ * SIDE);
      }
    for (const auto& [low, high] : network_) {
      T* a = values_.data() + low * SIDE;
      T* b = values_.data() + high * SIDE;
      for (int64_t i = 0; i < SIDE; ++i) {
        const T x = a[i], y = b[i];
        a[i] = x < y ? x : y;
        b[i] = x < y ? y : x;
      }
    }
    for (int64_t i = 0; i < pixels; ++i) {
      int64_t count = members_;
      while (count > 0 && std::isinf(values_[(count - 1) * SIDE + i])) --count;
      if (count == 0)
        to[i] = image[i];
      else
        to[i] =
            T(0.5) * values_[(count - 1) / 2 * SIDE + i] + T(0.5) * values_[count / 2 * SIDE + i];
    }
  }

  const Window& w_;
  MaskedImage<T> x_;
  bool self_;
  int64_t members_;
  std::vector<std::pair<int, int>> network_;
  std::vector<T> padded_, values_;
};

// FGFCM's image (Cai, Chen and Zhang 2007, eq. 8 to 12): the mean of the neighbours with weights
// exp(-|step| / reach) exp(-(x_r - x)^2 / (alike sigma^2)), |step| the largest of the distances
// along the axes, sigma^2 the mean over the neighbours of (x_r - x)^2.
template <class T>
class SimilarOfWindow {
 public:
  SimilarOfWindow(const Window& window, MaskedImage<T> image, double reach, double alike)
      : w_(window), x_(image), alike_(alike) {
    const int64_t most = std::max({w_.planes, w_.rows, w_.columns});
    for (int64_t step = 0; step <= most; ++step)
      near_.push_back(std::exp(-static_cast<double>(step) / reach));
    const int64_t lines = (2 * w_.planes + 1) * (2 * w_.rows + 1);
    padded_.resize(lines * w_.width());
    counts_.resize(lines * w_.width());
    for (auto* line : {&scale_, &sum_, &weight_, &count_}) line->resize(w_.grid.columns);
  }

  void line(int64_t plane, int64_t row, T* to) {
    const int64_t n = w_.grid.columns, own = (plane * w_.grid.rows + row) * n;
    std::fill(counts_.begin(), counts_.end(), 0.0);
    w_.each_line(plane, row, [&](int64_t from, int64_t p, int64_t r) {
      const int64_t start = place(p, r);
      for (int64_t i = 0; i < n; ++i) {
        padded_[start + w_.columns + i] = x_.value(from * n + i);
        counts_[start + w_.columns + i] = x_.counts(from * n + i);
      }
      w_.pad(padded_.data() + start, 0.0);
      w_.pad(counts_.data() + start, 0.0);
    });
    for (auto* line : {&scale_, &sum_, &weight_, &count_}) std::fill_n(line->data(), n, 0.0);
    const T* x = x_.image + own;
    each_step([&](const double* other, const double* counts, double) {
      for (int64_t i = 0; i < n; ++i) {
        const double apart = other[i] - x[i];
        scale_[i] += counts[i] * apart * apart;
        count_[i] += counts[i];
      }
    });
    // exp(-apart^2 / (alike sigma^2)) = 2^(-apart^2 scale)
    for (int64_t i = 0; i < n; ++i)
      scale_[i] = scale_[i] > 0.0 ? 1.4426950408889634 * count_[i] / (alike_ * scale_[i]) : 0.0;
    each_step([&](const double* other, const double* counts, double near) {
      for (int64_t i = 0; i < n; ++i) {
        const double apart = other[i] - x[i];
        const double weight = counts[i] * near * exp2_of(-apart * apart * scale_[i]);
        sum_[i] += weight * apart;
        weight_[i] += weight;
      }
    });
    for (int64_t i = 0; i < n; ++i)
      to[i] = weight_[i] > 0.0 ? static_cast<T>(x[i] + sum_[i] / weight_[i]) : x[i];
  }

 private:
  int64_t place(int64_t p, int64_t r) const {
    return ((p + w_.planes) * (2 * w_.rows + 1) + r + w_.rows) * w_.width();
  }

  template <class Visit>
  void each_step(Visit&& visit) {
    for (int64_t p = -w_.planes; p <= w_.planes; ++p)
      for (int64_t r = -w_.rows; r <= w_.rows; ++r)
        for (int64_t c = -w_.columns; c <= w_.columns; ++c) {
          const int64_t step = std::max({std::abs(p), std::abs(r), std::abs(c)});
          const int64_t start = place(p, r) + w_.columns + c;
          if (step > 0) visit(padded_.data() + start, counts_.data() + start, near_[step]);
        }
  }

  const Window& w_;
  MaskedImage<T> x_;
  double alike_;
  std::vector<double> near_, padded_, counts_, scale_, sum_, weight_, count_;
};

}  // namespace lesionkit::clustering::spatial

// The sums that the next centres are made of, and what all the methods that are FCM with another
// distance share. An image is planar: a plane of n pixels for each of its d channels.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "clustering/fcm.hpp"
#include "clustering/registers.hpp"

namespace lesionkit::clustering::spatial {

constexpr int64_t MOST_CLASSES = 256;

// Planar pixels. What counts how much: `weight`, or 1 for all.
template <class T>
struct Pixels {
  const T* x;
  int64_t n;  // of a plane
  int channels;
  const T* weight;
};

// c centres of d channels, as the pixels' numbers.
template <class T>
class Centres {
 public:
  Centres(const double* values, int64_t classes, int channels)
      : channels_(channels), v_(values, values + classes * channels) {}

  const T* operator[](int64_t j) const { return v_.data() + j * channels_; }

  // |x - v_j|^2 of a register of pixels that starts at `x` in each plane.
  template <class Count>
  Register<T> distance(const Pixels<T>& pixels, int64_t at, Count count, int64_t j) const {
    Register<T> sum{};
    for (int e = 0; e < pixels.channels; ++e) {
      const Register<T> apart = load(pixels.x + e * pixels.n + at, count) - (*this)[j][e];
      sum += apart * apart;
    }
    return sum;
  }

 private:
  int channels_;
  std::vector<T> v_;
};

// Sums over pixels: for each class of w, and of w (x - v) for each channel, and one of J. Registers
// of T for a block of pixels, then doubles. (x - v), not x: the sum carries only the shift.
template <class T>
class CentreSums {
 public:
  CentreSums(int64_t classes, int channels)
      : stride_(1 + channels), block_(classes * stride_ + 1), total_(classes * stride_ + 1) {}

  // Weight w in class j of a register of pixels at `at`.
  template <class Count>
  void add(const Pixels<T>& pixels, int64_t at, Count count, const Centres<T>& v, int64_t j,
           const Register<T>& w) {
    Register<T>* sums = block_.data() + j * stride_;
    sums[0] += w;
    for (int e = 0; e < pixels.channels; ++e)
      sums[1 + e] += w * (load(pixels.x + e * pixels.n + at, count) - v[j][e]);
  }
  void add_objective(const Register<T>& value) { block_.back() += value; }

  // After some hundred pixels.
  void flush() {
    for (size_t i = 0; i < block_.size(); ++i) {
      total_[i] += sum_of<T>(block_[i]);
      block_[i] = Register<T>{};
    }
  }

  // The sums so far, and starts again.
  void take(double* to) {
    flush();
    std::copy(total_.begin(), total_.end(), to);
    std::fill(total_.begin(), total_.end(), 0.0);
  }

  static int64_t size(int64_t classes, int channels) { return classes * (1 + channels) + 1; }

 private:
  int64_t stride_;
  std::vector<Register<T>> block_;
  std::vector<double> total_;
};

// Moves the centres by the sums of all chunks, which are added in their order. Returns how far the
// furthest coordinate went; a class without any weight stays where it is.
inline double move_centres(const std::vector<double>& chunks, int64_t classes, int channels,
                           double* centres) {
  const int64_t size = CentreSums<double>::size(classes, channels), stride = 1 + channels;
  std::vector<double> sums(size);
  for (size_t i = 0; i < chunks.size(); ++i) sums[i % size] += chunks[i];
  double furthest = 0.0;
  for (int64_t j = 0; j < classes; ++j)
    for (int e = 0; e < channels && sums[j * stride] > 0.0; ++e) {
      const double step = sums[j * stride + 1 + e] / sums[j * stride];
      centres[j * channels + e] += step;
      furthest = std::max(furthest, std::abs(step));
    }
  return furthest;
}

// The class of the least (or greatest) of a register of pixels, the lowest of several.
template <class R, class Classes, class Count>
inline void extreme(const R* values, Classes classes, bool least, Count count,
                    int32_t* labels) {
  R best = values[0];
  decltype(best < best) which{};
  for (int j = 1; j < classes; ++j) {
    const auto better = least ? values[j] < best : values[j] > best;
    best = better ? values[j] : best;
    which = better ? which * 0 + j : which;
  }
  for (int64_t l = 0; l < count; ++l) labels[l] = static_cast<int32_t>(which[l]);
}

// Calls body(Constant<c>) for the usual numbers of classes, so that loops over them are unrolled,
// or body(c).
template <class Body>
void with_classes(int64_t classes, Body&& body) {
  switch (classes) {
    case 2:
      return body(Constant<2>{});
    case 3:
      return body(Constant<3>{});
    case 4:
      return body(Constant<4>{});
    case 5:
      return body(Constant<5>{});
    default:
      return body(static_cast<int>(classes));
  }
}

// How many registers an array for `classes` needs.
template <class Classes>
inline constexpr int64_t room = MOST_CLASSES;
template <int c>
inline constexpr int64_t room<Constant<c>> = c;

}  // namespace lesionkit::clustering::spatial

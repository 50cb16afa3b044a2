// The sums that the next centres are made of, and what all the methods that are FCM with another
// distance share. An image is planar: a plane of n pixels for each of its d channels.
#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "clustering/fcm/pass.hpp"

namespace lesionkit::clustering::spatial {

constexpr int64_t MAX_CLASSES = 256;

// Planar pixels. What counts how much: `weight`, or 1 for all. Channels: int, or Constant<1>.
template <class T, class Channels = int>
struct Pixels {
  const T* x;
  int64_t n;  // of a plane
  Channels channels;
  const T* weight;

  template <class Count>
  Simd<T> share(int64_t at, Count count) const {
    return weight ? load_some<Simd<T>>(weight + at, count) : ones<Simd<T>>(count);
  }
};

// c centres of d channels, as the pixels' numbers.
template <class T>
class ClassCentres {
 public:
  ClassCentres(const double* values, int64_t classes, int channels)
      : channels_(channels), v_(values, values + classes * channels) {}

  const T* operator[](int64_t j) const { return v_.data() + j * channels_; }

  // |x - v_j|^2 of a register of pixels that starts at `x` in each plane.
  template <class Channels, class Count>
  Simd<T> distance(const Pixels<T, Channels>& pixels, int64_t at, Count count, int64_t j) const {
    const T* v = v_.data() + j * pixels.channels;
    Simd<T> sum{};
    for (int e = 0; e < pixels.channels; ++e) {
      const Simd<T> apart = load_some<Simd<T>>(pixels.x + e * pixels.n + at, count) - v[e];
      sum += apart * apart;
    }
    return sum;
  }

 private:
  int channels_;
  std::vector<T> v_;
};

// Sums over pixels, for each class: of w, and of w (x - v) for each channel. Registers of T for a
// block of pixels, then doubles. (x - v), not x: the sum carries only the shift.
template <class T>
class CentreSums {
 public:
  CentreSums(int64_t classes, int channels)
      : block_(size(classes, channels)), total_(size(classes, channels)) {}

  // Weight w in class j of a register of pixels at `at`.
  template <class Channels, class Count>
  void add(const Pixels<T, Channels>& pixels, int64_t at, Count count, const ClassCentres<T>& v,
           int64_t j, const Simd<T>& w) {
    Simd<T>* sums = block_.data() + j * (1 + pixels.channels);
    sums[0] += w;
    for (int e = 0; e < pixels.channels; ++e)
      sums[1 + e] += w * (load_some<Simd<T>>(pixels.x + e * pixels.n + at, count) - v[j][e]);
  }

  // Forgets the block.
  void drop() { std::fill(block_.begin(), block_.end(), Simd<T>{}); }

  // Ends a block of some hundred pixels.
  void flush() {
    for (size_t i = 0; i < block_.size(); ++i) total_[i] += sum(to_double(block_[i]));
    drop();
  }

  // The sums of all blocks, and starts again.
  void take(double* to) {
    std::copy(total_.begin(), total_.end(), to);
    std::fill(total_.begin(), total_.end(), 0.0);
  }

  static int64_t size(int64_t classes, int channels) { return classes * (1 + channels); }

 private:
  std::vector<Simd<T>> block_;
  std::vector<double> total_;
};

// Moves the centres by the sums over all pixels. Returns how far the furthest coordinate went; a
// class without any weight stays where it is.
template <class T>
double move_centres(const std::vector<double>& sums, int64_t classes, int channels,
                    double* centres) {
  const int64_t stride = 1 + channels;
  double furthest = 0.0;
  for (int64_t j = 0; j < classes; ++j)
    for (int e = 0; e < channels && sums[j * stride] > 0.0; ++e) {
      double& centre = centres[j * channels + e];
      const double from = static_cast<T>(centre);  // what x - v was worked out with
      const double to = from + sums[j * stride + 1 + e] / sums[j * stride];
      furthest = std::max(furthest, std::abs(to - centre));
      centre = to;
    }
  return furthest;
}

// The class of the least (or greatest) of a register of pixels, the lowest of several.
template <class R, class Classes, class Count>
inline void extreme(const R* values, Classes classes, bool least, Count count, int32_t* labels) {
  R best = values[0];
  decltype(best < best) which{};
  for (int j = 1; j < classes; ++j) {
    const auto better = least ? values[j] < best : values[j] > best;
    best = better ? values[j] : best;
    which = better ? which * 0 + j : which;
  }
  for (int64_t l = 0; l < count; ++l) labels[l] = static_cast<int32_t>(which[l]);
}

// Calls body(classes, pixels): of one channel and the usual numbers of classes both are of types
// that say so, and loops over them are unrolled.
template <class T, class Body>
void specialised(int64_t classes, const Pixels<T>& pixels, Body&& body) {
  if (pixels.channels == 1) {
    const Pixels<T, Constant<1>> grey = {pixels.x, pixels.n, {}, pixels.weight};
    switch (classes) {
      case 2:
        return body(Constant<2>{}, grey);
      case 3:
        return body(Constant<3>{}, grey);
      case 4:
        return body(Constant<4>{}, grey);
      case 5:
        return body(Constant<5>{}, grey);
    }
  }
  body(static_cast<int>(classes), pixels);
}

// u^m of a membership.
template <class R>
inline R to_the_m(const R& u, const Fuzziness& f) {
  return f.two ? u * u : power_of(u, f.m);
}

// Whether products of distances, the fast way to memberships, can be trusted.
template <class T>
struct Watch {
  Simd<T> least = broadcast<Simd<T>>(1), nothing{};

  void see(const Simd<T>& sum) {
    least = min(sum, least);
    nothing += sum - sum;  // 0, or NaN after an overflow
  }
  bool fine() const { return all(least > trusted<T>) && sum(to_double(nothing)) == 0.0; }
};

// u from D, not the same array: with m = 2 and few classes by products (fcm/pass.hpp), and `watch`
// tells whether that was right; else, or if `careful`, by ratios.
template <bool careful, class R, int64_t n, class T, class Classes>
inline void memberships_by(const R (&distances)[n], const Fuzziness& f, Classes classes,
                           Watch<T>& watch, R (&u)[n]) {
  if constexpr (!careful && n < MAX_CLASSES) {
    const R sum = products(distances, u);
    watch.see(sum);
    const R scale = T(1) / sum;
    for (int j = 0; j < n; ++j) u[j] *= scale;
  } else {
    memberships(distances, classes, f, u);
  }
}

// Does body(careful, watch) for a block of pixels the fast way if there is one and it is right.
template <class T, class Classes, class Body>
inline void fast_or_careful(const Fuzziness& f, Classes, Body&& body) {
  Watch<T> watch;
  if constexpr (!std::is_same_v<Classes, int>)
    if (f.two) {
      body(std::false_type{}, watch);
      if (watch.fine()) return;
    }
  body(std::true_type{}, watch);
}

// How many registers an array for `classes` needs.
template <class Classes>
inline constexpr int64_t room = MAX_CLASSES;
template <int c>
inline constexpr int64_t room<Constant<c>> = c;

}  // namespace lesionkit::clustering::spatial

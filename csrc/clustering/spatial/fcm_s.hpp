// FCM_S1 and FCM_S2 (Chen and Zhang, IEEE Trans. SMC-B 34, 1907-1916, 2004, eq. 11 to 13), EnFCM
// and FGFCM: fuzzy c-means of one image z, with a constant added to each pixel's distances.
//
// With y the neighbours' mean or median, |x - v|^2 + alpha |y - v|^2 = (1 + alpha) (|z - v|^2 + e),
// z = (x + alpha y) / (1 + alpha), e = alpha |x - y|^2 / (1 + alpha)^2; and the next centre is the
// weighted mean of z. So a pass reads two numbers a pixel. EnFCM and FGFCM have e = 0, grey levels
// for pixels and their counts for weights.
#pragma once

#include "clustering/spatial/centre_sums.hpp"

namespace lesionkit::clustering::spatial {

// z, in place of y, and e of one channel: e is added to, so that channels sum up.
template <class T>
void mixed_line(const T* x, int64_t n, double alpha, T* y, T* extra) {
  const T own = static_cast<T>(1.0 / (1.0 + alpha)), share = static_cast<T>(alpha / (1.0 + alpha));
  const T weight = own * share;
  for (int64_t i = 0; i < n; ++i) {
    const T apart = y[i] - x[i];
    y[i] = x[i] + share * apart;
    extra[i] += weight * apart * apart;
  }
}

// Squared distances of a register of pixels to each centre.
template <class T, class Channels, class Classes, class Count>
inline void distances(const Pixels<T, Channels>& pixels, const T* extra, const ClassCentres<T>& v,
                      Classes classes, int64_t at, Count count, Simd<T>* to) {
  const Simd<T> more = extra ? load_some<Simd<T>>(extra + at, count) : Simd<T>{};
  for (int j = 0; j < classes; ++j) to[j] = v.distance(pixels, at, count, j) + more;
}

// Adds pixels begin to end to the sums.
template <class T, class Channels, class Classes>
void fcm_sums(const Pixels<T, Channels>& pixels, const T* extra, const ClassCentres<T>& v,
              const Fuzziness& f, Classes classes, int64_t begin, int64_t end,
              CentreSums<T>& sums) {
  constexpr int64_t BLOCK = 1024;
  for (int64_t first = begin; first < end; first += BLOCK) {
    fast_or_careful<T>(f, classes, [&](auto careful, Watch<T>& watch) {
      sums.drop();
      for_each_register<T>(std::min(BLOCK, end - first), [&](int64_t i, auto count) {
        const int64_t at = first + i;
        Simd<T> d[room<Classes>], u[room<Classes>];
        distances(pixels, extra, v, classes, at, count, d);
        const Simd<T> share = pixels.share(at, count);
        if (!careful || f.two) {
          memberships_by<careful>(d, f, classes, watch, u);
          for (int j = 0; j < classes; ++j) u[j] *= u[j];
        } else {
          weights_of_centres(d, classes, f, u);
        }
        for (int j = 0; j < classes; ++j) sums.add(pixels, at, count, v, j, share * u[j]);
      });
    });
    sums.flush();
  }
}

// The memberships of pixels begin to end, in a plane of class j; and, where `labels` is given, the
// class of the greatest.
template <class T, class Channels, class Classes>
void fcm_answer(const Pixels<T, Channels>& pixels, const T* extra, const ClassCentres<T>& v,
                const Fuzziness& f, Classes classes, int64_t begin, int64_t end, int64_t chosen,
                T* plane, int32_t* labels) {
  for_each_register<T>(end - begin, [&](int64_t i, auto count) {
    Simd<T> u[room<Classes>];
    distances(pixels, extra, v, classes, begin + i, count, u);
    if (labels) extreme(u, classes, true, count, labels + begin + i);
    if (!plane) return;
    memberships(u, classes, f, u);
    store_some(plane + begin + i, u[chosen], count);
  });
}

}  // namespace lesionkit::clustering::spatial

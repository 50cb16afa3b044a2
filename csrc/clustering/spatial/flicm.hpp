// FLICM (Krinidis and Chatzis, IEEE Trans. Image Process. 19, 1328-1337, 2010, eq. 17 to 20): plain
// FCM whose distances grow by G_j = sum over the neighbours r of (1 - u_rj)^m |x_r - v_j|^2 /
// (1 + their distance in pixels). The u_rj are those of the pass before, all of them, so that the
// answer does not depend on the order in which pixels are visited.
#pragma once

#include "clustering/spatial/centre_sums.hpp"
#include "clustering/spatial/marching.hpp"

namespace lesionkit::clustering::spatial {

template <class T, class Channels>
class LocalInformation {
 public:
  LocalInformation(const Window& window, const Pixels<T, Channels>& pixels, int64_t classes)
      : w_(window), x_(pixels), marching_(window, classes) {
    for (int64_t p = -w_.planes; p <= w_.planes; ++p)
      for (int64_t r = -w_.rows; r <= w_.rows; ++r)
        for (int64_t c = -w_.columns; c <= w_.columns; ++c)
          if (const auto square = static_cast<double>(p * p + r * r + c * c); square > 0.0)
            steps_.push_back({p, r, c, static_cast<T>(1.0 / (1.0 + std::sqrt(square)))});
  }

  // The memberships of the task's pixels from `old` into `made`, both planar (classes, n), and
  // their sums. Without `old`: plain FCM's.
  template <class Classes>
  void run(int64_t task, const ClassCentres<T>& v, const Fuzziness& f, Classes classes,
           const T* old, T* made, CentreSums<T>& sums) {
    const int64_t n = w_.grid.columns, stride = marching_.stride;
    const auto make = [&](int64_t line, T* to) {
      if (!old) return;
      for_each_register<T>(n, [&](int64_t i, auto count) {
        const int64_t at = line * n + i;
        const Simd<T> share = x_.share(at, count);
        for (int j = 0; j < classes; ++j) {
          const Simd<T> rest = T(1) - load_some<Simd<T>>(old + j * x_.n + at, count);
          store_some(to + j * stride + i, share * to_the_m(rest, f) * v.distance(x_, at, count, j),
                     count);
        }
      });
    };
    marching_.run(task, make, [&](int64_t plane, int64_t row) {
      lines_.clear();
      for (const Step& step : steps_)
        lines_.push_back(marching_.lines(plane + step.plane, row + step.row) + marching_.left +
                         step.column);
      const int64_t line = (plane * w_.grid.rows + row) * n;
      fast_or_careful<T>(f, classes, [&](auto careful, Watch<T>& watch) {
        sums.drop();
        for_each_register<T>(n, [&](int64_t i, auto count) {
          const int64_t at = line + i;
          Simd<T> d[room<Classes>], u[room<Classes>];
          for (int j = 0; j < classes; ++j) {
            d[j] = v.distance(x_, at, count, j);
            for (size_t k = 0; k < steps_.size() && old; ++k)
              d[j] += steps_[k].weight * load_some<Simd<T>>(lines_[k] + j * stride + i, count);
          }
          memberships_by<careful>(d, f, classes, watch, u);
          const Simd<T> share = x_.share(at, count);
          for (int j = 0; j < classes; ++j) {
            u[j] *= share;
            store_some(made + j * x_.n + at, u[j], count);
            sums.add(x_, at, count, v, j, to_the_m(u[j], f));
          }
        });
      });
      sums.flush();
    });
  }

 private:
  struct Step {
    int64_t plane, row, column;
    T weight;
  };

  const Window& w_;
  const Pixels<T, Channels>& x_;
  Marching<T> marching_;
  std::vector<Step> steps_;
  std::vector<const T*> lines_;
};

}  // namespace lesionkit::clustering::spatial

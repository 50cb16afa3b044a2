// FLICM (Krinidis and Chatzis, IEEE Trans. Image Process. 19, 1328-1337, 2010, eq. 17 to 20): plain
// FCM whose distances grow by G_j = sum over the neighbours r of (1 - u_rj)^m |x_r - v_j|^2 /
// (1 + their distance in pixels). The u_rj are those of the pass before, all of them, so that the
// answer does not depend on the order in which pixels are visited.
#pragma once

#include "clustering/centre_sums.hpp"
#include "clustering/marching.hpp"
#include "clustering/sfcm.hpp"

namespace lesionkit::clustering::spatial {

template <class T>
class LocalInformation {
 public:
  LocalInformation(const Window& window, const Pixels<T>& pixels, int64_t classes)
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
  void run(int64_t task, const Centres<T>& v, const Fuzziness& f, Classes classes, const T* old,
           T* made, CentreSums<T>& sums) {
    const int64_t n = w_.grid.columns, width = w_.width();
    const auto make = [&](int64_t line, T* to) {
      if (!old) return;
      each_register<T>(n, [&](int64_t i, auto count) {
        const int64_t at = line * n + i;
        const Register<T> share = share_of(at, count);
        for (int j = 0; j < classes; ++j) {
          const Register<T> rest = T(1) - load(old + j * x_.n + at, count);
          store(share * raised(rest, f.m) * v.distance(x_, at, count, j), to + j * width + i, count);
        }
      });
    };
    marching_.run(task, make, [&](int64_t plane, int64_t row) {
      lines_.clear();
      for (const Step& step : steps_)
        lines_.push_back(marching_.lines(plane + step.plane, row + step.row) + w_.columns +
                         step.column);
      const int64_t line = (plane * w_.grid.rows + row) * n;
      each_register<T>(n, [&](int64_t i, auto count) {
        const int64_t at = line + i;
        Register<T> u[room<Classes>];
        for (int j = 0; j < classes; ++j) {
          u[j] = v.distance(x_, at, count, j);
          for (size_t k = 0; k < steps_.size() && old; ++k)
            u[j] += steps_[k].weight * load(lines_[k] + j * width + i, count);
        }
        memberships(u, classes, f, u);
        const Register<T> share = share_of(at, count);
        for (int j = 0; j < classes; ++j) {
          u[j] *= share;
          store(u[j], made + j * x_.n + at, count);
          sums.add(x_, at, count, v, j, raised(u[j], f.m));
        }
      });
      sums.flush();
    });
  }

 private:
  struct Step {
    int64_t plane, row, column;
    T weight;
  };

  template <class Count>
  Register<T> share_of(int64_t at, Count count) const {
    return x_.weight ? load(x_.weight + at, count) : first_lanes<T>(count);
  }

  const Window& w_;
  const Pixels<T>& x_;
  Marching<T> marching_;
  std::vector<Step> steps_;
  std::vector<const T*> lines_;
};

}  // namespace lesionkit::clustering::spatial

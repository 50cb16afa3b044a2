// sFCM (Chuang et al., Comput. Med. Imaging Graph. 30, 9-15, 2006, eq. 4 and 5): the memberships u
// of plain FCM are weighed by h, their sums over the window, the pixel itself included:
// u'_j = u_j^p h_j^q / sum_l u_l^p h_l^q. The next centres come from u', the next u from these.
#pragma once

#include "clustering/centre_sums.hpp"
#include "clustering/marching.hpp"

namespace lesionkit::clustering::spatial {

// x^power of x in [0, 1].
template <class T>
inline T raised(const T& x, double power) {
  if (power == 1.0) return x;
  if (power == 2.0) return x * x;
  return power == 0.0 ? all_of<T>(1) : power_of(x, power);
}

struct Weighing {
  double p, q;
};

template <class T>
class SpatialMemberships {
 public:
  SpatialMemberships(const Window& window, const Pixels<T>& pixels, int64_t classes)
      : w_(window), x_(pixels), marching_(window, classes), sums_(classes * window.width()) {}

  // use(at, count, share, u) for each register of u' of the task's pixels, `at` in a plane of the
  // image; share: what each pixel counts.
  template <class Classes, class Use>
  void run(int64_t task, const Centres<T>& v, const Fuzziness& f, const Weighing& by,
           Classes classes, Use&& use) {
    const int64_t n = w_.grid.columns, width = w_.width();
    const auto make = [&](int64_t line, T* to) {
      each_register<T>(n, [&](int64_t i, auto count) {
        Register<T> u[room<Classes>];
        const int64_t at = line * n + i;
        for (int j = 0; j < classes; ++j) u[j] = v.distance(x_, at, count, j);
        memberships(u, classes, f, u);
        const Register<T> share = share_of(at, count);
        for (int j = 0; j < classes; ++j) store(u[j] * share, to + j * width + i, count);
      });
    };
    marching_.run(task, make, [&](int64_t plane, int64_t row) {
      add_lines(plane, row, classes);
      const int64_t line = (plane * w_.grid.rows + row) * n;
      const T* own = marching_.lines(plane, row) + w_.columns;
      each_register<T>(n, [&](int64_t i, auto count) {
        Register<T> u[room<Classes>];
        weigh(own + i, i, count, by, classes, u);
        use(line + i, count, share_of(line + i, count), u);
      });
    });
  }

 private:
  template <class Count>
  Register<T> share_of(int64_t at, Count count) const {
    return x_.weight ? load(x_.weight + at, count) : first_lanes<T>(count);
  }

  // sums_: the lines of a window's rows and planes, added up.
  void add_lines(int64_t plane, int64_t row, int64_t classes) {
    lines_.clear();
    for (int64_t p = -w_.planes; p <= w_.planes; ++p)
      for (int64_t r = -w_.rows; r <= w_.rows; ++r)
        lines_.push_back(marching_.lines(plane + p, row + r));
    each_register<T>(classes * w_.width(), [&](int64_t i, auto count) {
      Register<T> sum{};
      for (const T* line : lines_) sum += load(line + i, count);
      store(sum, sums_.data() + i, count);
    });
  }

  template <class Classes, class Count>
  void weigh(const T* own, int64_t i, Count count, const Weighing& by, Classes classes,
             Register<T>* u) const {
    const int64_t width = w_.width(), span = 2 * w_.columns + 1;
    const T part = T(1) / static_cast<T>(w_.size());  // h in [0, 1]
    Register<T> total{};
    for (int j = 0; j < classes; ++j) {
      Register<T> h{};
      for (int64_t k = 0; k < span; ++k) h += load(sums_.data() + j * width + i + k, count);
      u[j] = raised(load(own + j * width, count), by.p) * raised(h * part, by.q);
      total += u[j];
    }
    const Register<T> scale = T(1) / total;
    for (int j = 0; j < classes; ++j)
      u[j] = total > T(0) ? u[j] * scale : load(own + j * width, count);
  }

  const Window& w_;
  const Pixels<T>& x_;
  Marching<T> marching_;
  std::vector<T> sums_;
  std::vector<const T*> lines_;
};

}  // namespace lesionkit::clustering::spatial

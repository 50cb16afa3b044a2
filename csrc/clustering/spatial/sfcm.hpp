// sFCM (Chuang et al., Comput. Med. Imaging Graph. 30, 9-15, 2006, eq. 4 and 5): the memberships u
// of plain FCM are weighed by h, their sums over the window, the pixel itself included:
// u'_j = u_j^p h_j^q / sum_l u_l^p h_l^q. The next centres come from u', the next u from these.
#pragma once

#include "clustering/spatial/centre_sums.hpp"
#include "clustering/spatial/marching.hpp"

namespace lesionkit::clustering::spatial {

// The powers p and q; of the usual ones, which are 1, the types say so.
template <class P, class Q>
struct Weighing {
  P p;
  Q q;
};

template <class Body>
void with_powers(double p, double q, Body&& body) {
  if (p == 1.0 && q == 1.0) return body(Weighing<Constant<1>, Constant<1>>{});
  body(Weighing<double, double>{p, q});
}

using clustering::raised;
template <class R>
inline R raised(const R& x, Constant<1>) {
  return x;
}

template <class T, class Channels>
class SpatialMemberships {
 public:
  SpatialMemberships(const Window& window, const Pixels<T, Channels>& pixels, int64_t classes)
      : w_(window),
        x_(pixels),
        marching_(window, classes),
        sums_(classes * marching_.stride / lane_count<T>) {}

  // use(at, count, share, u) for each register of u' of the task's pixels, `at` in a plane of the
  // image; share: what each pixel counts. end_line() after those of a line.
  template <class Powers, class Classes, class Use, class EndLine>
  void run(int64_t task, const ClassCentres<T>& v, const Fuzziness& f, const Powers& by,
           Classes classes, Use&& use, EndLine&& end_line) {
    const int64_t n = w_.grid.columns;
    const auto make = [&](int64_t line, T* to) { make_line(line, v, f, classes, to); };
    marching_.run(task, make, [&](int64_t plane, int64_t row) {
      with_span(lines_of(plane, row), [&](auto lines) { add_lines(lines, classes); });
      const int64_t line = (plane * w_.grid.rows + row) * n;
      const T* own = marching_.lines(plane, row) + marching_.left;
      const int64_t span = 2 * w_.columns + 1;
      const auto weigh_all = [&](auto span) {
        for_each_register<T>(n, [&](int64_t i, auto count) {
          Simd<T> u[room<Classes>];
          weigh(own + i, i, count, span, by, classes, u);
          use(line + i, count, x_.share(line + i, count), u);
        });
      };
      if constexpr (plain<Powers>)
        with_span(span, weigh_all);
      else  // powers take longer than such a loop
        weigh_all(span);
      end_line();
    });
  }

 private:
  template <class Powers>
  static constexpr bool plain = std::is_same_v<Powers, Weighing<Constant<1>, Constant<1>>>;

  // Of an image line: plain FCM's memberships times what the pixels count, to the classes' lines.
  template <class Classes>
  void make_line(int64_t line, const ClassCentres<T>& v, const Fuzziness& f, Classes classes,
                 T* to) const {
    const int64_t n = w_.grid.columns, stride = marching_.stride;
    fast_or_careful<T>(f, classes, [&](auto careful, Watch<T>& watch) {
      for_each_register<T>(n, [&](int64_t i, auto count) {
        Simd<T> d[room<Classes>], u[room<Classes>];
        const int64_t at = line * n + i;
        for (int j = 0; j < classes; ++j) d[j] = v.distance(x_, at, count, j);
        memberships_by<careful>(d, f, classes, watch, u);
        const Simd<T> share = x_.share(at, count);
        for (int j = 0; j < classes; ++j)
          store_some<Simd<T>>(to + j * stride + i, u[j] * share, count);
      });
    });
  }

  // The usual windows have loops of a constant length.
  template <class Body>
  static void with_span(int64_t span, Body&& body) {
    if (span == 3) return body(Constant<3>{});
    if (span == 5) return body(Constant<5>{});
    body(span);
  }

  // Gathers the lines of a window's rows and planes: how many.
  int64_t lines_of(int64_t plane, int64_t row) {
    lines_.clear();
    for (int64_t p = -w_.planes; p <= w_.planes; ++p)
      for (int64_t r = -w_.rows; r <= w_.rows; ++r)
        lines_.push_back(marching_.lines(plane + p, row + r));
    return static_cast<int64_t>(lines_.size());
  }

  // sums_: these lines, added up.
  template <class Lines>
  void add_lines(Lines lines, int64_t classes) {
    for (int64_t i = 0; i < classes * marching_.stride; i += lane_count<T>) {
      Simd<T> sum = load<Simd<T>>(lines_[0] + i);
      for (int64_t k = 1; k < lines; ++k) sum += load<Simd<T>>(lines_[k] + i);
      sums_[i / lane_count<T>] = sum;
    }
  }

  template <class Powers, class Classes, class Count, class Span>
  void weigh(const T* own, int64_t i, Count count, Span span, const Powers& by, Classes classes,
             Simd<T>* u) const {
    const int64_t stride = marching_.stride;
    const T* sums = reinterpret_cast<const T*>(sums_.data()) + marching_.left - w_.columns + i;
    const T part =
        plain<Powers> ? T(1) : T(1) / static_cast<T>(w_.size());  // powers: of h in [0, 1]
    Simd<T> total{};
    for (int j = 0; j < classes; ++j) {
      Simd<T> h = load_some<Simd<T>>(sums + j * stride, count);
      for (int64_t k = 1; k < span; ++k) h += load_some<Simd<T>>(sums + j * stride + k, count);
      u[j] = raised(load_some<Simd<T>>(own + j * stride, count), by.p) * raised(h * part, by.q);
      total += u[j];
    }
    // 0 outside the mask; and inside, where large powers leave nothing: there u' is u.
    const Simd<T> scale = T(1) / (total > T(0) ? total : broadcast<Simd<T>>(1));
    for (int j = 0; j < classes; ++j) {
      u[j] *= scale;
      if constexpr (!plain<Powers>)
        u[j] = total > T(0) ? u[j] : load_some<Simd<T>>(own + j * stride, count);
    }
  }

  const Window& w_;
  const Pixels<T, Channels>& x_;
  Marching<T> marching_;
  std::vector<Simd<T>> sums_;
  std::vector<const T*> lines_;
};

}  // namespace lesionkit::clustering::spatial

// One iteration of Chan and Vese as one pass over the image: a part of it is stepped, and while it
// is in the cache the sums are taken that the next iteration and the stopping test need. Parts are
// those of NumPy's sums, whatever the number of threads.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/grid.hpp"
#include "common/reduce.hpp"
#include "fronts/contours/chan_vese.hpp"
#include "fronts/contours/numpy_sum.hpp"

namespace lesionkit::fronts::contours {

template <class T>
struct ChanVeseProblem {
  const T* image;  // [channels][planes][rows][columns]; 0 outside the mask
  int64_t channels;
  const uint8_t* mask;  // nullptr: everywhere
  int64_t counted;      // pixels of the mask
  Grid grid;
  std::vector<T> lambdas;  // [channels][2]
  ChanVeseRule<T> rule;
};

// The pixels of a range of a line, and its neighbours in other lines (themselves at the border).
template <class T, int axes>
struct Line {
  const T* here;
  const T *behind[axes], *before[axes];  // of axis 1 on
  const uint8_t* mask;
  const uint8_t *mask_behind[axes], *mask_before[axes];
  int64_t columns;

  // In the line, `right` and `left` are 1, or 0 where it ends.
  template <bool masked>
  Around<T, axes> around(int64_t x, int64_t left, int64_t right) const {
    Around<T, axes> a;
    a.here = here[x];
    a.behind[0] = here[x + right];
    a.before[0] = here[x - left];
    for (int d = 1; d < axes; ++d) {
      a.behind[d] = behind[d][x];
      a.before[d] = before[d][x];
    }
    if constexpr (masked) {
      a.behind[0] = mask[x + right] ? a.behind[0] : a.here;
      a.before[0] = mask[x - left] ? a.before[0] : a.here;
      for (int d = 1; d < axes; ++d) {
        a.behind[d] = mask_behind[d][x] ? a.behind[d] : a.here;
        a.before[d] = mask_before[d][x] ? a.before[d] : a.here;
      }
    }
    return a;
  }

  // step(x, left, right) for each x of [first, last), most of them in a loop without branches.
  template <class Step>
  void for_each(int64_t first, int64_t last, const Step& step) const {
    int64_t x = first;
    if (x == 0 && x < last) step(x++, 0, columns > 1);
    const int64_t inner = std::min(last, columns - 1);
#pragma GCC ivdep
    for (int64_t i = x; i < inner; ++i) step(i, 1, 1);
    x = std::max(x, inner);
    if (x < last) step(x, 1, 0);
  }
};

template <class T, int axes>
Line<T, axes> line_of(const ChanVeseProblem<T>& p, const T* phi, int64_t number) {
  const auto [planes, rows, columns] = p.grid;
  const int64_t places[3] = {0, number % rows, number / rows}, counts[3] = {0, rows, planes};
  const int64_t steps[3] = {0, columns, rows * columns};
  Line<T, axes> line = {};
  line.here = phi + number * columns;
  line.mask = p.mask ? p.mask + number * columns : nullptr;
  line.columns = columns;
  for (int d = 1; d < axes; ++d) {
    const int64_t behind = places[d] + 1 < counts[d] ? steps[d] : 0;
    const int64_t before = places[d] > 0 ? steps[d] : 0;
    line.behind[d] = line.here + behind;
    line.before[d] = line.here - before;
    if (!p.mask) continue;
    line.mask_behind[d] = line.mask + behind;
    line.mask_before[d] = line.mask - before;
  }
  return line;
}

// The sums of a part: `inside` and `outside` of each channel, squares of the changes, pixels
// inside.
template <class T>
struct RegionSums {
  std::vector<T> sums;  // [channels][2], then the squares
  int64_t inside = 0;
};

template <class T>
struct InsideTerm {
  const T *image, *phi;
  bool wanted;  // whether pixels inside are summed, or those outside

  template <class V>
  V at(int64_t i) const {
    const V value = load<V>(image + i), level = load<V>(phi + i), none = {};
    return wanted ? (level > none ? value : none) : (level > none ? none : value);
  }
};

template <class T>
struct ChangeTerm {
  const T *now, *last;

  template <class V>
  V at(int64_t i) const {
    const V change = load<V>(now + i) - load<V>(last + i);
    return change * change;
  }
};

template <class T, int axes, bool masked>
class ChanVese {
 public:
  explicit ChanVese(const ChanVeseProblem<T>& problem)
      : p_(problem), tree_(p_.grid.size(), PART), sums_(tree_.parts().size()) {
    for (auto& part : sums_) part.sums.resize(2 * p_.channels + 1);
    means_.resize(2 * p_.channels);
  }

  // The means of the level set as it is at the start.
  void measure(const T* phi) {
    for_each_part([&](RegionSums<T>& sums, int64_t begin, int64_t size) {
      take(phi, phi, begin, size, sums);
    });
    finish();
  }

  // One iteration, from `phi` to `next`. Returns the root of the mean square of the changes.
  T iterate(const T* phi, T* next) {
    parallel_for_with(
        static_cast<int64_t>(sums_.size()), 1, [] { return std::vector<T>(); },
        [&](std::vector<T>& force, int64_t first, int64_t last) {
          for (int64_t part = first; part < last; ++part) {
            const auto [begin, size] = tree_.parts()[part];
            for_each_line(begin, size, [&](int64_t line, int64_t from, int64_t to) {
              step(phi, line, from, to, force, next);
            });
            take(next, phi, begin, size, sums_[part]);
          }
        });
    return finish();
  }

  // What the energy is made of (energy_kinds), summed; appended to `sums`.
  void add_energy_sums(const T* phi, std::vector<double>& sums) const {
    const int64_t kinds = energy_kinds(p_.channels), first_sum = static_cast<int64_t>(sums.size());
    sums.resize(first_sum + kinds);
    sum_in_order(static_cast<int64_t>(sums_.size()), 1, std::span(sums).subspan(first_sum),
                 [&](int64_t part, int64_t, double* energy) {
                   const auto [begin, size] = tree_.parts()[part];
                   for_each_line(begin, size, [&](int64_t line, int64_t from, int64_t to) {
                     add_energy(phi, line, from, to, energy);
                   });
                 });
  }

 private:
  static constexpr int64_t PART = 1 << 14;

  template <class Work>
  void for_each_part(const Work& work) {
    parallel_for(static_cast<int64_t>(sums_.size()), 1, [&](int64_t first, int64_t last) {
      for (int64_t part = first; part < last; ++part) {
        const auto [begin, size] = tree_.parts()[part];
        work(sums_[part], begin, size);
      }
    });
  }

  // work(line, from, to) for each line of pixels that a range of the image touches.
  template <class Work>
  void for_each_line(int64_t begin, int64_t size, const Work& work) const {
    const int64_t columns = p_.grid.columns;
    for (int64_t i = begin; i < begin + size;) {
      const int64_t line = i / columns, end = std::min(begin + size, (line + 1) * columns);
      work(line, i - line * columns, end - line * columns);
      i = end;
    }
  }

  void step(const T* phi, int64_t number, int64_t from, int64_t to, std::vector<T>& buffer,
            T* next) const {
    const Line<T, axes> line = line_of<T, axes>(p_, phi, number);
    buffer.resize(p_.grid.columns);
    T* const force = buffer.data();
    for (int64_t c = 0; c < p_.channels; ++c) {
      const T* image = p_.image + c * p_.grid.size() + number * p_.grid.columns;
      const T means[2] = {means_[2 * c], means_[2 * c + 1]};
      const T lambdas[2] = {p_.lambdas[2 * c], p_.lambdas[2 * c + 1]};
      for (int64_t x = from; x < to; ++x) {
        const T push = chan_vese_force(image[x], means, lambdas);
        force[x] = c ? force[x] + push : push;
      }
    }
    if (p_.channels > 1)
      for (int64_t x = from; x < to; ++x) force[x] /= static_cast<T>(p_.channels);
    T* const out = next + number * p_.grid.columns;
    const ChanVeseRule<T> rule = p_.rule;
    line.for_each(from, to, [&](int64_t x, int64_t left, int64_t right) IN_LOOP {
      const T value = chan_vese_step(line.template around<masked>(x, left, right), force[x], rule);
      out[x] = !masked || line.mask[x] ? value : T(0);
    });
  }

  void take(const T* now, const T* last, int64_t begin, int64_t size, RegionSums<T>& sums) const {
    for (int64_t c = 0; c < p_.channels; ++c) {
      const T* image = p_.image + c * p_.grid.size();
      sums.sums[2 * c] = pairwise_sum<T>(InsideTerm<T>{image, now, true}, begin, size);
      sums.sums[2 * c + 1] = pairwise_sum<T>(InsideTerm<T>{image, now, false}, begin, size);
    }
    sums.sums.back() = pairwise_sum<T>(ChangeTerm<T>{now, last}, begin, size);
    sums.inside = 0;
    for (int64_t i = begin; i < begin + size; ++i) sums.inside += now[i] > 0;
  }

  T finish() {
    int64_t inside = 0;
    for (const auto& part : sums_) inside += part.inside;
    const T counts[2] = {static_cast<T>(inside), static_cast<T>(p_.counted - inside)};
    for (int64_t k = 0; k < 2 * p_.channels; ++k) {
      means_[k] = total(k);
      if (counts[k % 2] != 0) means_[k] /= counts[k % 2];
    }
    return root(total(2 * p_.channels) / static_cast<T>(p_.counted));
  }

  T total(int64_t k) const {
    return tree_.total([&](int64_t part) { return sums_[part].sums[k]; });
  }

  void add_energy(const T* phi, int64_t number, int64_t from, int64_t to, double* sums) const {
    const Line<T, axes> line = line_of<T, axes>(p_, phi, number);
    const int64_t n = to - from;
    std::vector<double> buffer(3 * n);
    double *const inside = buffer.data(), *const outside = inside + n, *const length = outside + n;
    line.for_each(from, to, [&](int64_t x, int64_t left, int64_t right) IN_LOOP {
      // 0 or 1, a factor: a branch would keep the loop from being one of vectors
      const double counts = masked ? static_cast<double>(line.mask[x]) : 1.0;
      const double share = chan_vese_inside(line.here[x]);
      inside[x - from] = counts * share;
      outside[x - from] = counts * (1.0 - share);
      length[x - from] = counts * chan_vese_length(line.template around<masked>(x, left, right));
    });
    sums[0] += lane_sum(n, [&](int64_t i) { return inside[i]; });
    sums[1] += lane_sum(n, [&](int64_t i) { return length[i]; });
    for (int64_t c = 0; c < p_.channels; ++c) {
      const T* values = p_.image + c * p_.grid.size() + number * p_.grid.columns + from;
      for (int kind = 0; kind < 4; ++kind)
        sums[2 + 4 * c + kind] += lane_sum(n, [&](int64_t i) {
          return chan_vese_spread_term(kind, kind < 2 ? inside[i] : outside[i], values[i]);
        });
    }
  }

  // The sum of term(i), in eight running sums.
  template <class Term>
  static double lane_sum(int64_t n, const Term& term) {
    double lanes[8] = {}, sum = 0.0;
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
      for (int l = 0; l < 8; ++l) lanes[l] += term(i + l);
    for (; i < n; ++i) sum += term(i);
    for (const double lane : lanes) sum += lane;
    return sum;
  }

  const ChanVeseProblem<T>& p_;
  SumTree tree_;
  std::vector<RegionSums<T>> sums_;  // of each part
  std::vector<T> means_;             // [channels][2]: inside, outside
};

}  // namespace lesionkit::fronts::contours

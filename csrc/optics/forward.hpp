// The diffusion forward model for many property maps on one mesh: assemble, factor, read.
//
// All systems share one pattern, so the plan (ordering, fronts, index maps; made once by
// lesionkit/optics/forward/plan.py) is walked once for a group of systems, each in a
// lane of T. Elements are assembled straight into the panels of their nodes' fronts. A panel is
// opened, and zeroed, just before the first of its descendants adds to it, and closed once it is
// eliminated: the open ones lie on one path to the root, so they form a stack of fixed places that
// stays in cache. L itself is never kept unless the field is asked for.
#pragma once

#include <algorithm>
#include <vector>

#include "common/complex.hpp"
#include "common/simd.hpp"
#include "optics/element.hpp"
#include "optics/factor.hpp"
#include "optics/plan.hpp"

namespace lesionkit::optics {

// What one thread needs to work on a group of systems.
template <class T>
class ForwardGroup {
 public:
  std::vector<Simd<double>> absorption, kappa;  // [property], to be filled by the caller
  std::vector<T> readings;                      // [source][detector]

  ForwardGroup(const ForwardPlan& plan, bool keep_panels)
      : absorption(plan.properties),
        kappa(plan.properties),
        readings(plan.sources * plan.detectors),
        plan_(plan),
        layout_(keep_panels ? plan.kept : plan.reused),
        entries_(layout_.size),
        inverse_(keep_panels ? plan.nodes : plan.max_pivots),
        scratch_(Block<T>::columns * plan.max_pivots),
        rows_(plan.max_update),
        inverse_step_(keep_panels ? 1 : 0) {}

  void solve() {
    std::fill(readings.begin(), readings.end(), T{});
    T* inverse = inverse_.data();
    for (size_t f = 0; f < plan_.fronts.size(); ++f) {
      const FrontShape& shape = plan_.fronts[f];
      assemble(f);
      Front<T> front(shape, entries_.data() + layout_.panel[f], inverse, scratch_.data());
      front.eliminate();
      front.update(destination(f), entries_.data());
      front.read(plan_.source[f].data(), plan_.detector[f].data(), plan_.detectors,
                 readings.data());
      inverse += inverse_step_ * shape.pivots;
    }
  }

  // The fields of all sources, and if wanted of all detectors after them, from the panels that
  // solve() kept: [node][optode].
  const T* fields(bool detectors_too) {
    const int width = plan_.sources + (detectors_too ? plan_.detectors : 0);
    return back_substitute(width, [&](size_t f, int p, T* x) {
      source_rows(f, p, x);
      const FrontShape& shape = plan_.fronts[f];
      for (int d = 0; detectors_too && d < shape.detectors; ++d)
        x[plan_.sources + plan_.detector[f][d]] = row(f, shape.columns() + shape.sources + d)[p];
    });
  }

  // The field of each source, then for each source that of all detectors, weighted: [node][2
  // sources]. weight: [source][detector].
  const T* weighted_fields(const T* weight) {
    return back_substitute(2 * plan_.sources, [&](size_t f, int p, T* x) {
      source_rows(f, p, x);
      const FrontShape& shape = plan_.fronts[f];
      for (int d = 0; d < shape.detectors; ++d) {
        const T w = row(f, shape.columns() + shape.sources + d)[p];
        const T* of_detector = weight + plan_.detector[f][d];
        for (int s = 0; s < plan_.sources; ++s)
          x[plan_.sources + s] += of_detector[s * plan_.detectors] * w;
      }
    });
  }

 private:
  // Solutions at each node, [node][width]: back substitution L' x = D^-1 w, parents before
  // children. start(front, pivot, x) sets what is not 0 of x[width] to w, from the front's optode
  // rows.
  template <class Start>
  const T* back_substitute(int width, Start&& start) {
    field_.assign(static_cast<size_t>(plan_.nodes) * width, T{});
    std::vector<T*> x(plan_.max_pivots + plan_.max_update);
    T* inverse = inverse_.data() + plan_.nodes;
    for (size_t f = plan_.fronts.size(); f-- > 0;) {
      const FrontShape& shape = plan_.fronts[f];
      const auto node = plan_.node[f];
      inverse -= shape.pivots;
      for (int i = 0; i < shape.columns(); ++i) x[i] = field_.data() + int64_t{node[i]} * width;
      for (int p = 0; p < shape.pivots; ++p) start(f, p, x[p]);
      T* panel = entries_.data() + layout_.panel[f];
      Front<T>(shape, panel, inverse, nullptr).back_substitute(x.data(), width);
    }
    return field_.data();
  }

  const T* row(size_t f, int i) const {
    return entries_.data() + layout_.panel[f] + row_start(i, plan_.fronts[f].pivots);
  }

  void source_rows(size_t f, int p, T* x) const {
    const FrontShape& shape = plan_.fronts[f];
    for (int s = 0; s < shape.sources; ++s) x[plan_.source[f][s]] = row(f, shape.columns() + s)[p];
  }

  void assemble(size_t f) {
    std::fill(entries_.begin() + layout_.open_from[f], entries_.begin() + layout_.open_to[f], T{});
    for (int64_t i = plan_.fixed_start[f]; i < plan_.fixed_start[f + 1]; ++i)
      entries_[layout_.fixed_entry[i]] += plan_.fixed_value[i];
    if (plan_.element_nodes == 3)
      plan_.property_nodes == 1 ? add_elements<3, 1>(f) : add_elements<3, 3>(f);
    else if (plan_.property_nodes == 6)
      add_elements<6, 6>(f);
    else
      plan_.property_nodes == 1 ? add_elements<6, 1>(f) : add_elements<6, 4>(f);
  }

  template <int N, int P>
  void add_elements(size_t f) {
    constexpr int pairs = pair_count(N);
    for (int64_t e = plan_.element_start[f]; e < plan_.element_start[f + 1]; ++e) {
      Simd<double> k[P], mua[P];
      for (int p = 0; p < P; ++p) {
        k[p] = kappa[plan_.property[e * P + p]];
        mua[p] = absorption[plan_.property[e * P + p]];
      }
      const int32_t* entry = &layout_.element_entry[e * pairs];
      const double area = plan_.area[e];
      const double* mass = &plan_.mass[plan_.mass_kind[e] * pairs * P];
      const double* imaginary = &plan_.imaginary_mass[plan_.mass_kind[e] * pairs];
      element_matrix<N, P>(&plan_.stiffness[e * pairs * P], mass, area, k, mua,
                           [&](int pair, const Simd<double>& value) {
                             add_entry(entries_[entry[pair]], value, area * imaginary[pair]);
                           });
    }
  }

  static void add_entry(Simd<double>& entry, const Simd<double>& real, double) { entry += real; }
  static void add_entry(Complex<Simd<double>>& entry, const Simd<double>& real, double imaginary) {
    entry.re += real;
    entry.im += imaginary;
  }

  Destination destination(size_t f) {
    const auto target = plan_.column_target[f];
    for (size_t j = 0; j < target.size(); ++j)
      rows_[j] = layout_.target_row.data() + plan_.target_row.start[target[j]];
    return {rows_.data(), plan_.column[f].data()};
  }

  const ForwardPlan& plan_;
  const Layout& layout_;
  std::vector<T> entries_, inverse_, scratch_, field_;
  std::vector<const int32_t*> rows_;
  int inverse_step_;
};

}  // namespace lesionkit::optics

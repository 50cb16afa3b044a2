// The diffusion forward model for many property maps on one mesh: assemble, factor, read.
//
// All systems share one pattern, so the plan (ordering, fronts, index maps; made once by
// lesionkit/optics/forward/plan.py) is walked once for a group of `lane_count` systems, each in a
// lane of T. Elements are assembled straight into the panels of their nodes' fronts. A panel is
// opened, and zeroed, just before the first of its descendants adds to it, and closed once it is
// eliminated: the open ones lie on one path to the root, so they form a stack of fixed places that
// stays in cache. L itself is never kept unless the field is asked for.
#pragma once

#include <limits>
#include <span>
#include <stdexcept>
#include <vector>

#include "common/lanes.hpp"
#include "optics/element.hpp"
#include "optics/factor.hpp"

namespace lesionkit::optics {

// Rows of several lengths, one after the other.
template <class V>
struct Ragged {
  std::vector<int64_t> start;
  std::vector<V> values;

  std::span<const V> operator[](int64_t i) const {
    return {values.data() + start[i], static_cast<size_t>(start[i + 1] - start[i])};
  }
};

// Where the panels lie among a group's entries, and with them all that is added to them.
struct Layout {
  std::vector<int64_t> panel;               // of each front
  std::vector<int64_t> open_from, open_to;  // entries to zero before a front is worked on
  std::vector<int32_t> element_entry;       // [element][pair]
  std::vector<int32_t> fixed_entry;
  std::vector<int32_t> target_row;  // as ForwardPlan::target_row
  int64_t size = 0;
};

struct ForwardPlan {
  int element_nodes, property_nodes;  // N and P of element.hpp
  int nodes, properties, sources, detectors;

  std::vector<FrontShape> fronts;    // children before parents
  std::vector<int32_t> parent;       // of each front, -1 for a root
  Ragged<int32_t> source, detector;  // the optodes of each front
  Ragged<int32_t> node;              // of each pivot and update row

  // The update of each front: its columns belong to one ancestor after the other, its targets.
  Ragged<int32_t> target;      // of each front: fronts
  Ragged<int32_t> target_row;  // of each target: row_start in its panel, of each row of the update
  Ragged<int32_t> column_target;  // of each front, for each column: index into target
  Ragged<int32_t> column;         // of each front, for each column: place in its target's rows

  // Entries that no property changes: Robin boundary terms and optode weights.
  std::vector<int64_t> fixed_start;
  std::vector<int32_t> fixed_front, fixed_offset;
  std::vector<double> fixed_value;

  std::vector<int64_t> element_start;  // of each front, in the per-element arrays:
  std::vector<int32_t> property;       // [element][P] property index
  std::vector<int32_t> entry_front;    // [element][pair] the front that holds the entry,
  std::vector<int32_t> entry_offset;   // and where in its panel
  std::vector<int32_t> element_node;   // [element][N]
  std::vector<double> stiffness;       // [element][pair][P]
  std::vector<double> area;            // [element] mm^2
  std::vector<int32_t> mass_kind;      // [element]: 0 for straight elements, which share theirs
  std::vector<double> mass;            // [kind][pair][P]
  std::vector<double> imaginary_mass;  // [kind][pair] times the area: Im A (frequency domain)

  // Derived by place():
  Layout reused, kept;  // panels on a stack, or each in its own place
  int most_pivots = 0, most_update = 0;

  // A wrong shape would reach beyond the arrays: Python has checked the values alone.
  static void require(bool fits) {
    if (!fits) throw std::invalid_argument("arrays do not fit the plan");
  }

  void place() {
    for (const FrontShape& shape : fronts) {
      most_pivots = std::max(most_pivots, shape.pivots);
      most_update = std::max(most_update, shape.update);
    }
    place_stack();
    place_apart();
    if (kept.size > std::numeric_limits<int32_t>::max())
      throw std::length_error("the mesh has too many nodes for 32-bit places");
    for (Layout* layout : {&reused, &kept}) {
      const auto absolute = [&](const std::vector<int32_t>& front,
                                const std::vector<int32_t>& offset) {
        std::vector<int32_t> entry(front.size());
        for (size_t i = 0; i < entry.size(); ++i)
          entry[i] = static_cast<int32_t>(layout->panel[front[i]] + offset[i]);
        return entry;
      };
      layout->element_entry = absolute(entry_front, entry_offset);
      layout->fixed_entry = absolute(fixed_front, fixed_offset);
      layout->target_row = target_row.values;
      for (size_t t = 0; t < target.values.size(); ++t)
        for (int64_t i = target_row.start[t]; i < target_row.start[t + 1]; ++i)
          layout->target_row[i] += static_cast<int32_t>(layout->panel[target.values[t]]);
    }
  }

 private:
  void place_stack() {
    const int64_t count = std::ssize(fronts);
    reused.panel.assign(count, -1);
    int64_t top = 0;
    for (int64_t f = 0; f < count; ++f) {
      reused.open_from.push_back(top);
      std::vector<int32_t> closed;  // f and its ancestors that no descendant has opened yet
      for (int32_t a = static_cast<int32_t>(f); a >= 0 && reused.panel[a] < 0; a = parent[a])
        closed.push_back(a);
      for (auto a = closed.rbegin(); a != closed.rend(); ++a) {
        reused.panel[*a] = top;
        top += fronts[*a].size();
      }
      if (top != reused.panel[f] + fronts[f].size())
        throw std::logic_error("fronts must come in postorder of their tree");
      reused.open_to.push_back(top);
      reused.size = std::max(reused.size, top);
      top = reused.panel[f];
    }
  }

  void place_apart() {
    for (const FrontShape& shape : fronts) {
      kept.panel.push_back(kept.size);
      kept.size += shape.size();
    }
    kept.open_from.assign(fronts.size(), 0);
    kept.open_to.assign(fronts.size(), 0);
    if (!fronts.empty()) kept.open_to[0] = kept.size;
  }
};

// What one thread needs to work on a group of systems.
template <class T>
class ForwardGroup {
 public:
  std::vector<Lanes> absorption, kappa;  // [property], to be filled by the caller
  std::vector<T> readings;               // [source][detector]

  ForwardGroup(const ForwardPlan& plan, bool keep_panels)
      : absorption(plan.properties),
        kappa(plan.properties),
        readings(plan.sources * plan.detectors),
        plan_(plan),
        layout_(keep_panels ? plan.kept : plan.reused),
        entries_(layout_.size),
        inverse_(keep_panels ? plan.nodes : plan.most_pivots),
        scratch_(Block<T>::columns * plan.most_pivots),
        rows_(plan.most_update),
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
    std::vector<T*> x(plan_.most_pivots + plan_.most_update);
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
      Lanes k[P], mua[P];
      for (int p = 0; p < P; ++p) {
        k[p] = kappa[plan_.property[e * P + p]];
        mua[p] = absorption[plan_.property[e * P + p]];
      }
      const int32_t* entry = &layout_.element_entry[e * pairs];
      const double area = plan_.area[e];
      const double* mass = &plan_.mass[plan_.mass_kind[e] * pairs * P];
      const double* imaginary = &plan_.imaginary_mass[plan_.mass_kind[e] * pairs];
      element_matrix<N, P>(&plan_.stiffness[e * pairs * P], mass, area, k, mua,
                           [&](int pair, const Lanes& value) {
                             add_entry(entries_[entry[pair]], value, area * imaginary[pair]);
                           });
    }
  }

  static void add_entry(Lanes& entry, const Lanes& real, double) { entry += real; }
  static void add_entry(Complex<Lanes>& entry, const Lanes& real, double imaginary) {
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

// The diffusion forward model for many property maps on one mesh: assemble, factor, read.
//
// All systems share one pattern, so the plan (ordering, fronts, index maps; made once by
// lesionkit/optics/plan.py) is walked once for a group of `lane_count` systems, each in a lane of
// T. Elements are assembled straight into the front that eliminates their first node; a front's
// Schur complement waits on a stack until its parent adds it. Positions on that stack are known
// beforehand, and L itself is never kept unless the field is asked for.
#pragma once

#include <span>
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

// An entry that no property changes: Robin boundary terms and optode weights.
struct FixedEntry {
  int32_t offset;
  double value;
};

struct ForwardPlan {
  int element_nodes, property_nodes;  // N of element.hpp, and P: 1 (per element) or N (per node)
  int nodes, properties, sources, detectors;

  std::vector<FrontShape> fronts;   // children before parents
  Ragged<int32_t> children;         // of each front
  Ragged<int32_t> parent_row;       // of each update and optode row, in the parent front
  Ragged<int32_t> source, detector; // the optodes of each front
  Ragged<int32_t> node;             // of each pivot and update row
  Ragged<FixedEntry> fixed;
  std::vector<int64_t> element_start;  // of each front, in the per-element arrays:
  std::vector<int32_t> property;       // [element][P] property index
  std::vector<int32_t> offset;         // [element][pair] entry of the front
  std::vector<double> stiffness;       // [element][pair][P]
  std::vector<double> area;            // [element] mm^2
  std::vector<double> mass;            // [pair][P]
  std::vector<double> imaginary_mass;  // [pair] times the area: Im A (frequency domain)

  // Derived by place():
  std::vector<int64_t> update_at;  // of each front's Schur complement on the stack
  std::vector<int64_t> front_at;   // of each front, where all are kept
  int64_t stack_size = 0, largest_front = 0, all_fronts = 0;
  int most_pivots = 0;

  void place() {
    int64_t top = 0;
    for (size_t f = 0; f < fronts.size(); ++f) {
      for (int32_t child : children[f]) top = std::min(top, update_at[child]);
      update_at.push_back(top);
      top += fronts[f].update_size();
      stack_size = std::max(stack_size, top);
      front_at.push_back(all_fronts);
      all_fronts += fronts[f].size();
      largest_front = std::max(largest_front, fronts[f].size());
      most_pivots = std::max(most_pivots, fronts[f].pivots);
    }
  }
};

// What one thread needs to work on a group of systems.
template <class T>
class ForwardGroup {
 public:
  std::vector<Lanes> absorption, kappa;  // [property], to be filled by the caller
  std::vector<T> readings;               // [source][detector]

  ForwardGroup(const ForwardPlan& plan, bool keep_fronts)
      : absorption(plan.properties),
        kappa(plan.properties),
        readings(plan.sources * plan.detectors),
        plan_(plan),
        keep_(keep_fronts),
        fronts_(keep_fronts ? plan.all_fronts : plan.largest_front),
        stack_(plan.stack_size),
        inverse_(keep_fronts ? plan.nodes : plan.most_pivots),
        scratch_(Block<T>::columns * plan.most_pivots) {}

  void solve() {
    std::fill(readings.begin(), readings.end(), T{});
    T* inverse = inverse_.data();
    for (size_t f = 0; f < plan_.fronts.size(); ++f) {
      const FrontShape& shape = plan_.fronts[f];
      T* entries = fronts_.data() + (keep_ ? plan_.front_at[f] : 0);
      std::fill(entries, entries + shape.size(), T{});
      assemble(f, entries);
      Front<T> front(shape, entries, inverse, scratch_.data());
      front.eliminate();
      front.update(stack_.data() + plan_.update_at[f]);
      front.read(plan_.source[f].data(), plan_.detector[f].data(), plan_.detectors,
                 readings.data());
      if (keep_) inverse += shape.pivots;
    }
  }

  // The field of each source at each node, from the fronts kept by solve(): back substitution
  // L' x = D^-1 w, parents before children. field: [node][source].
  void back_substitute(T* field) const {
    const int sources = plan_.sources;
    const T* inverse = inverse_.data() + plan_.nodes;
    for (int64_t f = std::ssize(plan_.fronts) - 1; f >= 0; --f) {
      const FrontShape& shape = plan_.fronts[f];
      const T* entries = fronts_.data() + plan_.front_at[f];
      const auto row = [&](int i) { return entries + row_start(i, shape.columns()); };
      const auto node = plan_.node[f];
      const auto source = plan_.source[f];
      inverse -= shape.pivots;
      for (int p = shape.pivots - 1; p >= 0; --p) {
        T* x = field + int64_t{node[p]} * sources;
        std::fill(x, x + sources, T{});
        for (int s = 0; s < shape.sources; ++s) x[source[s]] = row(shape.columns() + s)[p];
        for (int i = p + 1; i < shape.columns(); ++i) {
          const T w = row(i)[p];
          const T* known = field + int64_t{node[i]} * sources;
          for (int s = 0; s < sources; ++s) x[s] = minus_product(x[s], w, known[s]);
        }
        for (int s = 0; s < sources; ++s) x[s] = x[s] * inverse[p];
      }
    }
  }

 private:
  void assemble(size_t f, T* entries) {
    for (const FixedEntry& e : plan_.fixed[f]) entries[e.offset] += e.value;
    if (plan_.element_nodes == 3)
      plan_.property_nodes == 1 ? add_elements<3, 1>(f, entries) : add_elements<3, 3>(f, entries);
    else
      plan_.property_nodes == 1 ? add_elements<6, 1>(f, entries) : add_elements<6, 6>(f, entries);
    for (int32_t child : plan_.children[f]) add_child(child, f, entries);
  }

  template <int N, int P>
  void add_elements(size_t f, T* entries) {
    constexpr int pairs = pair_count(N);
    for (int64_t e = plan_.element_start[f]; e < plan_.element_start[f + 1]; ++e) {
      Lanes k[P], mua[P];
      for (int p = 0; p < P; ++p) {
        k[p] = kappa[plan_.property[e * P + p]];
        mua[p] = absorption[plan_.property[e * P + p]];
      }
      const int32_t* offset = &plan_.offset[e * pairs];
      const double area = plan_.area[e];
      element_matrix<N, P>(&plan_.stiffness[e * pairs * P], plan_.mass.data(), area, k, mua,
                           [&](int pair, const Lanes& value) {
                             add_entry(entries[offset[pair]], value,
                                       area * plan_.imaginary_mass[pair]);
                           });
    }
  }

  static void add_entry(Lanes& entry, const Lanes& real, double) { entry += real; }
  static void add_entry(Complex<Lanes>& entry, const Lanes& real, double imaginary) {
    entry.re += real;
    entry.im += imaginary;
  }

  void add_child(int32_t child, size_t parent, T* entries) {
    const FrontShape& shape = plan_.fronts[child];
    const int64_t columns = plan_.fronts[parent].columns();
    const int32_t* map = plan_.parent_row[child].data();
    const T* from = stack_.data() + plan_.update_at[child];
    const int rows = shape.update + shape.optodes();
    for (int i = 0; i < rows; ++i) {
      T* to = entries + row_start(map[i], columns);
      const int width = std::min(i + 1, shape.update);
      for (int j = 0; j < width; ++j) to[map[j]] += from[j];
      from += width;
    }
  }

  const ForwardPlan& plan_;
  bool keep_;
  std::vector<T> fronts_, stack_, inverse_, scratch_;
};

}  // namespace lesionkit::optics

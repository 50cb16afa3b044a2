// The plan of a forward model (made once by lesionkit/optics/forward/plan.py): the pattern that all
// its systems share, and where the panels lie while one is solved.
#pragma once

#include <algorithm>
#include <limits>
#include <span>
#include <stdexcept>
#include <vector>

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

// Its parts have the names that `build_plan` of lesionkit/optics/forward/plan.py gives them.
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

  // visit("parent", parent) and so on.
  template <class Visit>
  void each_part(Visit&& visit) {
#define LESIONKIT_PART(name) visit(#name, name)
    LESIONKIT_PART(element_nodes);
    LESIONKIT_PART(property_nodes);
    LESIONKIT_PART(nodes);
    LESIONKIT_PART(properties);
    LESIONKIT_PART(sources);
    LESIONKIT_PART(detectors);
    LESIONKIT_PART(fronts);
    LESIONKIT_PART(parent);
    LESIONKIT_PART(source);
    LESIONKIT_PART(detector);
    LESIONKIT_PART(node);
    LESIONKIT_PART(target);
    LESIONKIT_PART(target_row);
    LESIONKIT_PART(column_target);
    LESIONKIT_PART(column);
    LESIONKIT_PART(fixed_start);
    LESIONKIT_PART(fixed_front);
    LESIONKIT_PART(fixed_offset);
    LESIONKIT_PART(fixed_value);
    LESIONKIT_PART(element_start);
    LESIONKIT_PART(property);
    LESIONKIT_PART(entry_front);
    LESIONKIT_PART(entry_offset);
    LESIONKIT_PART(element_node);
    LESIONKIT_PART(stiffness);
    LESIONKIT_PART(area);
    LESIONKIT_PART(mass_kind);
    LESIONKIT_PART(mass);
    LESIONKIT_PART(imaginary_mass);
#undef LESIONKIT_PART
  }

  // Derived by place():
  Layout reused, kept;  // panels on a stack, or each in its own place
  int max_pivots = 0, max_update = 0;

  // A wrong shape would reach beyond the arrays: Python has checked the values alone.
  static void require(bool fits) {
    if (!fits) throw std::invalid_argument("arrays do not fit the plan");
  }

  void place() {
    for (const FrontShape& shape : fronts) {
      max_pivots = std::max(max_pivots, shape.pivots);
      max_update = std::max(max_update, shape.update);
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

}  // namespace lesionkit::optics

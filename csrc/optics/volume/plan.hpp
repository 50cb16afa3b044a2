// What the systems of a mesh of tetrahedra share: the pattern of their matrix, the optodes, and a
// hierarchy of coarser matrices for a preconditioner (lesionkit/optics/forward/solid_plan.py).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <vector>

namespace lesionkit::optics {

// Rows of optodes or of a matrix: start[i] to start[i + 1] of the two others.
struct Rows {
  std::vector<int32_t> start, column;
  std::vector<double> value;
};

struct VolumePlan {
  int element_nodes, property_nodes, nodes, properties;
  std::vector<int32_t> element;   // [element][node], the bent ones last
  std::vector<int32_t> property;  // [element][node] or, one for each, [element]
  int straight;                   // so many elements come first
  std::vector<double> place;      // [node][3] mm
  std::vector<int32_t> start, column, diagonal, mirror;  // the pattern; where a_ji stands
  std::vector<int32_t> entry;     // [element][pair]: where it adds to, on or below the diagonal
  std::vector<double> fixed;      // the boundary term, of each entry
  std::vector<double> imaginary;  // -omega / c int phi phi; empty if light is not modulated
  std::vector<float> imaginary_float;
  Rows source, detector;

  int64_t elements() const { return static_cast<int64_t>(element.size()) / element_nodes; }
  int64_t entries() const { return static_cast<int64_t>(column.size()); }
  int sources() const { return static_cast<int>(source.start.size()) - 1; }
  int detectors() const { return static_cast<int>(detector.start.size()) - 1; }
  int optodes() const { return sources() + detectors(); }
  bool modulated() const { return !imaginary.empty(); }

  static void require(bool fits) {
    if (!fits) throw std::invalid_argument("arrays must fit the plan");
  }
};

// One level of the hierarchy. The first has no matrix: it is the system's own.
struct Level {
  int nodes;
  std::vector<int32_t> start, column, diagonal;
  std::vector<float> value;
  std::vector<int32_t> up_start, up_column;  // interpolation from the next level
  std::vector<float> up;
};

struct Hierarchy {
  std::vector<Level> levels;
  int coarsest;                // nodes of the last
  std::vector<float> inverse;  // [coarsest][coarsest]
};

}  // namespace lesionkit::optics

// The surface of a mask between 2 x 2 x 2 voxels (Lorensen and Cline, "Marching cubes", SIGGRAPH
// 1987, 163-169), and its outline between 2 x 2 pixels, with every vertex halfway between a voxel
// inside and one outside. What one cube or square adds; the loops are in shape.cpp.
//
// The table of the 256 cubes is made from three rules, which are those behind the tables in use
// (PyRadiomics' among them: equal on all cubes):
//   1  a cube whose corner 7 is inside has the surface of the cube with the same corners outside,
//      turned round;
//   2  on a face whose corners are inside crosswise, each corner inside is cut off by itself;
//   3  the outline so drawn on the six faces is filled by a fan of triangles: of all fans the one
//      with the largest area, or, of seven vertices, the one that is its own mirror image.
// A cube of one kind adds the same area wherever it lies, and to the volume a number that grows
// linearly with its place: counts of the kinds, and sums of their places, are all that is needed.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "common/grid.hpp"

namespace lesionkit::texture {

// Places in half voxels: corners of a cube are even, vertices have one odd part.
inline Offset operator+(const Offset& a, const Offset& b) {
  return {a.plane + b.plane, a.row + b.row, a.column + b.column};
}
inline Offset operator-(const Offset& a, const Offset& b) {
  return {a.plane - b.plane, a.row - b.row, a.column - b.column};
}
inline int64_t dot(const Offset& a, const Offset& b) {
  return a.plane * b.plane + a.row * b.row + a.column * b.column;
}
inline Offset cross(const Offset& a, const Offset& b) {
  return {a.row * b.column - a.column * b.row, a.column * b.plane - a.plane * b.column,
          a.plane * b.row - a.row * b.plane};
}

// Bit k of a cube's kind tells whether corner k is inside; of a square's: those of corners 0 to 3.
constexpr std::array<Offset, 8> CORNERS = {
    {{0, 0, 0}, {0, 0, 1}, {0, 1, 1}, {0, 1, 0}, {1, 0, 0}, {1, 0, 1}, {1, 1, 1}, {1, 1, 0}}};

struct Segment {
  int from, to;  // sides of a square: side k lies between its corners k and k + 1
};

// The outline within a square, inside corners on one side of it: on the left where corners 0 to 3
// turn left. Rule 2.
inline std::vector<Segment> outline_of(unsigned square) {
  const auto inside = [square](int k) { return (square >> (k & 3) & 1) != 0; };
  std::vector<Segment> found;
  for (int k = 0; k < 4; ++k) {
    if (inside(k) || !inside(k + 1)) continue;  // side k leads in; which is the next that leads out
    int out = k + 1;
    while (inside(out + 1)) ++out;
    found.push_back({out & 3, k});
  }
  return found;
}

// What a cube of one kind adds.
struct CubeSurface {
  std::vector<Offset>
      normals;                // of each triangle a b c: (b - a) x (c - a), in half voxels, outward
  Offset normal = {0, 0, 0};  // their sum
  int64_t determinant = 0;    // sum of det(a, b, c) for a cube at the origin
};

class CubeTable {
 public:
  CubeTable() {
    for (unsigned kind = 1; kind < 128; ++kind) {
      CubeSurface& cube = cubes_[kind];
      for (const auto& loop : loops(kind)) add_fan(loop, cube);
      CubeSurface& opposite = cubes_[kind ^ 0xff] = cube;
      for (Offset& n : opposite.normals) n = Offset{0, 0, 0} - n;
      opposite.normal = Offset{0, 0, 0} - opposite.normal;
      opposite.determinant = -opposite.determinant;
    }
  }
  const CubeSurface& operator[](int64_t kind) const { return cubes_[kind]; }

 private:
  using Loop = std::vector<Offset>;

  static std::vector<Loop> loops(unsigned kind) {
    // Corners of the faces, all turning the same way as seen from outside.
    constexpr int faces[6][4] = {{0, 1, 2, 3}, {4, 7, 6, 5}, {0, 4, 5, 1},
                                 {2, 6, 7, 3}, {0, 3, 7, 4}, {1, 5, 6, 2}};
    std::array<int, 27> next;  // by place: where the outline goes from a vertex
    next.fill(-1);
    const auto place = [](const Offset& at) {
      return static_cast<int>(at.plane * 9 + at.row * 3 + at.column);
    };
    for (const auto& face : faces) {
      unsigned square = 0;
      for (int k = 0; k < 4; ++k) square |= (kind >> face[k] & 1) << k;
      const auto middle = [&](int k) {
        return place(CORNERS[face[k]] + CORNERS[face[(k + 1) & 3]]);
      };
      for (const Segment& s : outline_of(square)) next[middle(s.from)] = middle(s.to);
    }
    std::vector<Loop> found;
    for (int start = 0; start < 27; ++start) {
      if (next[start] < 0) continue;
      Loop& loop = found.emplace_back();
      for (int at = start; next[at] >= 0;) {
        loop.push_back({at / 9, at / 3 % 3, at % 3});
        const int to = next[at];
        next[at] = -1;
        at = to;
      }
    }
    return found;
  }

  static std::vector<Offset> fan(const Loop& loop, size_t first) {
    std::vector<Offset> normals;
    const auto at = [&](size_t k) { return loop[(first + k) % loop.size()]; };
    for (size_t k = 1; k + 1 < loop.size(); ++k)
      normals.push_back(cross(at(k + 1) - at(0), at(k) - at(0)));
    return normals;
  }

  static double area(const std::vector<Offset>& normals) {
    double sum = 0.0;
    for (const Offset& n : normals) sum += std::sqrt(static_cast<double>(dot(n, n)));
    return sum;
  }

  // Rule 3. Of seven fans three pairs mirror each other.
  static size_t best_fan(const Loop& loop) {
    const auto same = [](double a, double b) { return std::fabs(a - b) < 1e-9; };
    std::vector<double> areas;
    for (size_t first = 0; first < loop.size(); ++first) areas.push_back(area(fan(loop, first)));
    size_t best = 0;
    for (size_t k = 0; k < areas.size(); ++k) {
      int equal = 0;
      for (const double other : areas) equal += same(areas[k], other);
      if (loop.size() == 7 ? equal == 1 : areas[k] > areas[best] + 1e-9) best = k;
    }
    return best;
  }

  static void add_fan(const Loop& loop, CubeSurface& cube) {
    const size_t first = best_fan(loop);
    for (const Offset& n : fan(loop, first)) {
      cube.normals.push_back(n);
      cube.normal = cube.normal + n;
      cube.determinant += dot(loop[first], n);  // det(a, b, c) is a . (b - a) x (c - a)
    }
  }

  std::array<CubeSurface, 256> cubes_;
};

inline const CubeTable& cube_table() {
  static const CubeTable table;
  return table;
}

}  // namespace lesionkit::texture

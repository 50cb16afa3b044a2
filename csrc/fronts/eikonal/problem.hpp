// What an arrival-time problem is, and what all its solvers share. Host only.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "common/grid.hpp"
#include "fronts/eikonal/godunov.hpp"

namespace lesionkit::fronts {

// A box of nodes.
struct Part {
  Offset begin, end;

  void add(const Offset& from, const Offset& to) {
    begin = {std::min(begin.plane, from.plane), std::min(begin.row, from.row),
             std::min(begin.column, from.column)};
    end = {std::max(end.plane, to.plane), std::max(end.row, to.row),
           std::max(end.column, to.column)};
  }
};

template <class R>
struct Problem {
  static constexpr R never = std::numeric_limits<R>::infinity();

  Grid grid;
  const R* speed;       // at most 0: a wall
  R scale;              // slowness is scale / speed
  const uint8_t* mask;  // 0: a wall; or nullptr
  R spacing[3];         // of planes, rows, columns
  R stop;               // later times are not wanted
  R* times;             // infinite, but where the front starts

  bool deep() const { return grid.planes > 1; }
  bool even() const { return spacing[1] == spacing[2] && (!deep() || spacing[0] == spacing[1]); }
  double slowness(int64_t node) const { return static_cast<double>(scale) / speed[node]; }
  bool open(int64_t node) const { return speed[node] > 0 && (!mask || mask[node]); }
};

// Where fronts start: nodes, and when.
template <class R>
struct Starts {
  const int64_t* nodes;
  const R* times;
  int64_t count;
};

// How the speed is, from some 2000 nodes: the same ones whatever the number of threads.
template <class R>
struct SpeedSample {
  double slowness = 0.0;   // of the mean speed; 0 where none of them is open
  double roughness = 0.0;  // mean |difference of neighbours in a row| / mean speed

  bool rough() const { return roughness > 0.02; }

  explicit SpeedSample(const Problem<R>& p) {
    const int64_t n = p.grid.size(), stride = n / 2000 | 1;
    double sum = 0.0, differences = 0.0;
    int64_t count = 0, pairs = 0;
    for (int64_t i = 0; i < n; i += stride) {
      if (!p.open(i)) continue;
      sum += p.speed[i];
      ++count;
      if (i + 1 == n || !p.open(i + 1) || (i + 1) % p.grid.columns == 0) continue;
      differences += std::abs(static_cast<double>(p.speed[i + 1]) - p.speed[i]);
      ++pairs;
    }
    if (count == 0) return;
    if (pairs > 0) roughness = differences / pairs * (count / sum);
    slowness = count / sum * p.scale;
  }
};

}  // namespace lesionkit::fronts

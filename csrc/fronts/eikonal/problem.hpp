// What an arrival-time problem is, and what all its solvers share.
#pragma once

#include "common/grid.hpp"
#include "fronts/eikonal/godunov.hpp"

namespace lesionkit::fronts {

// A box of nodes.
struct Part {
  Offset begin, end;

  HD void add(const Offset& from, const Offset& to) {
    begin = {min(begin.plane, from.plane), min(begin.row, from.row),
             min(begin.column, from.column)};
    end = {max(end.plane, to.plane), max(end.row, to.row), max(end.column, to.column)};
  }
};

template <class R>
struct Problem {
  static constexpr R never = __builtin_bit_cast(float, 0x7f800000u);

  Grid grid;
  const R* speed;       // at most 0: a wall
  R scale;              // slowness is scale / speed
  const uint8_t* mask;  // 0: a wall; or nullptr
  R spacing[3];         // of planes, rows, columns
  R stop;               // later times are not wanted
  R* times;             // infinite, but where the front starts

  HD bool deep() const { return grid.planes > 1; }
  HD bool even() const { return spacing[1] == spacing[2] && (!deep() || spacing[0] == spacing[1]); }
  HD double slowness(int64_t node) const { return static_cast<double>(scale) / speed[node]; }
  HD bool open(int64_t node) const { return speed[node] > 0 && (!mask || mask[node]); }
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

  HD bool rough() const { return roughness > 0.02; }

  HD explicit SpeedSample(const Problem<R>& p) {
    const int64_t n = p.grid.size(), stride = n / 2000 | 1;
    double sum = 0.0, differences = 0.0;
    int64_t count = 0, pairs = 0;
    for (int64_t i = 0; i < n; i += stride) {
      if (!p.open(i)) continue;
      sum += p.speed[i];
      ++count;
      if (i + 1 == n || !p.open(i + 1) || (i + 1) % p.grid.columns == 0) continue;
      const double apart = static_cast<double>(p.speed[i + 1]) - p.speed[i];
      differences += apart < 0.0 ? -apart : apart;
      ++pairs;
    }
    if (count == 0) return;
    if (pairs > 0) roughness = differences / pairs * (count / sum);
    slowness = count / sum * p.scale;
  }
};

}  // namespace lesionkit::fronts

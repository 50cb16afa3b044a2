// Times of order 1 from the zero level set of phi by sweeps (arrival.hpp), where these are those of
// fast marching.
//
// Both find the fixed point of the upwind rule, but for nodes beside the front. There marching lets
// a node of the front count even if it is later than the node itself, which then is not upwind.
// Whether that has happened anywhere is seen from the times: if not, the answers are the same.
// Host only.
#pragma once

#include "fronts/eikonal/arrival.hpp"
#include "fronts/marching/zero_level.hpp"

namespace lesionkit::fronts {

// Whether no node beside the front is earlier than a node of the front next to it.
inline bool is_upwind(const MarchProblem& problem, const ZeroLevel& level, const double* times) {
  std::vector<int64_t> step(problem.shape.size(), 1);
  for (size_t d = step.size() - 1; d > 0; --d) step[d - 1] = step[d] * problem.shape[d];
  for (const Start& start : level.front)
    for (int d = 0; d < level.frame.axes(); ++d)
      for (const int sign : {-1, 1}) {
        const uint8_t kind = level.kinds[start.node + sign * level.frame.step(d)];
        if (!(kind & SIGNS) || kind & FRONT) continue;
        const double time = times[start.index + sign * step[d]];
        if (start.time > std::min(time, problem.narrow)) return false;  // wanted or not
      }
  return true;
}

// False, and no answer, where the problem is not one for sweeps.
inline bool by_sweeps(const MarchProblem& problem, const ZeroLevel& level) {
  const size_t axes = problem.shape.size();
  if (axes > 3 || problem.wraps() || problem.carried) return false;
  const int64_t n = level.frame.pixels();
  // Nodes at the front are walls with a time, and keep it.
  const Large<double> speed = large<double>(n);
  parallel_for(n, int64_t{1} << 17, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const double here = problem.speed ? problem.speed[i] : 1;
      speed[i] = problem.closed && problem.closed[i] ? 0 : here;
    }
  });
  std::vector<int64_t> nodes;
  std::vector<double> starts;
  for (const Start& start : level.front) {
    speed[start.index] = 0;
    nodes.push_back(start.index);
    starts.push_back(start.time);
  }
  Problem<double> p = {{1, 1, 1}, speed.get(),    1.0,          nullptr,
                       {1, 1, 1}, problem.narrow, problem.times};
  int64_t* sides[] = {&p.grid.planes, &p.grid.rows, &p.grid.columns};
  for (size_t d = 0; d < axes; ++d) {
    *sides[3 - axes + d] = problem.shape[d];
    p.spacing[3 - axes + d] = problem.spacing[d];
  }
  if (axes == 1) p.spacing[1] = p.spacing[2];
  Pages memory;
  find_times(p, {nodes.data(), starts.data(), static_cast<int64_t>(nodes.size())}, memory, true);
  for (const Start& start : level.front) problem.times[start.index] = start.time;
  if (!is_upwind(problem, level, problem.times)) return false;
  level.frame.for_lines([&](int64_t, int64_t to, int64_t at) {
    for (int64_t x = 0; x < level.frame.width(); ++x) {
      double& time = problem.times[to + x];
      if (!(time < Problem<double>::never)) time = std::numeric_limits<double>::quiet_NaN();
      if (!problem.speed && level.kinds[at + x] & NEGATIVE) time = -time;
    }
  });
  return true;
}

}  // namespace lesionkit::fronts

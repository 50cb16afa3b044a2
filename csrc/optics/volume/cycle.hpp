// The preconditioner: one V-cycle over the hierarchy, in float. On the way down a forward sweep of
// Gauss and Seidel from 0, on the way up a backward one, so that it is symmetric; the first level
// has the system's own matrix, the coarser ones those of a homogeneous background (Vanek, Mandel
// and Brezina, Computing 56, 179, 1996, for smoothed aggregation).
#pragma once

#include <algorithm>
#include <vector>

#include "optics/volume/columns.hpp"
#include "optics/volume/plan.hpp"

namespace lesionkit::optics {

class Cycle {
 public:
  Cycle(const VolumePlan& plan, const Hierarchy& hierarchy) : hierarchy_(hierarchy) {
    for (const Level& level : hierarchy.levels) {
      matrix_.push_back({level.start.data(), level.column.data(), level.diagonal.data(),
                         level.value.data(), level.nodes});
      if (&level != &hierarchy.levels.front()) {
        right_.push_back(large<float>(int64_t{level.nodes} * W));
        answer_.push_back(large<float>(int64_t{level.nodes} * W));
      }
    }
    right_.push_back(large<float>(int64_t{hierarchy.coarsest} * W));
    answer_.push_back(large<float>(int64_t{hierarchy.coarsest} * W));
    matrix_[0] = {plan.start.data(), plan.column.data(), plan.diagonal.data(), nullptr, plan.nodes};
  }

  // The system's matrix.
  void set(const float* value) { matrix_[0].value = value; }

  // z = an approximate solution for r; visit(row of r, row of z) of each node at the end.
  template <class Visit>
  void run(const float* r, float* z, Visit&& visit) {
    level(0, r, z, visit);
  }

 private:
  struct Nothing {
    void operator()(const Row<float>&, const Row<float>&) const {}
  };

  template <class Visit>
  void level(size_t l, const float* r, float* z, Visit&& visit) {
    const Entries<float>& a = matrix_[l];
    const Level& here = hierarchy_.levels[l];
    for (int64_t i = 0; i < a.nodes; ++i) {  // (D + L) z = r
      Row<float> sum = Row<float>::of(r + i * W);
      const int64_t middle = a.diagonal[i];
      add_products<true>(sum, a.column, a.value, a.start[i], middle, z);
      sum.scale(1.0f / a.value[middle]);
      sum.to(z + i * W);
    }
    float *coarse = right_[l].get(), *found = answer_[l].get();
    const bool last = l + 1 == hierarchy_.levels.size();
    const int64_t below = last ? hierarchy_.coarsest : hierarchy_.levels[l + 1].nodes;
    std::fill(coarse, coarse + below * W, 0.0f);
    for (int64_t i = 0; i < a.nodes; ++i) {  // r - A z = -U z
      Row<float> sum = Row<float>::zero();
      add_products<true>(sum, a.column, a.value, a.diagonal[i] + 1, a.start[i + 1], z);
      for (int32_t e = here.up_start[i]; e < here.up_start[i + 1]; ++e) {
        float* to = coarse + int64_t{here.up_column[e]} * W;
        Row<float> there = Row<float>::of(to);
        there.add(here.up[e], sum);
        there.to(to);
      }
    }
    if (last)
      solve_coarsest(coarse, found);
    else
      level(l + 1, coarse, found, Nothing{});
    for (int64_t i = 0; i < a.nodes; ++i) {
      Row<float> sum = Row<float>::of(z + i * W);
      add_products<false>(sum, here.up_column.data(), here.up.data(), here.up_start[i],
                          here.up_start[i + 1], found);
      sum.to(z + i * W);
    }
    for (int64_t i = a.nodes - 1; i >= 0; --i) {  // (D + U) z = r - L z
      const Row<float> right = Row<float>::of(r + i * W);
      Row<float> sum = right;
      const int64_t middle = a.diagonal[i];
      add_products<true>(sum, a.column, a.value, a.start[i], middle, z);
      add_products<true>(sum, a.column, a.value, middle + 1, a.start[i + 1], z);
      sum.scale(1.0f / a.value[middle]);
      sum.to(z + i * W);
      visit(right, sum);
    }
  }

  void solve_coarsest(const float* r, float* z) const {
    const int n = hierarchy_.coarsest;
    for (int64_t i = 0; i < n; ++i) {
      Row<float> sum = Row<float>::zero();
      for (int64_t j = 0; j < n; ++j)
        sum.add(hierarchy_.inverse[i * n + j], Row<float>::of(r + j * W));
      sum.to(z + i * W);
    }
  }

  const Hierarchy& hierarchy_;
  std::vector<Entries<float>> matrix_;
  std::vector<Large<float>> right_, answer_;  // of the level after each
};

}  // namespace lesionkit::optics

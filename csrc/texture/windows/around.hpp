// What each voxel of a window has around it in the window: dependent neighbours (Sun and Wee, 1983)
// and the mean of the neighbours' levels (Amadasun and King, 1989).
#pragma once

#include <cmath>
#include <cstdlib>
#include <vector>

#include "texture/windows/sizes.hpp"
#include "texture/windows/window.hpp"

namespace lesionkit::texture::windows {

// In the order of PyRadiomics' names.
enum ToneFeature : int { BUSYNESS, COARSENESS, COMPLEXITY, TONE_CONTRAST, STRENGTH, TONE_FEATURES };

class Around {
 public:
  explicit Around(int64_t places)
      : dependent_(places), neighbours_(places), sum_(places), voxels_(places), apart_(places) {}

  void look(const Levels& levels, const std::vector<std::vector<Beside>>& near, int64_t alpha) {
    std::fill(dependent_.begin(), dependent_.end(), 0);
    std::fill(neighbours_.begin(), neighbours_.end(), 0);
    std::fill(sum_.begin(), sum_.end(), 0);
    for (const auto& along : near)
      for (const Beside& pair : along) add(levels, pair, alpha);
  }

  void add_dependences(const Levels& levels, Sizes& sizes) const {
    for (size_t k = 0; k < dependent_.size(); ++k)
      if (levels.level[k] != 0) sizes.add(levels.level[k], levels.rank[k], dependent_[k] + 1);
  }

  // Voxels without a neighbour count, with a difference of 0.
  void tones(const Levels& levels, double* feature) {
    const int64_t kinds = levels.kinds();
    std::fill_n(voxels_.begin(), kinds, 0.0);
    std::fill_n(apart_.begin(), kinds, 0.0);
    for (size_t k = 0; k < dependent_.size(); ++k) {
      if (levels.level[k] == 0) continue;
      voxels_[levels.rank[k]] += 1.0;
      if (neighbours_[k] > 0)
        apart_[levels.rank[k]] +=
            std::fabs(static_cast<double>(levels.level[k]) -
                      static_cast<double>(sum_[k]) / static_cast<double>(neighbours_[k]));
    }
    const double n = static_cast<double>(levels.inside);
    double share_apart = 0.0, all_apart = 0.0;
    for (int64_t i = 0; i < kinds; ++i) {
      voxels_[i] /= n;  // their share
      share_apart += voxels_[i] * apart_[i];
      all_apart += apart_[i];
    }
    // over pairs of different levels, each twice
    double spread = 0.0, between = 0.0, complexity = 0.0, strength = 0.0;
    for (int64_t a = 0; a < kinds; ++a)
      for (int64_t b = 0; b < a; ++b) {
        const double i = levels.known[a], j = levels.known[b], p = voxels_[a], q = voxels_[b];
        const double far = std::fabs(i - j);
        spread += p * q * far * far;
        between += std::fabs(i * p - j * q);
        complexity += far * (p * apart_[a] + q * apart_[b]) / (p + q);
        strength += (p + q) * far * far;
      }
    const auto pairs = static_cast<double>(kinds * (kinds - 1));
    feature[BUSYNESS] = between != 0.0 ? share_apart / (2.0 * between) : 0.0;
    feature[COARSENESS] = share_apart != 0.0 ? 1.0 / share_apart : 1e6;
    feature[COMPLEXITY] = 2.0 * complexity / n;
    feature[TONE_CONTRAST] = pairs > 0.0 ? 2.0 * spread * all_apart / n / pairs : 0.0;
    feature[STRENGTH] = all_apart != 0.0 ? 2.0 * strength / all_apart : 0.0;
  }

 private:
  void add(const Levels& levels, const Beside& pair, int64_t alpha) {
    const int64_t a = levels.level[pair.from], b = levels.level[pair.to];
    const int64_t both = (a != 0) & (b != 0), dependent = both & (std::abs(a - b) <= alpha);
    neighbours_[pair.from] += both;
    neighbours_[pair.to] += both;
    dependent_[pair.from] += dependent;
    dependent_[pair.to] += dependent;
    sum_[pair.from] += both ? b : 0;
    sum_[pair.to] += both ? a : 0;
  }

  std::vector<int64_t> dependent_, neighbours_, sum_;
  std::vector<double> voxels_, apart_;  // of each rank
};

}  // namespace lesionkit::texture::windows

// Which voxels of one level are in one zone: those whose places differ in at most `connectivity`
// axes, by one in each (Thibault et al., PRIP 2009, 140-145; all 26 in the IBSI's manual).
#pragma once

#include "common/grid.hpp"

namespace lesionkit::texture {

HD bool joined(const Offset& by, int64_t connectivity) {
  const auto size = [](int64_t x) { return x < 0 ? -x : x; };
  const int64_t z = size(by.plane), y = size(by.row), x = size(by.column);
  return z <= 1 && y <= 1 && x <= 1 && z + y + x <= connectivity;
}

}  // namespace lesionkit::texture

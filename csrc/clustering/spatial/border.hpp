// Where an image goes on past its border.
#pragma once

#include "common/portable.hpp"

namespace lesionkit::clustering::spatial {

// By the rule of numpy.pad; VALID does not go on at all, and a window there holds fewer pixels.
enum class Border { VALID, REFLECT, SYMMETRIC, EDGE };

// The pixel that stands at i of a line of n that goes on past its border, or -1.
HD int64_t continued(int64_t i, int64_t n, Border border) {
  if (0 <= i && i < n) return i;
  if (border == Border::VALID) return -1;
  if (border == Border::EDGE) return i < 0 ? 0 : n - 1;
  const bool twice = border == Border::SYMMETRIC;  // the pixel at the border stands there twice
  const int64_t period = twice ? 2 * n : 2 * n - 2;
  if (period == 0) return 0;
  const int64_t there = (i % period + period) % period, back = period - twice - there;
  return there < back ? there : back;
}

}  // namespace lesionkit::clustering::spatial

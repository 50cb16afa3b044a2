// Feature maps and patterns: what the binding and the tests call. Python has checked shapes and
// levels, and continued the image past its border (texture/maps.py, texture/lbp.py).
#pragma once

#include <array>
#include <vector>

#include "common/view.hpp"

namespace lesionkit::texture {

// image (planes, rows, columns), continued by half a window on each side; offsets (n, 3) within the
// window; features: numbers of MapFeature; out (n or, averaged, 1, features, planes, rows,
// columns).
void feature_maps(View<const uint16_t> image, std::array<int64_t, 3> window,
                  View<const int64_t> offsets, int64_t levels, std::vector<int> features,
                  bool average, double first_level, double log_base, View<double> out);

// image (rows + 2 margin, columns + 2 margin), neighbours (n, 4), codes (rows, columns). T:
// uint8_t, uint16_t, float or double.
template <class T>
void cs_lbp(View<const T> image, View<const double> neighbours, double threshold,
            View<uint16_t> codes);

}  // namespace lesionkit::texture

// Watersheds and minima: what the binding and the tests call. Python has checked shapes and values
// (fronts/watershed.py, fronts/markers.py).
#pragma once

#include "common/view.hpp"

namespace lesionkit::fronts {

// image, markers and out have one shape, of one axis or more; out has the markers' kind, a whole
// number. Neighbours are visited in the order of `offsets` (neighbours, axes).
void watershed(const AnyView& image, const AnyView& markers, Maybe<const uint8_t> mask,
               View<const int64_t> offsets, bool watershed_line, const AnyView& out);

// The same, compact: of each pixel the marker's pixel that it belongs to, numbered in raster order;
// -1 where there is none. marked: not 0 where there is a marker.
void compact_watershed(const AnyView& image, View<const uint8_t> marked, Maybe<const uint8_t> mask,
                       View<const int64_t> offsets, double compactness, View<int64_t> out);

// labels has the image's shape. Returns how many minima there are. Images of integers up to 16 bits
// are worked on in 32 bits, h being at most 2^17; others in double.
int32_t h_minima(const AnyView& image, double h, int connectivity, View<int32_t> labels);

}  // namespace lesionkit::fronts

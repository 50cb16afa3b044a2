// Features of regions: what the binding and the tests call. Python has checked shapes and values
// (texture/rois.py).
#pragma once

#include "common/view.hpp"

namespace lesionkit::texture::rois {

// T: uint8_t, uint16_t or double.
// rois (n, planes, rows, columns) -> out (n, offsets, features)
template <class T>
void roi_features(View<const T> rois, View<const int64_t> offsets, int64_t levels, int normalise,
                  View<const int32_t> features, double per_nat, View<double> out);

// image, labels (planes, rows, columns); of the objects `ids` their boxes (n, 6): the first plane,
// row and column, and those after the last -> out (n, offsets, features)
template <class T>
void label_features(View<const T> image, View<const int32_t> labels, View<const int64_t> boxes,
                    View<const int32_t> ids, View<const int64_t> offsets, int64_t levels,
                    int normalise, View<const int32_t> features, double per_nat, View<double> out);

// boxes (labels, 6) of the labels 0, 1, ...; all zeros for one that is nowhere.
void label_boxes(View<const int32_t> labels, View<int64_t> boxes);

}  // namespace lesionkit::texture::rois

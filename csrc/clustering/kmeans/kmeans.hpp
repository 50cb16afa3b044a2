// k-means, one sample at a time; read by the CPU's loops and by kmeans.cu.
//
// Lloyd's algorithm (IEEE Trans. Inf. Theory 28, 1982): every sample goes to its nearest centre, of
// two as near to the one with the lower number; every centre moves to the weighted mean of its
// samples; and again. With one feature the centres in ascending order cut the line at their
// midpoints, and a sample's cluster is the number of cuts below it: no distance is computed.
#pragma once

#include "common/portable.hpp"

namespace lesionkit::clustering {

// The cluster on a line of a sample: how many of the ascending cuts are less than it.
template <class T>
HD int cuts_below(T x, const T* cuts, int count) {
  int below = 0;
  for (int m = 0; m < count; ++m) below += x > cuts[m];
  return below;
}

// |x - c|^2 of a sample of d features; those of c lie `stride` apart.
template <class T>
HD double squared_distance(const T* x, const double* c, int64_t d, int64_t stride) {
  double sum = 0.0;
  for (int64_t e = 0; e < d; ++e) {
    const double step = static_cast<double>(x[e]) - c[e * stride];
    sum += step * step;
  }
  return sum;
}

}  // namespace lesionkit::clustering

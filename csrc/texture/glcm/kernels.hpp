// Co-occurrence: what the binding and the tests call. Python has checked shapes and levels
// (texture/glcm.py, texture/haralick.py).
#pragma once

#include <utility>

#include "common/view.hpp"

namespace lesionkit::texture {

using Extremes = std::pair<int64_t, int64_t>;

// Fills counts (batch, offsets, levels, levels) and returns the least and the greatest level of
// what is to be counted; where these are no levels, nothing is counted. image, mask: (batch,
// planes, rows, columns). T: a whole number, C: uint32_t or uint64_t.
template <class T, class C>
Extremes count_pairs(View<const T> image, Maybe<const uint8_t> mask, View<const int64_t> offsets,
                     bool symmetric, View<C> counts);

// Fills matrices (levels, levels, n) with the pairs of image (rows, columns) at offsets (n, 2);
// where they are real, divided by totals (n). T: a whole number, P: uint32_t or double.
template <class T, class P>
void graycomatrix(View<const T> image, View<const int64_t> offsets, bool symmetric,
                  View<const double> totals, View<P> matrices);

// Of matrices (levels, levels, n), T: uint32_t or double.
// sums (2, n): each matrix's sum, and the sum of weights[|i - j|] p, or of p^2 where `square`.
template <class T>
void weighted_sums(View<const T> matrices, View<const double> weights, bool square,
                   View<double> sums);
// sums (3, levels, n): of each row i, of each column j, and of j p along each row.
template <class T>
void line_sums(View<const T> matrices, View<double> sums);
// out (n): -sum p ln p of the matrices divided by totals (n).
template <class T>
void entropies(View<const T> matrices, View<const double> totals, View<double> out);

// counts (n, levels, levels) -> lines (n, 5 levels - 1): rows, columns, antidiagonals, diagonals;
// totals (n, 3): sum of c^2, sum of c ln c, largest c. T: uint32_t, uint64_t or double.
template <class T>
void marginals(View<const T> counts, View<double> lines, View<double> totals);

}  // namespace lesionkit::texture

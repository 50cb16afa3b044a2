// Codebooks: what the binding and the tests call. Python has checked shapes and labels
// (clustering/codebook.py).
#pragma once

#include "common/view.hpp"

namespace lesionkit::clustering {

// cells (k, 1 + 2 d): the sums of each cell of samples x (n, d), of which `labels` tells the cell.
// T: float or double.
template <class T>
void cell_sums(View<const T> x, Maybe<const double> weights, View<const int32_t> labels,
               View<const double> words, View<double> cells);

// words (k, d) and weights (k): the first `target` are what is left.
void merge_pairs(View<double> words, View<double> weights, int64_t target);

}  // namespace lesionkit::clustering

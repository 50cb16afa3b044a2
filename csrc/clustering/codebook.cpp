// The loops of codebooks.

#include "clustering/codebook.hpp"

#include <algorithm>
#include <vector>

#include "clustering/kernels.hpp"
#include "common/reduce.hpp"
#include "common/view.hpp"

namespace lesionkit::clustering {

template <class T>
void cell_sums(View<const T> x, Maybe<const double> weights, View<const int32_t> labels,
               View<const double> words, View<double> cells) {
  const int64_t n = x.shape(0), d = x.shape(1), size = cells.size(), stride = 1 + 2 * d;
  const int64_t grain = std::max<int64_t>(1 << 14, size);
  const double* w = data_or_null(weights);
  std::fill_n(cells.data(), size, 0.0);
  sum_in_order(n, grain, {cells.data(), static_cast<size_t>(size)},
               [&](int64_t begin, int64_t end, double* to) {
                 for (int64_t i = begin; i < end; ++i) {
                   const int64_t j = labels.data()[i];
                   add_to_cell(x.data() + i * d, w ? w[i] : 1.0, words.data() + j * d, d,
                               to + j * stride);
                 }
               });
}

void merge_pairs(View<double> words, View<double> weights, int64_t target) {
  PairwiseMerger(words.data(), weights.data(), words.shape(0), words.shape(1)).reduce(target);
}

template void cell_sums(View<const float>, Maybe<const double>, View<const int32_t>,
                        View<const double>, View<double>);
template void cell_sums(View<const double>, Maybe<const double>, View<const int32_t>,
                        View<const double>, View<double>);

}  // namespace lesionkit::clustering

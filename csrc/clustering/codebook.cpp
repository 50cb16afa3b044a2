// The loops of codebooks.

#include "clustering/codebook.hpp"

#include <algorithm>
#include <vector>

#include "clustering/kernels.hpp"
#include "common/parallel.hpp"
#include "common/view.hpp"

namespace lesionkit::clustering {

// The sums of chunks, which do not depend on the threads, are added in their order.
template <class T>
void cell_sums(View<const T> x, Maybe<const double> weights, View<const int32_t> labels,
               View<const double> words, View<double> cells) {
  const int64_t n = x.shape(0), d = x.shape(1), size = cells.size(), stride = 1 + 2 * d;
  const int64_t grain = std::max<int64_t>(1 << 14, size), chunks = (n + grain - 1) / grain;
  std::vector<double> sums(chunks * size);
  const double* w = data_or_null(weights);
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    double* to = sums.data() + begin / grain * size;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t j = labels.data()[i];
      add_to_cell(x.data() + i * d, w ? w[i] : 1.0, words.data() + j * d, d, to + j * stride);
    }
  });
  double* to = cells.data();
  std::fill_n(to, size, 0.0);
  for (size_t i = 0; i < sums.size(); ++i) to[i % size] += sums[i];
}

void merge_pairs(View<double> words, View<double> weights, int64_t target) {
  PairwiseMerger(words.data(), weights.data(), words.shape(0), words.shape(1)).reduce(target);
}

template void cell_sums(View<const float>, Maybe<const double>, View<const int32_t>,
                        View<const double>, View<double>);
template void cell_sums(View<const double>, Maybe<const double>, View<const int32_t>,
                        View<const double>, View<double>);

}  // namespace lesionkit::clustering

// lesionkit.clustering, codebooks: Python has checked shapes and labels (clustering/codebook.py).
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "clustering/codebook.hpp"
#include "common/arrays.hpp"
#include "common/parallel.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::clustering;

namespace {

// cells (k, 1 + 2 d): the sums of each cell of samples x (n, d), of which `labels` tells the cell.
// The sums of chunks, which do not depend on the threads, are added in their order.
template <class T>
void cell_sums(const Array<T>& x, const std::optional<Array<double>>& weights,
               const Array<int32_t>& labels, const Array<double>& words, Array<double>& cells) {
  const int64_t n = x.shape(0), d = x.shape(1), size = cells.size(), stride = 1 + 2 * d;
  const int64_t grain = std::max<int64_t>(1 << 14, size), chunks = (n + grain - 1) / grain;
  std::vector<double> sums(chunks * size);
  const double* w = weights ? weights->data() : nullptr;
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    double* to = sums.data() + begin / grain * size;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t j = labels.data()[i];
      add_to_cell(x.data() + i * d, w ? w[i] : 1.0, words.data() + j * d, d, to + j * stride);
    }
  });
  double* to = cells.mutable_data();
  std::fill_n(to, size, 0.0);
  for (size_t i = 0; i < sums.size(); ++i) to[i % size] += sums[i];
}

// words (k, d) and weights (k): the first `target` are what is left.
void merge_pairs(Array<double>& words, Array<double>& weights, int64_t target) {
  PairwiseMerger(words.mutable_data(), weights.mutable_data(), words.shape(0), words.shape(1))
      .reduce(target);
}

template <class T>
void bind(py::module_ m) {
  using namespace py::literals;
  m.def("cell_sums", cell_sums<T>, "x"_a.noconvert(), "weights"_a.noconvert(),
        "labels"_a.noconvert(), "words"_a.noconvert(), "cells"_a.noconvert(), ReleaseGil());
}

}  // namespace

void bind_codebook(py::module_ m) {
  using namespace py::literals;
  bind<float>(m);
  bind<double>(m);
  m.def("merge_pairs", merge_pairs, "words"_a.noconvert(), "weights"_a.noconvert(), "target"_a,
        ReleaseGil());
}

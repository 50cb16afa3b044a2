// The sums that scikit-image's properties are made of, each in one pass over matrices side by side.
#include <cmath>

#include "common/view.hpp"
#include "texture/glcm/kernels.hpp"
#include "texture/glcm/side_by_side.hpp"

namespace lesionkit::texture {
namespace {

constexpr int registers_at_a_time = lane_count<double> == 8 ? 3 : 2;  // AVX-512 has twice as many

// Adds the first lanes of `sums`, those of matrices k and following, to out.
template <int registers>
void add_lanes(const Simd<double> (&sums)[registers], int64_t k, int64_t n, double* out) {
  for (int64_t l = k; l < std::min(n, k + registers * lane_count<double>); ++l)
    out[l] += sums[(l - k) / lane_count<double>][(l - k) % lane_count<double>];
}

// sums (2, n): each matrix's sum, and the sum of weights[|i - j|] p, or of p^2 where `square`.
template <bool square, class T>
void weighted_sums_of(View<const T> matrices, View<const double> weights, View<double> sums) {
  const Rows<T> rows(matrices.data(), matrices.shape(0), matrices.shape(2));
  const int64_t levels = rows.levels(), n = rows.matrices();
  std::vector<double> mirrored(2 * levels - 1);  // [levels - 1 + j - i]
  for (int64_t d = 0; d < levels; ++d)
    mirrored[levels - 1 - d] = mirrored[levels - 1 + d] = weights.data()[d];
  const auto whole = sum_rows(levels, n, 2 * n, [&](int64_t begin, int64_t end, double* sums) {
    for (int64_t i = begin; i < end; ++i) {
      const T* row = rows.row(i);
      const double* weight = mirrored.data() + levels - 1 - i;
      for_registers<registers_at_a_time>(n, [=]<int registers>(int64_t k, Constant<registers>) {
        Simd<double> sum[2][registers] = {}, weighted[2][registers] = {};  // even and odd columns
        const auto add = [&](int64_t j, int turn) {
          for (int r = 0; r < registers; ++r) {
            const Simd<double> p = load<Simd<double>>(row + j * n + k + r * lane_count<double>);
            sum[turn][r] += p;
            weighted[turn][r] += square ? p * p : weight[j] * p;
          }
        };
        int64_t j = 0;
        for (; j + 2 <= levels; j += 2) {
          add(j, 0);
          add(j + 1, 1);
        }
        if (j < levels) add(j, 0);
        for (int r = 0; r < registers; ++r) {
          sum[0][r] += sum[1][r];
          weighted[0][r] += weighted[1][r];
        }
        add_lanes(sum[0], k, n, sums);
        add_lanes(weighted[0], k, n, sums + n);
      });
    }
  });
  std::copy(whole.begin(), whole.end(), sums.data());
}

}  // namespace

template <class T>
void weighted_sums(View<const T> matrices, View<const double> weights, bool square,
                   View<double> sums) {
  if (square)
    weighted_sums_of<true>(matrices, weights, sums);
  else
    weighted_sums_of<false>(matrices, weights, sums);
}

template <class T>
void line_sums(View<const T> matrices, View<double> sums) {
  const Rows<T> rows(matrices.data(), matrices.shape(0), matrices.shape(2));
  const int64_t levels = rows.levels(), n = rows.matrices(), size = levels * n;
  double* const out = sums.data();
  std::fill_n(out, 3 * size, 0.0);
  const auto columns = sum_rows(levels, n, size, [&](int64_t begin, int64_t end, double* columns) {
    for_registers<2>(n, [&]<int registers>(int64_t k, Constant<registers>) {
      constexpr int64_t width = registers * lane_count<double>;
      std::vector<double> column(levels * width);
      const auto add = [&]<int at_once>(int64_t i, Constant<at_once>) {
        Simd<double> row[at_once][registers] = {}, moment[at_once][registers] = {};
        for (int64_t j = 0; j < levels; ++j)
          for (int r = 0; r < registers; ++r) {
            Simd<double> below = {};
            for (int a = 0; a < at_once; ++a) {
              const Simd<double> p =
                  load<Simd<double>>(rows.row(i + a) + j * n + k + r * lane_count<double>);
              row[a][r] += p;
              moment[a][r] += static_cast<double>(j) * p;
              below += p;
            }
            double* c = column.data() + j * width + r * lane_count<double>;
            store(c, load<Simd<double>>(c) + below);
          }
        for (int a = 0; a < at_once; ++a) {
          add_lanes(row[a], k, n, out + (i + a) * n);
          add_lanes(moment[a], k, n, out + 2 * size + (i + a) * n);
        }
      };
      int64_t i = begin;
      for (; i + 2 <= end; i += 2) add(i, Constant<2>{});
      if (i < end) add(i, Constant<1>{});
      for (int64_t j = 0; j < levels; ++j)
        for (int64_t l = k; l < std::min(n, k + width); ++l)
          columns[j * n + l] += column[j * width + l - k];
    });
  });
  std::copy(columns.begin(), columns.end(), out + size);
}

template <class T>
void entropies(View<const T> matrices, View<const double> totals, View<double> out) {
  const int64_t levels = matrices.shape(0), n = matrices.shape(2);
  const T* p = matrices.data();
  const double* total = totals.data();
  const auto whole = sum_rows(levels, n, n, [=](int64_t begin, int64_t end, double* sum) {
    for (int64_t cell = begin * levels; cell < end * levels; ++cell)
      for (int64_t k = 0; k < n; ++k)
        if (const T c = p[cell * n + k]; c != 0) {
          const double share = static_cast<double>(c) / total[k];
          sum[k] -= share * std::log(share);
        }
  });
  std::copy(whole.begin(), whole.end(), out.data());
}

#define PROPERTIES(T)                                                                 \
  template void weighted_sums(View<const T>, View<const double>, bool, View<double>); \
  template void line_sums(View<const T>, View<double>);                               \
  template void entropies(View<const T>, View<const double>, View<double>);
PROPERTIES(uint32_t)
PROPERTIES(double)

}  // namespace lesionkit::texture

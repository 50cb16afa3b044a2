// Perturbed contours and noise. The field that shifts a contour is a sum of cubic B-splines, worked
// out along one axis after another.
#include <algorithm>
#include <vector>

#include "common/philox.hpp"
#include "texture/filters/kernels.hpp"

namespace lesionkit::texture {
namespace {

std::vector<float> normals(const Philox& random, int64_t count) {
  const int64_t blocks = normal_blocks(count);
  std::vector<float> found(4 * blocks);
  float* __restrict to = found.data();
  for (int64_t block = 0; block < blocks; ++block)
    normals_of_block(random, block, blocks,
                     [&](int64_t place, float deviate) { to[place] = deviate; });
  return found;
}

// sums (size): of four lists one after another, weighted.
template <class From>
void weigh(const From* lists, const double* weights, int64_t size, double* __restrict sums) {
  for (int64_t i = 0; i < size; ++i)
    sums[i] = weights[0] * lists[i] + weights[1] * lists[size + i] +
              weights[2] * lists[2 * size + i] + weights[3] * lists[3 * size + i];
}

}  // namespace

void perturb(View<const double> values, View<const double> distance, View<const int64_t> first,
             View<const double> weights, double shift, double noise, uint64_t seed, uint64_t item,
             View<uint8_t> kept, View<double> noisy) {
  const int64_t depth = values.shape(0), height = values.shape(1), width = values.shape(2);
  const int64_t *of_z = first.data(), *of_y = of_z + depth, *of_x = of_y + height;
  const int64_t planes = of_z[depth - 1] + 4, rows = of_y[height - 1] + 4,
                columns = of_x[width - 1] + 4;
  const double *along_z = weights.data(), *along_y = along_z + 4 * depth,
               *along_x = along_y + 4 * height;
  const std::vector<float> coefficients = normals({seed, item, 0}, planes * rows * columns);
  std::vector<double> plane(rows * columns), row(columns);
  for (int64_t z = 0; z < depth; ++z) {
    weigh(coefficients.data() + of_z[z] * rows * columns, along_z + 4 * z, rows * columns,
          plane.data());
    for (int64_t y = 0; y < height; ++y) {
      weigh(plane.data() + of_y[y] * columns, along_y + 4 * y, columns, row.data());
      const int64_t start = (z * height + y) * width;
      for (int64_t x = 0; x < width; ++x) {
        double field = 0.0;
        weigh(row.data() + of_x[x], along_x + 4 * x, 1, &field);
        kept.data()[start + x] = distance.data()[start + x] + shift * field > 0.0;
      }
    }
  }
  const std::vector<float> deviates = normals({seed, item, 1}, values.size());
  for (int64_t i = 0; i < values.size(); ++i)
    noisy.data()[i] = values.data()[i] + noise * static_cast<double>(deviates[i]);
}

}  // namespace lesionkit::texture

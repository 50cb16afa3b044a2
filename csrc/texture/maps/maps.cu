// Feature maps and centre-symmetric patterns on a GPU: the formulas of maps.hpp and lbp.hpp, a
// thread for each pixel. Equal pairs are counted by comparing all pairs of the window, which needs
// no table: a pair in a cell of count c adds ln c to the sum of c ln c.
#include "texture/maps/lbp.hpp"
#include "texture/maps/maps.hpp"

using namespace lesionkit;
using namespace lesionkit::texture;

// Of an image that is continued by half a window on each side, and of the window.
struct WindowShape {
  int64_t planes, rows, columns, window_planes, window_rows, window_columns;
};

struct Windows : WindowShape {
  const uint16_t* image;

  HD int64_t size() const {
    return (planes - window_planes + 1) * (rows - window_rows + 1) * (columns - window_columns + 1);
  }
  HD const uint16_t* corner(int64_t pixel) const {
    const int64_t w = columns - window_columns + 1, h = rows - window_rows + 1;
    return image + ((pixel / (w * h)) * rows + pixel / w % h) * columns + pixel % w;
  }
  // Calls take(number, a, b) for each pair of the window.
  template <class Take>
  HD int64_t for_each_pair(const uint16_t* corner, Offset offset, Take&& take) const {
    const Pairs pairs(window_planes, window_rows, window_columns, offset);
    const int64_t away = (offset.plane * rows + offset.row) * columns + offset.column;
    int64_t number = 0;
    for (int64_t p = pairs.planes.begin; p < pairs.planes.end; ++p)
      for (int64_t r = pairs.rows.begin; r < pairs.rows.end; ++r)
        for (int64_t x = pairs.columns.begin; x < pairs.columns.end; ++x) {
          const uint16_t* a = corner + (p * rows + r) * columns + x;
          take(number++, a[0], a[away]);
        }
    return number;
  }
};

// The squares and logs of WindowSums from `n` codes, one each `stride`; log_of[c] is ln c.
HD void count_equal(Counted what, const uint32_t* codes, int64_t stride, int64_t n, int64_t levels,
                    const double* log_of, WindowSums& w) {
  w.squares = w.logs = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t code = codes[i * stride];
    int64_t c = 0;
    for (int64_t j = 0; j < n; ++j) c += codes[j * stride] == code;
    if (what != PAIRS) {
      w.logs += log_of[c];
    } else if (code % (levels + 1) == 0) {  // on the diagonal: one cell of 2 c
      w.squares += 4.0 * c;
      w.logs += 2.0 * log_of[2 * c];
    } else {
      w.squares += 2.0 * c;
      w.logs += 2.0 * log_of[c];
    }
  }
}

// out: [offsets or 1][features][pixels]. Codes lie in shared memory where they fit, else in scratch
// ([pairs][threads of the grid]).
__global__ void feature_maps(const uint16_t* image, WindowShape shape, const Offset* offsets,
                             int64_t n, int64_t levels, const int64_t* features, int64_t count,
                             int64_t average, double first_level, double log_base,
                             const double* log_of, int64_t in_shared, uint32_t* scratch,
                             double* out) {
  DYNAMIC_SHARED(uint32_t, shared);
  const Windows windows = {shape, image};
  const int64_t thread = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const int64_t threads = int64_t{gridDim.x} * blockDim.x, pixels = windows.size();
  const auto work = [&](uint32_t* codes, int64_t stride) {
    for (int64_t pixel = thread; pixel < pixels; pixel += threads)
      for (int64_t k = 0; k < n; ++k) {
        const uint16_t* corner = windows.corner(pixel);
        WindowSums w = {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0};
        const int64_t pairs =
            windows.for_each_pair(corner, offsets[k], [&](int64_t, uint32_t a, uint32_t b) {
              const double s = static_cast<double>(a + b), d = a > b ? a - b : b - a;
              w.sum += s;
              w.sum_square += s * s;
              w.difference += d;
              w.difference_square += d * d;
              w.inverse += 1.0 / (1.0 + d * d);
            });
        const double size = static_cast<double>(pairs);
        const WindowRule rule = {size, first_level, log_of[pairs], log_base};
        Counted known = NOTHING;
        for (int64_t f = 0; f < count; ++f) {
          const int feature = static_cast<int>(features[f]);
          const Counted what = counted(feature);
          if (what != NOTHING && what != known) {
            windows.for_each_pair(corner, offsets[k], [&](int64_t i, uint32_t a, uint32_t b) {
              codes[i * stride] = code_of(what, a, b, static_cast<uint32_t>(levels));
            });
            count_equal(what, codes, stride, pairs, levels, log_of, w);
            known = what;
          }
          const double value = feature_of(feature, w, rule);
          double* to = out + ((average ? 0 : k * count) + f) * pixels + pixel;
          const double sum = average && k > 0 ? *to + value : value;
          *to = average && k == n - 1 ? sum * (1.0 / static_cast<double>(n)) : sum;
        }
      }
  };
  // Written out for each kind of memory: a pointer to either is slower to use.
  if (in_shared)
    work(shared + threadIdx.x, blockDim.x);
  else
    work(scratch + thread, threads);
}

// image: [rows + 2 margin][columns + 2 margin]; codes: [rows][columns]
template <class T>
__global__ void cs_lbp(const T* image, int64_t rows, int64_t columns, int64_t margin,
                       const Neighbour* neighbours, int64_t n, double threshold, uint16_t* codes) {
  const int64_t stride = columns + 2 * margin, step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < rows * columns; i += step) {
    const T* here = image + (i / columns + margin) * stride + i % columns + margin;
    uint32_t code = 0;
    for (int64_t p = 0; p < n; ++p)
      code |= static_cast<uint32_t>(exceeds(here, stride, neighbours[p], threshold)) << p;
    codes[i] = static_cast<uint16_t>(code);
  }
}

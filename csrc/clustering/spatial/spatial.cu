// Spatial fuzzy c-means on a GPU: FCM_S1, FCM_S2, sFCM and FLICM, whose formulas stand in the
// headers beside this, a thread for a pixel. Pixels are planar, [channels][n]; memberships too,
// [classes][n], and 0 outside the mask: `share` is what a pixel counts, 1 or 0, or nullptr where
// all count.
//
// A pass is memberships from the centres and, of these, one sum for each number that the next
// centres are made of, by a row of blocks: the host moves the centres.
#include "clustering/fcm/block_sums.hpp"
#include "clustering/fcm/fcm.hpp"
#include "clustering/spatial/border.hpp"

using namespace lesionkit;
using namespace lesionkit::clustering;
using namespace lesionkit::clustering::spatial;

// An image, and half of a window's sides.
struct Frame {
  int64_t planes, rows, columns, half_planes, half_rows, half_columns, border;

  HD int64_t size() const { return planes * rows * columns; }

  // Calls visit(at, p, r, c) for each pixel of the window about pixel i, p, r and c steps from it,
  // as often as it stands there.
  template <class Visit>
  HD void each(int64_t i, const Visit& visit) const {
    const auto edge = static_cast<Border>(border);
    const int64_t plane = i / columns / rows, row = i / columns % rows, column = i % columns;
    for (int64_t p = -half_planes; p <= half_planes; ++p) {
      const int64_t z = continued(plane + p, planes, edge);
      for (int64_t r = -half_rows; z >= 0 && r <= half_rows; ++r) {
        const int64_t y = continued(row + r, rows, edge);
        for (int64_t c = -half_columns; y >= 0 && c <= half_columns; ++c) {
          const int64_t x = continued(column + c, columns, edge);
          if (x >= 0) visit((z * rows + y) * columns + x, p, r, c);
        }
      }
    }
  }

  // The same for the neighbours that count.
  template <class Visit>
  HD void each_neighbour(int64_t i, const uint8_t* mask, int64_t self, const Visit& visit) const {
    each(i, [&](int64_t at, int64_t p, int64_t r, int64_t c) {
      if ((self || p || r || c) && (!mask || mask[at])) visit(at);
    });
  }
};

// Calls work(i) for all i < count, by the whole row of blocks.
template <class Work>
HD void for_each_item(int64_t count, const Work& work) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) work(i);
}

// Of each channel. A pixel without neighbours gets its own value.
template <class T>
__global__ void window_mean(const T* images, int64_t channels, const uint8_t* mask, Frame frame,
                            int64_t self, T* out) {
  const int64_t n = frame.size();
  for_each_item(channels * n, [&](int64_t item) {
    const int64_t i = item % n;
    const T* x = images + (item - i);
    double sum = 0.0, count = 0.0;
    frame.each_neighbour(i, mask, self, [&](int64_t at) { sum += x[at], count += 1.0; });
    out[item] = count > 0.0 ? static_cast<T>(sum / count) : x[i];
  });
}

// The same with the median: the one or two neighbours that as many are below as the rank says.
template <class T>
__global__ void window_median(const T* images, int64_t channels, const uint8_t* mask, Frame frame,
                              int64_t self, T* out) {
  const int64_t n = frame.size();
  for_each_item(channels * n, [&](int64_t item) {
    const int64_t i = item % n;
    const T* x = images + (item - i);
    int64_t count = 0;
    frame.each_neighbour(i, mask, self, [&](int64_t) { ++count; });
    T low = x[i], high = x[i];
    frame.each_neighbour(i, mask, self, [&](int64_t at) {
      const T value = x[at];
      int64_t below = 0, equal = 0;
      frame.each_neighbour(i, mask, self, [&](int64_t other) {
        below += x[other] < value;
        equal += x[other] == value;
      });
      const auto has = [&](int64_t rank) { return below <= rank && rank < below + equal; };
      low = has((count - 1) / 2) ? value : low;
      high = has(count / 2) ? value : high;
    });
    out[item] = T(0.5) * low + T(0.5) * high;
  });
}

// |x - v_j|^2 of pixel i.
template <class T>
HD T square_of(const T* x, int64_t n, int64_t d, const T* centres, int64_t i, int64_t j) {
  T sum = 0;
  for (int64_t k = 0; k < d; ++k) {
    const T apart = x[k * n + i] - centres[j * d + k];
    sum += apart * apart;
  }
  return sum;
}

// u from the distances; with `extra`, that is added to them (FCM_S1, FCM_S2); with `old`, the local
// information of these memberships is (FLICM).
template <class T>
__global__ void class_memberships(const T* x, const T* extra, const T* share, const T* old,
                                  int64_t n, int64_t d, int64_t c, double m, const T* centres,
                                  Frame frame, T* u) {
  const Fuzziness f(m);
  for_each_item(n, [&](int64_t i) {
    T least = 0;
    for (int64_t j = 0; j < c; ++j) {
      T distance = square_of(x, n, d, centres, i, j);
      if (extra) distance += extra[i];
      if (old)
        frame.each(i, [&](int64_t at, int64_t p, int64_t r, int64_t q) {
          const int64_t step = p * p + r * r + q * q;
          if (step == 0 || (share && share[at] == T(0))) return;
          const T near = static_cast<T>(1.0 / (1.0 + sqrt(static_cast<double>(step))));
          const T rest = T(1) - old[j * n + at];
          distance += near * (raised(rest, m) * square_of(x, n, d, centres, at, j));
        });
      u[j * n + i] = distance;
      least = j == 0 || distance < least ? distance : least;
    }
    T sum = 0;
    for (int64_t j = 0; j < c; ++j) sum += u[j * n + i] = part_of(ratio_of(least, u[j * n + i]), f);
    const T scale = (share ? share[i] : T(1)) / sum;
    for (int64_t j = 0; j < c; ++j) u[j * n + i] *= scale;
  });
}

// sFCM: u' from u, with the powers p and q. Where they leave nothing, u' is u.
template <class T>
__global__ void weigh_by_window(const T* u, const T* share, int64_t c, double p, double q,
                                Frame frame, T* to) {
  const int64_t n = frame.size();
  const int64_t window =
      (2 * frame.half_planes + 1) * (2 * frame.half_rows + 1) * (2 * frame.half_columns + 1);
  const T part = T(1) / static_cast<T>(window);  // powers are of h in [0, 1]
  for_each_item(n, [&](int64_t i) {
    T total = 0;
    for (int64_t j = 0; j < c; ++j) {
      T h = 0;
      frame.each(i, [&](int64_t at, int64_t, int64_t, int64_t) { h += u[j * n + at]; });
      total += to[j * n + i] = raised(u[j * n + i], p) * raised(h * part, q);
    }
    const T scale = (share ? share[i] : T(1)) / (total > T(0) ? total : T(1));
    for (int64_t j = 0; j < c; ++j)
      to[j * n + i] = total > T(0) ? to[j * n + i] * scale : u[j * n + i];
  });
}

// What the next centres are made of, numbers [classes][1 + channels]: u^m, and u^m (x - v) of each
// channel, a row of blocks for each. parts: [numbers][blocks].
template <class T>
__global__ void class_sums(const T* x, const T* u, int64_t n, int64_t d, int64_t c, double m,
                           const T* centres, double* parts) {
  DYNAMIC_SHARED(double, shared);
  for (int64_t number = blockIdx.y; number < c * (d + 1); number += gridDim.y) {
    const int64_t j = number / (d + 1), k = number % (d + 1) - 1;
    double sum[1] = {};
    for_each_item(n, [&](int64_t i) {
      const T weight = raised(u[j * n + i], m);
      sum[0] += k < 0 ? weight : weight * (x[k * n + i] - centres[j * d + k]);
    });
    add_block(sum, shared, parts, [=](int64_t) { return number; });
  }
}

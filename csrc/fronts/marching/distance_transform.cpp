// The exact Euclidean distance of each pixel from the nearest one of another class, axis by axis.
//
// Along the first axis it is a count. Every further axis takes the least of h^2 (x - q)^2 + g(q)
// over q: the lower envelope of parabolas (Felzenszwalb and Huttenlocher, "Distance transforms of
// sampled functions", Theory of Computing 8, 2012; Meijster, Roerdink and Hesselink, 2000).
// g(q) is the squared distance so far from q's other class. In a line it is asked only within a run
// of one class, and a parabola beyond either end of the run is never the least: the pixel next to
// the run is of another class, and has g = 0. So all classes are done in one go.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "common/parallel.hpp"
#include "common/view.hpp"
#include "fronts/marching/kernels.hpp"

namespace lesionkit::fronts {
namespace {

constexpr double FAR = std::numeric_limits<double>::infinity();

// Squared distances of a line, in place, from those of the axes before.
class Envelope {
 public:
  explicit Envelope(int64_t n) : parabolas_(n + 2), half_inverse_(n + 1) {
    for (int64_t k = 1; k <= n; ++k) half_inverse_[k] = 0.5 / static_cast<double>(k);
  }

  // g and mask of a line of n; h: spacing. Outside the mask nothing is done unless `outside`.
  template <class Label>
  void run(double* g, const Label* mask, int64_t n, double h, bool outside) {
    for (int64_t begin = 0, end; begin < n; begin = end) {
      for (end = begin + 1; end < n && mask[end] == mask[begin]; ++end) {
      }
      if (mask[begin] || outside) run_of_one_class(g, begin, end, n, h);
    }
  }

 private:
  struct Parabola {
    double at, g;  // where it is least, in pixels, and how great it is there
    double from;   // from where on it is the least of all
  };

  void run_of_one_class(double* g, int64_t begin, int64_t end, int64_t n, double h) {
    const double square = h * h, inverse = 1 / square;
    Parabola* last = parabolas_.data();
    *last = {-1, 0, FAR};  // is least nowhere
    if (begin > 0) last = add(last, begin - 1, 0);
    for (int64_t q = begin; q < end; ++q)
      if (g[q] < FAR) last = add(last, q, g[q] * inverse);
    if (end < n) last = add(last, end, 0);
    if (last == parabolas_.data()) return;
    last[1].from = FAR;
    const Parabola* now = parabolas_.data() + 1;
    for (int64_t x = begin; x < end; ++x) {
      const auto place = static_cast<double>(x);
      while (now[1].from < place) ++now;
      g[x] = square * (now->g + (place - now->at) * (place - now->at));
    }
  }

  // A parabola that is least right of all before it. Returns the new last one.
  Parabola* add(Parabola* last, int64_t q, double g) const {
    const auto at = static_cast<double>(q);
    double from = -FAR;
    for (; last != parabolas_.data(); --last) {
      const auto apart = static_cast<int64_t>(at - last->at);
      from = (g - last->g) * half_inverse_[apart] + 0.5 * (at + last->at);
      if (from > last->from) break;
      from = -FAR;
    }
    *++last = {at, g, from};
    return last;
  }

  std::vector<Parabola> parabolas_;   // the envelope, from number 1 on
  std::vector<double> half_inverse_;  // 1 / (2 k)
};

// Along the first axis, of columns [begin, end) of an image of `rows` lines of `width`: the squared
// distance in the column.
template <class R, class Label>
void count_along_columns(const Label* mask, int64_t rows, int64_t width, int64_t begin, int64_t end,
                         double h, R* out) {
  constexpr R far = std::numeric_limits<R>::infinity();
  for (int64_t x = begin; x < end; ++x) out[x] = far;
  for (int64_t y = 1; y < rows; ++y) {
    const Label *here = mask + y * width, *before = here - width;
    R *to = out + y * width, *from = to - width;
    for (int64_t x = begin; x < end; ++x) to[x] = here[x] == before[x] ? from[x] + 1 : R(1);
  }
  const R square = static_cast<R>(h * h);
  std::vector<R> count(end - begin, far);
  for (int64_t y = rows - 1; y >= 0; --y) {
    const Label *here = mask + y * width, *after = y + 1 < rows ? here + width : here;
    R* to = out + y * width;
    for (int64_t x = begin; x < end; ++x) {
      const R below = here[x] == after[x] ? count[x - begin] + 1 : R(1);
      count[x - begin] = below;
      const R least = to[x] < below ? to[x] : below;
      to[x] = least * least * square;
    }
  }
}

template <class R, class Label>
struct TransformProblem {
  std::vector<int64_t> shape;
  std::vector<double> spacing;
  const Label* mask;  // the class of each pixel, 0 outside
  bool both;          // outside the mask too, and inside as negative numbers
  R* out;             // infinite where there is no pixel of another class

  R distance(double square, bool inside) const {
    const R root = static_cast<R>(std::sqrt(square));
    return both ? (inside ? -root : root) : (inside ? root : R(0));
  }
};

// Envelopes along an axis; `inner`: how far its pixels are apart in memory. Several lines side by
// side are done together, for the sake of the caches. The last axis turns squares into distances.
template <class R, class Label>
void envelopes_along(const TransformProblem<R, Label>& p, int axis, int64_t inner) {
  constexpr int64_t MAX_LINES = 16;
  const int64_t n = p.shape[axis], together = std::min(inner, MAX_LINES);
  const int64_t tiles = (inner + MAX_LINES - 1) / MAX_LINES;
  int64_t outer = 1;
  for (int d = 0; d < axis; ++d) outer *= p.shape[d];
  struct Buffers {
    Envelope envelope;
    std::vector<double> squares;
    std::vector<Label> mask;
  };
  const int64_t grain = (int64_t{1} << 14) / (n * together) + 1;
  parallel_for_with(
      outer * tiles, grain,
      [&] {
        return Buffers{Envelope(n), std::vector<double>(n * together),
                       std::vector<Label>(n * together)};
      },
      [&](Buffers& b, int64_t begin, int64_t end) {
        for (int64_t task = begin; task < end; ++task) {
          const int64_t first = task % tiles * MAX_LINES,
                        lines = std::min(MAX_LINES, inner - first);
          const int64_t corner = task / tiles * n * inner + first;
          R* out = p.out + corner;
          const Label* mask = p.mask + corner;
          for (int64_t i = 0; i < n; ++i)
            for (int64_t l = 0; l < lines; ++l) {
              b.squares[l * n + i] = out[i * inner + l];
              b.mask[l * n + i] = mask[i * inner + l];
            }
          for (int64_t l = 0; l < lines; ++l)
            b.envelope.run(b.squares.data() + l * n, b.mask.data() + l * n, n, p.spacing[axis],
                           p.both);
          if (axis + 1 < static_cast<int>(p.shape.size())) {
            for (int64_t i = 0; i < n; ++i)
              for (int64_t l = 0; l < lines; ++l)
                out[i * inner + l] = static_cast<R>(b.squares[l * n + i]);
          } else {
            for (int64_t i = 0; i < n; ++i) out[i] = p.distance(b.squares[i], mask[i]);
          }
        }
      });
}

}  // namespace

template <class R, class Label>
void distance_transform(View<const Label> mask, std::vector<double> spacing, bool both,
                        View<R> out) {
  const TransformProblem<R, Label> p = {{mask.shape(), mask.shape() + mask.ndim()},
                                        std::move(spacing),
                                        mask.data(),
                                        both,
                                        out.data()};
  const int axes = static_cast<int>(p.shape.size());
  int64_t inner = 1;
  for (int d = 1; d < axes; ++d) inner *= p.shape[d];
  parallel_for(inner, 128, [&](int64_t begin, int64_t end) {
    count_along_columns(p.mask, p.shape[0], inner, begin, end, p.spacing[0], p.out);
  });
  for (int d = 1; d < axes; ++d) {
    inner /= p.shape[d];
    envelopes_along(p, d, inner);
  }
  if (axes == 1)
    for (int64_t i = 0; i < p.shape[0]; ++i) p.out[i] = p.distance(p.out[i], p.mask[i]);
}

template void distance_transform(View<const uint8_t>, std::vector<double>, bool, View<float>);
template void distance_transform(View<const uint8_t>, std::vector<double>, bool, View<double>);
template void distance_transform(View<const int32_t>, std::vector<double>, bool, View<float>);
template void distance_transform(View<const int32_t>, std::vector<double>, bool, View<double>);

}  // namespace lesionkit::fronts

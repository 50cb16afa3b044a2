// The Laplacian of a Gaussian: along each axis the second derivative, smoothed along the others.
// Products and sums stay apart, so that the bits are ITK's: before anything that is included, for
// what is inlined has to be compiled alike.
#if defined(__clang__)
#pragma clang fp contract(off)
#else
#pragma GCC optimize("fp-contract=off")
#endif

#include <algorithm>
#include <vector>

#include "common/parallel.hpp"
#include "common/simd.hpp"
#include "texture/filters/gaussian.hpp"
#include "texture/filters/kernels.hpp"

namespace lesionkit::texture {
namespace {

using filters::Recursion;
using Number = Simd<double>;

constexpr int WIDTH = 4;  // registers at once: each waits for its own last sum
constexpr int64_t LANES = WIDTH * lane_count<double>;
constexpr int64_t GRAIN = 1 << 15;  // voxels of a chunk or more

struct Range {
  int64_t first, last;
  int64_t size() const { return last - first; }
};

// Lines of one length, some at once.
class Lines {
 public:
  explicit Lines(int64_t longest)
      : numbers_(longest * WIDTH), answers_(numbers_.size()), space_(numbers_.size()) {}

  // Lines that lie in `count` rows of memory, from x on; answers in rows of `to`.
  template <class From>
  void along(const Recursion& r, int64_t length, Range wanted, const From* x, int64_t row,
             int64_t count, float* to, int64_t to_row) {
    for (int64_t line = 0; line < count; line += LANES) {
      const int64_t lanes = std::min(LANES, count - line);
      by_tiles(length, lanes,
               [&](int64_t i, int64_t l) { number(i)[l] = x[(line + l) * row + i]; });
      run(r, length, wanted);
      by_tiles(wanted.size(), lanes, [&](int64_t i, int64_t l) {
        to[(line + l) * to_row + i] = static_cast<float>(answer(wanted.first + i)[l]);
      });
    }
  }

  // Lines across rows: number i of line l is x[i * row + l]. put(i, l, answers, lanes) takes the
  // answers of lanes from l on.
  template <class From, class Put>
  void across(const Recursion& r, int64_t length, Range wanted, const From* x, int64_t row,
              int64_t count, Put&& put) {
    for (int64_t line = 0; line < count; line += LANES) {
      const int64_t lanes = std::min(LANES, count - line);
      if (lanes == LANES)
        for (int64_t i = 0; i < length; ++i)
          for (int64_t l = 0; l < LANES; ++l) number(i)[l] = x[i * row + line + l];
      else
        for (int64_t i = 0; i < length; ++i)
          for (int64_t l = 0; l < lanes; ++l) number(i)[l] = x[i * row + line + l];
      run(r, length, wanted);
      for (int64_t i = 0; i < wanted.size(); ++i) put(i, line, answer(wanted.first + i), lanes);
    }
  }

 private:
  // Calls move(i, l) for all numbers of all lanes, some of both at a time that stay in the cache.
  template <class Move>
  static void by_tiles(int64_t length, int64_t lanes, Move&& move) {
    constexpr int64_t tile = 16;
    for (int64_t first = 0; first < length; first += tile)
      for (int64_t l = 0; l < lanes; ++l)
        for (int64_t i = first; i < std::min(first + tile, length); ++i) move(i, l);
  }

  double* number(int64_t i) { return reinterpret_cast<double*>(numbers_.data() + i * WIDTH); }
  const double* answer(int64_t i) const {
    return reinterpret_cast<const double*>(answers_.data() + i * WIDTH);
  }
  void run(const Recursion& r, int64_t length, Range wanted) {
    filters::filter_lines<WIDTH>(r, numbers_.data(), length, wanted.first, wanted.last,
                                 answers_.data(), space_.data());
  }

  std::vector<Number> numbers_, answers_, space_;
};

// One after the other a derivative along an axis and the Gaussians along the others, as ITK has
// them, with floats between. Along each axis lines go through all of the image and answers are made
// for what is wanted alone.
template <class From>
class Laplacian {
 public:
  Laplacian(Box<From> image, const double* spacing, double sigma, int64_t axes,
            const int64_t* wanted, float* out)
      : image_(image), axes_(axes), out_(out) {
    const int64_t sizes[] = {image.depth, image.height, image.width};
    for (int axis = 0; axis < 3; ++axis) {
      size_[axis] = sizes[axis];
      wanted_[axis] = {wanted[2 * axis], wanted[2 * axis + 1]};
      smooth_[axis] = filters::smoothing(sigma / spacing[axis]);
      second_[axis] = filters::second_derivative(sigma / spacing[axis], sigma * sigma);
      per_mm_[axis] = 1.0 / (spacing[axis] * spacing[axis]);
    }
  }

  void run() {
    std::fill(out_, out_ + voxels(), 0.0f);
    between_.resize(size_[0] * plane());
    in_slices(true);
    smooth_slices(2);
    in_slices(false);
    smooth_slices(1);
    if (axes_ == 2) return;
    between_.resize(wanted_[0].size() * size_[1] * wanted_[2].size());
    across_slices();
    smooth_rows();
  }

 private:
  int64_t plane() const { return wanted_[1].size() * wanted_[2].size(); }
  int64_t voxels() const { return wanted_[0].size() * plane(); }
  int64_t row() const { return image_.line / static_cast<int64_t>(sizeof(From)); }
  int64_t slice() const { return image_.slice / static_cast<int64_t>(sizeof(From)); }
  int64_t longest() const { return std::max({size_[0], size_[1], size_[2]}); }

  // Calls work(lines, space, i) for each of n layers of so many voxels.
  template <class Work>
  void each_layer(int64_t n, int64_t voxels, int64_t space, Work&& work) const {
    struct State {
      Lines lines;
      std::vector<float> space;
    };
    parallel_for_with(
        n, std::max<int64_t>(1, GRAIN / voxels),
        [&] { return State{Lines(longest()), std::vector<float>(space)}; },
        [&](State& state, int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) work(state.lines, state.space.data(), i);
        });
  }

  // The derivative along x and the Gaussian along y, or the other way round, of each slice.
  void in_slices(bool derive_x) {
    const Range rows = wanted_[1], columns = wanted_[2];
    const int64_t height = size_[1], width = size_[2];
    each_layer(size_[0], height * width, std::max(height * columns.size(), rows.size() * width),
               [&](Lines& lines, float* space, int64_t z) {
                 float* to = between_.data() + z * plane();
                 if (derive_x) {
                   lines.along(second_[2], width, columns, image_.row(z, 0), row(), height, space,
                               columns.size());
                   lines.across(smooth_[1], height, rows, space, columns.size(), columns.size(),
                                into(to, columns.size()));
                 } else {
                   lines.across(second_[1], height, rows, image_.row(z, 0), row(), width,
                                into(space, width));
                   lines.along(smooth_[2], width, columns, space, width, rows.size(), to,
                               columns.size());
                 }
               });
  }

  // The Gaussian along z of what in_slices made, of a derivative along `axis`.
  void smooth_slices(int axis) {
    const int64_t width = wanted_[2].size();
    if (axes_ == 2) {
      add(axis)(0, 0, between_.data(), plane());
      return;
    }
    each_layer(wanted_[1].size(), size_[0] * width, 0, [&](Lines& lines, float*, int64_t y) {
      lines.across(smooth_[0], size_[0], wanted_[0], between_.data() + y * width, plane(), width,
                   add(axis, y * width, plane()));
    });
  }

  // The derivative along z and the Gaussian along x.
  void across_slices() {
    const Range slices = wanted_[0], columns = wanted_[2];
    const int64_t width = size_[2], layer = size_[1] * columns.size();
    each_layer(size_[1], size_[0] * width, slices.size() * width,
               [&](Lines& lines, float* space, int64_t y) {
                 lines.across(second_[0], size_[0], slices, image_.row(0, y), slice(), width,
                              into(space, width));
                 lines.along(smooth_[2], width, columns, space, width, slices.size(),
                             between_.data() + y * columns.size(), layer);
               });
  }

  // The Gaussian along y of what across_slices made.
  void smooth_rows() {
    const int64_t width = wanted_[2].size(), layer = size_[1] * width;
    each_layer(wanted_[0].size(), layer, 0, [&](Lines& lines, float*, int64_t z) {
      lines.across(smooth_[1], size_[1], wanted_[1], between_.data() + z * layer, width, width,
                   add(0, z * plane(), width));
    });
  }

  static auto into(float* to, int64_t row) {
    return [=](int64_t i, int64_t line, const double* answers, int64_t lanes) {
      for (int64_t l = 0; l < lanes; ++l) to[i * row + line + l] = static_cast<float>(answers[l]);
    };
  }

  // Adds to the answer what has been derived along `axis` by voxels.
  auto add(int axis, int64_t from = 0, int64_t row = 0) {
    return [=, to = out_ + from, scale = per_mm_[axis]](int64_t i, int64_t line,
                                                        const auto* answers, int64_t lanes) {
      float* sums = to + i * row + line;
      for (int64_t l = 0; l < lanes; ++l)
        sums[l] = static_cast<float>(sums[l] + static_cast<float>(answers[l]) * scale);
    };
  }

  Box<From> image_;
  int64_t axes_;
  float* out_;
  int64_t size_[3];  // along z, y, x, as the others
  Range wanted_[3];
  Recursion smooth_[3], second_[3];
  double per_mm_[3];
  std::vector<float> between_;
};

}  // namespace

template <class From>
void laplacian_of_gaussian(Box<From> image, View<const double> spacing, double sigma, int64_t axes,
                           View<const int64_t> wanted, View<float> out) {
  Laplacian<From>(image, spacing.data(), sigma, axes, wanted.data(), out.data()).run();
}

#define LAPLACIAN(From)                                                               \
  template void laplacian_of_gaussian(Box<From>, View<const double>, double, int64_t, \
                                      View<const int64_t>, View<float>);
LAPLACIAN(double)
LAPLACIAN(float)
LAPLACIAN(int16_t)
LAPLACIAN(int32_t)

}  // namespace lesionkit::texture

// Matrices in scikit-image's layout (levels, levels, n).
//
// Many matrices, row by row: the counts of row a of all matrices, from the pixels of level a
// (by_level.hpp), then into the answer, whose memory is touched once. What is left is done in
// place: a sum with the mirrored cells, a division, copies for offsets that were asked for twice.
// Where that does not pay they are counted one after another (count_pairs.cpp), then laid side by
// side. Both ways give the same counts.
#include <cmath>
#include <limits>

#include "common/memory.hpp"
#include "common/parallel.hpp"
#include "common/view.hpp"
#include "texture/glcm/by_level.hpp"
#include "texture/glcm/kernels.hpp"
#include "texture/glcm/levels.hpp"

namespace lesionkit::texture {
namespace {

// Offset k of n: how far away the neighbour is, and where its level's counts begin.
struct Column {
  int64_t away;
  uint16_t* counts;
};

// Four pixels at a time: neighbours are often equal, and an increment waits for the last one of the
// same cell.
template <class V>
void count_pixels(const V* values, const uint16_t* places, int64_t n,
                  const std::vector<Column>& columns) {
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const V *a = values + places[i], *b = values + places[i + 1], *c = values + places[i + 2],
            *d = values + places[i + 3];
    for (const Column& column : columns) {
      ++column.counts[a[column.away]];
      ++column.counts[b[column.away]];
      ++column.counts[c[column.away]];
      ++column.counts[d[column.away]];
    }
  }
  for (; i < n; ++i)
    for (const Column& column : columns) ++column.counts[values[places[i] + column.away]];
}

// c / total, rounded as a division is, for whole numbers; `inverse` is 1 / total. Where the
// processor fuses products and sums, two corrections of the product do it (Markstein, IBM J. Res.
// Dev. 34, 111-119, 1990), several times faster than a division.
double quotient(double c, double total, double inverse) {
#if defined(__FMA__) || defined(__aarch64__)
  double q = c * inverse;
  q = std::fma(std::fma(-q, total, c), inverse, q);
  return std::fma(std::fma(-q, total, c), inverse, q);
#else
  (void)inverse;
  return c / total;
#endif
}

// What is asked for: which of the n offsets are counted, and which are copies of those.
struct Plan {
  int64_t levels, n, rows = 0, columns = 0;  // rows, columns: how far offsets reach
  bool symmetric;
  std::vector<std::pair<int64_t, int64_t>> steps;  // rows, columns
  std::vector<int64_t> counted;
  std::vector<std::pair<int64_t, int64_t>> copies;  // to, from
  std::vector<double> totals, inverses;

  Plan(View<const int64_t> offsets, View<const double> given, int64_t height, int64_t width,
       int64_t levels, bool symmetric)
      : levels(levels), n(offsets.shape(0)), symmetric(symmetric) {
    for (int64_t k = 0; k < n; ++k) {
      const auto step = steps.emplace_back(offsets.data()[2 * k], offsets.data()[2 * k + 1]);
      totals.push_back(given.data()[k]);
      inverses.push_back(1.0 / totals[k]);
      const int64_t down = std::abs(step.first), across = std::abs(step.second);
      if (down >= height || across >= width) continue;  // no pair
      const auto same = std::find_if(counted.begin(), counted.end(),
                                     [&](int64_t other) { return steps[other] == step; });
      if (same != counted.end()) {
        copies.emplace_back(k, *same);
      } else {
        counted.push_back(k);
        rows = std::max(rows, down);
        columns = std::max(columns, across);
      }
    }
  }
};

// Cell [i, j] of all matrices, and cell [j, i] where the two are added; both may be the same. So
// many matrices at a time, the last of which may be among those before: they are read before
// anything is written.
template <int width, bool symmetric, class P>
void finish(const Plan& plan, P* cell, P* mirrored) {
  struct Shares {
    P at[width];
  };
  const auto shares = [&](int64_t k) {
    Shares sum;
    for (int l = 0; l < width; ++l)
      sum.at[l] = symmetric ? cell[k + l] + mirrored[k + l] : cell[k + l];
    if constexpr (std::is_same_v<P, double>)
      for (int l = 0; l < width; ++l)
        sum.at[l] = quotient(sum.at[l], plan.totals[k + l], plan.inverses[k + l]);
    return sum;
  };
  const auto write = [&](int64_t k, const Shares& sum) {
    std::copy_n(sum.at, width, cell + k);
    if (symmetric) std::copy_n(sum.at, width, mirrored + k);
  };
  const Shares last = shares(plan.n - width);
  for (int64_t k = 0; k + width < plan.n; k += width) write(k, shares(k));
  write(plan.n - width, last);
  for (const auto& [to, from] : plan.copies) {
    cell[to] = cell[from];
    if (symmetric) mirrored[to] = mirrored[from];
  }
}

// Calls finish(Constant<width>) with the greatest width that n matrices fill.
template <class Finish>
void with_width(int64_t n, Finish&& finish) {
  if (n >= 8)
    finish(Constant<8>{});
  else if (n >= 4)
    finish(Constant<4>{});
  else
    finish(Constant<1>{});
}

// Tile by tile, each with its mirror image; a tile's rows are long enough to be read ahead.
template <int width, class P>
void add_mirrored(const Plan& plan, P* matrices) {
  const int64_t levels = plan.levels, n = plan.n, tile = std::max<int64_t>(8, 320 / n);
  const int64_t tiles = (levels + tile - 1) / tile;
  parallel_for(tiles, std::max<int64_t>(1, (1 << 15) / (levels * tile * n)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t top = begin * tile; top < std::min(levels, end * tile); top += tile)
                   for (int64_t left = top; left < levels; left += tile)
                     for (int64_t i = top; i < std::min(levels, top + tile); ++i)
                       for (int64_t j = std::max(i, left); j < std::min(levels, left + tile); ++j)
                         finish<width, true>(plan, matrices + (i * levels + j) * n,
                                             matrices + (j * levels + i) * n);
               });
}

// Counts a row of all matrices after another, in 16 bits.
template <class V, class P>
class RowCounter {
 public:
  RowCounter(const Plan& plan, const ByLevel<V>& image)
      : plan_(plan), image_(image), counts_((plan.levels + 1) * plan.n) {
    for (const int64_t k : plan.counted)
      columns_.push_back({plan.steps[k].first * image.pitch() + plan.steps[k].second, &counts_[k]});
  }

  RowCounter(const RowCounter&) = delete;  // columns_ points into counts_

  void count(int64_t level, P* row) {
    bool written = false;
    image_.for_pieces(level, [&](const V* values, const uint16_t* places, int64_t pixels) {
      while (pixels) {
        const int64_t some = std::min(pixels, room_);
        count_pixels(values, places, some, columns_);
        places += some;
        pixels -= some;
        room_ -= some;
        if (!room_) take(row, std::exchange(written, true));
      }
    });
    if (!written || room_ < MAX_COUNT) take(row, written);
    if (!plan_.symmetric && (std::is_same_v<P, double> || plan_.copies.size()))
      with_width(plan_.n, [&]<int width>(Constant<width>) {
        for (int64_t j = 0; j < plan_.levels; ++j)
          finish<width, false>(plan_, row + j * plan_.n, row + j * plan_.n);
      });
  }

 private:
  static constexpr int64_t MAX_COUNT = std::numeric_limits<uint16_t>::max();

  void take(P* row, bool adds) {
    const int64_t size = plan_.levels * plan_.n;
    if (adds)
      for (int64_t x = 0; x < size; ++x) row[x] += counts_[x];
    else
      std::copy_n(counts_.begin(), size, row);
    std::fill(counts_.begin(), counts_.end(), uint16_t{0});
    room_ = MAX_COUNT;
  }

  const Plan& plan_;
  const ByLevel<V>& image_;
  std::vector<uint16_t> counts_;  // (levels + 1, n): one row more for what lies outside the image
  std::vector<Column> columns_;
  int64_t room_ = MAX_COUNT;  // pixels that may be counted before a count might be too large
};

template <class V, class P, class T>
void count(const Plan& plan, View<const T> image, P* matrices) {
  const ByLevel<V> sorted(image.data(), image.shape(0), image.shape(1), plan.levels, plan.n,
                          plan.rows, plan.columns);
  const int64_t row_size = plan.levels * plan.n;
  const int64_t work = row_size + image.size() * plan.n / plan.levels;  // of one level, about
  parallel_for_with(
      plan.levels, std::max<int64_t>(1, (1 << 17) / work),
      [&] { return RowCounter<V, P>(plan, sorted); },
      [&](RowCounter<V, P>& counter, int64_t begin, int64_t end) {
        for (int64_t level = begin; level < end; ++level)
          counter.count(level, matrices + level * row_size);
      });
  if (plan.symmetric)
    with_width(plan.n, [&]<int width>(Constant<width>) { add_mirrored<width>(plan, matrices); });
}

// What one matrix after another costs: a pass over all cells, and increments out of the nearest
// cache where the table does not fit there although the sorted image would be in the next one.
// Sorting costs as much as a few matrices.
bool sorting_pays(int64_t pixels, int64_t levels, int64_t n) {
  constexpr int64_t MAX_SORTED_PIXELS = 1 << 19;  // in the second cache
  const bool slow_tables = levels > MAX_LEVELS_IN_CACHE && pixels < MAX_SORTED_PIXELS;
  return n >= 4 && 20 * pixels < n * (8 * levels * levels + (slow_tables ? pixels : 0));
}

// counts [n][size] -> matrices [size][n], divided by totals [n] where real. A few cells at a time
// of every matrix: these stay in the nearest cache.
template <class P>
void interleave(const uint32_t* from, int64_t n, int64_t size, const double* total, P* to) {
  constexpr int64_t tile = 16;
  const auto move = [=](int64_t first, auto cells) {
    for (int64_t k = 0; k < n; ++k) {
      const uint32_t* c = from + k * size + first;
      P share[tile];
      const double inverse = 1.0 / total[k];
      for (int l = 0; l < cells; ++l)
        share[l] = std::is_same_v<P, double> ? quotient(c[l], total[k], inverse) : c[l];
      for (int l = 0; l < cells; ++l) to[(first + l) * n + k] = share[l];
    }
  };
  parallel_for((size + tile - 1) / tile, std::max<int64_t>(4, (1 << 14) / n),
               [=](int64_t begin, int64_t end) {
                 for (int64_t t = begin; t < end; ++t)
                   if ((t + 1) * tile <= size)
                     move(t * tile, Constant<tile>{});
                   else
                     move(t * tile, static_cast<int>(size - t * tile));
               });
}

// One matrix after another.
template <class T, class P>
void count_apart(View<const T> image, View<const int64_t> offsets, bool symmetric,
                 View<const double> totals, View<P> matrices) {
  const int64_t levels = matrices.shape(0), n = offsets.shape(0), size = levels * levels;
  std::vector<int64_t> steps(3 * n);
  for (int64_t k = 0; k < n; ++k) std::copy_n(offsets.data() + 2 * k, 2, steps.data() + 3 * k + 1);
  const std::ptrdiff_t volume[] = {1, 1, image.shape(0), image.shape(1)}, by[] = {n, 3},
                       tables[] = {1, n, levels, levels};
  const auto count = [&](uint32_t* counts) {
    count_pairs<T, uint32_t>({image.data(), volume, 4, image.size()}, {},
                             {steps.data(), by, 2, 3 * n}, symmetric,
                             {counts, tables, 4, n * size});
  };
  if constexpr (std::is_same_v<P, uint32_t>)
    if (n == 1) return count(matrices.data());
  const Large<uint32_t> counts = large<uint32_t>(n * size);
  count(counts.get());
  interleave(counts.get(), n, size, totals.data(), matrices.data());
}

}  // namespace

template <class T, class P>
void graycomatrix(View<const T> image, View<const int64_t> offsets, bool symmetric,
                  View<const double> totals, View<P> matrices) {
  const int64_t levels = matrices.shape(0), n = offsets.shape(0);
  if (!sorting_pays(image.size(), levels, n))
    return count_apart(image, offsets, symmetric, totals, matrices);
  const Plan plan(offsets, totals, image.shape(0), image.shape(1), levels, symmetric);
  if (levels * n < 1 << 16)
    count<uint16_t>(plan, image, matrices.data());
  else
    count<uint32_t>(plan, image, matrices.data());
}

#define GRAYCOMATRIX(T, P) \
  template void graycomatrix(View<const T>, View<const int64_t>, bool, View<const double>, View<P>);
FOR_INTEGERS(GRAYCOMATRIX, uint32_t)
FOR_INTEGERS(GRAYCOMATRIX, double)

}  // namespace lesionkit::texture

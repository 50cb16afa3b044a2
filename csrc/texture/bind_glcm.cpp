// lesionkit.texture, co-occurrence: counting, scikit-image's layout, marginal sums. Python has
// checked shapes (texture/glcm.py, texture/haralick.py).
//
// A task is one offset of one image, or a band of its lines. Its pairs are counted in a table of
// the thread's own, small enough for the nearest cache, and added to the answer at its end. Levels
// are counted in several tables in turn where these are small: neighbours are often equal, and
// an increment waits for the last one of the same cell. Voxels outside a mask get a level of their
// own, whose cells are left behind, so that no pair needs a test.
#include <pybind11/stl.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "common/arrays.hpp"
#include "common/parallel.hpp"
#include "texture/glcm.hpp"

namespace py = pybind11;
using namespace lesionkit;
using namespace lesionkit::texture;

namespace {

using Mask = std::optional<Array<uint8_t>>;
using Extremes = std::pair<int64_t, int64_t>;

// --- levels: the image as the counting loop wants it ---------------------------------------------

// A batch of volumes, and for each line the columns that may hold voxels to be counted.
template <class V>
struct Levels {
  const V* data;
  int64_t batch, depth, height, width;
  int64_t cells;             // a side of the table: the levels, and one more where there is a mask
  std::unique_ptr<V[]> own;  // the copy, where one was needed
  std::vector<Span> spans;   // by line; empty: all columns

  int64_t lines() const { return depth * height; }
  Span span(int64_t line) const { return spans.empty() ? Span{0, width} : spans[line]; }
};

template <class V, class T>
Levels<V> plain_levels(const Array<T>& image, const V* data, int64_t levels) {
  return {data, image.shape(0), image.shape(1), image.shape(2), image.shape(3), levels, {}, {}};
}

template <class T>
Extremes extremes_of(const T* x, int64_t n) {
  T low = std::numeric_limits<T>::max(), high = std::numeric_limits<T>::min();
  for (int64_t i = 0; i < n; ++i) {
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
  }
  const auto clip = [](T v) {  // 2^63 and more are no levels either
    return std::in_range<int64_t>(v) ? static_cast<int64_t>(v)
                                     : std::numeric_limits<int64_t>::max();
  };
  return {clip(low), clip(high)};
}

// The columns from the first to the last that is set.
Span used(const uint8_t* mask, int64_t width) {
  const auto set = [](uint8_t m) { return m != 0; };
  const uint8_t* first = std::find_if(mask, mask + width, set);
  int64_t end = width;
  while (end > first - mask && !mask[end - 1]) --end;
  return {first - mask, end};
}

// Copies the voxels in the mask, the others as level `levels`; notes their extremes.
template <class V, class T>
Levels<V> masked_levels(const Array<T>& image, const Mask& mask, int64_t levels, Extremes& found) {
  Levels<V> made = plain_levels<V>(image, nullptr, mask ? levels + 1 : levels);
  const int64_t lines = made.batch * made.lines(), width = made.width;
  made.own.reset(new V[lines * width]);
  made.data = made.own.get();
  made.spans.assign(lines, {0, width});
  const T* from = image.data();
  const uint8_t* in = mask ? mask->data() : nullptr;
  std::mutex noting;
  parallel_for(
      lines, std::max<int64_t>(1, (1 << 18) / std::max<int64_t>(width, 1)),
      [&](int64_t begin, int64_t end) {
        Extremes part = {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()};
        std::vector<T> inside;
        for (int64_t line = begin; line < end; ++line) {
          const T* source = from + line * width;
          V* target = made.own.get() + line * width;
          if (!in) {
            for (int64_t x = 0; x < width; ++x) target[x] = static_cast<V>(source[x]);
            const Extremes row = extremes_of(source, width);
            part = {std::min(part.first, row.first), std::max(part.second, row.second)};
            continue;
          }
          const uint8_t* m = in + line * width;
          const Span span = made.spans[line] = used(m, width);
          if (!span.size()) continue;
          // Outside the mask stands a level that is inside: it changes no extreme.
          const T some = source[span.begin];
          inside.resize(span.size());
          for (int64_t x = span.begin; x < span.end; ++x) {
            inside[x - span.begin] = m[x] ? source[x] : some;
            target[x] = static_cast<V>(m[x] ? static_cast<V>(source[x]) : static_cast<V>(levels));
          }
          const Extremes row = extremes_of(inside.data(), span.size());
          part = {std::min(part.first, row.first), std::max(part.second, row.second)};
        }
        std::lock_guard guard(noting);
        found = {std::min(found.first, part.first), std::max(found.second, part.second)};
      });
  return made;
}

// --- counting ------------------------------------------------------------------------------------

template <int TABLES, class V>
void count_line(const V* first, const V* second, int64_t n, int64_t cells, uint32_t* table) {
  const int64_t size = cells * cells;
  int64_t x = 0;
  for (; x + TABLES <= n; x += TABLES)
    for (int t = 0; t < TABLES; ++t) ++table[t * size + first[x + t] * cells + second[x + t]];
  for (; x < n; ++x) ++table[first[x] * cells + second[x]];
}

// Adds a thread's tables to the answer, and clears them.
template <class C>
void add_table(uint32_t* table, int tables, int64_t cells, int64_t levels, bool symmetric,
               C* counts) {
  const int64_t size = cells * cells;
  for (int t = 1; t < tables; ++t)
    for (int64_t i = 0; i < size; ++i) table[i] += table[t * size + i];
  constexpr int64_t tile = 16;  // a tile and its mirror image stay in the nearest cache
  for (int64_t top = 0; top < levels; top += tile)
    for (int64_t left = 0; left < levels; left += tile)
      for (int64_t i = top; i < std::min(top + tile, levels); ++i) {
        const int64_t right = std::min(left + tile, levels);
        for (int64_t j = left; j < right; ++j) counts[i * levels + j] += table[i * cells + j];
        if (symmetric)
          for (int64_t j = left; j < right; ++j) counts[i * levels + j] += table[j * cells + i];
      }
  std::fill_n(table, tables * size, 0u);
}

template <class V, class C>
void count(const Levels<V>& image, const Offset* offsets, int64_t n, int64_t levels, bool symmetric,
           C* counts) {
  const int64_t cells = image.cells, size = cells * cells;
  const int tables = cells <= 33 ? 4 : cells <= 90 ? 2 : 1;
  const int64_t voxels = image.lines() * image.width;
  // Bands pay once they hold many more pairs than the table has cells.
  const int64_t bands = std::clamp<int64_t>(voxels / std::max<int64_t>(1 << 19, 8 * size), 1, 64);
  const int64_t grain = std::max<int64_t>(1, (1 << 16) / (voxels / bands + size));
  std::mutex adding;
  parallel_for_with(
      image.batch * n * bands, grain, [&] { return std::vector<uint32_t>(tables * size); },
      [&](std::vector<uint32_t>& table, int64_t begin, int64_t end) {
        for (int64_t task = begin; task < end; ++task) {
          const int64_t slot = task / bands, band = task % bands;
          const int64_t b = slot / n;
          const Offset step = offsets[slot % n];
          const Pairs pairs(image.depth, image.height, image.width, step);
          const int64_t lines = pairs.columns.size() ? pairs.lines() : 0,
                        height = pairs.rows.size();
          const int64_t away = step.plane * image.height + step.row;
          for (int64_t l = lines * band / bands; l < lines * (band + 1) / bands; ++l) {
            const int64_t line = b * image.lines() +
                                 (pairs.planes.begin + l / height) * image.height +
                                 pairs.rows.begin + l % height;
            Span there = image.span(line + away);
            there = {there.begin - step.column, there.end - step.column};
            const Span x = common(common(pairs.columns, image.span(line)), there);
            const V* first = image.data + line * image.width + x.begin;
            const V* second = first + away * image.width + step.column;
            if (tables == 4)
              count_line<4>(first, second, x.size(), cells, table.data());
            else if (tables == 2)
              count_line<2>(first, second, x.size(), cells, table.data());
            else
              count_line<1>(first, second, x.size(), cells, table.data());
          }
          std::unique_lock guard(adding, std::defer_lock);
          if (bands > 1) guard.lock();
          add_table(table.data(), tables, cells, levels, symmetric,
                    counts + slot * levels * levels);
        }
      });
}

// Adds to counts (batch, offsets, levels, levels) and returns the least and the greatest level of
// what is to be counted; where these are no levels, nothing is counted.
template <class T, class C>
Extremes count_pairs(const Array<T>& image, const Mask& mask, const Array<int64_t>& offsets,
                     bool symmetric, Array<C>& counts) {
  const int64_t levels = counts.shape(3), n = offsets.shape(0);
  const auto* steps = reinterpret_cast<const Offset*>(offsets.data());
  Extremes found = {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()};
  const auto allowed = [&] { return found.second < levels && (found.first >= 0); };
  const auto run = [&](const auto& made) {
    if (allowed()) count(made, steps, n, levels, symmetric, counts.mutable_data());
  };
  if constexpr (std::is_same_v<T, uint8_t> || std::is_same_v<T, uint16_t>)
    if (!mask) {
      found = extremes_of(image.data(), image.size());
      run(plain_levels<T>(image, image.data(), levels));
      return found;
    }
  if (levels < 1 << 16)
    run(masked_levels<uint16_t>(image, mask, levels, found));
  else
    run(masked_levels<uint32_t>(image, mask, levels, found));
  return found;
}

// --- scikit-image's layout -----------------------------------------------------------------------

// counts (n, levels, levels) -> matrices (levels, levels, n), divided by totals (n) where real.
template <class P>
void interleave(const Array<uint32_t>& counts, const Array<double>& totals, Array<P>& matrices) {
  const int64_t n = counts.shape(0), levels = counts.shape(1), size = levels * levels;
  const uint32_t* from = counts.data();
  const double* total = totals.data();
  P* to = matrices.mutable_data();
  parallel_for(size, std::max<int64_t>(64, (1 << 18) / n), [=](int64_t begin, int64_t end) {
    for (int64_t cell = begin; cell < end; ++cell)
      for (int64_t k = 0; k < n; ++k) {
        const uint32_t c = from[k * size + cell];
        if constexpr (std::is_same_v<P, double>)
          to[cell * n + k] = c / total[k];
        else
          to[cell * n + k] = c;
      }
  });
}

template <class T>
void bind_counting(py::module_ m) {
  using namespace py::literals;
  m.def("count_pairs", count_pairs<T, uint32_t>, "image"_a.noconvert(), "mask"_a.noconvert(),
        "offsets"_a.noconvert(), "symmetric"_a, "counts"_a.noconvert(), ReleaseGil());
  m.def("count_pairs", count_pairs<T, uint64_t>, "image"_a.noconvert(), "mask"_a.noconvert(),
        "offsets"_a.noconvert(), "symmetric"_a, "counts"_a.noconvert(), ReleaseGil());
}

template <class... T>
void bind_counting_of(py::module_ m) {
  (bind_counting<T>(m), ...);
}

template <class P>
void bind_interleave(py::module_ m) {
  using namespace py::literals;
  m.def("interleave", interleave<P>, "counts"_a.noconvert(), "totals"_a.noconvert(),
        "matrices"_a.noconvert(), ReleaseGil());
}

}  // namespace

void bind_haralick(py::module_ m);
void bind_lbp(py::module_ m);
void bind_maps(py::module_ m);

void bind_glcm(py::module_ m) {
  bind_counting_of<uint8_t, uint16_t, uint32_t, uint64_t, int8_t, int16_t, int32_t, int64_t>(m);
  bind_interleave<uint32_t>(m);
  bind_interleave<double>(m);
  bind_haralick(m);
  bind_maps(m);
  bind_lbp(m);
}

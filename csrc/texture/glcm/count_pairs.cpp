// Co-occurrence: counting.
//
// A task is one offset of one image, or a band of its lines. Its pairs are counted in a table of
// the thread's own, small enough for the nearest cache, and added to the answer at its end. Levels
// are counted in several tables in turn where these are small: neighbours are often equal, and an
// increment waits for the last one of the same cell. The level of voxels outside a mask has cells
// of its own, which are left behind, so that no pair needs a test. Levels are clamped: the image
// may be the caller's, and another thread of his write to it after its extremes were looked at.

#include <algorithm>
#include <cstring>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "common/parallel.hpp"
#include "common/view.hpp"
#include "texture/glcm/glcm.hpp"
#include "texture/glcm/kernels.hpp"
#include "texture/glcm/levels.hpp"

namespace lesionkit::texture {
namespace {

// --- counting ------------------------------------------------------------------------------------

// A line's pairs, in pieces: first their cells' numbers, in SIMD, then an increment for each. Four
// numbers of 16 bits are read at once.
template <int TABLES, class Cell, class V>
void count_line(const V* first, const V* second, int64_t n, int64_t cells, uint32_t* table) {
  constexpr int64_t piece = 512;
  const int64_t size = cells * cells;
  const V highest = static_cast<V>(std::min<int64_t>(cells - 1, std::numeric_limits<V>::max()));
  Cell cell[piece];
  for (int64_t begin = 0; begin < n; begin += piece) {
    const int64_t count = std::min(piece, n - begin);
    for (int64_t x = 0; x < count; ++x)
      cell[x] = static_cast<Cell>(static_cast<Cell>(std::min(first[begin + x], highest)) *
                                      static_cast<Cell>(cells) +
                                  static_cast<Cell>(std::min(second[begin + x], highest)));
    int64_t x = 0;
    for (; x + 4 <= count; x += 4) {
      if constexpr (sizeof(Cell) == 2) {
        uint64_t four;
        std::memcpy(&four, cell + x, sizeof(four));
        for (int t = 0; t < 4; ++t) ++table[t % TABLES * size + (four >> 16 * t & 0xffff)];
      } else {
        for (int t = 0; t < 4; ++t) ++table[t % TABLES * size + cell[x + t]];
      }
    }
    for (; x < count; ++x) ++table[cell[x]];
  }
}

template <class V>
auto line_counter(int tables, int64_t cells) {
  const auto of = [&]<class Cell>(Cell) {
    return tables == 4   ? count_line<4, Cell, V>
           : tables == 2 ? count_line<2, Cell, V>
                         : count_line<1, Cell, V>;
  };
  const int64_t size = cells * cells;
  return size <= 1 << 16            ? of(uint16_t{})
         : size <= int64_t{1} << 32 ? of(uint32_t{})
                                    : of(uint64_t{});
}

// Writes a thread's tables to the answer, or adds them to it, and clears them: tile by tile, each
// with its mirror image, which both stay in the nearest cache. Most tiles of an image are empty.
template <class C>
class TableFlush {
 public:
  TableFlush(uint32_t* table, int64_t cells, int64_t levels, bool symmetric, bool adds, C* counts)
      : table_(table),
        cells_(cells),
        levels_(levels),
        symmetric_(symmetric),
        adds_(adds),
        counts_(counts) {}

  void run() {
    for (int64_t top = 0; top < cells_; top += tile)
      for (int64_t left = top; left < cells_; left += tile) {
        const bool some = holds(top, left) || (left > top && holds(left, top));
        write(top, left, some);
        if (left > top) write(left, top, some);
        if (some) clear(top, left), clear(left, top);
      }
  }

 private:
  static constexpr int64_t tile = 16;

  int64_t end(int64_t begin, int64_t limit) const { return std::min(begin + tile, limit); }
  bool holds(int64_t top, int64_t left) const {
    uint32_t any = 0;
    for (int64_t i = top; i < end(top, cells_); ++i)
      for (int64_t j = left; j < end(left, cells_); ++j) any |= table_[i * cells_ + j];
    return any != 0;
  }
  void write(int64_t top, int64_t left, bool some) {
    for (int64_t i = top; i < end(top, levels_); ++i) {
      C* row = counts_ + i * levels_;
      for (int64_t j = left; !adds_ && j < end(left, levels_); ++j) row[j] = 0;
      if (!some) continue;
      for (int64_t j = left; j < end(left, levels_); ++j) row[j] += table_[i * cells_ + j];
      for (int64_t j = left; symmetric_ && j < end(left, levels_); ++j)
        row[j] += table_[j * cells_ + i];
    }
  }
  void clear(int64_t top, int64_t left) {
    for (int64_t i = top; i < end(top, cells_); ++i)
      std::fill(table_ + i * cells_ + left, table_ + i * cells_ + end(left, cells_), 0u);
  }

  uint32_t* table_;
  int64_t cells_, levels_;
  bool symmetric_, adds_;
  C* counts_;
};

constexpr int64_t MIN_PAIRS_IN_BAND = 1 << 19;

template <class V, class C>
void count(const Levels<V>& image, const Offset* offsets, int64_t n, int64_t levels, bool symmetric,
           C* counts) {
  const int64_t cells = image.cells, size = cells * cells;
  const int tables = cells <= 33 ? 4 : cells <= MAX_LEVELS_IN_CACHE ? 2 : 1;
  const int64_t voxels = image.lines() * image.width;
  // Bands pay once they hold many more pairs than the table has cells.
  const int64_t bands = std::clamp<int64_t>(voxels / std::max(MIN_PAIRS_IN_BAND, 8 * size), 1, 64);
  const int64_t grain = std::max<int64_t>(1, (1 << 16) / (voxels / bands + size));
  if (bands > 1) std::fill_n(counts, image.batch * n * levels * levels, C{0});
  const auto count_line = line_counter<V>(tables, cells);
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
            count_line(first, second, x.size(), cells, table.data());
          }
          std::unique_lock guard(adding, std::defer_lock);
          if (bands > 1) guard.lock();
          for (int t = 1; t < tables; ++t)
            for (int64_t i = 0; i < size; ++i) table[i] += std::exchange(table[t * size + i], 0u);
          TableFlush<C>(table.data(), cells, levels, symmetric, bands > 1,
                        counts + slot * levels * levels)
              .run();
        }
      });
}

}  // namespace

template <class T, class C>
Extremes count_pairs(View<const T> image, Maybe<const uint8_t> mask, View<const int64_t> offsets,
                     bool symmetric, View<C> counts) {
  const int64_t levels = counts.shape(3), n = offsets.shape(0);
  const auto* steps = reinterpret_cast<const Offset*>(offsets.data());
  Extremes found = {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()};
  const auto allowed = [&] { return found.second < levels && (found.first >= 0); };
  const auto run = [&](const auto& made) {
    if (allowed()) count(made, steps, n, levels, symmetric, counts.data());
  };
  if constexpr (std::is_same_v<T, uint8_t> || std::is_same_v<T, uint16_t>)
    if (!mask) {
      const Range<int64_t> range = extremes_of(image.data(), image.size());
      found = {range.low, range.high};
      run(plain_levels<T>(image, image.data(), levels));
      return found;
    }
  if (levels < 1 << 16)
    run(masked_levels<uint16_t>(image, mask, levels, found));
  else
    run(masked_levels<uint32_t>(image, mask, levels, found));
  return found;
}

#define COUNT_PAIRS(T, C)                                                                       \
  template Extremes count_pairs(View<const T>, Maybe<const uint8_t>, View<const int64_t>, bool, \
                                View<C>);
FOR_INTEGERS(COUNT_PAIRS, uint32_t)
FOR_INTEGERS(COUNT_PAIRS, uint64_t)

}  // namespace lesionkit::texture

// Maps: features of a window about each pixel.
//
// A task is a band of rows. For each offset it codes the band's pairs once. Moments are box sums in
// whole numbers: down the columns, then differences of a running sum along the row. Counts slide:
// a step to the right takes one column of pairs out and brings one in. Several rows slide at once,
// each with a table of its own, for an update waits for the last one of the same cell. Everything
// is a whole number (c ln c in fixed point), so that nothing drifts along a row.

#include "texture/maps/maps.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "common/parallel.hpp"
#include "common/view.hpp"
#include "texture/maps/kernels.hpp"

namespace lesionkit::texture {
namespace {

constexpr int64_t BAND = 16;         // rows of a task
constexpr int LANES = 4;             // rows that slide at once
constexpr uint32_t MAX_DENSE = 256;  // levels whose table has every cell

struct Step {
  int64_t logs, squares;  // what a count's going up by one adds
};

// Steps of a table of counts that start at 0, or, of cells that a pair enters twice, at `twice`.
struct Steps {
  Steps(Counted what, int64_t pairs) : twice(pairs + 1) {
    const double most = c_log_c(2.0 * pairs) + 1.0;
    bits = 61 - std::ilogb(most);
    const auto fixed = [this](double c) { return std::llrint(std::ldexp(c_log_c(c), bits)); };
    step.resize(2 * twice);
    for (int64_t c = 0; c < pairs; ++c) {
      if (what == PAIRS)  // off the diagonal: c in each of two cells
        step[c] = {2 * (fixed(c + 1) - fixed(c)), 2 * (2 * c + 1)};
      else
        step[c] = {fixed(c + 1) - fixed(c), 0};
      step[twice + c] = {fixed(2 * c + 2) - fixed(2 * c), 4 * (2 * c + 1)};
    }
  }
  int64_t twice;
  int bits;  // of the fraction in logs
  std::vector<Step> step;
};

// The pairs of one offset within windows: how many columns, and lines (of all planes).
struct Box {
  int64_t planes, rows, columns;

  int64_t lines() const { return planes * rows; }
  int64_t pairs() const { return lines() * columns; }
};

// logs, squares [LANES][width] of the windows of LANES rows, from the codes of their pairs.
template <int lanes>
void slide(const std::vector<uint32_t>& codes, int64_t column, int64_t plane, int64_t first_row,
           const Box& box, int64_t width, const Step* step, uint16_t* table, int64_t table_size,
           int64_t* logs, int64_t* squares) {
  Step now[lanes] = {};
  const auto change = [&](int64_t x, auto&& update) {
    for (int64_t p = 0; p < box.planes; ++p) {
      const uint32_t* code = codes.data() + x * column + p * plane + first_row;
      for (int64_t r = 0; r < box.rows; ++r)
        for (int l = 0; l < lanes; ++l) update(now[l], table[l * table_size + code[r + l]]);
    }
  };
  const auto add = [step](Step& sums, uint16_t& count) {
    const Step s = step[count++];
    sums.logs += s.logs;
    sums.squares += s.squares;
  };
  const auto remove = [step](Step& sums, uint16_t& count) {
    const Step s = step[--count];
    sums.logs -= s.logs;
    sums.squares -= s.squares;
  };
  for (int64_t x = 0; x < box.columns - 1; ++x) change(x, add);
  for (int64_t x = 0; x < width; ++x) {
    change(x + box.columns - 1, add);
    for (int l = 0; l < lanes; ++l) {
      logs[l * width + x] = now[l].logs;
      squares[l * width + x] = now[l].squares;
    }
    change(x, remove);
  }
  for (int64_t x = width; x < width + box.columns - 1; ++x) change(x, remove);
}

struct Image {
  const uint16_t* data;
  int64_t planes, rows, columns;

  const uint16_t* line(int64_t plane, int64_t row) const {
    return data + (plane * rows + row) * columns;
  }
};

// What a call asks for, worked out once.
struct Request {
  Image image;  // continued past the border by half a window
  Box window;
  std::vector<Offset> offsets;
  uint32_t levels;
  std::vector<int> features;
  bool average;
  double first_level, log_base;
  std::vector<int64_t> inverse;  // 1 / (1 + d^2) in fixed point
  int inverse_bits;

  int64_t planes() const { return image.planes - window.planes + 1; }
  int64_t rows() const { return image.rows - window.rows + 1; }
  int64_t columns() const { return image.columns - window.columns + 1; }
  Box box(Offset step) const {
    return {window.planes - std::abs(step.plane), window.rows - std::abs(step.row),
            window.columns - std::abs(step.column)};
  }
  bool counts(Counted what) const {
    return std::any_of(features.begin(), features.end(),
                       [=](int feature) { return counted(feature) == what; });
  }
};

constexpr int MOMENTS = 5;  // sums without counts, in the order of WindowSums

// A thread's buffers, for a band of rows.
class Band {
 public:
  Band(const Request& request, const std::vector<std::vector<Steps>>& steps)
      : r_(request), steps_(steps), width_(r_.columns()) {
    for (auto& sums : logs_) sums.resize(BAND * width_);
    squares_.resize(BAND * width_);
    unused_.resize(LANES * width_);
    for (auto& sums : moments_) sums.resize(width_);
  }

  void run(int64_t plane, int64_t first, int64_t last, double* out) {
    for (size_t k = 0; k < r_.offsets.size(); ++k) {
      const Box box = r_.box(r_.offsets[k]);
      for (const Counted what : {PAIRS, SUMS, DIFFERENCES})
        if (r_.counts(what)) count(what, steps_[k][what], r_.offsets[k], box, plane, first, last);
      finish(k, box, plane, first, last, out);
    }
  }

 private:
  // The image's line where the pairs of window row `row` begin in their line (plane, line).
  std::pair<const uint16_t*, const uint16_t*> line(Offset step, int64_t plane, int64_t row) const {
    const Offset from = {std::max<int64_t>(0, -step.plane), std::max<int64_t>(0, -step.row),
                         std::max<int64_t>(0, -step.column)};
    const uint16_t* a = r_.image.line(plane + from.plane, row + from.row) + from.column;
    return {a, a + (step.plane * r_.image.rows + step.row) * r_.image.columns + step.column};
  }

  void count(Counted what, const Steps& steps, Offset offset, const Box& box, int64_t plane,
             int64_t first, int64_t last) {
    const int64_t pairs = width_ + box.columns - 1, rows = last - first + box.rows - 1;
    codes_.resize(pairs * box.planes * rows);
    for (int64_t p = 0; p < box.planes; ++p)
      for (int64_t row = 0; row < rows; ++row) {
        const auto [a, b] = line(offset, plane + p, first + row);
        uint32_t* code = codes_.data() + p * rows + row;
        for (int64_t x = 0; x < pairs; ++x)
          code[x * box.planes * rows] = code_of(what, a[x], b[x], r_.levels);
      }
    const int64_t cells = what == PAIRS ? cells_of_pairs() : 2 * int64_t{r_.levels} - 1;
    table_.assign(LANES * cells, 0);
    if (what == PAIRS)  // a pair enters a cell of the diagonal twice
      for (int64_t i = 0; i < LANES * cells; ++i)
        if (const int64_t cell = i % cells;
            (cells_.empty() ? cell : cells_[cell]) % (r_.levels + 1) == 0)
          table_[i] = static_cast<uint16_t>(steps.twice);
    const auto rows_of = [&](auto lanes, int64_t row) {
      int64_t* squares = what == PAIRS ? squares_.data() + row * width_ : unused_.data();
      slide<lanes>(codes_, box.planes * rows, rows, row, box, width_, steps.step.data(),
                   table_.data(), cells, logs_[what].data() + row * width_, squares);
    };
    int64_t row = 0;
    for (; row + LANES <= last - first; row += LANES) rows_of(Constant<LANES>{}, row);
    for (; row < last - first; ++row) rows_of(Constant<1>{}, row);
  }

  // How many cells the table of pairs has. With many levels these are only the cells that the band
  // touches, by number: cells_ tells which.
  int64_t cells_of_pairs() {
    cells_.clear();
    if (r_.levels <= MAX_DENSE) return int64_t{r_.levels} * r_.levels;
    cells_ = codes_;
    std::sort(cells_.begin(), cells_.end());
    cells_.erase(std::unique(cells_.begin(), cells_.end()), cells_.end());
    for (uint32_t& code : codes_)
      code = static_cast<uint32_t>(std::lower_bound(cells_.begin(), cells_.end(), code) -
                                   cells_.begin());
    return static_cast<int64_t>(cells_.size());
  }

  // Adds (sign 1) or takes out (-1) a line of pairs of every plane.
  void add_line(Offset offset, const Box& box, int64_t plane, int64_t row, int64_t sign) {
    const int64_t pairs = width_ + box.columns - 1;
    for (int64_t p = 0; p < box.planes; ++p) {
      const auto [a, b] = line(offset, plane + p, row);
      for (int64_t x = 0; x < pairs; ++x) {
        const int64_t s = a[x] + b[x], d = a[x] > b[x] ? a[x] - b[x] : b[x] - a[x];
        columns_[0][x] += sign * s;
        columns_[1][x] += sign * s * s;
        columns_[2][x] += sign * d;
        columns_[3][x] += sign * d * d;
        columns_[4][x] += sign * r_.inverse[d];
      }
    }
  }

  void finish(size_t k, const Box& box, int64_t plane, int64_t first, int64_t last, double* out) {
    const int64_t pairs = width_ + box.columns - 1;
    for (auto& sums : columns_) sums.assign(pairs, 0);
    for (int64_t r = 0; r < box.rows - 1; ++r) add_line(r_.offsets[k], box, plane, first + r, 1);
    for (int64_t row = first; row < last; ++row) {
      add_line(r_.offsets[k], box, plane, row + box.rows - 1, 1);
      box_sums(box.columns);
      write(k, box, row - first, out + (plane * r_.rows() + row) * width_);
      add_line(r_.offsets[k], box, plane, row, -1);
    }
  }

  // Sums of `columns` neighbours, by a running sum that may wrap around: differences do not.
  void box_sums(int64_t columns) {
    for (int m = 0; m < MOMENTS; ++m) {
      const int64_t* from = columns_[m].data();
      const double scale = m == 4 ? std::ldexp(1.0, -r_.inverse_bits) : 1.0;
      uint64_t sum = 0;
      for (int64_t x = 0; x < columns - 1; ++x) sum += static_cast<uint64_t>(from[x]);
      for (int64_t x = 0; x < width_; ++x) {
        sum += static_cast<uint64_t>(from[x + columns - 1]);
        moments_[m][x] = static_cast<double>(static_cast<int64_t>(sum)) * scale;
        sum -= static_cast<uint64_t>(from[x]);
      }
    }
  }

  void write(size_t k, const Box& box, int64_t row, double* out) {
    const double n = static_cast<double>(box.pairs());
    const WindowRule rule = {n, r_.first_level, std::log(n), r_.log_base};
    const int64_t size = r_.planes() * r_.rows() * width_;
    const auto of = static_cast<double>(r_.offsets.size());
    for (size_t f = 0; f < r_.features.size(); ++f) {
      const auto fill = [&]<int feature>(Constant<feature>) {
        constexpr Counted what = counted(feature);
        constexpr int list = what == NOTHING ? PAIRS : what;
        const int64_t* logs = logs_[list].data() + row * width_;
        const int64_t* squares = squares_.data() + row * width_;
        const double scale = what == NOTHING ? 0.0 : std::ldexp(1.0, -steps_[k][list].bits);
        double* to = out + ((r_.average ? 0 : k * r_.features.size()) + f) * size;
        const bool adds = r_.average && k > 0;
        const double share = r_.average && k + 1 == r_.offsets.size() ? 1.0 / of : 1.0;
        for (int64_t x = 0; x < width_; ++x) {
          const WindowSums w = {moments_[0][x],
                                moments_[1][x],
                                moments_[2][x],
                                moments_[3][x],
                                moments_[4][x],
                                static_cast<double>(squares[x]),
                                static_cast<double>(logs[x]) * scale};
          const double value = feature_of(feature, w, rule);
          to[x] = ((adds ? to[x] : 0.0) + value) * share;
        }
      };
      [&]<int... i>(std::integer_sequence<int, i...>) {
        (void)((r_.features[f] == i && (fill(Constant<i>{}), true)) || ...);
      }(std::make_integer_sequence<int, MAP_FEATURES>{});
    }
  }

  const Request& r_;
  const std::vector<std::vector<Steps>>& steps_;
  int64_t width_;
  std::vector<uint32_t> codes_, cells_;
  std::vector<uint16_t> table_;
  std::array<std::vector<int64_t>, 3> logs_;  // [counted][row of the band][column]
  std::vector<int64_t> squares_, unused_;
  std::array<std::vector<int64_t>, MOMENTS> columns_;
  std::array<std::vector<double>, MOMENTS> moments_;
};

}  // namespace

void feature_maps(View<const uint16_t> image, std::array<int64_t, 3> window,
                  View<const int64_t> offsets, int64_t levels, std::vector<int> features,
                  bool average, double first_level, double log_base, View<double> out) {
  const auto* steps = reinterpret_cast<const Offset*>(offsets.data());
  Request request = {{image.data(), image.shape(0), image.shape(1), image.shape(2)},
                     {window[0], window[1], window[2]},
                     {steps, steps + offsets.shape(0)},
                     static_cast<uint32_t>(levels),
                     std::move(features),
                     average,
                     first_level,
                     std::log(log_base),
                     std::vector<int64_t>(levels),
                     0};
  request.inverse_bits = 61 - std::ilogb(static_cast<double>(request.window.pairs()));
  for (int64_t d = 0; d < levels; ++d)
    request.inverse[d] = std::llrint(std::ldexp(
        1.0 / (1.0 + static_cast<double>(d) * static_cast<double>(d)), request.inverse_bits));
  std::vector<std::vector<Steps>> tables;
  for (const Offset step : request.offsets) {
    const int64_t pairs = request.box(step).pairs();
    tables.push_back({{PAIRS, pairs}, {SUMS, pairs}, {DIFFERENCES, pairs}});
  }
  const int64_t rows = request.rows(), bands = (rows + BAND - 1) / BAND;
  double* to = out.data();
  parallel_for_with(
      request.planes() * bands, 1, [&] { return Band(request, tables); },
      [&](Band& band, int64_t begin, int64_t end) {
        for (int64_t task = begin; task < end; ++task) {
          const int64_t first = task % bands * BAND;
          band.run(task / bands, first, std::min(first + BAND, rows), to);
        }
      });
}

}  // namespace lesionkit::texture

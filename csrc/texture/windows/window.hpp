// The window about a voxel: which voxels of it stand beside each other, worked out once, and the
// levels in one window.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "common/grid.hpp"

namespace lesionkit::texture::windows {

// Two voxels of a window, by number.
struct Beside {
  uint16_t from, to;
};

// All windows have the same form. A step of a direction leads from a voxel to its neighbour.
struct Form {
  std::vector<Offset> places;                // of its voxels, from the middle or from a corner
  std::vector<std::vector<Beside>> along;    // of each direction: its pairs
  std::vector<std::vector<uint16_t>> lines;  // of each direction one step long: voxels in a row,
                                             // and size() after the last
  std::vector<bool> apart;  // of each such: no two are in a row, but two lie on one line

  // The places of a box from `first` on where inside(place) is true, 65,533 of them or fewer.
  // directions (pairs), steps (runs, zones): one of each two opposite ones.
  template <class Inside>
  Form(const Offset& first, const Offset& size, const std::vector<Offset>& directions,
       const std::vector<Offset>& steps, Inside&& inside)
      : border_(longest(directions, steps)),
        rows_(size.row + 2 * border_),
        columns_(size.column + 2 * border_) {
    number_.assign((size.plane + 2 * border_) * rows_ * columns_, -1);
    for (int64_t z = 0; z < size.plane; ++z)
      for (int64_t y = 0; y < size.row; ++y) {
        const int64_t row = ((z + border_) * rows_ + y + border_) * columns_ + border_;
        for (int64_t x = 0; x < size.column; ++x) {
          const Offset at = {first.plane + z, first.row + y, first.column + x};
          if (!inside(at)) continue;
          number_[row + x] = static_cast<int32_t>(places.size());
          places.push_back(at);
          cell_.push_back(row + x);
        }
      }
    for (const Offset& by : directions) along.push_back(pairs(by));
    const auto same = [](const Offset& a, const Offset& b) {
      return a.plane == b.plane && a.row == b.row && a.column == b.column;
    };
    same_ = std::equal(directions.begin(), directions.end(), steps.begin(), steps.end(), same);
    if (!same_)
      for (const Offset& by : steps) one_step_.push_back(pairs(by));
    for (size_t k = 0; k < steps.size(); ++k) {
      const std::vector<Beside>& found = touching()[k];
      lines.push_back(lines_of(found));
      apart.push_back(found.empty() && share_a_line(steps[k]));
    }
  }

  // Pairs one step apart, of each direction.
  const std::vector<std::vector<Beside>>& touching() const { return same_ ? along : one_step_; }
  int64_t size() const { return static_cast<int64_t>(places.size()); }

 private:
  static int64_t longest(const std::vector<Offset>& some, const std::vector<Offset>& others) {
    int64_t found = 0;
    for (const auto* list : {&some, &others})
      for (const Offset& by : *list)
        found = std::max({found, std::abs(by.plane), std::abs(by.row), std::abs(by.column)});
    return found;
  }

  std::vector<Beside> pairs(const Offset& by) const {
    const int64_t step = (by.plane * rows_ + by.row) * columns_ + by.column;
    std::vector<Beside> found(places.size());
    size_t count = 0;
    for (size_t from = 0; from < cell_.size(); ++from) {
      const int32_t to = number_[cell_[from] + step];
      found[count] = {static_cast<uint16_t>(from), static_cast<uint16_t>(to)};
      count += to >= 0;
    }
    found.resize(count);
    return found;
  }

  std::vector<uint16_t> lines_of(const std::vector<Beside>& pairs) const {
    constexpr uint16_t none = 0xffff;
    std::vector<uint16_t> next(places.size(), none), found;
    std::vector<char> first(places.size(), true);
    found.reserve(2 * places.size());
    for (const Beside& pair : pairs) {
      next[pair.from] = pair.to;
      first[pair.to] = false;
    }
    for (size_t begin = 0; begin < first.size(); ++begin) {
      if (!first[begin]) continue;
      for (auto at = static_cast<uint16_t>(begin); at != none; at = next[at]) found.push_back(at);
      found.push_back(static_cast<uint16_t>(size()));
    }
    return found;
  }

  // Whether two places lie on a line along a step, however far apart.
  bool share_a_line(const Offset& by) const {
    const Offset& step = by;
    const int64_t sign = step.plane ? step.plane : step.row ? step.row : step.column;
    std::vector<std::array<int64_t, 3>> lines;
    for (const Offset& at : places) {
      const int64_t along = step.plane ? at.plane : step.row ? at.row : at.column, k = along * sign;
      lines.push_back(
          {at.plane - k * step.plane, at.row - k * step.row, at.column - k * step.column});
    }
    std::sort(lines.begin(), lines.end());
    return std::adjacent_find(lines.begin(), lines.end()) != lines.end();
  }

  bool same_ = false;                          // whether directions and steps are
  std::vector<std::vector<Beside>> one_step_;  // where they are not
  int64_t border_, rows_, columns_;            // of the box, and about it as far as a step leads
  std::vector<int32_t> number_;                // of each cell there; -1 where no place is
  std::vector<int64_t> cell_;                  // of each place
};

// The levels of one window, and the numbers 0, 1, 2 ... of those that occur, in order of
// appearance. Level 0, and the rank NOWHERE, are outside the region; so is one place more at the
// end, at which lines end.
struct Levels {
  static constexpr uint16_t NOWHERE = 0xffff;

  std::vector<uint32_t> level, known;  // of each place; of each rank
  std::vector<uint16_t> rank;          // of each place
  int64_t inside = 0;

  Levels(int64_t places, int64_t levels)
      : level(places + 1), rank(places + 1, NOWHERE), rank_of_(levels + 1, NOWHERE) {}

  template <class T>
  void read(const T* middle, const std::vector<int64_t>& steps) {
    for (const uint32_t gone : known) rank_of_[gone] = NOWHERE;
    known.clear();
    inside = 0;
    for (size_t k = 0; k < steps.size(); ++k) {
      const uint32_t here = middle[steps[k]];
      level[k] = here;
      if (here == 0) {
        rank[k] = NOWHERE;
        continue;
      }
      ++inside;
      uint16_t& number = rank_of_[here];
      if (number == NOWHERE) {
        number = static_cast<uint16_t>(known.size());
        known.push_back(here);
      }
      rank[k] = number;
    }
  }
  int64_t kinds() const { return static_cast<int64_t>(known.size()); }

 private:
  std::vector<uint16_t> rank_of_;
};

// ln c, c ln c, and by how much that grows from c - 1 to c.
struct Logs {
  std::vector<double> log, c_log_c, step;

  explicit Logs(int64_t most) : log(most + 1), c_log_c(most + 1), step(most + 1) {
    for (int64_t c = 1; c <= most; ++c) {
      log[c] = std::log(static_cast<double>(c));
      c_log_c[c] = static_cast<double>(c) * log[c];
      step[c] = c_log_c[c] - c_log_c[c - 1];
    }
  }
};

}  // namespace lesionkit::texture::windows

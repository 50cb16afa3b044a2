// The window about a voxel: which voxels of it stand beside each other, worked out once, and the
// levels in one window.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "common/grid.hpp"

namespace lesionkit::texture::windows {

// Two voxels of a window, by number.
struct Beside {
  uint16_t from, to;
};

// All windows have the same form. A step of a direction leads from a voxel to its neighbour.
struct Form {
  Offset radius;
  std::vector<Offset> places;                   // of its voxels, from the middle
  std::vector<std::vector<Beside>> along;       // of each direction: its pairs
  std::vector<std::vector<uint16_t>> lines;     // of each direction one step long: lines end to end
  std::vector<Beside> near;                     // pairs that are neighbours, each once
  std::vector<std::vector<uint16_t>> touching;  // of each voxel: those beside it that come earlier

  // directions (pairs), steps (runs), neighbours: one of each two opposite ones.
  Form(const Offset& reach, const std::vector<Offset>& directions, const std::vector<Offset>& steps,
       const std::vector<Offset>& neighbours)
      : radius(reach) {
    for (int64_t z = -reach.plane; z <= reach.plane; ++z)
      for (int64_t y = -reach.row; y <= reach.row; ++y)
        for (int64_t x = -reach.column; x <= reach.column; ++x) places.push_back({z, y, x});
    for (const Offset& by : directions) along.push_back(pairs(by));
    for (const Offset& by : neighbours)
      for (const Beside& pair : pairs(by)) near.push_back(pair);
    touching.resize(places.size());
    for (const Offset& by : steps) {
      for (const Beside& pair : pairs(by))
        touching[std::max(pair.from, pair.to)].push_back(std::min(pair.from, pair.to));
      lines.push_back(lines_of(by));
    }
  }

  int64_t size() const { return static_cast<int64_t>(places.size()); }

 private:
  // The number of a place, -1 outside.
  int64_t number(const Offset& at) const {
    const auto within = [](int64_t x, int64_t far) { return -far <= x && x <= far; };
    if (!within(at.plane, radius.plane) || !within(at.row, radius.row) ||
        !within(at.column, radius.column))
      return -1;
    return ((at.plane + radius.plane) * (2 * radius.row + 1) + at.row + radius.row) *
               (2 * radius.column + 1) +
           at.column + radius.column;
  }
  int64_t next(int64_t from, const Offset& by, int64_t sign = 1) const {
    const Offset& at = places[from];
    return number(
        {at.plane + sign * by.plane, at.row + sign * by.row, at.column + sign * by.column});
  }

  std::vector<Beside> pairs(const Offset& by) const {
    std::vector<Beside> found;
    for (int64_t from = 0; from < size(); ++from)
      if (const int64_t to = next(from, by); to >= 0)
        found.push_back({static_cast<uint16_t>(from), static_cast<uint16_t>(to)});
    return found;
  }

  // The voxels of each line along a direction, and size() after its last.
  std::vector<uint16_t> lines_of(const Offset& by) const {
    std::vector<uint16_t> found;
    for (int64_t first = 0; first < size(); ++first) {
      if (next(first, by, -1) >= 0) continue;
      for (int64_t at = first; at >= 0; at = next(at, by))
        found.push_back(static_cast<uint16_t>(at));
      found.push_back(static_cast<uint16_t>(size()));
    }
    return found;
  }
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

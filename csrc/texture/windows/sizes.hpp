// Features of what has a level and a size, runs, zones and dependent voxels, in one window
// (IBSI reference manual, sections 3.7, 3.8 and 3.11), from sums that each of them adds to.
#pragma once

#include <array>
#include <cmath>
#include <vector>

#include "texture/windows/window.hpp"

namespace lesionkit::texture::windows {

// In the order of SIZE_FEATURES in lesionkit.texture.region.voxels.
enum SizeFeature : int {
  SMALL,
  LARGE,
  LOW_GREY,
  HIGH_GREY,
  SMALL_LOW,
  SMALL_HIGH,
  LARGE_LOW,
  LARGE_HIGH,
  GREY_NONUNIFORMITY,
  GREY_NONUNIFORMITY_NORMALISED,
  SIZE_NONUNIFORMITY,
  SIZE_NONUNIFORMITY_NORMALISED,
  PERCENTAGE,
  GREY_VARIANCE,
  SIZE_VARIANCE,
  ENTROPY,
  SIZE_FEATURES
};

class Sizes {
 public:
  Sizes(int64_t places, int64_t levels, const Logs& logs)
      : logs_(logs),
        most_(places + 1),
        grey_(places),
        size_(most_),
        low_(levels + 1),
        small_(most_) {
    const auto square = [](int64_t k) { return static_cast<double>(k) * static_cast<double>(k); };
    for (int64_t i = 1; i <= levels; ++i) low_[i] = 1.0 / square(i);
    for (int64_t j = 1; j < most_; ++j) small_[j] = 1.0 / square(j);
  }

  // Before anything of a window is added: how many levels it has.
  void open(int64_t kinds) {
    if (kinds * most_ > static_cast<int64_t>(cell_.size())) cell_.resize(kinds * most_);
  }

  // One of that level and size.
  void add(uint32_t level, uint16_t rank, int64_t size) {
    const double i = level, j = static_cast<double>(size);
    count(i * i, low_[level], j * j, small_[size], 1.0);
    ++all_.count;
    all_.levels += level;
    all_.squares += int64_t{level} * level;
    all_.sizes += size;
    all_.size_squares += size * size;
    const size_t cell = rank * most_ + size;
    touched_.push_back({static_cast<uint32_t>(cell), rank, static_cast<uint16_t>(size)});
    all_.logs += logs_.step[++cell_[cell]];
    all_.by_level += 2 * grey_[rank]++ + 1;
    all_.by_size += 2 * size_[size]++ + 1;
  }

  // Adds each voxel of a window by itself, to begin with, for join() and separate().
  void add_alone(const Levels& levels) {
    for (size_t k = 0; k + 1 < levels.level.size(); ++k)
      if (levels.level[k] != 0) add(levels.level[k], levels.rank[k], 1);
    alone_ = all_;
  }
  // One of that size in place of as many of size 1.
  void join(uint32_t level, uint16_t rank, int64_t size) {
    const double i = level, n = static_cast<double>(size);
    count(i * i, low_[level], 1.0, 1.0, -n);
    all_.count -= size;
    all_.levels -= size * level;
    all_.squares -= size * level * level;
    all_.sizes -= size;
    all_.size_squares -= size;
    uint16_t& cell = cell_[rank * most_ + 1];
    all_.logs += logs_.c_log_c[cell - size] - logs_.c_log_c[cell];
    all_.by_level += size * (size - 2 * grey_[rank]);
    all_.by_size += size * (size - 2 * size_[1]);
    const auto fewer = static_cast<uint16_t>(size);
    cell = static_cast<uint16_t>(cell - fewer);
    grey_[rank] = static_cast<uint16_t>(grey_[rank] - fewer);
    size_[1] = static_cast<uint16_t>(size_[1] - fewer);
    add(level, rank, size);
    joined_.push_back({static_cast<uint32_t>(rank * most_ + size), rank, fewer});
  }
  void separate() {
    for (const Touched& run : joined_) {
      --cell_[run.cell];
      --size_[run.size];
      --grey_[run.rank];
      cell_[run.rank * most_ + 1] = static_cast<uint16_t>(cell_[run.rank * most_ + 1] + run.size);
      grey_[run.rank] = static_cast<uint16_t>(grey_[run.rank] + run.size);
      size_[1] = static_cast<uint16_t>(size_[1] + run.size);
    }
    joined_.clear();
    all_ = alone_;
  }

  // Adds the features of what was added to `feature`.
  void features(double* feature) const {
    if (all_.count == 0) return;
    const double n = static_cast<double>(all_.count), each = 1.0 / n;
    for (int k = SMALL; k <= LARGE_HIGH; ++k) feature[k] += all_.sums[k] * each;
    const auto grey = static_cast<double>(all_.by_level), size = static_cast<double>(all_.by_size);
    feature[GREY_NONUNIFORMITY] += grey * each;
    feature[GREY_NONUNIFORMITY_NORMALISED] += grey * each * each;
    feature[SIZE_NONUNIFORMITY] += size * each;
    feature[SIZE_NONUNIFORMITY_NORMALISED] += size * each * each;
    feature[PERCENTAGE] += n / static_cast<double>(all_.sizes);
    feature[GREY_VARIANCE] += variance(all_.levels, all_.squares);
    feature[SIZE_VARIANCE] += variance(all_.sizes, all_.size_squares);
    const double nats = logs_.log[all_.count] - all_.logs * each;
    feature[ENTROPY] += nats > 0.0 ? nats / 0.693147180559945309417 : 0.0;
  }
  void forget() {
    for (const Touched& t : touched_) cell_[t.cell] = grey_[t.rank] = size_[t.size] = 0;
    touched_.clear();
    all_ = {};
  }

 private:
  struct Touched {
    uint32_t cell;
    uint16_t rank, size;
  };
  // Over what was added.
  struct Totals {
    std::array<double, LARGE_HIGH + 1> sums{};
    int64_t count = 0, levels = 0, squares = 0, sizes = 0, size_squares = 0;
    int64_t by_level = 0, by_size = 0;  // squares of counts of each level and of each size
    double logs = 0.0;
  };

  void count(double ii, double low, double jj, double small, double times) {
    const double high = times * ii, few = times * low;
    all_.sums[SMALL] += times * small;
    all_.sums[LARGE] += times * jj;
    all_.sums[LOW_GREY] += few;
    all_.sums[HIGH_GREY] += high;
    all_.sums[SMALL_LOW] += few * small;
    all_.sums[SMALL_HIGH] += high * small;
    all_.sums[LARGE_LOW] += few * jj;
    all_.sums[LARGE_HIGH] += high * jj;
  }

  double variance(int64_t sum, int64_t squares) const {  // whole numbers: exact
    const double n = static_cast<double>(all_.count);
    return static_cast<double>(all_.count * squares - sum * sum) / (n * n);
  }

  const Logs& logs_;
  int64_t most_;
  std::vector<uint16_t> cell_, grey_, size_;  // counts
  std::vector<double> low_, small_;           // 1 / i^2 of levels and sizes
  std::vector<Touched> touched_, joined_;
  Totals all_, alone_;
};

// Joins the voxels of each run along a direction. Whether it has two voxels of the region on one
// line, however they differ.
inline bool join_runs(const Levels& levels, const std::vector<uint16_t>& lines, Sizes& sizes) {
  bool two = false;
  uint16_t rank = Levels::NOWHERE;
  int64_t length = 0, on_line = 0;
  uint32_t level = 0;
  const uint16_t end = static_cast<uint16_t>(levels.level.size() - 1);
  for (const uint16_t at : lines) {
    const uint16_t here = levels.rank[at];
    if (here == rank) {
      ++length;
    } else {
      if (length > 1 && rank != Levels::NOWHERE) sizes.join(level, rank, length);
      rank = here;
      level = levels.level[at];
      length = 1;
    }
    on_line += here != Levels::NOWHERE;
    if (at == end) {
      two |= on_line > 1;
      on_line = 0;
    }
  }
  return two;
}

// Zones by union-find: a voxel joins those beside it that came earlier and have its level.
class Zones {
 public:
  explicit Zones(int64_t places) : parent_(places), size_(places) {}

  void add(const Levels& levels, const Form& form, Sizes& sizes) {
    const auto n = static_cast<uint16_t>(form.size());
    for (uint16_t at = 0; at < n; ++at) {
      parent_[at] = at;
      size_[at] = 1;
    }
    for (const auto& pairs : form.touching())
      for (const Beside& pair : pairs) {
        if (levels.level[pair.from] == 0 || levels.level[pair.from] != levels.level[pair.to])
          continue;
        const uint16_t a = root(pair.from), b = root(pair.to);
        if (a == b) continue;
        parent_[b] = a;
        size_[a] = static_cast<uint16_t>(size_[a] + size_[b]);
      }
    for (uint16_t at = 0; at < n; ++at)
      if (levels.level[at] != 0 && parent_[at] == at)
        sizes.add(levels.level[at], levels.rank[at], size_[at]);
  }

 private:
  uint16_t root(uint16_t at) {
    while (parent_[at] != at) at = parent_[at] = parent_[parent_[at]];
    return at;
  }
  std::vector<uint16_t> parent_, size_;
};

}  // namespace lesionkit::texture::windows

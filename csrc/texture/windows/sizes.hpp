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
        cell_(places * most_),
        grey_(places),
        size_(most_),
        low_(levels + 1),
        small_(most_) {
    const auto square = [](int64_t k) { return static_cast<double>(k) * static_cast<double>(k); };
    for (int64_t i = 1; i <= levels; ++i) low_[i] = 1.0 / square(i);
    for (int64_t j = 1; j < most_; ++j) small_[j] = 1.0 / square(j);
  }

  // One of that level and size.
  void add(uint32_t level, uint16_t rank, int64_t size) {
    const double i = level, j = static_cast<double>(size), ii = i * i, jj = j * j;
    const double low = low_[level], small = small_[size];
    sums_[SMALL] += small;
    sums_[LARGE] += jj;
    sums_[LOW_GREY] += low;
    sums_[HIGH_GREY] += ii;
    sums_[SMALL_LOW] += small * low;
    sums_[SMALL_HIGH] += small * ii;
    sums_[LARGE_LOW] += jj * low;
    sums_[LARGE_HIGH] += jj * ii;
    ++count_;
    of_levels_ += level;
    of_squares_ += int64_t{level} * level;
    of_sizes_ += size;
    of_size_squares_ += size * size;
    const size_t cell = rank * most_ + size;
    touched_.push_back({static_cast<uint32_t>(cell), rank, static_cast<uint16_t>(size)});
    logs_sum_ += logs_.step[++cell_[cell]];
    grey_squares_ += 2 * grey_[rank]++ + 1;
    size_squares_ += 2 * size_[size]++ + 1;
  }

  int64_t count() const { return count_; }

  // Adds the features of what was added to `feature`, and forgets it.
  void finish(double* feature) {
    if (count_ > 0) {
      const double n = static_cast<double>(count_);
      for (int k = SMALL; k <= LARGE_HIGH; ++k) feature[k] += sums_[k] / n;
      const auto grey = static_cast<double>(grey_squares_),
                 size = static_cast<double>(size_squares_);
      feature[GREY_NONUNIFORMITY] += grey / n;
      feature[GREY_NONUNIFORMITY_NORMALISED] += grey / (n * n);
      feature[SIZE_NONUNIFORMITY] += size / n;
      feature[SIZE_NONUNIFORMITY_NORMALISED] += size / (n * n);
      feature[PERCENTAGE] += n / static_cast<double>(of_sizes_);
      feature[GREY_VARIANCE] += variance(of_levels_, of_squares_);
      feature[SIZE_VARIANCE] += variance(of_sizes_, of_size_squares_);
      const double nats = logs_.log[count_] - logs_sum_ / n;
      feature[ENTROPY] += nats > 0.0 ? nats / 0.693147180559945309417 : 0.0;
    }
    forget();
  }
  void forget() {
    for (const Touched& t : touched_) cell_[t.cell] = grey_[t.rank] = size_[t.size] = 0;
    touched_.clear();
    sums_.fill(0.0);
    count_ = of_levels_ = of_squares_ = of_sizes_ = of_size_squares_ = 0;
    grey_squares_ = size_squares_ = 0;
    logs_sum_ = 0.0;
  }

 private:
  struct Touched {
    uint32_t cell;
    uint16_t rank, size;
  };

  double variance(int64_t sum, int64_t squares) const {  // whole numbers: exact
    const double n = static_cast<double>(count_);
    return static_cast<double>(count_ * squares - sum * sum) / (n * n);
  }

  const Logs& logs_;
  int64_t most_;
  std::vector<uint16_t> cell_, grey_, size_;  // counts
  std::vector<double> low_, small_;           // 1 / i^2 of levels and sizes
  std::vector<Touched> touched_;
  std::array<double, LARGE_HIGH + 1> sums_{};
  int64_t count_ = 0, of_levels_ = 0, of_squares_ = 0, of_sizes_ = 0, of_size_squares_ = 0;
  int64_t grey_squares_ = 0, size_squares_ = 0;
  double logs_sum_ = 0.0;
};

// Whether a direction has two voxels of the region on one line; else nothing is added.
inline bool add_runs(const Levels& levels, const std::vector<uint16_t>& lines, Sizes& sizes) {
  bool two = false;
  uint16_t rank = Levels::NOWHERE;
  uint32_t level = 0;
  int64_t length = 0, on_line = 0;
  const uint16_t end = static_cast<uint16_t>(levels.level.size() - 1);
  for (const uint16_t at : lines) {
    const uint16_t here = levels.rank[at];
    if (here != rank) {
      if (length > 0) sizes.add(level, rank, length);
      rank = here;
      level = levels.level[at];
      length = 0;
    }
    if (here != Levels::NOWHERE) {
      ++length;
      ++on_line;
    }
    if (at == end) {
      two |= on_line > 1;
      on_line = 0;
    }
  }
  if (!two) sizes.forget();
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
      if (levels.level[at] == 0) continue;
      for (const uint16_t other : form.touching[at]) {
        if (levels.level[other] != levels.level[at]) continue;
        const uint16_t a = root(other), b = root(at);
        if (a == b) continue;
        parent_[b] = a;
        size_[a] = static_cast<uint16_t>(size_[a] + size_[b]);
      }
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

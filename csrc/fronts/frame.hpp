// An n-D image in one line of memory, with a gap between any two of its lines, and a line of gaps
// between any two planes: places that belong to no image. A step over the border ends in a gap,
// whatever the direction: no neighbour needs a test of its coordinates.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/parallel.hpp"

namespace lesionkit::fronts {

class Frame {
 public:
  // gaps: how many places lie between two lines of an axis; reach: how far steps go, at most.
  explicit Frame(std::vector<int64_t> shape, std::vector<int64_t> gaps = {}, int64_t reach = 1)
      : shape_(std::move(shape)), gaps_(std::move(gaps)), step_(shape_.size()) {
    if (gaps_.empty()) gaps_.assign(shape_.size(), 1);
    int64_t size = 1;
    for (int d = axes() - 1; d >= 0; --d) {
      step_[d] = size;
      size *= shape_[d] + gaps_[d];
      lead_ += reach * step_[d];
      pixels_ *= shape_[d];
    }
    size_ = lead_ + size + lead_;
  }

  int axes() const { return static_cast<int>(shape_.size()); }
  int64_t step(int axis) const { return step_[axis]; }
  int64_t side(int axis) const { return shape_[axis]; }
  int64_t size() const { return size_; }      // with all that belongs to no image
  int64_t pixels() const { return pixels_; }  // of the image
  int64_t width() const { return shape_.back(); }
  int64_t lines() const { return pixels_ / std::max<int64_t>(width(), 1); }

  // Where a line of the image begins.
  int64_t line(int64_t number) const {
    int64_t at = lead_;
    for (int d = axes() - 2; d >= 0; --d) {
      at += number % shape_[d] * step_[d];
      number /= shape_[d];
    }
    return at;
  }

  // The coordinate of a place along an axis, in [-reach, side + reach).
  int64_t coordinate(int64_t at, int axis) const {
    int64_t left = at;
    for (int d = 0; d < axes(); ++d) left += step_[d] * behind(d);
    left -= lead_;
    for (int d = 0; d < axis; ++d) left %= step_[d];
    return left / step_[axis] - behind(axis);
  }

  // body(line, where it begins in an array without gaps, where it begins here), in parallel.
  template <class Body>
  void for_lines(Body&& body) const {
    const int64_t grain = (int64_t{1} << 17) / std::max<int64_t>(width(), 1) + 1;
    parallel_for(lines(), grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) body(i, i * width(), line(i));
    });
  }

  // Writes `value` into all gaps.
  template <class T>
  void surround(T* to, T value) const {
    std::fill(to, to + line(0), value);
    for_lines([&](int64_t i, int64_t, int64_t at) {
      const int64_t next = i + 1 < lines() ? line(i + 1) : size_;
      std::fill(to + at + width(), to + next, value);
    });
  }

  // Steps to the neighbours that differ in at most `connectivity` axes, by one: in raster order.
  std::vector<int64_t> neighbours(int connectivity) const {
    std::vector<int64_t> steps;
    int64_t count = 1;
    for (int d = 0; d < axes(); ++d) count *= 3;
    for (int64_t code = 0; code < count; ++code) {
      int64_t rest = code, step = 0;
      int changed = 0;
      for (int d = axes() - 1; d >= 0; --d, rest /= 3) {
        const int64_t by = rest % 3 - 1;
        step += by * step_[d];
        changed += by != 0;
      }
      if (changed > 0 && changed <= connectivity) steps.push_back(step);
    }
    return steps;
  }

 private:
  // How many of an axis' gaps lie before coordinate 0, rather than behind the last one.
  int64_t behind(int axis) const { return gaps_[axis] / 2; }

  std::vector<int64_t> shape_, gaps_, step_;
  int64_t size_ = 0, lead_ = 0, pixels_ = 1;
};

}  // namespace lesionkit::fronts

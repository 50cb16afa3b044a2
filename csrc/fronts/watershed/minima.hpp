// Minima that are deep enough to be markers.
//
// Basins shallower than h are filled: f + h is eroded, pixel by pixel, but never below f. What
// comes out is the reconstruction by erosion of f from f + h; a pixel that stayed at f + h is a
// lowest one of a basin of depth h or more. Two scans, there and back, do most of it, and a queue
// the rest (Vincent, "Morphological grayscale reconstruction in image analysis", IEEE Trans. Image
// Process. 2, 1993, the hybrid algorithm). Host only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "common/memory.hpp"
#include "fronts/frame.hpp"

namespace lesionkit::fronts {

// V holds every value and every sum of one and h exactly, or is double.
template <class V>
class Minima {
 public:
  // read(begin, end, to): values of pixels, in raster order.
  template <class Read>
  Minima(const Frame& frame, int connectivity, V h, Read&& read)
      : frame_(frame),
        steps_(frame.neighbours(connectivity)),
        values_(large<V>(frame.size())),
        filled_(large<V>(frame.size())) {
    constexpr V highest = std::numeric_limits<V>::max();
    frame.surround(values_.get(), highest);
    frame.surround(filled_.get(), highest);
    frame.for_lines([&](int64_t, int64_t from, int64_t at) {
      read(from, from + frame.width(), values_.get() + at);
      for (int64_t i = at; i < at + frame.width(); ++i) filled_[i] = values_[i] + h;
    });
    fill();
    // Where the sum is rounded it is the sum that counts.
    frame.for_lines([&](int64_t, int64_t, int64_t at) {
      for (int64_t i = at; i < at + frame.width(); ++i)
        filled_[i] = filled_[i] == values_[i] + h ? V{1} : V{0};
    });
  }

  // Numbers the connected parts of the minima from 1, in raster order; 0 elsewhere. Returns how
  // many there are.
  int32_t label(int32_t* labels) {
    int32_t count = 0;
    std::vector<int64_t> part;
    for (int64_t line = 0; line < frame_.lines(); ++line)
      for (int64_t at = frame_.line(line), end = at + frame_.width(); at < end; ++at) {
        if (filled_[at] != V{1}) continue;
        ++count;
        const V mark = static_cast<V>(count + 1);  // it is no longer 1
        filled_[at] = mark;
        part.assign(1, at);
        while (!part.empty()) {
          const int64_t here = part.back();
          part.pop_back();
          for (const int64_t step : steps_)
            if (filled_[here + step] == V{1}) {
              filled_[here + step] = mark;
              part.push_back(here + step);
            }
        }
      }
    frame_.for_lines([&](int64_t, int64_t to, int64_t at) {
      for (int64_t x = 0; x < frame_.width(); ++x)
        labels[to + x] = std::max(static_cast<int32_t>(filled_[at + x]) - 1, 0);
    });
    return count;
  }

 private:
  void fill() {
    const size_t half = steps_.size() / 2;  // steps back come first
    const auto lower = [&](int64_t at, size_t begin, size_t end) {
      V least = filled_[at];
      for (size_t k = begin; k < end; ++k) least = std::min(least, filled_[at + steps_[k]]);
      filled_[at] = std::max(least, values_[at]);
    };
    for (int64_t line = 0; line < frame_.lines(); ++line)
      for (int64_t at = frame_.line(line), end = at + frame_.width(); at < end; ++at)
        lower(at, 0, half);
    std::vector<int64_t> queue;
    // In the frame the value and what fills it are the same: nothing spreads there. One comparison,
    // not two: noise would have both guessed wrong.
    const auto spreads = [&](int64_t from, int64_t to) {
      return filled_[to] > std::max(filled_[from], values_[to]);
    };
    for (int64_t line = frame_.lines() - 1; line >= 0; --line)
      for (int64_t begin = frame_.line(line), at = begin + frame_.width() - 1; at >= begin; --at) {
        lower(at, half, steps_.size());
        for (size_t k = half; k < steps_.size(); ++k)
          if (spreads(at, at + steps_[k])) {
            queue.push_back(at);
            break;
          }
      }
    for (size_t i = 0; i < queue.size(); ++i) {
      const int64_t at = queue[i];
      for (const int64_t step : steps_)
        if (spreads(at, at + step)) {
          filled_[at + step] = std::max(filled_[at], values_[at + step]);
          queue.push_back(at + step);
        }
    }
  }

  const Frame& frame_;
  const std::vector<int64_t> steps_;
  const Large<V> values_, filled_;
};

}  // namespace lesionkit::fronts

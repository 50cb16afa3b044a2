// Compact watershed: Neubert and Protzel, "Compact Watershed and Preemptive SLIC", ICPR 2014.
//
// A pixel waits at its grey value and, for each step that it is away from its marker, `compactness`
// more, but never below the pixel that reached it. It may wait more than once, and has the label of
// the entry that leaves first; of equal ones the earlier one, markers in raster order. Host only.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "common/memory.hpp"
#include "fronts/frame.hpp"

namespace lesionkit::fronts {

class CompactFlood {
 public:
  // grey: of the places of a frame. source: of each place the marker's pixel that it belongs to;
  // NONE: not known yet; OUTSIDE: takes no part.
  static constexpr uint32_t NONE = ~uint32_t{0}, OUTSIDE = NONE - 1;

  CompactFlood(const Frame& frame, const std::vector<int64_t>& steps, double compactness,
               const double* grey, uint32_t* source)
      : frame_(frame), steps_(steps), compactness_(compactness), grey_(grey), source_(source) {}

  void run() {
    for (int64_t line = 0; line < frame_.lines(); ++line)
      for (int64_t at = frame_.line(line), end = at + frame_.width(); at < end; ++at)
        if (source_[at] < OUTSIDE) push(grey_[at], at, at);
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), later);
      const Entry entry = heap_.back();
      heap_.pop_back();
      if (source_[entry.at] != NONE && entry.at != entry.source) continue;
      source_[entry.at] = entry.source;
      for (const int64_t step : steps_) {
        const int64_t to = entry.at + step;
        if (source_[to] != NONE) continue;
        const double value = grey_[to] + compactness_ * distance(to, entry.source);
        push(std::max(value, entry.value), to, entry.source);
      }
    }
  }

 private:
  struct Entry {
    double value;
    uint64_t age;
    uint32_t at, source;
  };

  static bool later(const Entry& a, const Entry& b) {
    return a.value != b.value ? a.value > b.value : a.age > b.age;
  }

  void push(double value, int64_t at, int64_t source) {
    heap_.push_back({value, age_++, static_cast<uint32_t>(at), static_cast<uint32_t>(source)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  double distance(int64_t a, int64_t b) const {
    double sum = 0;
    for (int d = 0; d < frame_.axes(); ++d) {
      const auto apart = static_cast<double>(frame_.coordinate(a, d) - frame_.coordinate(b, d));
      sum += apart * apart;
    }
    return std::sqrt(sum);
  }

  const Frame& frame_;
  const std::vector<int64_t>& steps_;
  const double compactness_;
  const double* const grey_;
  uint32_t* const source_;
  std::vector<Entry> heap_;
  uint64_t age_ = 0;
};

}  // namespace lesionkit::fronts

// The image as the loop that counts pairs wants it: levels in 16 or 32 bits, and for each line the
// columns that may hold voxels to be counted. Voxels outside the mask get a level of their own.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/extent.hpp"
#include "common/reduce.hpp"
#include "common/view.hpp"
#include "texture/glcm/glcm.hpp"
#include "texture/glcm/kernels.hpp"

namespace lesionkit::texture {

// More, and a table of counts is larger than the nearest cache.
inline constexpr int64_t MAX_LEVELS_IN_CACHE = 90;

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
Levels<V> plain_levels(const View<const T>& image, const V* data, int64_t levels) {
  return {data, image.shape(0), image.shape(1), image.shape(2), image.shape(3), levels, {}, {}};
}

template <class T>
Range<int64_t> extremes_of(const T* x, int64_t n) {
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
inline Span used(const uint8_t* mask, int64_t width) {
  const auto set = [](uint8_t m) { return m != 0; };
  const uint8_t* first = std::find_if(mask, mask + width, set);
  int64_t end = width;
  while (end > first - mask && !mask[end - 1]) --end;
  return {first - mask, end};
}

// Copies the voxels in the mask, the others as level `levels`; notes their extremes.
template <class V, class T>
Levels<V> masked_levels(const View<const T>& image, const Maybe<const uint8_t>& mask,
                        int64_t levels, Extremes& found) {
  Levels<V> made = plain_levels<V>(image, nullptr, mask ? levels + 1 : levels);
  const int64_t lines = made.batch * made.lines(), width = made.width;
  made.own.reset(new V[lines * width]);
  made.data = made.own.get();
  made.spans.assign(lines, {0, width});
  const T* from = image.data();
  const uint8_t* in = data_or_null(mask);
  const auto extremes = reduce_in_any_order(
      lines, std::max<int64_t>(1, (1 << 18) / std::max<int64_t>(width, 1)), Range<int64_t>{},
      [&](int64_t begin, int64_t end, Range<int64_t>& part) {
        std::vector<T> inside;
        for (int64_t line = begin; line < end; ++line) {
          const T* source = from + line * width;
          V* target = made.own.get() + line * width;
          if (!in) {
            for (int64_t x = 0; x < width; ++x) target[x] = static_cast<V>(source[x]);
            part.add(extremes_of(source, width));
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
          part.add(extremes_of(inside.data(), span.size()));
        }
      });
  found = {extremes.low, extremes.high};
  return made;
}

}  // namespace lesionkit::texture

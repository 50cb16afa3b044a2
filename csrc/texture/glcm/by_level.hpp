// An image sorted by level, so that the matrices of many offsets are counted a row at a time: the
// pixels of level a, one after another, and for each the levels of its neighbours. The counts of
// one row of all matrices fit in the nearest cache, where whole matrices of one offset do not, and
// they come in the order in which scikit-image's layout wants them.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "common/parallel.hpp"
#include "texture/glcm/glcm.hpp"

namespace lesionkit::texture {

// V holds a level times n, which is where its counts begin in a row of n matrices; outside the
// image stands the level `levels`, whose counts nobody reads. The image is read once: were it
// written to meanwhile, by another thread of the caller, counts and places would still agree.
template <class V>
class ByLevel {
 public:
  // Offsets that stay within `rows` and `columns` of a pixel may be asked for.
  template <class T>
  ByLevel(const T* image, int64_t height, int64_t width, int64_t levels, int64_t n, int64_t rows,
          int64_t columns)
      : levels_(levels),
        pitch_(width + columns),
        bands_((height * pitch_ + band_size - 1) / band_size),
        begins_(bands_ * levels),
        first_(rows * pitch_ + columns),
        values_(new V[first_ + (height + rows) * pitch_]),
        places_(new uint16_t[height * width]) {
    const V outside = static_cast<V>(levels * n);
    std::fill_n(values_.get(), first_, outside);
    for (int64_t y = 0; y < height; ++y)
      std::fill_n(values_.get() + first_ + y * pitch_ + width, columns, outside);
    std::fill_n(values_.get() + first_ + height * pitch_, rows * pitch_, outside);

    // Calls pixels(band, line, place, count) for the lines' parts that lie in a band.
    const auto for_bands = [&](auto&& pixels) {
      parallel_for(bands_, 1, [&](int64_t begin, int64_t end) {
        for (int64_t band = begin; band < end; ++band) {
          int64_t place = band * band_size;
          const int64_t last = std::min(place + band_size, height * pitch_);
          for (int64_t y = place / pitch_; place < last; ++y) {
            const int64_t x = place - y * pitch_, next = (y + 1) * pitch_;
            if (x < width)
              pixels(band, image + y * width + x, place, std::min(width - x, last - place));
            place = next;
          }
        }
      });
    };
    for_bands([&](int64_t band, const T* line, int64_t place, int64_t count) {
      V* to = values_.get() + first_ + place;
      const V highest = static_cast<V>(levels - 1);
      for (int64_t x = 0; x < count; ++x) to[x] = std::min(static_cast<V>(line[x]), highest);
      int64_t* found = &begins_[band * levels];
      for (int64_t x = 0; x < count; ++x) ++found[to[x]];
    });
    int64_t begin = 0;
    for (int64_t level = 0; level < levels; ++level)
      for (int64_t band = 0; band < bands_; ++band)
        begin += std::exchange(begins_[band * levels + level], begin);
    ends_ = begins_;
    for_bands([&](int64_t band, const T*, int64_t place, int64_t count) {
      int64_t* end = &ends_[band * levels];
      V* to = values_.get() + first_ + place;
      for (int64_t x = 0; x < count; ++x)
        places_[end[to[x]]++] = static_cast<uint16_t>(place + x - band * band_size);
      for (int64_t x = 0; x < count; ++x) to[x] = static_cast<V>(to[x] * n);
    });
  }

  int64_t pitch() const { return pitch_; }

  // Calls piece(values, places, count) for the pixels of a level: values[places[i]] is one.
  template <class Piece>
  void for_pieces(int64_t level, Piece&& piece) const {
    for (int64_t band = 0; band < bands_; ++band) {
      const int64_t at = band * levels_ + level;
      if (ends_[at] > begins_[at])
        piece(values_.get() + first_ + band * band_size, places_.get() + begins_[at],
              ends_[at] - begins_[at]);
    }
  }

 private:
  static constexpr int64_t band_size = 1 << 15;  // places, which fit in 16 bits

  int64_t levels_, pitch_, bands_;
  std::vector<int64_t> begins_, ends_;  // [band][level]
  int64_t first_;
  std::unique_ptr<V[]> values_;
  std::unique_ptr<uint16_t[]> places_;
};

}  // namespace lesionkit::texture

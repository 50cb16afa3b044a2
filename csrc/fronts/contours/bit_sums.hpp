// The sums of an image inside and outside a binary region, in NumPy's order, for little more than
// the contour's length: of a run of at most 128 pixels that lies on one side the sum is known.
#pragma once

#include <vector>

#include "fronts/contours/bit_image.hpp"
#include "fronts/contours/numpy_sum.hpp"

namespace lesionkit::fronts::contours {

template <class T>
struct TwoSums {
  T inside, outside;
  int64_t pixels;  // inside

  TwoSums operator+(const TwoSums& b) const {
    return {inside + b.inside, outside + b.outside, pixels + b.pixels};
  }
};

// Of 128 bits from the image's own, one after another.
struct RunBits {
  uint64_t words[2] = {};

  void append(int64_t at, uint64_t bits) {
    words[at / 64] |= bits << at % 64;
    if (at % 64 && at < 64) words[1] |= bits >> (64 - at % 64);
  }
  bool bit(int64_t i) const { return words[i / 64] >> i % 64 & 1; }
  int64_t count() const { return std::popcount(words[0]) + std::popcount(words[1]); }
};

template <class T>
struct RunTerm {
  const T* image;
  RunBits bits;
  bool wanted;

  template <class V>
  V at(int64_t i) const {
    if constexpr (sizeof(V) == sizeof(T)) {
      return bits.bit(i) == wanted ? image[i] : T(0);
    } else {
      typedef std::conditional_t<sizeof(T) == 8, int64_t, int32_t> Integer;
      using Eight = Vector<Integer, 8>;
      const Integer eight = static_cast<Integer>(bits.words[i / 64] >> i % 64 & 255);
      const Eight place = {1, 2, 4, 8, 16, 32, 64, 128}, none = {};
      const V value = load<V>(image + i), zero = {};
      const Eight is_set = (place & (none + eight)) != none;
      return wanted ? (is_set ? value : zero) : (is_set ? zero : value);
    }
  }
};

template <class T>
struct PlainTerm {
  const T* image;

  template <class V>
  V at(int64_t i) const {
    return load<V>(image + i);
  }
};

template <class T>
class BitSums {
 public:
  BitSums(const T* image, const BitShape& shape)
      : image_(image),
        shape_(shape),
        tree_(shape.planes * shape.rows * shape.columns, 1 << 14),
        whole_(shape.planes * shape.rows * shape.columns / 64 + 1),
        parts_(tree_.parts().size()) {
    for_each_part([this](int64_t, int64_t begin, int64_t size) { remember(begin, size); });
  }

  TwoSums<T> of(const Bits& bits) {
    for_each_part(
        [&](int64_t part, int64_t begin, int64_t size) { parts_[part] = sum(bits, begin, size); });
    return tree_.total([this](int64_t part) { return parts_[part]; });
  }

 private:
  template <class Work>
  void for_each_part(const Work& work) {
    parallel_for(static_cast<int64_t>(parts_.size()), 4, [&](int64_t first, int64_t last) {
      for (int64_t part = first; part < last; ++part)
        work(part, tree_.parts()[part].begin, tree_.parts()[part].size);
    });
  }

  void remember(int64_t begin, int64_t n) {
    if (n > 128) {
      remember(begin, first_half(n));
      remember(begin + first_half(n), n - first_half(n));
    } else {  // no two runs begin within 64 pixels
      whole_[begin / 64] = pairwise_sum<T>(PlainTerm<T>{image_ + begin}, 0, n);
    }
  }

  TwoSums<T> sum(const Bits& bits, int64_t begin, int64_t n) const {
    if (n > 128) {
      const int64_t half = first_half(n);
      return sum(bits, begin, half) + sum(bits, begin + half, n - half);
    }
    const RunBits run = run_of(bits, begin, n);
    const int64_t count = run.count();
    if (count == 0) return {T(0), whole_[begin / 64], 0};
    if (count == n) return {whole_[begin / 64], T(0), n};
    return {pairwise_sum<T>(RunTerm<T>{image_ + begin, run, true}, 0, n),
            pairwise_sum<T>(RunTerm<T>{image_ + begin, run, false}, 0, n), count};
  }

  RunBits run_of(const Bits& bits, int64_t begin, int64_t n) const {
    RunBits run;
    int64_t line = begin / shape_.columns, column = begin % shape_.columns;
    for (int64_t at = 0; at < n;) {
      const int64_t now =
          std::min({n - at, shape_.columns - column, 64 - column % 64, int64_t{64}});
      const uint64_t* words = bits.data() + shape_.line(line / shape_.rows, line % shape_.rows);
      const uint64_t mask = now == 64 ? ~uint64_t{0} : (uint64_t{1} << now) - 1;
      run.append(at, words[column / 64] >> column % 64 & mask);
      at += now;
      column += now;
      if (column == shape_.columns) {
        column = 0;
        ++line;
      }
    }
    return run;
  }

  const T* image_;
  BitShape shape_;
  SumTree tree_;
  std::vector<T> whole_;  // the sum of the run that begins within these 64 pixels
  std::vector<TwoSums<T>> parts_;
};

}  // namespace lesionkit::fronts::contours

// Features of regions on the CPU, one region and one offset at a time; see rois.hpp.
//
// Of a region its levels are read once into a small block, with normalisation if asked for. Of an
// offset, rows of pairs become keys (a + b, |a - b| and the cell of the unordered pair) in vectors;
// then each key adds one to a small table, while running sums follow the counts. Tables are cleared
// only where they were touched. Levels are renamed by order of appearance where there are many, so
// that the table of pairs is as large as the region makes it, whatever the levels; where it would
// still be large, pairs are brought together by their lower name first, and counted in one row of
// it.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "common/grid.hpp"
#include "common/simd.hpp"
#include "texture/rois/rois.hpp"

namespace lesionkit::texture::rois {

inline constexpr int64_t NARROW_LEVELS = 256;      // keys of 16 bits
inline constexpr int64_t NARROW_PIXELS = 1 << 14;  // counts of 16 bits, sums of 32
inline constexpr int64_t PLAIN_LEVELS = 64;        // more are renamed
// Cells of the table of pairs; beyond, one row at a time.
inline constexpr int64_t PLAIN_TABLE = 1 << 16;
inline constexpr int64_t STEPS = 1 << 14;  // entropy_step is tabulated so far

// A box of an image; pixels of other labels are no part of it. Label 0: all are.
struct Region {
  int64_t start, planes, rows, columns;
  int32_t label;
  int64_t pixels() const { return planes * rows * columns; }
};

template <class T>
struct Image {
  const T* pixel;
  const int32_t* label;
  int64_t plane_stride, row_stride;
};

struct Task {
  int64_t levels, max_pixels;
  int normalise;
  const Offset* offsets;
  int64_t offset_count;
  const int32_t* features;
  int64_t feature_count;
  double per_nat;
  int parts;
};

// Entropy steps and logarithms of whole numbers.
class Logarithms {
 public:
  explicit Logarithms(int64_t most) : size_(std::min(most, STEPS) + 1), step_(size_), log_(size_) {
    for (int64_t c = 0; c < size_; ++c) {
      step_[c] = entropy_step(static_cast<double>(c));
      log_[c] = std::log(static_cast<double>(c));
    }
  }
  double step(int64_t c) const {
    return c < size_ ? step_[c] : entropy_step(static_cast<double>(c));
  }
  double tabulated_step(int64_t c) const { return step_[c]; }
  double log(int64_t c) const { return c < size_ ? log_[c] : std::log(static_cast<double>(c)); }

 private:
  int64_t size_;
  std::vector<double> step_, log_;
};

// A percentile of values, which are moved about.
inline double percentile(std::vector<double>& x, double share) {
  if (x.empty()) return 0.0;  // its pixels were taken away meanwhile, by another thread
  const Percentile at(share, static_cast<int64_t>(x.size()));
  const auto below = x.begin() + at.below;
  std::nth_element(x.begin(), below, x.end());
  return at.between(*below, at.above > at.below ? *std::min_element(below + 1, x.end()) : *below);
}

inline Quantiser quantiser(std::vector<double>& x, int normalise, int64_t levels) {
  const double steps = static_cast<double>(levels);
  if (normalise & SIGMA)
    return three_sigma(x.data(), static_cast<int64_t>(x.size()), steps, normalise);
  const double low = percentile(x, 0.01);
  return quantiser_between(low, percentile(x, 0.99), steps, normalise);
}

// What one thread needs to measure regions, one after another. Key holds a key, and a count.
template <class T, class Key>
class Measurer {
 public:
  Measurer(const Task& task, const Image<T>& image, const Logarithms& logs)
      : task_(task),
        image_(image),
        logs_(logs),
        level_(task.max_pixels + STEP),
        sum_(task.max_pixels + STEP),
        difference_(task.max_pixels + STEP),
        low_(task.max_pixels + STEP),
        high_(task.max_pixels + STEP),
        sum_count_(2 * task.levels),
        difference_count_(task.levels),
        names_(task.levels) {
    if (task.levels > PLAIN_LEVELS) {
      name_.resize(task.max_pixels + STEP);
      name_of_.resize(task.levels);
    } else {
      joint_count_.resize(names_ * names_);
    }
  }

  void open(const Region& region) {
    region_ = region;
    whole_ = region.label == 0;
    if (!whole_) find_inside();
    if (task_.normalise != NONE)
      quantise();
    else  // clamped: another thread may write to the image after its levels were checked
      each_row([&, highest = static_cast<Key>(task_.levels - 1)](int64_t to, int64_t from) {
        for (int64_t c = 0; c < region.columns; ++c)
          level_[to + c] = std::min(static_cast<Key>(image_.pixel[from + c]), highest);
      });
    if (!name_.empty()) rename();
  }

  void measure(const Offset& offset, double* out) {
    const int64_t n = pair_keys(offset);
    double feature[FEATURES];
    if (n == 0) {
      std::fill_n(feature, int{FEATURES}, std::numeric_limits<double>::quiet_NaN());
    } else {
      PairSums of = {};
      of.pairs = n;
      add_moments(of);
      if (task_.parts & INVERSE) of.inverse = inverse_sum(n);
      if (task_.parts & SUMS) of.sum_log = count_alone(sum_, n, sum_count_);
      if (task_.parts & DIFFERENCES)
        of.difference_log = count_alone(difference_, n, difference_count_);
      if (task_.parts & JOINT) count_pairs(of);
      features_of(of, logs_.log(n), task_.per_nat, feature);
    }
    for (int64_t f = 0; f < task_.feature_count; ++f) out[f] = feature[task_.features[f]];
  }

 private:
  static constexpr bool narrow = sizeof(Key) == 2;
  // Pairs at a time: what a register of the processor holds, and no more than a short row.
  static constexpr int64_t STEP =
      std::min<int64_t>(16, lane_count<double> * sizeof(double) / sizeof(Key));
  using V = Vector<Key, STEP>;

  double step(int64_t count) const {
    return narrow ? logs_.tabulated_step(count) : logs_.step(count);
  }

  // work(first pixel of a row in the block, and in the image)
  template <class Work>
  void each_row(Work&& work) const {
    for (int64_t p = 0; p < region_.planes; ++p)
      for (int64_t r = 0; r < region_.rows; ++r)
        work((p * region_.rows + r) * region_.columns,
             region_.start + p * image_.plane_stride + r * image_.row_stride);
  }

  // Which pixels are the object's, and the spans of each row of them.
  void find_inside() {
    inside_.resize(region_.pixels());
    span_.clear();
    row_span_.assign(1, 0);
    int64_t count = 0;
    each_row([&](int64_t to, int64_t from) {
      const int32_t* label = image_.label + from;
      for (int64_t c = 0; c < region_.columns; ++c)
        count += inside_[to + c] = label[c] == region_.label;
      for (int64_t c = 0; c < region_.columns;) {
        const int64_t begin = c;
        while (c < region_.columns && inside_[to + c]) ++c;
        if (c > begin) span_.push_back({begin, c});
        while (c < region_.columns && !inside_[to + c]) ++c;
      }
      row_span_.push_back(static_cast<int64_t>(span_.size()));
    });
    whole_ = count == region_.pixels();
  }

  void quantise() {
    value_.clear();
    each_row([&](int64_t to, int64_t from) {
      for (int64_t c = 0; c < region_.columns; ++c)
        if (whole_ || inside_[to + c])
          value_.push_back(static_cast<double>(image_.pixel[from + c]));
    });
    const Quantiser level = quantiser(value_, task_.normalise, task_.levels);
    each_row([&](int64_t to, int64_t from) {
      for (int64_t c = 0; c < region_.columns; ++c)
        level_[to + c] = static_cast<Key>(level(static_cast<double>(image_.pixel[from + c])));
    });
  }

  // Levels of pixels inside get the names 0, 1, 2 ... as they come.
  void rename() {
    const int64_t pixels = region_.pixels();
    names_ = 0;
    for (int64_t i = 0; i < pixels; ++i) {
      if (!whole_ && !inside_[i]) continue;
      Key& name = name_of_[level_[i]];  // 0: none yet
      if (name == 0) name = static_cast<Key>(++names_);
      name_[i] = name - 1;
    }
    for (int64_t i = 0; i < pixels; ++i)
      if (whole_ || inside_[i]) name_of_[level_[i]] = 0;
    const size_t cells = one_table() ? names_ * names_ : names_;
    if (joint_count_.size() < cells) joint_count_.resize(cells);
  }

  bool one_table() const { return narrow || names_ * names_ <= PLAIN_TABLE; }

  // Fills sum_, difference_ and low_ (the cell of the pair; or low_ and high_, if there is not one
  // table); returns the number of pairs. Keys past the last pair are 0 up to a whole vector.
  int64_t pair_keys(const Offset& by) {
    const auto [start, planes, rows, columns, label] = region_;
    const int64_t down = by.plane * rows + by.row, shift = down * columns + by.column;
    const int64_t first = std::max<int64_t>(0, -by.column);
    const int64_t last = std::min(columns, columns - by.column);
    const int64_t last_plane = std::min(planes, planes - by.plane);
    const int64_t last_row = std::min(rows, rows - by.row);
    int64_t n = 0;
    for (int64_t p = std::max<int64_t>(0, -by.plane); p < last_plane; ++p)
      for (int64_t r = std::max<int64_t>(0, -by.row); r < last_row; ++r) {
        const int64_t row = p * rows + r;
        if (whole_)
          n = append(n, row * columns + first, shift, last - first);
        else
          n = append_common(n, row, row + down, by.column, shift);
      }
    for (auto* keys : {&sum_, &difference_}) std::fill_n(keys->data() + n, STEP, Key{0});
    return n;
  }

  // Of two rows the pairs with both pixels inside: where spans of the one meet those of the other.
  int64_t append_common(int64_t n, int64_t row, int64_t other, int64_t by, int64_t shift) {
    const Span *a = span_.data() + row_span_[row], *b = span_.data() + row_span_[other];
    const Span *const a_end = span_.data() + row_span_[row + 1], *const b_end =
                                                                     span_.data() +
                                                                     row_span_[other + 1];
    while (a < a_end && b < b_end) {
      const int64_t begin = std::max(a->begin, b->begin - by);
      const int64_t end = std::min(a->end, b->end - by);
      n = append(n, row * region_.columns + begin, shift, end - begin);
      if (a->end < b->end - by)
        ++a;
      else
        ++b;
    }
    return n;
  }

  // Pairs of pixels i, i + 1, ... and those `shift` further on.
  int64_t append(int64_t n, int64_t i, int64_t shift, int64_t width) {
    const Key* name = names();
    const Key k = static_cast<Key>(names_);
    for (int64_t c = 0; c < width; c += STEP) {
      const V a = load<V>(&level_[i + c]), b = load<V>(&level_[i + shift + c]);
      store(&sum_[n + c], a + b);
      store(&difference_[n + c], a > b ? a - b : b - a);
      const V x = load<V>(name + i + c), y = load<V>(name + i + shift + c);
      const V low = min(x, y), high = max(x, y);
      if (one_table()) {
        store(&low_[n + c], low * k + high);
      } else {
        store(&low_[n + c], low);
        store(&high_[n + c], high);
      }
    }
    return n + std::max<int64_t>(width, 0);
  }

  const Key* names() const { return name_.empty() ? level_.data() : name_.data(); }

  void add_moments(PairSums& of) const {
    using Sum = std::conditional_t<narrow, uint32_t, uint64_t>;
    const int64_t padded = (of.pairs + STEP - 1) / STEP * STEP;
    Sum sum = 0, squares = 0, difference = 0, contrast = 0, diagonal = 0;
    for (int64_t i = 0; i < padded; ++i) {
      const Sum s = sum_[i], d = difference_[i];
      sum += s;
      squares += s * s;
      difference += d;
      contrast += d * d;
      diagonal += d == 0;
    }
    of.sum = sum;
    of.sum_squared = squares;
    of.difference = difference;
    of.contrast = contrast;
    of.diagonal = static_cast<int64_t>(diagonal) - (padded - of.pairs);
  }

  double inverse_sum(int64_t n) const {
    Simd<double> total = {};
    int64_t i = 0;
    for (; i < n; i += lane_count<double>) {
      const auto x = load<Simd<double>>(&difference_[i]);
      total += 1.0 / (1.0 + x * x);
    }
    double sum = static_cast<double>(n - i);  // keys past the end are 0: each has added 1
    for (int l = 0; l < lane_count<double>; ++l) sum += total[l];
    return sum;
  }

  // Counts n keys in a table of zeros, and leaves it so; returns the sum of c log c.
  double count_alone(const std::vector<Key>& keys, int64_t n, std::vector<Key>& table) const {
    double log = 0.0;
    const Key* key = keys.data();
    Key* count = table.data();
    for (int64_t i = 0; i < n; ++i) log += step(count[key[i]]++);
    clear(key, n, count, static_cast<int64_t>(table.size()));
    return log;
  }

  static void clear(const Key* key, int64_t n, Key* count, int64_t cells) {
    if (cells * static_cast<int64_t>(sizeof(Key)) <= 32 * n)
      std::fill_n(count, cells, Key{0});
    else
      for (int64_t i = 0; i < n; ++i) count[key[i]] = 0;
  }

  void count_pairs(PairSums& of) {
    if (!one_table()) return count_pairs_by_rows(of);
    double log = 0.0;
    int64_t before = 0;
    Key* count = joint_count_.data();
    for (int64_t i = 0; i < of.pairs; ++i) {
      const int64_t c = count[low_[i]]++;
      log += step(c);
      before += c << (difference_[i] == 0);
    }
    clear(low_.data(), of.pairs, count, names_ * names_);
    of.joint_log = log;
    of.joint_before = before;
  }

  // The same when names are many: pairs are put in order of their lower name, and the table holds
  // the higher names of one lower name at a time.
  void count_pairs_by_rows(PairSums& of) {
    const int64_t n = of.pairs;
    first_.assign(names_ + 1, 0);
    ordered_.resize(n);
    for (int64_t i = 0; i < n; ++i) ++first_[low_[i] + 1];
    for (int64_t k = 0; k < names_; ++k) first_[k + 1] += first_[k];
    for (int64_t i = 0; i < n; ++i) ordered_[first_[low_[i]]++] = high_[i];
    Key* count = joint_count_.data();
    for (int64_t k = 0, i = 0; k < names_; ++k) {
      const int64_t begin = i, end = first_[k];
      for (; i < end; ++i) {
        const int64_t c = count[ordered_[i]]++;
        of.joint_log += step(c);
        of.joint_before += c << (ordered_[i] == k);
      }
      for (int64_t j = begin; j < end; ++j) count[ordered_[j]] = 0;
    }
  }

  const Task& task_;
  const Image<T>& image_;
  const Logarithms& logs_;
  Region region_ = {};
  bool whole_ = true;
  std::vector<uint8_t> inside_;
  std::vector<Span> span_;
  std::vector<int64_t> row_span_;  // where the spans of each row begin
  std::vector<double> value_;
  std::vector<Key> level_, name_, sum_, difference_, low_, high_;
  std::vector<Key> sum_count_, difference_count_, joint_count_, name_of_, ordered_;
  std::vector<int64_t> first_;
  int64_t names_;
};

}  // namespace lesionkit::texture::rois

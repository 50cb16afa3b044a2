// Watershed: grey values and markers as words, flooded, and back.

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>
#include <stdexcept>
#include <vector>

#include "common/extent.hpp"
#include "common/portable.hpp"
#include "common/reduce.hpp"
#include "common/view.hpp"
#include "fronts/frame.hpp"
#include "fronts/watershed/compact_watershed.hpp"
#include "fronts/watershed/kernels.hpp"
#include "fronts/watershed/minima.hpp"
#include "fronts/watershed/ranks.hpp"
#include "fronts/watershed/watershed.hpp"

namespace lesionkit::fronts {
namespace {

constexpr int64_t GRAIN = int64_t{1} << 17;

// Calls f with the array's numbers, a pointer to what they are.
template <class F>
void visit(const AnyView& array, F&& f) {
  const auto is = [&]<class T>(const T*) {
    const char k = std::is_floating_point_v<T> ? 'f' : std::is_signed_v<T> ? 'i' : 'u';
    if (array.kind != k || array.bytes != sizeof(T)) return false;
    f(static_cast<const T*>(array.data));
    return true;
  };
  const bool known = is((uint8_t*)nullptr) || is((uint16_t*)nullptr) || is((uint32_t*)nullptr) ||
                     is((uint64_t*)nullptr) || is((int8_t*)nullptr) || is((int16_t*)nullptr) ||
                     is((int32_t*)nullptr) || is((int64_t*)nullptr) || is((float*)nullptr) ||
                     is((double*)nullptr);
  if (!known) throw std::invalid_argument("an array of this kind was not expected");
}

// Numbers below `count`, whatever happens to what they are read from; a call gives a piece.
struct Numbers {
  int64_t count;
  std::function<void(int64_t begin, int64_t end, uint32_t* to)> read;
};

// Of all numbers, or of those that are not 0.
template <bool OF_ALL, class T>
Range<T> range_of(const T* x, int64_t n) {
  return reduce_in_any_order(n, GRAIN, Range<T>{}, [&](int64_t begin, int64_t end, Range<T>& part) {
    Range<T> here = part;  // its own, so that x cannot be part of it
    for (int64_t i = begin; i < end; ++i) {
      const bool counts = OF_ALL || x[i] != 0;
      here.low = counts && x[i] < here.low ? x[i] : here.low;
      here.high = counts && x[i] > here.high ? x[i] : here.high;
    }
    part = here;
  });
}

// Grey values as levels from 0: whole numbers of a small range by their difference, others by rank.
template <class T>
Numbers levels_of(const T* image, int64_t n) {
  if constexpr (std::is_integral_v<T>) {
    const Range<T> range = range_of<true>(image, n);
    const uint64_t spread = static_cast<uint64_t>(range.high) - static_cast<uint64_t>(range.low);
    if (spread < static_cast<uint64_t>(std::max<int64_t>(1 << 16, n)))
      return {static_cast<int64_t>(spread) + 1, [=](int64_t begin, int64_t end, uint32_t* to) {
                for (int64_t i = begin; i < end; ++i)
                  to[i - begin] =
                      std::min(static_cast<uint32_t>(image[i]) - static_cast<uint32_t>(range.low),
                               static_cast<uint32_t>(spread));
              }};
  }
  const std::shared_ptr<uint32_t[]> ranks = large<uint32_t>(n);
  const int64_t count = rank(image, n, ranks.get());
  return {count, [ranks](int64_t begin, int64_t end, uint32_t* to) {
            std::copy(ranks.get() + begin, ranks.get() + end, to);
          }};
}

// Whether labels up to this one, and the two that mean something else, fit beside a level into 32
// bits.
bool fits(uint64_t label, int level_bits) {
  return level_bits < 31 && label < (uint64_t{1} << (32 - level_bits)) - 2;
}

// Markers' values as labels from 1 to `count`, whatever happens to the markers meanwhile; a call
// reads a piece of them, or writes the values of labels. They stay as they are if they fit beside a
// level.
struct Labels {
  uint32_t count = 0;
  std::function<void(int64_t begin, int64_t end, uint32_t* to)> read;
  std::function<void(const uint32_t* labels, int64_t begin, int64_t end)> write;
};

template <class T>
Labels labels_of(const T* markers, int64_t n, int level_bits, T* out) {
  const Range<T> range = range_of<false>(markers, n);
  if (range.high < range.low)  // no marker
    return {0, [](int64_t begin, int64_t end, uint32_t* to) { std::fill_n(to, end - begin, 0u); },
            [=](const uint32_t*, int64_t begin, int64_t end) {
              std::fill(out + begin, out + end, T{0});
            }};
  if (range.low > 0 && fits(static_cast<uint64_t>(range.high), level_bits)) {
    const auto count = static_cast<uint32_t>(range.high);
    return {count,
            [=](int64_t begin, int64_t end, uint32_t* to) {
              for (int64_t i = begin; i < end; ++i)
                to[i - begin] = std::min(static_cast<uint32_t>(markers[i]), count);
            },
            [=](const uint32_t* labels, int64_t begin, int64_t end) {
              for (int64_t i = begin; i < end; ++i) out[i] = static_cast<T>(labels[i - begin]);
            }};
  }
  const auto found = std::make_shared<std::vector<T>>();  // of labels 1, 2 ...
  std::vector<T>& values = *found;
  std::copy_if(markers, markers + n, std::back_inserter(values), [](T v) { return v != 0; });
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  const auto count = static_cast<uint32_t>(values.size());
  return {count,
          [=](int64_t begin, int64_t end, uint32_t* to) {
            for (int64_t i = begin; i < end; ++i) {
              const T value = markers[i];
              const auto at = std::lower_bound(found->begin(), found->end(), value);
              const auto label = static_cast<uint32_t>(at - found->begin()) + 1;
              to[i - begin] = value == 0 ? 0 : std::min(label, count);
            }
          },
          [=](const uint32_t* labels, int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
              const uint32_t label = labels[i - begin];
              out[i] = label == 0 ? T{0} : (*found)[label - 1];
            }
          }};
}

struct Request {
  Frame frame;
  const Numbers& levels;
  const uint8_t* mask;         // null: everything
  std::vector<int64_t> steps;  // to the neighbours
  bool lines;
};

// Where the places of each level begin: a level has as many as it has pixels.
template <class Word>
std::vector<uint32_t> places(const Request& request, const Words<Word>& rule, const Word* words) {
  const Frame& frame = request.frame;
  const int64_t levels = request.levels.count;
  std::vector<uint32_t> first(levels + 1);
  const auto count = [&](int64_t begin, int64_t end, uint32_t* to) {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t at = frame.line(i), stop = at + frame.width(); at < stop; ++at)
        ++to[rule.level(words[at])];
  };
  if (levels > 1 << 16) {
    count(0, frame.lines(), first.data() + 1);
  } else {
    const int64_t grain = (int64_t{1} << 20) / frame.width() + 1;
    const auto found = reduce_in_any_order(
        frame.lines(), grain, Counts<uint32_t>(levels),
        [&](int64_t begin, int64_t end, auto& part) { count(begin, end, part.of.data()); });
    std::copy(found.of.begin(), found.of.end(), first.begin() + 1);
  }
  for (int64_t l = 0; l < levels; ++l) first[l + 1] += first[l];
  return first;
}

template <class Word>
void flood(const Request& request, Words<Word> rule, Word* words) {
  const Frame& frame = request.frame;
  const std::vector<int64_t>& steps = request.steps;
  const std::vector<uint32_t> first = places(request, rule, words);
  const auto run = [&](auto neighbours, auto dividing) {
    constexpr bool DIVIDING = dividing;
    Flood<Word, neighbours> flood(words, rule, steps, first);
    const Word lowest = rule.with_label(1), markers = rule.with_label(rule.waiting()) - lowest;
    for (int64_t i = 0; i < frame.lines(); ++i)
      for (int64_t at = frame.line(i), end = at + frame.width(); at < end; ++at)
        if (words[at] - lowest < markers) flood.template enter<DIVIDING>(static_cast<uint32_t>(at));
    flood.template run<DIVIDING>();
  };
  const auto with = [&](auto dividing) {
    switch (steps.size()) {
      case 4:
        return run(Constant<4>{}, dividing);
      case 6:
        return run(Constant<6>{}, dividing);
      case 8:
        return run(Constant<8>{}, dividing);
      case 26:
        return run(Constant<26>{}, dividing);
      default:
        return run(Constant<0>{}, dividing);
    }
  };
  request.lines ? with(Constant<1>{}) : with(Constant<0>{});
}

template <class Word>
void label_pixels(const Request& request, const Labels& labels, int bits) {
  const Frame& frame = request.frame;
  const Words<Word> rule = {bits};
  const Large<Word> words = large<Word>(frame.size());
  const Word outside = rule.with_label(rule.outside());
  frame.surround(words.get(), outside);
  const int64_t width = frame.width();
  constexpr int64_t piece = 2048;
  frame.for_lines([&](int64_t, int64_t from, int64_t at) {
    uint32_t level[piece], label[piece];
    for (int64_t x = 0; x < width; x += piece) {
      const int64_t begin = from + x, count = std::min(piece, width - x);
      request.levels.read(begin, begin + count, level);
      labels.read(begin, begin + count, label);
      Word* to = words.get() + at + x;
      for (int64_t i = 0; i < count; ++i)
        to[i] = rule.with_label(static_cast<Word>(label[i])) | level[i];
      if (request.mask != nullptr)
        for (int64_t i = 0; i < count; ++i) to[i] = request.mask[begin + i] ? to[i] : outside;
    }
  });
  flood(request, rule, words.get());
  frame.for_lines([&](int64_t, int64_t to, int64_t at) {
    uint32_t label[piece];
    for (int64_t x = 0; x < width; x += piece) {
      const int64_t count = std::min(piece, width - x);
      for (int64_t i = 0; i < count; ++i) {
        const Word its = rule.label(words[at + x + i]);
        label[i] = its >= rule.waiting() ? 0 : static_cast<uint32_t>(its);
      }
      labels.write(label, to + x, to + x + count);
    }
  });
}

// A frame in which every step to a neighbour ends, and these steps. offsets: (neighbours, axes).
std::pair<Frame, std::vector<int64_t>> frame_for(const AnyView& image,
                                                 View<const int64_t> offsets) {
  const int64_t axes = image.axes, count = offsets.shape(0);
  std::vector<int64_t> gaps(axes, 1), steps(count);
  int64_t reach = 1;
  for (int64_t i = 0; i < count * axes; ++i) {
    gaps[i % axes] = std::max(gaps[i % axes], std::abs(offsets.data()[i]));
    reach = std::max(reach, gaps[i % axes]);
  }
  const Frame frame({image.shape, image.shape + axes}, gaps, reach);
  for (int64_t i = 0; i < count * axes; ++i)
    steps[i / axes] += offsets.data()[i] * frame.step(static_cast<int>(i % axes));
  return {frame, steps};
}

}  // namespace

void watershed(const AnyView& image, const AnyView& markers, Maybe<const uint8_t> mask,
               View<const int64_t> offsets, bool watershed_line, const AnyView& out) {
  const int64_t n = image.size;
  Numbers levels;
  visit(image, [&](const auto* pixels) { levels = levels_of(pixels, n); });
  const auto [frame, steps] = frame_for(image, offsets);
  const Request request = {frame, levels, data_or_null(mask), steps, watershed_line};
  void* to = out.data;
  visit(markers, [&]<class T>(const T* given) {
    if constexpr (std::is_integral_v<T>) {
      const int bits = std::bit_width(static_cast<uint64_t>(levels.count - 1));
      const Labels labels = labels_of(given, n, bits, static_cast<T*>(to));
      fits(labels.count, bits) ? label_pixels<uint32_t>(request, labels, bits)
                               : label_pixels<uint64_t>(request, labels, bits);
    }
  });
}

void compact_watershed(const AnyView& image, View<const uint8_t> marked, Maybe<const uint8_t> mask,
                       View<const int64_t> offsets, double compactness, View<int64_t> out) {
  const auto [frame, steps] = frame_for(image, offsets);
  const uint8_t *inside = data_or_null(mask), *here = marked.data();
  int64_t* to = out.data();
  const Large<double> grey = large<double>(frame.size());
  const Large<uint32_t> source = large<uint32_t>(frame.size());
  const int64_t width = frame.width();
  visit(image, [&, &frame = frame](const auto* pixels) {
    frame.for_lines([&](int64_t, int64_t from, int64_t at) {
      for (int64_t x = 0; x < width; ++x) grey[at + x] = static_cast<double>(pixels[from + x]);
    });
  });
  frame.surround(source.get(), CompactFlood::OUTSIDE);
  frame.for_lines([&](int64_t, int64_t from, int64_t at) {
    for (int64_t x = 0; x < width; ++x) {
      const bool counts = inside == nullptr || inside[from + x];
      const auto itself = static_cast<uint32_t>(at + x);
      source[at + x] = !counts          ? CompactFlood::OUTSIDE
                       : here[from + x] ? itself
                                        : CompactFlood::NONE;
    }
  });
  CompactFlood(frame, steps, compactness, grey.get(), source.get()).run();
  std::vector<int64_t> pixel(frame.size(), -1);
  frame.for_lines([&](int64_t, int64_t from, int64_t at) {
    for (int64_t x = 0; x < width; ++x) pixel[at + x] = from + x;
  });
  frame.for_lines([&](int64_t, int64_t to_pixel, int64_t at) {
    for (int64_t x = 0; x < width; ++x) {
      const uint32_t its = source[at + x];
      to[to_pixel + x] = its < CompactFlood::OUTSIDE ? pixel[its] : -1;
    }
  });
}

int32_t h_minima(const AnyView& image, double h, int connectivity, View<int32_t> labels) {
  const Frame frame({image.shape, image.shape + image.axes});
  int32_t* to = labels.data();
  int32_t count = 0;
  visit(image, [&]<class T>(const T* pixels) {
    using V = std::conditional_t<std::is_integral_v<T> && sizeof(T) <= 2, int32_t, double>;
    const auto read = [=](int64_t begin, int64_t end, V* values) {
      for (int64_t i = begin; i < end; ++i) values[i - begin] = static_cast<V>(pixels[i]);
    };
    count = Minima<V>(frame, connectivity, static_cast<V>(h), read).label(to);
  });
  return count;
}

}  // namespace lesionkit::fronts

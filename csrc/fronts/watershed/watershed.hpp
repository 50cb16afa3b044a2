// Flooding from markers: Meyer, "Un algorithme optimal pour la ligne de partage des eaux", 1991.
//
// Pixels leave a queue in the order of (level, time of entry) and label their neighbours, which
// enter at the greater of their own level and the current one. Hence no level is ever entered again
// once the water has left it, and before the water comes to a level, only pixels of just this level
// wait there: as many places as the image has pixels of it are enough, and there is no heap. Pixels
// that enter at the current level wait in one further line, which is empty at the level's end.
// A pixel's level and label share a word: one visit tells both.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/interrupt.hpp"
#include "common/memory.hpp"

namespace lesionkit::fronts {

// How a word is made: the label above the level. The two greatest labels have a meaning of their
// own, and 0 is none.
template <class Word>
struct Words {
  int bits;  // of a level

  Word with_label(Word label) const { return label << bits; }
  Word label(Word word) const { return word >> bits; }
  Word level(Word word) const { return word & (with_label(1) - 1); }
  Word outside() const { return ~Word{0} >> bits; }  // label of what takes no part
  Word waiting() const { return outside() - 1; }     // of what may become a dividing line
};

// A flood of `words`, in a frame of words that are outside. `first[level]` is where the places of
// a level begin, and the last entry their number. NEIGHBOURS of 0: as many as there are steps.
template <class Word, int NEIGHBOURS>
class Flood {
 public:
  Flood(Word* words, Words<Word> rule, const std::vector<int64_t>& steps,
        const std::vector<uint32_t>& first)
      : words_(words),
        rule_(rule),
        steps_(steps),
        first_(first),
        next_(first),
        queue_(large<uint32_t>(2 * int64_t{first.back()})) {
    for (const int64_t step : steps)
      if (lines_.empty() || step - lines_.back() > 2) lines_.push_back(step);
  }

  // Every marker's pixels, in raster order, then run. With dividing lines it is the pixels about a
  // marker that wait, and they get their label when they leave.
  template <bool DIVIDING>
  void enter(uint32_t at) {
    if constexpr (DIVIDING) {
      spread<true>(at, 0);
    } else {
      for (int k = 0; k < neighbours(); ++k)
        if (rule_.label(words_[at + steps_[k]]) == 0) {
          push(at, rule_.level(words_[at]));
          return;
        }
    }
  }

  template <bool DIVIDING>
  void run() {
    const auto levels = static_cast<Word>(first_.size() - 1);
    const uint32_t line = first_[levels];  // where those of the current level wait
    InterruptCounter interrupts;
    for (Word level = 0; level < levels; ++level) {
      const uint32_t begin = first_[level], end = next_[level];
      interrupts();
      if (begin == end) continue;
      next_[level] = line;
      for (uint32_t i = begin; i < end; ++i, interrupts()) take<DIVIDING>(i, end, level);
      for (uint32_t i = line; i < next_[level]; ++i, interrupts())
        take<DIVIDING>(i, next_[level], level);
    }
  }

 private:
  int neighbours() const { return NEIGHBOURS ? NEIGHBOURS : static_cast<int>(steps_.size()); }

  void push(uint32_t at, Word level) { queue_[next_[level]++] = at; }

  template <bool DIVIDING>
  void take(uint32_t place, uint32_t end, Word level) {
    constexpr uint32_t ahead = 24;
    if (place + ahead < end) {
      const Word* soon = words_ + queue_[place + ahead];
      for (const int64_t step : lines_) __builtin_prefetch(soon + step);
    }
    const uint32_t at = queue_[place];
    if (!DIVIDING || settle(at)) spread<DIVIDING>(at, level);
  }

  // A waiting pixel gets the label of its neighbours, if they have but one.
  bool settle(uint32_t at) {
    Word found = 0;
    for (int k = 0; k < neighbours(); ++k) {
      const Word label = rule_.label(words_[at + steps_[k]]);
      if (label == 0 || label >= rule_.waiting()) continue;
      if (found != 0 && label != found) return false;
      found = label;
    }
    words_[at] = rule_.with_label(found) | rule_.level(words_[at]);
    return true;
  }

  template <bool DIVIDING>
  void spread(uint32_t at, Word level) {
    const Word label = rule_.with_label(DIVIDING ? rule_.waiting() : rule_.label(words_[at]));
    // Most neighbours have a label: it is quicker to find the others first, a bit for each.
    constexpr int group = NEIGHBOURS ? NEIGHBOURS : 32;
    static_assert(group <= 32);
    for (int first = 0; first < neighbours(); first += group) {
      uint32_t free = 0;
      for (int k = first; k < std::min(first + group, neighbours()); ++k)
        free |= static_cast<uint32_t>(rule_.label(words_[at + steps_[k]]) == 0) << (k - first);
      for (; free != 0; free &= free - 1) {
        const uint32_t to = at + static_cast<uint32_t>(steps_[first + std::countr_zero(free)]);
        const Word word = words_[to];
        words_[to] = word | label;
        push(to, std::max(word, level));
      }
    }
  }

  Word* words_;
  Words<Word> rule_;
  const std::vector<int64_t>& steps_;
  const std::vector<uint32_t>& first_;
  std::vector<uint32_t> next_;
  Large<uint32_t> queue_;
  std::vector<int64_t> lines_;
};

}  // namespace lesionkit::fronts

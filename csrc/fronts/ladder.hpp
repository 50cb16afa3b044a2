// A priority queue for times that mostly rise: buckets of equal width, the first of which is a
// heap.
//
// Tang, Goh and Thng, "Ladder queue", ACM Trans. Model. Comput. Simul. 15, 2005, in its simplest
// form. An entry waits in the list of its bucket, and only when its turn has come is it put in
// order, among the few beside it. Where too many or too few share a bucket the width is changed.
// The order is exact; entries of one time leave in any order. Nothing is taken out but the first:
// a caller who puts a node in again knows which entry counts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace lesionkit::fronts {

class Ladder {
 public:
  struct Entry {
    double time;
    uint32_t node;
  };

  explicit Ladder(double width) : buckets_(BUCKETS, NONE) { set_width(width); }

  void push(double time, uint32_t node) {
    const int64_t bucket = bucket_of(time);
    if (bucket <= now_) {
      first_.push_back({time, node});
      std::push_heap(first_.begin(), first_.end(), later);
    } else {
      wait(time, node, bucket);
    }
  }

  // The first entry, or nullptr.
  const Entry* top() {
    while (first_.empty())
      if (!advance()) return nullptr;
    return &first_.front();
  }

  void pop() {
    std::pop_heap(first_.begin(), first_.end(), later);
    first_.pop_back();
  }

 private:
  static constexpr int64_t BUCKETS = 1 << 12, FARTHEST = int64_t{1} << 62;
  static constexpr uint32_t NONE = ~uint32_t{0};

  struct Waiting {
    double time;
    uint32_t node, next;
  };

  static bool later(const Entry& a, const Entry& b) { return a.time > b.time; }

  void set_width(double width) {
    // A width that is no number, or so small that its inverse is none, is not one.
    scale_ = std::clamp(1 / width, 1e-300, 1e300);
    loads_ = loaded_ = passed_ = 0;
  }

  int64_t bucket_of(double time) const {
    const double at = time * scale_;
    return at < static_cast<double>(FARTHEST) ? static_cast<int64_t>(at) : FARTHEST;
  }

  void wait(double time, uint32_t node, int64_t bucket) {
    uint32_t entry = free_;
    if (entry == NONE) {
      entry = static_cast<uint32_t>(pool_.size());
      pool_.push_back({});
    } else {
      free_ = pool_[entry].next;
    }
    uint32_t* list = &beyond_;
    if (bucket < now_ + BUCKETS) {
      list = &buckets_[bucket % BUCKETS];
      ++near_;
    } else {
      beyond_from_ = std::min(beyond_from_, bucket);
    }
    pool_[entry] = {time, node, *list};
    *list = entry;
  }

  // Empties a list, and hands over what was in it.
  template <class Take>
  void drain(uint32_t& list, Take&& take) {
    for (uint32_t entry = list; entry != NONE;) {
      const Waiting here = pool_[entry];
      pool_[entry].next = free_;
      free_ = entry;
      entry = here.next;
      if (entry == NONE) list = NONE;
      take(here);
    }
  }

  // Goes on to the next bucket that holds anything; false if there is none.
  bool advance() {
    if (near_ == 0 && beyond_ == NONE) return false;
    if (near_ == 0) {
      now_ = beyond_from_;
    } else {
      do {
        ++now_;
        ++passed_;
      } while (now_ != beyond_from_ && buckets_[now_ % BUCKETS] == NONE);
    }
    if (now_ == beyond_from_) bring_near();
    ++loads_;
    drain(buckets_[now_ % BUCKETS], [&](const Waiting& entry) {
      first_.push_back({entry.time, entry.node});
      --near_;
      ++loaded_;
    });
    std::make_heap(first_.begin(), first_.end(), later);
    if (loads_ == 256) adapt();
    return true;
  }

  void bring_near() {
    uint32_t list = std::exchange(beyond_, NONE);
    beyond_from_ = FARTHEST + 1;
    std::vector<Waiting> all;
    drain(list, [&](const Waiting& entry) { all.push_back(entry); });
    for (const Waiting& entry : all) wait(entry.time, entry.node, bucket_of(entry.time));
  }

  // Keeps a few entries in a bucket, and not too many empty ones between.
  void adapt() {
    const double width = 1 / scale_;
    const bool crowded = loaded_ > 16 * loads_, sparse = passed_ > 64 * loads_;
    loads_ = loaded_ = passed_ = 0;
    if (!crowded && !sparse) return;
    const double least = first_.empty() ? 0 : first_.front().time;
    std::vector<Waiting> all;
    for (uint32_t& list : buckets_) drain(list, [&](const Waiting& e) { all.push_back(e); });
    drain(beyond_, [&](const Waiting& e) { all.push_back(e); });
    for (const Entry& e : first_) all.push_back({e.time, e.node, NONE});
    first_.clear();
    near_ = 0;
    beyond_from_ = FARTHEST + 1;
    set_width(crowded ? width / 4 : width * 4);
    now_ = bucket_of(least);
    for (const Waiting& entry : all) push(entry.time, entry.node);
  }

  std::vector<uint32_t> buckets_;  // lists of entries of the pool
  std::vector<Waiting> pool_;
  std::vector<Entry> first_;                     // a heap: all that is due in `now_` or before
  uint32_t free_ = NONE, beyond_ = NONE;         // lists: of unused entries, of far ones
  int64_t now_ = -1, near_ = 0;                  // bucket; how many wait in buckets
  int64_t beyond_from_ = FARTHEST + 1;           // the first bucket that a far one belongs to
  int64_t loads_ = 0, loaded_ = 0, passed_ = 0;  // since the width was set
  double scale_ = 1;
};

}  // namespace lesionkit::fronts

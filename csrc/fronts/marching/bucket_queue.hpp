// A priority queue for times that mostly rise: buckets of equal width, of which only the first is
// kept in order.
//
// Tang, Goh and Thng, "Ladder queue", ACM Trans. Model. Comput. Simul. 15, 2005, in its
// simplest form. An entry waits in the list of its bucket, and only when its turn has come is it
// put in order, among the few beside it. Where too many or too few share a bucket the width is
// changed. The order is exact; entries of one time leave in any order. An entry cannot be taken
// out: a node may be put in again, and the caller tells which entry still counts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace lesionkit::fronts {

inline constexpr int64_t BUCKETS = 1 << 14;

struct Due {
  double time;
  uint32_t node;
};

// counts(time, node): whether an entry still does. May be asked at any time.
template <class Counts>
class BucketQueue {
 public:
  BucketQueue(double width, Counts counts) : counts_(counts), buckets_(BUCKETS, NONE) {
    set_width(width);
  }

  void push(double time, uint32_t node) {
    const int64_t bucket = bucket_of(time);
    if (bucket > now_)
      wait({time, node, NONE}, bucket);
    else if (few_.size() < FEW)
      put_in_order({time, node});
    else
      put_on_heap({time, node});
  }

  // The next entry that counts, or nullptr.
  const Due* top() {
    for (;;) {
      while (!few_.empty() && !counts_(few_.back().time, few_.back().node)) few_.pop_back();
      while (!many_.empty() && !counts_(many_.front().time, many_.front().node)) pop_heap();
      if (!few_.empty() && (many_.empty() || few_.back().time <= many_.front().time))
        return &few_.back();
      if (!many_.empty()) return &many_.front();
      if (!advance()) return nullptr;
    }
  }

  // Takes what top() gave.
  void pop(const Due* due) {
    if (!few_.empty() && due == &few_.back())
      few_.pop_back();
    else
      pop_heap();
  }

 private:
  static constexpr int64_t FARTHEST = int64_t{1} << 62;
  static constexpr uint32_t NONE = ~uint32_t{0};
  static constexpr size_t FEW = 32;

  struct Waiting {
    double time;
    uint32_t node, next;
  };

  void set_width(double width) {
    // A width that is no number, or so small that its inverse is none, is not one.
    scale_ = std::clamp(1 / width, 1e-300, 1e300);
  }

  int64_t bucket_of(double time) const {
    const double at = time * scale_;
    return at < static_cast<double>(FARTHEST) ? static_cast<int64_t>(at) : FARTHEST;
  }

  void wait(Waiting what, int64_t bucket) {
    uint32_t* list = &beyond_;
    if (bucket < now_ + BUCKETS) {
      list = &buckets_[bucket % BUCKETS];
      ++near_;
    } else {
      beyond_from_ = std::min(beyond_from_, bucket);
    }
    what.next = *list;
    if (free_ == NONE) {
      *list = static_cast<uint32_t>(pool_.size());
      pool_.push_back(what);
    } else {
      *list = free_;
      free_ = std::exchange(pool_[free_], what).next;
    }
  }

  // Empties a list, and hands over what in it still counts.
  template <class Take>
  void drain(uint32_t& list, Take&& take) {
    uint32_t entry = std::exchange(list, NONE);
    while (entry != NONE) {
      const Waiting here = pool_[entry];
      pool_[entry].next = std::exchange(free_, entry);
      entry = here.next;
      take(here);
    }
  }

  static bool later(const Due& a, const Due& b) { return a.time > b.time; }

  void put_in_order(const Due& due) {
    size_t at = few_.size();
    few_.push_back(due);
    for (; at > 0 && few_[at - 1].time < due.time; --at) few_[at] = few_[at - 1];
    few_[at] = due;
  }

  void put_on_heap(const Due& due) {
    many_.push_back(due);
    std::push_heap(many_.begin(), many_.end(), later);
  }

  void pop_heap() {
    std::pop_heap(many_.begin(), many_.end(), later);
    many_.pop_back();
  }

  // Goes on to the next bucket that holds anything; false if there is none.
  bool advance() {
    if (near_ == 0 && beyond_ == NONE) return false;
    const int64_t from = now_;
    if (near_ == 0) {
      now_ = beyond_from_;
    } else {
      do ++now_;
      while (now_ != beyond_from_ && buckets_[now_ % BUCKETS] == NONE);
    }
    passed_ += static_cast<double>(now_ - from);
    if (now_ == beyond_from_) bring_near();
    load();
    return true;
  }

  void load() {
    drain(buckets_[now_ % BUCKETS], [&](const Waiting& entry) {
      --near_;
      if (counts_(entry.time, entry.node)) push(entry.time, entry.node);
    });
    ++loads_;
    loaded_ += few_.size() + many_.size();
    if (loads_ < 1024) return;
    if (loaded_ > 32 * loads_ && passed_ < 4 * loads_)
      rebuild(1.0 / 4);
    else if (passed_ > 64 * loads_ && loaded_ < 4 * loads_)
      rebuild(4);
    loads_ = loaded_ = passed_ = 0;
  }

  void bring_near() {
    std::vector<Waiting> all;
    drain(beyond_, [&](const Waiting& entry) { all.push_back(entry); });
    beyond_from_ = FARTHEST + 1;
    const int64_t before = near_;
    for (const Waiting& entry : all) wait(entry, bucket_of(entry.time));
    // Those that stay beyond are looked at again and again where the buckets reach too little far.
    if (near_ - before < static_cast<int64_t>(all.size() / 4)) rebuild(4);
  }

  // Changes the width by a factor. What is due stays due, and what waits may become so.
  void rebuild(double factor) {
    std::vector<Waiting> all;
    for (uint32_t& list : buckets_) drain(list, [&](const Waiting& e) { all.push_back(e); });
    drain(beyond_, [&](const Waiting& e) { all.push_back(e); });
    for (const Due& due : few_) all.push_back({due.time, due.node, NONE});
    for (const Due& due : many_) all.push_back({due.time, due.node, NONE});
    few_.clear();
    many_.clear();
    near_ = 0;
    beyond_from_ = FARTHEST + 1;
    set_width(factor / scale_);
    if (all.empty()) return;
    double least = all.front().time;
    for (const Waiting& entry : all) least = std::min(least, entry.time);
    now_ = bucket_of(least) - 1;  // advance() goes to the first of them
    for (const Waiting& entry : all)
      if (counts_(entry.time, entry.node)) wait(entry, bucket_of(entry.time));
  }

  Counts counts_;
  std::vector<uint32_t> buckets_;  // lists of entries of the pool
  std::vector<Waiting> pool_;
  std::vector<Due> few_, many_;           // what is due in `now_` or before: in order, as a heap
  uint32_t free_ = NONE, beyond_ = NONE;  // lists: of unused entries, of far ones
  int64_t now_ = -1, near_ = 0;           // bucket; how many wait in buckets
  int64_t beyond_from_ = FARTHEST + 1;    // the first bucket that a far one belongs to
  double loads_ = 0, loaded_ = 0, passed_ = 0;  // buckets and entries, since they were looked at
  double scale_ = 1;
};

}  // namespace lesionkit::fronts

// The rule "same bits": what is summed over many items has the same bits with 1 thread or 64. Work
// is cut into chunks that do not depend on the threads (parallel.hpp), and what the chunks have
// found is added in their order. Only what comes out the same in any order, such as sums of whole
// numbers or the least and the greatest, may be added as the threads happen to end.
#pragma once

#include <mutex>
#include <span>
#include <type_traits>
#include <vector>

#include "common/parallel.hpp"

namespace lesionkit {

// Adds to `total` what body(state, begin, end, sums) finds in each chunk; sums has as many numbers,
// 0 at first. A body may return false: it has found nothing. Returns whether any has found
// something. State as in parallel_for_with.
template <class MakeState, class Body>
bool sum_in_order(int64_t n, int64_t grain, std::span<double> total, MakeState&& make_state,
                  Body&& body) {
  const size_t chunks = static_cast<size_t>((n + grain - 1) / grain), size = total.size();
  std::vector<double> parts(chunks * size);
  std::vector<char> found(chunks, 1);
  parallel_for_with(n, grain, make_state, [&](auto& state, int64_t begin, int64_t end) {
    const size_t chunk = static_cast<size_t>(begin / grain);
    double* sums = parts.data() + chunk * size;
    if constexpr (std::is_same_v<decltype(body(state, begin, end, sums)), bool>)
      found[chunk] = body(state, begin, end, sums);
    else
      body(state, begin, end, sums);
  });
  bool any = false;
  for (size_t chunk = 0; chunk < chunks; ++chunk) {
    if (!found[chunk]) continue;
    any = true;
    for (size_t i = 0; i < size; ++i) total[i] += parts[chunk * size + i];
  }
  return any;
}

// The same without a state: body(begin, end, sums).
template <class Body>
bool sum_in_order(int64_t n, int64_t grain, std::span<double> total, Body&& body) {
  struct None {};
  return sum_in_order(
      n, grain, total, [] { return None{}; },
      [&](None&, int64_t begin, int64_t end, double* sums) { return body(begin, end, sums); });
}

// body(state, begin, end, part) fills a part for each chunk, a copy of `nothing` at first; the
// parts are joined to another copy by its add(part), in the order of the chunks.
template <class Part, class MakeState, class Body>
Part reduce_in_order(int64_t n, int64_t grain, const Part& nothing, MakeState&& make_state,
                     Body&& body) {
  std::vector<Part> parts(static_cast<size_t>((n + grain - 1) / grain), nothing);
  parallel_for_with(n, grain, make_state, [&](auto& state, int64_t begin, int64_t end) {
    body(state, begin, end, parts[static_cast<size_t>(begin / grain)]);
  });
  Part whole = nothing;
  for (const Part& part : parts) whole.add(part);
  return whole;
}

template <class Part, class Body>
Part reduce_in_order(int64_t n, int64_t grain, const Part& nothing, Body&& body) {
  struct None {};
  return reduce_in_order(
      n, grain, nothing, [] { return None{}; },
      [&](None&, int64_t begin, int64_t end, Part& part) { body(begin, end, part); });
}

// body(begin, end, part) adds to its thread's part, a copy of `nothing` at first; parts are joined
// by add(part), which must not throw, in any order: it must not matter.
template <class Part, class Body>
Part reduce_in_any_order(int64_t n, int64_t grain, const Part& nothing, Body&& body) {
  Part whole = nothing;
  std::mutex adding;
  struct OfThread {
    Part part;
    Part& whole;
    std::mutex& adding;

    ~OfThread() {
      std::lock_guard guard(adding);
      whole.add(part);
    }
  };
  parallel_for_with(
      n, grain, [&] { return OfThread{nothing, whole, adding}; },
      [&](OfThread& thread, int64_t begin, int64_t end) { body(begin, end, thread.part); });
  return whole;
}

// How often: a table of whole numbers.
template <class Number>
struct Counts {
  std::vector<Number> of;

  explicit Counts(int64_t size) : of(static_cast<size_t>(size)) {}
  void add(const Counts& other) {
    for (size_t i = 0; i < of.size(); ++i) of[i] += other.of[i];
  }
};

}  // namespace lesionkit

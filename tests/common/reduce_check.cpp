// Checks of csrc/common/reduce.hpp, the rule "same bits", compiled and run by test_reduce.py: as it
// is, under ThreadSanitizer, and with faults planted that must be noticed.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "common/extent.hpp"
#include "common/reduce.hpp"

using namespace lesionkit;

static void require(bool fine, const char* what, int line) {
  if (fine) return;
  std::fprintf(stderr, "line %d: not true: %s\n", line, what);
  std::exit(1);
}
#define REQUIRE(condition) require(condition, #condition, __LINE__)

// Numbers whose sum depends on the order in which they are added.
static double number(int64_t i) { return 1.0 / (1.0 + i) * (i % 3 ? 1.0 : 1e8); }

struct Sum {
  double total = 0.0;
  int64_t chunks = 0;

  void add(const Sum& other) {
    total += other.total;
    chunks += other.chunks;
  }
};

static std::vector<double> sums_in_order(int threads, int64_t n, int64_t grain) {
  set_threads(threads);
  std::vector<double> total(3, 0.5);
  const bool found = sum_in_order(n, grain, total, [](int64_t begin, int64_t end, double* sums) {
    for (int64_t i = begin; i < end; ++i) sums[i % 3] += number(i);
  });
  REQUIRE(found == (n > 0));
  return total;
}

static Sum parts_in_order(int threads, int64_t n, int64_t grain) {
  set_threads(threads);
  return reduce_in_order(n, grain, Sum{}, [](int64_t begin, int64_t end, Sum& part) {
    ++part.chunks;
    for (int64_t i = begin; i < end; ++i) part.total += number(i);
  });
}

static void same_bits_for_any_number_of_threads() {
  for (int64_t n : {0, 1, 7, 1000, 10007})
    for (int64_t grain : {1, 13, 97, 20000}) {
      const auto sums = sums_in_order(1, n, grain);
      const Sum part = parts_in_order(1, n, grain);
      REQUIRE(part.chunks == (n + grain - 1) / grain);
      for (int threads : {2, 3, 8}) {
        REQUIRE(sums_in_order(threads, n, grain) == sums);
        REQUIRE(parts_in_order(threads, n, grain).total == part.total);
      }
    }
}

// The sum of each chunk by itself, then of the chunks from the first to the last.
static void the_order_is_that_of_the_chunks() {
  const int64_t n = 10007, grain = 97;
  double expected = 0.0;
  for (int64_t begin = 0; begin < n; begin += grain) {
    double chunk = 0.0;
    for (int64_t i = begin; i < std::min(n, begin + grain); ++i) chunk += number(i);
    expected += chunk;
  }
  REQUIRE(parts_in_order(3, n, grain).total == expected);
}

static void chunks_that_found_nothing_are_left_out() {
  std::vector<double> total(1);
  const auto odd_chunks = [](int64_t begin, int64_t, double* sums) {
    sums[0] = static_cast<double>(begin);
    return begin % 20 == 10;
  };
  REQUIRE(sum_in_order(100, 10, total, odd_chunks) && total[0] == 10 + 30 + 50 + 70 + 90);
  REQUIRE(!sum_in_order(100, 10, total, [](int64_t, int64_t, double*) { return false; }));
  REQUIRE(total[0] == 250);
}

static void whole_numbers_in_any_order() {
  for (int threads : {1, 2, 3, 8}) {
    set_threads(threads);
    const auto counts = reduce_in_any_order(10007, 97, Counts<uint32_t>(10),
                                            [](int64_t begin, int64_t end, auto& part) {
                                              for (int64_t i = begin; i < end; ++i)
                                                ++part.of[i % 10];
                                            });
    REQUIRE(std::accumulate(counts.of.begin(), counts.of.end(), 0u) == 10007);
    REQUIRE(counts.of[6] == 1001 && counts.of[7] == 1000);
    const auto range = reduce_in_any_order(
        1000, 7, Range<int64_t>{},
        [](int64_t begin, int64_t end, auto& part) { part.add({begin - 5, end + 5}); });
    REQUIRE(range.low == -5 && range.high == 1005);
  }
}

// Long enough that several threads take part, and end at about the same time.
static void threads_may_end_together() {
  set_threads(4);
  const auto counts =
      reduce_in_any_order(64, 1, Counts<int>(1), [](int64_t, int64_t, Counts<int>& part) {
        std::this_thread::sleep_for(std::chrono::microseconds(200));
        ++part.of[0];
      });
  REQUIRE(counts.of[0] == 64);
}

static void exceptions_come_through() {
  set_threads(4);
  try {
    reduce_in_any_order(1000, 1, Counts<int>(1), [](int64_t begin, int64_t, auto&) {
      if (begin == 500) throw std::runtime_error("stop");
    });
    REQUIRE(false);
  } catch (const std::runtime_error&) {
  }
}

int main() {
  same_bits_for_any_number_of_threads();
  the_order_is_that_of_the_chunks();
  chunks_that_found_nothing_are_left_out();
  whole_numbers_in_any_order();
  threads_may_end_together();
  exceptions_come_through();
  std::puts("all checks passed");
}

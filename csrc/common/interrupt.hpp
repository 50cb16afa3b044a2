// Ctrl-C in a long kernel. The thread that called the kernel asks now and then whether to stop:
// parallel_for asks after each of its chunks, a long loop of its own calls check_interrupt().
//
// Whom to ask is set by the binding (gil.hpp): this file knows nothing of Python. Worker threads
// and threads that no signal reaches never ask.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>

namespace lesionkit {

struct Interrupted : std::exception {
  const char* what() const noexcept override { return "interrupted"; }
};

struct InterruptCheck {
  using Clock = std::chrono::steady_clock;
  static constexpr auto pause = std::chrono::milliseconds(100);

  bool (*asked_to_stop)() = nullptr;  // nullptr: this thread does not ask
  Clock::time_point next{};

  void start(bool (*ask)()) {
    asked_to_stop = ask;
    next = Clock::now() + pause;
  }
};

inline thread_local InterruptCheck interrupt_check;

// Throws Interrupted where the user wants the kernel to end. Costs a look at the clock: call it for
// every 10 microseconds of work or more.
inline void check_interrupt() {
  InterruptCheck& check = interrupt_check;
  if (check.asked_to_stop == nullptr) return;
  const auto now = InterruptCheck::Clock::now();
  if (now < check.next) return;
  check.next = now + InterruptCheck::pause;
  if (check.asked_to_stop()) throw Interrupted{};
}

// The same for a loop of small steps: looks at the clock at every 4096th call.
class InterruptCounter {
 public:
  void operator()() {
    if ((++steps_ & 4095) == 0) check_interrupt();
  }

 private:
  uint32_t steps_ = 0;
};

}  // namespace lesionkit

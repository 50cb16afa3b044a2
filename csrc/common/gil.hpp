// Kernels run without the GIL, hear Ctrl-C, and do not abort a process that ends meanwhile.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <thread>

#include "common/interrupt.hpp"

namespace lesionkit {

// Lets other Python threads run for as long as it lives.
class WithoutGil {
 public:
  WithoutGil() : before_(interrupt_check) {
    // Python runs its signal handlers in the main thread, so only that one has something to ask.
    thread_local const bool main_thread =
        PyLong_AsUnsignedLong(
            pybind11::module_::import("threading").attr("main_thread")().attr("ident").ptr()) ==
        PyThread_get_thread_ident();
    if (main_thread) interrupt_check.start(&asked_to_stop);
    state_ = PyEval_SaveThread();
  }

  // Python ends a daemon thread that wants the GIL after the interpreter has gone: up to 3.13 by
  // unwinding its stack, which must not pass a destructor. The thread then sleeps until the process
  // is over, as in 3.14.
  ~WithoutGil() {
    interrupt_check = before_;
    try {
      PyEval_RestoreThread(state_);
    } catch (...) {
      for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
  }

  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

 private:
  // Whether a signal handler has raised; the exception then waits in Python's thread state.
  static bool asked_to_stop() {
    const PyGILState_STATE held = PyGILState_Ensure();
    const bool stop = PyErr_CheckSignals() != 0;
    PyGILState_Release(held);
    return stop;
  }

  InterruptCheck before_;
  PyThreadState* state_;
};

using ReleaseGil = pybind11::call_guard<WithoutGil>;

// What a handler raised becomes what the kernel's call raises.
inline void translate_interrupts() {
  pybind11::register_exception_translator([](std::exception_ptr thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Interrupted&) {
      if (!PyErr_Occurred()) PyErr_SetNone(PyExc_KeyboardInterrupt);
    }
  });
}

}  // namespace lesionkit

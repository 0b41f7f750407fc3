// Public header, part of st.hpp. Blocking work in helper kernel threads; bells rung from outside.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>

#include "thread.hpp"
#include "wait.hpp"

namespace st {

namespace detail {

template <class Function>
struct job {
  using result = std::invoke_result_t<Function>;
  struct nothing {};
  using stored = std::conditional_t<std::is_void_v<result>, nothing, result>;

  explicit job(Function&& given) : work(std::move(given)) {}

  // In a helper.
  static void* run(void* arg) {
    auto* self = static_cast<job*>(arg);
    try {
      if constexpr (std::is_void_v<result>) {
        std::invoke(self->work);
        self->value.emplace();
      } else {
        self->value.emplace(std::invoke(self->work));
      }
    } catch (...) {
      self->thrown = std::current_exception();
    }
    return nullptr;
  }

  Function work;
  std::optional<stored> value;
  std::exception_ptr thrown;
  int error = 0;  // no helper could be had
  bool done = false;
  wait_queue finished;
};

}  // namespace detail

// Runs `work`, which may block, in a helper kernel thread while other state threads run, and
// returns what it returns or throws what it throws. `work` must not use state threads.
//
// Without a deadline it waits for the end of the work whatever interrupts the caller, so the work
// may use the caller's variables. With one it gives up, on an interrupt too, and leaves the work to
// itself: then the work must own what it uses.
template <class Function>
requires std::invocable<std::decay_t<Function>>
auto offload(Function&& work, deadline until = {}) {
  using job = detail::job<std::decay_t<Function>>;
  auto shared = std::make_shared<job>(std::decay_t<Function>(std::forward<Function>(work)));

  // A thread that nobody can interrupt waits for the helper, so that the job is never in doubt.
  thread({"st offload call", 0}, [shared] {
    if (st_offload(job::run, shared.get(), nullptr, ST_UTIME_NO_TIMEOUT) != 0)
      shared->error = errno;
    shared->done = true;
    shared->finished.notify_all();
  }).detach();

  if (until.never()) {
    shared->finished.wait_out([&] { return shared->done; });
  } else {
    std::error_code ec;
    while (!shared->done) {
      shared->finished.wait(until, ec);
      if (ec && !shared->done) detail::raise("st::offload", ec);
    }
  }
  if (shared->error)
    detail::raise("st::offload", std::error_code(shared->error, std::generic_category()));
  if (shared->thrown) std::rethrow_exception(std::exchange(shared->thrown, nullptr));
  if constexpr (!std::is_void_v<typename job::result>) return std::move(*shared->value);
}

// Wakes a state thread from another kernel thread or from a signal handler.
class bell {
 public:
  bell() : bell_(make()), ringer_(bell_.get()) {}
  bell(const bell&) = delete;  // whoever rings it has its address
  bell& operator=(const bell&) = delete;

  // From anywhere, at any time in the bell's life; never blocks and keeps errno.
  void ring() const noexcept { st_bell_ring(ringer_); }

  // Waits until it has been rung since the last wait; how often.
  int wait(deadline until, std::error_code& ec) noexcept {
    return bell_.wait(ec, [&](st_bell_t b) { return st_bell_wait(b, until.remaining()); });
  }
  int wait(deadline until = {}) {
    return detail::throwing("st::bell::wait", [&](auto& ec) { return wait(until, ec); });
  }

 private:
  static st_bell_t make() {
    st_bell_t fresh = st_bell_new();
    if (!fresh) detail::raise("st_bell_new");
    return fresh;
  }

  detail::waitable<st_bell_t, st_bell_destroy> bell_;
  st_bell_t ringer_;
};

}  // namespace st

// Public header, part of st.hpp. Mutex, condition variable, semaphore: needed only for what spans a
// call that waits, because nothing else runs between two of those.
#pragma once

#include <concepts>
#include <condition_variable>  // std::cv_status
#include <exception>

#include "wait.hpp"

namespace st {

// For std::unique_lock and std::scoped_lock; handed over in the order of asking. Locking is not
// interrupted: an interrupt meets the next call that waits. So locks can be taken in destructors.
class mutex {
 public:
  mutex() : handle_(st_mutex_new()) {
    if (!handle_) detail::raise("st_mutex_new");
  }
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;
  // Owned or waited for by somebody: there is no way to go on that is right.
  ~mutex() {
    if (st_mutex_destroy(handle_) != 0) std::terminate();
  }

  void lock() {
    bool met = false;
    while (st_mutex_lock(handle_) != 0) {
      if (errno != EINTR) detail::raise("st::mutex::lock");  // the caller owns it
      met = true;
    }
    detail::interrupt_later(met);
  }
  bool try_lock() noexcept { return st_mutex_trylock(handle_) == 0; }
  void unlock() noexcept {
    if (st_mutex_unlock(handle_) != 0) std::terminate();  // the caller does not own it
  }

 private:
  st_mutex_t handle_;
};

namespace detail {
template <class L>
concept lock = requires(L& l) {
  l.lock();
  l.unlock();
};
}  // namespace detail

// Works with any lock, and also without one. What a wait reports is looked at after the lock has
// been taken again. Destroying it sends waiting threads away with st::canceled.
class condition_variable {
 public:
  void notify_one() noexcept { queue_.notify_one(); }
  void notify_all() noexcept { queue_.notify_all(); }

  // Until notified, or for no reason.
  template <detail::lock Lock>
  void wait(Lock& lock, deadline until, std::error_code& ec) {
    lock.unlock();  // does not switch, so that no notification can come in between
    queue_.wait(until, ec);
    lock.lock();
  }
  void wait(deadline until, std::error_code& ec) noexcept { queue_.wait(until, ec); }
  void wait() {
    detail::throwing("st::condition_variable", [&](auto& ec) { wait(deadline(), ec); });
  }
  template <detail::lock Lock>
  void wait(Lock& lock) {
    wait_until(lock, deadline());
  }
  template <detail::lock Lock>
  std::cv_status wait_until(Lock& lock, deadline until) {
    std::error_code ec;
    wait(lock, until, ec);
    return status(ec);
  }
  template <detail::lock Lock>
  std::cv_status wait_for(Lock& lock, deadline until) {
    return wait_until(lock, until);
  }

  // Until `ready()`; false if that has not come true in time.
  template <detail::lock Lock, std::predicate Ready>
  void wait(Lock& lock, Ready ready) {
    wait_until(lock, deadline(), ready);
  }
  template <std::predicate Ready>
  void wait(Ready ready) {
    wait_until(deadline(), ready);
  }
  template <detail::lock Lock, std::predicate Ready>
  bool wait_until(Lock& lock, deadline until, Ready ready) {
    while (!ready())
      if (wait_until(lock, until) == std::cv_status::timeout) return ready();
    return true;
  }
  template <detail::lock Lock, std::predicate Ready>
  bool wait_for(Lock& lock, deadline until, Ready ready) {
    return wait_until(lock, until, ready);
  }
  template <std::predicate Ready>
  bool wait_until(deadline until, Ready ready) {
    while (!ready()) {
      std::error_code ec;
      queue_.wait(until, ec);
      if (status(ec) == std::cv_status::timeout) return ready();
    }
    return true;
  }
  template <std::predicate Ready>
  bool wait_for(deadline until, Ready ready) {
    return wait_until(until, ready);
  }

 private:
  static std::cv_status status(std::error_code ec) {
    if (ec && ec != timed_out) detail::raise("st::condition_variable", ec);
    return ec ? std::cv_status::timeout : std::cv_status::no_timeout;
  }

  detail::wait_queue queue_;
};

// A number of permits. A thread that comes while a woken one has not run yet may be faster.
class semaphore {
 public:
  explicit semaphore(std::ptrdiff_t permits) : permits_(permits) {}

  void acquire(deadline until, std::error_code& ec) noexcept {
    ec.clear();
    while (permits_ == 0) {
      freed_.wait(until, ec);
      if (ec && (ec != timed_out || permits_ == 0)) return;
    }
    ec.clear();
    --permits_;
  }
  void acquire(deadline until = {}) {
    detail::throwing("st::semaphore::acquire", [&](auto& ec) { acquire(until, ec); });
  }
  bool try_acquire() noexcept {
    if (permits_ == 0) return false;
    --permits_;
    return true;
  }
  void release(std::ptrdiff_t permits = 1) noexcept {
    permits_ += permits;
    for (; permits > 0; --permits) freed_.notify_one();
  }

 private:
  std::ptrdiff_t permits_;
  detail::wait_queue freed_;
};

}  // namespace st

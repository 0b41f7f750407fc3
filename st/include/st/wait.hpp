// Public header, part of st.hpp, but nothing in it is meant for users: handles of st.h on which
// threads wait while others may close them.
#pragma once

#include <memory>
#include <utility>

#include "time.hpp"

namespace st::detail {

inline bool has_failed(const void* result) { return result == nullptr; }
inline bool has_failed(ssize_t result) { return result < 0; }

// Sets the pending interrupt of the calling thread again, for its next wait: what calls do that
// must not fail halfway and have met one.
inline void interrupt_later(bool interrupted) {
  if (interrupted) st_thread_interrupt(st_thread_self());
}

// Owns a handle of st.h that must not be destroyed while a thread waits on it. Closing it sends
// the waiting threads away by an interrupt, which they report as st::canceled; the last of them to
// leave destroys the handle. So closing never waits, never fails and never leaks.
template <class Handle, auto Destroy>
class waitable {
  // A thread inside a call on the handle, on its own stack.
  struct visitor {
    st_thread_t thread;
    visitor* next;
    visitor** link;  // what points here
  };

  struct body {
    Handle handle;
    visitor* visitors = nullptr;
    bool closed = false;
  };

 public:
  waitable() = default;
  explicit waitable(Handle handle) {
    try {
      body_ = new body{handle};
    } catch (...) {
      Destroy(handle);
      throw;
    }
  }
  waitable(waitable&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  waitable& operator=(waitable&& other) noexcept {
    if (this != &other) {
      close();
      body_ = std::exchange(other.body_, nullptr);
    }
    return *this;
  }
  ~waitable() { close(); }

  explicit operator bool() const { return body_ != nullptr; }
  Handle get() const { return body_ ? body_->handle : nullptr; }

  void close() noexcept {
    body* gone = std::exchange(body_, nullptr);
    if (!gone) return;
    gone->closed = true;
    for (visitor* v = gone->visitors; v; v = v->next) st_thread_interrupt(v->thread);
    if (!gone->visitors) destroy(gone);
  }

  // Makes a call of st.h that may wait. When it reports st::canceled, whatever contains this object
  // may be gone.
  template <class Call>
  auto wait(std::error_code& ec, Call call) const noexcept {
    ec.clear();
    using Result = decltype(call(Handle()));
    if (!body_) {
      ec = std::make_error_code(canceled);
      if constexpr (std::is_pointer_v<Result>)
        return Result(nullptr);
      else
        return Result(-1);
    }
    body* const b = body_;
    visitor here{st_thread_self(), b->visitors, &b->visitors};
    if (here.next) here.next->link = &here.next;
    b->visitors = &here;

    const Result result = call(b->handle);
    if (has_failed(result)) ec = last_error();

    *here.link = here.next;
    if (here.next) here.next->link = here.link;
    if (b->closed) {
      if (ec == interrupted) ec = std::make_error_code(canceled);
      if (!b->visitors) destroy(b);
    }
    return result;
  }

 private:
  static void destroy(body* b) {
    Destroy(b->handle);
    delete b;
  }

  body* body_ = nullptr;
};

// Threads that wait for something to change. The base of everything in sync.hpp and channel.hpp.
class wait_queue {
 public:
  wait_queue() : cond_(make()) {}

  // Waits to be notified. After st::canceled the queue, and what contains it, is gone.
  void wait(deadline until, std::error_code& ec) const noexcept {
    cond_.wait(ec, [&](st_cond_t cond) {
      const int result = st_cond_timedwait(cond, until.remaining());
      // The interrupt may have come after a notification, which then is somebody else's.
      const int error = errno;
      if (result != 0 && error == EINTR) st_cond_signal(cond);
      errno = error;
      return result;
    });
  }

  // The same whatever interrupts it; the interrupt meets the next call that waits.
  template <class Done>
  void wait_out(Done done) const noexcept {
    bool met = false;
    std::error_code ec;
    while (!done()) {
      wait({}, ec);
      met |= static_cast<bool>(ec);
    }
    interrupt_later(met);
  }

  void notify_one() const noexcept { st_cond_signal(cond_.get()); }
  void notify_all() const noexcept { st_cond_broadcast(cond_.get()); }

 private:
  static st_cond_t make() {
    st_cond_t cond = st_cond_new();
    if (!cond) raise("st_cond_new");
    return cond;
  }

  waitable<st_cond_t, st_cond_destroy> cond_;
};

}  // namespace st::detail

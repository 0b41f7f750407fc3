// Public header, part of st.hpp. Threads that stop and join by themselves.
#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <tuple>
#include <utility>

#include "wait.hpp"

namespace st {

// Makes the caller the first state thread of its kernel thread. A second call does nothing.
inline void init() {
  if (st_init() != 0) detail::raise("st_init");
}

struct thread_options {
  std::string name;    // for debuggers and messages; ST_THREAD_NAME_MAX bytes of it are kept
  int stack_size = 0;  // bytes; 0: 64 KiB
};

namespace detail {

struct interrupt {
  st_thread_t thread;
  void operator()() const noexcept { st_thread_interrupt(thread); }
};

// What a thread object and the thread itself share; the last of the two to go deletes it.
struct task {
  virtual ~task() = default;
  virtual void run() = 0;
  virtual void forget() = 0;  // destroys the callable and its arguments

  st_thread_t handle = nullptr;  // null when it has ended
  bool shared = true;            // a thread object still refers to it
  std::stop_source stop;
  std::optional<std::stop_callback<interrupt>> on_stop;
  std::exception_ptr escaped;
  bool escaped_by_itself = false;  // and not after it had been told to stop
  wait_queue ended;

  // One of the process' keys, for all threads: it finds the task of the calling thread, and tells
  // the end of a thread also when it ends by st_thread_exit().
  static int key() {
    static const int made = [] {
      int fresh;
      if (st_key_create(&fresh, end) != 0) raise("st::thread needs a key of thread-specific data");
      return fresh;
    }();
    return made;
  }

  static task* current() {
    return st_thread_self() ? static_cast<task*>(st_thread_getspecific(key())) : nullptr;
  }

  static void* begin(void* arg) {
    auto* self = static_cast<task*>(arg);
    st_thread_setspecific(key(), self);
    try {
      self->run();
    } catch (...) {
      self->catch_escaped();
    }
    return nullptr;
  }

  void catch_escaped() {
    const bool told = stop.stop_requested();
    try {
      throw;
    } catch (const std::system_error& error) {
      if (told && error.code() == interrupted) return;  // how a thread usually stops
      keep(!told);
    } catch (...) {
      keep(!told);
    }
  }

  void keep(bool by_itself) {
    if (!shared) std::terminate();  // nobody will ever ask
    escaped = std::current_exception();
    escaped_by_itself = by_itself;
  }

  static void end(void* arg) {
    auto* self = static_cast<task*>(arg);
    self->on_stop.reset();
    self->forget();
    self->handle = nullptr;
    if (self->shared)
      self->ended.notify_all();
    else
      delete self;
  }
};

template <class Function, class... Args>
struct task_of final : task {
  template <class... Given>
  explicit task_of(Given&&... given) : call(std::in_place, std::forward<Given>(given)...) {}

  void run() override {
    std::apply(
        [&](Function&& function, Args&&... args) {
          if constexpr (std::is_invocable_v<Function, std::stop_token, Args...>)
            std::invoke(std::move(function), stop.get_token(), std::move(args)...);
          else
            std::invoke(std::move(function), std::move(args)...);
        },
        std::move(*call));
  }
  void forget() override { call.reset(); }

  std::optional<std::tuple<Function, Args...>> call;
};

}  // namespace detail

// A thread that runs a callable with arguments, as std::jthread does: destroying the object tells
// the thread to stop, interrupts it and joins it.
//
// An exception that escapes from the thread is thrown again by join(). Two are not: the
// st::interrupted with which a thread that was told to stop usually ends; and, by the destructor,
// whatever escapes after it was told. A thread that failed by itself and that nobody joins, because
// it is detached or its object is destroyed, ends the program as an uncaught exception does.
class thread {
 public:
  thread() = default;

  template <class Function, class... Args>
  requires(!std::is_same_v<std::remove_cvref_t<Function>, thread> &&
           !std::is_same_v<std::remove_cvref_t<Function>,
                           thread_options>) explicit thread(Function&& function, Args&&... args)
      : thread(thread_options{}, std::forward<Function>(function), std::forward<Args>(args)...) {}

  template <class Function, class... Args>
  thread(const thread_options& options, Function&& function, Args&&... args) {
    detail::task::key();  // a failure belongs to the creator
    auto made = std::make_unique<detail::task_of<std::decay_t<Function>, std::decay_t<Args>...>>(
        std::forward<Function>(function), std::forward<Args>(args)...);
    made->handle = st_thread_create(detail::task::begin, made.get(), 0, options.stack_size);
    if (!made->handle) detail::raise("st_thread_create");
    if (!options.name.empty()) st_thread_setname(made->handle, options.name.c_str());
    made->on_stop.emplace(made->stop.get_token(), detail::interrupt{made->handle});
    task_ = made.release();
  }

  thread(thread&& other) noexcept : task_(std::exchange(other.task_, nullptr)) {}
  thread& operator=(thread&& other) noexcept {
    if (this != &other) {
      stop_and_join();
      task_ = std::exchange(other.task_, nullptr);
    }
    return *this;
  }
  ~thread() { stop_and_join(); }

  bool joinable() const { return task_ != nullptr; }

  // Waits for the end of the thread, whatever interrupts the caller meanwhile: that meets the
  // caller's next wait.
  void join() {
    if (!task_)
      detail::raise("st::thread::join", std::make_error_code(std::errc::invalid_argument));
    if (task_->handle == st_thread_self())
      detail::raise("st::thread::join",
                    std::make_error_code(std::errc::resource_deadlock_would_occur));
    wait_for_end();
    std::unique_ptr<detail::task> ended(std::exchange(task_, nullptr));
    if (ended->escaped) std::rethrow_exception(std::exchange(ended->escaped, nullptr));
  }

  // Lets the thread go on without this object.
  void detach() {
    detail::task* left = std::exchange(task_, nullptr);
    if (!left)
      detail::raise("st::thread::detach", std::make_error_code(std::errc::invalid_argument));
    left->shared = false;
    if (left->handle) return;
    std::unique_ptr<detail::task> ended(left);
    if (ended->escaped) std::terminate();
  }

  // Sets the thread's stop token, and interrupts it if nobody has before.
  bool request_stop() noexcept { return task_ && task_->stop.request_stop(); }
  // Must be asked to stop in this kernel thread, like everything else.
  std::stop_source get_stop_source() const noexcept {
    return task_ ? task_->stop : std::stop_source(std::nostopstate);
  }
  std::stop_token get_stop_token() const noexcept { return get_stop_source().get_token(); }

  // Makes the thread's present or next wait fail with st::interrupted, once.
  void interrupt() noexcept {
    if (native_handle()) st_thread_interrupt(native_handle());
  }

  // Null when the thread has ended.
  st_thread_t native_handle() const { return task_ ? task_->handle : nullptr; }

 private:
  void wait_for_end() {
    task_->ended.wait_out([this] { return task_->handle == nullptr; });
  }

  void stop_and_join() noexcept {
    if (!task_) return;
    task_->stop.request_stop();
    wait_for_end();
    std::unique_ptr<detail::task> ended(std::exchange(task_, nullptr));
    if (ended->escaped_by_itself) std::rethrow_exception(ended->escaped);  // std::terminate()
  }

  detail::task* task_ = nullptr;
};

// Whether the calling thread was told to stop, and the token that says so; never for threads that
// st::thread has not made.
inline std::stop_token get_stop_token() {
  const detail::task* self = detail::task::current();
  return self ? self->stop.get_token() : std::stop_token();
}
inline bool stop_requested() { return get_stop_token().stop_requested(); }

}  // namespace st

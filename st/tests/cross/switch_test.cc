// What must hold on every CPU, without a test framework, so that it can be built for one that this
// machine does not have: threads run in order, find their registers and their stack as they left
// them, and the scheduler's timers, descriptors and stacks work around them.
//
//   switch_test                all tests; the first failure ends the process with status 1
//   switch_test --switches N   only N switches, for counting what they cost
#include <st.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

#include <string>
#include <vector>

namespace {

#define EXPECT(condition)                                                      \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                 \
    }                                                                          \
  } while (false)

st_thread_t create(void* (*start)(void*), void* arg) {
  const st_thread_t thread = st_thread_create(start, arg, 1, 0);
  EXPECT(thread);
  return thread;
}

void* join(st_thread_t thread) {
  void* value = nullptr;
  EXPECT(st_thread_join(thread, &value) == 0);
  return value;
}

// A value that the compiler knows nothing about.
template <class T>
T opaque(T value) {
  asm volatile("" : "+r"(value));
  return value;
}

void threads_run_in_the_order_of_their_creation() {
  static std::string letters;
  const auto write_thrice = [](void* letter) -> void* {
    for (int i = 0; i < 3; ++i) {
      letters += *static_cast<const char*>(letter);
      st_thread_yield();
    }
    return letter;
  };
  char names[] = "ABC";
  st_thread_t threads[3];
  for (int i = 0; i < 3; ++i) threads[i] = create(write_thrice, &names[i]);
  for (int i = 0; i < 3; ++i) EXPECT(join(threads[i]) == &names[i]);
  EXPECT(letters == "ABCABCABC");
}

// More values than there are registers which a call must keep, all alive across every switch.
template <class T, auto give_way>
void* keep_values(void* seed) {
  T v[14];
  for (int i = 0; i < 14; ++i)
    v[i] = static_cast<T>(opaque(reinterpret_cast<uintptr_t>(seed)) * 100 + i);
  T a = v[0], b = v[1], c = v[2], d = v[3], e = v[4], f = v[5], g = v[6], h = v[7], i = v[8],
    j = v[9], k = v[10], l = v[11], m = v[12], n = v[13];
  for (int turn = 0; turn < 50; ++turn) {
    give_way();
    a += 1, b += 2, c += 3, d += 4, e += 5, f += 6, g += 7, h += 8, i += 9, j += 10, k += 11,
        l += 12, m += 13, n += 14;
  }
  const T left[] = {a, b, c, d, e, f, g, h, i, j, k, l, m, n};
  for (int at = 0; at < 14; ++at) EXPECT(left[at] == v[at] + static_cast<T>(50 * (at + 1)));
  return nullptr;
}

void registers_survive_switches() {
  st_thread_t threads[6];
  for (uintptr_t i = 0; i < 6; ++i)
    threads[i] = create(
        i % 2 ? keep_values<double, st_thread_yield> : keep_values<uint64_t, st_thread_yield>,
        reinterpret_cast<void*>(i + 1));
  keep_values<double, st_thread_yield>(reinterpret_cast<void*>(uintptr_t{7}));
  keep_values<uint64_t, st_thread_yield>(reinterpret_cast<void*>(uintptr_t{8}));
  for (const st_thread_t thread : threads) join(thread);
}

// Two threads of which only one can run: the most usual wait may have a switch of its own.
void registers_survive_waits_for_a_condition() {
  static st_cond_t turns[2];
  static int whose;
  const auto pass_the_turn = [] {
    const int mine = whose;
    whose = 1 - mine;
    EXPECT(st_cond_signal(turns[whose]) == 0);
    EXPECT(st_cond_wait(turns[mine]) == 0);
  };
  for (st_cond_t& turn : turns) turn = st_cond_new();
  char seeds[2];
  const st_thread_t first = create(keep_values<uint64_t, decltype(pass_the_turn){}>, &seeds[0]);
  const st_thread_t second = create(keep_values<uint64_t, decltype(pass_the_turn){}>, &seeds[1]);
  join(first);
  EXPECT(st_cond_signal(turns[1]) == 0);
  join(second);
  for (const st_cond_t turn : turns) EXPECT(st_cond_destroy(turn) == 0);
}

void* check_the_stack(void*) {
  alignas(16) char aligned[16];
  EXPECT(reinterpret_cast<uintptr_t>(opaque(&aligned[0])) % 16 == 0);
  // The C library relies on the alignment, too.
  char text[64];
  snprintf(text, sizeof text, "%.3f %Lg", opaque(2.5), static_cast<long double>(0.5));
  EXPECT(strcmp(text, "2.500 0.5") == 0);

  int frames = 0;
  const auto count = [](_Unwind_Context*, void* counted) {
    return ++*static_cast<int*>(counted) < 100 ? _URC_NO_REASON : _URC_END_OF_STACK;
  };
  _Unwind_Backtrace(count, &frames);
  EXPECT(frames < 10);
  return nullptr;
}

void a_stack_is_aligned_and_a_backtrace_on_it_ends() { join(create(check_the_stack, nullptr)); }

void an_exception_is_caught_on_the_stack_it_was_thrown_on() {
  const auto throw_and_yield = [](void* number) -> void* {
    try {
      throw number;
    } catch (void* caught) {
      st_thread_yield();  // the handler is left, and the other thread throws meanwhile
      try {
        throw;
      } catch (void* again) {
        EXPECT(again == caught);
      }
      return caught;
    }
  };
  char names[2];
  const st_thread_t first = create(throw_and_yield, &names[0]);
  const st_thread_t second = create(throw_and_yield, &names[1]);
  EXPECT(join(first) == &names[0]);
  EXPECT(join(second) == &names[1]);
}

void sleepers_wake_by_their_deadlines() {
  static std::string order;
  const auto sleep = [](void* tens) -> void* {
    const auto ms = reinterpret_cast<uintptr_t>(tens) * 10;
    const st_utime_t before = st_utime();
    EXPECT(st_usleep(ms * 1000) == 0);
    EXPECT(st_utime() - before >= ms * 1000);
    order += static_cast<char>('0' + reinterpret_cast<uintptr_t>(tens));
    return nullptr;
  };
  std::vector<st_thread_t> threads;
  for (const uintptr_t tens : {3, 1, 2})
    threads.push_back(create(sleep, reinterpret_cast<void*>(tens)));
  for (const st_thread_t thread : threads) join(thread);
  EXPECT(order == "123");
}

void a_wait_times_out() {
  const st_cond_t never = st_cond_new();
  EXPECT(st_cond_timedwait(never, 1000) == -1 && errno == ETIME);
  EXPECT(st_cond_destroy(never) == 0);
}

struct Pipe {
  st_netfd_t in;
  st_netfd_t out;
};

Pipe make_pipe() {
  int fds[2];
  EXPECT(pipe(fds) == 0);
  const Pipe made = {st_netfd_open(fds[0]), st_netfd_open(fds[1])};
  EXPECT(made.in && made.out);
  return made;
}

// A ring of threads, each of which adds one to what it has read and passes it on.
void numbers_go_round_through_pipes() {
  constexpr int kThreads = 8, kRounds = 20;
  struct Stage {
    st_netfd_t in;
    st_netfd_t out;
  };
  std::vector<Pipe> pipes;
  for (int i = 0; i <= kThreads; ++i) pipes.push_back(make_pipe());
  std::vector<Stage> stages;
  for (int i = 0; i < kThreads; ++i) stages.push_back({pipes[i].in, pipes[i + 1].out});
  const auto pass_on = [](void* arg) -> void* {
    const auto* stage = static_cast<const Stage*>(arg);
    int number;
    while (st_read_fully(stage->in, &number, sizeof number, ST_UTIME_NO_TIMEOUT) == sizeof number) {
      ++number;
      EXPECT(st_write(stage->out, &number, sizeof number, ST_UTIME_NO_TIMEOUT) == sizeof number);
    }
    EXPECT(st_netfd_close(stage->out) == 0);
    return nullptr;
  };
  std::vector<st_thread_t> threads;
  for (Stage& stage : stages) threads.push_back(create(pass_on, &stage));
  int number = 0;
  for (int round = 0; round < kRounds; ++round) {
    EXPECT(st_write(pipes.front().out, &number, sizeof number, ST_UTIME_NO_TIMEOUT) > 0);
    EXPECT(st_read_fully(pipes.back().in, &number, sizeof number, ST_UTIME_NO_TIMEOUT) > 0);
  }
  EXPECT(number == kThreads * kRounds);
  char unwritten;
  EXPECT(st_read(pipes.back().in, &unwritten, 1, 1000) == -1 && errno == ETIME);
  // Closing the first end closes all: each thread sees the end of its pipe and closes the next.
  EXPECT(st_netfd_close(pipes.front().out) == 0);
  for (const st_thread_t thread : threads) join(thread);
  for (const Pipe& pipe : pipes) EXPECT(st_netfd_close(pipe.in) == 0);
}

void a_thousand_threads_wait_at_once() {
  static st_cond_t all_here = st_cond_new();
  static int waiting = 0;
  const auto wait = [](void* number) -> void* {
    ++waiting;
    EXPECT(st_cond_wait(all_here) == 0);
    return number;
  };
  std::vector<st_thread_t> threads;
  for (uintptr_t i = 0; i < 1000; ++i) threads.push_back(create(wait, reinterpret_cast<void*>(i)));
  while (waiting < 1000) st_thread_yield();
  EXPECT(st_cond_broadcast(all_here) == 0);
  for (uintptr_t i = 0; i < 1000; ++i) EXPECT(join(threads[i]) == reinterpret_cast<void*>(i));
}

// Two threads give way to each other: the switches are counted in both.
void only_switch(long switches) {
  static long left;
  left = switches;
  const auto yield = [](void*) -> void* {
    while (left-- > 0) st_thread_yield();
    return nullptr;
  };
  const st_thread_t other = create(yield, nullptr);
  yield(nullptr);
  join(other);
}

}  // namespace

int main(int argc, char** argv) {
  if (st_init() != 0) {
    perror("st_init");
    return 1;
  }
  if (argc == 3 && strcmp(argv[1], "--switches") == 0) {
    only_switch(atol(argv[2]));
    return 0;
  }
  threads_run_in_the_order_of_their_creation();
  registers_survive_switches();
  registers_survive_waits_for_a_condition();
  a_stack_is_aligned_and_a_backtrace_on_it_ends();
  an_exception_is_caught_on_the_stack_it_was_thrown_on();
  sleepers_wake_by_their_deadlines();
  a_wait_times_out();
  numbers_go_round_through_pipes();
  a_thousand_threads_wait_at_once();
  printf("all held, on %s\n", st_get_eventsys_name());
  return 0;
}

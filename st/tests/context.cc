// The switch between stacks, alone: no scheduler, no library.
#include "context/context.h"

#include <execinfo.h>
#include <gtest/gtest.h>
#include <stdint.h>
#include <string.h>

#include <functional>
#include <string>
#include <vector>

namespace {

// A stack and what runs on it; without a body it is the kernel's own stack.
struct Fibre {
  st::Context context{};
  std::function<void()> body;
  std::vector<char> stack;
};

Fibre outside;
Fibre* current = &outside;

void go_to(Fibre& next) {
  Fibre* self = current;
  current = &next;
  st::context_switch(&self->context, &next.context, 0);
}

void prepare(Fibre& fibre, std::function<void()> body) {
  constexpr size_t kStackBytes = 256 * 1024;
  fibre.body = std::move(body);
  fibre.stack.resize(kStackBytes);
  st::context_prepare(&fibre.context, fibre.stack.data() + kStackBytes);
}

}  // namespace

extern "C" void st_thread_main() {
  current->body();
  go_to(outside);
  abort();  // nobody goes to a fibre that has ended
}

namespace {

TEST(Context, three_contexts_write_letters_in_turn) {
  std::string word;
  Fibre a, b, c;
  const auto write = [&](char letter, Fibre& next) {
    return [&, letter] {
      for (int i = 0; i < 3; ++i) {
        word += letter;
        go_to(next);
      }
    };
  };
  prepare(a, write('a', b));
  prepare(b, write('b', c));
  prepare(c, write('c', a));
  go_to(a);
  EXPECT_EQ(word, "abcabcabc");
}

TEST(Context, leaves_its_first_caller_and_comes_back_a_million_times) {
  Fibre other;
  uint64_t arrivals = 0;
  prepare(other, [&] {
    for (;;) {
      ++arrivals;
      go_to(outside);
    }
  });
  for (int i = 0; i < 1'000'000; ++i) go_to(other);
  EXPECT_EQ(arrivals, 1'000'000u);
}

TEST(Context, new_stack_is_aligned_as_the_calling_convention_says) {
  // Also when the top of the stack is not.
  for (size_t off = 0; off < 16; ++off) {
    uintptr_t frame = 1;
    Fibre fibre;
    prepare(fibre, [&] {
      // Stored with an instruction that faults on a stack that is not aligned.
      typedef float Four __attribute__((vector_size(16)));
      volatile Four on_stack = {1, 2, 3, 4};
      EXPECT_EQ(reinterpret_cast<uintptr_t>(&on_stack) % 16, 0u);
      frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    });
    st::context_prepare(&fibre.context, fibre.stack.data() + fibre.stack.size() - off);
    go_to(fibre);
    EXPECT_EQ(frame % 16, 0u) << "with the top of the stack " << off << " bytes off";
  }
}

// More values than there are registers, all alive across the switch: where they are kept is the
// compiler's choice, and differs between builds. With and without switches the result is the same.
template <class Number, bool kSwitches>
[[gnu::noinline]] Number mix(Number seed, Fibre& other) {
  Number a = seed, b = a + 1, c = b + a, d = c + b, e = d + c, f = e + d, g = f + e, h = g + f;
  Number i = h + g, j = i + h, k = j + i, l = k + j, m = l + k, n = m + l, o = n + m, p = o + n;
  for (int round = 0; round < 200; ++round) {
    if (kSwitches) go_to(other);
    const Number first = a;
    a = b + c, b = c - d, c = d + e, d = e - f, e = f + g, f = g - h, g = h + i, h = i - j;
    if (kSwitches) go_to(other);
    i = j + k, j = k - l, k = l + m, l = m - n, m = n + o, n = o - p, o = p + first, p = first - a;
  }
  return a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p;
}

template <class Number>
void values_survive() {
  Fibre a, b;
  Number from_a{}, from_b{};
  prepare(a, [&] { from_a = mix<Number, true>(3, b); });
  prepare(b, [&] { from_b = mix<Number, true>(5, a); });
  go_to(a);
  go_to(b);
  EXPECT_EQ(from_a, (mix<Number, false>(3, b)));
  EXPECT_EQ(from_b, (mix<Number, false>(5, a)));
}

TEST(Context, integers_survive_the_switch) { values_survive<uint64_t>(); }

TEST(Context, floating_point_values_survive_the_switch) {
  values_survive<double>();
  values_survive<float>();
}

TEST(Context, long_double_values_survive_the_switch) { values_survive<long double>(); }

// How many frames a backtrace shows from below `more` calls.
[[gnu::noinline]] int frames_below(int more) {
  void* frames[100];
  if (more == 0) return backtrace(frames, 100);
  const int count = frames_below(more - 1);
  asm volatile("" ::: "memory");  // so that this stays a call and not a jump
  return count;
}

TEST(Context, backtrace_ends_where_the_context_began) {
  frames_below(0);  // loads the unwinder, on the large stack
  int shallow = 0;
  int deep = 0;
  Fibre fibre;
  prepare(fibre, [&] {
    shallow = frames_below(0);
    deep = frames_below(7);
  });
  // What looks like a caller above the top of the stack must not be taken for one.
  constexpr size_t kAbove = 64;
  char* const top = fibre.stack.data() + fibre.stack.size() - kAbove;
  auto* const above = reinterpret_cast<void*>(&frames_below);
  for (char* p = top; p < top + kAbove; p += sizeof(above)) memcpy(p, &above, sizeof(above));
  st::context_prepare(&fibre.context, top);
  go_to(fibre);
  EXPECT_EQ(deep - shallow, 7);
  EXPECT_GE(shallow, 3);
  EXPECT_LE(shallow, 12) << "the unwinder went on beyond the entry";
}

}  // namespace

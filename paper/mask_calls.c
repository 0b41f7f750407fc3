// How many system calls on the signal mask one switch makes, by the way in which a context is
// saved: run under strace with two numbers of rounds, the difference is what the rounds cost. A
// round is one context saved and one restored, which is what a switch from one thread to another
// needs.
//   mask_calls sigsetjmp|_setjmp|swapcontext ROUNDS
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

static void with_setjmp(int saves_mask, long rounds) {
  static sigjmp_buf here;
  for (volatile long i = 0; i < rounds; ++i) {
    if (sigsetjmp(here, saves_mask) == 0) siglongjmp(here, 1);
  }
}

static ucontext_t home, away;

static void come_back(void) {
  for (;;) swapcontext(&away, &home);
}

// Two rounds for each turn: there and back.
static void with_swapcontext(long rounds) {
  static char stack[64 * 1024];
  getcontext(&away);
  away.uc_stack.ss_sp = stack;
  away.uc_stack.ss_size = sizeof stack;
  makecontext(&away, come_back, 0);
  for (long i = 0; i < rounds; i += 2) swapcontext(&home, &away);
}

int main(int argc, char** argv) {
  const long rounds = argc == 3 ? atol(argv[2]) : 0;
  if (rounds > 0 && strcmp(argv[1], "sigsetjmp") == 0) {
    with_setjmp(1, rounds);
  } else if (rounds > 0 && strcmp(argv[1], "_setjmp") == 0) {
    with_setjmp(0, rounds);
  } else if (rounds > 0 && strcmp(argv[1], "swapcontext") == 0) {
    with_swapcontext(rounds);
  } else {
    fprintf(stderr, "usage: mask_calls sigsetjmp|_setjmp|swapcontext ROUNDS\n");
    return 2;
  }
  return 0;
}

// Internal to the conformance program: one entry for every call that can block, so that a rule is
// tested on all of them.
#ifndef CONFORMANCE_BLOCKING_H
#define CONFORMANCE_BLOCKING_H

#include "support.h"

struct BlockingCall {
  const char* name;
  // Builds what the call works on, in a state in which it must wait.
  void (*arrange)(void);
  // Makes the call. Like the function itself: -1 and errno, or something else when it succeeded.
  int (*call)(st_utime_t timeout);
  // Changes the state so that the call succeeds, blocked or not yet made. NULL: nothing can.
  void (*release)(void);
  bool takes_timeout;
  // The result when the time is over: -1 with ETIME, or success.
  int result_of_timeout;
  // It does not switch when the state already allows success, and then leaves a pending interrupt
  // pending.
  bool tries_first;
};

extern const struct BlockingCall blocking_calls[];
extern const int blocking_call_count;

#endif

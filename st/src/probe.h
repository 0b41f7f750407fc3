// Internal: include only inside st/src. Points at which tracers of the system (bpftrace, perf,
// SystemTap) can attach to a running program. Built in with -DST_PROBES=ON, when each is one
// instruction that does nothing until somebody attaches; in other builds there is nothing.
//
//   st:thread_create  thread, start function
//   st:thread_exit    thread, value
//   st:thread_switch  thread that is left, thread that goes on
//   st:events_wait    microseconds for which it may wait, -1 without limit
//   st:events_done    threads that are runnable afterwards: 0 none, 1 at least one
#pragma once

#ifdef ST_PROBES
#define SDT_USE_VARIADIC
#include <sys/sdt.h>
#define ST_PROBE(name, ...) STAP_PROBEV(st, name, __VA_ARGS__)
#else
#define ST_PROBE(...) static_cast<void>(0)
#endif

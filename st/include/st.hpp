// Public header.
//
// State Threads for C++20: what st.h has, with owners that clean up, std::chrono, std::span and
// lambdas. Header only; link libst. One part for each idea:
//
//   st/time.hpp      errors, deadlines, sleeping
//   st/thread.hpp    threads that stop and join by themselves
//   st/sync.hpp      mutex, condition variable, semaphore
//   st/channel.hpp   a bounded queue between threads
//   st/net.hpp       endpoints, streams, listeners, datagrams
//   st/offload.hpp   blocking work in helper kernel threads; bells rung from outside
//
// Rules that hold everywhere:
//
// - A call that waits comes in two forms: the one with a std::error_code& reports in it, the other
//   throws std::system_error. Besides what the kernel says, a wait ends with st::timed_out,
//   st::interrupted, or st::canceled: what it waited on was closed or destroyed by another thread.
// - A deadline holds for the call as a whole, however often it has to wait inside. A duration is a
//   deadline that far from now, so `stream.read(buffer, 2s)` reads as it looks.
// - Destructors wake whoever waits on the object; nobody is left waiting on what is gone, and no
//   descriptor is left open. An interrupted wait never swallows a notification that was meant for
//   somebody: it passes it on.
// - As in st.h, an object belongs to the kernel thread that made it, except st::bell::ring().
#pragma once

#include "st/channel.hpp"
#include "st/net.hpp"
#include "st/offload.hpp"
#include "st/sync.hpp"
#include "st/thread.hpp"
#include "st/time.hpp"

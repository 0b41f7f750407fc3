// Internal to the conformance program: how a case is declared and how it says what it saw.
//
// The program knows State Threads 1.9 only by its public header and runs on any libst.so.1. A case
// is one observable fact of the interface. It runs in a process of its own, so it always meets a
// library that nobody has used yet.
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <errno.h>
#include <st.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void CaseBody(const void* argument);

// When the library is initialised, with the event system of the command line.
enum CaseStart { AFTER_INIT, BEFORE_INIT };

void add_case(const char* name, enum CaseStart start, CaseBody* body, const void* argument);

// Declares `group.title`; the body follows. Cases are listed in the order in which the linker met
// their files.
#define CASE(group, title) DECLARE_CASE_(group, title, AFTER_INIT)
#define CASE_BEFORE_INIT(group, title) DECLARE_CASE_(group, title, BEFORE_INIT)

#define DECLARE_CASE_(group, title, start)                               \
  static CaseBody group##_##title;                                       \
  __attribute__((constructor)) static void add_##group##_##title(void) { \
    add_case(#group "." #title, start, group##_##title, NULL);           \
  }                                                                      \
  static void group##_##title(__attribute__((unused)) const void* no_argument)

// Chooses the event system of the command line, if one was given, and initialises; for cases that
// begin before that.
void choose_event_system(void);
void start_library(void);

// What st_get_eventsys_name() says: "select", "poll", "epoll", ...
bool event_system_is(const char* name);

// Each of these ends the case's process when it does not hold; nothing is cleaned up, the process
// is the clean-up.
#define CHECK(fact) ((fact) ? (void)0 : fail(__FILE__, __LINE__, "it is not so that %s", #fact))
#define CHECK_EQ(seen, expected) \
  check_equal(__FILE__, __LINE__, #seen, (long long)(seen), (long long)(expected))
#define CHECK_TEXT(seen, expected) check_text(__FILE__, __LINE__, #seen, seen, expected)
// The call must return -1 and leave `code` in errno.
#define CHECK_FAILS(call, code) \
  (errno = 0, check_failure(__FILE__, __LINE__, #call, (long long)(call), code))
// The same for a call that returns a handle.
#define CHECK_NULL(call, code) \
  (errno = 0, check_failure(__FILE__, __LINE__, #call, (call) == NULL ? -1 : 1, code))

__attribute__((noreturn, format(printf, 3, 4))) void fail(const char* file, int line,
                                                          const char* format, ...);
void check_equal(const char* file, int line, const char* what, long long seen, long long expected);
void check_text(const char* file, int line, const char* what, const char* seen,
                const char* expected);
void check_failure(const char* file, int line, const char* call, long long result, int code);

// Ends the case, neither passed nor failed: this event system or machine cannot show the fact.
__attribute__((noreturn)) void skip(const char* reason);

#endif

// Runs every case in a process of its own and prints one line for each.
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "conformance.h"

enum {
  // Cases take milliseconds; only one that hangs, or a machine in deep trouble, ever gets here.
  kSecondsPerCase = 10,
  kMaxCases = 1000,
  kReportBytes = 4096,
  kNotOffered = 77,  // exit status: what Automake and CTest take for "skipped"
};

// The first byte of what a case's process leaves in its report pipe. No byte at all: it ended
// before its end.
enum { kPassed = '+', kFailed = '-', kSkipped = '~' };

struct Case {
  const char* name;
  enum CaseStart start;
  CaseBody* body;
  const void* argument;
};

static struct Case cases[kMaxCases];
static int case_count;
static int report_fd;
static int chosen_event_system = -1;  // as given to st_set_eventsys; -1: the library's own choice

#if defined(__SANITIZE_ADDRESS__)
// A case leaves what it allocated to the end of its process, so leaks say nothing here.
const char* __asan_default_options(void);
const char* __asan_default_options(void) { return "detect_leaks=0"; }
#endif

void add_case(const char* name, enum CaseStart start, CaseBody* body, const void* argument) {
  if (case_count == kMaxCases) abort();
  cases[case_count++] = (struct Case){name, start, body, argument};
}

void choose_event_system(void) {
  if (chosen_event_system >= 0) CHECK_EQ(st_set_eventsys(chosen_event_system), 0);
}

void start_library(void) {
  choose_event_system();
  CHECK_EQ(st_init(), 0);
}

bool event_system_is(const char* name) { return strcmp(st_get_eventsys_name(), name) == 0; }

void fail(const char* file, int line, const char* format, ...) {
  const char* slash = strrchr(file, '/');
  char text[kReportBytes / 2];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  dprintf(report_fd, "%c%s:%d: %s", kFailed, slash ? slash + 1 : file, line, text);
  _exit(1);
}

void skip(const char* reason) {
  dprintf(report_fd, "%c%s", kSkipped, reason);
  _exit(0);
}

void check_equal(const char* file, int line, const char* what, long long seen, long long expected) {
  if (seen == expected) return;
  fail(file, line, "%s was %lld (errno %s), expected %lld", what, seen, strerrorname_np(errno),
       expected);
}

void check_text(const char* file, int line, const char* what, const char* seen,
                const char* expected) {
  if (strcmp(seen, expected) == 0) return;
  fail(file, line, "%s was \"%s\", expected \"%s\"", what, seen, expected);
}

void check_failure(const char* file, int line, const char* call, long long result, int code) {
  const int seen = errno;
  if (result == -1 && seen == code) return;
  if (result != -1) fail(file, line, "%s succeeded, expected %s", call, strerrorname_np(code));
  fail(file, line, "%s failed with %s, expected %s", call, strerrorname_np(seen),
       strerrorname_np(code));
}

__attribute__((noreturn)) static void be_the_case(const struct Case* one) {
  // A group of its own lets the parent end the children that a failed case may have left.
  setpgid(0, 0);
  signal(SIGPIPE, SIG_DFL);
  alarm(kSecondsPerCase);
  if (one->start == AFTER_INIT) start_library();
  one->body(one->argument);
  dprintf(report_fd, "%c", kPassed);
  _exit(0);
}

// Fills `report` with what the case's process wrote; returns its wait status.
static int run_apart(const struct Case* one, char report[kReportBytes]) {
  int ends[2];
  if (pipe(ends) != 0) {
    perror("pipe");
    exit(2);
  }
  fflush(stdout);
  const pid_t child = fork();
  if (child < 0) {
    perror("fork");
    exit(2);
  }
  if (child == 0) {
    close(ends[0]);
    report_fd = ends[1];
    be_the_case(one);
  }
  setpgid(child, child);
  close(ends[1]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  // The case's own children, if it left any, became ours with its end (PR_SET_CHILD_SUBREAPER).
  kill(-child, SIGKILL);
  while (waitpid(-child, NULL, 0) > 0) continue;
  size_t length = 0;
  ssize_t got;
  while (length < kReportBytes - 1 &&
         (got = read(ends[0], report + length, kReportBytes - 1 - length)) > 0)
    length += (size_t)got;
  report[length] = '\0';
  close(ends[0]);
  return status;
}

static void run_case(const struct Case* one, int* passed, int* failed) {
  char report[kReportBytes];
  const int status = run_apart(one, report);
  // A child of the case may have reported its failure before the case itself passed, so any failure
  // counts.
  const char* failure = strchr(report, kFailed);
  if (failure) {
    printf("FAIL %s: %s\n", one->name, failure + 1);
  } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
    printf("FAIL %s: still running after %d s\n", one->name, kSecondsPerCase);
  } else if (WIFSIGNALED(status)) {
    printf("FAIL %s: killed by signal %d (%s)\n", one->name, WTERMSIG(status),
           strsignal(WTERMSIG(status)));
  } else if (report[0] == '\0') {
    printf("FAIL %s: the process ended before the case did, with status %d\n", one->name,
           WEXITSTATUS(status));
  } else if (report[0] == kSkipped) {
    printf("skip %s: %s\n", one->name, report + 1);
    return;
  } else {
    printf("ok %s\n", one->name);
    ++*passed;
    return;
  }
  ++*failed;
}

static void use_event_system(const char* name) {
  static const struct {
    const char* name;
    int number;
  } known[] = {{"default", -1},
               {"select", ST_EVENTSYS_SELECT},
               {"poll", ST_EVENTSYS_POLL},
               {"alt", ST_EVENTSYS_ALT},
               // Not in 1.9's header; libraries that have it use this number.
               {"io_uring", 4}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; ++i) {
    if (strcmp(name, known[i].name) == 0) {
      chosen_event_system = known[i].number;
      return;
    }
  }
  fprintf(stderr, "--eventsys %s: expected select, poll, alt, io_uring or default\n", name);
  exit(2);
}

// A library or a kernel need not have every event system; that is no failure of a case.
static bool event_system_is_offered(void) {
  const pid_t child = fork();
  if (child == 0) {
    const bool offered = chosen_event_system < 0 || st_set_eventsys(chosen_event_system) == 0;
    _exit(offered && st_init() == 0 ? 0 : 1);
  }
  int status = 0;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static bool wanted(const char* name, char** parts) {
  if (*parts == NULL) return true;
  for (; *parts != NULL; ++parts)
    if (strstr(name, *parts)) return true;
  return false;
}

int main(int argc, char** argv) {
  static const struct option options[] = {{"list", no_argument, NULL, 'l'},
                                          {"eventsys", required_argument, NULL, 'e'},
                                          {NULL, 0, NULL, 0}};
  bool list = false;
  int option;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    if (option == 'l') {
      list = true;
    } else if (option == 'e') {
      use_event_system(optarg);
    } else {
      fprintf(
          stderr,
          "usage: %s [--list] [--eventsys select|poll|alt|io_uring|default] [PART-OF-NAME...]\n",
          argv[0]);
      return 2;
    }
  }
  if (!list && !event_system_is_offered()) {
    puts("skip all: the library or the kernel does not offer this event system");
    return kNotOffered;
  }
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  int passed = 0;
  int failed = 0;
  for (int i = 0; i < case_count; ++i) {
    if (!wanted(cases[i].name, argv + optind)) continue;
    if (list) {
      puts(cases[i].name);
    } else {
      run_case(&cases[i], &passed, &failed);
    }
  }
  if (list) return 0;
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

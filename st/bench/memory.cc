// What does a thread occupy that waits? Starts threads which all wait for the same condition
// variable, and says what the kernel has given the process for each.
//   st_memory [THREADS]    default: 1,000,000, which takes about 4 GiB
#include <errno.h>
#include <inttypes.h>
#include <st.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace {

struct Memory {
  int64_t resident_kib;
  int64_t page_table_kib;
  int64_t mappings;
};

[[noreturn]] void fatal(const char* what) {
  fprintf(stderr, "fatal: %s: %s\n", what, strerror(errno));
  exit(1);
}

Memory memory() {
  Memory now = {};
  char line[512];
  FILE* status = fopen("/proc/self/status", "r");
  if (!status) fatal("/proc/self/status");
  while (fgets(line, sizeof line, status)) {
    sscanf(line, "VmRSS: %" SCNd64, &now.resident_kib);
    sscanf(line, "VmPTE: %" SCNd64, &now.page_table_kib);
  }
  fclose(status);
  FILE* maps = fopen("/proc/self/maps", "r");
  if (!maps) fatal("/proc/self/maps");
  while (fgets(line, sizeof line, maps)) ++now.mappings;
  fclose(maps);
  return now;
}

void* wait_for_the_end(void* end) {
  st_cond_wait(static_cast<st_cond_t>(end));
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  char* rest = nullptr;
  const long threads = argc > 1 ? strtol(argv[1], &rest, 10) : 1'000'000;
  if (threads <= 0 || (rest && *rest) || argc > 2) {
    fprintf(stderr, "usage: st_memory [THREADS]; THREADS is a positive number\n");
    return 2;
  }
  if (st_init() != 0) fatal("st_init");
  const st_cond_t end = st_cond_new();
  const Memory before = memory();
  for (long i = 0; i < threads; ++i)
    if (!st_thread_create(wait_for_the_end, end, 0, 0)) fatal("st_thread_create");
  st_usleep(0);  // every thread runs until it waits
  const Memory after = memory();
  st_stats_t stats;
  st_stats(&stats, sizeof stats);
  const auto each = [&](int64_t from_kib, int64_t to_kib) {
    return static_cast<double>(to_kib - from_kib) * 1024 / static_cast<double>(threads);
  };
  printf(
      "threads %ld guarded %llu resident_bytes_each %.0f page_table_bytes_each %.0f mappings "
      "%" PRId64 "\n",
      threads, stats.stacks_guarded, each(before.resident_kib, after.resident_kib),
      each(before.page_table_kib, after.page_table_kib), after.mappings - before.mappings);
  return 0;
}

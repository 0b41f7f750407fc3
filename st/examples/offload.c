/* cc offload.c -lst -o offload && ./offload offload.c */

/* Work that blocks or computes for long goes to a helper kernel thread: reading a file from disk,
 * here. Meanwhile the other state threads run, as the ticks show. */
#include <st.h>
#include <stdio.h>
#include <stdlib.h>

struct sum {
  const char* path;
  unsigned long lines;
  int error;
};

/* In the helper: ordinary blocking code, but no call of the st library. */
static void* count_lines(void* arg) {
  struct sum* sum = arg;
  FILE* file = fopen(sum->path, "r");
  if (!file) {
    sum->error = errno;
    return NULL;
  }
  usleep(20000); /* a slow disk */
  for (int c; (c = getc(file)) != EOF;) sum->lines += c == '\n';
  fclose(file);
  return sum;
}

static void* tick(void* count) {
  for (;;) {
    if (st_usleep(1000) != 0) return NULL;
    ++*(int*)count;
  }
}

int main(int argc, char** argv) {
  struct sum sum = {.path = argc > 1 ? argv[1] : "/etc/passwd"};
  int ticks = 0;
  void* result = NULL;
  if (st_init() != 0) {
    perror("st_init");
    return 1;
  }
  st_thread_t ticker = st_thread_create(tick, &ticks, 1, 0);
  if (st_offload(count_lines, &sum, &result, ST_UTIME_NO_TIMEOUT) != 0) perror("st_offload");
  st_thread_interrupt(ticker);
  st_thread_join(ticker, NULL);
  if (!result) {
    errno = sum.error;
    perror(sum.path);
    return 1;
  }
  printf("%s: %lu lines\n", sum.path, sum.lines);
  printf("others ran meanwhile: %s\n", ticks > 0 ? "yes" : "no");
  return 0;
}

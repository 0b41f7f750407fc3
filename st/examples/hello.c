/* cc hello.c -lst -o hello && ./hello */

/* Three threads in one kernel thread. Each runs until it waits; while it sleeps, the others run. */
#include <st.h>
#include <stdio.h>

static void* greet(void* name) {
  for (int i = 1; i <= 3; ++i) {
    printf("%s %d\n", (const char*)name, i);
    st_usleep(1000);
  }
  return NULL;
}

int main(void) {
  const char* names[] = {"one", "two", "three"};
  st_thread_t threads[3];
  if (st_init() != 0) {
    perror("st_init");
    return 1;
  }
  for (int i = 0; i < 3; ++i) {
    threads[i] = st_thread_create(greet, (void*)names[i], 1, 0);
    if (!threads[i]) {
      perror("st_thread_create");
      return 1;
    }
  }
  for (int i = 0; i < 3; ++i) st_thread_join(threads[i], NULL);
  return 0;
}

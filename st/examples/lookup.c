/* cc lookup.c -lst -o lookup && ./lookup localhost 127.0.0.1 ::1 */

/* Looks many names up at the same time. st_getaddrinfo() asks in helper kernel threads, so that a
 * name server which does not answer stops nobody else, and the timeout is ours. */
#include <arpa/inet.h>
#include <netdb.h>
#include <st.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const st_utime_t kPatience = 5 * 1000000ULL;

static void* look_up(void* name) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  struct addrinfo* found = NULL;
  int code = st_getaddrinfo(name, NULL, &hints, &found, kPatience);
  if (code != 0) {
    printf("%s: %s\n", (char*)name, code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code));
    return NULL;
  }
  for (struct addrinfo* one = found; one; one = one->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) ==
        0)
      printf("%s: %s\n", (char*)name, text);
  }
  freeaddrinfo(found);
  return NULL;
}

int main(int argc, char** argv) {
  st_thread_t* threads = calloc((size_t)argc, sizeof(*threads));
  if (!threads || st_init() != 0) {
    perror("lookup");
    return 1;
  }
  for (int i = 1; i < argc; ++i)
    if (!(threads[i] = st_thread_create(look_up, argv[i], 1, 0))) perror("st_thread_create");
  for (int i = 1; i < argc; ++i)
    if (threads[i]) st_thread_join(threads[i], NULL);
  free(threads);
  return 0;
}

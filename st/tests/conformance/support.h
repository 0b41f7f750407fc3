// Internal to the conformance program: threads that leave letters, sockets with small buffers, a
// clock that stands still.
#ifndef CONFORMANCE_SUPPORT_H
#define CONFORMANCE_SUPPORT_H

#include <netinet/in.h>

#include "conformance.h"

// A schedule is checked as the word that the threads wrote, one letter at each step.
void letter(char which);
const char* letters(void);
void forget_letters(void);

// A joinable thread; creation is checked.
st_thread_t spawn(void* (*start)(void*), void* argument);
// Joins and returns the exit value; success is checked.
void* join(st_thread_t thread);
// Lets every other runnable thread run and polls the event system once.
void pass(void);

// Start functions. The argument is a string: each thread appends its letters.
void* write_letter(void* text);        // the first letter, then ends
void* sleep_until_told(void* unused);  // ends when interrupted

// A connected AF_UNIX pair: raw, or wrapped. Buffers are as small as the kernel allows, so that
// transfers are partial.
void raw_pair(int type, int end[2]);
void stream_pair(st_netfd_t end[2]);
// A pipe: [0] reads, [1] writes; wrapped.
void pipe_pair(st_netfd_t end[2]);
// Writes until the kernel takes no single byte more, returns how many it took. `osfd` is
// non-blocking.
size_t fill(int osfd);
// Reads until nothing is left, returns how many bytes there were.
size_t drain(int osfd);
// Writes all of `text` to the descriptor, past the library.
void put(int osfd, const char* text);

// A TCP listener on a free port of 127.0.0.1, and a raw non-blocking connection to it.
st_netfd_t open_listener(int backlog, struct sockaddr_in* address);
int raw_client(const struct sockaddr_in* address);
st_netfd_t tcp_socket(void);
// One end of a connection; `peer` is the raw descriptor of the other.
st_netfd_t tcp_connection(int* peer);
// Waits, without the library, until so many bytes can be read: TCP may deliver a moment after the
// write.
void until_readable(int osfd, int bytes);

// Runs `body` in a child process and returns its wait status. Call before st_init: the child gets a
// fresh library.
int status_of_child(void (*body)(void));

// A clock that moves only when a case moves it. Initialises the library.
void start_with_still_clock(void);
void advance_clock(st_utime_t microseconds);
// Advances it and lets the threads run whose time is over then. (A pass alone returns first: its
// own time is over earlier.)
void advance_clock_and_run(st_utime_t microseconds);

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

#endif

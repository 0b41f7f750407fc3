/* Public header.
 *
 * State Threads: many threads of control in one kernel thread, for programs that wait for the
 * network.
 *
 * A state thread costs one page of memory while it waits and a few nanoseconds to switch to. It
 * gives up the processor only inside the calls marked "switches" below, so whatever a program does
 * between two of those calls needs no lock. The calls that wait look like the system calls of the
 * same names, with a timeout; while one thread waits, the others run.
 *
 * This header is source- and binary-compatible with State Threads 1.9 (libst.so.1).
 *
 * Results: 0 and -1, or an object and NULL, with errno. Two values of errno are the library's own:
 *   ETIME  a timeout has passed
 *   EINTR  another thread called st_thread_interrupt() on the caller; never caused by a signal
 * errno belongs to the kernel thread, not to the state thread: read it before the next call that
 * switches.
 *
 * Timeouts are in microseconds. ST_UTIME_NO_TIMEOUT waits without limit. ST_UTIME_NO_WAIT still
 * lets every runnable thread run once and looks at the descriptors once. In calls on descriptors a
 * timeout holds for each wait of the call, not for the call as a whole.
 *
 * Every kernel thread that calls st_init() has threads, descriptors and locks of its own; an object
 * must be used only by the kernel thread that made it. Where nothing else is said, a handle that is
 * not valid is undefined.
 *
 * Misuse is an error where one is named below. What could only go on to do damage ends the process
 * with abort() and a line that begins "st:": a call before st_init(), an object of another kernel
 * thread, a wait inside st_leaf_call().
 */
#ifndef __ST_THREAD_H__
#define __ST_THREAD_H__

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define ST_VERSION "1.9"
#define ST_VERSION_MAJOR 1
#define ST_VERSION_MINOR 9

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
#pragma GCC visibility push(default) /* the library hides everything else */
#endif

/* ---- Types ---- */

typedef unsigned long long st_utime_t; /* microseconds */
typedef struct _st_thread* st_thread_t;
typedef struct _st_cond* st_cond_t;
typedef struct _st_mutex* st_mutex_t;
typedef struct _st_netfd* st_netfd_t;

#ifndef ST_UTIME_NO_TIMEOUT
#define ST_UTIME_NO_TIMEOUT ((st_utime_t)-1LL)
#endif
#ifndef ST_UTIME_NO_WAIT
#define ST_UTIME_NO_WAIT 0
#endif

/* ---- Set-up ---- */

/* Makes the caller the first ("primordial") state thread of its kernel thread. Ignores SIGPIPE for
 * the process and raises the soft limit of descriptors to the hard one. A second call does nothing.
 * Errors: those of sigaction, getrlimit, setrlimit and of the event mechanism; ENOMEM. */
extern int st_init(void);

/* Gives back what the calling kernel thread has from this library: stacks, tables, helpers. All is
 * then as before st_init(), which may be called again. Threads that have not ended are gone,
 * without their destructors, and every handle with them; descriptors that were wrapped stay open,
 * bells are closed. The end of a kernel thread does the same. Nothing happens in any other thread
 * than the one that called st_init(), since that thread is on a stack that would go. */
extern void st_destroy(void);

/* Where the kernel's stack of the caller ends, for AddressSanitizer. It knows by itself, so this
 * does nothing. */
extern void st_set_primordial_stack(void* top, void* bottom);

/* The limit of descriptors that st_init() found; -1 before. */
extern int st_getfdlimit(void);

#define ST_EVENTSYS_DEFAULT 0
#define ST_EVENTSYS_SELECT 1
#define ST_EVENTSYS_POLL 2
#define ST_EVENTSYS_ALT 3 /* epoll */
#define ST_EVENTSYS_IO_URING \
  4 /* where st_init() fails with ENOSYS or EPERM, the kernel does not offer it */

/* Chooses how st_init() will wait for descriptors; before st_init(), once.
 * Errors: EBUSY already chosen; EINVAL not known, or not to be had here. */
extern int st_set_eventsys(int eventsys);
extern int st_get_eventsys(void);              /* the constant, -1 before a choice */
extern const char* st_get_eventsys_name(void); /* "epoll" ...; "" before a choice */

/* Hooks that run in a thread just before it is left ("out") and just after it goes on ("in"). They
 * must not switch. NULL takes a hook away. Each returns the hook that was there. Set them after
 * st_init(). */
#define ST_SWITCH_CB
typedef void (*st_switch_cb_t)(void);
extern st_switch_cb_t st_set_switch_in_cb(st_switch_cb_t cb);
extern st_switch_cb_t st_set_switch_out_cb(st_switch_cb_t cb);

/* ---- Threads ---- */

/* Starts a thread, which runs when the caller and all runnable threads before it have given way.
 * A `joinable` thread must be joined; otherwise it disappears when it ends, and its handle with it.
 * `stack_size` in bytes, 0 for the default (64 KiB); the page below the stack is never accessible.
 * Errors: ENOMEM, or what mmap says. */
extern st_thread_t st_thread_create(void* (*start)(void* arg), void* arg, int joinable,
                                    int stack_size);

/* Ends the calling thread, running the destructors of its keys. Never returns. When the last thread
 * of the process has ended, the process exits with status 0. Switches. */
extern void st_thread_exit(void* retval);

/* Waits for a joinable thread to end and takes its value. Switches, unless it has ended.
 * Errors: EINVAL not joinable, joined already, or somebody else is joining it; EDEADLK the caller
 * itself; EINTR. */
extern int st_thread_join(st_thread_t thread, void** retvalp);

/* Makes the present or the next waiting call of `thread` fail with EINTR. */
extern void st_thread_interrupt(st_thread_t thread);

/* The calling thread; NULL before st_init(). */
extern st_thread_t st_thread_self(void);

/* Lets the other runnable threads run first. Switches, if there are any. */
extern void st_thread_yield(void);

/* Places later stacks at random offsets. Returns the setting before. */
extern int st_randomize_stacks(int on);

/* ---- Time ---- */

/* Replaces the clock, which must be monotonic and count microseconds; before st_init(). NULL: the
 * usual one. Errors: EINVAL after st_init(). */
extern int st_set_utime_function(st_utime_t (*func)(void));
extern st_utime_t st_utime(void);            /* now, by the monotonic clock (not the time of day) */
extern st_utime_t st_utime_last_clock(void); /* when descriptors and timers were last looked at */

/* Keeps time(2) in memory, up to a second old, for st_time(). Returns the setting before. */
extern int st_timecache_set(int on);
extern time_t st_time(void);

/* Waits. Always switches, also for 0. A negative number of seconds waits until interrupted. Error:
 * EINTR. */
extern int st_usleep(st_utime_t usecs);
extern int st_sleep(int secs);

/* ---- Condition variables: tied to no lock, since nothing runs between a test and the wait ---- */

extern st_cond_t st_cond_new(void);
/* EBUSY while a thread is in a wait on it, even if it has been woken. */
extern int st_cond_destroy(st_cond_t cond);
/* Switches. Errors: EINTR, and ETIME for the timed form. Test again what was waited for. */
extern int st_cond_wait(st_cond_t cond);
extern int st_cond_timedwait(st_cond_t cond, st_utime_t timeout);
/* Wake the thread that has waited longest, or all in that order. Not remembered when nobody waits.
 */
extern int st_cond_signal(st_cond_t cond);
extern int st_cond_broadcast(st_cond_t cond);

/* ---- Mutexes: needed only around what spans a call that switches; not recursive, handed over in
 * order ---- */

extern st_mutex_t st_mutex_new(void);
extern int st_mutex_destroy(st_mutex_t lock); /* EBUSY while owned or waited for */
/* Switches if owned. Errors: EINTR, even when free; EDEADLK the caller owns it. */
extern int st_mutex_lock(st_mutex_t lock);
extern int st_mutex_unlock(st_mutex_t lock);  /* EPERM the caller does not own it */
extern int st_mutex_trylock(st_mutex_t lock); /* EBUSY */

/* ---- Thread-specific data ---- */

/* Makes a key for all threads of the process; at most st_key_getlimit(). Error: EAGAIN none is
 * left. */
extern int st_key_create(int* keyp, void (*destructor)(void*));
extern int st_key_getlimit(void);
/* Destroys the old value if it is another, then stores the new one. Error: EINVAL no such key. */
extern int st_thread_setspecific(int key, void* value);
extern void* st_thread_getspecific(int key);
/* The same on another thread; a destructor runs in the caller. */
extern int st_thread_setspecific2(st_thread_t thread, int key, void* value);

/* ---- Descriptors ---- */

/* Wrap a descriptor and make it non-blocking. Errors: EBADF, ENOMEM, EMFILE. */
extern st_netfd_t st_netfd_open(int osfd);
extern st_netfd_t st_netfd_open_socket(int osfd);
/* Unwraps; the descriptor stays open and non-blocking. */
extern void st_netfd_free(st_netfd_t fd);
/* Unwraps and closes. Errors: EBUSY a thread is waiting on it, and nothing has changed; EBADF it is
 * not wrapped any more; those of close(2). */
extern int st_netfd_close(st_netfd_t fd);
extern int st_netfd_fileno(st_netfd_t fd);
extern void st_netfd_setspecific(st_netfd_t fd, void* value, void (*destructor)(void*));
extern void* st_netfd_getspecific(st_netfd_t fd);
/* For processes that share a listening socket. Nothing is needed on systems of today: returns 0. */
extern int st_netfd_serialize_accept(st_netfd_t fd);
/* Opens a file, FIFO or device without blocking and wraps it. */
extern st_netfd_t st_open(const char* path, int oflags, mode_t mode);

/* Wait until one of POLLIN, POLLOUT, POLLPRI may succeed. Always switches.
 * Errors: ETIME, EINTR, EINVAL, EBADF; EPERM for what cannot be waited for. */
extern int st_netfd_poll(st_netfd_t fd, int how, st_utime_t timeout);
/* As poll(2) on descriptors, wrapped or not. Always switches; 0 is a timeout. Errors: EINTR, EINVAL
 * and those of the event mechanism. */
extern int st_poll(struct pollfd* pds, int npds, st_utime_t timeout);

/* As the system calls of these names; they switch only if they would block. Errors: ETIME, EINTR
 * and theirs. */
extern st_netfd_t st_accept(st_netfd_t fd, struct sockaddr* addr, int* addrlen, st_utime_t timeout);
extern int st_connect(st_netfd_t fd, const struct sockaddr* addr, int addrlen, st_utime_t timeout);
extern ssize_t st_read(st_netfd_t fd, void* buf, size_t nbyte, st_utime_t timeout);
extern ssize_t st_readv(st_netfd_t fd, const struct iovec* iov, int iov_size, st_utime_t timeout);
/* Everything asked for, unless the other side ends; a failure forgets how much had come. */
extern ssize_t st_read_fully(st_netfd_t fd, void* buf, size_t nbyte, st_utime_t timeout);
/* In *resid what is wanted, out what is missing, also after a failure; 0 with something missing is
 * the end. */
extern int st_read_resid(st_netfd_t fd, void* buf, size_t* resid, st_utime_t timeout);
/* The same for a vector, which moves on: what has come is taken out of it. */
extern int st_readv_resid(st_netfd_t fd, struct iovec** iov, int* iov_size, st_utime_t timeout);
/* Everything is written, or the call fails. */
extern ssize_t st_write(st_netfd_t fd, const void* buf, size_t nbyte, st_utime_t timeout);
extern ssize_t st_writev(st_netfd_t fd, const struct iovec* iov, int iov_size, st_utime_t timeout);
extern int st_write_resid(st_netfd_t fd, const void* buf, size_t* resid, st_utime_t timeout);
extern int st_writev_resid(st_netfd_t fd, struct iovec** iov, int* iov_size, st_utime_t timeout);
extern int st_recvfrom(st_netfd_t fd, void* buf, int len, struct sockaddr* from, int* fromlen,
                       st_utime_t timeout);
extern int st_sendto(st_netfd_t fd, const void* msg, int len, const struct sockaddr* to, int tolen,
                     st_utime_t timeout);
extern int st_recvmsg(st_netfd_t fd, struct msghdr* msg, int flags, st_utime_t timeout);
extern int st_sendmsg(st_netfd_t fd, const struct msghdr* msg, int flags, st_utime_t timeout);

/* ---- Beyond State Threads 1.9 ---- */

/* A name for messages and debuggers; the first ST_THREAD_NAME_MAX bytes are kept. NULL takes it
 * away. */
#define ST_THREAD_NAME_MAX 23
extern void st_thread_setname(st_thread_t thread, const char* name);
extern const char* st_thread_getname(st_thread_t thread); /* "" for a thread without */

/* Runs work(arg), which may block, in a helper kernel thread while other state threads run, and
 * stores in *resultp (if not NULL) what it returns. `work` must not call this library. Switches.
 * Errors: ETIME and EINTR, and then the work goes on unheeded, so `arg` must stay valid until it
 * has ended; ENOMEM, EAGAIN no helper could be started. */
extern int st_offload(void* (*work)(void* arg), void* arg, void** resultp, st_utime_t timeout);

/* The most helpers that the process may have, at least 1; 16 at first. Returns the number before.
 * They are started as needed. Error: EINVAL less than 1. */
extern int st_offload_limit(int helpers);

/* getaddrinfo(3) in a helper. Returns 0 or its EAI_ code; EAI_SYSTEM with errno ETIME or EINTR if
 * not waited for. */
struct addrinfo;
extern int st_getaddrinfo(const char* node, const char* service, const struct addrinfo* hints,
                          struct addrinfo** res, st_utime_t timeout);

/* Calls function(arg) on a stack of 256 KiB that all threads of the kernel thread share, where that
 * is possible: for what goes deep, and for what every thread does often, which then finds that
 * stack in the cache. Nothing in it may switch; a call that waits aborts the process. A C++
 * exception may pass. */
extern void st_leaf_call(void (*function)(void* arg), void* arg);

/* A bell wakes a state thread from outside: from another kernel thread, or from a signal handler.
 */
typedef struct _st_bell* st_bell_t;
extern st_bell_t st_bell_new(void);         /* errors: EMFILE, ENFILE, ENOMEM */
extern int st_bell_destroy(st_bell_t bell); /* EBUSY while waited for */
extern void st_bell_ring(
    st_bell_t bell); /* from anywhere, at any time; never blocks, keeps errno */
/* Waits until the bell has been rung since the last wait, and returns how often. Switches, unless
 * it has. Errors: -1 with ETIME, EINTR. */
extern int st_bell_wait(st_bell_t bell, st_utime_t timeout);

/* How many ended threads' stacks of each size may keep their memory, to be used again at once;
 * 1,024 at first, and all of them after a negative number. The memory of others goes back to the
 * system. Returns the number before. */
extern int st_stack_cache(int stacks);

/* What the calling kernel thread's scheduler has done and holds. `size` is sizeof(st_stats_t): a
 * program built against an older header gets what it knows, and one built against a newer header
 * gets 0 in what this library does not know. */
typedef struct _st_stats {
  unsigned long long switches;       /* threads that went on, after others or by themselves */
  unsigned long long event_looks;    /* times that descriptors and timers were looked at */
  unsigned long long timers_armed;   /* waits that had a timeout */
  unsigned long long threads;        /* that have not ended */
  unsigned long long runnable;       /* of them, in the run queue */
  unsigned long long stacks;         /* ever made */
  unsigned long long stacks_free;    /* of them, not in use */
  unsigned long long stacks_trimmed; /* of the free ones, without memory */
  unsigned long long stacks_guarded; /* of all, with a guard page below */
} st_stats_t;
extern void st_stats(st_stats_t* stats, size_t size);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif /* __ST_THREAD_H__ */

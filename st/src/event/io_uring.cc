// io_uring: transfers are queued, handed to the kernel together when nobody is runnable, and end
// when the kernel says so. A request of a busy server then costs a share of one system call. Waits
// for readiness are polls that stay armed (multishot, edges only).
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "errors.h"
#include "event/event.h"
#include "scheduler.h"

namespace st {
namespace {

constexpr unsigned kSubmissions = 1024;   // queued before one is handed over early
constexpr unsigned kCompletions = 16384;  // the kernel keeps more itself if need be, at a price

// How many transfers that need the other side are waited for under load, if they end within the
// patience: enough to make a system call's share of each small, few and short enough that nobody
// notices.
constexpr unsigned kMostAwaited = 16;
constexpr int64_t kPatience = 50;  // microseconds
// With fewer transfers under way there is no load to speak of, and it is the client that would be
// kept waiting: with 8 clients patience cost a tenth of the answers and gained nothing
// (bench/README.md).
constexpr unsigned kManyWaiting = 32;
// Waits after one that was for nothing in which nobody else is waited for: where few of many
// clients are at work, patience then costs them a microsecond on average.
constexpr unsigned kRest = 64;

// A queued transfer, on the stack of the waiting call, which does not return before it is done.
struct Request : Link {
  Waiter waiter;  // among the descriptor's, for no event: a descriptor in use is not to be closed
  int result;
  bool done;
  bool quick;  // a write: nearly always done as soon as it is handed over
};

struct Ring {
  io_uring ring;
  pid_t owner;  // the process whose requests are outstanding
  List<Request> outstanding;
  unsigned waiting;  // how many they are
  unsigned quick;    // of these, those queued since the kernel was last asked to wait
  unsigned arrived;  // transfers that needed the other side and ended with the last wait
  unsigned rest;     // waits for which there is to be no patience
};

Ring* ring_of(Events& events) { return static_cast<Ring*>(events.buffer); }

// Completions are told by their lowest bit: 0, the address of a Request; 1, a poll, for
// no event if nothing is to be reported.
constexpr uint64_t kPoll = 1;
uint64_t tag_of(const Request* request) { return reinterpret_cast<uintptr_t>(request); }

uint64_t poll_tag(int fd, uint32_t generation, int what) {
  // The generation loses its highest bits: it would take 2^28 closes of one number for a stale
  // report to be believed.
  return static_cast<uint64_t>(static_cast<uint32_t>(fd)) << 32 | (generation & 0xfffffff) << 4 |
         static_cast<uint64_t>(what & (POLLIN | POLLPRI | POLLOUT)) << 1 | kPoll;
}
static_assert((POLLIN | POLLPRI | POLLOUT) == 7);

void complete(Ring* ring, Request* request, int result) {
  request->unlink();
  --ring->waiting;
  if (!request->quick) ++ring->arrived;
  request->result = result;
  request->done = true;
  if (Scheduler::asleep(request->waiter.thread)) scheduler.wake_by_event(request->waiter.thread);
}

bool open_ring(Events& events) {
  if (!events.buffer) events.buffer = calloc(1, sizeof(Ring));
  if (!events.buffer) return false;
  Ring* const ring = ring_of(events);
  // One kernel thread uses the ring, and looks at completions only when it asks for them: the
  // kernel then has nothing to interrupt or to lock. Older kernels do not know these (6.1), and get
  // along without.
  int error = 0;
  for (unsigned flags : {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, 0U}) {
    io_uring_params parameters{};
    parameters.flags = flags | IORING_SETUP_CQSIZE;
    parameters.cq_entries = kCompletions;
    error = -io_uring_queue_init_params(kSubmissions, &ring->ring, &parameters);
    if (error != EINVAL) break;
  }
  if (error) return fail(error);
  ring->owner = getpid();
  // In a child process: what the parent had queued is the parent's. Its threads here try again.
  while (Request* request = ring->outstanding.front()) complete(ring, request, -EAGAIN);
  return true;
}

// Room for one more submission; a full queue is handed over. Null with errno.
io_uring_sqe* next_submission(Ring* ring) {
  for (int tries = 0;; ++tries) {
    if (io_uring_sqe* sqe = io_uring_get_sqe(&ring->ring)) return sqe;
    const int submitted = io_uring_submit(&ring->ring);
    if (submitted < 0 && tries > 2) return fail(-submitted);
  }
}

// Takes back what was submitted under `tag`. Nothing is reported of the taking back itself.
void cancel(Ring* ring, uint64_t tag) {
  io_uring_sqe* sqe = next_submission(ring);
  if (!sqe) return;
  if (tag & kPoll)
    io_uring_prep_poll_remove(sqe, tag);  // at once, so that a new one under this tag is safe
  else
    io_uring_prep_cancel64(sqe, tag, 0);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(sqe, kPoll);
}

bool tell(Events& events, int fd, const Watch& watch, int told, int what) {
  Ring* const ring = ring_of(events);
  // A poll that is armed reports only what is new: a new one reports what is there already.
  if (told) cancel(ring, poll_tag(fd, watch.generation, told));
  if (what == 0) {
    // An armed poll holds the file open: the other side would not see the close, nor a port be
    // free, before it is gone.
    io_uring_submit_and_get_events(&ring->ring);
    return true;
  }
  io_uring_sqe* sqe = next_submission(ring);
  if (!sqe) return false;
  // As with epoll: a half-close spoils the rule that a short read has emptied the socket.
  const int events_and_end = what & POLLIN ? what | POLLRDHUP : what;
  io_uring_prep_poll_multishot(sqe, fd, static_cast<unsigned>(events_and_end));
  io_uring_sqe_set_data64(sqe, poll_tag(fd, watch.generation, what));
  return true;
}

void report_poll(Events& events, uint64_t tag, int result, unsigned flags) {
  const int fd = static_cast<int>(tag >> 32);
  const int mask = static_cast<int>(tag >> 1 & 7);
  if (mask == 0 || result == -ECANCELED || tag == LIBURING_UDATA_TIMEOUT) return;
  Watch& watch = *events.record(fd);
  // A poll that has been replaced or whose descriptor has been closed.
  if (watch.interest != mask || (watch.generation & 0xfffffff) != (tag >> 4 & 0xfffffff)) return;
  const bool ended = !(flags & IORING_CQE_F_MORE);
  if (ended) watch.interest = 0;
  short what = static_cast<short>(result >= 0 ? result : result == -EBADF ? POLLNVAL : POLLERR);
  if (const short wanted = Events::wanted(watch)) {
    // The report may be older than a transfer that has taken everything since; the kernel looks
    // again only if asked.
    pollfd now = {fd, wanted, 0};
    if (result >= 0 && poll(&now, 1, 0) >= 0) what = now.revents;
    // The poll has ended by itself although somebody still waits.
    if (ended && what == 0) events.tell_again(fd, watch);
  }
  if (what) events.report(fd, watch.generation, what);
}

// Writes that will be done at once, and as many of the others as ended with the last wait: batches
// stay large under load, and few clients are not kept waiting.
unsigned awaited(Ring* ring) {
  unsigned others = 0;
  if (ring->rest > 0)
    --ring->rest;
  else if (ring->waiting >= kManyWaiting)
    others = std::min({ring->arrived, ring->waiting / 4, kMostAwaited});
  return std::max(std::min(ring->quick + others, ring->waiting), 1U);
}

void wait(Events& events, int64_t timeout) {
  Ring* const ring = ring_of(events);
  if (io_uring_cq_ready(&ring->ring) > 0) timeout = 0;
  if (timeout == 0) {
    io_uring_submit_and_get_events(&ring->ring);
  } else {
    const unsigned count = awaited(ring);
    const bool patient = count > 1 && (timeout < 0 || timeout > kPatience);
    if (patient) timeout = kPatience;
    __kernel_timespec time = {timeout / 1'000'000, timeout % 1'000'000 * 1'000};
    io_uring_cqe* first = nullptr;
    const int result = io_uring_submit_and_wait_timeout(&ring->ring, &first, count,
                                                        timeout < 0 ? nullptr : &time, nullptr);
    if (patient && result == -ETIME) ring->rest = kRest;
  }
  ring->quick = ring->arrived = 0;
  unsigned head;
  unsigned count = 0;
  io_uring_cqe* cqe;
  io_uring_for_each_cqe(&ring->ring, head, cqe) {
    ++count;
    if (cqe->user_data & kPoll)
      report_poll(events, cqe->user_data, cqe->res, cqe->flags);
    else
      complete(ring, reinterpret_cast<Request*>(cqe->user_data), cqe->res);
  }
  io_uring_cq_advance(&ring->ring, count);
}

// Waits until the kernel is done with everything that it was asked for: the memory that it writes
// to is about to go. In a child process the requests are the parent's.
void close_ring(Events& events) {
  Ring* const ring = ring_of(events);
  if (ring->owner == getpid()) {
    for (Request* request = ring->outstanding.front(); request;
         request = ring->outstanding.after(request))
      cancel(ring, tag_of(request));
    while (!ring->outstanding.empty()) wait(events, -1);
  }
  io_uring_queue_exit(&ring->ring);
}

// What the kernel calls each Operation::Kind.
constexpr uint8_t kOpcodes[] = {IORING_OP_ACCEPT, IORING_OP_RECVMSG, IORING_OP_RECV,
                                IORING_OP_READ,   IORING_OP_READV,   IORING_OP_WRITE,
                                IORING_OP_WRITEV, IORING_OP_SEND,    IORING_OP_SENDMSG};
static_assert(std::size(kOpcodes) == static_cast<size_t>(Operation::Kind::sendmsg) + 1);

// The kernel knows all transfers by the same few numbers, which io_uring_prep_recv() and the like
// only name.
void prepare(io_uring_sqe* sqe, const Operation& operation) {
  using Kind = Operation::Kind;
  const auto size = static_cast<unsigned>(std::min(operation.size, size_t{0x7ffff000}));
  auto second = reinterpret_cast<uintptr_t>(operation.size_out);
  // At the position of the file, which moves on, as with read(2) and write(2).
  if (operation.kind >= Kind::read && operation.kind <= Kind::writev) second = UINT64_MAX;
  io_uring_prep_rw(kOpcodes[static_cast<size_t>(operation.kind)], sqe, operation.fd, operation.data,
                   size, second);
  sqe->rw_flags = operation.flags;
}

// The buffer belongs to the kernel until it says that the request is done, so one that has been
// given up is taken back first.
void take_back(Events& events, Request* request) {
  cancel(ring_of(events), tag_of(request));
  while (!request->done) scheduler.suspend(State::on_io, ST_UTIME_NO_TIMEOUT);
}

ssize_t perform(Events& events, Watch& watch, const Operation& operation, uint64_t timeout) {
  ST_CHECK(!scheduler.is_foreign(watch.home), kForeign);
  // With an interrupt pending the call is about to fail if it has to wait; whether it has to is
  // asked directly.
  Ring* const ring = ring_of(events);
  io_uring_sqe* sqe = scheduler.interrupt_pending() ? nullptr : next_submission(ring);
  if (!sqe) return operation.execute();
  Request request;
  request.waiter.thread = scheduler.current();
  request.waiter.events = 0;
  request.done = false;
  request.quick = operation.writes();
  prepare(sqe, operation);
  io_uring_sqe_set_data(sqe, &request);
  ring->outstanding.push_back(&request);
  ++ring->waiting;
  if (request.quick) ++ring->quick;
  watch.waiters.push_back(&request.waiter);
  scheduler.number_wait();
  const Wake how = scheduler.suspend(State::on_io, timeout);
  if (!request.done) take_back(events, &request);
  if (request.waiter.linked()) request.waiter.unlink();
  // What has been transferred counts, even if it came at the last moment; an interrupt then stays
  // pending.
  if (request.result >= 0) return request.result;
  errno = -request.result;
  if (how == Wake::ready || (errno != ECANCELED && errno != EINTR)) return -1;
  scheduler.outcome(how);
  return -1;
}

}  // namespace

const Mechanism io_uring_mechanism = {.id = ST_EVENTSYS_IO_URING,
                                      .name = "io_uring",
                                      .open = open_ring,
                                      .close = close_ring,
                                      .tell = tell,
                                      .wait = wait,
                                      .perform = perform};

}  // namespace st

// io_uring: transfers are queued, handed to the kernel together when nobody is runnable, and end
// when the kernel says so. A request of a busy server then costs a share of one system call. Waits
// for readiness are polls that stay armed (multishot, edges only).
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <unistd.h>

#include "event/mechanisms.h"
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

// Completions are told by their lowest bit: 0, the address of a Request; 1, a poll.
Request* request_of(const io_uring_cqe* cqe) {
  return cqe->user_data & 1 ? nullptr : reinterpret_cast<Request*>(cqe->user_data);
}

uint64_t poll_tag(int fd, uint32_t generation, int what) {
  // The generation loses its highest bits: it would take 2^28 closes of one number for a stale
  // report to be believed.
  return static_cast<uint64_t>(static_cast<uint32_t>(fd)) << 32 | (generation & 0xfffffff) << 4 |
         static_cast<uint64_t>(what & (POLLIN | POLLPRI | POLLOUT)) << 1 | 1;
}
static_assert((POLLIN | POLLPRI | POLLOUT) == 7);

// Calls `visit` for every completion that there is.
template <class Visit>
void each_completion(Ring* ring, Visit visit) {
  unsigned head;
  unsigned count = 0;
  io_uring_cqe* cqe;
  io_uring_for_each_cqe(&ring->ring, head, cqe) {
    ++count;
    visit(cqe);
  }
  io_uring_cq_advance(&ring->ring, count);
}

void complete(Ring* ring, Request* request, int result) {
  request->unlink();
  --ring->waiting;
  if (!request->quick) ++ring->arrived;
  request->result = result;
  request->done = true;
  if (Scheduler::asleep(request->waiter.thread)) scheduler.wake_by_event(request->waiter.thread);
}

bool open_ring(Events& events) {
  auto* ring = static_cast<Ring*>(events.buffer);
  if (!ring) {
    ring = static_cast<Ring*>(calloc(1, sizeof(Ring)));
    if (!ring) return false;
    ring->outstanding.make_empty();
  }
  io_uring_params parameters{};
  // One kernel thread uses the ring, and looks at completions only when it asks for them: the
  // kernel then has nothing to interrupt or to lock. Older kernels do not know these (6.1), and get
  // along without.
  parameters.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
  parameters.cq_entries = kCompletions;
  int error = -io_uring_queue_init_params(kSubmissions, &ring->ring, &parameters);
  if (error == EINVAL) {
    parameters = {};
    parameters.flags = IORING_SETUP_CQSIZE;
    parameters.cq_entries = kCompletions;
    error = -io_uring_queue_init_params(kSubmissions, &ring->ring, &parameters);
  }
  if (error) {
    if (!events.buffer) free(ring);
    errno = error;
    return false;
  }
  events.buffer = ring;
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
    if (submitted < 0 && tries > 2) {
      errno = -submitted;
      return nullptr;
    }
  }
}

void cancel(Ring* ring, Request* request) {
  io_uring_sqe* sqe = next_submission(ring);
  if (!sqe) return;
  io_uring_prep_cancel(sqe, request, 0);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(sqe, 1);  // a report of nothing
}

// Waits until the kernel is done with everything that it was asked for: the memory that it writes
// to is about to go. In a child process the requests are the parent's.
void take_all_back(Ring* ring) {
  if (ring->owner != getpid()) return;
  for (Request* request = ring->outstanding.front(); request;
       request = ring->outstanding.after(request))
    cancel(ring, request);
  while (!ring->outstanding.empty()) {
    io_uring_submit_and_wait(&ring->ring, 1);
    each_completion(ring, [ring](const io_uring_cqe* cqe) {
      if (Request* request = request_of(cqe)) complete(ring, request, cqe->res);
    });
  }
}

void close_ring(Events& events) {
  take_all_back(ring_of(events));
  io_uring_queue_exit(&ring_of(events)->ring);
}

bool add_poll(Events& events, int fd, const Watch& watch, int what) {
  io_uring_sqe* sqe = next_submission(ring_of(events));
  if (!sqe) return false;
  // As with epoll: a half-close spoils the rule that a short read has emptied the socket.
  io_uring_prep_poll_multishot(sqe, fd,
                               static_cast<unsigned>(what & POLLIN ? what | POLLRDHUP : what));
  io_uring_sqe_set_data64(sqe, poll_tag(fd, watch.generation, what));
  return true;
}

void remove_poll(Events& events, int fd, const Watch& watch, int what) {
  io_uring_sqe* sqe = next_submission(ring_of(events));
  if (!sqe) return;
  io_uring_prep_poll_remove(sqe, poll_tag(fd, watch.generation, what));
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(sqe, 1);  // a report of nothing
}

int known(const Events& events, const Watch& watch) {
  return watch.epoch == events.epoch ? watch.interest : 0;
}

bool want(Events& events, int fd, Watch& watch, short what) {
  const int told = known(events, watch);
  const bool will_be_reported =
      !((watch.ready | POLLPRI) & what);  // what is urgent is not noted as ready
  if ((told & what) == what && will_be_reported) return true;
  // A poll that is armed reports only what is new: a new one reports what is there already.
  const int all = told | what | Events::wanted(watch);
  if (told) remove_poll(events, fd, watch, told);
  watch.interest = 0;
  if (!add_poll(events, fd, watch, all)) return false;
  watch.interest = static_cast<uint8_t>(all);
  watch.epoch = events.epoch;
  return true;
}

void forget(Events& events, int fd, Watch& watch, bool) {
  const int told = known(events, watch);
  watch.interest = 0;
  if (!told) return;
  remove_poll(events, fd, watch, told);
  // An armed poll holds the file open: the other side would not see the close, nor a port be free,
  // before it is gone.
  io_uring_submit_and_get_events(&ring_of(events)->ring);
}

void unwant(Events& events, int fd, Watch& watch) {
  if (Events::wanted(watch) == 0) forget(events, fd, watch, false);
}

void report_poll(Events& events, uint64_t tag, int result, unsigned flags) {
  const int fd = static_cast<int>(tag >> 32);
  const int mask = static_cast<int>(tag >> 1 & 7);
  if (mask == 0 || result == -ECANCELED || tag == LIBURING_UDATA_TIMEOUT) return;
  Watch* watch = events.watch(fd);
  // A poll that has been replaced or whose descriptor has been closed.
  if (!watch || watch->interest != mask ||
      (watch->generation & 0xfffffff) != (tag >> 4 & 0xfffffff))
    return;
  const bool ended = !(flags & IORING_CQE_F_MORE);
  if (ended) watch->interest = 0;
  short what = static_cast<short>(result >= 0 ? result : result == -EBADF ? POLLNVAL : POLLERR);
  if (const short wanted = Events::wanted(*watch)) {
    // The report may be older than a transfer that has taken everything since; the kernel looks
    // again only if asked.
    pollfd now = {fd, wanted, 0};
    if (result >= 0 && poll(&now, 1, 0) >= 0) what = now.revents;
    // The poll has ended by itself although somebody still waits.
    if (ended && what == 0) want(events, fd, *watch, wanted);
  }
  if (what) events.report(fd, watch->generation, what);
}

// Writes that will be done at once, and as many of the others as ended with the last wait: batches
// stay large under load, and few clients are not kept waiting.
unsigned awaited(Ring* ring) {
  const unsigned most = ring->waiting / 4 < kMostAwaited ? ring->waiting / 4 : kMostAwaited;
  unsigned others = ring->waiting < kManyWaiting ? 0 : ring->arrived < most ? ring->arrived : most;
  if (ring->rest > 0) {
    --ring->rest;
    others = 0;
  }
  const unsigned all = ring->quick + others < ring->waiting ? ring->quick + others : ring->waiting;
  return all > 0 ? all : 1;
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
  each_completion(ring, [&](const io_uring_cqe* cqe) {
    if (Request* request = request_of(cqe))
      complete(ring, request, cqe->res);
    else
      report_poll(events, cqe->user_data, cqe->res, cqe->flags);
  });
}

bool is_quick(Operation::Kind kind) {
  using Kind = Operation::Kind;
  return kind == Kind::write || kind == Kind::writev || kind == Kind::send || kind == Kind::sendmsg;
}

void prepare(io_uring_sqe* sqe, const Operation& operation) {
  const auto size =
      static_cast<unsigned>(operation.size < 0x7ffff000 ? operation.size : 0x7ffff000);
  const uint64_t at_position =
      static_cast<uint64_t>(-1);  // and move it, as read(2) and write(2) do
  switch (operation.kind) {
    case Operation::Kind::read:
      io_uring_prep_read(sqe, operation.fd, operation.data, size, at_position);
      break;
    case Operation::Kind::readv:
      io_uring_prep_readv(sqe, operation.fd, static_cast<const iovec*>(operation.data), size,
                          at_position);
      break;
    case Operation::Kind::write:
      io_uring_prep_write(sqe, operation.fd, operation.data, size, at_position);
      break;
    case Operation::Kind::writev:
      io_uring_prep_writev(sqe, operation.fd, static_cast<const iovec*>(operation.data), size,
                           at_position);
      break;
    case Operation::Kind::recv:
      io_uring_prep_recv(sqe, operation.fd, operation.data, operation.size, 0);
      break;
    case Operation::Kind::send:
      io_uring_prep_send(sqe, operation.fd, operation.data, operation.size, 0);
      break;
    case Operation::Kind::accept:
      io_uring_prep_accept(sqe, operation.fd, static_cast<sockaddr*>(operation.data),
                           reinterpret_cast<socklen_t*>(operation.size_out), SOCK_NONBLOCK);
      break;
    case Operation::Kind::recvmsg:
      io_uring_prep_recvmsg(sqe, operation.fd, static_cast<msghdr*>(operation.data),
                            static_cast<unsigned>(operation.flags));
      break;
    case Operation::Kind::sendmsg:
      io_uring_prep_sendmsg(sqe, operation.fd, static_cast<const msghdr*>(operation.data),
                            static_cast<unsigned>(operation.flags));
      break;
  }
}

// The buffer belongs to the kernel until it says that the request is done, so one that has been
// given up is taken back first.
void take_back(Events& events, Request* request) {
  cancel(ring_of(events), request);
  while (!request->done) scheduler.suspend(State::on_io, ST_UTIME_NO_TIMEOUT);
}

ssize_t perform(Events& events, const Operation& operation, uint64_t timeout) {
  // With an interrupt pending the call is about to fail if it has to wait; whether it has to is
  // asked directly.
  Watch* watch = events.watch(operation.fd);
  ST_CHECK(!watch || watch->wrappers > 0,
           "the descriptor was wrapped in another kernel thread, or has been freed");
  io_uring_sqe* sqe =
      watch && !scheduler.current()->interrupted ? next_submission(ring_of(events)) : nullptr;
  if (!sqe) return operation.execute();
  Request request;
  request.waiter.thread = scheduler.current();
  request.waiter.events = 0;
  request.done = false;
  request.quick = is_quick(operation.kind);
  prepare(sqe, operation);
  io_uring_sqe_set_data(sqe, &request);
  Ring* const ring = ring_of(events);
  ring->outstanding.push_back(&request);
  ++ring->waiting;
  if (request.quick) ++ring->quick;
  watch->waiters.push_back(&request.waiter);
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

const Mechanism io_uring_mechanism = {ST_EVENTSYS_IO_URING,
                                      "io_uring",
                                      0,
                                      POLLIN | POLLOUT | POLLPRI,
                                      open_ring,
                                      close_ring,
                                      want,
                                      unwant,
                                      forget,
                                      wait,
                                      perform};

}  // namespace st

#include "baselines/common/http.h"

#include <algorithm>
#include <array>
#include <exception>
#include <new>

#include "baselines/common/answer.h"
#include "baselines/common/endpoints.h"
#include "baselines/common/output.h"
#include "baselines/common/request.h"
#include "baselines/common/site.h"

namespace baselines {

// A block of input: either the beginning of one request (head_), or one link of kept_.
struct InputBlock {
  static constexpr std::size_t kCapacity = kMaxHeadBytes;

  Borrowed<InputBlock> next;  // in kept_ only
  std::uint32_t size = 0;
  std::uint32_t used = 0;             // in kept_ only: what has been fed already
  std::array<char, kCapacity> bytes;  // `size` of them mean something

  std::span<const char> rest() const { return {bytes.data() + used, size - used}; }

  // Takes as much as fits, and says how much.
  std::size_t fill(std::span<const char> in) {
    const std::size_t n = std::min(in.size(), kCapacity - size);
    std::copy_n(in.begin(), n, bytes.begin() + size);
    size += static_cast<std::uint32_t>(n);
    return n;
  }
};

namespace {

constexpr std::string_view kClose = "Connection: close\r\n";
constexpr std::string_view kKeepAlive = "Connection: keep-alive\r\n";
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// A slot has one writer, so a plain load, add and store loses nothing and needs no bus lock.
void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

// What a client may still send after its request has been refused, and how long it may take: enough
// for whoever looks for an answer only after sending all of a large body.
constexpr std::uint64_t kMaxDropped = 16 * kMiB;
constexpr Clock::duration kDropTime = std::chrono::seconds(2);

Call call_of(const Route& route, const RequestHead& request, const Site& site,
             Clock::time_point now) {
  std::string_view rest = request.path;
  rest.remove_prefix(route.prefix);
  return {request, rest, site, now};
}

// An endpoint that throws has met a failure of the machine: the client gets 500, the server lives.
template <class Result>
Result call_endpoint(Result (*endpoint)(const Call&), const Call& call) {
  try {
    return endpoint(call);
  } catch (const std::exception&) {
    return status_answer(500);
  }
}

std::string_view connection_field(const RequestHead& request) {
  if (!request.keep_alive) return kClose;
  return request.http11 ? std::string_view() : kKeepAlive;  // HTTP/1.1 stays open unless it is said
}

}  // namespace

Connection::Connection(const Site& site, CounterSlot& slot, Clock::time_point now)
    : site_(&site), slot_(&slot), deadline_(now + site.options().idle_timeout) {
  add(slot_->connections, 1);
}

Connection::~Connection() { add(slot_->closed, 1); }

Want Connection::want() const {
  if (output_ != nullptr) return Want::output;
  return next_;
}

std::span<const iovec> Connection::output() const {
  return output_ != nullptr ? output_->pieces() : std::span<const iovec>();
}

bool Connection::has_room() const { return output_ == nullptr || output_->has_room(); }

Want Connection::advance(std::span<const char> in, Clock::time_point now) {
  if (closing() || input_ended_) return want();
  const auto take_all = [&] {
    // What was kept comes first, and waits for room.
    const std::size_t used = kept_ != nullptr ? 0 : feed(in, now);
    if (used < in.size() && !closing()) keep(in.subspan(used));
  };
  return settle_after(take_all, now);
}

Want Connection::end_of_input(Clock::time_point now) {
  input_ended_ = true;
  return settle_after([] {}, now);
}

Want Connection::timed_out(Clock::time_point now) {
  if (now < deadline_ || want() == Want::close || want() == Want::job) return want();
  const auto say_so = [&] {
    if (output_ == nullptr && in_request()) {
      refuse(408, head_->rest(), now);
      deadline_ = now + site_->options().idle_timeout;  // to take the answer
    } else {
      output_.reset();  // the client is idle, or does not take what it asked for
      next_ = Want::close;
    }
  };
  return settle_after(say_so, now);
}

Want Connection::done(Clock::time_point now) {
  const auto answer_it = [&] {
    const std::shared_ptr<const Job> job = std::move(job_);
    next_ = job->closes ? Want::close : Want::input;
    deadline_ = now + site_->options().idle_timeout;
    append_answer(job, writable_output(), now);
    feed_kept(now);
  };
  return settle_after(answer_it, now);
}

Want Connection::has_shut_down(Clock::time_point now) {
  next_ = Want::input;
  reading_ = Reading::rest;
  body_.begin_sized(kMaxDropped);
  deadline_ = now + std::min(kDropTime, site_->options().idle_timeout);
  return settle(now);
}

Want Connection::sent(std::size_t bytes, Clock::time_point now) {
  if (output_ == nullptr || bytes == 0) return want();
  const Output::Taken taken = output_->taken(bytes);
  add(slot_->bytes, bytes);
  if (taken.answers > 0) {
    add(slot_->requests, taken.answers);
    if (taken.errors > 0) add(slot_->errors, taken.errors);
    if (!served_) add(slot_->served, 1);
    served_ = true;
  }
  deadline_ = now + site_->options().idle_timeout;
  if (!output_->empty()) return Want::output;
  output_.reset();
  return settle_after([&] { feed_kept(now); }, now);
}

template <class Work>
Want Connection::settle_after(Work work, Clock::time_point now) {
  try {
    work();
    return settle(now);
  } catch (const std::bad_alloc&) {
    // What is in hand may be half an answer, so nothing more is said.
    head_.reset();
    kept_.reset();
    output_.reset();
    job_.reset();
    next_ = Want::close;
    return next_;
  }
}

// What every call ends with: the end of the input once all that came before it has been used, and
// nothing kept that will never be looked at.
Want Connection::settle(Clock::time_point now) {
  if (input_ended_ && next_ == Want::input && kept_ == nullptr) {
    if (!in_request()) {
      next_ = Want::close;
    } else if (output_ == nullptr) {
      // The client cannot send the rest, but it may still be listening.
      refuse(400, head_->rest(), now);
    }
  }
  if (closing()) {
    if (input_ended_) next_ = Want::close;  // nothing more can come and reset the connection
    head_.reset();
    kept_.reset();
    job_.reset();
  }
  return want();
}

// Answers whole requests until the input or the room for output ends; says how much it has used.
std::size_t Connection::feed(std::span<const char> in, Clock::time_point now) {
  std::size_t used = 0;
  while (used < in.size() && has_room() && next_ == Want::input) {
    const std::span<const char> rest = in.subspan(used);
    used += reading_ == Reading::head ? take_head(rest, now) : take_body(rest, now);
  }
  return used;
}

void Connection::feed_kept(Clock::time_point now) {
  while (kept_ != nullptr && has_room() && next_ == Want::input) {
    kept_->used += static_cast<std::uint32_t>(feed(kept_->rest(), now));
    if (kept_->used == kept_->size) kept_ = std::move(kept_->next);
  }
}

void Connection::keep(std::span<const char> in) {
  Borrowed<InputBlock>* link = &kept_;
  while (*link != nullptr) {
    if ((*link)->next == nullptr) in = in.subspan((*link)->fill(in));
    link = &(*link)->next;
  }
  while (!in.empty()) {
    *link = borrow<InputBlock>();
    in = in.subspan((*link)->fill(in));
    link = &(*link)->next;
  }
}

// Looks for the end of a head, and answers its request. A head that is whole within `in` is parsed
// where it lies; only one that is cut gets a block.
std::size_t Connection::take_head(std::span<const char> in, Clock::time_point now) {
  std::span<const char> seen = in;
  std::size_t before = 0;  // bytes of `seen` that came with earlier calls
  if (head_ != nullptr) {
    before = head_->size;
    head_->fill(in);
    seen = head_->rest();
  }
  const HeadScanner::Result result = scanner_.scan(seen, site_->options());
  if (result == HeadScanner::Result::incomplete) {
    // The scanner refuses a head before it outgrows a block, so all of it has fitted.
    if (head_ == nullptr) {
      head_ = borrow<InputBlock>();
      head_->fill(in);
    }
    return in.size();
  }
  const std::span<const char> head = seen.first(scanner_.size());
  scanner_ = HeadScanner();
  switch (result) {
    case HeadScanner::Result::complete:
      received_head(head, now);
      break;
    case HeadScanner::Result::malformed:
      refuse(400, seen, now);
      break;
    case HeadScanner::Result::target_too_long:
      refuse(414, seen, now);
      break;
    case HeadScanner::Result::too_large:
      refuse(431, seen, now);
      break;
    default:
      break;  // an empty line before the head
  }
  if (closing()) return in.size();  // and `seen` is no more looked at
  if (reading_ == Reading::head) {
    head_.reset();
  } else if (head_ == nullptr) {
    head_ = borrow<InputBlock>();
    head_->fill(head);
  } else {
    head_->size = static_cast<std::uint32_t>(head.size());  // what follows is the body
  }
  return head.size() - before;
}

// Answers the request whose head is in head_ when its body has been read; what follows a request
// that has been refused, when all that is tolerated has come, is the end.
std::size_t Connection::take_body(std::span<const char> in, Clock::time_point now) {
  const std::size_t used = body_.take(in, site_->options());
  if (reading_ == Reading::rest) {
    if (body_.done()) next_ = Want::close;
  } else if (body_.error() != 0) {
    refuse(body_.error(), head_->rest(), now);
  } else if (body_.done()) {
    reading_ = Reading::head;
    // Parsed a second time: cheaper than keeping what the few requests with a body ask for.
    answer(parse_head(head_->rest(), site_->options()), now);
    head_.reset();
  }
  return used;
}

void Connection::received_head(std::span<const char> head, Clock::time_point now) {
  const RequestHead request = parse_head(head, site_->options());
  if (request.status != 0) return refuse(request.status, head, now);
  if (!request.allowed) return refuse(405, head, now);
  if (!request.has_body()) return answer(request, now);
  if (request.content_length > site_->options().max_body_bytes) return refuse(413, head, now);
  reading_ = Reading::body;
  if (request.chunked) {
    body_.begin_chunked();
  } else {
    body_.begin_sized(request.content_length);
  }
  if (request.expects_continue) writable_output().append_interim(kContinue);
}

void Connection::answer(const RequestHead& request, Clock::time_point now) {
  deadline_ = now + site_->options().idle_timeout;
  const Route route = find_route(request.path);
  if (route.waiting != nullptr) return start_job(route, request, now);
  if (route.endpoint == nullptr) return say(status_answer(404), request, now);
  say(call_endpoint(route.endpoint, call_of(route, request, *site_, now)), request, now);
}

void Connection::say(const Answer& answer, const RequestHead& request, Clock::time_point now) {
  if (!request.keep_alive) next_ = Want::close;
  writable_output().append(answer, request.head_only, connection_field(request), now);
}

// Not inlined: an answer that waits for nothing shall not carry the frame of this.
[[gnu::noinline]] void Connection::start_job(const Route& route, const RequestHead& request,
                                             Clock::time_point now) {
  JobOrAnswer result = call_endpoint(route.waiting, call_of(route, request, *site_, now));
  if (const auto* answer = std::get_if<Answer>(&result)) return say(*answer, request, now);
  job_ = std::move(std::get<std::unique_ptr<Job>>(result));
  job_->connection_field = connection_field(request);
  job_->head_only = request.head_only;
  job_->closes = !request.keep_alive;
  next_ = Want::job;
}

// Answers with an error after which the connection cannot go on. `head` is what came of the
// request: even an error has no body when it answers HEAD.
void Connection::refuse(int status, std::span<const char> head, Clock::time_point now) {
  const bool head_only = std::string_view(head.data(), head.size()).starts_with("HEAD ");
  writable_output().append(status_answer(status), head_only, kClose, now);
  next_ = Want::shut_down;
}

Output& Connection::writable_output() {
  if (output_ == nullptr) output_ = borrow<Output>();
  return *output_;
}

}  // namespace baselines

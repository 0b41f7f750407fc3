// What a request has to wait for: described here, carried out by whoever drives the connection.
//
// The handler never waits, so an endpoint that must - for a disk, for another server - hands its
// caller a Job. How the waiting is done is what the architectures differ in: a call that blocks, a
// helper, a state machine.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "baselines/common/clock.h"
#include "baselines/common/disk_file.h"
#include "baselines/common/origin.h"
#include "baselines/common/upstream_answer.h"

namespace baselines {

class Output;

// Make the reads, all of them; `block` has room for one and is aligned for O_DIRECT.
struct DiskJob {
  DiskReads reads;
  std::uint32_t count;  // of the reads, for the answer
  DiskBuffer block;
};

// Send `request` to the origin and feed `answer` until it is complete. On a connection that has
// carried another request before, both may be begun once more on a new one while answer.begun() is
// false: the origin may have closed it in the same moment.
struct FetchJob {
  const Origin* origin;
  std::string request;
  UpstreamAnswer answer;
};

struct Job {
  explicit Job(std::variant<DiskJob, FetchJob> what) : work(std::move(what)) {}

  std::variant<DiskJob, FetchJob> work;

  // 0, or why the work could not be done: the status of the answer (500, 501, 502, 504).
  int failure = 0;

  // How the answer is given; the connection's own business.
  std::string_view connection_field;
  bool head_only = false;
  bool closes = false;
};

// Appends the answer of a job that has been carried out. `output` is empty, and keeps what it needs
// of the job until that has been sent.
void append_answer(std::shared_ptr<const Job> job, Output& output, Clock::time_point now);

}  // namespace baselines

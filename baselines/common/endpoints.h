// The endpoints of the site. Each is one function in one file; routes.cc says which path leads
// where. To add one: write the function, declare it here, add its line to the table.
#pragma once

#include <charconv>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "baselines/common/answer.h"
#include "baselines/common/clock.h"
#include "baselines/common/job.h"
#include "baselines/common/request.h"
#include "baselines/common/site.h"

namespace baselines {

// What an endpoint gets to see. It runs on the connection's kernel vehicle and must not keep `head`
// or anything of the thread's beyond its return.
struct Call {
  const RequestHead& head;
  std::string_view rest;  // the path behind the route's prefix, not decoded
  const Site& site;
  Clock::time_point now;
};

// One that answers at once, and one that may have to wait for something first.
using Endpoint = Answer (*)(const Call& call);
using JobOrAnswer = std::variant<std::unique_ptr<Job>, Answer>;
using WaitingEndpoint = JobOrAnswer (*)(const Call& call);

Answer plaintext(const Call& call);   // /plaintext: 13 bytes
Answer bytes(const Call& call);       // /bytes/N: the first N bytes of the site's pattern
Answer file(const Call& call);        // /file/PATH: a file under the docroot
Answer cpu(const Call& call);         // /cpu/US: that many microseconds of computing
Answer alloc(const Call& call);       // /alloc/N: N blocks of memory taken and given back
JobOrAnswer disk(const Call& call);   // /disk/N: N random reads that reach the disk
JobOrAnswer proxy(const Call& call);  // /proxy/PATH: what the origin answers to /PATH

// The endpoint for `path`, and how much of the path has led there; both null when there is none.
struct Route {
  Endpoint endpoint;
  WaitingEndpoint waiting;
  std::size_t prefix;
};
Route find_route(std::string_view path);

// For endpoints: whether `text` is a number up to `most` and nothing else; puts it into `number`.
inline bool is_number(std::string_view text, std::uint64_t most, std::uint64_t& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, number);
  return problem == std::errc() && stop == end && number <= most;
}

}  // namespace baselines

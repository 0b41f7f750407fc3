// The endpoints of the site. Each is one function in one file; routes.cc says which path leads
// where. To add one: write the function, declare it here, add its line to the table.
#pragma once

#include <string_view>

#include "baselines/common/answer.h"
#include "baselines/common/clock.h"
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

using Endpoint = Answer (*)(const Call& call);

Answer plaintext(const Call& call);  // /plaintext: 13 bytes
Answer bytes(const Call& call);      // /bytes/N: the first N bytes of the site's pattern
Answer file(const Call& call);       // /file/PATH: a file under the docroot

// The endpoint for `path`, and what follows its prefix; `endpoint` is null when there is none.
struct Route {
  Endpoint endpoint;
  std::string_view rest;
};
Route find_route(std::string_view path);

}  // namespace baselines

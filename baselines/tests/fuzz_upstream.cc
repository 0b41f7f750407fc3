// For anything that an origin says: no crash, a bounded answer, and however it is cut, the same
// one.
//
// Target fuzz_upstream, by libFuzzer. The first byte says whether the answer is one to HEAD.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "baselines/common/upstream_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using baselines::UpstreamAnswer;
using Progress = UpstreamAnswer::Progress;

// What becomes of it: the parts that are passed on, or why there are none.
std::string outcome(std::string_view said, bool head_only, std::size_t cut) {
  UpstreamAnswer answer(head_only);
  Progress progress = Progress::incomplete;
  bool surplus = false;
  for (std::size_t at = 0; at < said.size() && !surplus; at += cut) {
    // What comes behind the end is seen now or with the next request; the same for all cuts here.
    if (progress == Progress::complete) {
      surplus = true;
    } else {
      progress = answer.take(said.substr(at, cut));
    }
    if (progress == Progress::malformed) return "malformed";
  }
  if (progress == Progress::incomplete) {
    if (answer.end_of_input() == Progress::malformed) return "malformed";
  }
  return std::string(answer.head()) + '|' + std::string(answer.body()) + '|' +
         (answer.reusable() && !surplus ? "again" : "once");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool head_only = (data[0] & 1) != 0;
  const std::string_view said(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string whole = outcome(said, head_only, said.size() + 1);
  for (const std::size_t cut : {1, 2, 7, 100}) {
    if (outcome(said, head_only, cut) == whole) continue;
    std::fprintf(stderr, "fuzz_upstream: cut %zu changes the answer\n", cut);
    std::abort();
  }
  return 0;
}

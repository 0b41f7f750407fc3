#include "baselines/common/endpoints.h"
#include "baselines/common/split_mix.h"

namespace baselines {
namespace {

// Steps that take a microsecond where a step - nine dependent instructions, two of them
// multiplications of three cycles - takes 13 cycles of 3 GHz. Counted work and not a look at a
// clock: all servers do exactly the same, on a machine that is busy, too; and not measured at the
// start, because two servers of one comparison must not differ by what they measured.
// bench_handler shows what /cpu/100 takes on the machine at hand.
constexpr std::uint64_t kStepsPerMicrosecond = 231;

}  // namespace

Answer cpu(const Call& call) {
  std::uint64_t microseconds = 0;
  if (!is_number(call.rest, call.site.options().max_cpu_microseconds, microseconds)) {
    return status_answer(404);
  }
  std::uint64_t state = microseconds;
  for (std::uint64_t left = microseconds * kStepsPerMicrosecond; left > 0; --left) {
    state = split_mix(state);  // needs the step before, so it cannot be done in parallel
  }
  return text_answer(std::to_string(state) + "\n");
}

}  // namespace baselines

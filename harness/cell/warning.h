// Doubts about a cell that do not invalidate it, as values: recorded with it, not just printed.
#pragma once

#include <string>
#include <string_view>

namespace archbench {

enum class Warning {
  generator_shares_cpus,
  not_all_connected,
  latency_excludes_connect,
  latency_unknown,
  p99_withheld,
  p999_withheld,
  user_share_withheld,
  switches_withheld,
  server_idle,
  server_did_not_stop,
};

// Its name in the record, such as "p99_withheld".
std::string_view warning_code(Warning warning);

// What it means and what to do about it, a sentence or two.
std::string_view warning_text(Warning warning);

}  // namespace archbench

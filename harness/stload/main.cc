// stload: a load generator, one state thread for each simulated client. See README.md.
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/stload/crew.h"
#include "harness/stload/error.h"
#include "harness/stload/limits.h"
#include "harness/stload/report.h"

namespace {

using namespace stload;

// Opened before the load: a report that cannot be written must not be found out after it.
std::ofstream open_report(const std::string& file) {
  std::ofstream out;
  if (file.empty()) return out;
  out.open(file);
  if (!out) throw Fatal(with_errno("--json " + file, errno));
  return out;
}

int run(int argc, char** argv) {
  const Options options = parse_options(argc, argv);
  check_limits(options);
  std::ofstream file = open_report(options.json_file);
  const auto outcome = run_crew(options);
  std::fputs(summary(options, *outcome).c_str(), stdout);
  if (file.is_open()) {
    file << report_json(options, *outcome).dump() << '\n';
    file.close();
    if (!file) throw Fatal("--json " + options.json_file + " could not be written");
  }
  const Tally& tally = outcome->tally;
  const auto wrong = tally.run.errors[static_cast<std::size_t>(Failure::wrong_body)];
  // Far beyond capacity every answer inside the window is to a request that was due before it.
  return tally.window.answers + tally.completed > 0 && wrong == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Answered& answer) {
    if (answer.exit_code == 0) {
      std::fputs(answer.text.c_str(), stdout);
    } else {
      std::fprintf(stderr, "stload: %s\n", answer.text.c_str());
    }
    return answer.exit_code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stload: %s\n", error.what());
    return 1;
  }
}

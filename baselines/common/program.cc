#include "baselines/common/program.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <exception>

#include "baselines/common/limits.h"
#include "baselines/common/listener.h"
#include "baselines/common/log.h"
#include "baselines/common/usage.h"

namespace baselines {
namespace {

void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;  // always allowed; the soft limit exists for users of select()
  setrlimit(RLIMIT_NOFILE, &limit);
}

// `--cpus N` is the same for an architecture that starts N processes and for one that leaves the
// CPUs to the kernel: the first N of the CPUs that we may use. A harness that has pinned us to N
// CPUs already is not contradicted.
void confine_to_cpus(int wanted) {
  if (wanted == 0) return;
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return;  // more than 1024 CPUs
  if (CPU_COUNT(&allowed) < wanted) {
    log_line("--cpus %d: only %d may be used here; going on with those", wanted,
             CPU_COUNT(&allowed));
    return;
  }
  cpu_set_t chosen;
  CPU_ZERO(&chosen);
  for (std::size_t cpu = 0; CPU_COUNT(&chosen) < wanted; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) CPU_SET(cpu, &chosen);
  }
  sched_setaffinity(0, sizeof(chosen), &chosen);
}

void print_totals(const CountersFile& counters) {
  const CounterTotals totals = counters.totals();
  const CpuTime cpu = cpu_time_used();
  std::printf("{\"event\":\"exit\",\"connections\":%" PRIu64 ",\"requests\":%" PRIu64
              ",\"bytes\":%" PRIu64 ",\"user_s\":%.6f,\"system_s\":%.6f}\n",
              totals.connections, totals.requests, totals.bytes, cpu.user_s, cpu.system_s);
  std::fflush(stdout);
}

int answer(const Answered& answered) {
  if (answered.exit_code == 0) {
    std::fputs(answered.text.c_str(), stdout);
  } else {
    log_line("%s", answered.text.c_str());
  }
  return answered.exit_code;
}

}  // namespace

void Server::announce(const Fd& listener) const {
  std::printf("{\"event\":\"ready\",\"url\":\"%s\",\"pid\":%d}\n", url_of(listener).c_str(),
              static_cast<int>(getpid()));
  std::fflush(stdout);
}

int run_program(int argc, char** argv, const Program& program) {
  try {
    const Options options = parse_options(argc, argv, program);
    raise_descriptor_limit();
    announce_shortage_of_memory();
    confine_to_cpus(options.cpus);
    SiteOptions site_options;
    site_options.docroot = options.docroot;
    site_options.disk_file = options.disk_file;
    site_options.origin_host = options.origin_host;
    site_options.origin_port = options.origin_port;
    site_options.idle_timeout = options.idle_timeout;
    const Site site(site_options);
    CountersFile counters(options.counters);
    Signals signals;
    Server server{options, site, counters, signals};
    options.model->serve(server);
    print_totals(counters);
    return 0;
  } catch (const Answered& answered) {
    return answer(answered);
  } catch (const std::exception& error) {
    log_line("%s", error.what());
    return 1;
  }
}

}  // namespace baselines

#include <ctime>
#include <map>

#include "harness/generators/generators.h"
#include "harness/machine/environment.h"
#include "harness/servers/files.h"
#include "harness/site/site.h"

namespace archbench {
namespace {

namespace fs = std::filesystem;

double own_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

class SiteHere : public Site {
 public:
  SiteHere(const Plan& plan, const Places& places)
      : plan_(plan),
        places_(places),
        cpus_(allowed_cpus()),  // before pin_self() narrows them
        server_(places.servers),
        origin_(places.servers / ceiling_server().program) {}

  int cpus() override { return static_cast<int>(cpus_.size()); }

  void describe(nlohmann::ordered_json& campaign) override {
    campaign["environment"] = read_environment();
  }

  std::vector<Finding> examine(const Demand& demand) override {
    return archbench::examine(places_, demand);
  }

  Rig rig(const fs::path& campaign) override {
    for (const std::string& name : generators_of(plan_)) {
      generators_[name] = make_generator(name, places_);
    }
    const fs::path files = plan_.files.empty() ? fs::path() : fs::absolute(campaign / "files");
    if (!files.empty()) make_files(plan_.files, files, places_.servers / "make_disk_file");
    return {.server = server_,
            .generator = [this](const std::string& name) -> Generator& {
              return *generators_.at(name);
            },
            .clock = clock_,
            .probe = fetch,
            .machine = read_machine_times,
            .kernel = read_kernel_counts,
            .established = established_at,
            .syscalls = count_syscalls,
            .own_cpu_s = [this] { return own_cpu_seconds() + origin_.cpu_s(); },
            .place = [this](const Cell& cell) { return archbench::place(cpus_, cell.cpus); },
            .raw_directory = fs::absolute(campaign / "raw"),
            .files = files};
  }

  // archbench, too, stays off the server's CPUs.
  std::string settle(const Cell& cell) override {
    const Placement placement = archbench::place(cpus_, cell.cpus);
    pin_self(placement.generator);
    return cell.workload.origin ? origin_.url_on(placement.generator) : "";
  }

 private:
  const Plan& plan_;
  const Places& places_;
  std::vector<int> cpus_;
  LocalServer server_;
  Origin origin_;
  std::map<std::string, std::unique_ptr<Generator>> generators_;
  MonotonicClock clock_;
};

}  // namespace

std::unique_ptr<Site> site_here(const Plan& plan, const Places& places) {
  return std::make_unique<SiteHere>(plan, places);
}

std::unique_ptr<Site> make_site(const Plan& plan, const Places& places) {
  return plan.hosts ? site_ssh(plan, places) : site_here(plan, places);
}

}  // namespace archbench

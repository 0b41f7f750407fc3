#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>

#include "harness/error.h"
#include "harness/generators/generators.h"
#include "harness/site/link.h"
#include "harness/site/remote.h"
#include "harness/site/site.h"
#include "harness/site/wire.h"

namespace archbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

// The IPv4 address of a host's name, for those who know their server by number.
std::string address_of(const Host& host) {
  const std::string name = host.destination.substr(host.destination.find('@') + 1);
  addrinfo wanted{}, *found = nullptr;
  wanted.ai_family = AF_INET;
  if (getaddrinfo(name.c_str(), nullptr, &wanted, &found) != 0) {
    throw Error("no IPv4 address is known for the server's host " + name +
                "; give it as \"server_address\" in the plan's hosts");
  }
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(found->ai_addr)->sin_addr, text, sizeof text);
  freeaddrinfo(found);
  return text;
}

class RemoteSyscalls : public SyscallCount {
 public:
  explicit RemoteSyscalls(Link& link) : link_(link) {}
  std::uint64_t read() override { return link_.call("syscalls.read"); }

 private:
  Link& link_;
};

class SiteSsh : public Site {
 public:
  SiteSsh(const Plan& plan, const Places& places) : plan_(plan), hosts_(find_hosts(*plan.hosts)) {
    for (const Workload& workload : plan.workloads) {
      if (workload.origin) {
        throw Error("the workload " + workload.name +
                    " needs an origin, which is run beside the generator on one machine alone");
      }
    }
    server_link_ = std::make_unique<Link>(hosts_.server, hosts_.directory, server_programs(places));
    for (const Host& host : hosts_.generators) {
      generator_links_.push_back(
          std::make_unique<Link>(host, hosts_.directory, generator_programs(places)));
    }
    try {
      cpus_ = server_link_->connect().at("cpus").get<std::vector<int>>();
      for (auto& link : generator_links_) link->connect();
    } catch (const CellFailed& failure) {
      throw Error(failure.what());
    }
    const std::string& given = hosts_.server_address;
    server_ = std::make_unique<RemoteServer>(*server_link_,
                                             given.empty() ? address_of(hosts_.server) : given);
    generator_ = std::make_unique<RemoteGenerators>(generator_links_, clock_);
  }

  int cpus() override { return static_cast<int>(cpus_.size()); }

  void describe(ordered_json& campaign) override {
    campaign["environment"] = server_link_->connect().at("environment");
    campaign["hosts"] = {{"server", hosts_.server.name}, {"generators", ordered_json::array()}};
    for (auto& link : generator_links_) {
      campaign["hosts"]["generators"].push_back(
          {{"host", link->name()}, {"environment", link->connect().at("environment")}});
    }
  }

  std::vector<Finding> examine(const Demand& demand) override {
    std::vector<Finding> all;
    for (Link* link : links()) {
      const json asked{{"clients", demand.most_clients},
                       {"cpus", link == server_link_.get() ? demand.most_cpus : 1},
                       {"generators", json::array()}};
      for (Finding finding : link->call("examine", asked).get<std::vector<Finding>>()) {
        finding.name = link->name() + ": " + finding.name;
        all.push_back(std::move(finding));
      }
    }
    return all;
  }

  Rig rig(const fs::path& campaign) override {
    return {.server = *server_,
            .generator = [this](const std::string&) -> Generator& { return *generator_; },
            .clock = clock_,
            .probe = [this](const auto& url, const auto& path,
                            bool keepalive) { return probe(url, path, keepalive); },
            .machine = [this] { return server_link_->call("machine").get<MachineTimes>(); },
            .kernel = [this] { return server_link_->call("kernel").get<KernelCounts>(); },
            .established =
                [this](const std::string& url) {
                  return server_link_->call("established", {{"url", url}})
                      .get<std::optional<std::uint64_t>>();
                },
            .syscalls = [this](const auto& threads,
                               std::string& why) { return count_calls(threads, why); },
            .own_cpu_s = [this] { return server_link_->call("own_cpu").get<double>(); },
            .place =
                [this](const Cell& cell) {
                  Placement placement = archbench::place(cpus_, cell.cpus);
                  placement.generator.clear();
                  placement.shared = false;
                  placement.elsewhere = true;
                  return placement;
                },
            .raw_directory = fs::absolute(campaign / "raw"),
            .files = {}};
  }

  // A host that was lost is asked for again; its files went with its agent.
  std::string settle(const Cell&) override {
    const bool lost = !server_link_->up();
    server_link_->connect();
    if (plan_.files.empty() || (files_made_ && !lost)) return "";
    server_link_->call("files", {{"files", plan_.files}}, kFilesPatience);
    files_made_ = true;
    return "";
  }

 private:
  static constexpr double kFilesPatience = 600;  // 16 GiB at the speed of a slow disk

  using Programs = std::map<std::string, fs::path>;

  Programs server_programs(const Places& places) const {
    Programs programs;
    for (const ServerSpec& server : plan_.servers) {
      if (!server.custom()) programs[server.program] = places.servers / server.program;
    }
    if (plan_.ceiling)
      programs[ceiling_server().program] = places.servers / ceiling_server().program;
    const bool disk = std::any_of(plan_.files.begin(), plan_.files.end(),
                                  [](const ServedFile& file) { return file.disk; });
    if (disk) programs["make_disk_file"] = places.servers / "make_disk_file";
    return programs;
  }

  Programs generator_programs(const Places& places) const {
    Programs programs{{"report.lua", places.script}};
    for (const std::string& name : generators_of(plan_)) {
      if (const auto program = generator_program(name, places)) programs[name] = *program;
    }
    return programs;
  }

  std::vector<Link*> links() {
    std::vector<Link*> all{server_link_.get()};
    for (auto& link : generator_links_) all.push_back(link.get());
    return all;
  }

  // As a client sees it: from the first generator's host.
  Body probe(const std::string& url, const std::string& path, bool keepalive) {
    Link& link = *generator_links_.front();
    link.connect();
    const json seen = link.call("probe", {{"url", url}, {"path", path}, {"keepalive", keepalive}});
    const auto content = seen.at("content").get<std::vector<std::uint8_t>>();
    return {seen.at("status"), seen.at("head_bytes"), {content.begin(), content.end()}};
  }

  std::unique_ptr<SyscallCount> count_calls(const std::vector<pid_t>& threads, std::string& why) {
    why = server_link_->call("syscalls.begin", {{"threads", threads}});
    if (!why.empty()) return nullptr;
    return std::make_unique<RemoteSyscalls>(*server_link_);
  }

  const Plan& plan_;
  Hosts hosts_;
  MonotonicClock clock_;
  std::unique_ptr<Link> server_link_;
  std::vector<std::unique_ptr<Link>> generator_links_;
  std::vector<int> cpus_;
  std::unique_ptr<RemoteServer> server_;
  std::unique_ptr<RemoteGenerators> generator_;
  bool files_made_ = false;
};

}  // namespace

std::unique_ptr<Site> site_ssh(const Plan& plan, const Places& places) {
  return std::make_unique<SiteSsh>(plan, places);
}

}  // namespace archbench

#include "harness/site/agent.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>

#include "harness/error.h"
#include "harness/generators/generators.h"
#include "harness/machine/environment.h"
#include "harness/os/system.h"
#include "harness/servers/files.h"
#include "harness/servers/probe.h"
#include "harness/servers/server.h"
#include "harness/servers/syscalls.h"
#include "harness/site/wire.h"

namespace archbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Agent {
 public:
  explicit Agent(const fs::path& base) {
    std::string name = (base / "run-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw Error(errno_text("making " + name));
    folder_ = name;
    fs::create_directory(folder_ / "raw");
    fs::create_directory(folder_ / "bin");
    places_.self = places_.servers = folder_ / "bin";
    places_.script = places_.self / "report.lua";
    setenv("PATH", (places_.self.string() + ":" + std::getenv("PATH")).c_str(), 1);
    raise_descriptor_limit();
    server_ = std::make_unique<LocalServer>(places_.servers);
  }
  ~Agent() {
    generator_ = nullptr;
    generators_.clear();
    server_.reset();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  json obey(const json& asked) {
    const std::string what = asked.at("do");
    for (const auto& [name, answer] : kAnswers) {
      if (what == name) return (this->*answer)(asked);
    }
    throw Error("\"" + what + "\" is nothing an agent does");
  }

 private:
  using Answer = json (Agent::*)(const json&);
  static const std::map<std::string, Answer> kAnswers;

  // The machine.
  json begin(const json& asked) {
    for (const auto& [name, path] : asked.at("programs").items()) {
      fs::create_symlink(path.get<std::string>(), places_.self / name);
    }
    return {{"cpus", allowed_cpus()}, {"environment", json(read_environment())}};
  }
  json examine_machine(const json& asked) {
    return examine(places_, {.most_clients = asked.at("clients"),
                             .most_cpus = asked.at("cpus"),
                             .servers = {},
                             .generators = asked.at("generators")});
  }
  json make_plan_files(const json& asked) {
    files_ = folder_ / "files";
    make_files(asked.at("files"), files_, places_.servers / "make_disk_file");
    return {};
  }
  json time(const json&) { return clock_.now(); }
  json machine(const json&) { return read_machine_times(); }
  json kernel(const json&) { return read_kernel_counts(); }
  json own_cpu(const json&) { return process_cpu_seconds(getpid()); }
  json established(const json& asked) { return established_at(asked.at("url").get<std::string>()); }
  json probe(const json& asked) {
    const Body body = fetch(asked.at("url"), asked.at("path"), asked.at("keepalive"));
    // Bytes as numbers: a body need not be text.
    return {{"status", body.status},
            {"head_bytes", body.head_bytes},
            {"content", std::vector<std::uint8_t>(body.content.begin(), body.content.end())}};
  }

  // The server.
  json server_start(const json& asked) {
    const std::string url = server_->start(asked.at("cell"), {.cpus = asked.at("on"),
                                                              .raw_directory = folder_ / "raw",
                                                              .file_stem = asked.at("file_stem"),
                                                              .files = files_,
                                                              .origin = {},
                                                              .listen = asked.at("listen")});
    return {{"url", url},
            {"command", server_->command()},
            {"counts", server_->counters().has_value()},
            {"sha256", server_->program_sha256()}};
  }
  json server_counters(const json&) { return server_->counters(); }
  json server_cpu(const json&) { return server_->cpu_s(); }
  json server_census(const json&) { return server_->census(); }
  json server_running(const json&) { return server_->running(); }
  json server_stop(const json&) { return server_->stop(); }
  json server_collect(const json&) { return contents(server_->collect_raw_files()); }
  json server_abandon(const json&) {
    syscalls_.reset();
    server_->abandon();
    return {};
  }
  json syscalls_begin(const json& asked) {
    std::string why;
    syscalls_ = count_syscalls(asked.at("threads").get<std::vector<pid_t>>(), why);
    return why;
  }
  json syscalls_read(const json&) { return syscalls_->read(); }

  // The load. It starts at a time of this machine's clock.
  json load_start(const json& asked) {
    Load load = asked.at("load");
    load.raw_directory = folder_ / "raw";
    load.cpus = allowed_cpus();
    const std::string& name = load.workload.generator;
    if (!generators_.contains(name)) generators_[name] = make_generator(name, places_);
    generator_ = generators_.at(name).get();
    clock_.sleep_until(asked.at("at"));
    const double started = clock_.now();
    generator_->start(load);
    return {{"started", started},
            {"threads", generator_->threads()},
            {"command", generator_->command()}};
  }
  json load_running(const json&) { return generator_->running(); }
  json load_cpu(const json&) { return generator_->cpu_s(); }
  json load_workers(const json&) { return generator_->worker_cpu_s(); }
  json load_finish(const json&) { return generator_->finish(); }
  json load_collect(const json&) { return contents(generator_->collect_raw_files()); }
  json load_abandon(const json&) {
    if (generator_ != nullptr) generator_->abandon();
    return {};
  }

  // Their content, and they are not kept here. What is not text has no place in a report.
  json contents(const std::vector<std::string>& names) {
    json all = json::object();
    for (const std::string& name : names) {
      all[name] = read_file(folder_ / "raw" / name).value_or("");
      fs::remove(folder_ / "raw" / name);
    }
    return all;
  }

  fs::path folder_, files_;
  Places places_;
  MonotonicClock clock_;
  std::unique_ptr<LocalServer> server_;
  std::unique_ptr<SyscallCount> syscalls_;
  std::map<std::string, std::unique_ptr<Generator>> generators_;
  Generator* generator_ = nullptr;  // of the load under way
};

const std::map<std::string, Agent::Answer> Agent::kAnswers{
    {"begin", &Agent::begin},
    {"examine", &Agent::examine_machine},
    {"files", &Agent::make_plan_files},
    {"time", &Agent::time},
    {"machine", &Agent::machine},
    {"kernel", &Agent::kernel},
    {"own_cpu", &Agent::own_cpu},
    {"established", &Agent::established},
    {"probe", &Agent::probe},
    {"server.start", &Agent::server_start},
    {"server.counters", &Agent::server_counters},
    {"server.cpu", &Agent::server_cpu},
    {"server.census", &Agent::server_census},
    {"server.running", &Agent::server_running},
    {"server.stop", &Agent::server_stop},
    {"server.collect", &Agent::server_collect},
    {"server.abandon", &Agent::server_abandon},
    {"syscalls.begin", &Agent::syscalls_begin},
    {"syscalls.read", &Agent::syscalls_read},
    {"load.start", &Agent::load_start},
    {"load.running", &Agent::load_running},
    {"load.cpu", &Agent::load_cpu},
    {"load.workers", &Agent::load_workers},
    {"load.finish", &Agent::load_finish},
    {"load.collect", &Agent::load_collect},
    {"load.abandon", &Agent::load_abandon}};

}  // namespace

int serve_as_agent(const fs::path& base) {
  // An answer to an archbench that has gone must not end us before we have cleaned up. A handler
  // and not SIG_IGN, which what we start would inherit.
  std::signal(SIGPIPE, [](int) {});
  Agent agent(base);
  for (std::string line; std::getline(std::cin, line);) {
    json answer;
    try {
      const json asked = json::parse(line);
      answer["id"] = asked.at("id");
      answer["gives"] = agent.obey(asked);
    } catch (const Interrupted&) {
      break;
    } catch (const std::exception& failure) {
      answer["failed"] = failure.what();
    }
    // What a program said may be anything; what is not UTF-8 is replaced.
    std::cout << answer.dump(-1, ' ', false, json::error_handler_t::replace) << std::endl;
  }
  return 0;
}

}  // namespace archbench

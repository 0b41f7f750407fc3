#include "harness/campaign/provenance.h"

#include <set>

#include "harness/generators/generators.h"
#include "harness/os/subprocess.h"
#include "harness/servers/server.h"
#include "harness/version.h"

namespace archbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

void put_text(ordered_json& json, const char* name, const std::string& value) {
  if (!value.empty()) json[name] = value;
}

ordered_json describe_server(const ServerSpec& server, const fs::path& path) {
  ordered_json json{{"architecture", server.architecture},
                    {"program", path.filename().string()},
                    {"path", path.string()}};
  put_text(json, "sha256", sha256_of(path));
  // Somebody else's program might take it for something to do.
  if (server.custom()) return json;
  const auto version = capture({path.string(), "--version"});
  if (version) put_text(json, "version", version->substr(0, version->find('\n')));
  return json;
}

}  // namespace

ordered_json read_provenance(const Places& places, const Plan& plan) {
  ordered_json json{{"archbench_version", kVersion}};
  put_text(json, "archbench_sha256", sha256_of(fs::read_symlink("/proc/self/exe")));
  if (const auto commit = capture({"git", "-C", kSourceDirectory, "rev-parse", "HEAD"})) {
    json["commit"] = commit->substr(0, commit->find('\n'));
    const auto changes =
        capture({"git", "-C", kSourceDirectory, "status", "--porcelain", "--untracked-files=no"});
    if (changes) json["dirty"] = !changes->empty();
  }
  put_text(json, "compiler", kCompiler);
  put_text(json, "build_type", kBuildType);
  put_text(json, "build_flags", kBuildFlags);
  json["generators"] = ordered_json::array();
  for (const std::string& name : generators_of(plan)) {
    const auto program = generator_program(name, places);
    if (!program) continue;
    ordered_json generator{{"name", name}, {"path", program->string()}};
    put_text(generator, "version", generator_version(name, *program));
    put_text(generator, "sha256", sha256_of(*program));
    json["generators"].push_back(generator);
  }
  json["servers"] = ordered_json::array();
  std::vector<ServerSpec> servers = plan.servers;
  if (plan.ceiling) servers.push_back(ceiling_server());
  std::set<fs::path> described;
  for (const ServerSpec& server : servers) {
    const fs::path path = server_program(server, places.servers);
    if (described.insert(path).second) json["servers"].push_back(describe_server(server, path));
  }
  return json;
}

}  // namespace archbench

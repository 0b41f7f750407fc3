#include "harness/plan/plan_parts.h"

#include <algorithm>
#include <cmath>
#include <regex>
#include <set>

namespace archbench {
namespace {

std::vector<std::string> texts(const Field& field, const std::string& name) {
  std::vector<std::string> list;
  const auto found = field.find(name);
  if (!found || found->json().empty()) return list;
  for (const Field& item : found->items()) list.push_back(item.text());
  return list;
}

void read_custom(const Field& field, ServerSpec& server) {
  server.command = texts(field, "command");
  if (server.command.empty()) field.refuse("a custom server needs its \"command\"");
  if (const auto url = field.find("url")) {
    server.url = url->text();
    if (!server.url.starts_with("http://")) url->expected("a URL that begins with http://");
  }
  const auto ready = field.find("ready");
  if (!ready) return;
  server.ready = ready->text();
  try {
    const std::regex pattern(server.ready);
  } catch (const std::regex_error& error) {
    ready->refuse(std::string("not a regular expression: ") + error.what());
  }
  if (server.url.empty()) field.refuse("\"ready\" says when, but not where: \"url\" is missing");
}

void name_program(const Field& field, ServerSpec& server) {
  for (const char* name : {"command", "ready", "url"}) {
    if (const auto misplaced = field.find(name)) misplaced->refuse("is for a custom server");
  }
  if (const auto binary = field.find("binary")) {
    server.program = binary->text();
    if (server.program.find('/') != std::string::npos) {
      binary->expected("a program of the servers' folder, without a path");
    }
  } else if (server.architecture == "peer") {
    // One peer, one program, which has no models to choose from.
    server.program = "httpd_peer_" + server.model;
    server.takes_model = false;
  } else {
    server.program = "httpd_" + server.architecture;
  }
}

std::string read_path(const Field& field) {
  std::string path = field.text();
  const bool printable =
      std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  // The last two would end a string in the script that wrk reads.
  if (path.front() != '/' || !printable || path.find_first_of("\"\\") != std::string::npos) {
    field.expected("a path that begins with / and has no spaces, quotes or backslashes");
  }
  return path;
}

std::vector<WeightedPath> read_mix(const Field& field) {
  std::vector<WeightedPath> mix;
  for (const Field& item : field.items()) {
    item.allow_only({"path", "weight"});
    mix.push_back({read_path(item.at("path")), item.at("weight").positive_number()});
  }
  return mix;
}

}  // namespace

std::vector<ServerSpec> read_server(const Field& field) {
  field.allow_only(
      {"architecture", "model", "label", "options", "binary", "command", "ready", "url", "twin"});
  ServerSpec server;
  const Field architecture = field.at("architecture");
  server.architecture = architecture.text();
  if (const std::set<std::string> known{"mp", "mt", "edsm", "st", "peer", "custom"};
      !known.contains(server.architecture)) {
    architecture.expected("mp, mt, edsm, st, peer or custom");
  }
  const bool custom = server.architecture == "custom";
  const auto model = custom ? field.find("model") : field.at("model");
  server.model = model ? model->text() : "custom";
  const auto label = custom ? field.at("label") : field.find("label");
  server.label = label ? label->text() : server.architecture + "-" + server.model;
  server.options = texts(field, "options");
  if (custom) {
    read_custom(field, server);
  } else {
    name_program(field, server);
  }

  std::vector<ServerSpec> all{server};
  if (const auto twin = field.find("twin"); twin && twin->boolean()) {
    server.twin_of = server.label;
    server.label += "-twin";
    all.push_back(server);
  }
  return all;
}

std::vector<int> read_counts(const Field& field) {
  std::vector<int> counts;
  for (const Field& item : field.items()) {
    const int count = item.positive_integer();
    // Twice the same cell in a block would be two lines with one identity.
    if (std::find(counts.begin(), counts.end(), count) != counts.end()) {
      item.refuse(std::to_string(count) + " is there twice");
    }
    counts.push_back(count);
  }
  return counts;
}

std::string read_generator(const Field& field) {
  const std::string name = field.text();
  if (const std::set<std::string> known{"wrk", "stload", "h2load", "ab"}; !known.contains(name)) {
    field.expected("wrk, stload, h2load or ab");
  }
  return name;
}

std::vector<Workload> read_workload(const Field& field, const std::string& generator) {
  field.allow_only({"name", "path", "mix", "keepalive", "generator", "generator_options",
                    "server_options", "rates", "origin", "servers", "clients", "cpus"});
  Workload workload;
  workload.name = field.at("name").name();
  if (const auto mix = field.find("mix")) {
    if (const auto path = field.find("path")) path->refuse("with a \"mix\" there is no \"path\"");
    workload.mix = read_mix(*mix);
    workload.path = workload.mix.front().path;
  } else {
    workload.path = read_path(field.at("path"));
  }
  if (const auto keepalive = field.find("keepalive")) workload.keepalive = keepalive->boolean();
  const auto own = field.find("generator");
  workload.generator = own ? read_generator(*own) : generator;
  workload.generator_options = texts(field, "generator_options");
  workload.server_options = texts(field, "server_options");
  workload.labels = texts(field, "servers");
  if (const auto clients = field.find("clients")) workload.clients = read_counts(*clients);
  if (const auto cpus = field.find("cpus")) workload.cpus = read_counts(*cpus);
  if (const auto origin = field.find("origin")) workload.origin = origin->boolean();
  if (!workload.mix.empty() && workload.generator != "wrk" && workload.generator != "stload") {
    field.at("mix").refuse(workload.generator + " knows one path only; use wrk or stload");
  }

  const auto rates = field.find("rates");
  if (!rates) return {workload};
  if (workload.generator != "stload") {
    rates->refuse(workload.generator + " cannot offer a rate; use stload");
  }
  std::vector<Workload> all;
  for (const Field& item : rates->items()) {
    workload.rate = item.positive_number();
    all.push_back(workload);
    all.back().name += "-r" + std::to_string(std::lround(workload.rate));
  }
  return all;
}

}  // namespace archbench

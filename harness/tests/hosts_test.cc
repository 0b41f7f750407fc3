// Lists of hosts, and one report made of several.
#include "harness/plan/hosts.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "harness/error.h"
#include "harness/plan/host_list.h"
#include "harness/site/remote.h"
#include "harness/site/ssh.h"
#include "harness/tests/scratch.h"

namespace archbench {
namespace {

using Names = std::vector<std::string>;

HostsWanted wanted(const std::string& text) {
  const auto json = parse_json(text, "plan");
  return read_hosts(Field(json, "plan"));
}

HostsWanted listed_in(const std::filesystem::path& file) {
  return wanted("{\"list\": \"" + file.string() + "\"}");
}

std::string complaint(const std::string& text) {
  try {
    find_hosts(wanted(text));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Nodelist, brackets_are_expanded_as_scontrol_does) {
  EXPECT_EQ(expand_nodelist("n1"), Names{"n1"});
  EXPECT_EQ(expand_nodelist("n[01-03,7],login"), (Names{"n01", "n02", "n03", "n7", "login"}));
  EXPECT_EQ(expand_nodelist("r[1-2]n[8-10]"),
            (Names{"r1n8", "r1n9", "r1n10", "r2n8", "r2n9", "r2n10"}));
  EXPECT_THROW(expand_nodelist("n[1-"), Error);
  EXPECT_THROW(expand_nodelist("n[a-b]"), Error);
}

constexpr const char* kIni = R"(# a comment
[server]
big ansible_host=10.0.0.1 ansible_port=2222

[rack]
small[01:02]
[generators:children]
rack
[rack:vars]
ansible_user = bench
[all:vars]
ansible_user=nobody
ansible_ssh_private_key_file="/keys/id"
)";

constexpr const char* kYaml = R"(---
all:
  vars:
    ansible_user: bench
  children:
    server:
      hosts:
        big:
          ansible_host: 10.0.0.1   # behind the switch
    generators:
      children:
        rack:
          hosts:
            small[01:02]:
)";

TEST(Inventory, ini_form_with_ranges_children_and_variables) {
  const auto servers = read_inventory(kIni, "hosts.ini", "server");
  ASSERT_EQ(servers.size(), 1u);
  EXPECT_EQ(servers[0].variables.at("ansible_port"), "2222");
  EXPECT_EQ(servers[0].variables.at("ansible_user"), "nobody");
  const auto generators = read_inventory(kIni, "hosts.ini", "generators");
  ASSERT_EQ(generators.size(), 2u);
  EXPECT_EQ(generators[1].name, "small02");
  EXPECT_EQ(generators[1].variables.at("ansible_user"), "bench");
  EXPECT_EQ(generators[1].variables.at("ansible_ssh_private_key_file"), "/keys/id");
}

TEST(Inventory, yaml_form_says_the_same) {
  const auto servers = read_inventory(kYaml, "hosts.yml", "server");
  ASSERT_EQ(servers.size(), 1u);
  EXPECT_EQ(servers[0].variables.at("ansible_host"), "10.0.0.1");
  EXPECT_EQ(servers[0].variables.at("ansible_user"), "bench");
  const auto generators = read_inventory(kYaml, "hosts.yml", "generators");
  ASSERT_EQ(generators.size(), 2u);
  EXPECT_EQ(generators[0].name, "small01");
}

TEST(Inventory, line_that_is_not_understood_is_named) {
  try {
    read_inventory("all:\n  hosts:\n    - a\n", "hosts.yml", "all");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              "hosts.yml: line 3: expected KEY: or KEY: VALUE, got \"- a\"");
  }
  EXPECT_THROW(read_inventory("[server\n", "x", "server"), Error);
  EXPECT_THROW(read_inventory("[server]\na b\n", "x", "server"), Error);
  EXPECT_THROW(read_inventory("[a:vars]\nb\n", "x", "a"), Error);
  EXPECT_THROW(read_inventory("all:\n  odd:\n    b:\n", "x", "all"), Error);
}

TEST(Hosts, of_a_plan_with_options_for_all) {
  const Hosts hosts = find_hosts(wanted(
      R"({"server": "me@a", "generators": ["b", "c"], "ssh_options": ["-F", "f"],
          "server_address": "10.0.0.1", "directory": "/tmp/x"})"));
  EXPECT_EQ(hosts.server.destination, "me@a");
  EXPECT_EQ(hosts.generators[1].ssh, (Names{"-F", "f"}));
  EXPECT_EQ(hosts.server_address, "10.0.0.1");
  EXPECT_EQ(hosts.directory, "/tmp/x");
}

TEST(Hosts, of_a_slurm_job) {
  setenv("SLURM_JOB_NODELIST", "n[1-3]", 1);
  const Hosts hosts = find_hosts(wanted(R"({"list": "slurm"})"));
  EXPECT_EQ(hosts.server.name, "n1");
  ASSERT_EQ(hosts.generators.size(), 2u);
  EXPECT_EQ(hosts.generators[1].destination, "n3");
  setenv("SLURM_JOB_NODELIST", "n1", 1);
  EXPECT_NE(complaint(R"({"list": "slurm"})").find("no host for a generator"), std::string::npos);
  unsetenv("SLURM_JOB_NODELIST");
  EXPECT_NE(complaint(R"({"list": "slurm"})").find("SLURM_JOB_NODELIST is not set"),
            std::string::npos);
}

TEST(Hosts, of_an_inventory) {
  const Scratch scratch;
  const auto file = scratch.path() / "hosts.ini";
  std::ofstream(file) << kIni;
  const Hosts hosts = find_hosts(listed_in(file));
  EXPECT_EQ(hosts.server.name, "big");
  EXPECT_EQ(hosts.server.destination, "10.0.0.1");
  EXPECT_EQ(hosts.server.ssh, (Names{"-l", "nobody", "-p", "2222", "-i", "/keys/id"}));
  EXPECT_EQ(hosts.generators.size(), 2u);
  std::ofstream(file) << "[server]\na\nb\n";
  EXPECT_THROW(find_hosts(listed_in(file)), Error);
  EXPECT_THROW(find_hosts(listed_in(scratch.path() / "none")), Error);
}

TEST(Hosts, names_and_a_list_are_one_too_many) {
  EXPECT_NE(complaint(R"({"list": "slurm", "server": "a"})").find("says it already"),
            std::string::npos);
  EXPECT_NE(complaint(R"({"server": "a"})").find("generators"), std::string::npos);
}

TEST(ShellQuoted, survives_the_shell) {
  EXPECT_EQ(shell_quoted("a b"), "'a b'");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
}

TEST(SeveralGenerators, share_clients_and_rate) {
  Load load;
  load.clients = 7;
  load.workload.rate = 700;
  load.file_stem = "cell";
  EXPECT_EQ(part_of(load, 0, 2).clients, 4);
  EXPECT_EQ(part_of(load, 1, 2).clients, 3);
  EXPECT_DOUBLE_EQ(part_of(load, 1, 2).workload.rate, 300);
  EXPECT_EQ(part_of(load, 1, 2).file_stem, "cell.g1");
}

TEST(SeveralGenerators, histograms_are_merged_and_counts_added) {
  GeneratorReport a, b;
  a.requests = 3;
  a.bytes = 300;
  a.duration_s = 1;
  a.errors_read = 1;
  a.latency = {{10, 2}, {30, 1}};
  a.clients_served = 4;
  a.slowest_client_requests = 1;
  b = a;
  b.latency = {{10, 1}, {20, 2}};
  b.duration_s = 1.5;
  b.slowest_client_requests = 0;
  const GeneratorReport both = merged({a, b});
  EXPECT_EQ(both.latency, (Histogram{{10, 3}, {20, 2}, {30, 1}}));
  EXPECT_EQ(both.requests, 6u);
  EXPECT_EQ(*both.bytes, 600u);
  EXPECT_DOUBLE_EQ(both.duration_s, 1.5);
  EXPECT_EQ(both.errors_read, 2u);
  EXPECT_EQ(*both.clients_served, 8u);
  EXPECT_EQ(*both.slowest_client_requests, 0u);
  EXPECT_TRUE(both.absent.contains("jain_index"));
}

TEST(SeveralGenerators, percentiles_come_from_merged_buckets_and_else_from_nowhere) {
  GeneratorReport a, b;
  a.requests = 100;
  b.requests = 300;
  a.latencies.mean_us = a.latencies.p50_us = 10;
  a.latencies.max_us = 50;
  b.latencies.mean_us = b.latencies.p50_us = 30;
  b.latencies.max_us = 40;
  GeneratorReport both = merged({a, b});
  EXPECT_DOUBLE_EQ(*both.latencies.mean_us, 25);
  EXPECT_DOUBLE_EQ(*both.latencies.max_us, 50);
  EXPECT_FALSE(both.latencies.p50_us);
  a.latencies.buckets = {{10, 100}};
  b.latencies.buckets = {{30, 300}};
  both = merged({a, b});
  EXPECT_DOUBLE_EQ(*both.latencies.p50_us, 30);
  EXPECT_EQ(both.latencies.buckets.size(), 2u);
}

}  // namespace
}  // namespace archbench

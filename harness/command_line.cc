#include "harness/command_line.h"

#include <CLI/CLI.hpp>

#include "harness/campaign.h"
#include "harness/commands.h"
#include "harness/version.h"

namespace archbench {

int obey(int argc, char** argv) {
  CampaignOptions options;
  options.command.assign(argv, argv + argc);
  std::filesystem::path directory;
  int exit_status = 0;

  CLI::App app{
      "Measures server architectures: runs a plan, records every cell, goes on where it was."};
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  // One sentence on stderr, as for every other mistake.
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return std::string("archbench: ") + error.what() + "; 'archbench --help' lists what there is\n";
  });
  const auto command = [&](const char* name, const char* text, auto action) {
    CLI::App* sub = app.add_subcommand(name, text);
    sub->callback([&exit_status, action] { exit_status = action(); });
    return sub;
  };
  const auto takes_plan = [&](CLI::App* sub) {
    return sub->add_option("PLAN", options.plan, "a plan's file, or the name of one (quick)");
  };

  auto* plan = command("plan", "show what a plan would run",
                       [&] { return show_plan(options.plan, options.seed); });
  auto* run = command("run", "run a plan; the same line goes on with an unfinished campaign", [&] {
    run_campaign(options);
    return 0;
  });
  auto* doctor = command("doctor", "is this machine fit to measure on?",
                         [&] { return show_doctor(options.plan, options.servers); });
  auto* list =
      command("list", "show plans and servers", [&] { return show_list(options.servers); });
  auto* status =
      command("status", "show how far a campaign is", [&] { return show_status(directory); });
  auto* valid = command("validate", "check a campaign", [&] { return show_validity(directory); });

  for (auto* sub : {plan, run}) {
    takes_plan(sub)->required();
    sub->add_option("--seed", options.seed, "order of the cells, instead of the plan's seed");
  }
  takes_plan(doctor);
  for (auto* sub : {run, doctor, list}) {
    sub->add_option("--servers", options.servers,
                    "folder of the httpd_* (default: beside archbench)");
  }
  run->add_option("--out", options.out, "folder (default: results/<plan>-<UTC time>)");
  for (auto* sub : {status, valid}) {
    sub->add_option("DIR", directory, "folder of the campaign")->required();
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    constexpr int kMisuse = 2;
    return app.exit(error) == 0 ? 0 : kMisuse;  // 0: --help or --version
  }
  return exit_status;
}

}  // namespace archbench

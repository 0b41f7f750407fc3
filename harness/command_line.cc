#include "harness/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "harness/campaign/campaign.h"
#include "harness/commands.h"
#include "harness/foreign/foreign.h"
#include "harness/site/agent.h"
#include "harness/version.h"

namespace archbench {

namespace fs = std::filesystem;

int obey(int argc, char** argv) {
  constexpr int kMisuse = 2;  // as a shell reports it
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

  std::string budget, precision;
  bool apply = false, restore = false;
  auto* plan = command("plan", "show what a plan would run, and whether all of it is there",
                       [&] { return show_plan(options.plan, options.seed, options.servers); });
  auto* run = command("run", "run a plan; the same line goes on with an unfinished campaign", [&] {
    if (!budget.empty()) options.stopping.budget_s = parse_budget(budget);
    if (!precision.empty()) options.stopping.precision = parse_precision(precision);
    run_campaign(options);
    return 0;
  });
  auto* doctor = command("doctor", "is this machine fit to measure on?", [&] {
    return show_doctor(options.plan, options.servers,
                       restore ? Remedy::restore
                       : apply ? Remedy::apply
                               : Remedy::none);
  });
  auto* list = command("list", "show plans, generators and servers",
                       [&] { return show_list(options.servers); });
  auto* status =
      command("status", "show how far a campaign is", [&] { return show_status(directory); });
  auto* valid = command("validate", "check a campaign", [&] { return show_validity(directory); });
  // These are scripts: all words are theirs, --help among them.
  for (const auto& [name, text] :
       {std::pair{"show", "a campaign's findings, in the terminal"},
        std::pair{"compare", "two campaigns: the same or different, and how sure"}}) {
    CLI::App* sub = app.add_subcommand(name, text);
    sub->set_help_flag();
    sub->prefix_command();
    sub->callback(
        [&exit_status, sub, name = name] { exit_status = become_script(name, sub->remaining()); });
  }
  fs::path file;
  std::optional<double> clients;
  auto* import = command("import", "write other people's results in one form, as JSON lines",
                         [&] { return import_file(file, clients); });
  auto* audit = command("audit", "apply the gates that can be applied to other people's results",
                        [&] { return audit_file(file, clients); });
  for (auto* sub : {import, audit}) {
    sub->add_option("FILE", file, "TechEmpower results.json, or what wrk, oha or h2load printed")
        ->required();
    sub->add_option("--clients", clients, "simultaneous connections, where the file does not say");
  }

  for (auto* sub : {plan, run}) {
    takes_plan(sub)->required();
    sub->add_option("--seed", options.seed, "order of the cells, instead of the plan's seed");
  }
  takes_plan(doctor);
  app.add_subcommand("agent", "serve archbench from another host")
      ->group("")
      ->callback([&] { exit_status = serve_as_agent(directory); })
      ->add_option("DIR", directory)
      ->required();
  for (auto* sub : {plan, run, doctor, list}) {
    sub->add_option("--servers", options.servers,
                    "folder of the httpd_* (default: beside archbench)");
  }
  run->add_option("--out", options.out, "folder (default: results/<plan>-<UTC time>)");
  run->add_option("--budget", budget, "stop when so much time is spent: 90s, 30m, 2h");
  run->add_option("--precision", precision,
                  "go on until every pair's ratio is known to so much: 2%");
  run->add_flag("--apply", options.apply,
                "first change the kernel settings that the doctor proposes; put them back");
  run->add_flag_callback(
      "--no-sampling", [&options] { options.sampling = false; },
      "leave the samples out, to learn what they cost");
  doctor->add_flag("--apply", apply, "change what it may; put back after the next campaign");
  doctor->add_flag("--restore", restore, "put back what --apply has changed")->excludes("--apply");
  for (auto* sub : {status, valid}) {
    sub->add_option("DIR", directory, "folder of the campaign")->required();
  }

  const auto is_named = [&](const CLI::App* sub) { return sub->get_name() == argv[1]; };
  const auto all = app.get_subcommands({});
  if (argc > 1 && argv[1][0] != '-' && std::none_of(all.begin(), all.end(), is_named)) {
    std::fprintf(stderr, "archbench: '%s' is no command; 'archbench --help' lists what there is\n",
                 argv[1]);
    return kMisuse;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kMisuse;  // 0: --help or --version
  }
  return exit_status;
}

}  // namespace archbench

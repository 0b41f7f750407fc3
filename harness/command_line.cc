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

namespace {

constexpr int kMisuse = 2;  // as a shell reports it

constexpr const char* kFooter = R"(Examples:
  archbench doctor quick
  archbench run quick
  archbench run mine.json --out results/mine --budget 10m

'archbench COMMAND --help' has the options of a command. Exit status: 0 done; 1 not done, or not
well; 2 misuse; 130 or 143 interrupted, and the same line goes on.)";

// What the words on the command line say.
struct Given {
  CampaignOptions campaign;
  std::string budget, precision;
  bool apply = false, restore = false;
  fs::path directory, file;
  std::optional<double> clients;
  int exit_status = 0;
};

// Nothing is done before all words are understood: `action` is called at the end of parsing.
template <class Action>
CLI::App* command(CLI::App& app, Given& given, const char* name, const char* text, Action action) {
  CLI::App* added = app.add_subcommand(name, text);
  added->callback([&given, action] { given.exit_status = action(); });
  return added;
}

CLI::Option* takes_plan(CLI::App* command, Given& given) {
  return command
      ->add_option("PLAN", given.campaign.plan,
                   "a plan's file, or the name of one in harness/plans, as 'quick'")
      ->type_name("");
}

void add_run(CLI::App& app, Given& given) {
  CLI::App* run = command(app, given, "run",
                          "run a plan; the same line goes on with an unfinished campaign", [&] {
                            Stopping& stopping = given.campaign.stopping;
                            if (!given.budget.empty())
                              stopping.budget_s = parse_budget(given.budget);
                            if (!given.precision.empty())
                              stopping.precision = parse_precision(given.precision);
                            run_campaign(given.campaign);
                            return 0;
                          });
  takes_plan(run, given)->required();
  run->add_option("--out", given.campaign.out, "folder of the campaign [results/<plan>-<UTC time>]")
      ->type_name("DIR");
  run->add_option("--budget", given.budget, "stop when so much time is spent: 90s, 30m, 2h")
      ->type_name("TIME");
  run->add_option("--precision", given.precision,
                  "go on until every pair's ratio is known to so much: 2%")
      ->type_name("SHARE");
  run->add_flag("--apply", given.campaign.apply,
                "first change the kernel settings that the doctor proposes; put them back");
  run->add_flag_callback(
      "--no-sampling", [&] { given.campaign.sampling = false; },
      "leave the samples out, to learn what they cost");
}

void add_preparations(CLI::App& app, Given& given) {
  CampaignOptions& campaign = given.campaign;
  CLI::App* plan =
      command(app, given, "plan", "show what a plan would run, and whether all of it is there",
              [&] { return show_plan(campaign.plan, campaign.seed, campaign.servers); });
  takes_plan(plan, given)->required();
  CLI::App* doctor = command(app, given, "doctor", "is this machine fit to measure on?", [&] {
    const Remedy remedy = given.restore ? Remedy::restore
                          : given.apply ? Remedy::apply
                                        : Remedy::none;
    return show_doctor(campaign.plan, campaign.servers, remedy);
  });
  takes_plan(doctor, given);
  doctor->add_flag("--apply", given.apply, "change what it may; put back after the next campaign");
  doctor->add_flag("--restore", given.restore, "put back what --apply has changed")
      ->excludes("--apply");
  command(app, given, "list", "show plans, generators and servers",
          [&] { return show_list(campaign.servers); });
}

void add_looks(CLI::App& app, Given& given) {
  CLI::App* status = command(app, given, "status", "show how far a campaign is",
                             [&] { return show_status(given.directory); });
  CLI::App* validate = command(app, given, "validate",
                               "check that a campaign is complete, and each of its lines right",
                               [&] { return show_validity(given.directory); });
  for (CLI::App* look : {status, validate}) {
    look->add_option("DIR", given.directory, "folder of the campaign")->required()->type_name("");
  }
  // These are scripts: all words are theirs, --help among them.
  for (const auto& [name, text] :
       {std::pair{"show", "a campaign's findings, in the terminal"},
        std::pair{"compare", "two campaigns: the same or different, and how sure"}}) {
    CLI::App* script = app.add_subcommand(name, text);
    script->set_help_flag();
    script->prefix_command();
    script->callback([&given, script, name = name] {
      given.exit_status = become_script(name, script->remaining());
    });
  }
}

void add_foreign(CLI::App& app, Given& given) {
  CLI::App* import =
      command(app, given, "import", "write other people's results in one form, as JSON lines",
              [&] { return import_file(given.file, given.clients); });
  CLI::App* audit =
      command(app, given, "audit", "apply the gates that can be applied to other people's results",
              [&] { return audit_file(given.file, given.clients); });
  for (CLI::App* reader : {import, audit}) {
    reader
        ->add_option("FILE", given.file,
                     "TechEmpower results.json, or what wrk, oha or h2load printed")
        ->required()
        ->type_name("");
    reader
        ->add_option("--clients", given.clients,
                     "simultaneous connections, where the file does not say")
        ->type_name("N");
  }
}

}  // namespace

int obey(int argc, char** argv) {
  Given given;
  given.campaign.command.assign(argv, argv + argc);
  CLI::App app{
      "Measures server architectures: runs a plan, records every cell, goes on where it was.",
      "archbench"};
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  // One sentence on stderr, as for every other mistake.
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return std::string("archbench: ") + error.what() + "; 'archbench --help' lists what there is\n";
  });
  add_preparations(app, given);
  add_run(app, given);
  add_looks(app, given);
  add_foreign(app, given);
  for (const char* name : {"plan", "run"}) {
    app.get_subcommand(name)
        ->add_option("--seed", given.campaign.seed,
                     "order of the cells, instead of the plan's seed")
        ->type_name("N");
  }
  for (const char* name : {"plan", "run", "doctor", "list"}) {
    app.get_subcommand(name)
        ->add_option("--servers", given.campaign.servers,
                     "where the httpd_* are [beside archbench]")
        ->type_name("DIR");
  }
  // Not for users, so not in --help.
  app.add_subcommand("agent", "serve archbench from another host")
      ->group("")
      ->callback([&] { given.exit_status = serve_as_agent(given.directory); })
      ->add_option("DIR", given.directory)
      ->required();
  app.footer(kFooter);  // last, or all commands would have it, too

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
  return given.exit_status;
}

}  // namespace archbench

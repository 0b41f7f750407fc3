#include "harness/servers/catalogue.h"

#include <gtest/gtest.h>

#include <fstream>

#include "harness/error.h"
#include "harness/tests/scratch.h"

namespace archbench {
namespace {

constexpr auto kHelp = R"(HTTP server of some kind.
Usage: httpd_x [OPTIONS]

Options:
  --event NAME   event mechanism: epoll, poll
  --accept NAME

Models (the first is the default):
  epoll      --cpus identical processes [1]
  amped      epoll and disk helpers

Examples:
  httpd_x --model none
)";

TEST(Help, models_are_the_lines_up_to_the_empty_one) {
  const ProgramHelp help = parse_help(kHelp);
  EXPECT_EQ(help.models, (std::vector<std::string>{"epoll", "amped"}));
  EXPECT_EQ(help.sentences[1], "epoll and disk helpers");
  EXPECT_TRUE(help.has_option("--event"));
  EXPECT_FALSE(help.has_option("--even"));
  EXPECT_TRUE(parse_help("no models here").models.empty());
}

class CatalogueTest : public testing::Test {
 protected:
  CatalogueTest() {
    const auto file = scratch_.path() / "httpd_edsm";
    std::ofstream(file) << "#!/bin/sh\ncat <<'END'\n" << kHelp << "END\n";
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }
  std::string complaint(const std::string& model, std::vector<std::string> options,
                        const std::string& program = "httpd_edsm") {
    ServerSpec server{"edsm", model, "x", std::move(options)};
    server.program = program;
    return Catalogue().complaint(server, scratch_.path());
  }
  Scratch scratch_;
};

TEST_F(CatalogueTest, what_a_program_can_do_is_asked_of_it) {
  EXPECT_EQ(complaint("epoll", {"--event", "poll"}), "");
  EXPECT_EQ(complaint("kqueue", {}), "httpd_edsm has no model \"kqueue\"; it has epoll amped");
  EXPECT_EQ(complaint("epoll", {"--frobnicate=3"}), "httpd_edsm has no option --frobnicate");
  EXPECT_NE(complaint("epoll", {}, "httpd_none").find("there is no httpd_none"), std::string::npos);
}

TEST_F(CatalogueTest, custom_command_has_to_be_there) {
  ServerSpec server{"custom", "custom", "x", {}};
  server.command = {"/does/not/exist"};
  EXPECT_NE(Catalogue().complaint(server, scratch_.path()), "");
  server.command = {"sh"};
  EXPECT_EQ(Catalogue().complaint(server, scratch_.path()), "");
}

TEST_F(CatalogueTest, plan_with_a_server_that_cannot_be_run_is_refused) {
  Plan plan;
  ServerSpec server{"edsm", "kqueue", "mine", {}};
  server.program = "httpd_edsm";
  plan.servers = {server};
  Places places;
  places.servers = scratch_.path();
  EXPECT_THROW(Catalogue().require_all(plan, places), Error);
}

}  // namespace
}  // namespace archbench

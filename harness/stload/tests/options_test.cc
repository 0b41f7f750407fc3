#include "harness/stload/options.h"

#include <gtest/gtest.h>

#include "harness/stload/crew.h"
#include "harness/stload/report.h"

namespace stload {
namespace {

Options parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "stload");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

std::string complaint(const std::vector<const char*>& arguments) {
  try {
    parse(arguments);
  } catch (const Answered& answer) {
    EXPECT_EQ(answer.exit_code, 2);
    return answer.text;
  }
  return "none";
}

TEST(Options, a_url_alone_is_a_closed_loop) {
  const Options options = parse({"http://127.0.0.1:8080/bytes/1024?x=1"});
  EXPECT_FALSE(options.timed());
  EXPECT_EQ(options.latency_until, Until::read);
  EXPECT_EQ(options.url.path, "/bytes/1024?x=1");
  EXPECT_EQ(options.addresses.at(0).text(), "127.0.0.1:8080");
  EXPECT_EQ(options.paths.at(0).path, "/bytes/1024?x=1");
}

TEST(Options, with_a_rate_latency_counts_until_an_answer_arrived_unless_it_is_said) {
  const auto until = [](std::vector<const char*> arguments) {
    arguments.push_back("http://127.0.0.1/");
    return parse(arguments).latency_until;
  };
  EXPECT_EQ(until({"--rate", "5"}), Until::arrived);
  EXPECT_EQ(until({"--per-client-rate", "5"}), Until::arrived);
  EXPECT_EQ(until({"--rate", "5", "--latency-until", "read"}), Until::read);
  EXPECT_EQ(until({"--latency-until", "arrived"}), Until::arrived);
}

TEST(Options, urls) {
  EXPECT_EQ(parse_url("http://10.0.0.1").path, "/");
  EXPECT_EQ(parse_url("http://10.0.0.1").port, 80);
  EXPECT_EQ(parse_url("http://10.0.0.1?q").path, "/?q");
  EXPECT_EQ(parse_url("http://[::1]:81/a").host, "::1");
  EXPECT_EQ(parse_url("http://[::1]:81/a").authority(), "[::1]:81");
  for (const char* wrong : {"127.0.0.1", "https://127.0.0.1/", "http:///x", "http://a:0/",
                            "http://a:70000/", "http://a:1x/", "http://[::1", "http://u@h/",
                            "http://a/b c", "http://a/#b", "http://[::1]x/"}) {
    EXPECT_THROW(parse_url(wrong), std::invalid_argument) << wrong;
  }
}

TEST(Options, a_range_of_addresses_has_both_its_ends) {
  const auto addresses = parse_addresses("127.0.0.254-127.0.1.1", 80);
  ASSERT_EQ(addresses.size(), 4u);
  EXPECT_EQ(addresses[0].text(), "127.0.0.254:80");
  EXPECT_EQ(addresses[3].text(), "127.0.1.1:80");
  EXPECT_EQ(parse_addresses("10.1.2.3", 81).at(0).text(), "10.1.2.3:81");
  for (const char* wrong : {"", "127.0.0.1-", "127.0.0.2-127.0.0.1", "a-b", "0.0.0.0-9.0.0.0"}) {
    EXPECT_THROW(parse_addresses(wrong, 80), std::invalid_argument) << wrong;
  }
}

TEST(Options, complaints_name_the_option_the_value_and_an_example) {
  EXPECT_EQ(
      complaint({"--clients", "0", "http://a/"}),
      "--clients '0': expected a whole number from 1 to 10000000, for example --clients 1000");
  EXPECT_EQ(complaint({"--rate", "nan", "http://a/"}),
            "--rate 'nan': expected requests per second, more than 0 and at most 1000000000, for "
            "example --rate 5000");
  EXPECT_EQ(complaint({"--arrivals", "random", "--rate", "1", "http://a/"}),
            "--arrivals 'random': expected constant or poisson, for example --arrivals constant");
  EXPECT_EQ(complaint({"ftp://a/"}),
            "URL 'ftp://a/': expected http://ADDR[:PORT][/PATH] without white space, for example "
            "http://127.0.0.1:8080/");
  EXPECT_EQ(complaint({"--addresses", "x", "http://127.0.0.1/"}),
            "--addresses 'x': expected an IPv4 address, or two with '-' between them, for example "
            "--addresses 127.0.0.1-127.0.0.8");
  EXPECT_NE(complaint({}).find("URL"), std::string::npos);
  EXPECT_NE(complaint({"--wat", "http://a/"}).find("--help"), std::string::npos);
}

TEST(Options, what_does_not_go_together_is_refused) {
  const char* const url = "http://127.0.0.1/";
  for (const std::vector<const char*>& arguments :
       std::vector<std::vector<const char*>>{{"--rate", "1", "--per-client-rate", "1", url},
                                             {"--rate", "1", "--think-time", "1", url},
                                             {"--arrivals", "constant", url},
                                             {"--think-times", "constant", url},
                                             {"--slow-clients", "3", url},
                                             {"--clients", "2", "--processes", "3", url}}) {
    EXPECT_NE(complaint(arguments), "none") << arguments[0];
  }
}

TEST(Fairness, one_client_alone_of_four_is_a_quarter) {
  Outcome outcome;
  outcome.clients.resize(4);
  outcome.clients[2] = {.requests = 100, .answers = 100, .completed = 100};
  const Fairness alone = fairness(outcome);
  EXPECT_EQ(alone.served, 1u);
  EXPECT_EQ(alone.least, 0u);
  EXPECT_EQ(alone.most, 100u);
  EXPECT_DOUBLE_EQ(alone.jain_index, 0.25);
  for (ClientCounts& client : outcome.clients) client = {7, 7, 7};
  EXPECT_DOUBLE_EQ(fairness(outcome).jain_index, 1);
}

TEST(Fairness, a_client_is_on_pace_when_four_fifths_came_in_time) {
  Outcome outcome;
  outcome.clients = {{100, 100, 80}, {100, 100, 79}, {0, 0, 0}};
  EXPECT_EQ(fairness(outcome).on_pace, 2u);
}

}  // namespace
}  // namespace stload

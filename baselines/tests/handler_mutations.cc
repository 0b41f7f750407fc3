// The property of fuzz_handler.cc over mutated requests, the same ones in every run.
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace baselines::test {
namespace {

const std::vector<std::string>& seeds() {
  static const std::vector<std::string> all = {
      "GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n",
      "HEAD /bytes/300 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
      "GET /bytes/5000?q HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde",
      std::string(
          "GET http://a/bytes/9 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n") +
          "5;x=y\r\nabcde\r\n0\r\nA: b\r\n\r\n",
      "GET /bytes/1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
      "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      "\r\nGET /file/%2e%2e/x HTTP/1.1\r\nHost: a\r\nA:\r\n b\r\n\r\n",
  };
  return all;
}

// Pieces that matter to HTTP are found sooner when they need not be found byte by byte.
constexpr const char* kWords[] = {"\r\n",      "\n",       "\r",          " ",
                                  "\r\n\r\n",  "\r\n ",    "chunked",     "Content-Length: 3\r\n",
                                  "0\r\n\r\n", "HTTP/1.1", "Host: b\r\n", "Transfer-Encoding: "};

std::string mutate(std::string text, std::mt19937& random) {
  for (auto changes = 1 + random() % 4; changes > 0; --changes) {
    const std::size_t at = text.empty() ? 0 : random() % text.size();
    switch (random() % 5) {
      case 0:
        text.insert(at, 1, static_cast<char>(random()));
        break;
      case 1:
        text.erase(at, 1 + random() % 8);
        break;
      case 2:
        if (!text.empty()) text[at] = static_cast<char>(random());
        break;
      case 3:
        text.insert(at, kWords[random() % std::size(kWords)]);
        break;
      default:
        text.insert(at, text.substr(text.size() / 2, random() % 400));
        break;
    }
  }
  return text;
}

void check(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

TEST(Mutations, seeds_and_all_their_beginnings_are_answered_alike_however_cut) {
  for (const std::string& seed : seeds()) {
    for (std::size_t size = 0; size <= seed.size(); ++size) check(seed.substr(0, size));
  }
}

TEST(Mutations, broken_requests_are_answered_alike_however_cut) {
  std::mt19937 random(7);  // NOLINT: the same inputs in every run
  for (int i = 0; i < 8000; ++i) {
    std::string input;
    for (auto requests = 1 + random() % 3; requests > 0; --requests) {
      input += mutate(seeds()[random() % seeds().size()], random);
    }
    check(input);
  }
}

TEST(Mutations, what_a_fuzzer_found_worth_keeping_is_answered_alike_however_cut) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(HANDLER_CORPUS)) {
    std::ifstream file(entry.path(), std::ios::binary);
    check({std::istreambuf_iterator<char>(file), {}});
    ++files;
  }
  EXPECT_GE(files, 10);
}

}  // namespace
}  // namespace baselines::test

// What the handler itself costs for each request, without any system call.
//
// One question: how much of a server's time is the work that all architectures share? Each
// iteration is one whole exchange - advance(), output(), sent() - on a keep-alive connection.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "baselines/common/http.h"
#include "baselines/common/job.h"
#include "baselines/common/site.h"

namespace baselines {
namespace {

const Site& site() {
  static const Site the_site([] {
    SiteOptions options;
    options.docroot = BENCH_DOCROOT;
    options.origin_host = "127.0.0.1";  // nobody connects to it
    options.origin_port = 80;
    return options;
  }());
  return the_site;
}

// What wrk 4.1.0 sends.
std::string wrk_request(const char* target) {
  return std::string("GET ") + target + " HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
}

// What Chromium sends, cookies aside.
std::string browser_request(const char* target) {
  return std::string("GET ") + target +
         " HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: keep-alive\r\nCache-Control: "
         "max-age=0\r\n"
         "Upgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) "
         "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36\r\nAccept: "
         "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8\r\n"
         "Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.9\r\n\r\n";
}

// Answers a request that waits for an origin as if that had been quick.
void carry_out(Connection& connection) {
  static constexpr std::string_view kAnswer =
      "HTTP/1.1 200 OK\r\nServer: other\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
      "Content-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!";
  std::get<FetchJob>(connection.job().work).answer.take(kAnswer);
}

void exchange(benchmark::State& state, const std::string& request, int requests_each) {
  static thread_local CounterSlot slot{};
  const Clock::time_point now = Clock::now();
  Connection connection(site(), slot, now);
  for ([[maybe_unused]] auto _ : state) {
    Want want = connection.advance(request, now);
    if (want == Want::job) {
      carry_out(connection);
      want = connection.done(now);
    }
    while (want == Want::output) {
      std::size_t size = 0;
      for (const iovec& piece : connection.output()) size += piece.iov_len;
      benchmark::DoNotOptimize(size);
      want = connection.sent(size, now);
    }
    if (want == Want::close) state.SkipWithError("the connection was closed");
  }
  state.SetItemsProcessed(state.iterations() * requests_each);
}

void plaintext(benchmark::State& state) { exchange(state, wrk_request("/plaintext"), 1); }
void plaintext_for_a_browser(benchmark::State& state) {
  exchange(state, browser_request("/plaintext"), 1);
}
void plaintext_16_pipelined(benchmark::State& state) {
  std::string request;
  for (int i = 0; i < 16; ++i) request += wrk_request("/plaintext");
  exchange(state, request, 16);
}
void bytes_copied(benchmark::State& state) { exchange(state, wrk_request("/bytes/2048"), 1); }
void bytes_referenced(benchmark::State& state) { exchange(state, wrk_request("/bytes/65536"), 1); }
void file_from_cache(benchmark::State& state) {
  exchange(state, wrk_request("/file/handler.cmake"), 1);
}
void not_found(benchmark::State& state) { exchange(state, wrk_request("/nothing"), 1); }

// A hundredth of this is what /cpu/ takes for a microsecond on this machine.
void cpu_100(benchmark::State& state) { exchange(state, wrk_request("/cpu/100"), 1); }
void alloc_1000(benchmark::State& state) { exchange(state, wrk_request("/alloc/1000"), 1); }
void proxied(benchmark::State& state) { exchange(state, wrk_request("/proxy/plaintext"), 1); }

void connection_made_and_closed(benchmark::State& state) {
  static CounterSlot slot{};
  const Clock::time_point now = Clock::now();
  for ([[maybe_unused]] auto _ : state) {
    Connection connection(site(), slot, now);
    benchmark::DoNotOptimize(&connection);
  }
}

BENCHMARK(plaintext);
BENCHMARK(plaintext_for_a_browser);
BENCHMARK(plaintext_16_pipelined);
BENCHMARK(bytes_copied);
BENCHMARK(bytes_referenced);
BENCHMARK(file_from_cache);
BENCHMARK(file_from_cache)->Threads(2);
BENCHMARK(not_found);
BENCHMARK(cpu_100);
BENCHMARK(alloc_1000);
BENCHMARK(alloc_1000)->Threads(2);
BENCHMARK(proxied);
BENCHMARK(connection_made_and_closed);

}  // namespace
}  // namespace baselines

BENCHMARK_MAIN();

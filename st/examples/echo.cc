// c++ -std=c++20 echo.cc -lst -o echo && ./echo 127.0.0.1:7003

// The echo server in C++: streams close themselves, errors are exceptions, and a deadline holds for
// a whole line, however slowly its bytes come.
#include <cstdio>
#include <exception>
#include <st.hpp>
#include <string>
#include <utility>

using namespace std::chrono_literals;

// Up to the end of the line, or as much as we keep of one; empty at the end of the stream.
static std::string read_line(st::stream& client, st::deadline until) {
  constexpr std::size_t kLongest = 4096;
  std::string line;
  char byte;
  while (line.size() < kLongest && client.read({&byte, 1}, until) == 1) {
    line += byte;
    if (byte == '\n') break;
  }
  return line;
}

static void serve(st::stream client) {
  try {
    for (;;) {
      const std::string line = read_line(client, 30s);
      if (line.empty()) return;
      client.write(line, 30s);
    }
  } catch (const std::system_error& error) {
    std::fprintf(stderr, "a client is gone: %s\n", error.what());
  }
}

int main(int argc, char** argv) try {
  st::init();
  st::listener listener(argc > 1 ? argv[1] : "127.0.0.1:0");
  std::printf("listening on %s\n", listener.local_endpoint().to_string().c_str());
  std::fflush(stdout);
  for (;;) {
    std::error_code ec;
    st::stream client = listener.accept({}, ec);
    if (client)
      st::thread(serve, std::move(client)).detach();
    else
      st::sleep_for(10ms);  // out of descriptors, say: some will come back
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}

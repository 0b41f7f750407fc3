// c++ -std=c++20 stop.cc -lst -o stop && ./stop

// Ending threads that wait. Leaving the block stops and joins them, whatever they wait for: no
// thread outlives what it uses, and no descriptor is closed under a waiting thread's feet.
#include <chrono>
#include <cstdio>
#include <st.hpp>
#include <string>

using namespace std::chrono_literals;

int main() {
  st::init();
  {
    auto ends = st::stream::pair();
    st::thread sleeper([] {
      try {
        st::sleep_for(24h);
      } catch (const std::system_error& error) {
        std::printf("sleeper: %s, told to stop: %s\n", error.code().message().c_str(),
                    st::stop_requested() ? "yes" : "no");
        throw;  // an ordinary way to end for a thread that was told to
      }
    });
    st::thread reader([&] {
      std::string buffer(100, '\0');
      std::error_code ec;
      ends.first.read(buffer, {}, ec);
      std::printf("reader: %s\n", ec == st::canceled ? "the stream was closed" : "?");
    });
    st::thread poller([](std::stop_token stop) {
      int rounds = 0;
      while (!stop.stop_requested()) {
        std::error_code ec;
        st::sleep_for(1ms, ec);
        ++rounds;
      }
      std::printf("poller: at least one round: %s\n", rounds > 0 ? "yes" : "no");
    });
    st::sleep_for(5ms);
    ends.first.close();  // under the reader, who is told
    reader.join();
  }
  std::puts("all ended");
}

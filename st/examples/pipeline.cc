// c++ -std=c++20 pipeline.cc -lst -o pipeline && ./pipeline

// Stages connected by channels. A channel is bounded, so a fast stage waits for a slow one; closing
// one ends the loop of the next stage, and so the whole pipeline from front to back.
#include <chrono>
#include <cstdio>
#include <memory>
#include <st.hpp>
#include <string>

int main() {
  st::init();
  st::channel<int> numbers(4);
  st::channel<std::unique_ptr<std::string>> lines(1);  // values need only be movable

  st::thread count({.name = "count"}, [&] {
    for (int i = 1; i <= 5; ++i) numbers.send(i);
    numbers.close();
  });
  st::thread square({.name = "square"}, [&] {
    for (int number : numbers) {
      st::sleep_for(std::chrono::milliseconds(1));  // the slow stage
      lines.send(std::make_unique<std::string>(std::to_string(number) + " squared is " +
                                               std::to_string(number * number)));
    }
    lines.close();
  });
  for (const auto& line : lines) std::puts(line->c_str());
  // The threads are joined here; what escaped from them would be thrown by join().
  count.join();
  square.join();
}

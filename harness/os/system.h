// Small doors to the operating system that every other part uses: files, time, CPUs, signals.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace archbench {

// The whole of a (small) file; absent when it cannot be opened or read. Also for /proc and /sys.
std::optional<std::string> read_file(const std::filesystem::path& path);

// The same without white space at the end, for files that hold one value.
std::optional<std::string> read_value(const std::filesystem::path& path);

// The first executable of that name in $PATH; absent when there is none.
std::optional<std::filesystem::path> find_in_path(std::string_view program);

bool is_executable(const std::filesystem::path& file);

// Those of `names` in `directory` that hold something; the empty ones are removed.
std::vector<std::string> keep_with_content(const std::filesystem::path& directory,
                                           const std::vector<std::string>& names);

// Now, as 2026-01-31T12:00:00Z, and as 20260131T120000Z for names of files.
std::string utc_now();
std::string utc_now_compact();

// CPU numbers this process may run on, ascending.
std::vector<int> allowed_cpus();

// Moves this process to `cpus`.
void pin_self(const std::vector<int>& cpus);

// {0,1,2,5} as "0-2,5".
std::string cpu_list(const std::vector<int>& cpus);

// Lets this process and its children open as many descriptors as the administrator allows: every
// client costs one on both sides.
void raise_descriptor_limit();

// From here on SIGINT, SIGTERM and SIGHUP only leave a note, which throw_if_interrupted() turns
// into Interrupted. Whoever waits does so in short slices and asks in between.
void note_signals();
void throw_if_interrupted();

// Monotonic time and waiting, replaced in tests by a clock that takes no time. Seconds.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual double now() = 0;
  virtual void sleep_until(double time) = 0;
};

class MonotonicClock : public Clock {
 public:
  double now() override;
  void sleep_until(double time) override;  // throws Interrupted
};

}  // namespace archbench

#include "harness/os/system.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "harness/error.h"

namespace archbench {
namespace {

volatile std::sig_atomic_t noted_signal = 0;

void note_signal(int number) { noted_signal = number; }

std::string utc(const char* format) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, format, &parts);
  return std::string(text, length);
}

}  // namespace

std::string errno_text(const std::string& what) { return what + ": " + std::strerror(errno); }

std::optional<std::string> read_file(const std::filesystem::path& path) {
  // Plain calls instead of a stream: the census reads thousands of /proc files in a row.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  std::string text;
  char buffer[16384];
  ssize_t n;
  while ((n = read(file, buffer, sizeof buffer)) > 0) text.append(buffer, n);
  close(file);
  if (n < 0) return std::nullopt;
  return text;
}

std::optional<std::string> read_value(const std::filesystem::path& path) {
  auto text = read_file(path);
  if (text) text->erase(text->find_last_not_of(" \t\r\n") + 1);
  return text;
}

bool is_executable(const std::filesystem::path& file) {
  std::error_code ignored;
  return access(file.c_str(), X_OK) == 0 && std::filesystem::is_regular_file(file, ignored);
}

std::optional<std::filesystem::path> find_in_path(std::string_view program) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path ? path : "";
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    const auto candidate = std::filesystem::path(rest.substr(0, colon)) / program;
    if (is_executable(candidate)) {
      return std::filesystem::absolute(candidate);
    }
    rest = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
  }
  return std::nullopt;
}

std::vector<std::string> keep_with_content(const std::filesystem::path& directory,
                                           const std::vector<std::string>& names) {
  std::vector<std::string> kept;
  for (const std::string& name : names) {
    std::error_code missing, ignored;
    const auto size = std::filesystem::file_size(directory / name, missing);
    if (missing) continue;
    if (size > 0) {
      kept.push_back(name);
    } else {
      std::filesystem::remove(directory / name, ignored);
    }
  }
  return kept;
}

std::string utc_now() { return utc("%Y-%m-%dT%H:%M:%SZ"); }
std::string utc_now_compact() { return utc("%Y%m%dT%H%M%SZ"); }

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) throw Error(errno_text("reading CPU affinity"));
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

void pin_self(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int cpu : cpus) CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    throw Error(errno_text("moving archbench to CPUs " + cpu_list(cpus)));
  }
}

std::string cpu_list(const std::vector<int>& cpus) {
  std::string text;
  for (std::size_t first = 0; first < cpus.size();) {
    std::size_t last = first;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    if (!text.empty()) text += ",";
    text += std::to_string(cpus[first]);
    if (last > first) text += "-" + std::to_string(cpus[last]);
    first = last + 1;
  }
  return text;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // should it fail, the doctor says that the limit is too low
}

void note_signals() {
  struct sigaction action {};
  action.sa_handler = note_signal;  // no SA_RESTART: a wait under way ends with EINTR
  for (int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
}

void throw_if_interrupted() {
  if (noted_signal != 0) throw Interrupted(noted_signal);
}

double MonotonicClock::now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void MonotonicClock::sleep_until(double time) {
  // A signal between the question and the sleep is noticed one slice later: 50 ms feels immediate.
  constexpr double kSlice = 0.05;
  for (double left; (left = time - now()) > 0;) {
    throw_if_interrupted();
    const double slice = std::min(left, kSlice);
    const timespec pause{0, static_cast<long>(slice * 1e9)};
    nanosleep(&pause, nullptr);
  }
  throw_if_interrupted();
}

}  // namespace archbench

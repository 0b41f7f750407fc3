#include "harness/os/process_tree.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

#include "harness/error.h"
#include "harness/os/system.h"

namespace archbench {
namespace {

// Numbers of /proc/PID/stat that are used here, see proc(5). It counts fields from 1; the second is
// the program's name in parentheses, which may hold spaces and parentheses itself.
struct Stat {
  std::uint64_t flags = 0;                                     // field 9
  std::uint64_t utime = 0, stime = 0, cutime = 0, cstime = 0;  // fields 14 to 17, ticks
  std::uint64_t rss_pages = 0;                                 // field 24
};

std::string proc(pid_t pid) { return "/proc/" + std::to_string(pid); }

std::uint64_t to_number(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::optional<Stat> read_stat(pid_t pid) {
  const auto text = read_file(proc(pid) + "/stat");
  if (!text) return std::nullopt;
  std::string_view rest(*text);
  rest.remove_prefix(std::min(rest.size(), rest.rfind(')') + 2));
  Stat stat;
  for (int field = 3; !rest.empty() && field <= 24; ++field) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 1));
    if (field == 9) stat.flags = to_number(word);
    if (field == 14) stat.utime = to_number(word);
    if (field == 15) stat.stime = to_number(word);
    if (field == 16) stat.cutime = to_number(word);
    if (field == 17) stat.cstime = to_number(word);
    if (field == 24) stat.rss_pages = to_number(word);
  }
  return stat;
}

// The names in a folder of /proc that are ids.
std::vector<pid_t> numbers_in(const std::string& folder) {
  std::vector<pid_t> numbers;
  DIR* directory = opendir(folder.c_str());
  if (directory == nullptr) return numbers;
  while (const dirent* entry = readdir(directory)) {
    if (const auto id = to_number(entry->d_name); id > 0) numbers.push_back(static_cast<pid_t>(id));
  }
  closedir(directory);
  return numbers;
}

std::vector<pid_t> threads_of(pid_t pid) { return numbers_in(proc(pid) + "/task"); }

// The number behind "name:" in text like /proc/PID/status.
std::uint64_t number_after(std::string_view text, std::string_view name) {
  const std::size_t found = text.find(name);
  if (found == std::string_view::npos) return 0;
  text.remove_prefix(found + name.size());
  text.remove_prefix(std::min(text.size(), text.find_first_of("0123456789")));
  return to_number(text);
}

double seconds_of_ticks(std::uint64_t ticks) {
  return static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// The kernel adds this up page by page: some 50 us for a small process.
std::optional<std::uint64_t> pss_of(pid_t pid) {
  const auto text = read_file(proc(pid) + "/smaps_rollup");
  if (!text || text->find("\nPss:") == std::string::npos) return std::nullopt;
  return number_after(*text, "\nPss:") * 1024;  // "kB" there means 1024 bytes
}

void add_thread_times(pid_t pid, std::vector<double>& times) {
  for (const pid_t thread : threads_of(pid)) {
    // "run_ns wait_ns slices"
    const auto text = read_file(proc(pid) + "/task/" + std::to_string(thread) + "/schedstat");
    if (text) times.push_back(1e-9 * static_cast<double>(to_number(*text)));
  }
  for (const pid_t child : children_of(pid)) add_thread_times(child, times);
}

[[noreturn]] void server_has_gone() {
  throw CellFailed(
      "the server's process has gone, or the kernel hides its children (it needs "
      "CONFIG_PROC_CHILDREN)");
}

}  // namespace

std::optional<double> process_cpu_seconds(pid_t pid) {
  clockid_t clock;
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    return std::nullopt;
  }
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

std::optional<double> programs_cpu_seconds() {
  constexpr std::uint64_t kKernelThread = 0x00200000;  // PF_KTHREAD in the kernel's sched.h
  // Where the whole machine can be seen, process 2 is the one that starts the kernel's threads.
  const auto second = read_stat(2);
  if (!second || (second->flags & kKernelThread) == 0) return std::nullopt;
  double total = 0;
  for (const pid_t pid : numbers_in("/proc")) {
    const auto stat = read_stat(pid);
    if (!stat || (stat->flags & kKernelThread) != 0) continue;
    total += process_cpu_seconds(pid).value_or(0) + seconds_of_ticks(stat->cutime + stat->cstime);
  }
  return total;
}

// Children of the main thread: State Threads' servers fork from there, as servers do.
std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  const auto text = read_file(proc(pid) + "/task/" + std::to_string(pid) + "/children");
  if (!text) return children;
  for (std::string_view rest(*text); !rest.empty();) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (end > 0) children.push_back(static_cast<pid_t>(to_number(rest.substr(0, end))));
    rest.remove_prefix(std::min(rest.size(), end + 1));
  }
  return children;
}

std::vector<double> worker_cpu_seconds(pid_t pid) {
  constexpr double kNextToNothing = 0.02;  // of the busiest: a main thread that starts and joins
  std::vector<double> times;
  add_thread_times(pid, times);
  if (times.size() < 2) return times;
  const double busiest = *std::max_element(times.begin(), times.end());
  if (times.front() < kNextToNothing * busiest) times.erase(times.begin());
  return times;
}

ProcessTree::ProcessTree(pid_t root) : root_(root), parents_{root} {}

Census ProcessTree::census() {
  if (access((proc(root_) + "/task/" + std::to_string(root_) + "/children").c_str(), R_OK) != 0) {
    server_has_gone();
  }
  Census census;
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  bool all_pss = true;
  std::uint64_t pss_bytes = 0;
  std::vector<pid_t> parents{root_};
  std::vector<pid_t> todo{root_};
  while (!todo.empty()) {
    const pid_t pid = todo.back();
    todo.pop_back();
    const auto stat = read_stat(pid);
    if (!stat) continue;  // it has ended meanwhile; its parent has its CPU time or will have
    ++census.processes;
    census.rss_bytes += stat->rss_pages * page;
    const auto pss = pss_of(pid);
    all_pss = all_pss && pss;
    pss_bytes += pss.value_or(0);
    census.user_ticks += stat->utime + stat->cutime;
    census.system_ticks += stat->stime + stat->cstime;
    for (const pid_t thread : threads_of(pid)) {
      const auto status = read_file(proc(pid) + "/task/" + std::to_string(thread) + "/status");
      if (!status) continue;
      ++census.threads;
      census.vehicles.push_back(thread);
      census.voluntary_switches += number_after(*status, "\nvoluntary_ctxt_switches:");
      census.involuntary_switches += number_after(*status, "\nnonvoluntary_ctxt_switches:");
    }
    const auto children = children_of(pid);
    if (!children.empty() && pid != root_) parents.push_back(pid);
    todo.insert(todo.end(), children.begin(), children.end());
  }
  std::sort(census.vehicles.begin(), census.vehicles.end());
  parents_ = std::move(parents);
  if (all_pss) census.pss_bytes = pss_bytes;
  census.cpu_s = cpu_seconds();
  census.machine_forks = number_after(read_file("/proc/stat").value_or(""), "\nprocesses ");
  return census;
}

double ProcessTree::cpu_seconds() {
  const auto of_root = process_cpu_seconds(root_);
  if (!of_root) server_has_gone();
  double total = *of_root;
  for (const pid_t parent : parents_) {
    // The living first: one that ends in between is then counted twice rather than not at all,
    // which would let the sum go down. A server whose processes live through the window has
    // neither.
    for (const pid_t child : children_of(parent)) total += process_cpu_seconds(child).value_or(0);
    if (const auto stat = read_stat(parent)) {
      total += seconds_of_ticks(stat->cutime) + seconds_of_ticks(stat->cstime);
    }
  }
  return total;
}

}  // namespace archbench

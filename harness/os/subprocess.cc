#include "harness/os/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "harness/error.h"
#include "harness/os/system.h"

namespace archbench {
namespace {

// Runs in the child, between fork and exec. archbench has one thread, so everything is allowed
// here. Returns only when something failed, with errno set.
void become(const Program& program, int input, int output, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, program.death_signal);
  if (getppid() != parent) _exit(1);  // archbench died before the request was made
  if (!program.cpus.empty()) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int cpu : program.cpus) CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) return;
  }
  if (!program.talk) {
    const char* file = program.stdin_file.empty() ? "/dev/null" : program.stdin_file.c_str();
    input = open(file, O_RDONLY | O_CLOEXEC);
  }
  if (input < 0 || dup2(input, STDIN_FILENO) < 0) return;
  if (!program.stdout_file.empty()) {
    output = open(program.stdout_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  }
  if (output < 0 || dup2(output, STDOUT_FILENO) < 0) return;
  if (!program.stderr_file.empty()) {
    const int errors =
        open(program.stderr_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (errors < 0 || dup2(errors, STDERR_FILENO) < 0) return;
  }
  for (const auto& [name, value] : program.environment) setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> arguments;
  for (const auto& argument : program.command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
}

struct Pipe {
  int read_end = -1, write_end = -1;
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw Error(errno_text("making a pipe"));
    read_end = ends[0];
    write_end = ends[1];
  }
};

}  // namespace

Child::Child(const Program& program) {
  // Orphans of a child come to archbench instead of init, so that kill() can wait for them.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const Pipe output, failure;  // `failure` closes by itself when exec succeeds
  // A socket and no pipe, because only a socket can be written to without SIGPIPE.
  int input[2] = {-1, -1};
  if (program.talk && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input) != 0) {
    throw Error(errno_text("making a socket pair"));
  }
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    become(program, input[1], output.write_end, parent);
    const int error = errno;
    [[maybe_unused]] const ssize_t ignored = write(failure.write_end, &error, sizeof error);
    _exit(127);
  }
  const int fork_error = errno;
  close(output.write_end);
  close(failure.write_end);
  if (program.talk) close(input[1]);
  int error = pid_ < 0 ? fork_error : 0;
  if (pid_ > 0) {
    while (read(failure.read_end, &error, sizeof error) < 0 && errno == EINTR) continue;
  }
  close(failure.read_end);
  output_ = output.read_end;
  input_ = input[0];
  // By its number: the declaration in glibc 2.36 (sys/pidfd.h) forgets extern "C".
  if (error == 0) pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (error == 0 && pidfd_ < 0) error = errno;
  if (error != 0) {
    if (pid_ > 0) kill();
    close(output_);
    if (input_ >= 0) close(input_);
    errno = error;
    throw Error(errno_text("starting " + program.command.front()));
  }
}

Child::~Child() {
  kill();
  close(output_);
  if (input_ >= 0) close(input_);
  close(pidfd_);
}

void Child::say(const std::string& line) {
  const std::string text = line + "\n";
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t n = send(input_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error(errno_text("talking to a program"));
    sent += static_cast<std::size_t>(n);
  }
}

std::optional<std::string> Child::read_line(double seconds) {
  MonotonicClock clock;
  const double deadline = clock.now() + seconds;
  for (std::size_t seen = 0;;) {
    if (const std::size_t end = pending_.find('\n', seen); end != std::string::npos) {
      std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return line;
    }
    seen = pending_.size();
    throw_if_interrupted();
    const double left = deadline - clock.now();
    if (left <= 0) return std::nullopt;
    pollfd ready{output_, POLLIN, 0};
    // Slices of 50 ms, so that a signal that came just before poll() is noticed soon.
    if (poll(&ready, 1, static_cast<int>(std::min(left * 1e3, 50.0)) + 1) <= 0) continue;
    char buffer[65536];
    const ssize_t n = read(output_, buffer, sizeof buffer);
    if (n > 0) pending_.append(buffer, n);
    if (n == 0) return std::nullopt;
  }
}

bool Child::ended(double seconds) {
  if (ended_) return true;
  MonotonicClock clock;
  const double deadline = clock.now() + seconds;
  for (;;) {
    const double left = std::max(0.0, deadline - clock.now());
    pollfd gone{pidfd_, POLLIN, 0};
    const int n = poll(&gone, 1, static_cast<int>(left * 1e3 + 0.999));
    if (n > 0) break;
    if (n == 0 || errno != EINTR || left == 0) return false;
  }
  // WNOWAIT leaves the zombie: its pid, which is also its group's number, stays ours until kill().
  siginfo_t info{};
  waitid(P_PID, pid_, &info, WEXITED | WNOWAIT);
  status_ = info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status;
  ended_ = true;
  return true;
}

void Child::signal(int number) {
  if (!reaped_) ::kill(pid_, number);
}

void Child::kill() {
  if (reaped_) return;
  ::kill(pid_, SIGKILL);   // also when setpgid() has not happened yet
  ::kill(-pid_, SIGKILL);  // whatever it left behind
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
  if (!ended_) status_ = status;
  // Its orphans are our children now (subreaper); they are dead or dying.
  for (;;) {
    const pid_t orphan = waitpid(-pid_, nullptr, 0);
    if (orphan < 0 && errno != EINTR) break;
  }
  ended_ = reaped_ = true;
}

std::string Child::how_it_ended() const {
  if (WIFEXITED(status_)) return "exit status " + std::to_string(WEXITSTATUS(status_));
  return "signal " + std::to_string(WTERMSIG(status_)) + " (" + strsignal(WTERMSIG(status_)) + ")";
}

std::optional<std::string> capture(const std::vector<std::string>& command, bool any_status) {
  constexpr double kPatience = 10;  // seconds; git and sha256sum take milliseconds
  try {
    Child child({.command = command,
                 .cpus = {},
                 .stdout_file = {},
                 .stderr_file = "/dev/null",
                 .environment = {}});
    std::string text;
    while (auto line = child.read_line(kPatience)) text += *line + "\n";
    if (!child.ended(kPatience) || (!any_status && !child.succeeded())) return std::nullopt;
    return text;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string sha256_of(const std::filesystem::path& file) {
  constexpr std::size_t kDigits = 64;
  const auto text = capture({"sha256sum", "--", file.string()});
  if (!text || text->size() < kDigits) return "";
  return text->substr(0, kDigits);
}

}  // namespace archbench

#include "harness/site/ssh.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/error.h"
#include "harness/os/system.h"

namespace archbench {
namespace {

// A connection is made in a second; a file of some megabytes takes longer over a slow line.
constexpr double kConnectPatience = 20, kCopyPatience = 120;

constexpr std::string_view kTemplate = "archbench-ssh-XXXXXX";  // mkdtemp() fills in the last six
constexpr std::string_view kPrefix = kTemplate.substr(0, kTemplate.size() - 6);

// Nobody removes the folder of an archbench that was killed but the next one: its lock is free.
void remove_abandoned(const std::filesystem::path& parent) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
    if (!entry.path().filename().string().starts_with(kPrefix)) continue;
    const int folder = open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) continue;
    if (flock(folder, LOCK_EX | LOCK_NB) == 0) std::filesystem::remove_all(entry, ignored);
    close(folder);
  }
}

}  // namespace

SocketFolder::SocketFolder() {
  // Paths of sockets may have 107 characters, so not below the campaign's folder.
  const auto parent = std::filesystem::temp_directory_path();
  remove_abandoned(parent);
  struct stat status {};
  // Without a link: somebody who cleans up was faster than our lock.
  while (status.st_nlink == 0) {
    if (lock_ >= 0) close(lock_);
    std::string name = (parent / kTemplate).string();
    if (mkdtemp(name.data()) == nullptr) throw CellFailed(errno_text("making a folder for ssh"));
    path_ = name;
    lock_ = open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock_ < 0) continue;
    flock(lock_, LOCK_EX);
    fstat(lock_, &status);
  }
}

SocketFolder::~SocketFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
  close(lock_);
}

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

Ssh::Ssh(const Host& host) : host_(host) {
  // The master's own command lasts until its standard input ends.
  Program master = program("echo here; exec cat");
  master.command.insert(master.command.begin() + 1, {"-o", "ControlMaster=yes"});
  master.talk = true;
  master_ = std::make_unique<Child>(master);
  if (!master_->read_line(kConnectPatience)) result(*master_, "connecting");
}

Program Ssh::program(const std::string& script) const {
  Program program;
  // BatchMode: nobody is there to be asked for a password. A host that has gone is noticed after
  // three unanswered questions, 9 s.
  program.command = {"ssh", "-T",
                     "-o",  "BatchMode=yes",
                     "-o",  "ConnectTimeout=10",
                     "-o",  "ServerAliveInterval=3",
                     "-S",  (scratch_.path() / "socket").string()};
  program.command.insert(program.command.end(), host_.ssh.begin(), host_.ssh.end());
  program.command.insert(program.command.end(), {host_.destination, script});
  program.stderr_file = scratch_.path() / "errors";
  return program;
}

std::string Ssh::result(Child& child, const std::string& what) {
  std::string text;
  while (auto line = child.read_line(kCopyPatience)) text += *line + "\n";
  const bool in_time = child.ended(kConnectPatience);
  if (in_time && child.succeeded() && what != "connecting") return text;
  const std::string said = read_value(scratch_.path() / "errors").value_or("");
  throw CellFailed("host " + host_.name + ": " + what + " failed with " +
                   (in_time ? child.how_it_ended() : "no end") +
                   (said.empty() ? "" : "; ssh said: " + said.substr(0, 500)));
}

std::string Ssh::run(const std::string& script) {
  Child child(program(script));
  return result(child, "a command");
}

void Ssh::put(const std::filesystem::path& file, const std::string& path) {
  // Renaming is the moment at which it is there: the half of a program never has its name.
  const std::string whole = shell_quoted(path), part = shell_quoted(path + ".") + "$$";
  Program copy = program(
      "umask 077; mkdir -p " + shell_quoted(std::filesystem::path(path).parent_path().string()) +
      " && cat > " + part + " && chmod 700 " + part + " && mv " + part + " " + whole);
  copy.stdin_file = file;
  Child child(copy);
  result(child, "copying " + file.filename().string());
}

std::unique_ptr<Child> Ssh::start(const std::string& script) {
  Program talking = program(script);
  talking.talk = true;
  return std::make_unique<Child>(talking);
}

}  // namespace archbench

#include "baselines/edsm/disk_helpers.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <stdexcept>
#include <string>

#include "baselines/common/children.h"
#include "baselines/common/job.h"
#include "baselines/common/log.h"
#include "baselines/common/program.h"

namespace baselines {
namespace {

// As many reads at once keep a disk busy that serves several, and are few beside the clients.
constexpr std::size_t kDefaultHelpers = 8;

// All descriptors but two: the clients' connections must not stay open in here when the loop has
// closed them.
void close_all_but(int one, int other) {
  const auto [low, high] = std::minmax({static_cast<unsigned>(one), static_cast<unsigned>(other)});
  constexpr unsigned kStderr = 2;
  if (low > kStderr + 1) close_range(kStderr + 1, low - 1, 0);
  if (high > low + 1) close_range(low + 1, high - 1, 0);
  close_range(high + 1, ~0U, 0);
}

}  // namespace

// The loop's between a session's turns, the helper's in between.
struct DiskHelpers::Desk {
  alignas(kDiskAlignment) std::array<char, kDiskBlockBytes> block;
  DiskReads reads;
  bool done;
};

void DiskHelpers::Unmap::operator()(Desk* desks) const noexcept { munmap(desks, bytes); }

DiskHelpers::DiskHelpers(Epoll& epoll, const Server& server) : epoll_(epoll) {
  const DiskFile* file = server.site.disk_file();
  if (file == nullptr) return;
  disk_ = file->random_reads(0).fd;
  count_ = server.options.workers == 0 ? kDefaultHelpers
                                       : static_cast<std::size_t>(server.options.workers);
  const std::size_t bytes = count_ * sizeof(Desk);
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  desks_ = {static_cast<Desk*>(memory), Unmap{bytes}};
  helpers_ = std::make_unique<Helper[]>(count_);
  for (std::size_t i = 0; i < count_; ++i) {
    helpers_[i].desk = &desks_[i];
    start(helpers_[i]);
  }
}

DiskHelpers::~DiskHelpers() {
  for (std::size_t i = 0; i < count_; ++i) helpers_[i].socket.close();  // tells it to end
  for (std::size_t i = 0; i < count_; ++i) waitpid(helpers_[i].pid, nullptr, 0);
}

void DiskHelpers::start(Helper& helper) {
  std::array<int, 2> ends{-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0) {
    helper.pid = fork_bound_to_parent();
  }
  if (ends[0] < 0 || helper.pid < 0) {
    throw std::runtime_error("cannot start a disk helper: " + describe_errno(errno) +
                             "; ask for fewer --workers, or raise 'ulimit -u' and 'ulimit -n'");
  }
  if (helper.pid == 0) work(ends[1], disk_, *helper.desk);
  close(ends[1]);
  helper.socket = Fd(ends[0]);
  epoll_.watch(ends[0]);
}

// What a helper does all its life, which ends when the loop's end of the socket is closed.
void DiskHelpers::work(int socket, int disk, Desk& desk) {
  close_all_but(socket, disk);
  char byte = 0;
  while (read(socket, &byte, 1) == 1) {
    desk.done = desk.reads.read_all(desk.block.data());
    if (write(socket, &byte, 1) != 1) break;
  }
  _exit(0);
}

bool DiskHelpers::begin(Session& client) {
  Helper* const end = helpers_.get() + count_;
  Helper* const free = std::find_if(helpers_.get(), end,
                                    [](const Helper& helper) { return helper.client == nullptr; });
  if (free == end) {
    waiting_.push_back(&client);
  } else {
    assign(*free, client);
  }
  return false;
}

void DiskHelpers::assign(Helper& helper, Session& client) {
  helper.client = &client;
  helper.desk->reads = std::get<DiskJob>(client.job().work).reads;
  const char byte = 0;
  // Never waits: the socket is empty. A helper that has died is found out about by ready().
  send(helper.socket.get(), &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

DiskHelpers::Helper* DiskHelpers::find(int fd) const {
  Helper* const end = helpers_.get() + count_;
  Helper* const found = std::find_if(
      helpers_.get(), end, [fd](const Helper& helper) { return helper.socket.get() == fd; });
  return found == end ? nullptr : found;
}

Session* DiskHelpers::ready(int fd) {
  Helper& helper = *find(fd);
  char byte = 0;
  const ssize_t bytes = recv(fd, &byte, 1, MSG_DONTWAIT);
  if (bytes < 0 && errno == EAGAIN) return nullptr;
  const bool alive = bytes == 1;
  Session* const client = std::exchange(helper.client, nullptr);
  if (client != nullptr && !(alive && helper.desk->done)) client->job().failure = 500;
  if (!alive) {
    int status = 0;
    waitpid(helper.pid, &status, 0);
    log_line("disk helper %d %s; starting another", static_cast<int>(helper.pid),
             describe_end(status).c_str());
    epoll_.unwatch(fd);
    helper.socket.close();
    start(helper);
  }
  if (!waiting_.empty()) {
    assign(helper, *waiting_.front());
    waiting_.pop_front();
  }
  return client;
}

}  // namespace baselines

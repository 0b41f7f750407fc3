#include "harness/stload/stamps.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "harness/stload/error.h"

namespace stload {
namespace {

Duration time_of_day() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// The clock of the day minus ours. The look that took least time is the best: a pause between its
// readings would be in the distance.
Duration distance_between_clocks() {
  constexpr int kLooks = 20;  // 2 us in all; one pause in 20 looks is much already
  Duration shortest = Duration::max(), distance{};
  for (int i = 0; i < kLooks; ++i) {
    const Duration before = Clock::now().time_since_epoch();
    const Duration day = time_of_day();
    const Duration after = Clock::now().time_since_epoch();
    if (after - before >= shortest) continue;
    shortest = after - before;
    distance = day - (before + shortest / 2);
  }
  return distance;
}

}  // namespace

Stamps::Stamps()
    // Whenever the first socket of the machine asks for stamps, and the last one closes, the kernel
    // changes its own code, which is work for all CPUs and begins some time later. A socket that
    // receives nothing keeps it from doing so for each connection.
    : keeper_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), ahead_(distance_between_clocks()) {
  if (keeper_ < 0) throw Fatal(with_errno("a socket for the kernel's time stamps", errno));
  ask_for(keeper_);
}

Stamps::~Stamps() {
  if (keeper_ >= 0) close(keeper_);
}

void Stamps::ask_for(int socket) {
  const int on = 1;
  // Where it fails there are no stamps, and every answer is read without one.
  setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
}

ssize_t Stamps::read(st_netfd_t socket, std::span<char> into, st_utime_t timeout,
                     std::optional<Duration>& stamp) {
  iovec piece = {into.data(), into.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(timespec))];
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  stamp.reset();
  const int got = st_recvmsg(socket, &message, 0, timeout);
  if (got < 0) return got;
  const cmsghdr* found = CMSG_FIRSTHDR(&message);
  if (found != nullptr && found->cmsg_level == SOL_SOCKET && found->cmsg_type == SCM_TIMESTAMPNS) {
    timespec time{};
    std::memcpy(&time, CMSG_DATA(found), sizeof(time));
    stamp = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }
  return got;
}

std::optional<Time> Stamps::arrival(Duration stamp, Time asked, Time read) {
  const Time time(stamp - ahead_);
  if (time >= asked && time <= read) return time;
  impossible_ = true;
  ahead_ = distance_between_clocks();
  return std::nullopt;
}

bool Stamps::clock_was_set() const {
  // Measured again it differs by less than a look takes, some ten nanoseconds.
  constexpr Duration kSame = std::chrono::microseconds(1);
  return impossible_ || std::chrono::abs(distance_between_clocks() - ahead_) > kSame;
}

}  // namespace stload

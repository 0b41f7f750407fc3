#include "baselines/common/signals.h"

#include <sys/signalfd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

#include "baselines/common/log.h"

namespace baselines {

Signals::Signals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&stop_);
  sigaddset(&stop_, SIGTERM);
  sigaddset(&stop_, SIGINT);
  all_ = stop_;
  sigaddset(&all_, SIGCHLD);
  pthread_sigmask(SIG_BLOCK, &all_, nullptr);
  renew();
}

void Signals::renew() {
  fd_ = Fd(signalfd(-1, &all_, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd_) {
    throw std::runtime_error("cannot make a signalfd: " + describe_errno(errno) +
                             "; raise 'ulimit -n', or use Linux 2.6.27 or later");
  }
}

Signals::Heard Signals::take() {
  Heard heard;
  std::array<signalfd_siginfo, 8> come;
  for (;;) {
    const ssize_t bytes = read(fd_.get(), come.data(), sizeof(come));
    if (bytes <= 0) return heard;  // EAGAIN: nothing more
    const std::size_t count = static_cast<std::size_t>(bytes) / sizeof(signalfd_siginfo);
    for (std::size_t i = 0; i < count; ++i) {
      (come[i].ssi_signo == SIGCHLD ? heard.children : heard.stop) = true;
    }
  }
}

void Signals::let_act() {
  fd_.close();
  pthread_sigmask(SIG_UNBLOCK, &stop_, nullptr);
}

}  // namespace baselines

// When answers arrived: the kernel's time stamps of what it received.
#pragma once

#include <st.h>

#include <optional>
#include <span>

#include "harness/stload/clock.h"

namespace stload {

// The kernel stamps a segment when it comes in, before TCP gives it to a socket. Whether this
// process has a CPU at that moment, and when it gets to reading, is not in such a time.
//
// Stamps are on the clock of the day, and are converted by the distance between that clock and
// ours, which changes only when somebody sets the clock of the day.
class Stamps {
 public:
  // As long as there is one, the kernel stamps all that it receives: some ten nanoseconds for each
  // packet of the machine. Throws Fatal when there is no descriptor left.
  Stamps();
  // With a known distance: the clock of the day minus ours.
  explicit Stamps(Duration ahead) : ahead_(ahead) {}
  ~Stamps();
  Stamps(const Stamps&) = delete;
  Stamps& operator=(const Stamps&) = delete;

  // From now on reads from this socket bring stamps.
  static void ask_for(int socket);

  // As st_read(). `stamp` becomes that of the last byte read, on the clock of the day; none when
  // the kernel gives none, as for the end of a stream.
  static ssize_t read(st_netfd_t socket, std::span<char> into, st_utime_t timeout,
                      std::optional<Duration>& stamp);

  // The stamp on our clock. None when it cannot be of an answer that was asked for not before
  // `asked`, and read by `read`: then the clock of the day was set in between, and the distance is
  // measured again.
  std::optional<Time> arrival(Duration stamp, Time asked, Time read);

  // Whether the clock of the day was set since this was made. Where that did not make a stamp
  // impossible, times may be wrong by as much as it was set.
  bool clock_was_set() const;

 private:
  int keeper_ = -1;
  Duration ahead_{};
  bool impossible_ = false;  // a stamp was
};

}  // namespace stload

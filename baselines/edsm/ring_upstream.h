// A connection to the origin in a completion loop: connect, send and receive are asked for one
// after another, and every completion decides what is asked for next.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string_view>
#include <vector>

#include "baselines/common/fd.h"
#include "baselines/common/job.h"
#include "baselines/edsm/descriptor_table.h"
#include "baselines/edsm/ring.h"
#include "baselines/edsm/ring_session.h"

namespace baselines {

struct RingUpstream {
  enum class State {
    connecting,
    sending,    // the request, or what is left of it
    receiving,  // the answer
    idle,       // nobody's, and nothing is asked of the kernel
  };

  explicit RingUpstream(Fd connection) : socket(std::move(connection)) {}

  Fd socket;
  State state = State::connecting;
  bool used = false;  // has carried another request before
  RingSession* client = nullptr;
  FetchJob* fetch = nullptr;  // the client's
  std::string_view unsent;    // of its request
};

// What the loop fetches for its clients; twin of Fetches (fetches.h).
class RingFetches {
 public:
  // `tag` of an upstream is what its completions are told by.
  using Tag = std::uint64_t (*)(const RingUpstream*);
  RingFetches(Ring& ring, Tag tag) : ring_(ring), tag_(tag) {}

  // Begins the fetch that a session waits for. True: it has failed already.
  bool begin(RingSession& client);

  // What was asked for an upstream has completed. Returns the session whose fetch has ended by
  // that, or null.
  RingSession* completed(RingUpstream& upstream, const io_uring_cqe& completion);

  // The session's deadline has passed; if it fetches, that ends with a completion.
  void give_up(RingSession& client);

 private:
  // Each holds a descriptor here and something more at the origin.
  static constexpr std::size_t kMaxIdle = 256;

  bool connect(RingSession& client);
  void converse(RingUpstream& upstream, RingSession& client);
  std::optional<bool> advance(RingUpstream& upstream, const io_uring_cqe& completion);
  void request_send(RingUpstream& upstream);
  void request_receive(RingUpstream& upstream);
  void keep(RingUpstream& upstream);

  Ring& ring_;
  const Tag tag_;
  DescriptorTable<RingUpstream> upstreams_;
  std::vector<RingUpstream*> idle_;  // the one used last is used next
};

}  // namespace baselines

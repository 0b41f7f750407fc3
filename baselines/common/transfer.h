// How a call that moves bytes on a connection, or makes one, has ended.
#pragma once

#include <cstddef>

namespace baselines {

struct Transfer {
  enum class End {
    done,       // `bytes` were moved
    timed_out,  // none could be moved until the deadline
    over,       // read: the other side sends no more
    broken,     // the connection is gone
  };
  End end;
  std::size_t bytes = 0;
};

}  // namespace baselines

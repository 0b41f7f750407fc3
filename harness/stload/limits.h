// Limits of the system that a load generator runs into, in sentences that say what to do.
#pragma once

#include <string>

#include "harness/stload/options.h"

namespace stload {

// Throws Fatal when the connections asked for cannot all be opened here: better before the run than
// in the middle of it.
void check_limits(const Options& options);

// Why no connection could be opened, from errno.
std::string explain_connect(int error, const Address& address);

}  // namespace stload

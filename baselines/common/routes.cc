#include "baselines/common/endpoints.h"

namespace baselines {
namespace {

struct Entry {
  std::string_view path;              // ends in '/': everything below it; else this path alone
  Endpoint endpoint;                  // either this
  WaitingEndpoint waiting = nullptr;  // or this
};

// Few enough that looking at each is faster than any map; those of which the handler's own cost is
// measured come first.
constexpr Entry kRoutes[] = {
    {"/plaintext", plaintext},
    {"/bytes/", bytes},
    {"/file/", file},
    {"/cpu/", cpu},
    {"/alloc/", alloc},
    {"/disk/", nullptr, disk},
    {"/proxy/", nullptr, proxy},
};

}  // namespace

Route find_route(std::string_view path) {
#pragma GCC unroll 8  // so that every comparison is one with a constant
  for (const Entry& entry : kRoutes) {
    if (!path.starts_with(entry.path)) continue;
    if (entry.path.back() == '/' || path.size() == entry.path.size()) {
      return {entry.endpoint, entry.waiting, entry.path.size()};
    }
  }
  return {nullptr, nullptr, 0};
}

}  // namespace baselines

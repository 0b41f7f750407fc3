#include "baselines/common/endpoints.h"

namespace baselines {
namespace {

struct Entry {
  std::string_view path;  // ends in '/': everything below it; else this path alone
  Endpoint endpoint;
};

// Few enough that looking at each is faster than any map.
constexpr Entry kRoutes[] = {
    {"/plaintext", plaintext},
    {"/bytes/", bytes},
    {"/file/", file},
};

}  // namespace

Route find_route(std::string_view path) {
  for (const Entry& entry : kRoutes) {
    if (!path.starts_with(entry.path)) continue;
    if (entry.path.back() == '/' || path.size() == entry.path.size()) {
      return {entry.endpoint, path.substr(entry.path.size())};
    }
  }
  return {nullptr, {}};
}

}  // namespace baselines

// Where archbench finds what it works with.
#pragma once

#include <filesystem>

namespace archbench {

struct Places {
  std::filesystem::path self;     // folder of archbench itself
  std::filesystem::path servers;  // folder with the httpd_* binaries
  std::filesystem::path plans;    // plans that come with archbench
  std::filesystem::path script;   // report.lua, for wrk
  std::filesystem::path scripts;  // the Python programs; empty: not there
};

// `servers` is the user's choice; empty: beside archbench itself. Data are looked for where
// `install` puts them, then in the source tree that archbench was built from.
Places find_places(const std::filesystem::path& servers);

}  // namespace archbench

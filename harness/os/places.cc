#include "harness/os/places.h"

#include "harness/error.h"
#include "harness/version.h"

namespace archbench {

namespace fs = std::filesystem;

Places find_places(const fs::path& servers) {
  const fs::path bin = fs::read_symlink("/proc/self/exe").parent_path();
  Places places;
  places.servers = servers.empty() ? bin : fs::absolute(servers);
  places.self = bin;
  for (const fs::path& data : {bin / "../share/archbench", fs::path(kSourceDirectory)}) {
    if (fs::is_regular_file(data / "generators/report.lua")) {
      places.script = fs::canonical(data / "generators/report.lua");
      places.plans = fs::canonical(data) / "plans";
      for (const fs::path& scripts : {data / "scripts", data / "../scripts"}) {
        if (fs::is_regular_file(scripts / "results.py")) places.scripts = fs::canonical(scripts);
      }
      return places;
    }
  }
  throw Error("generators/report.lua is missing: neither in " +
              (bin / "../share/archbench").string() + " nor in " + kSourceDirectory +
              "; install archbench with cmake --install");
}

}  // namespace archbench

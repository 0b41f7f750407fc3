// archbench at the other end of an ssh connection: does there what Server, Generator and the probe
// do here.
//
// One JSON object on a line asks ({"id": 7, "do": "server.start", ...}), one answers ({"id": 7,
// "gives": ...}, or "failed" with a sentence). It ends, with everything it started, when its
// standard input does: that is when archbench, the connection or the machine it came from has gone.
#pragma once

#include <filesystem>

namespace archbench {

// `base` is where the programs were put; a folder for this run is made below it and removed.
int serve_as_agent(const std::filesystem::path& base);

}  // namespace archbench

#include "harness/plan/cell.h"

#include <cctype>
#include <cstdio>

namespace archbench {

std::string Cell::condition() const {
  return workload.name + "/c" + std::to_string(clients) + "/k" + std::to_string(cpus);
}

std::string Cell::id() const {
  return server.architecture + "/" + server.model + "/" + server.label + "/" + condition() + "/b" +
         std::to_string(block);
}

std::string Cell::file_stem() const {
  char position[48];
  std::snprintf(position, sizeof position, "b%d-%04d-", block, order);
  std::string stem = position + server.label + "-" + workload.name + "-c" +
                     std::to_string(clients) + "-k" + std::to_string(cpus);
  for (char& c : stem) {
    // Block and order make the name unique, so different labels may fold into the same letters.
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '.') c = '_';
  }
  return stem;
}

ServerSpec ceiling_server() {
  ServerSpec server{"null", "null", "ceiling", {}};
  server.program = "httpd_null";
  return server;
}

}  // namespace archbench

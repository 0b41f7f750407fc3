#include "harness/cell.h"

#include <cctype>

namespace archbench {

std::string Cell::id() const {
  return server.architecture + "/" + server.model + "/" + server.label + "/" + workload.name +
         "/c" + std::to_string(clients) + "/k" + std::to_string(cpus) + "/b" +
         std::to_string(block);
}

std::string Cell::file_stem() const {
  std::string position = std::to_string(order);
  if (position.size() < 4) position.insert(0, 4 - position.size(), '0');
  std::string stem = "b" + std::to_string(block) + "-" + position + "-" + server.label + "-" +
                     workload.name + "-c" + std::to_string(clients) + "-k" + std::to_string(cpus);
  for (char& c : stem) {
    // Block and order make the name unique, so different labels may fold into the same letters.
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '.') c = '_';
  }
  return stem;
}

}  // namespace archbench

#include "baselines/common/disk_file.h"
#include "baselines/common/endpoints.h"

namespace baselines {

JobOrAnswer disk(const Call& call) {
  const DiskFile* const file = call.site.disk_file();
  std::uint64_t count = 0;
  if (file == nullptr || !is_number(call.rest, call.site.options().max_disk_reads, count)) {
    return status_answer(404);
  }
  const auto reads = static_cast<std::uint32_t>(count);
  return std::make_unique<Job>(DiskJob{file->random_reads(reads), reads, make_disk_buffer()});
}

}  // namespace baselines

#include "baselines/common/job.h"

#include "baselines/common/output.h"

namespace baselines {
namespace {

void append(const DiskJob& disk, const Job& job, Output& output, Clock::time_point now) {
  const std::string text = std::to_string(disk.count) + " blocks read\n";
  Answer answer;
  answer.content_type = "text/plain";
  answer.body = text;  // short enough to be copied
  output.append(answer, job.head_only, job.connection_field, now);
}

}  // namespace

void append_answer(std::shared_ptr<const Job> job, Output& output, Clock::time_point now) {
  if (job->failure != 0) {
    output.append(status_answer(job->failure), job->head_only, job->connection_field, now);
  } else if (const auto* disk = std::get_if<DiskJob>(&job->work)) {
    append(*disk, *job, output, now);
  } else {
    const UpstreamAnswer& answer = std::get<FetchJob>(job->work).answer;
    const std::string_view field = job->connection_field;
    output.append_foreign(answer.status(), answer.head(), field, answer.body(), std::move(job));
  }
}

}  // namespace baselines

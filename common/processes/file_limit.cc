#include "common/processes/file_limit.h"

#include <sys/resource.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

// The program's own, its records and checkpoints, and connections of people's tools.
constexpr uint64_t kOwnFiles = 128;
// A worker's calls and its streams; and once more while it comes back before the old ones are known to be gone.
constexpr uint64_t kFilesPerWorker = 4;
// What a child prints, and its log.
constexpr uint64_t kFilesPerChild = 3;

}  // namespace

uint64_t RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  rlimit raised{limit.rlim_max, limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) != 0) return limit.rlim_cur;
  return raised.rlim_cur;
}

absl::Status CheckFileLimit(uint64_t limit, int expected_workers, int local_workers) {
  const auto workers = static_cast<uint64_t>(std::max(expected_workers, local_workers));
  const uint64_t needed = kOwnFiles + kFilesPerWorker * workers + kFilesPerChild * static_cast<uint64_t>(local_workers);
  if (limit >= needed) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("open files: ", limit, " may be open (ulimit -Hn), and ", needed,
                                                   " are needed for ", workers, workers == 1 ? " worker" : " workers"));
}

}  // namespace troupe

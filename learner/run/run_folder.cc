#include "learner/run/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <random>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/config/experiment_loader.h"
#include "common/files/atomic_file.h"
#include "common/status_macros.h"
#include "learner/checkpoint/resume_check.h"

namespace troupe {
namespace {

std::string RandomId() {
  std::random_device entropy;
  return absl::StrFormat("%08x%08x", entropy(), entropy());
}

}  // namespace

absl::StatusOr<std::unique_ptr<RunFolder>> RunFolder::Open(const std::string& path, const Experiment& experiment,
                                                           bool fresh) {
  std::unique_ptr<RunFolder> folder(new RunFolder(path));
  for (const char* name : {"checkpoints", "actors", "workers"}) RETURN_IF_ERROR(MakeFolder(folder->File(name)));
  RETURN_IF_ERROR(folder->Lock());
  bool is_new = false;
  RETURN_IF_ERROR(folder->LoadOrMakeRunId(fresh, &is_new));
  const std::string experiment_path = folder->File("experiment.textproto");
  if (!is_new && std::filesystem::exists(experiment_path)) {
    ASSIGN_OR_RETURN(const Experiment began_with, LoadExperiment(experiment_path, {}));
    if (absl::Status status = CheckResumable(began_with, experiment); !status.ok()) {
      return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
    }
  }
  RETURN_IF_ERROR(WriteFileAtomically(experiment_path, {FormatExperiment(experiment)}));
  return folder;
}

RunFolder::~RunFolder() {
  if (lock_ >= 0) close(lock_);
}

absl::Status RunFolder::Lock() {
  const std::string file = File("lock");
  lock_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_ < 0) return absl::InternalError(absl::StrCat(file, ": ", std::strerror(errno)));
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    char owner[32] = {};
    const ssize_t length = read(lock_, owner, sizeof(owner) - 1);
    return absl::FailedPreconditionError(
        absl::StrCat(path_, ": another learner works in this run folder",
                     length > 0 ? absl::StrCat(" (process ", absl::StripAsciiWhitespace(owner), ")") : ""));
  }
  const std::string text = absl::StrCat(getpid(), "\n");
  if (ftruncate(lock_, 0) != 0 || write(lock_, text.data(), text.size()) < 0) {
    return absl::InternalError(absl::StrCat(file, ": ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

absl::Status RunFolder::LoadOrMakeRunId(bool fresh, bool* is_new) {
  const std::string file = File("run_id");
  *is_new = !std::filesystem::exists(file);
  if (*is_new) {
    run_id_ = RandomId();
    return WriteFileAtomically(file, {run_id_, "\n"});
  }
  if (fresh) {
    return absl::FailedPreconditionError(
        absl::StrCat("--fresh: ", path_, " already holds a run; move it away, or name another --run_dir"));
  }
  ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(file));
  run_id_ = std::string(absl::StripAsciiWhitespace(text));
  if (run_id_.empty()) return absl::DataLossError(absl::StrCat(file, ": empty"));
  return absl::OkStatus();
}

}  // namespace troupe

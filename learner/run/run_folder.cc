#include "learner/run/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/experiment_loader.h"
#include "common/files/atomic_file.h"

namespace troupe {

absl::StatusOr<std::unique_ptr<RunFolder>> RunFolder::Open(const std::string& path) {
  std::unique_ptr<RunFolder> folder(new RunFolder(path));
  for (const char* name : {"checkpoints", "actors", "workers"}) RETURN_IF_ERROR(MakeFolder(folder->File(name)));
  RETURN_IF_ERROR(folder->Lock());
  for (const char* name : {"", "checkpoints", "actors", "workers"}) {
    RETURN_IF_ERROR(RemoveHalfWritten(folder->File(name)));
  }
  RETURN_IF_ERROR(folder->LoadRunId());
  return folder;
}

absl::Status RunFolder::Claim(const std::string& run_id, const Experiment& experiment) {
  // The id last: with it the folder is claimed.
  RETURN_IF_ERROR(WriteFileAtomically(File("experiment.textproto"), {FormatExperiment(experiment)}));
  if (run_id == run_id_) return absl::OkStatus();
  RETURN_IF_ERROR(WriteFileAtomically(File("run_id"), {run_id, "\n"}));
  run_id_ = run_id;
  return absl::OkStatus();
}

RunFolder::~RunFolder() {
  for (const int descriptor : {lock_, folder_lock_}) {
    if (descriptor >= 0) close(descriptor);
  }
}

absl::Status RunFolder::Lock() {
  // The folder as well as the file in it, which somebody may remove. Where a file system cannot lock folders (NFS), the
  // file alone has to do.
  folder_lock_ = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool folder_is_taken = folder_lock_ >= 0 && flock(folder_lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  const std::string file = File("lock");
  lock_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_ < 0) return absl::InternalError(absl::StrCat(file, ": ", std::strerror(errno)));
  const bool locked = flock(lock_, LOCK_EX | LOCK_NB) == 0;
  if (!locked && errno != EWOULDBLOCK) {
    return absl::InternalError(absl::StrCat("lock ", file, ": ", std::strerror(errno)));
  }
  if (!locked || folder_is_taken) {
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

absl::Status RunFolder::LoadRunId() {
  const std::string file = File("run_id");
  ASSIGN_OR_RETURN(const bool exists, FileExists(file));
  if (!exists) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(file));
  run_id_ = std::string(absl::StripAsciiWhitespace(text));
  return absl::OkStatus();
}

}  // namespace troupe

#include "learner/run/preflight.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"
#include "common/config/experiment_loader.h"
#include "common/processes/piped_process.h"

namespace troupe {
namespace {

constexpr int kWrongStatus = 2, kNotHereStatus = 3;  // of evaluate --check_only

// A file in memory that a child can read by its path.
class MemoryFile {
 public:
  static absl::StatusOr<MemoryFile> Create(const std::string& text) {
    MemoryFile file(memfd_create("experiment", MFD_CLOEXEC));
    if (file.descriptor_ < 0 ||
        write(file.descriptor_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
      return absl::InternalError(absl::StrCat("a file in memory: ", std::strerror(errno)));
    }
    return file;
  }
  MemoryFile(MemoryFile&& other) : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  ~MemoryFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  std::string path() const { return absl::StrCat("/proc/", getpid(), "/fd/", descriptor_); }

 private:
  explicit MemoryFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// The folder, or what of its path is there, can be written into.
absl::Status CheckRunFolder(const std::string& run_folder) {
  std::error_code error;
  std::filesystem::path there = std::filesystem::absolute(run_folder, error);
  while (!std::filesystem::exists(there, error) && there.has_relative_path()) there = there.parent_path();
  const bool is_folder = std::filesystem::is_directory(there, error);
  if (is_folder && access(there.c_str(), W_OK | X_OK) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--run_dir=", run_folder, ": cannot be written: ", there.string(),
                                                 ": ", is_folder ? std::strerror(errno) : "is not a folder"));
}

}  // namespace

absl::StatusOr<std::string> CheckBeforeTraining(const TrainOptions& options, const Experiment& experiment,
                                                const std::function<bool()>& stop_requested) {
  RETURN_IF_ERROR(CheckRunFolder(RunFolderOf(options, experiment)));
  if (options.local_workers == 0 && !options.final_evaluation) return "";
  ASSIGN_OR_RETURN(const std::string worker_program, SiblingProgram("actor_worker"));
  // The experiment as it was read: from a pipe it could not be read twice, and overrides are in it.
  ASSIGN_OR_RETURN(const MemoryFile file, MemoryFile::Create(FormatExperiment(experiment)));
  std::vector<std::string> command = {worker_program, "evaluate", "--check_only",
                                      absl::StrCat("--experiment=", file.path())};
  if (!options.final_evaluation) command.emplace_back("--baselines=none");
  ASSIGN_OR_RETURN(const auto child, PipedProcess::Start(command));
  std::string output;
  RETURN_IF_ERROR(child->ReadToEnd(stop_requested, &output));
  const int wait_status = child->Wait();
  if (wait_status == 0) return "";
  const std::string reason(absl::StripPrefix(absl::StripAsciiWhitespace(output), "actor_worker: "));
  const int exit_status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
  if (exit_status == kWrongStatus) return absl::InvalidArgumentError(reason);
  if (exit_status != kNotHereStatus) {
    return absl::InternalError(
        absl::StrCat(worker_program, " evaluate --check_only ", DescribeWaitStatus(wait_status), ": ", reason));
  }
  if (options.local_workers == 0) return reason;
  return absl::FailedPreconditionError(absl::StrCat("local workers cannot play on this machine: ", reason));
}

}  // namespace troupe

#include "learner/checkpoint/resume_check.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/util/message_differencer.h"

namespace troupe {
namespace {

void ClearFreeFields(Experiment* experiment) {
  experiment->clear_total_env_steps();
  experiment->clear_evaluation();
  experiment->clear_checkpoint();
  experiment->mutable_collection()->clear_unacknowledged_window();
  experiment->mutable_collection()->clear_lease_timeout_seconds();
  experiment->mutable_compute()->clear_device();
  experiment->mutable_compute()->clear_precision();
  experiment->mutable_compute()->clear_cuda_graphs();
}

}  // namespace

absl::Status CheckResumable(const Experiment& began_with, const Experiment& now) {
  if (now.total_env_steps() < began_with.total_env_steps()) {
    return absl::FailedPreconditionError(absl::StrCat("total_env_steps may only grow: the run has ",
                                                      began_with.total_env_steps(), ", now it says ",
                                                      now.total_env_steps()));
  }
  Experiment before = began_with, after = now;
  ClearFreeFields(&before);
  ClearFreeFields(&after);
  google::protobuf::util::MessageDifferencer differencer;
  std::string differences;
  differencer.ReportDifferencesToString(&differences);
  if (differencer.Compare(before, after)) return absl::OkStatus();
  absl::StripTrailingAsciiWhitespace(&differences);
  return absl::FailedPreconditionError(absl::StrCat("the run began with other settings (",
                                                    absl::StrReplaceAll(differences, {{"\n", "; "}}),
                                                    "); give the old ones, or another --run_dir for a new run"));
}

}  // namespace troupe

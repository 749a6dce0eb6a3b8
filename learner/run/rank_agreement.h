// What the ranks of a run decide together, so that all go on, wait or end at the same place. Each function is a call of
// the group: every rank makes it.
#ifndef TROUPE_LEARNER_RUN_RANK_AGREEMENT_H_
#define TROUPE_LEARNER_RUN_RANK_AGREEMENT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/host_tensor.h"
#include "common/specs/environment_spec.h"
#include "learner/checkpoint/checkpoint.h"
#include "learner/ranks/collective.h"
#include "learner/service/learner_server.h"
#include "learner/service/rank_directory.h"
#include "proto/experiment.pb.h"

namespace troupe {

enum class Verdict { kGoOn, kWait, kStop };

// kStop when any rank wants to stop, else kWait when any is not ready. Errors: this rank's `health`; ABORTED naming the
// rank that is not well; those of Collective::status(). With a `directory`, on all ranks or none, the ranks tell each
// other what workers they have as well.
absl::StatusOr<Verdict> Agree(bool ready, bool stop, const absl::Status& health, Collective* ranks,
                              RankDirectory* directory = nullptr);

// OK when it is OK on every rank. Errors as of Agree.
absl::Status AgreeAllIsWell(const absl::Status& own, Collective* ranks);

// Rank 0's experiment and mine are the same. INVALID_ARGUMENT naming the fields that differ.
absl::Status CheckSameExperiment(const Experiment& experiment, Collective* ranks);

// Rank 0's environment and mine are the same. FAILED_PRECONDITION naming what differs.
absl::Status CheckSameEnvironment(const EnvironmentSpec& environment, Collective* ranks);

// Rank 0 multiplies as this rank does (Algorithm::bits()): gradients of several precisions would be added up without a
// word. FAILED_PRECONDITION naming both.
absl::Status CheckSameArithmetic(const std::string& bits, Collective* ranks);

// Gives everybody where rank 0 begins: the run id and, when it resumes, its checkpoint.
absl::Status ShareStart(Checkpoint* start, bool* resumed, Collective* ranks);

// Gives everybody rank 0's tensors.
absl::Status ShareTensors(std::vector<HostTensor>* tensors, Collective* ranks);

// What a rank tells the others after an update.
struct RankReport {
  std::vector<uint32_t> lease_epochs;    // of its own shards
  std::vector<EpisodeSummary> episodes;  // finished
};

// All ranks' reports as one, in the order of ranks, which is that of shards. The own one if the group fails.
RankReport JoinReports(RankReport own, Collective* ranks);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_RANK_AGREEMENT_H_

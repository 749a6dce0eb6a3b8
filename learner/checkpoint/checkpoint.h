// Everything a run needs to go on as if it had never stopped.
#ifndef TROUPE_LEARNER_CHECKPOINT_CHECKPOINT_H_
#define TROUPE_LEARNER_CHECKPOINT_CHECKPOINT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/host_tensor.h"
#include "common/base/policy_snapshot.h"
#include "common/files/best_evaluation.h"
#include "common/files/safetensors.h"
#include "common/specs/actor_file.h"
#include "common/specs/environment_spec.h"
#include "learner/batch/ingest_state.h"
#include "learner/checkpoint/curriculum_state.h"
#include "learner/checkpoint/divergence_state.h"
#include "learner/checkpoint/self_play_state.h"
#include "proto/experiment.pb.h"

namespace troupe {

// Where a run stands between two updates.
struct RunCounters {
  uint64_t update = 0;                 // updates done; also the policy version
  uint64_t env_steps = 0;              // trained on
  double wall_seconds = 0;             // spent, over all restarts
  uint64_t evaluated_env_steps = 0;    // env_steps of the newest policy whose evaluation came back
  std::optional<BestEvaluation> best;  // evaluation so far
  bool operator==(const RunCounters&) const = default;
};

struct Checkpoint {
  std::string run_id;
  Experiment experiment;  // complete
  EnvironmentSpec environment;
  RunCounters counters;
  IngestState ingest;
  std::vector<HostTensor> algorithm_state;  // Algorithm::SaveState
  PolicySnapshot policy;                    // Algorithm::ExportPolicy at the same moment, and the curriculum's stage
  std::optional<CurriculumState> curriculum{};  // of runs that have one
  std::optional<SelfPlayState> self_play{};     // of runs that have a pool
  DivergenceState divergence{};
  std::string warm_start{};  // what the actors began with, for people; "": at random
};

// safetensors: tensors "algorithm/NAME" and "policy/GROUP/PARAMETER"; metadata format ("troupe-checkpoint/1"), run_id,
// experiment and environment (textproto), one entry per counter in decimal, and those of AddScalars and
// AddBestEvaluation; where there is one, the curriculum's state ("curriculum.…", the judged policy as tensors
// "judged/GROUP/PARAMETER"), "divergence.…" once something was not finite or where the state to go back to is another
// one (tensors "good/NAME"), the pool of saved versions (self_play_codec.h) and what the actors began with
// ("warm_start").
SafetensorsFile EncodeCheckpoint(const Checkpoint& checkpoint);

// Errors: INVALID_ARGUMENT: no checkpoint. DATA_LOSS naming the metadata entry that is missing or bad. UNIMPLEMENTED:
// of another version of Troupe, either by its format or because the file is whole and says what this version does not
// know.
absl::StatusOr<Checkpoint> DecodeCheckpoint(SafetensorsFile file);

// Errors as of ReadSafetensors and DecodeCheckpoint, with the path in front.
absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path);

// The actors of a checkpoint as `evaluate`, `act` and `replay` read them. They say what they are best by when they are
// of the policy that `checkpoint` calls the best.
absl::StatusOr<ActorFile> MakeActorFile(const Checkpoint& checkpoint);

}  // namespace troupe

#endif  // TROUPE_LEARNER_CHECKPOINT_CHECKPOINT_H_

#include "learner/algorithms/modules/replay_intake.h"

#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/wire/chunk_bytes.h"
#include "common/wire/chunk_layout.h"
#include "learner/algorithms/modules/batch_check.h"
#include "learner/algorithms/modules/rank_share.h"

namespace troupe {
absl::StatusOr<ReplayIntake> TakeIn(const TrainingBatch& batch, uint64_t learning_starts, Collective* ranks,
                                    ReplayStore* replay) {
  RETURN_IF_ERROR(CheckStreams(batch));
  const RankShare of_all = FindRankShare(batch.columns, ranks);
  ReplayIntake intake{.share = {of_all.first_column, of_all.columns, of_all.all_columns}};
  std::array<double, 2> sums = {static_cast<double>(ReplayStore::Bytes(batch)), IsFinite(batch) ? 0.0 : 1.0};
  ranks->Sum(absl::MakeSpan(sums));
  RETURN_IF_ERROR(ranks->status());
  intake.is_finite = sums[1] == 0;
  if (intake.is_finite) RETURN_IF_ERROR(replay->Add(batch, static_cast<int64_t>(sums[0])));
  intake.env_steps = static_cast<double>(replay->end() - replay->first()) * batch.rollout_length * intake.share.all;
  intake.begins = intake.env_steps >= static_cast<double>(learning_starts) || replay->first() > 0;
  return intake;
}

absl::Status CheckReplayHoldsABatch(const Experiment& experiment, const EnvironmentSpec& environment,
                                    const std::vector<PolicySpec>& policies, const std::string& field, uint64_t bytes) {
  ChunkShape shape = ChunkShapeOf(experiment, policies);
  shape.copies *= static_cast<int>(experiment.collection().num_shards());
  shape.half_observations = false;
  const size_t batch = ChunkBytes(environment, shape, 0);
  if (batch <= bytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": ", bytes, ", but a batch alone is ", batch,
                   " bytes (collection.num_shards × copies_per_shard × rollout_length steps)"));
}

}  // namespace troupe

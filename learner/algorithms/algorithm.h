// The interface every learning algorithm implements. No LibTorch here: the rest of the learner knows algorithms by this
// header alone.
#ifndef TROUPE_LEARNER_ALGORITHMS_ALGORITHM_H_
#define TROUPE_LEARNER_ALGORITHMS_ALGORITHM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/base/host_tensor.h"
#include "common/base/policy_snapshot.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"
#include "learner/arithmetic/select/create_arithmetic.h"
#include "learner/batch/training_batch.h"
#include "learner/ranks/collective.h"
#include "proto/experiment.pb.h"

namespace troupe {

struct AlgorithmContext {
  Experiment experiment;  // complete: defaults written
  EnvironmentSpec environment;
  std::vector<PolicySpec> policies;  // one per group, in order
  ArithmeticOptions arithmetic;      // but for its `compute`, which is the experiment's
  std::shared_ptr<Collective> ranks = std::make_shared<SingleRank>();  // who trains this run together
  std::string run_folder;  // where what is too much for checkpoints may be kept beside them; empty: nowhere
  // Told, in a line, what people want to know of this run.
  std::function<void(const std::string& line)> tell = [](const std::string&) {};
};

// Where in the run an update stands; schedules depend on this alone.
struct UpdateProgress {
  uint64_t update = 0;           // 0, 1, 2, …; also the policy version the update starts from
  uint64_t env_steps = 0;        // trained on before this update
  uint64_t total_env_steps = 0;  // of the whole run
  // What every learning rate is multiplied by; below 1 once the run went back to an earlier state (divergence_guard.h).
  double learning_rate_scale = 1;
};

// Named figures of one update, in a fixed order: "policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction",
// "explained_variance", "actor_gradient_norm", "critic_gradient_norm", "learning_rate", … Means over minibatches.
struct UpdateStatistics {
  std::vector<std::pair<std::string, double>> values;
};

// With several ranks each is given its share of the batch (contiguous columns in the order of ranks) and all take the
// gradient steps of the whole: weights and statistics come out the same on every rank, and as one rank's would but for
// the rounding of sums taken in another order.
//
// Not thread-safe: one training thread owns it. Deterministic: same state, batch and progress give the same bits on the
// same machine type with the same number of arithmetic threads.
class Algorithm {
 public:
  virtual ~Algorithm() = default;

  // Trains on the batch. Non-finite losses or gradients leave the weights untouched and are counted in the statistic
  // "skipped_minibatches"; an error means the batch could not be used at all, or, with several ranks, that
  // context.ranks->status() is no longer OK; what this algorithm holds is then of no use.
  virtual absl::StatusOr<UpdateStatistics> Update(const TrainingBatch& batch, const UpdateProgress& progress) = 0;

  // The batch after the one being trained on, once it is complete: waits for it for `timeout` at most; null: not yet.
  // It stays as it is until its own Update returns.
  using NextBatch = std::function<const TrainingBatch*(absl::Duration timeout)>;

  // What Update may ask, while a device still works on the update, for the batch to bring there meanwhile; empty:
  // nobody to ask. Whoever answers with a batch gives that same one to the next Update, or makes no further one with
  // its memory.
  virtual void PrefetchFrom(NextBatch) {}

  // How it multiplies here, for people: "fast f32: float32 in AVX2 blocks".
  virtual std::string arithmetic() const = 0;
  // What of that decides bits: ranks of one run must agree on it.
  virtual std::string bits() const = 0;

  // The actors as workers run them, as version progress.update, which collects where the run then stands.
  virtual PolicySnapshot ExportPolicy(const UpdateProgress& progress) const = 0;

  // Everything needed to go on as if never stopped: networks, optimisers, normalisers. Names are unique; order is
  // fixed.
  virtual std::vector<HostTensor> SaveState() const = 0;

  // INVALID_ARGUMENT naming the tensor that is missing, unknown or of another shape; nothing is changed then.
  virtual absl::Status LoadState(absl::Span<const HostTensor> state) = 0;

  // As LoadState, of a state that SaveState gave earlier in this run: networks, optimisers and normalisers are as they
  // were then; what was collected since (a replay) stays.
  virtual absl::Status GoBackTo(absl::Span<const HostTensor> state) { return LoadState(state); }

  // Under which prefixes the state has the parameters that ExportPolicy calls "GROUP/PARAMETER": what a warm start
  // (warm_start.h) replaces. The first is the acting networks'; further ones are of networks that begin as
  // copies of them (targets).
  virtual std::vector<std::string> actor_prefixes() const { return {"actor/"}; }
};

struct AlgorithmEntry {
  std::string name;  // its card's (common/specs/algorithm_card.h)
  absl::StatusOr<std::unique_ptr<Algorithm>> (*create)(const AlgorithmContext& context);
};

// The explicit table (registry.cc).
absl::Span<const AlgorithmEntry> AllAlgorithms();

// By experiment.algorithm.name. NOT_FOUND with the nearest name.
absl::StatusOr<std::unique_ptr<Algorithm>> CreateAlgorithm(const AlgorithmContext& context);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_ALGORITHM_H_

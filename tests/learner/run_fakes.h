// A learner server and an algorithm that need neither network nor LibTorch, and write down what is asked of them.
#ifndef TROUPE_TESTS_LEARNER_RUN_FAKES_H_
#define TROUPE_TESTS_LEARNER_RUN_FAKES_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/config/experiment_loader.h"
#include "common/specs/policy_spec.h"
#include "learner/algorithms/algorithm.h"
#include "learner/checkpoint/checkpoint.h"
#include "learner/checkpoint/evaluation_basis.h"
#include "learner/service/learner_server.h"

namespace troupe::testing {

// What the fakes were asked, in order.
using CallLog = std::vector<std::string>;

inline EnvironmentSpec TinyEnvironment() {
  EnvironmentSpec spec;
  spec.name = "tiny";
  spec.groups = {{.name = "team", .agents = {"a", "b"}, .observation_size = 3, .action_size = 2}};
  spec.statistics = {"waiting"};
  spec.agent_statistics = {"queue"};
  return spec;
}

// Batches of 8 environment steps.
inline Experiment TinyExperiment(const std::string& more = "") {
  absl::StatusOr<Experiment> experiment =
      ParseExperiment(absl::StrCat("name: 'tiny' total_env_steps: 80 environment { name: 'grid_world' } "
                                   "collection { num_shards: 1 copies_per_shard: 2 rollout_length: 4 } "
                                   "policy { hidden_sizes: [4] } ",
                                   more),
                      "tiny", {});
  if (!experiment.ok()) throw std::runtime_error(experiment.status().ToString());
  return *std::move(experiment);
}

inline EvaluationBasis TinyBasis() { return BasisOf(TinyExperiment(), TinyEnvironment()); }

// Its only weight-deciding state is how many updates it has done, each as far as its learning rate reached.
class FakeAlgorithm : public Algorithm {
 public:
  FakeAlgorithm(const Experiment& experiment, CallLog* log)
      : specs_(MakePolicySpecs(experiment, TinyEnvironment()).value()), log_(*log) {}

  absl::StatusOr<UpdateStatistics> Update(const TrainingBatch&, const UpdateProgress& progress) override {
    log_.push_back(absl::StrCat("Update ", progress.update, " at ", progress.env_steps));
    if (fail && fail(progress.update)) return absl::InternalError("rewards are not finite");
    const double skipped = skips ? skips(progress.update) : 0;
    if (skipped == 0) updates_ += static_cast<float>(progress.learning_rate_scale);
    if (minibatch) {
      for (int i = 0; i < kMinibatches; ++i) {
        if (absl::Status status = minibatch(progress.update, i); !status.ok()) return status;
      }
    }
    return UpdateStatistics{
        {{"policy_loss", 0.5 / updates_}, {"learning_rate", 1e-3}, {"skipped_minibatches", skipped}}};
  }
  void PrefetchFrom(NextBatch next) override { next_batch = std::move(next); }
  std::string arithmetic() const override { return "counting"; }
  std::string bits() const override { return "none"; }
  PolicySnapshot ExportPolicy(const UpdateProgress& progress) const override {
    PolicySnapshot weights{progress.update, {}};
    for (const PolicySpec& spec : specs_) {
      for (const DenseStackSpec::Parameter& parameter : spec.Parameters()) {
        HostTensor tensor{absl::StrCat(spec.group, "/", parameter.name), DataType::kFloat32, parameter.shape, {}};
        const std::vector<float> values(tensor.num_elements(), updates_);
        weights.tensors.push_back(HostTensor::Float32(tensor.name, tensor.shape, values.data()));
      }
    }
    return weights;
  }
  std::vector<HostTensor> SaveState() const override { return {HostTensor::Float32("updates", {1}, &updates_)}; }
  absl::Status LoadState(absl::Span<const HostTensor> state) override {
    updates_ = state[0].floats()[0];
    return absl::OkStatus();
  }
  float updates() const { return updates_; }

  std::function<bool(uint64_t update)> fail;
  std::function<double(uint64_t update)> skips;  // how many minibatches; the update then does nothing else
  // Asked after each minibatch of an update that has moved the weights already; an error ends the update.
  std::function<absl::Status(uint64_t update, int number)> minibatch;
  static constexpr int kMinibatches = 4;
  NextBatch next_batch;  // as given

 private:
  const std::vector<PolicySpec> specs_;
  CallLog& log_;
  float updates_ = 0;
};

// Hands out batches for ever; evaluations are answered at once, or kept by `hold_evaluations`.
class FakeServer : public LearnerServer {
 public:
  FakeServer(const Experiment& experiment, CallLog* log) : log_(*log) {
    const CollectionSettings& collection = experiment.collection();
    batch_.rollout_length = static_cast<int>(collection.rollout_length());
    batch_.columns = static_cast<int>(collection.num_shards() * collection.copies_per_shard());
  }

  int port() const override { return 1; }
  void Open(const std::string&, std::optional<EnvironmentSpec>) override {}
  absl::StatusOr<EnvironmentSpec> WaitForEnvironment(absl::Duration) override { return TinyEnvironment(); }
  absl::Status Begin(const EnvironmentSpec&, const std::vector<PolicySpec>&,
                     std::shared_ptr<const PolicySnapshot> weights, const IngestState& ingest) override {
    update_ = weights->policy_version;
    ingest_ = ingest;
    ingest_.lease_epochs.resize(1);
    ++ingest_.lease_epochs[0];
    return absl::OkStatus();
  }
  absl::StatusOr<AssembledBatch> NextBatch(absl::Duration) override {
    if (next_batch) {
      if (absl::Status status = next_batch(); !status.ok()) return status;
    }
    log_.push_back(absl::StrCat("NextBatch ", update_));
    return AssembledBatch{&batch_, update_, 0.25, 1.0};
  }
  const TrainingBatch* PeekBatch(absl::Duration) override { return &batch_; }
  void ReleaseBatch(const AssembledBatch& batch) override {
    log_.push_back(absl::StrCat("ReleaseBatch ", batch.update));
  }
  void Publish(std::shared_ptr<const PolicySnapshot> weights) override {
    log_.push_back(absl::StrCat("Publish ", weights->policy_version));
    if (const auto stage = weights->Scalar(kCurriculumStageScalar)) stages.push_back(static_cast<int>(*stage));
    ++ingest_.chunks_trained;
    update_ = weights->policy_version;
  }
  absl::Status RequestEvaluation(const EvaluationRequest& request,
                                 std::function<void(absl::StatusOr<EvaluationOutcome>)> done) override {
    log_.push_back(absl::StrCat("RequestEvaluation ", request.weights->policy_version,
                                request.curriculum_stage.has_value() ? " on stage " : "",
                                request.curriculum_stage.has_value() ? absl::StrCat(*request.curriculum_stage) : ""));
    if (refuse) {
      if (absl::Status status = refuse(); !status.ok()) return status;
    }
    EvaluationOutcome outcome{request.weights->policy_version, {}};
    for (uint32_t i = 0; i < request.episodes; ++i) {
      const float waiting =
          waiting_of_version.count(outcome.policy_version) ? waiting_of_version[outcome.policy_version] : 9.0f;
      outcome.episodes.push_back({{-1.0f}, 10, {waiting, 1, 2}});
    }
    if (hold_evaluations) {
      held.emplace_back(std::move(done), std::move(outcome));
    } else {
      done(std::move(outcome));
    }
    return absl::OkStatus();
  }
  std::vector<EpisodeSummary> TakeFinishedEpisodes() override {
    return {{{2.0f}, 12, {5, 1, 2}}, {{4.0f}, 14, {7, 3, 2}}};
  }
  IngestState ingest_state() const override { return ingest_; }
  void EndCollection() override { log_.push_back("EndCollection"); }
  std::vector<WorkerSummary> workers() const override { return {{"w", "host", connected, {0}, 1}}; }
  int num_connected() const override { return connected ? 1 : 0; }
  void ReportProgress(uint64_t env_steps, double) override {
    log_.push_back(absl::StrCat("ReportProgress ", env_steps));
  }
  void Drain(const std::string&, bool, absl::Duration) override { log_.push_back("Drain"); }

  std::function<absl::Status()> next_batch;  // an error stands for the batch
  std::function<absl::Status()> refuse;      // asked at every evaluation
  std::vector<int> stages;                   // of the curriculum, of what was published
  std::map<uint64_t, float> waiting_of_version;
  bool hold_evaluations = false;
  bool connected = true;  // its worker
  std::vector<std::pair<std::function<void(absl::StatusOr<EvaluationOutcome>)>, EvaluationOutcome>> held;

 private:
  CallLog& log_;
  TrainingBatch batch_;
  uint64_t update_ = 0;
  IngestState ingest_;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_LEARNER_RUN_FAKES_H_

#include "learner/run/plan.h"

#include <algorithm>
#include <cstdio>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "common/base/shown_text.h"
#include "common/base/status_macros.h"
#include "common/config/experiment_validation.h"
#include "common/config/setting_advice.h"
#include "common/processes/piped_process.h"
#include "common/specs/algorithm_card.h"
#include "common/wire/chunk_bytes.h"
#include "common/wire/spec_codec.h"
#include "google/protobuf/text_format.h"
#include "learner/reporting/banner.h"
#include "learner/reporting/progress.h"
#include "learner/run/learner_memory.h"
#include "learner/run/preflight.h"
#include "learner/run/trial.h"

namespace troupe {
namespace {

constexpr double kMebibyte = 1 << 20;
// Of an update's time: more of it waited is held up by collection, more of it trained by learning.
constexpr double kMostOfTheTime = 0.5;

void Say(const std::string& name, const std::string& value) {
  std::printf("  %-12s %s\n", name.c_str(), value.c_str());
}

std::string Bytes(double bytes) {
  if (bytes < kMebibyte) return absl::StrFormat("%.0f KiB", bytes / 1024);
  if (bytes < 1024 * kMebibyte) return absl::StrFormat("%.1f MiB", bytes / kMebibyte);
  return absl::StrFormat("%.1f GiB", bytes / 1024 / kMebibyte);
}

absl::StatusOr<EnvironmentSpec> AskWorker(const Experiment& experiment, const std::function<bool()>& stop_requested) {
  ASSIGN_OR_RETURN(const std::string worker, SiblingProgram("actor_worker"));
  std::vector<std::string> command = {worker, "environments", experiment.environment().name(), "--spec"};
  for (const auto& [name, value] : experiment.environment().settings()) {
    command.push_back(absl::StrCat("--set=environment.settings.", name, "=", value));
  }
  ASSIGN_OR_RETURN(const auto child, PipedProcess::Start(command));
  std::string output;
  RETURN_IF_ERROR(child->ReadToEnd(stop_requested, &output));
  const std::string reason(absl::StripPrefix(absl::StripAsciiWhitespace(output), "actor_worker: "));
  if (child->Wait() != 0) return absl::FailedPreconditionError(reason);
  wire::EnvironmentSpec message;
  if (!google::protobuf::TextFormat::ParseFromString(output, &message)) {
    return absl::InternalError(absl::StrCat("the worker's environment: ", ShownText(reason)));
  }
  return DecodeEnvironmentSpec(message);
}

void SayCollection(const Experiment& experiment, const EnvironmentSpec& environment,
                   const std::vector<PolicySpec>& policies) {
  const CollectionSettings& collection = experiment.collection();
  const uint64_t batch = BatchSteps(collection), total = experiment.total_env_steps();
  Say("collection", absl::StrFormat("%s, %d shards × %d copies × %d steps = %s steps per update",
                                    CollectionMode_Name(collection.mode()), collection.num_shards(),
                                    collection.copies_per_shard(), collection.rollout_length(), WithThousands(batch)));
  Say("updates", absl::StrCat(WithThousands((total + batch - 1) / batch), " for ", WithThousands(total), " steps"));
  double weights = 0;
  for (const PolicySpec& policy : policies) {
    for (const DenseStackSpec::Parameter& parameter : policy.Parameters()) {
      double count = sizeof(float);
      for (const int64_t size : parameter.shape) count *= size;
      weights += count;
    }
  }
  const double chunk = UsualChunkBytes(environment, ChunkShapeOf(experiment, policies));
  Say("on the wire", absl::StrCat(collection.num_shards(), " chunks of ", Bytes(chunk),
                                  " to the learner for each update, weights of ", Bytes(weights), " to each worker"));
}

void SayMemory(const std::vector<MemoryTerm>& terms, const std::optional<MemoryUse>& use) {
  std::string total = absl::StrCat(Bytes(SumOf(terms)), " besides what runs already");
  if (use.has_value()) {
    absl::StrAppend(&total, ", of ", Bytes(use->limit_bytes - use->used_bytes), " that are free");
  }
  Say("memory", total);
  for (const MemoryTerm& term : terms) {
    if (term.bytes >= 0.01 * SumOf(terms)) Say("", absl::StrFormat("%10s  %s", Bytes(term.bytes), term.what));
  }
}

// What held it up, and what would help.
std::string Bottleneck(const TrialFigures& figures, const Experiment& experiment, int workers) {
  const double waited = figures.wait_seconds / figures.seconds, trained = figures.update_seconds / figures.seconds;
  const std::string shares = absl::StrFormat("of an update's %.3g s the learner waits %.0f %% and trains %.0f %%",
                                             figures.seconds, 100 * waited, 100 * trained);
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  if (waited > kMostOfTheTime) {
    const bool more = workers < static_cast<int>(experiment.collection().num_shards());
    return absl::StrCat("collection: ", shares,
                        !more ? "; every worker has one shard: more workers need more collection.num_shards"
                        : workers < cores
                            ? "; more workers help (--local_workers, or on other machines)"
                            : absl::StrCat("; this machine's ", cores, " cores are taken: workers elsewhere help"));
  }
  if (trained > kMostOfTheTime) {
    return absl::StrCat("learning: ", shares,
                        static_cast<int>(experiment.compute().learner_threads()) < cores
                            ? "; more workers do not help, compute.learner_threads or a GPU may"
                            : "; more workers do not help, a GPU may");
  }
  return absl::StrCat("neither by much: ", shares);
}

void SayTrial(const TrialFigures& figures, const Experiment& experiment, const EnvironmentSpec& environment,
              const std::vector<PolicySpec>& policies, int workers) {
  if (figures.updates == 0 || !(figures.seconds > 0)) {
    Say("trial", "fewer than two updates came about in its time; --trial_seconds gives it more");
    return;
  }
  const double steps = BatchSteps(experiment.collection()) / figures.seconds;
  const double chunks = experiment.collection().num_shards() / figures.seconds;
  const double chunk = UsualChunkBytes(environment, ChunkShapeOf(experiment, policies));
  Say("trial",
      absl::StrFormat("%d updates with %d local worker%s: %s steps/s, %s/s to the learner", figures.updates, workers,
                      workers == 1 ? "" : "s", WithThousands(static_cast<uint64_t>(steps)), Bytes(chunks * chunk)));
  Say("time", absl::StrCat(FormatDuration(experiment.total_env_steps() / steps), " of training at that rate"));
  Say("held up by", Bottleneck(figures, experiment, workers));
}

}  // namespace

absl::Status PlanRun(const TrainOptions& options, const Experiment& experiment, double trial_seconds,
                     const std::function<bool()>& stop_requested) {
  TrainOptions with_workers = options;
  with_workers.local_workers = std::max(1, options.local_workers);
  RETURN_IF_ERROR(CheckBeforeTraining(with_workers, experiment, stop_requested).status());
  ASSIGN_OR_RETURN(const EnvironmentSpec environment, AskWorker(experiment, stop_requested));
  ASSIGN_OR_RETURN(const std::vector<PolicySpec> policies, MakePolicySpecs(experiment, environment));
  RETURN_IF_ERROR(CheckAlgorithm(experiment, environment, policies));
  std::printf("plan of %s (%s)\n%s\n", experiment.name().c_str(), experiment.algorithm().name().c_str(),
              FormatTask(experiment, environment, policies).c_str());
  SayCollection(experiment, environment, policies);
  const ShardRange shards = ShardRange::OfRank(static_cast<int>(experiment.collection().num_shards()), 0, 1);
  ASSIGN_OR_RETURN(const std::vector<MemoryTerm> terms,
                   RunMemory(experiment, environment, policies, shards, with_workers.local_workers));
  const std::optional<MemoryUse> use = ReadMemoryUse();
  SayMemory(terms, use);
  for (const std::string& line : AdviceOn(experiment, with_workers.local_workers)) Say("advice", line);
  std::fflush(stdout);
  RETURN_IF_ERROR(CheckRunMemory(terms, use));
  if (trial_seconds <= 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const TrialFigures figures, MakeTrial(with_workers, experiment, trial_seconds, stop_requested));
  SayTrial(figures, experiment, environment, policies, with_workers.local_workers);
  return absl::OkStatus();
}

}  // namespace troupe

#include "learner/checkpoint/checkpoint.h"

#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "common/config/experiment_loader.h"
#include "common/files/snapshot_scalars.h"
#include "common/wire/spec_codec.h"
#include "google/protobuf/text_format.h"
#include "learner/checkpoint/self_play_codec.h"

namespace troupe {
namespace {

constexpr char kFormatFamily[] = "troupe-checkpoint/";
constexpr char kFormat[] = "troupe-checkpoint/1";
constexpr char kAlgorithmPrefix[] = "algorithm/";
constexpr char kPolicyPrefix[] = "policy/";
constexpr char kJudgedPrefix[] = "judged/";
constexpr char kCurriculumStage[] = "curriculum.stage";
constexpr char kJudgedVersion[] = "curriculum.judged_version";
constexpr char kJudgedScalarPrefix[] = "curriculum.judged.";
constexpr char kWarmStart[] = "warm_start";
constexpr char kGoodPrefix[] = "good/";
constexpr char kGoodUpdate[] = "divergence.good_update";

std::string FormatDouble(double value) { return absl::StrFormat("%.17g", value); }

// Reads metadata entries; the first problem is kept.
class EntryReader {
 public:
  explicit EntryReader(const std::map<std::string, std::string>& metadata) : metadata_(metadata) {}

  std::string Text(const std::string& name) {
    const auto found = metadata_.find(name);
    if (found != metadata_.end()) return found->second;
    Refuse(absl::StrCat("metadata entry \"", name, "\" is missing"));
    return "";
  }
  uint64_t Integer(const std::string& name) {
    uint64_t value = 0;
    const std::string text = Text(name);
    if (!absl::SimpleAtoi(text, &value))
      Refuse(absl::StrCat("metadata ", name, ": \"", text, "\" is not a whole number"));
    return value;
  }
  double Number(const std::string& name) {
    double value = 0;
    const std::string text = Text(name);
    if (!absl::SimpleAtod(text, &value)) Refuse(absl::StrCat("metadata ", name, ": \"", text, "\" is not a number"));
    return value;
  }
  void Refuse(const std::string& message) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(message);
  }
  const absl::Status& status() const { return status_; }

 private:
  const std::map<std::string, std::string>& metadata_;
  absl::Status status_;
};

std::vector<uint32_t> ReadLeaseEpochs(EntryReader& entries) {
  std::vector<uint32_t> epochs;
  for (const absl::string_view part : absl::StrSplit(entries.Text("lease_epochs"), ',', absl::SkipEmpty())) {
    uint32_t epoch = 0;
    if (!absl::SimpleAtoi(part, &epoch)) entries.Refuse(absl::StrCat("metadata lease_epochs: \"", part, "\""));
    epochs.push_back(epoch);
  }
  return epochs;
}

absl::StatusOr<EnvironmentSpec> ParseEnvironment(const std::string& text) {
  wire::EnvironmentSpec message;
  if (!google::protobuf::TextFormat::ParseFromString(text, &message)) {
    return absl::InvalidArgumentError("metadata environment: not a textproto of EnvironmentSpec");
  }
  return DecodeEnvironmentSpec(message);
}

std::string FormatEnvironment(const EnvironmentSpec& spec) {
  wire::EnvironmentSpec message;
  EncodeEnvironmentSpec(spec, &message);
  std::string text;
  google::protobuf::TextFormat::PrintToString(message, &text);
  return text;
}

void AddCurriculum(const CurriculumState& state, std::map<std::string, std::string>* metadata) {
  (*metadata)[kCurriculumStage] = absl::StrCat(state.stage);
  (*metadata)["curriculum.began_env_steps"] = absl::StrCat(state.began_env_steps);
  (*metadata)["curriculum.passed"] = absl::StrCat(state.passed);
  if (state.judged == nullptr) return;
  (*metadata)[kJudgedVersion] = absl::StrCat(state.judged->policy_version);
  AddScalars(state.judged->scalars, metadata, kJudgedScalarPrefix);
}

// Without the judged policy's tensors.
absl::StatusOr<CurriculumState> ReadCurriculum(const std::map<std::string, std::string>& metadata,
                                               std::shared_ptr<PolicySnapshot>* judged) {
  EntryReader entries(metadata);
  CurriculumState state;
  state.stage = static_cast<uint32_t>(entries.Integer(kCurriculumStage));
  state.began_env_steps = entries.Integer("curriculum.began_env_steps");
  state.passed = static_cast<uint32_t>(entries.Integer("curriculum.passed"));
  if (metadata.contains(kJudgedVersion)) {
    *judged = std::make_shared<PolicySnapshot>();
    (*judged)->policy_version = entries.Integer(kJudgedVersion);
    ASSIGN_OR_RETURN((*judged)->scalars, ReadScalars(metadata, kJudgedScalarPrefix));
  }
  RETURN_IF_ERROR(entries.status());
  return state;
}

// Nothing where nothing happened.
void AddDivergence(const DivergenceState& state, SafetensorsFile* file) {
  if (state.in_a_row == 0 && state.rollbacks == 0 && state.good == nullptr) return;
  file->metadata["divergence.in_a_row"] = absl::StrCat(state.in_a_row);
  file->metadata["divergence.rollbacks"] = absl::StrCat(state.rollbacks);
  file->metadata["divergence.learning_rate_scale"] = FormatDouble(state.learning_rate_scale);
  file->metadata[kGoodUpdate] = absl::StrCat(state.good_update);
  if (state.good == nullptr) return;
  for (const HostTensor& tensor : *state.good) {
    file->tensors.push_back(tensor);
    file->tensors.back().name = absl::StrCat(kGoodPrefix, tensor.name);
  }
}

// Without the good state's tensors.
absl::StatusOr<DivergenceState> ReadDivergence(const std::map<std::string, std::string>& metadata) {
  DivergenceState state;
  if (!metadata.contains(kGoodUpdate)) return state;
  EntryReader entries(metadata);
  state.in_a_row = static_cast<uint32_t>(entries.Integer("divergence.in_a_row"));
  state.rollbacks = static_cast<uint32_t>(entries.Integer("divergence.rollbacks"));
  state.learning_rate_scale = entries.Number("divergence.learning_rate_scale");
  state.good_update = entries.Integer(kGoodUpdate);
  RETURN_IF_ERROR(entries.status());
  return state;
}

// Errors: INVALID_ARGUMENT naming the entry or tensor.
absl::StatusOr<Checkpoint> ReadEntries(SafetensorsFile file) {
  EntryReader entries(file.metadata);
  Checkpoint checkpoint;
  checkpoint.run_id = entries.Text("run_id");
  RunCounters& counters = checkpoint.counters;
  counters.update = entries.Integer("update");
  counters.env_steps = entries.Integer("env_steps");
  counters.wall_seconds = entries.Number("wall_seconds");
  counters.evaluated_env_steps = entries.Integer("evaluated_env_steps");
  checkpoint.ingest.lease_epochs = ReadLeaseEpochs(entries);
  checkpoint.ingest.chunks_trained = entries.Integer("chunks_trained");
  const std::string experiment = entries.Text("experiment");
  const std::string environment = entries.Text("environment");
  RETURN_IF_ERROR(entries.status());
  ASSIGN_OR_RETURN(counters.best, ReadBestEvaluation(file.metadata));
  ASSIGN_OR_RETURN(checkpoint.experiment, ParseExperiment(experiment, "metadata experiment", {}));
  ASSIGN_OR_RETURN(checkpoint.environment, ParseEnvironment(environment));

  checkpoint.policy.policy_version = counters.update;
  ASSIGN_OR_RETURN(checkpoint.policy.scalars, ReadScalars(file.metadata));
  if (file.metadata.contains(kWarmStart)) checkpoint.warm_start = file.metadata.at(kWarmStart);
  SelfPlayReader self_play;
  RETURN_IF_ERROR(self_play.Begin(file.metadata, static_cast<int>(checkpoint.environment.teams().size())));
  std::shared_ptr<PolicySnapshot> judged;
  if (file.metadata.contains(kCurriculumStage)) {
    ASSIGN_OR_RETURN(checkpoint.curriculum, ReadCurriculum(file.metadata, &judged));
  }
  ASSIGN_OR_RETURN(checkpoint.divergence, ReadDivergence(file.metadata));
  std::vector<HostTensor> good;
  for (HostTensor& tensor : file.tensors) {
    if (absl::StartsWith(tensor.name, kAlgorithmPrefix)) {
      tensor.name.erase(0, sizeof(kAlgorithmPrefix) - 1);
      checkpoint.algorithm_state.push_back(std::move(tensor));
    } else if (absl::StartsWith(tensor.name, kPolicyPrefix)) {
      tensor.name.erase(0, sizeof(kPolicyPrefix) - 1);
      checkpoint.policy.tensors.push_back(std::move(tensor));
    } else if (absl::StartsWith(tensor.name, kGoodPrefix)) {
      tensor.name.erase(0, sizeof(kGoodPrefix) - 1);
      good.push_back(std::move(tensor));
    } else if (self_play.Take(tensor)) {
      continue;
    } else if (judged != nullptr && absl::StartsWith(tensor.name, kJudgedPrefix)) {
      tensor.name.erase(0, sizeof(kJudgedPrefix) - 1);
      judged->tensors.push_back(std::move(tensor));
    } else {
      return absl::InvalidArgumentError(absl::StrCat("tensor \"", tensor.name, "\""));
    }
  }
  if (judged != nullptr) checkpoint.curriculum->judged = std::move(judged);
  if (!good.empty()) checkpoint.divergence.good = std::make_shared<const std::vector<HostTensor>>(std::move(good));
  checkpoint.self_play = self_play.Finish();
  return checkpoint;
}

}  // namespace

SafetensorsFile EncodeCheckpoint(const Checkpoint& checkpoint) {
  const RunCounters& counters = checkpoint.counters;
  SafetensorsFile file;
  file.metadata = {{"format", kFormat},
                   {"run_id", checkpoint.run_id},
                   {"experiment", FormatExperiment(checkpoint.experiment)},
                   {"environment", FormatEnvironment(checkpoint.environment)},
                   {"update", absl::StrCat(counters.update)},
                   {"env_steps", absl::StrCat(counters.env_steps)},
                   {"wall_seconds", FormatDouble(counters.wall_seconds)},
                   {"evaluated_env_steps", absl::StrCat(counters.evaluated_env_steps)},
                   {"lease_epochs", absl::StrJoin(checkpoint.ingest.lease_epochs, ",")},
                   {"chunks_trained", absl::StrCat(checkpoint.ingest.chunks_trained)}};
  AddScalars(checkpoint.policy.scalars, &file.metadata);
  if (counters.best.has_value()) AddBestEvaluation(*counters.best, &file.metadata);
  if (checkpoint.curriculum.has_value()) AddCurriculum(*checkpoint.curriculum, &file.metadata);
  if (!checkpoint.warm_start.empty()) file.metadata[kWarmStart] = checkpoint.warm_start;
  const auto add = [&file](const char* prefix, const std::vector<HostTensor>& tensors) {
    for (const HostTensor& tensor : tensors) {
      file.tensors.push_back(tensor);
      file.tensors.back().name = absl::StrCat(prefix, tensor.name);
    }
  };
  add(kAlgorithmPrefix, checkpoint.algorithm_state);
  add(kPolicyPrefix, checkpoint.policy.tensors);
  if (checkpoint.curriculum.has_value() && checkpoint.curriculum->judged != nullptr) {
    add(kJudgedPrefix, checkpoint.curriculum->judged->tensors);
  }
  if (checkpoint.self_play.has_value()) AddSelfPlay(*checkpoint.self_play, &file);
  AddDivergence(checkpoint.divergence, &file);
  return file;
}

absl::StatusOr<Checkpoint> DecodeCheckpoint(SafetensorsFile file) {
  const auto format = file.metadata.find("format");
  if (format == file.metadata.end() || !absl::StartsWith(format->second, kFormatFamily)) {
    return absl::InvalidArgumentError(
        absl::StrCat("not a checkpoint: its format is ",
                     format == file.metadata.end() ? "missing" : absl::StrCat("\"", format->second, "\""),
                     ", expected \"", kFormat, "\""));
  }
  if (format->second != kFormat) {
    return absl::UnimplementedError(absl::StrCat("written by another version of Troupe: its format is \"",
                                                 format->second, "\", this version reads \"", kFormat, "\""));
  }
  const bool is_whole = file.metadata.count(kHeaderChecksum) > 0;
  absl::StatusOr<Checkpoint> checkpoint = ReadEntries(std::move(file));
  if (checkpoint.ok()) return checkpoint;
  if (!is_whole) return absl::DataLossError(checkpoint.status().message());
  return absl::UnimplementedError(
      absl::StrCat("written by another version of Troupe, this one does not know ", checkpoint.status().message()));
}

absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path) {
  ASSIGN_OR_RETURN(SafetensorsFile file, ReadSafetensors(path));
  absl::StatusOr<Checkpoint> checkpoint = DecodeCheckpoint(std::move(file));
  if (checkpoint.ok()) return checkpoint;
  return absl::Status(checkpoint.status().code(), absl::StrCat(path, ": ", checkpoint.status().message()));
}

absl::StatusOr<ActorFile> MakeActorFile(const Checkpoint& checkpoint) {
  ActorFile file;
  file.experiment = checkpoint.experiment;
  ASSIGN_OR_RETURN(file.policies, MakePolicySpecs(checkpoint.experiment, checkpoint.environment));
  file.groups = checkpoint.environment.groups;
  file.weights = checkpoint.policy;
  file.env_steps = checkpoint.counters.env_steps;
  const std::optional<BestEvaluation>& best = checkpoint.counters.best;
  if (best.has_value() && best->policy_version == checkpoint.counters.update) file.best = best;
  return file;
}

}  // namespace troupe

#include "common/files/best_evaluation.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace troupe {
namespace {

using Metadata = std::map<std::string, std::string>;

// Reads one entry into `value`; the first problem is kept in `status`.
template <typename Value, typename Parse>
void Read(const Metadata& metadata, const std::string& name, const Parse& parse, Value* value, absl::Status* status) {
  if (!status->ok()) return;
  const auto found = metadata.find(name);
  if (found == metadata.end()) {
    *status = absl::InvalidArgumentError(absl::StrCat("metadata entry \"", name, "\" is missing"));
  } else if (!parse(found->second, value)) {
    *status = absl::InvalidArgumentError(absl::StrCat("metadata ", name, ": \"", found->second, "\" makes no sense"));
  }
}

template <typename Integer>
bool ParseInteger(const std::string& text, Integer* value) {
  return absl::SimpleAtoi(text, value);
}
bool ParseNumber(const std::string& text, double* value) { return absl::SimpleAtod(text, value); }
bool ParseBoolean(const std::string& text, bool* value) { return absl::SimpleAtob(text, value); }
bool ParseText(const std::string& text, std::string* value) {
  *value = text;
  return !text.empty();
}

std::string Text(bool value) { return value ? "true" : "false"; }

}  // namespace

void AddBestEvaluation(const BestEvaluation& best, Metadata* metadata) {
  const EvaluationBasis& basis = best.basis;
  (*metadata)["best_value"] = absl::StrFormat("%.17g", best.value);
  (*metadata)["best_policy_version"] = absl::StrCat(best.policy_version);
  (*metadata)["best_env_steps"] = absl::StrCat(best.env_steps);
  if (basis == EvaluationBasis()) return;
  (*metadata)["best_statistic"] = basis.statistic;
  (*metadata)["best_smaller_is_better"] = Text(basis.smaller_is_better);
  (*metadata)["best_episodes"] = absl::StrCat(basis.episodes);
  (*metadata)["best_first_seed"] = absl::StrCat(basis.first_seed);
  (*metadata)["best_sample_actions"] = Text(basis.sample_actions);
  (*metadata)["best_environment"] = basis.environment;
}

absl::StatusOr<std::optional<BestEvaluation>> ReadBestEvaluation(const Metadata& metadata) {
  if (metadata.count("best_value") == 0) return std::optional<BestEvaluation>();
  BestEvaluation best;
  absl::Status status;
  Read(metadata, "best_value", ParseNumber, &best.value, &status);
  Read(metadata, "best_policy_version", ParseInteger<uint64_t>, &best.policy_version, &status);
  Read(metadata, "best_env_steps", ParseInteger<uint64_t>, &best.env_steps, &status);
  if (metadata.count("best_statistic") > 0) {
    EvaluationBasis& basis = best.basis;
    Read(metadata, "best_statistic", ParseText, &basis.statistic, &status);
    Read(metadata, "best_smaller_is_better", ParseBoolean, &basis.smaller_is_better, &status);
    Read(metadata, "best_episodes", ParseInteger<uint32_t>, &basis.episodes, &status);
    Read(metadata, "best_first_seed", ParseInteger<uint64_t>, &basis.first_seed, &status);
    Read(metadata, "best_sample_actions", ParseBoolean, &basis.sample_actions, &status);
    Read(metadata, "best_environment", ParseText, &basis.environment, &status);
  }
  if (!status.ok()) return status;
  return best;
}

std::string DescribeBasis(const EvaluationBasis& basis) {
  return absl::StrCat(basis.statistic, basis.smaller_is_better ? " (smaller is better)" : " (larger is better)",
                      " over ", basis.episodes, basis.episodes == 1 ? " episode" : " episodes", " from seed ",
                      basis.first_seed, basis.sample_actions ? ", sampled actions" : ", most probable actions",
                      ", environment ", basis.environment);
}

}  // namespace troupe

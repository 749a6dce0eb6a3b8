// What "best" is said of: a value, and everything two values must have in common to be compared.
#ifndef TROUPE_COMMON_FILES_BEST_EVALUATION_H_
#define TROUPE_COMMON_FILES_BEST_EVALUATION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace troupe {

// How a value came about.
struct EvaluationBasis {
  std::string statistic;  // evaluation.best_by
  bool smaller_is_better = false;
  uint32_t episodes = 0;
  uint64_t first_seed = 0;  // of the episodes
  bool sample_actions = false;
  std::string environment;  // fingerprint of the environment and its settings (learner/checkpoint/evaluation_basis.h)
  bool operator==(const EvaluationBasis&) const = default;
};

struct BestEvaluation {
  double value = 0;
  uint64_t policy_version = 0;
  uint64_t env_steps = 0;  // the policy had been trained on
  EvaluationBasis basis = {};
  bool operator==(const BestEvaluation&) const = default;
};

// Adds the entries best_value, best_policy_version, best_env_steps, best_statistic, best_smaller_is_better,
// best_episodes, best_first_seed, best_sample_actions and best_environment.
void AddBestEvaluation(const BestEvaluation& best, std::map<std::string, std::string>* metadata);

// Empty without best_value. Files of earlier versions do not say what their value is of: `basis` is default-constructed
// then. Errors: INVALID_ARGUMENT naming the entry that is missing or bad.
absl::StatusOr<std::optional<BestEvaluation>> ReadBestEvaluation(const std::map<std::string, std::string>& metadata);

// "mean_delay_seconds (smaller is better) over 8 episodes from seed 1000000, most probable actions, environment
// 1a2b3c4d".
std::string DescribeBasis(const EvaluationBasis& basis);

}  // namespace troupe

#endif  // TROUPE_COMMON_FILES_BEST_EVALUATION_H_

// Reads, overrides, validates and completes an experiment.
#ifndef TROUPE_COMMON_CONFIG_EXPERIMENT_LOADER_H_
#define TROUPE_COMMON_CONFIG_EXPERIMENT_LOADER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/experiment.pb.h"

namespace troupe {

// Reads the textproto at `path`, applies overrides ("ppo.clip=0.1", "environment.settings.vehicles_per_hour=7200",
// "policy.hidden_sizes=128,64", "group_policies.junction.sharing=PER_AGENT") in order, validates, and writes every
// absent field's default, so that what is returned says everything.
//
// Errors: NOT_FOUND: no such file. INVALID_ARGUMENT: "PATH:LINE:COLUMN: FIELD: what is wrong", for unknown fields with
// the nearest known name; for overrides "--set ppo.clpi=0.1: …".
absl::StatusOr<Experiment> LoadExperiment(const std::string& path, const std::vector<std::string>& overrides);

// The same from text; `source` stands for the path in messages.
absl::StatusOr<Experiment> ParseExperiment(const std::string& text, const std::string& source,
                                           const std::vector<std::string>& overrides);

// Ranges and combinations (per-agent critic input with TEAM heads, another algorithm's settings, minibatch larger than
// the batch, …). INVALID_ARGUMENT naming the field, its value and its range.
absl::Status ValidateExperiment(const Experiment& experiment);

// Writes the documented default of every absent field.
void FillDefaults(Experiment* experiment);

// Textproto of the whole experiment, as printed at start and stored with the run.
std::string FormatExperiment(const Experiment& experiment);

}  // namespace troupe

#endif  // TROUPE_COMMON_CONFIG_EXPERIMENT_LOADER_H_

// How a run's evaluations come about, so that only values that came about alike are compared.
#ifndef TROUPE_LEARNER_CHECKPOINT_EVALUATION_BASIS_H_
#define TROUPE_LEARNER_CHECKPOINT_EVALUATION_BASIS_H_

#include <string>

#include "common/files/best_evaluation.h"
#include "common/specs/environment_spec.h"
#include "proto/experiment.pb.h"

namespace troupe {

// Eight hexadecimal digits over the environment's name, what it offers its agents and its settings but for
// spec.machine_settings.
std::string EnvironmentFingerprint(const EnvironmentSettings& settings, const EnvironmentSpec& spec);

EvaluationBasis BasisOf(const Experiment& experiment, const EnvironmentSpec& spec);

}  // namespace troupe

#endif  // TROUPE_LEARNER_CHECKPOINT_EVALUATION_BASIS_H_

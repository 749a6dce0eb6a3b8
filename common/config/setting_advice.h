// Settings that are each in their range and yet fight each other, decide nothing, or leave workers idle.
#ifndef TROUPE_COMMON_CONFIG_SETTING_ADVICE_H_
#define TROUPE_COMMON_CONFIG_SETTING_ADVICE_H_

#include <string>
#include <vector>

#include "proto/experiment.pb.h"

namespace troupe {

// Sentences that name the fields, of a complete experiment (LoadExperiment) that `workers` processes will collect for;
// said before a run begins, and no reason to refuse it.
std::vector<std::string> AdviceOn(const Experiment& experiment, int workers);

}  // namespace troupe

#endif  // TROUPE_COMMON_CONFIG_SETTING_ADVICE_H_

// The command line of `learner sweep`. Its flags stand in sweep_flags.cc; nothing else knows them.
#ifndef TROUPE_LEARNER_SWEEP_SWEEP_FLAGS_H_
#define TROUPE_LEARNER_SWEEP_SWEEP_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/command_line/command.h"
#include "learner/sweep/sweep_plan.h"

namespace troupe {

Command SweepCommandLine();

// What the flags and `words` say. Errors: INVALID_ARGUMENT naming the flag; those of the file of --rows.
absl::StatusOr<SweepOptions> ReadSweepFlags(const CommandWords& words);

// "1,2,3" or "1-5,8": whole numbers, none twice, at most kMostSweptRuns. INVALID_ARGUMENT naming --seeds.
absl::StatusOr<std::vector<uint64_t>> ParseSeeds(const std::string& text);

}  // namespace troupe

#endif  // TROUPE_LEARNER_SWEEP_SWEEP_FLAGS_H_

// The table a run closes with: its best policy against the environment's baselines.
#ifndef TROUPE_LEARNER_RUN_FINAL_EVALUATION_H_
#define TROUPE_LEARNER_RUN_FINAL_EVALUATION_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "learner/reporting/console.h"
#include "proto/experiment.pb.h"

namespace troupe {

// The command line of `actor_worker evaluate` that makes the table; the same words a person would type.
std::vector<std::string> EvaluateCommand(const std::string& worker_program, const EvaluationSettings& settings,
                                         const std::string& actors, const std::string& json);

// Runs `command`, whose output goes to the console line by line and to `text_path` (replaced). Standard error is part
// of it, but for lines of progress, which are the console's progress. Errors: the program cannot be run or did not exit
// with 0; CANCELLED when `stop_requested` said so and the child was ended.
absl::Status RunToConsole(const std::vector<std::string>& command, const std::string& text_path, Console* console,
                          const std::function<bool()>& stop_requested);

// The table of the run in `folder`: its actors/final.safetensors on the console, into evaluation.txt and
// evaluation.json. Errors as of RunToConsole.
absl::Status PlayFinalTable(const std::string& worker_program, const EvaluationSettings& settings,
                            const std::string& folder, Console* console, const std::function<bool()>& stop_requested);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_FINAL_EVALUATION_H_

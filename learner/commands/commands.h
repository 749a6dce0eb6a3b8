// Those commands of `learner` that look things up: no LibTorch, so that they answer at once. Each takes the command
// line with the command's word already removed (argv[0] is the program) and returns the process's exit status: 0 done
// or help was asked for, 1 failed (what failed is on stderr), 2 the command line makes no sense.
#ifndef TROUPE_LEARNER_COMMANDS_COMMANDS_H_
#define TROUPE_LEARNER_COMMANDS_COMMANDS_H_

#include <string>
#include <vector>

namespace troupe {

// Lists the algorithms, or what one of them needs and allows.
int RunAlgorithms(int argc, char** argv);

// The worker's command, for it knows the environments; returns only when it cannot be run.
int RunEnvironments(int argc, char** argv);

// Default, range and meaning of settings.
int RunExplain(int argc, char** argv);

// What a run's folder, a checkpoint or an actor file holds.
int RunInspect(int argc, char** argv);

// Completion of both programs' command lines for a shell; their manual pages.
int RunCompletion(int argc, char** argv);
int RunManual(int argc, char** argv);

}  // namespace troupe

#endif  // TROUPE_LEARNER_COMMANDS_COMMANDS_H_

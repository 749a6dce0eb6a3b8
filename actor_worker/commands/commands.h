// The subcommands of actor_worker. Each takes the command line with the subcommand word already removed (argv[0] is the
// program), reads its own flags (actor_worker/commands/flags.h) and returns the process's exit status: 0 done or help
// was asked for, 1 failed (what failed is on stderr), 2 the command line makes no sense.
#ifndef TROUPE_ACTOR_WORKER_COMMANDS_COMMANDS_H_
#define TROUPE_ACTOR_WORKER_COMMANDS_COMMANDS_H_

namespace troupe {

// Agents and baselines over the same episodes: a table, and every episode as JSON on request. With --check_only also 3:
// the experiment may be right, and cannot be played on this machine.
int RunEvaluate(int argc, char** argv);

// Decentralised execution: one agent's actor on a line protocol, or a whole network of them in the simulator.
int RunAct(int argc, char** argv);

// Prints the environment step by step while an actor file or a baseline plays.
int RunReplay(int argc, char** argv);

// Writes whole episodes of an actor file or a baseline to a folder, for learning from them later.
int RunRecord(int argc, char** argv);

// Lists the environments, or one environment's settings, agents and baselines.
int RunEnvironments(int argc, char** argv);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_COMMANDS_COMMANDS_H_

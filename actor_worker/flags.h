// Every command-line flag of actor_worker. Flags are global to a binary, so they stand in one place; each subcommand
// reads those its help names.
#ifndef TROUPE_ACTOR_WORKER_FLAGS_H_
#define TROUPE_ACTOR_WORKER_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/flags/declare.h"

ABSL_DECLARE_FLAG(std::string, learner);
ABSL_DECLARE_FLAG(std::string, metrics);
ABSL_DECLARE_FLAG(int32_t, rollout_threads);
ABSL_DECLARE_FLAG(int32_t, max_shards);
ABSL_DECLARE_FLAG(double, give_up_after_seconds);
ABSL_DECLARE_FLAG(std::string, tls_ca);
ABSL_DECLARE_FLAG(std::string, tls_certificate);
ABSL_DECLARE_FLAG(std::string, tls_key);
ABSL_DECLARE_FLAG(std::string, tls_server_name);
ABSL_DECLARE_FLAG(std::string, token_file);
ABSL_DECLARE_FLAG(bool, insecure);
ABSL_DECLARE_FLAG(std::vector<std::string>, actors);
ABSL_DECLARE_FLAG(std::string, experiment);
ABSL_DECLARE_FLAG(std::string, environment);
ABSL_DECLARE_FLAG(int32_t, episodes);
ABSL_DECLARE_FLAG(uint64_t, first_seed);
ABSL_DECLARE_FLAG(bool, sample);
ABSL_DECLARE_FLAG(std::string, baselines);
ABSL_DECLARE_FLAG(std::string, json);
ABSL_DECLARE_FLAG(int32_t, threads);
ABSL_DECLARE_FLAG(std::string, agent);
ABSL_DECLARE_FLAG(bool, network);
ABSL_DECLARE_FLAG(uint64_t, seed);
ABSL_DECLARE_FLAG(int64_t, steps);
ABSL_DECLARE_FLAG(std::string, controller);
ABSL_DECLARE_FLAG(int64_t, every);

namespace troupe {

// Removes every `--set PATH=VALUE` and `--set=PATH=VALUE` from the command line and returns the PATH=VALUE in order. Done
// by hand because a value may hold commas and the flag may be repeated. Call before absl::ParseCommandLine.
std::vector<std::string> TakeSetFlags(int* argc, char** argv);

// Parses the flags of a subcommand that takes at most `max_positional` other words; returns those. On a word too many,
// says so on stderr and exits with status 2, as absl does for an unknown flag.
std::vector<std::string> ParseFlags(int argc, char** argv, const std::string& usage, int max_positional);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_FLAGS_H_

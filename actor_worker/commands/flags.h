// Every command-line flag of actor_worker. Flags are global to a binary, so they stand in one place; each subcommand
// takes those its Command names (common/command_line/command.h).
#ifndef TROUPE_ACTOR_WORKER_COMMANDS_FLAGS_H_
#define TROUPE_ACTOR_WORKER_COMMANDS_FLAGS_H_

#include <cstdint>
#include <optional>
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
ABSL_DECLARE_FLAG(bool, allow_machine_settings);
ABSL_DECLARE_FLAG(std::vector<std::string>, actors);
ABSL_DECLARE_FLAG(std::string, experiment);
ABSL_DECLARE_FLAG(std::string, environment);
ABSL_DECLARE_FLAG(bool, sample);
ABSL_DECLARE_FLAG(bool, greedy);
ABSL_DECLARE_FLAG(std::optional<int32_t>, episodes);
ABSL_DECLARE_FLAG(std::optional<uint64_t>, first_seed);
ABSL_DECLARE_FLAG(std::string, baselines);
ABSL_DECLARE_FLAG(bool, cross_play);
ABSL_DECLARE_FLAG(std::string, json);
ABSL_DECLARE_FLAG(int32_t, threads);
ABSL_DECLARE_FLAG(double, progress_seconds);
ABSL_DECLARE_FLAG(bool, check_only);
ABSL_DECLARE_FLAG(std::string, agent);
ABSL_DECLARE_FLAG(bool, network);
ABSL_DECLARE_FLAG(std::optional<uint64_t>, seed);
ABSL_DECLARE_FLAG(int64_t, steps);
ABSL_DECLARE_FLAG(std::string, controller);
ABSL_DECLARE_FLAG(int64_t, every);
ABSL_DECLARE_FLAG(std::string, out);
ABSL_DECLARE_FLAG(bool, spec);

#endif  // TROUPE_ACTOR_WORKER_COMMANDS_FLAGS_H_

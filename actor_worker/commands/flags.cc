#include "actor_worker/commands/flags.h"

#include "absl/flags/flag.h"

// work
ABSL_FLAG(std::string, learner, "", "HOST:PORT of the learner.");
ABSL_FLAG(std::string, metrics, "", "HOST:PORT to serve /metrics at; empty: nowhere.");
ABSL_FLAG(int32_t, rollout_threads, 1, "Threads that step environments.");
ABSL_FLAG(int32_t, max_shards, 1024, "Most shards to take at once.");
ABSL_FLAG(double, give_up_after_seconds, 0, "End after this long without a learner; 0: never.");
ABSL_FLAG(std::string, tls_ca, "", "Use TLS; authority, PEM, of which the learner must show a certificate.");
ABSL_FLAG(std::string, tls_certificate, "", "Certificate, PEM, to show the learner: mutual TLS.");
ABSL_FLAG(std::string, tls_key, "", "Its private key, PEM.");
ABSL_FLAG(std::string, tls_server_name, "", "The name the learner's certificate must have, instead of --learner's.");
ABSL_FLAG(std::string, token_file, "", "File with the learner's token.");
ABSL_FLAG(bool, insecure, false, "Allow the token to travel to other machines in plain text.");
ABSL_FLAG(bool, allow_machine_settings, false,
          "Take settings from the learner that name programs, files or options of programs on this machine (sumo_home, "
          "sumo_options, a network by its path), or those from an actor file that decide which program is run. Only "
          "where you "
          "trust whoever runs the learner or made the file; a learner's own local workers do.");
// evaluate, act, replay, record
ABSL_FLAG(std::vector<std::string>, actors, {}, "Actor files (runs/NAME/actors/*.safetensors), separated by commas.");
ABSL_FLAG(std::string, experiment, "", "Experiment file that says what to play, when no actor file does.");
ABSL_FLAG(std::string, environment, "", "Environment to play, when neither an actor file nor --experiment says it.");
ABSL_FLAG(bool, sample, false,
          "Sample the actors' actions. Without --sample and --greedy they act as their experiment's "
          "evaluation.sample_actions says.");
ABSL_FLAG(bool, greedy, false, "Take the most probable action of the actors, whatever their experiment says.");
// evaluate, record
ABSL_FLAG(std::optional<int32_t>, episodes, std::nullopt,
          "Episodes of every player; default: evaluation.final_episodes of the experiment.");
ABSL_FLAG(
    std::optional<uint64_t>, first_seed, std::nullopt,
    "Episode i is seeded with this + i; default: evaluation.final_first_seed of the experiment; of record 4000000, "
    "which evaluations do not play.");
ABSL_FLAG(std::string, baselines, "",
          "Baselines to compare with: all, none, or names separated by commas; default: evaluation.baselines of the "
          "experiment, all where it names none.");
ABSL_FLAG(
    bool, cross_play, false,
    "Every actor file plays the first group of agents with every one in the other groups: teams that learnt apart, "
    "or earlier versions of one. Baselines then only by --baselines.");
ABSL_FLAG(std::string, json, "", "File to write every episode to.");
ABSL_FLAG(int32_t, threads, 0, "Threads that play episodes; 0: as many as the machine has.");
ABSL_FLAG(double, progress_seconds, 10, "Seconds between lines of progress where standard error is no terminal.");
ABSL_FLAG(bool, check_only, false,
          "Play nothing: check that all of it could be played here. Status 2: the experiment is wrong; 3: it cannot be "
          "played on this machine.");
// act, replay, record
ABSL_FLAG(std::string, agent, "", "The agent whose observations come on standard input: its name, or GROUP/INDEX.");
ABSL_FLAG(bool, network, false, "Play the whole network in the simulator, every agent with its own actor.");
ABSL_FLAG(std::optional<uint64_t>, seed, std::nullopt,
          "Seed of the episode (and of sampled actions); default: evaluation.final_first_seed of the experiment.");
ABSL_FLAG(int64_t, steps, 0, "Stop after this many environment steps; 0: at the end of the episode.");
ABSL_FLAG(std::string, controller, "",
          "Baseline that plays instead of an actor file; with --out beside it, or two separated by a comma.");
ABSL_FLAG(int64_t, every, 1, "Print, or put into the page, every N-th step.");
ABSL_FLAG(std::string, out, "",
          "replay: file to write a page to that plays the episode, instead of printing it; record: folder to write to, "
          "empty or new.");
// environments
ABSL_FLAG(bool, spec, false, "With NAME: what it offers as a program reads it (proto/environment_spec.proto).");

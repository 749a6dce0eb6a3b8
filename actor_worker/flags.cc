#include "actor_worker/flags.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"

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
// evaluate, act, replay
ABSL_FLAG(std::vector<std::string>, actors, {}, "Actor files (runs/NAME/actors/*.safetensors), separated by commas.");
ABSL_FLAG(std::string, experiment, "", "Experiment file that says which environment to play, when no actor file does.");
ABSL_FLAG(std::string, environment, "", "Environment to play, when neither an actor file nor --experiment says it.");
ABSL_FLAG(bool, sample, false, "Sample the actors' actions instead of taking the most probable.");
// evaluate
ABSL_FLAG(int32_t, episodes, 20, "Episodes of every player.");
ABSL_FLAG(uint64_t, first_seed, 2000000, "Episode i is seeded with this + i.");
ABSL_FLAG(std::string, baselines, "all", "Baselines to compare with: all, none, or names separated by commas.");
ABSL_FLAG(std::string, json, "", "File to write every episode to.");
ABSL_FLAG(int32_t, threads, 0, "Threads that play episodes; 0: as many as the machine has.");
// act, replay
ABSL_FLAG(std::string, agent, "", "The agent whose observations come on standard input.");
ABSL_FLAG(bool, network, false, "Play the whole network in the simulator, every agent with its own actor.");
ABSL_FLAG(uint64_t, seed, 1000000, "Seed of the episode.");
ABSL_FLAG(int64_t, steps, 0, "Stop after this many environment steps; 0: at the end of the episode.");
ABSL_FLAG(std::string, controller, "", "Baseline that plays instead of an actor file.");
ABSL_FLAG(int64_t, every, 1, "Print every N-th step.");

namespace troupe {

std::vector<std::string> TakeSetFlags(int* argc, char** argv) {
  std::vector<std::string> taken;
  int kept = 1;
  for (int i = 1; i < *argc; ++i) {
    const char* word = argv[i];
    const char* name = std::strncmp(word, "--", 2) == 0 ? word + 2 : word + (word[0] == '-');
    if (name != word && std::strncmp(name, "set=", 4) == 0) {
      taken.push_back(name + 4);
    } else if (name != word && std::strcmp(name, "set") == 0 && i + 1 < *argc) {
      taken.push_back(argv[++i]);
    } else {
      argv[kept++] = argv[i];
    }
  }
  *argc = kept;
  argv[kept] = nullptr;
  return taken;
}

std::vector<std::string> ParseFlags(int argc, char** argv, const std::string& usage, int max_positional) {
  static const bool usage_is_set = (absl::SetProgramUsageMessage(usage), true);  // it may be set only once
  (void)usage_is_set;
  const std::vector<char*> left = absl::ParseCommandLine(argc, argv);
  std::vector<std::string> words(left.begin() + 1, left.end());
  if (static_cast<int>(words.size()) > max_positional) {
    std::fprintf(stderr, "unexpected \"%s\"; see --help\n", words[max_positional].c_str());
    std::exit(2);
  }
  return words;
}

}  // namespace troupe

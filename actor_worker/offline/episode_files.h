// Plays episodes and writes them to a folder of files, for learning from them later.
#ifndef TROUPE_ACTOR_WORKER_OFFLINE_EPISODE_FILES_H_
#define TROUPE_ACTOR_WORKER_OFFLINE_EPISODE_FILES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "actor_worker/environments/environment.h"
#include "actor_worker/evaluation/episode_runner.h"
#include "common/specs/environment_spec.h"

namespace troupe {

struct EpisodeFilesPlan {
  const EnvironmentEntry* environment = nullptr;
  SettingsMap settings;
  uint64_t first_seed = 0;  // episode i is reset with first_seed + i
  int episodes = 1;
  std::string folder;                           // made where it is missing; must be empty
  std::map<std::string, std::string> metadata;  // of every file, beside "format" and "spec"
  int64_t file_bytes = int64_t{64} << 20;       // a file is written as soon as its episodes have so many
  int64_t most_bytes = int64_t{1} << 30;        // an episode that alone has more is refused
  std::function<void(int finished)> progress;   // after every episode
};

struct WrittenEpisodes {
  EnvironmentSpec spec;  // of the environment as the player plays it
  std::vector<EpisodeResult> episodes;
  int64_t steps = 0;
  int files = 0;
};

// Every agent acts by its own actor, as MakeDecentralisedChooser has it: episodes are those that RunEpisodes plays with
// the same player and seeds. episodes-00000.safetensors and so on have EpisodeRows' tensors and the metadata "format"
// ("troupe-episodes/1") and "spec" (FormatEnvironmentSpec); each is whole, whatever happens after it was written.
// Errors: ALREADY_EXISTS for a folder with something in it; RESOURCE_EXHAUSTED for an episode too long to keep; those
// of the environment, of the policies that do not fit it, and of writing.
absl::StatusOr<WrittenEpisodes> WriteEpisodes(const EpisodeFilesPlan& plan, const Player& player);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_OFFLINE_EPISODE_FILES_H_

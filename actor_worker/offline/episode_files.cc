#include "actor_worker/offline/episode_files.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "actor_worker/evaluation/watched_episode.h"
#include "actor_worker/offline/episode_rows.h"
#include "common/base/status_macros.h"
#include "common/files/safetensors.h"
#include "common/specs/environment_spec_json.h"

namespace troupe {
namespace {

constexpr char kFormat[] = "troupe-episodes/1";

absl::Status MakeEmptyFolder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return absl::InternalError(absl::StrCat(folder, ": ", error.message()));
  const bool empty = std::filesystem::is_empty(folder, error);
  if (error) return absl::InternalError(absl::StrCat(folder, ": ", error.message()));
  if (!empty) return absl::AlreadyExistsError(absl::StrCat(folder, ": expected an empty folder, or none yet"));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Chooser>> MakeChooser(const EnvironmentSpec& spec, const Player& player, uint64_t seed) {
  if (player.policy.policies != nullptr) return MakeDecentralisedChooser(spec, player.policy, seed);
  return MakeBaselineChooser(spec, player, seed);
}

}  // namespace

absl::StatusOr<WrittenEpisodes> WriteEpisodes(const EpisodeFilesPlan& plan, const Player& player) {
  SettingsMap settings = plan.settings;
  for (const auto& [name, value] : player.setting_overrides) settings[name] = value;
  ASSIGN_OR_RETURN(const auto environment, plan.environment->create(settings));
  const EnvironmentSpec& spec = environment->spec();
  RETURN_IF_ERROR(MakeEmptyFolder(plan.folder));
  SafetensorsFile file{.metadata = plan.metadata, .tensors = {}};
  file.metadata["format"] = kFormat;
  file.metadata["spec"] = FormatEnvironmentSpec(spec, 1);

  WrittenEpisodes written{.spec = spec};
  EpisodeRows rows(spec);
  const int64_t most_steps = std::max<int64_t>(1, plan.most_bytes / std::max<int64_t>(1, rows.BytesPerStep(spec)));
  const auto flush = [&]() -> absl::Status {
    if (rows.episodes() == 0) return absl::OkStatus();
    file.tensors = rows.Take();
    const std::string path = absl::StrFormat("%s/episodes-%05d.safetensors", plan.folder, written.files++);
    return WriteSafetensors(path, file);
  };
  for (int i = 0; i < plan.episodes; ++i) {
    const uint64_t seed = plan.first_seed + i;
    ASSIGN_OR_RETURN(const std::unique_ptr<Chooser> chooser, MakeChooser(spec, player, seed));
    bool ended = false;
    const auto look = [&](const Environment&, const EpisodeBuffers::Copy& copy, const EpisodeResult&, bool over) {
      rows.Look(copy, over);
      ended = over;
    };
    ASSIGN_OR_RETURN(EpisodeResult result,
                     PlayWatched(*environment, *chooser, {.seed = seed, .max_steps = most_steps, .look = look}));
    if (!ended) {
      return absl::ResourceExhaustedError(absl::StrCat("the episode with seed ", seed, " did not end within ",
                                                       most_steps, " steps, which have ", plan.most_bytes,
                                                       " bytes, the most that is kept of one"));
    }
    rows.End(result);
    written.steps += result.length;
    written.episodes.push_back(std::move(result));
    if (plan.progress) plan.progress(i + 1);
    if (rows.bytes() >= plan.file_bytes) RETURN_IF_ERROR(flush());
  }
  RETURN_IF_ERROR(flush());
  return written;
}

}  // namespace troupe

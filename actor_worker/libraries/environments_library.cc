#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/create_copies.h"
#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/libraries/environment_copies.h"
#include "actor_worker/libraries/last_error.h"
#include "actor_worker/libraries/troupe_environments.h"
#include "common/base/status_macros.h"
#include "common/specs/environment_spec_json.h"

struct troupe_environment {
  explicit troupe_environment(std::vector<std::unique_ptr<troupe::Environment>> made) : copies(std::move(made)) {}
  troupe::EnvironmentCopies copies;
  std::string spec;      // JSON
  std::string rendered;  // last
};

namespace troupe {
namespace {

constexpr int kMostCopies = 1'000'000;

absl::StatusOr<troupe_environment*> Create(const char* name, const char* const* settings, size_t num_settings,
                                           int copies) {
  if (name == nullptr) return absl::InvalidArgumentError("name is NULL");
  if (copies < 1 || copies > kMostCopies) {
    return absl::InvalidArgumentError(absl::StrCat("copies: ", copies, ", expected 1 … ", kMostCopies));
  }
  SettingsMap map;
  for (size_t i = 0; i < 2 * num_settings; i += 2) {
    if (settings == nullptr || settings[i] == nullptr || settings[i + 1] == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("settings: name or value ", i / 2, " is NULL"));
    }
    if (!map.emplace(settings[i], settings[i + 1]).second) {
      return absl::InvalidArgumentError(absl::StrCat("settings: \"", settings[i], "\" comes twice"));
    }
  }
  ASSIGN_OR_RETURN(const EnvironmentEntry* const entry, FindEnvironment(name));
  ASSIGN_OR_RETURN(auto made, CreateCopies(*entry, map, copies));
  auto environment = std::make_unique<troupe_environment>(std::move(made));
  environment->spec = FormatEnvironmentSpec(environment->copies.spec(), copies);
  return environment.release();
}

// Texts of all rows, kept for ever; null where there is no such row.
struct Words {
  std::string name, summary, settings;
};

const std::vector<Words>& AllWords() {
  static const auto* const all = [] {
    auto* const words = new std::vector<Words>;
    for (const EnvironmentEntry& entry : AllEnvironments()) {
      if (entry.summary.empty()) continue;  // left out: other_environments.cc
      words->push_back({entry.name, entry.summary, entry.describe_settings()});
    }
    return words;
  }();
  return *all;
}

const char* WordsOf(const char* name, std::string Words::*member) {
  if (name == nullptr) return nullptr;
  for (const Words& words : AllWords()) {
    if (words.name == name) return (words.*member).c_str();
  }
  return nullptr;
}

template <typename T>
T* DataOrNull(std::vector<T>& values) {
  return values.empty() ? nullptr : values.data();
}

}  // namespace
}  // namespace troupe

extern "C" {

int troupe_environments_interface(void) { return TROUPE_ENVIRONMENTS_INTERFACE; }

const char* troupe_environments_error(void) { return troupe::LastError().c_str(); }

const char* troupe_environments_name(size_t index) {
  const auto& all = troupe::AllWords();
  return index < all.size() ? all[index].name.c_str() : nullptr;
}

const char* troupe_environments_summary(const char* name) { return troupe::WordsOf(name, &troupe::Words::summary); }

const char* troupe_environments_settings(const char* name) { return troupe::WordsOf(name, &troupe::Words::settings); }

troupe_environment* troupe_environment_create(const char* name, const char* const* settings, size_t num_settings,
                                              int copies) {
  return troupe::Made<troupe_environment>([&] { return troupe::Create(name, settings, num_settings, copies); });
}

void troupe_environment_destroy(troupe_environment* environment) { delete environment; }

const char* troupe_environment_spec(const troupe_environment* environment) { return environment->spec.c_str(); }

int troupe_environment_group_arrays(troupe_environment* environment, size_t g, troupe_group_arrays* arrays) {
  return troupe::Tried([&]() -> absl::Status {
    if (g >= environment->copies.buffers().groups.size()) {
      return absl::OutOfRangeError(
          absl::StrCat("group: ", g, ", there are ", environment->copies.buffers().groups.size()));
    }
    troupe::EpisodeBuffers::Group& group = environment->copies.buffers().groups[g];
    *arrays = {.observations = group.observations.data(),
               .action_masks = troupe::DataOrNull(group.action_masks),
               .alive = group.alive.data(),
               .rewards = group.rewards.data(),
               .indices = troupe::DataOrNull(group.discrete),
               .numbers = troupe::DataOrNull(group.continuous)};
    return absl::OkStatus();
  });
}

void troupe_environment_copy_arrays(const troupe_environment* environment, troupe_copy_arrays* arrays) {
  *arrays = {.state = environment->copies.state().data(),
             .terminated = environment->copies.terminated().data(),
             .truncated = environment->copies.truncated().data(),
             .statistics = environment->copies.statistics().data()};
}

int troupe_environment_reset(troupe_environment* environment, int copy, uint64_t seed) {
  return troupe::Tried([&] { return environment->copies.Reset(copy, seed); });
}

int troupe_environment_step(troupe_environment* environment, const uint8_t* which) {
  return troupe::Tried([&] {
    return environment->copies.Step(which == nullptr ? absl::Span<const uint8_t>()
                                                     : absl::MakeConstSpan(which, environment->copies.size()));
  });
}

const char* troupe_environment_render(troupe_environment* environment, int copy) {
  const int failed = troupe::Tried([&]() -> absl::Status {
    ASSIGN_OR_RETURN(environment->rendered, environment->copies.Render(copy));
    return absl::OkStatus();
  });
  return failed == 0 ? environment->rendered.c_str() : nullptr;
}

}  // extern "C"

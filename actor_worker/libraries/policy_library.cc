#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "actor_worker/acting/own_actor.h"
#include "actor_worker/acting/saved_agent.h"
#include "actor_worker/libraries/last_error.h"
#include "actor_worker/libraries/troupe_policy.h"
#include "common/base/finite.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/files/safetensors.h"
#include "common/files/safetensors_bytes.h"
#include "common/specs/saved_policies.h"

struct troupe_policy {
  troupe::SavedPolicies saved;
  std::vector<std::string> agents;  // of all groups
};

struct troupe_actor {
  std::unique_ptr<troupe::OwnActor> actor;
  std::vector<std::string> neighbours;
  std::vector<const float*> heard;  // [neighbours]
  troupe::RandomStream stream{0};
};

namespace troupe {
namespace {

absl::StatusOr<troupe_policy*> MakePolicy(SafetensorsFile file) {
  auto policy = std::make_unique<troupe_policy>();
  ASSIGN_OR_RETURN(policy->saved, TakePolicies(std::move(file)));
  const SavedPolicies& saved = policy->saved;
  for (size_t g = 0; g < saved.policies.size(); ++g) {
    for (int a = 0; a < saved.policies[g].num_agents; ++a) {
      policy->agents.push_back(SavedAgentName(saved.policies, saved.groups, g, a));
    }
  }
  return policy.release();
}

absl::StatusOr<troupe_actor*> MakeActor(const troupe_policy& policy, const std::string& name) {
  const SavedPolicies& saved = policy.saved;
  const std::optional<SavedAgent> found = FindSavedAgent(saved.policies, saved.groups, name);
  if (!found.has_value()) {
    return absl::NotFoundError(absl::StrCat("agent: the file ", HasNoAgent(name, policy.agents)));
  }
  auto actor = std::make_unique<troupe_actor>();
  ASSIGN_OR_RETURN(actor->actor, OwnActor::Create(saved.policies[found->group], saved.weights, found->agent));
  for (const int other : actor->actor->neighbours()) {
    actor->neighbours.push_back(SavedAgentName(saved.policies, saved.groups, found->group, other));
  }
  actor->heard.resize(actor->neighbours.size());
  return actor.release();
}

absl::Status CheckNumbers(absl::string_view what, absl::Span<const float> numbers) {
  if (numbers.data() == nullptr && !numbers.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(what, " is NULL, expected ", numbers.size(), " numbers"));
  }
  if (AllFinite(numbers)) return absl::OkStatus();
  const auto bad = std::find_if(numbers.begin(), numbers.end(), [](float number) { return !std::isfinite(number); });
  return absl::InvalidArgumentError(
      absl::StrCat(what, " ", bad - numbers.begin(), " is ", *bad, ", expected a finite number"));
}

absl::Status CheckUniforms(absl::Span<const float> uniforms) {
  for (size_t i = 0; i < uniforms.size(); ++i) {
    if (!(uniforms[i] >= 0 && uniforms[i] < 1)) {
      return absl::InvalidArgumentError(absl::StrCat("uniforms ", i, " is ", uniforms[i], ", expected it in [0, 1)"));
    }
  }
  return absl::OkStatus();
}

template <typename T>
absl::Span<const T> SpanOrNone(const T* data, size_t size) {
  return data == nullptr ? absl::Span<const T>() : absl::Span<const T>(data, size);
}

absl::Status Act(troupe_actor& of, const float* observation, const uint8_t* mask, const float* uniforms,
                 const float* const* heard, int32_t* indices, float* numbers) {
  OwnActor& actor = *of.actor;
  const absl::Span<const float> seen(observation, actor.observation_size());
  RETURN_IF_ERROR(CheckNumbers("observation", seen));
  if (mask != nullptr && actor.mask_size() == 0) {
    return absl::InvalidArgumentError("a mask came, which continuous actions do not have");
  }
  const auto allowed = SpanOrNone(mask, actor.mask_size());
  if (mask != nullptr) RETURN_IF_ERROR(CheckMask(allowed, actor.choices()));
  const auto drawn = SpanOrNone(uniforms, actor.draws());
  RETURN_IF_ERROR(CheckUniforms(drawn));
  for (size_t i = 0; i < of.heard.size(); ++i) {
    of.heard[i] = heard == nullptr ? nullptr : heard[i];
    if (of.heard[i] == nullptr) continue;
    RETURN_IF_ERROR(CheckNumbers(absl::StrCat("message ", i), {of.heard[i], size_t(actor.message_size())}));
  }
  if ((actor.choices().empty() ? static_cast<void*>(numbers) : static_cast<void*>(indices)) == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(actor.choices().empty() ? "numbers" : "indices", " is NULL, where the action is to be written"));
  }
  const GroupAction& action = actor.Act(seen, allowed, drawn, of.heard);
  std::copy(action.discrete.begin(), action.discrete.end(), indices);
  std::copy(action.continuous.begin(), action.continuous.end(), numbers);
  return absl::OkStatus();
}

absl::Status CheckGiven(const void* given, absl::string_view what) {
  return given != nullptr ? absl::OkStatus() : absl::InvalidArgumentError(absl::StrCat(what, " is NULL"));
}

}  // namespace
}  // namespace troupe

extern "C" {

int troupe_policy_interface(void) { return TROUPE_POLICY_INTERFACE; }

const char* troupe_policy_error(void) { return troupe::LastError().c_str(); }

troupe_policy* troupe_policy_open(const char* path) {
  return troupe::Made<troupe_policy>([&]() -> absl::StatusOr<troupe_policy*> {
    RETURN_IF_ERROR(troupe::CheckGiven(path, "path"));
    ASSIGN_OR_RETURN(troupe::SafetensorsFile file, troupe::ReadSafetensors(path));
    auto policy = troupe::MakePolicy(std::move(file));
    if (policy.ok()) return policy;
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", policy.status().message()));
  });
}

troupe_policy* troupe_policy_parse(const void* bytes, size_t size) {
  return troupe::Made<troupe_policy>([&]() -> absl::StatusOr<troupe_policy*> {
    RETURN_IF_ERROR(troupe::CheckGiven(bytes, "bytes"));
    ASSIGN_OR_RETURN(troupe::SafetensorsFile file, troupe::ParseSafetensors({static_cast<const char*>(bytes), size}));
    return troupe::MakePolicy(std::move(file));
  });
}

void troupe_policy_close(troupe_policy* policy) { delete policy; }

size_t troupe_policy_num_agents(const troupe_policy* policy) { return policy->agents.size(); }

const char* troupe_policy_agent(const troupe_policy* policy, size_t index) {
  return index < policy->agents.size() ? policy->agents[index].c_str() : nullptr;
}

troupe_actor* troupe_actor_create(const troupe_policy* policy, const char* agent) {
  return troupe::Made<troupe_actor>([&]() -> absl::StatusOr<troupe_actor*> {
    RETURN_IF_ERROR(troupe::CheckGiven(policy, "policy"));
    RETURN_IF_ERROR(troupe::CheckGiven(agent, "agent"));
    return troupe::MakeActor(*policy, agent);
  });
}

void troupe_actor_destroy(troupe_actor* actor) { delete actor; }

troupe_actor_sizes troupe_actor_get_sizes(const troupe_actor* of) {
  const troupe::OwnActor& actor = *of->actor;
  const int32_t indices = static_cast<int32_t>(actor.choices().size());
  return {.observation = actor.observation_size(),
          .mask = actor.mask_size(),
          .indices = indices,
          .numbers = indices == 0 ? actor.action_size() : 0,
          .uniforms = actor.draws(),
          .neighbours = static_cast<int32_t>(actor.neighbours().size()),
          .message = actor.message_size(),
          .state = static_cast<int32_t>(actor.state().size())};
}

const int32_t* troupe_actor_choices(const troupe_actor* actor) { return actor->actor->choices().data(); }

const char* troupe_actor_neighbour(const troupe_actor* actor, size_t index) {
  return index < actor->neighbours.size() ? actor->neighbours[index].c_str() : nullptr;
}

void troupe_actor_begin(troupe_actor* actor) { actor->actor->Begin(); }

int troupe_actor_act(troupe_actor* actor, const float* observation, const uint8_t* mask, const float* uniforms,
                     const float* const* heard, int32_t* indices, float* numbers) {
  return troupe::Tried([&]() -> absl::Status {
    RETURN_IF_ERROR(troupe::CheckGiven(actor, "actor"));
    return troupe::Act(*actor, observation, mask, uniforms, heard, indices, numbers);
  });
}

const float* troupe_actor_message(const troupe_actor* actor) { return actor->actor->message().data(); }

void troupe_actor_get_state(const troupe_actor* actor, float* state) {
  std::ranges::copy(actor->actor->state(), state);
}

int troupe_actor_set_state(troupe_actor* actor, const float* state) {
  return troupe::Tried([&]() -> absl::Status {
    RETURN_IF_ERROR(troupe::CheckGiven(actor, "actor"));
    const absl::Span<const float> numbers(state, actor->actor->state().size());
    RETURN_IF_ERROR(troupe::CheckNumbers("state", numbers));
    actor->actor->SetState(numbers);
    return absl::OkStatus();
  });
}

void troupe_actor_seed(troupe_actor* actor, uint64_t seed) { actor->stream = troupe::RandomStream(seed); }

void troupe_actor_draw(troupe_actor* actor, float* uniforms) {
  for (int i = 0; i < actor->actor->draws(); ++i) uniforms[i] = actor->stream.Uniform();
}

}  // extern "C"

// Versions one after the other, as a worker gets them: what it keeps is bounded, and by every version that it takes its
// actors act.
//
// Input: pieces, each a length of two bytes and a wire::Weights.
#include <algorithm>
#include <string>
#include <vector>

#include "actor_worker/acting/group_actor.h"
#include "actor_worker/acting/policy_store.h"
#include "actor_worker/stream/weights_intake.h"
#include "common/wire/roster_codec.h"
#include "common/wire/spec_codec.h"
#include "tests/actor_worker/inference_reference.h"
#include "tests/fuzz/support/byte_source.h"
#include "tests/fuzz/support/corpus.h"
#include "tests/fuzz/support/target.h"

namespace troupe::fuzz {
namespace {

constexpr int kTeams = 1;

void Act(const PolicySpec& policy, const PolicySnapshot& snapshot) {
  const auto actor = GroupActor::Create(policy, /*copies=*/1);
  Must(actor.ok(), "an actor of the run's own policy");
  if (const absl::Status status = (*actor)->SetSnapshot(snapshot); !status.ok()) return MustRefuse(status);
  const size_t agents = policy.num_agents, actions = policy.action_size;
  const std::vector<float> observations(agents * policy.observation_size, 1.0f);
  std::vector<uint8_t> masks(agents * actions, 1);
  for (size_t agent = 0; agent < agents; ++agent) masks[agent * actions] = 0;
  const std::vector<float> uniforms(agents * (*actor)->draws_per_agent(), 0.999f);
  std::vector<float> state(agents * (*actor)->state_size()), log_probabilities(agents);
  std::vector<int32_t> chosen(agents, -1);
  (*actor)->Act(observations, masks, uniforms, absl::MakeSpan(state),
                {.discrete = absl::MakeSpan(chosen), .log_probabilities = absl::MakeSpan(log_probabilities)});
  for (const int32_t action : chosen) {
    Must(action > 0 && action < static_cast<int32_t>(actions), "an action that is not allowed");
  }
}

void RunSnapshot(std::string_view input) {
  const std::vector<PolicySpec>& policies = TheRecordedRun().policies;
  PolicyStore store;
  WeightsIntake intake(policies, kTeams, &store);
  uint64_t newest = 0;
  for (ByteSource source(input); !source.empty();) {
    const std::string_view bytes = source.Piece();
    wire::Weights message;
    if (!ParseWhole(bytes, &message)) return;
    const absl::Status status = intake.Take(message);
    Must(intake.num_saved() <= 2 * kMaxOpponents, "saved versions are bounded");
    if (!status.ok()) return MustRefuse(status);
    const auto snapshot = store.Newest();
    if (snapshot == nullptr) continue;
    Must(snapshot->policy_version >= newest, "an older version replaces a newer one");
    newest = snapshot->policy_version;
    Act(policies[0], *snapshot);
  }
}

std::string Piece(const wire::Weights& message) {
  const std::string bytes = message.SerializeAsString();
  return std::string{static_cast<char>(bytes.size()), static_cast<char>(bytes.size() >> 8)} + bytes;
}

std::vector<std::string> Seeds() {
  wire::Weights first;
  Must(first.ParseFromString(Recorded("weights.bin")), "weights.bin");
  wire::Weights saved = first, second = first;
  saved.set_saved_version(4);
  second.set_policy_version(8);
  second.mutable_roster()->set_newest_probability(0.5);
  second.mutable_roster()->add_opponents()->set_saved_version(4);
  second.mutable_roster()->mutable_opponents(0)->add_weights(1);
  wire::NamedScalar* const stage = second.add_scalars();
  stage->set_name(kCurriculumStageScalar);
  stage->set_value(2);
  return {Piece(first), Piece(first) + Piece(saved) + Piece(second), Piece(saved) + Piece(second) + Piece(first)};
}

const Register kRegister({.name = "snapshot",
                          .run = RunSnapshot,
                          .seeds = Seeds,
                          .most_bytes = 512 << 10,
                          .most_bytes_per_byte = 512,
                          .longest = 2048});

}  // namespace
}  // namespace troupe::fuzz

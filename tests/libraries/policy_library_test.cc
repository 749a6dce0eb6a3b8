// libtroupe_policy, linked as a C program links it: acts as the worker's actors do, and no file or argument ends the
// program.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "actor_worker/acting/own_actor.h"
#include "actor_worker/libraries/troupe_policy.h"
#include "common/files/safetensors_bytes.h"
#include "common/specs/actor_file.h"
#include "common/specs/saved_policies.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/every_policy.h"
#include "tests/common/temporary_folder.h"

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct CloseActor {
  void operator()(troupe_actor* actor) const { troupe_actor_destroy(actor); }
};
struct ClosePolicy {
  void operator()(troupe_policy* policy) const { troupe_policy_close(policy); }
};
using Actor = std::unique_ptr<troupe_actor, CloseActor>;
using Policy = std::unique_ptr<troupe_policy, ClosePolicy>;

constexpr int kSteps = 4;
const std::vector<NamedScalar> kScalars = {{"action_noise", 0.2}, {"epsilon", 0.3}, {"noise_scale", 0.75}};

SafetensorsFile FileOf(const std::vector<PolicyCase>& cases) {
  SavedPolicies saved;
  saved.weights = {7, {}, kScalars};
  for (const PolicyCase& of : cases) {
    saved.policies.push_back(of.spec);
    saved.weights.tensors.insert(saved.weights.tensors.end(), of.weights.begin(), of.weights.end());
  }
  SafetensorsFile file;
  EXPECT_TRUE(AddPolicies(saved, &file).ok());
  return file;
}

Policy Parse(const std::string& bytes) { return Policy(troupe_policy_parse(bytes.data(), bytes.size())); }

Policy PolicyOf(const std::vector<PolicyCase>& cases) {
  Policy policy = Parse(*FormatSafetensors(FileOf(cases)));
  EXPECT_NE(policy, nullptr) << troupe_policy_error();
  return policy;
}

Actor ActorOf(const Policy& policy, const std::string& name) {
  Actor actor(troupe_actor_create(policy.get(), name.c_str()));
  EXPECT_NE(actor, nullptr) << troupe_policy_error();
  return actor;
}

PolicyCase CaseOf(const std::string& group) {
  for (PolicyCase& of : EveryPolicy()) {
    if (of.spec.group == group) return of;
  }
  ADD_FAILURE() << "no case " << group;
  return {};
}

// One agent through a few steps, beside the worker's own actor.
void Follow(const PolicyCase& of, int agent, troupe_actor* actor) {
  auto own = *OwnActor::Create(of.spec, {7, of.weights, kScalars}, agent);
  const troupe_actor_sizes sizes = troupe_actor_get_sizes(actor);
  ASSERT_EQ(sizes.observation, kEveryObserved);
  ASSERT_EQ(sizes.mask, own->mask_size());
  ASSERT_EQ(sizes.uniforms, own->draws());
  ASSERT_EQ(sizes.message, own->message_size());
  ASSERT_EQ(sizes.neighbours, own->neighbours().size());
  ASSERT_EQ(sizes.state, own->state().size());
  ASSERT_THAT(own->choices(), testing::ElementsAreArray(troupe_actor_choices(actor), size_t(sizes.indices)));
  for (int i = 0; i < sizes.neighbours; ++i) {
    EXPECT_EQ(troupe_actor_neighbour(actor, i), of.spec.group + "/" + std::to_string(own->neighbours()[i]));
  }
  RandomStream random(of.seed, agent);
  const auto draw = [&](int count) {
    std::vector<float> numbers(count);
    for (float& number : numbers) number = random.Uniform();
    return numbers;
  };
  for (int step = 0; step < kSteps; ++step) {
    const std::vector<float> observation = draw(sizes.observation), uniforms = draw(sizes.uniforms);
    std::vector<uint8_t> mask;
    for (int i = 0; i < sizes.mask; ++i) mask.push_back(random.Below(3) > 0);
    for (int d = 0, first = 0; d < sizes.indices; first += own->choices()[d++]) {
      mask[first + random.Below(own->choices()[d])] = 1;
    }
    std::vector<std::vector<float>> said(sizes.neighbours, draw(sizes.message));
    std::vector<const float*> heard;
    for (int i = 0; i < sizes.neighbours; ++i) heard.push_back((step + i) % 2 == 0 ? nullptr : said[i].data());
    const bool sampled = step % 2 == 0, masked = !mask.empty() && step % 3 != 0;
    const GroupAction& expected =
        own->Act(observation, masked ? absl::MakeConstSpan(mask) : absl::Span<const uint8_t>(),
                 sampled ? absl::MakeConstSpan(uniforms) : absl::Span<const float>(), heard);
    std::vector<int32_t> indices(sizes.indices);
    std::vector<float> numbers(sizes.numbers);
    ASSERT_EQ(troupe_actor_act(actor, observation.data(), masked ? mask.data() : nullptr,
                               sampled ? uniforms.data() : nullptr, heard.data(), indices.data(), numbers.data()),
              0)
        << troupe_policy_error();
    EXPECT_THAT(indices, testing::ElementsAreArray(expected.discrete));
    EXPECT_THAT(numbers, testing::ElementsAreArray(expected.continuous));
    EXPECT_THAT(own->message(), testing::ElementsAreArray(troupe_actor_message(actor), size_t(sizes.message)));
    std::vector<float> state(sizes.state);
    troupe_actor_get_state(actor, state.data());
    EXPECT_THAT(own->state(), testing::ElementsAreArray(state));
  }
}

TEST(PolicyLibraryTest, EveryNetworkWithEveryDistributionActsAsTheWorkersActor) {
  const std::vector<PolicyCase> cases = EveryPolicy();
  const Policy policy = PolicyOf(cases);
  ASSERT_EQ(troupe_policy_num_agents(policy.get()), cases.size() * kEveryAgents);
  for (const PolicyCase& of : cases) {
    SCOPED_TRACE(of.spec.group);
    for (int agent = 0; agent < kEveryAgents; ++agent) {
      const Actor actor = ActorOf(policy, of.spec.group + "/" + std::to_string(agent));
      Follow(of, agent, actor.get());
      troupe_actor_begin(actor.get());
      Follow(of, agent, actor.get());  // as it did from its beginning
    }
  }
}

TEST(PolicyLibraryTest, ActorsOutliveTheirPolicyAndTheirStateGoesElsewhere) {
  const PolicyCase of = CaseOf("lstm_talk_apart_gaussian_sets");
  Policy policy = PolicyOf({of});
  const Actor first = ActorOf(policy, of.spec.group + "/0"), second = ActorOf(policy, of.spec.group + "/0");
  policy.reset();
  const float observation[kEveryObserved] = {1, -1, 0.5, 0, 2};
  std::vector<float> state(troupe_actor_get_sizes(first.get()).state);
  float one[kEveryActions], other[kEveryActions], fresh[kEveryActions];
  const auto act = [&](const Actor& actor, float* numbers) {
    return troupe_actor_act(actor.get(), observation, nullptr, nullptr, nullptr, nullptr, numbers);
  };
  ASSERT_EQ(act(first, fresh), 0) << troupe_policy_error();
  troupe_actor_get_state(first.get(), state.data());
  ASSERT_EQ(troupe_actor_set_state(second.get(), state.data()), 0);
  ASSERT_EQ(act(first, one), 0);
  ASSERT_EQ(act(second, other), 0);
  EXPECT_EQ(std::memcmp(one, other, sizeof one), 0);
  EXPECT_NE(std::memcmp(one, fresh, sizeof one), 0);
  state[1] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(troupe_actor_set_state(second.get(), state.data()), -1);
  EXPECT_THAT(troupe_policy_error(), HasSubstr("state 1 is inf"));
}

TEST(PolicyLibraryTest, SaysWhatIsWrongWithACallAndLeavesTheActorAsItWas) {
  const PolicyCase of = CaseOf("gru_talk_multi_categorical_named"), continuous = CaseOf("dense_gaussian_shared");
  const Policy policy = PolicyOf({of, continuous});
  const Actor actor = ActorOf(policy, of.spec.group + "/0"), other = ActorOf(policy, continuous.spec.group + "/0");
  const troupe_actor_sizes sizes = troupe_actor_get_sizes(actor.get());
  std::vector<float> observation(kEveryObserved, 1), before(sizes.state), after(sizes.state), uniforms(sizes.uniforms);
  std::vector<uint8_t> mask(sizes.mask, 1);
  std::vector<std::vector<float>> said(sizes.neighbours, std::vector<float>(sizes.message));
  std::vector<int32_t> indices(sizes.indices);
  const auto act = [&] {
    std::vector<const float*> heard;
    for (const std::vector<float>& message : said) heard.push_back(message.data());
    return troupe_actor_act(actor.get(), observation.data(), mask.data(), uniforms.data(), heard.data(), indices.data(),
                            nullptr);
  };
  ASSERT_EQ(act(), 0) << troupe_policy_error();
  troupe_actor_get_state(actor.get(), before.data());
  const auto refusal = [&](auto& values, size_t i, auto value) -> std::string {
    std::swap(values[i], value);
    EXPECT_EQ(act(), -1);
    std::swap(values[i], value);
    troupe_actor_get_state(actor.get(), after.data());
    EXPECT_EQ(before, after);
    return troupe_policy_error();
  };
  EXPECT_THAT(refusal(observation, 2, NAN), HasSubstr("observation 2 is nan, expected a finite number"));
  EXPECT_THAT(refusal(mask, 1, uint8_t{7}), HasSubstr("mask 1 is 7, expected 0 or 1"));
  EXPECT_THAT(refusal(uniforms, 1, 1.0f), HasSubstr("uniforms 1 is 1, expected it in [0, 1)"));
  EXPECT_THAT(refusal(uniforms, 0, NAN), HasSubstr("uniforms 0 is nan"));
  EXPECT_THAT(refusal(said[1], 2, -INFINITY), HasSubstr("message 1 2 is -inf"));
  mask[3] = 0;
  EXPECT_THAT(refusal(mask, 4, uint8_t{0}), HasSubstr("the mask allows no action in dimension 1"));

  EXPECT_EQ(troupe_actor_act(actor.get(), nullptr, nullptr, nullptr, nullptr, indices.data(), nullptr), -1);
  EXPECT_THAT(troupe_policy_error(), HasSubstr("observation is NULL, expected 5 numbers"));
  EXPECT_EQ(troupe_actor_act(actor.get(), observation.data(), nullptr, nullptr, nullptr, nullptr, nullptr), -1);
  EXPECT_THAT(troupe_policy_error(), HasSubstr("indices is NULL"));
  EXPECT_EQ(troupe_actor_act(other.get(), observation.data(), mask.data(), nullptr, nullptr, nullptr, nullptr), -1);
  EXPECT_THAT(troupe_policy_error(), HasSubstr("which continuous actions do not have"));
  EXPECT_EQ(troupe_actor_act(nullptr, observation.data(), nullptr, nullptr, nullptr, nullptr, nullptr), -1);
  EXPECT_THAT(troupe_policy_error(), HasSubstr("actor is NULL"));
}

TEST(PolicyLibraryTest, FindsAgentsByNameAndNamesTheNearest) {
  PolicyCase of = CaseOf("dense_categorical_shared");
  SavedPolicies saved{{of.spec}, {}, {7, of.weights, kScalars}};
  saved.groups = {{.name = of.spec.group, .agents = {"north", "south", "east"}, .observation_size = kEveryObserved}};
  saved.groups[0].action_size = kEveryActions;
  SafetensorsFile file;
  ASSERT_TRUE(AddPolicies(saved, &file).ok());
  TemporaryFolder folder;
  ASSERT_TRUE(WriteSafetensors(folder / "a", file).ok());
  const Policy policy(troupe_policy_open((folder / "a").c_str()));
  ASSERT_NE(policy, nullptr) << troupe_policy_error();
  EXPECT_STREQ(troupe_policy_agent(policy.get(), 1), "south");
  EXPECT_EQ(troupe_policy_agent(policy.get(), 3), nullptr);
  EXPECT_EQ(troupe_policy_interface(), TROUPE_POLICY_INTERFACE);
  Follow(of, 1, ActorOf(policy, "south").get());
  Follow(of, 2, ActorOf(policy, of.spec.group + "/2").get());
  const auto refusal = [&](const char* name) {
    EXPECT_EQ(troupe_actor_create(policy.get(), name), nullptr);
    return std::string(troupe_policy_error());
  };
  EXPECT_THAT(refusal("suoth"), HasSubstr("has no agent \"suoth\"; did you mean \"south\"?"));
  EXPECT_THAT(refusal("dense_categorical_shared/3"), HasSubstr("expected 0 … 2"));
  EXPECT_THAT(refusal("dense_categorical_shared/-1"), HasSubstr("expected 0 … 2"));
  EXPECT_THAT(refusal(nullptr), HasSubstr("agent is NULL"));
  EXPECT_EQ(troupe_policy_open((folder / "none").c_str()), nullptr);
  EXPECT_THAT(troupe_policy_error(), HasSubstr(folder / "none"));
}

TEST(PolicyLibraryTest, DrawsTheNumbersOfASeedsStream) {
  const PolicyCase of = CaseOf("dense_squashed_gaussian_shared");
  const Actor actor = ActorOf(PolicyOf({of}), of.spec.group + "/0");
  RandomStream expected(17);
  std::vector<float> drawn(troupe_actor_get_sizes(actor.get()).uniforms);
  ASSERT_GT(drawn.size(), 1);
  troupe_actor_seed(actor.get(), 17);
  for (int line = 0; line < 3; ++line) {
    troupe_actor_draw(actor.get(), drawn.data());
    for (const float number : drawn) EXPECT_EQ(number, expected.Uniform());
  }
}

// Acts with whatever a damaged file made of the actors.
void PlayAll(const Policy& policy) {
  for (size_t i = 0; i < troupe_policy_num_agents(policy.get()); ++i) {
    const char* const name = troupe_policy_agent(policy.get(), i);
    const Actor actor(troupe_actor_create(policy.get(), name));
    if (actor == nullptr) continue;
    const troupe_actor_sizes sizes = troupe_actor_get_sizes(actor.get());
    const std::vector<float> observation(sizes.observation, 0.5f);
    std::vector<int32_t> indices(sizes.indices);
    std::vector<float> numbers(sizes.numbers);
    for (int step = 0; step < 2; ++step) {
      troupe_actor_act(actor.get(), observation.data(), nullptr, nullptr, nullptr, indices.data(), numbers.data());
    }
    for (int d = 0; d < sizes.indices; ++d) EXPECT_LT(uint32_t(indices[d]), troupe_actor_choices(actor.get())[d]);
  }
}

TEST(PolicyLibraryTest, ADamagedFileIsAnErrorAndNeverACrash) {
  const std::string whole = *FormatSafetensors(
      FileOf({CaseOf("lstm_talk_apart_multi_categorical_sets"), CaseOf("gru_gaussian_by_state_sets")}));
  for (size_t size = 0; size < whole.size(); size += 7) {
    ASSERT_EQ(Parse(whole.substr(0, size)), nullptr) << size;
    ASSERT_STRNE(troupe_policy_error(), "");
  }
  // Checksums see to all but a change of their own entries' names, which leaves a file as other writers make it.
  size_t opened = 0;
  for (size_t i = 0; i < whole.size(); i += 3) {
    std::string damaged = whole;
    damaged[i] ^= 1 << i % 8;
    const Policy policy = Parse(damaged);
    if (policy == nullptr) continue;
    ++opened;
    PlayAll(policy);
  }
  EXPECT_LE(opened, std::strlen("header_checksum") + std::strlen("checksum"));
}

// Another writer's file has no checksums, so that whatever the header says is looked at.
TEST(PolicyLibraryTest, AFileWithoutChecksumsThatIsDamagedNeverCrashes) {
  std::string whole =
      *FormatSafetensors(FileOf({CaseOf("gru_talk_multi_categorical_sets"), CaseOf("dense_gaussian_by_state_sets")}));
  for (const std::string name : {"\"header_checksum\":", "\"checksum\":"}) {
    const size_t at = whole.find(name);
    ASSERT_NE(at, std::string::npos);
    whole[at + 1] = 'x';  // under another name it is nothing to a reader
  }
  ASSERT_NE(Parse(whole), nullptr) << troupe_policy_error();
  uint64_t header = 0;
  std::memcpy(&header, whole.data(), sizeof header);
  RandomStream random(5);
  int opened = 0, refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = whole;
    // Digits above all, of which sizes are made.
    for (uint32_t changes = 1 + random.Below(3); changes > 0; --changes) {
      const size_t at = 8 + random.Below(static_cast<uint32_t>(header));
      damaged[at] = std::isdigit(damaged[at]) ? char('0' + random.Below(10)) : char(random.Below(128));
    }
    const Policy policy = Parse(damaged);
    ++(policy == nullptr ? refused : opened);
    if (policy != nullptr) PlayAll(policy);
  }
  EXPECT_GT(opened, 0);
  EXPECT_GT(refused, 1000);
}

TEST(PolicyLibraryTest, WeightsThatAreNotFiniteAreRefusedWithTheTensorsName) {
  PolicyCase of = CaseOf("dense_categorical_shared");
  of.weights[0].floats()[3] = NAN;
  const Policy policy = PolicyOf({of});
  EXPECT_EQ(troupe_actor_create(policy.get(), "dense_categorical_shared/0"), nullptr);
  EXPECT_THAT(troupe_policy_error(), AllOf(HasSubstr("layers.0.weight"), HasSubstr("element 3")));
}

}  // namespace
}  // namespace troupe

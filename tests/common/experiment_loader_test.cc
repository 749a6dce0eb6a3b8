#include "common/config/experiment_loader.h"

#include "common/config/field_path.h"
#include "common/files/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/temporary_folder.h"

namespace troupe {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kMinimal[] = R"(name: "test"
total_env_steps: 1000000
environment { name: "grid_world" }
)";

Experiment Parsed(const std::string& more = "", const std::vector<std::string>& overrides = {}) {
  const auto experiment = ParseExperiment(kMinimal + more, "test.textproto", overrides);
  EXPECT_TRUE(experiment.ok()) << experiment.status();
  return experiment.ok() ? *experiment : Experiment();
}

std::string Refusal(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const absl::Status status = ParseExperiment(text, "test.textproto", overrides).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text << "\n" << status;
  return std::string(status.message());
}

std::string RefusalOf(const std::string& more, const std::vector<std::string>& overrides = {}) {
  return Refusal(kMinimal + more, overrides);
}

TEST(ExperimentLoaderTest, ReadsAFile) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "e.textproto", {kMinimal}).ok());
  const auto experiment = LoadExperiment(folder / "e.textproto", {"ppo.clip=0.3"});
  ASSERT_TRUE(experiment.ok()) << experiment.status();
  EXPECT_EQ(experiment->name(), "test");
  EXPECT_EQ(experiment->ppo().clip(), 0.3);
}

TEST(ExperimentLoaderTest, AMissingFileIsNotFound) {
  EXPECT_EQ(LoadExperiment("/no/such/file", {}).status().code(), absl::StatusCode::kNotFound);
}

TEST(ExperimentLoaderTest, NamesTheFileItself) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "e.textproto", {kMinimal, "seeed: 3"}).ok());
  const absl::Status status = LoadExperiment(folder / "e.textproto", {}).status();
  EXPECT_THAT(std::string(status.message()), StartsWith((folder / "e.textproto") + ":4:"));
}

TEST(ExperimentLoaderTest, WritesDocumentedDefaults) {
  const Experiment e = Parsed();
  EXPECT_EQ(e.seed(), 1);
  EXPECT_EQ(e.collection().mode(), PIPELINED);
  EXPECT_EQ(e.collection().num_shards(), 4);
  EXPECT_EQ(e.collection().copies_per_shard(), 8);
  EXPECT_EQ(e.collection().rollout_length(), 128);
  EXPECT_EQ(e.collection().lease_timeout_seconds(), 20);
  EXPECT_TRUE(e.collection().stagger_first_episode());
  EXPECT_EQ(e.policy().sharing(), SHARED);
  EXPECT_THAT(e.policy().hidden_sizes(), ElementsAre(64, 64));
  EXPECT_EQ(e.critic().input(), GLOBAL_STATE);
  EXPECT_EQ(e.critic().heads(), TEAM);
  EXPECT_EQ(e.algorithm().name(), "mappo");
  EXPECT_EQ(e.ppo().actor_learning_rate(), 5e-4);
  EXPECT_FALSE(e.ppo().has_final_entropy_coefficient());
  EXPECT_TRUE(e.ppo().has_minibatch_size());
  EXPECT_EQ(e.ppo().lag_correction(), NONE);
  EXPECT_TRUE(e.ppo().has_schedule_env_steps());
  EXPECT_EQ(e.ppo().schedule_env_steps(), 0);
  EXPECT_EQ(e.ppo().value_norm_update(), PER_UPDATE);
  EXPECT_EQ(e.ppo().importance_cap(), 10);
  EXPECT_EQ(e.evaluation().first_seed(), 1000000);
  EXPECT_EQ(e.evaluation().final_first_seed(), 2000000);
  EXPECT_EQ(e.evaluation().best_by(), "episode_return");
  EXPECT_EQ(e.checkpoint().interval_env_steps(), 200000);
  EXPECT_EQ(e.compute().device(), AUTO);
}

TEST(ExperimentLoaderTest, KeepsAWrittenZero) {
  EXPECT_EQ(Parsed("ppo { entropy_coefficient: 0 max_gradient_norm: 0 clip_value: false }").ppo().entropy_coefficient(),
            0);
  EXPECT_EQ(Parsed("seed: 0").seed(), 0);
}

TEST(ExperimentLoaderTest, ResolvesLagCorrectionByCollectionMode) {
  EXPECT_EQ(Parsed("collection { mode: ASYNCHRONOUS }").ppo().lag_correction(), DECOUPLED);
  EXPECT_EQ(Parsed("collection { mode: SYNCHRONOUS }").ppo().lag_correction(), NONE);
  EXPECT_EQ(Parsed("collection { mode: ASYNCHRONOUS } ppo { lag_correction: V_TRACE }").ppo().lag_correction(),
            V_TRACE);
  EXPECT_EQ(Parsed("collection { mode: ASYNCHRONOUS } ppo { lag_correction: LAG_CORRECTION_UNSPECIFIED }")
                .ppo()
                .lag_correction(),
            DECOUPLED);
}

TEST(ExperimentLoaderTest, CompletesAGroupsPolicyFromThePolicy) {
  const Experiment e = Parsed(
      "policy { sharing: PARTITIONED partition: [0, 1] output_gain: 0.5 hidden_sizes: 8 }"
      "group_policies { key: 'a' value { sharing: PER_AGENT } }"
      "group_policies { key: 'b' value { hidden_sizes: [9, 9] } }");
  EXPECT_EQ(e.group_policies().at("a").sharing(), PER_AGENT);
  EXPECT_TRUE(e.group_policies().at("a").partition().empty());
  EXPECT_EQ(e.group_policies().at("a").output_gain(), 0.5);
  EXPECT_THAT(e.group_policies().at("a").hidden_sizes(), ElementsAre(8));
  EXPECT_EQ(e.group_policies().at("b").sharing(), PARTITIONED);
  EXPECT_THAT(e.group_policies().at("b").partition(), ElementsAre(0, 1));
  EXPECT_THAT(e.group_policies().at("b").hidden_sizes(), ElementsAre(9, 9));
}

TEST(ExperimentLoaderTest, IsUnchangedByFormattingAndReadingAgain) {
  const Experiment e = Parsed(
      "collection { mode: ASYNCHRONOUS } ppo { clip: 0.1 final_entropy_coefficient: 0 }"
      "group_policies { key: 'g' value { sharing: PER_AGENT } }",
      {"environment.settings.b=x \"y\" \n", "environment.settings.a=1"});
  const std::string text = FormatExperiment(e);
  const auto again = ParseExperiment(text, "again", {});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(FormatExperiment(*again), text);
  EXPECT_TRUE(ValidateExperiment(*again).ok());
}

TEST(ExperimentLoaderTest, UnknownFieldsNameLineColumnAndTheNearest) {
  EXPECT_EQ(RefusalOf("ppo {\n  clpi: 0.1\n}"),
            "test.textproto:5:7: clpi: PpoSettings has no field of this name; did you mean \"clip\"?");
  EXPECT_THAT(RefusalOf("colection { num_shards: 3 }"), HasSubstr("did you mean \"collection\"?"));
  EXPECT_THAT(RefusalOf("quite_another_thing: 3"), testing::Not(HasSubstr("did you mean")));
}

TEST(ExperimentLoaderTest, UnknownEnumValuesNameTheNearest) {
  EXPECT_THAT(
      RefusalOf("collection { mode: PIPELIND }"),
      AllOf(StartsWith("test.textproto:4:"), HasSubstr("PIPELIND is not one of SYNCHRONOUS | PIPELINED | ASYNCHRONOUS"),
            HasSubstr("did you mean \"PIPELINED\"?")));
  EXPECT_THAT(RefusalOf("collection { mode: 17 }"),
              AllOf(StartsWith("test.textproto:4:"), HasSubstr("collection.mode: 17 is not one of")));
}

TEST(ExperimentLoaderTest, SyntaxErrorsNameLineAndColumn) {
  EXPECT_THAT(RefusalOf("ppo { clip: }"), StartsWith("test.textproto:4:13: "));
  EXPECT_THAT(RefusalOf("ppo { clip: 0.1 "), StartsWith("test.textproto:"));
  EXPECT_THAT(RefusalOf("ppo { clip: \"x\" }"), StartsWith("test.textproto:4:13: "));
  EXPECT_THAT(RefusalOf("collection { num_shards: 99999999999 }"), StartsWith("test.textproto:4:"));
  EXPECT_THAT(RefusalOf("collection { num_shards: -1 }"), StartsWith("test.textproto:4:"));
}

TEST(ExperimentLoaderTest, RefusesWhatIsWrittenTwice) {
  EXPECT_THAT(RefusalOf("seed: 1\nseed: 2"), AllOf(StartsWith("test.textproto:5:"), HasSubstr("seed")));
  EXPECT_THAT(RefusalOf("environment { settings { key: 'a' value: '1' }\nsettings { key: 'a' value: '2' } }"),
              HasSubstr("environment"));
  EXPECT_THAT(Refusal("name: 'x' total_env_steps: 1 environment { name: 'g' settings { key: 'a' value: '1' }\n"
                      "settings { key: 'a' value: '2' } }"),
              AllOf(StartsWith("test.textproto:2:1: environment.settings.a"), HasSubstr("first at test.textproto:1:")));
}

TEST(ExperimentLoaderTest, RangeErrorsNameWhereTheFieldWasWritten) {
  EXPECT_EQ(RefusalOf("ppo {\n  epochs: 2\n  clip: 11 }"), "test.textproto:6:3: ppo.clip: 11 is outside (0, 10]");
  EXPECT_THAT(RefusalOf("policy { hidden_sizes: [64, 0] }"),
              AllOf(StartsWith("test.textproto:4:"), HasSubstr("policy.hidden_sizes: 0 is outside [1, ")));
  EXPECT_THAT(RefusalOf("group_policies { key: 'a' value {\n output_gain: 11 } }"),
              StartsWith("test.textproto:5:2: group_policies.a.output_gain: 11 is outside [0, 10]"));
  EXPECT_THAT(RefusalOf("ppo { clip: nan }"), HasSubstr("ppo.clip: nan is outside"));
  EXPECT_THAT(RefusalOf("ppo { huber_delta: inf }"), HasSubstr("ppo.huber_delta: inf is outside"));
}

TEST(ExperimentLoaderTest, RequiredFieldsAreNamed) {
  EXPECT_EQ(Refusal(""), "test.textproto: name: absent, and there is no default");
  EXPECT_THAT(Refusal("name: 'a' environment { name: 'x' }"), HasSubstr("total_env_steps: absent"));
  EXPECT_THAT(Refusal("name: 'a' total_env_steps: 1"), HasSubstr("environment.name: absent"));
  EXPECT_EQ(Refusal("name: 'a' total_env_steps: 1\nenvironment {}"),
            "test.textproto:2:1: environment.name: absent, and there is no default");
}

TEST(ExperimentLoaderTest, NamesMustBeFolders) {
  for (const char* name : {"", ".", "..", "a/b", "a b", "ä", "a\\n"}) {
    EXPECT_THAT(Refusal(std::string("name: '") + name + "' total_env_steps: 1 environment { name: 'x' }"),
                HasSubstr("[A-Za-z0-9._-]+"))
        << name;
  }
  EXPECT_THAT(Refusal("name: 'a' total_env_steps: 1 environment { name: '' }"), HasSubstr("environment.name"));
}

TEST(ExperimentLoaderTest, TextMustBeUtf8) {
  EXPECT_THAT(RefusalOf("evaluation { best_by: '\\xff' }"), HasSubstr("evaluation.best_by: not UTF-8"));
  EXPECT_THAT(
      Refusal("name: 'x' total_env_steps: 1 environment { name: 'g' settings { key: 'a' value: '\\xc0\\x80' } }"),
      HasSubstr("environment.settings.a: not UTF-8"));
  EXPECT_EQ(Parsed("evaluation { best_by: 'größe €😀' }").evaluation().best_by(), "größe €😀");
}

TEST(ExperimentLoaderTest, CombinationsAreChecked) {
  EXPECT_THAT(RefusalOf("critic { input: AGENT_SPECIFIC_STATE }"),
              AllOf(HasSubstr("critic.heads"), HasSubstr("EACH_AGENT")));
  EXPECT_THAT(RefusalOf("critic { input: LOCAL_OBSERVATION heads: TEAM }"),
              StartsWith("test.textproto:4:35: critic.heads"));
  Parsed("critic { input: LOCAL_OBSERVATION heads: EACH_AGENT agent_id_input: true }");
  EXPECT_THAT(RefusalOf("critic { agent_id_input: true }"), HasSubstr("critic.agent_id_input"));
  EXPECT_THAT(RefusalOf("collection { mode: ASYNCHRONOUS speculative_leases: 2 }"),
              HasSubstr("collection.speculative_leases: 2 with collection.mode ASYNCHRONOUS, expected 0"));
  EXPECT_THAT(RefusalOf("collection { mode: ASYNCHRONOUS lease_updates: 5 }"),
              HasSubstr("collection.lease_updates: 5 with collection.mode ASYNCHRONOUS, expected 0"));
  Parsed("collection { mode: SYNCHRONOUS speculative_leases: 2 lease_updates: 5 }");
  EXPECT_THAT(RefusalOf("critic { attention_heads: 4 input: LOCAL_OBSERVATION heads: EACH_AGENT }"),
              HasSubstr("critic.attention_heads: 4 with critic.input LOCAL_OBSERVATION, expected GLOBAL_STATE"));
  EXPECT_THAT(RefusalOf("critic { attention_heads: 4 input: AGENT_SPECIFIC_STATE heads: EACH_AGENT }"),
              HasSubstr("critic.attention_heads: 4 with critic.input AGENT_SPECIFIC_STATE"));
  EXPECT_THAT(RefusalOf("critic { attention_heads: 4 recurrent_cell: GRU }"),
              HasSubstr("critic.recurrent_cell: GRU with critic.attention_heads 4, expected FEED_FORWARD"));
  EXPECT_THAT(RefusalOf("critic { attention_heads: 3 }"),
              HasSubstr("critic.token_size: 64, expected a multiple of the 3 of critic.attention_heads"));
  EXPECT_THAT(RefusalOf("critic { attention_heads: 65 }"), HasSubstr("critic.attention_heads: 65"));
  Parsed("critic { attention_heads: 3 token_size: 48 attention_layers: 2 agent_id_input: true heads: EACH_AGENT }");
  EXPECT_THAT(RefusalOf("collection { mode: SYNCHRONOUS } ppo { lag_correction: V_TRACE }"),
              HasSubstr("ppo.lag_correction: V_TRACE"));
  EXPECT_THAT(RefusalOf("policy { message_size: 4 } ppo { update_order: SEQUENTIAL }"),
              HasSubstr("ppo.update_order: SEQUENTIAL with policy.message_size 4, expected TOGETHER"));
  EXPECT_THAT(RefusalOf("policy { message_size: 1025 }"), HasSubstr("policy.message_size: 1025"));
  Parsed("policy { message_size: 4 } ppo { update_order: TOGETHER }");
  EXPECT_THAT(RefusalOf("policy { num_options: 4 } ppo { update_order: SEQUENTIAL }"),
              HasSubstr("policy.num_options: 4 with ppo.update_order SEQUENTIAL, expected TOGETHER"));
  EXPECT_THAT(RefusalOf("policy { num_options: 4 recurrent_cell: GRU }"),
              HasSubstr("policy.num_options: 4 with policy.recurrent_cell GRU, expected FEED_FORWARD"));
  EXPECT_THAT(RefusalOf("group_policies { key: 'red' value { num_options: 4 message_size: 2 } }"),
              HasSubstr("group_policies.red.num_options: 4 with group_policies.red.message_size 2, expected 0"));
  EXPECT_THAT(RefusalOf("policy { num_options: 4 } ppo { lag_correction: V_TRACE }"),
              HasSubstr("policy.num_options: 4 with ppo.lag_correction V_TRACE, expected DECOUPLED or NONE"));
  EXPECT_THAT(RefusalOf("policy { num_options: 65 }"), HasSubstr("policy.num_options: 65"));
  EXPECT_THAT(RefusalOf("policy { option_steps: 0 }"), HasSubstr("policy.option_steps: 0"));
  Parsed("policy { num_options: 4 option_steps: 16 } ppo { lag_correction: DECOUPLED manager_discount: 0.9 }");
  Parsed("collection { mode: PIPELINED } ppo { lag_correction: DECOUPLED }");
  EXPECT_THAT(RefusalOf("ppo { minibatch_size: 4097 }"),
              AllOf(HasSubstr("ppo.minibatch_size: 4097"), HasSubstr("4096")));
  Parsed("ppo { minibatch_size: 4096 }");
  EXPECT_THAT(
      RefusalOf("algorithm { name: 'vdn' } q_learning { burn_in: 10 }"),
      AllOf(HasSubstr("q_learning.burn_in: 10 of a sequence's 10 steps"), HasSubstr("collection.sequence_length")));
  EXPECT_THAT(RefusalOf("algorithm { name: 'vdn' } q_learning { burn_in: 12 replay_sequence_length: 12 }"),
              HasSubstr("12 steps (q_learning.replay_sequence_length) leave nothing to train on"));
  Parsed("algorithm { name: 'vdn' } q_learning { burn_in: 11 replay_sequence_length: 12 }");
  EXPECT_THAT(RefusalOf("collection { num_shards: 4096 copies_per_shard: 4096 rollout_length: 65536 }"),
              HasSubstr("collection"));
  EXPECT_THAT(RefusalOf("policy { partition: [0] }"), AllOf(HasSubstr("policy.partition"), HasSubstr("PARTITIONED")));
  EXPECT_THAT(RefusalOf("policy { sharing: PARTITIONED }"), HasSubstr("policy.partition"));
  EXPECT_THAT(RefusalOf("policy { sharing: PARTITIONED partition: [0, 2] }"), HasSubstr("without gaps"));
  EXPECT_THAT(RefusalOf("group_policies { key: 'g' value { sharing: PARTITIONED } }"),
              HasSubstr("group_policies.g.partition"));
  EXPECT_THAT(RefusalOf("group_policies { key: '' value { } }"), HasSubstr("group_policies"));
}

TEST(ExperimentOverrideTest, WritesEveryKindOfField) {
  const Experiment e = Parsed("policy { hidden_sizes: [1, 2, 3] }",
                              {"ppo.clip=0.1", "seed=18446744073709551615", "total_env_steps=2e6",
                               "ppo.clip_value=false", "critic.activation=TANH", "policy.hidden_sizes=128, 64",
                               "evaluation.baselines=greedy,optimal", "environment.settings.size=7", "name=other.run",
                               "group_policies.red.junction.sharing=PER_AGENT", "group_policies.blue.hidden_sizes=9"});
  EXPECT_EQ(e.ppo().clip(), 0.1);
  EXPECT_EQ(e.seed(), ~0ull);
  EXPECT_EQ(e.total_env_steps(), 2000000);
  EXPECT_FALSE(e.ppo().clip_value());
  EXPECT_EQ(e.critic().activation(), TANH);
  EXPECT_THAT(e.policy().hidden_sizes(), ElementsAre(128, 64));
  EXPECT_THAT(e.evaluation().baselines(), ElementsAre("greedy", "optimal"));
  EXPECT_EQ(e.environment().settings().at("size"), "7");
  EXPECT_EQ(e.name(), "other.run");
  EXPECT_EQ(e.group_policies().at("red.junction").sharing(), PER_AGENT);
  EXPECT_THAT(e.group_policies().at("blue").hidden_sizes(), ElementsAre(9));
}

TEST(ExperimentOverrideTest, ReplacesWhatTheFileSaysAndTheLastWins) {
  EXPECT_EQ(Parsed("ppo { clip: 0.3 }", {"ppo.clip=0.1", "ppo.clip=0.2"}).ppo().clip(), 0.2);
  const auto e =
      ParseExperiment("name: 'x' total_env_steps: 1 environment { name: 'g' settings { key: 'a' value: '1' } }", "t",
                      {"environment.settings.a=x=y", "environment.settings.b="});
  ASSERT_TRUE(e.ok()) << e.status();
  EXPECT_EQ(e->environment().settings().at("a"), "x=y");
  EXPECT_EQ(e->environment().settings().at("b"), "");
  EXPECT_EQ(e->environment().settings_size(), 2);
}

TEST(ExperimentOverrideTest, ErrorsNameTheOverride) {
  const auto refusal = [](const std::string& text) {
    const std::string message = RefusalOf("", {text});
    EXPECT_THAT(message, StartsWith("--set " + text + ": "));
    return message;
  };
  EXPECT_EQ(refusal("ppo.clpi=0.1"),
            "--set ppo.clpi=0.1: ppo.clpi: PpoSettings has no field \"clpi\"; did you mean \"clip\"?");
  EXPECT_EQ(refusal("ppo.clip=11"), "--set ppo.clip=11: ppo.clip: 11 is outside (0, 10]");
  EXPECT_THAT(refusal("ppo.clip=x"), HasSubstr("\"x\" is not a number"));
  EXPECT_THAT(refusal("ppo.clip=nan"), HasSubstr("\"nan\" is not a number"));
  EXPECT_THAT(refusal("ppo.epochs=1.5"), HasSubstr("is not a whole number"));
  EXPECT_THAT(refusal("ppo.epochs=-1"), HasSubstr("is not a whole number"));
  EXPECT_THAT(refusal("ppo.epochs=4294967296"), HasSubstr("is not a whole number"));
  EXPECT_THAT(refusal("ppo.epochs="), HasSubstr("is not a whole number"));
  EXPECT_THAT(refusal("ppo.clip_value=perhaps"), HasSubstr("true or false"));
  EXPECT_THAT(refusal("collection.mode=PIPELIND"),
              AllOf(HasSubstr("SYNCHRONOUS | PIPELINED"), HasSubstr("did you mean \"PIPELINED\"")));
  EXPECT_THAT(refusal("policy.hidden_sizes=64,x"), HasSubstr("\"x\" is not a whole number"));
  EXPECT_THAT(refusal("policy.hidden_sizes=64,0"), HasSubstr("0 is outside"));
  EXPECT_THAT(refusal("ppo=1"), HasSubstr("is a group of settings"));
  EXPECT_THAT(refusal("ppo.clip.x=1"), HasSubstr("has no fields"));
  EXPECT_THAT(refusal("environment.settings=1"), HasSubstr("settings.NAME"));
  EXPECT_THAT(refusal("group_policies.red=1"), HasSubstr("group_policies.NAME.FIELD"));
  EXPECT_THAT(refusal("group_policies.red.sharng=SHARED"), HasSubstr("did you mean \"sharing\""));
  EXPECT_THAT(refusal("nonsense"), HasSubstr("expected path.to.field=value"));
  EXPECT_THAT(refusal("=1"), HasSubstr("expected path.to.field=value"));
}

TEST(ValidateExperimentTest, NamesFieldValueAndRange) {
  Experiment e = Parsed();
  EXPECT_TRUE(ValidateExperiment(e).ok());
  e.mutable_ppo()->set_epochs(0);
  EXPECT_EQ(std::string(ValidateExperiment(e).message()), "ppo.epochs: 0 is outside [1, 1000]");
}

}  // namespace
}  // namespace troupe

#include "common/config/algorithm_settings.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "common/config/experiment_loader.h"
#include "common/config/field_path.h"
#include "common/config/setting_changes.h"
#include "common/files/atomic_file.h"
#include "gmock/gmock.h"
#include "google/protobuf/dynamic_message.h"
#include "gtest/gtest.h"
#include "proto/setting_options.pb.h"
#include "tests/common/test_specs.h"

namespace troupe {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::Message;
using testing::HasSubstr;
using testing::StartsWith;

// The experiment as it is once there are two algorithms with settings of their own: `qmix.gamma` beside `ppo`.
class TwoAlgorithms {
 public:
  TwoAlgorithms() : pool_(DescriptorPool::generated_pool()), factory_(&pool_) {
    google::protobuf::FileDescriptorProto file;
    file.set_name("two_algorithms.proto");
    file.set_package("two");
    file.set_syntax("proto3");
    file.add_dependency("proto/ppo_settings.proto");
    auto* const qmix = file.add_message_type();
    qmix->set_name("QmixSettings");
    Add("gamma", 1, FieldDescriptorProto::TYPE_DOUBLE, qmix);
    auto* const experiment = file.add_message_type();
    experiment->set_name("Experiment");
    experiment->add_oneof_decl()->set_name("algorithm_settings");
    AddMember("ppo", 10, ".troupe.PpoSettings", {"mappo", "ippo"}, experiment);
    AddMember("qmix", 14, ".two.QmixSettings", {"qmix"}, experiment);
    const auto* const built = pool_.BuildFile(file);
    message_.reset(factory_.GetPrototype(built->FindMessageTypeByName("Experiment"))->New());
  }

  Message& experiment() { return *message_; }

 private:
  static FieldDescriptorProto* Add(const std::string& name, int number, FieldDescriptorProto::Type type,
                                   google::protobuf::DescriptorProto* to) {
    FieldDescriptorProto* const field = to->add_field();
    field->set_name(name);
    field->set_number(number);
    field->set_type(type);
    field->set_label(FieldDescriptorProto::LABEL_OPTIONAL);
    return field;
  }
  static void AddMember(const std::string& name, int number, const std::string& type,
                        const std::vector<std::string>& algorithms, google::protobuf::DescriptorProto* to) {
    FieldDescriptorProto* const field = Add(name, number, FieldDescriptorProto::TYPE_MESSAGE, to);
    field->set_type_name(type);
    field->set_oneof_index(0);
    for (const std::string& algorithm : algorithms) {
      field->mutable_options()->MutableExtension(setting)->add_algorithms(algorithm);
    }
  }

  DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_;
  std::unique_ptr<Message> message_;
};

TEST(AlgorithmSettingsTest, AnAlgorithmHasTheMemberThatNamesIt) {
  TwoAlgorithms two;
  const auto& type = *two.experiment().GetDescriptor();
  EXPECT_EQ(FindAlgorithmSettings(type, "mappo")->name(), "ppo");
  EXPECT_EQ(FindAlgorithmSettings(type, "ippo")->name(), "ppo");
  EXPECT_EQ(FindAlgorithmSettings(type, "qmix")->name(), "qmix");
  EXPECT_EQ(FindAlgorithmSettings(type, "ppo"), nullptr);
}

TEST(AlgorithmSettingsTest, AnothersSettingsAreRefusedByName) {
  TwoAlgorithms two;
  EXPECT_FALSE(FindMemberError(two.experiment(), "mappo").has_value());
  ASSERT_TRUE(SetFieldByPath(&two.experiment(), "qmix.gamma", "0.9").ok());
  EXPECT_FALSE(FindMemberError(two.experiment(), "qmix").has_value());
  const auto error = FindMemberError(two.experiment(), "mappo");
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->field, "qmix");
  EXPECT_EQ(error->message, "is set, but algorithm.name is \"mappo\", whose settings are ppo");
}

// An override that chose the other member would drop, without a word, what the file says.
TEST(AlgorithmSettingsTest, AnOverrideDoesNotReplaceAnothersSettings) {
  TwoAlgorithms two;
  ASSERT_TRUE(SetFieldByPath(&two.experiment(), "ppo.clip", "0.1").ok());
  ASSERT_TRUE(SetFieldByPath(&two.experiment(), "ppo.epochs", "3").ok());
  EXPECT_EQ(std::string(SetFieldByPath(&two.experiment(), "qmix.gamma", "0.9").message()),
            "qmix.gamma: ppo is set, and an experiment has one of the two");
}

TEST(AlgorithmSettingsTest, UnknownAlgorithmsNameTheNearestWithLineAndColumn) {
  const auto refusal = [](const std::string& name) {
    return std::string(
        ParseExperiment("name: 'a' total_env_steps: 1 environment { name: 'x' }\nalgorithm { name: '" + name + "' }",
                        "test.textproto", {})
            .status()
            .message());
  };
  EXPECT_EQ(refusal("mapo"), "test.textproto:2:13: algorithm.name: \"mapo\" is not known, did you mean \"mappo\"?");
  EXPECT_THAT(refusal("something"), HasSubstr("\"something\" is not known, expected one of mappo"));
  EXPECT_THAT(refusal(""), HasSubstr("\"\" is not known"));
}

TEST(AlgorithmSettingsTest, AreWrittenForTheChosenAlgorithm) {
  Experiment experiment = MinimalExperiment();
  EXPECT_FALSE(experiment.has_ppo());
  FillDefaults(&experiment);
  EXPECT_TRUE(experiment.has_ppo());
  EXPECT_EQ(experiment.ppo().epochs(), 10);
  experiment = MinimalExperiment();
  experiment.mutable_algorithm()->set_name("unknown");
  FillDefaults(&experiment);
  EXPECT_FALSE(experiment.has_ppo());
}

TEST(AlgorithmSettingsTest, OfTwoAlgorithmsOnlyTheNameIsCompared) {
  Experiment before = MinimalExperiment();
  FillDefaults(&before);
  Experiment after = before;
  after.mutable_algorithm()->set_name("another");
  after.clear_algorithm_settings();
  EXPECT_EQ(FormatChanges(FindSettingChanges(before, after)), "algorithm.name: \"mappo\" -> \"another\"");
}

// Field 10 of the experiment, a message of 9 bytes, in it field 8, a double: as protobuf encoded `ppo { clip: 0.1 }`
// before there was a oneof (protobuf.dev/programming-guides/encoding; 0.1 is 3fb999999999999a).
TEST(AlgorithmSettingsTest, PpoHasTheBytesItHadOutsideTheOneof) {
  const std::string bytes("\x52\x09\x41\x9a\x99\x99\x99\x99\x99\xb9\x3f", 11);
  Experiment experiment;
  ASSERT_TRUE(experiment.ParseFromString(bytes));
  EXPECT_EQ(experiment.ppo().clip(), 0.1);
  EXPECT_EQ(experiment.SerializeAsString(), bytes);
}

// Printed by the version before settings had options and PPO's were in a oneof: what its checkpoints and actor files
// hold.
TEST(AlgorithmSettingsTest, ReadsWhatEarlierVersionsWrote) {
  const std::string path = absl::StrCat(TROUPE_SOURCE_DIR, "/tests/golden/experiments/before_options.textproto");
  const auto text = ReadWholeFile(path);
  ASSERT_TRUE(text.ok()) << text.status();
  auto experiment = ParseExperiment(*text, "metadata experiment", {});
  ASSERT_TRUE(experiment.ok()) << experiment.status();
  EXPECT_EQ(experiment->ppo().minibatch_size(), 720);
  // What came later has its default, and everything else is as it was.
  const auto clear_later = [](PolicySettings* policy) {
    EXPECT_EQ(policy->recurrent_cell(), FEED_FORWARD);
    EXPECT_EQ(policy->initial_log_std(), 0);
    policy->clear_state_dependent_std();
    policy->clear_recurrent_cell();
    policy->clear_recurrent_size();
    policy->clear_initial_log_std();
    policy->clear_frozen();
    EXPECT_EQ(policy->message_size(), 0);
    policy->clear_message_size();
    policy->clear_concatenate_messages();
    EXPECT_EQ(policy->num_options(), 0);
    policy->clear_num_options();
    policy->clear_option_steps();
  };
  clear_later(experiment->mutable_policy());
  for (auto& [group, policy] : *experiment->mutable_group_policies()) clear_later(&policy);
  EXPECT_EQ(experiment->critic().recurrent_cell(), FEED_FORWARD);
  experiment->mutable_critic()->clear_recurrent_cell();
  experiment->mutable_critic()->clear_recurrent_size();
  EXPECT_EQ(experiment->critic().attention_heads(), 0);
  EXPECT_FALSE(experiment->critic().death_masking());
  experiment->mutable_critic()->clear_attention_heads();
  experiment->mutable_critic()->clear_attention_layers();
  experiment->mutable_critic()->clear_token_size();
  experiment->mutable_critic()->clear_death_masking();
  experiment->mutable_collection()->clear_sequence_length();
  experiment->mutable_collection()->clear_reconnect_timeout_seconds();
  EXPECT_EQ(experiment->collection().lease_updates(), 0);
  experiment->mutable_collection()->clear_lease_updates();
  EXPECT_EQ(experiment->collection().speculative_leases(), 0);
  experiment->mutable_collection()->clear_speculative_leases();
  EXPECT_EQ(experiment->ppo().noise_scale(), 1);
  experiment->mutable_ppo()->clear_noise_scale();
  EXPECT_EQ(experiment->ppo().update_order(), TOGETHER);
  experiment->mutable_ppo()->clear_update_order();
  EXPECT_TRUE(experiment->curriculum().stages().empty());
  experiment->clear_curriculum();
  EXPECT_EQ(experiment->self_play().save_interval_updates(), 0);
  experiment->clear_self_play();
  experiment->clear_divergence();
  EXPECT_EQ(FormatExperiment(*experiment), *text);
}

}  // namespace
}  // namespace troupe

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "learner/service/environment_choice.h"
#include "tests/learner/service_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using testing::FakeWorker;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kPatience;
using testing::kRunId;
using testing::ServiceTest;

const SteadyTime kStart;

EnvironmentSpec Named(const std::string& name) {
  EnvironmentSpec spec = testing::TwoGroupSpec();
  spec.name = name;
  return spec;
}

std::string NameOf(const EnvironmentChoice& choice) { return choice.chosen() ? choice.chosen()->name : "none"; }

TEST(EnvironmentChoice, ARegistrationAloneHasNoSay) {
  EnvironmentChoice choice({.expected_workers = 1});
  ASSERT_TRUE(choice.Announce("false", Named("a"), false).ok());
  EXPECT_THAT(choice.Choose(kStart + absl::Hours(1)), IsEmpty());
  EXPECT_EQ(NameOf(choice), "none");
  ASSERT_TRUE(choice.Announce("honest", Named("b"), false).ok());
  choice.Connect("honest", kStart);
  EXPECT_THAT(choice.Choose(kStart), ElementsAre("false"));
  EXPECT_EQ(NameOf(choice), "b");
  EXPECT_THAT(std::string(choice.Announce("late", Named("a"), false).message()),
              HasSubstr("environment_spec.name: came a, expected b"));
}

TEST(EnvironmentChoice, MoreThanHalfOfThoseExpectedAgree) {
  EnvironmentChoice choice({.expected_workers = 4});
  for (const auto& [worker, name] : {std::pair("1", "a"), {"2", "b"}, {"3", "b"}, {"4", "b"}}) {
    ASSERT_TRUE(choice.Announce(worker, Named(name), false).ok());
  }
  for (const char* worker : {"1", "2", "3"}) choice.Connect(worker, kStart);
  EXPECT_THAT(choice.Choose(kStart), IsEmpty());
  EXPECT_EQ(NameOf(choice), "none") << "two of four are not more than half";
  choice.Disconnect("3");
  choice.Connect("4", kStart);
  choice.Choose(kStart);
  EXPECT_EQ(NameOf(choice), "none");
  choice.Connect("3", kStart);
  EXPECT_THAT(choice.Choose(kStart), ElementsAre("1"));
  EXPECT_EQ(NameOf(choice), "b");
}

TEST(EnvironmentChoice, WithoutThemMostOfThoseThereDoInTheEnd) {
  EnvironmentChoice choice({.expected_workers = 8, .patience = absl::Seconds(30)});
  for (const auto& [worker, name] : {std::pair("1", "a"), {"2", "b"}, {"3", "b"}}) {
    ASSERT_TRUE(choice.Announce(worker, Named(name), false).ok());
    choice.Connect(worker, kStart + absl::Seconds(5));
  }
  choice.Choose(kStart + absl::Seconds(34));
  EXPECT_EQ(NameOf(choice), "none");
  choice.Choose(kStart + absl::Seconds(35));
  EXPECT_EQ(NameOf(choice), "b");
}

TEST(EnvironmentChoice, TheLearnersOwnWorkersDecideWhereThereAreSome) {
  EnvironmentChoice choice({.local_decides = true, .expected_workers = 1});
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(choice.Announce(absl::StrCat(i), Named("a"), false).ok());
    choice.Connect(absl::StrCat(i), kStart);
  }
  choice.Choose(kStart + absl::Hours(1));
  EXPECT_EQ(NameOf(choice), "none");
  ASSERT_TRUE(choice.Announce("own", Named("b"), true).ok());
  choice.Connect("own", kStart);
  EXPECT_THAT(choice.Choose(kStart), ElementsAre("0", "1", "2", "3", "4"));
  EXPECT_EQ(NameOf(choice), "b");
}

TEST(EnvironmentChoice, WhatIsKnownStaysAndWhatIsChosenGoesWithItsLastWorker) {
  EnvironmentChoice choice({});
  ASSERT_TRUE(choice.Announce("1", Named("a"), false).ok());
  choice.Connect("1", kStart);
  choice.Choose(kStart);
  EXPECT_EQ(NameOf(choice), "a");
  choice.Remove("1");
  EXPECT_EQ(NameOf(choice), "none");
  ASSERT_TRUE(choice.Announce("2", Named("a"), false).ok());
  EXPECT_THAT(choice.Know(Named("b")), ElementsAre("2"));
  choice.Remove("2");
  EXPECT_EQ(NameOf(choice), "b");
}

TEST(EnvironmentChoice, AnnouncementsAreBoundedAndThoseOfNobodyThereMakeRoom) {
  EnvironmentChoice choice({.expected_workers = 100});
  for (size_t i = 0; i < EnvironmentChoice::kMaxCandidates; ++i) {
    EXPECT_THAT(choice.InTheWay(), IsEmpty());
    ASSERT_TRUE(choice.Announce(absl::StrCat(i), Named(absl::StrCat("e", i)), false).ok());
  }
  EXPECT_EQ(choice.Announce("more", Named("more"), false).code(), absl::StatusCode::kUnavailable);
  for (size_t i = 0; i < EnvironmentChoice::kMaxCandidates - 1; ++i) choice.Connect(absl::StrCat(i), kStart);
  EXPECT_THAT(choice.InTheWay(), ElementsAre("7"));
  choice.Remove("7");
  EXPECT_TRUE(choice.Announce("more", Named("more"), false).ok());
}

class EnvironmentOfTheRunTest : public ServiceTest {
 protected:
  static wire::RegisterRequest With(const EnvironmentSpec& spec) { return FakeWorker::Registration(spec, kRunId, 1); }
};

TEST_F(EnvironmentOfTheRunTest, AFalseFirstRegistrantLocksNobodyOut) {
  StartServer({.begin = false});
  FakeWorker liar(server_->port());
  ASSERT_TRUE(liar.Register(With(Named("made_up"))).ok());
  const auto honest = Join();
  EXPECT_EQ(server_->WaitForEnvironment(kPatience)->name, "two_groups");
  liar.OpenStream();
  EXPECT_EQ(liar.Finish().error_code(), grpc::StatusCode::NOT_FOUND) << "it may register again, and be told why not";
  EXPECT_EQ(liar.Register(With(Named("made_up"))).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(Says("warning: a worker from testhost is refused: environment_spec: differs"));
}

TEST_F(EnvironmentOfTheRunTest, ARunThatGoesOnKnowsItAndRefusesOthers) {
  server_ = LearnerServerImpl::Start(Options({}), &metrics_, nullptr).value();
  server_->Open(kRunId, Spec());
  EXPECT_EQ(server_->WaitForEnvironment(absl::ZeroDuration())->name, "two_groups") << "no worker is asked";
  FakeWorker liar(server_->port());
  EXPECT_EQ(liar.Register(With(Named("made_up"))).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  ASSERT_TRUE(server_->Begin(Spec(), {}, Weights(0), {}).ok());
  EXPECT_EQ(Join()->ReadGrants(1).size(), 1);
}

TEST_F(EnvironmentOfTheRunTest, WhatDoesNotFitTheMachineIsItsWorkersRefusal) {
  LearnerServerOptions options = Options({});
  options.check_environment = [](const EnvironmentSpec& spec) {
    return spec.name == "huge" ? absl::ResourceExhaustedError("memory: 40 MiB are needed") : absl::OkStatus();
  };
  server_ = LearnerServerImpl::Start(options, &metrics_, nullptr).value();
  server_->Open(kRunId, std::nullopt);
  FakeWorker liar(server_->port());
  const grpc::Status status = liar.Register(With(Named("huge")));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("environment_spec: memory: 40 MiB are needed"));
  EXPECT_TRUE(absl::IsDeadlineExceeded(server_->WaitForEnvironment(absl::ZeroDuration()).status()));
  const auto honest = Join();
  EXPECT_EQ(server_->WaitForEnvironment(kPatience)->name, "two_groups");
}

}  // namespace
}  // namespace troupe

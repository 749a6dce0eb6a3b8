// Where a worker goes when a learner sends it on.
#include "actor_worker/stream/learner_place.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;

SteadyTime At(double seconds) { return SteadyTime() + absl::Seconds(seconds); }

LearnerPlace Loopback() { return {"127.0.0.1:7070", ClientCredentials::Plain()}; }

TEST(LearnerPlace, FollowsAndCounts) {
  LearnerPlace place = Loopback();
  EXPECT_EQ(place.redirects(), 0);
  ASSERT_TRUE(place.Follow("localhost:7071").ok());
  EXPECT_EQ(place.address(), "localhost:7071");
  EXPECT_EQ(place.redirects(), 1);
  ASSERT_TRUE(place.Follow("[::1]:7072").ok());
  EXPECT_EQ(place.redirects(), 2);
}

TEST(LearnerPlace, SentOnAThirdTimeItStaysWhereItWasGivenToAsk) {
  LearnerPlace place = Loopback();
  ASSERT_TRUE(place.Follow("127.0.0.1:1").ok());
  ASSERT_TRUE(place.Follow("127.0.0.1:2").ok());
  EXPECT_FALSE(place.Follow("127.0.0.1:3").ok());
  EXPECT_EQ(place.address(), "127.0.0.1:7070");
  EXPECT_EQ(place.redirects(), std::nullopt);
}

TEST(LearnerPlace, DoesNotBelieveWhoHasNotShownWhoItIs) {
  for (const auto& [given, to] : {std::pair("10.0.0.1:7070", "10.0.0.2:7070"),
                                  {"10.0.0.1:7070", "127.0.0.1:7070"},
                                  {"127.0.0.1:7070", "10.0.0.2:7070"}}) {
    LearnerPlace place(given, ClientCredentials::Plain());
    const absl::Status status = place.Follow(to);
    EXPECT_TRUE(absl::IsPermissionDenied(status)) << given << to;
    EXPECT_THAT(std::string(status.message()), HasSubstr("has not shown who it is"));
    EXPECT_EQ(place.address(), given);
    EXPECT_EQ(place.redirects(), std::nullopt);
  }
}

TEST(LearnerPlace, TakesAddressesOnly) {
  for (const char* const wrong : {"unix:/run/learner.sock", "localhost", "localhost:0", "localhost:70707", ":7070",
                                  "dns:///x:1", "a b:1", "localhost:7a", "localhost: 7", "localhost:+7"}) {
    LearnerPlace place = Loopback();
    EXPECT_FALSE(place.Follow(wrong).ok()) << wrong;
    EXPECT_TRUE(place.is_given());
  }
}

TEST(LearnerPlace, ComesBackFromWhereNobodyAnswers) {
  LearnerPlace place = Loopback();
  EXPECT_FALSE(place.Silent(At(0)));
  EXPECT_FALSE(place.Silent(At(100)));
  ASSERT_TRUE(place.Follow("127.0.0.1:1").ok());
  EXPECT_FALSE(place.Silent(At(100)));
  EXPECT_FALSE(place.Silent(At(104)));
  place.Heard();
  EXPECT_FALSE(place.Silent(At(106)));
  EXPECT_TRUE(place.Silent(At(111)));
  EXPECT_EQ(place.address(), "127.0.0.1:7070");
  EXPECT_EQ(place.redirects(), 0);
}

TEST(LearnerPlace, AfterThreeJourneysForNothingItStays) {
  LearnerPlace place = Loopback();
  for (int journey = 1; journey <= 3; ++journey) {
    ASSERT_TRUE(place.Follow("127.0.0.1:1").ok());
    EXPECT_TRUE(place.Leave(/*failed=*/true));
    EXPECT_EQ(place.redirects().has_value(), journey < 3);
  }
}

TEST(LearnerPlace, ArrivingMakesUpForFailures) {
  LearnerPlace place = Loopback();
  for (int journey = 0; journey < 10; ++journey) {
    ASSERT_TRUE(place.Follow("127.0.0.1:1").ok());
    EXPECT_TRUE(place.Leave(/*failed=*/true));
    ASSERT_TRUE(place.Follow("127.0.0.1:1").ok());
    place.Arrived();
    // Given back, and sent elsewhere.
    EXPECT_TRUE(place.Leave(/*failed=*/false));
  }
  EXPECT_EQ(place.redirects(), 0);
}

}  // namespace
}  // namespace troupe

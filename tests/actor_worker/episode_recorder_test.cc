#include "actor_worker/replay_page/episode_recorder.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "actor_worker/environments/scene.h"
#include "actor_worker/evaluation/watched_episode.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int kEpisodeSteps = 6;

// Two agents, one number each. Draws a still frame, a disc that moves one unit a step, and from step 3 on a flag.
class DrawnEnvironment final : public Environment {
 public:
  explicit DrawnEnvironment(bool draws = true) : draws_(draws) {
    spec_.name = "drawn";
    spec_.groups = {{.name = "walkers",
                     .agents = {"a", "b"},
                     .observation_size = 1,
                     .action_size = 2,
                     .observed = {{"step", "", 1, ""}},
                     .actions = {{"stay", ""}, {"go", ""}}}};
    spec_.statistics = {"steps"};
  }
  const EnvironmentSpec& spec() const override { return spec_; }
  absl::Status Reset(uint64_t) override {
    step_ = 0;
    return absl::OkStatus();
  }
  absl::Status Step(const JointAction&, StepOutcome& outcome) override {
    ++step_;
    outcome.rewards[0][0] = 1;
    outcome.rewards[0][1] = static_cast<float>(step_);
    outcome.truncated = step_ == kEpisodeSteps;
    return absl::OkStatus();
  }
  void Observe(JointObservation& observation) const override {
    GroupObservation& seen = observation.groups[0];
    std::fill(seen.observations.begin(), seen.observations.end(), static_cast<float>(step_));
    std::fill(seen.action_mask.begin(), seen.action_mask.end(), 1);
    std::fill(seen.alive.begin(), seen.alive.end(), 1);
  }
  void EpisodeStatistics(absl::Span<double> statistics) const override { statistics[0] = step_; }
  std::string Render() const override { return "drawn"; }
  void Draw(Scene& scene) const override {
    if (!draws_) return;
    scene.Map(-1, 0, 39, 10);  // 40 long: 100 of the recording's 4,000 units each
    scene.Box({-1, 0}, {39, 10}, {.ink = Ink::kGround, .outline = 0.5});
    scene.Circle({1.0 * step_, 5}, 0.25, {.ink = TeamInk(1), .opacity = 0.5, .note = "walker"});
    if (step_ >= 3) scene.Text({0, 0}, 1, "flag", {}, TextAlign::kRight);
    scene.Fact("step", std::to_string(step_));
    scene.Figure("way", "walked", step_);
    if (step_ >= 3) scene.Figure("way", "flags", 1);
  }

 private:
  const bool draws_;
  EnvironmentSpec spec_;
  int step_ = 0;
};

// The second agent goes, the first stays.
class OneGoes final : public Chooser {
 public:
  void Begin(const Environment&) override {}
  void Act(const Environment&, int, EpisodeBuffers::Copy& copy) override {
    copy.discrete[0][0] = 0;
    copy.discrete[0][1] = 1;
  }
};

Recording Record(RecordingLimits limits, bool draws = true, int64_t steps = 0) {
  DrawnEnvironment environment(draws);
  OneGoes chooser;
  EpisodeRecorder recorder(environment.spec(), limits);
  const auto result =
      PlayWatched(environment, chooser,
                  {.max_steps = steps,
                   .look = [&](const Environment& shown, const EpisodeBuffers::Copy& copy, const EpisodeResult& so_far,
                               bool over) { recorder.Look(shown, copy, so_far, over); }});
  EXPECT_TRUE(result.ok()) << result.status();
  return std::move(recorder).Take(*result);
}

std::vector<std::string> Texts(const Recording& recording, const std::vector<int32_t>& indices) {
  std::vector<std::string> texts;
  for (const int32_t index : indices) texts.push_back(recording.texts[index]);
  return texts;
}

TEST(EpisodeRecorderTest, KeepsEveryShapeOnceAndOfFramesWhatChanged) {
  const Recording recording = Record({});
  ASSERT_THAT(recording.frames, SizeIs(kEpisodeSteps + 1));
  EXPECT_THAT(recording.frames[0].changes, ElementsAre(0, 0, 1, 1));
  EXPECT_THAT(recording.frames[1].changes, ElementsAre(1, 2));
  EXPECT_EQ(recording.frames[2].num_shapes, 2);
  EXPECT_EQ(recording.frames[3].num_shapes, 3);
  EXPECT_THAT(recording.frames[3].changes, ElementsAre(1, 4, 2, 5));
  EXPECT_THAT(recording.shapes, SizeIs(1 + (kEpisodeSteps + 1) + 1));
}

TEST(EpisodeRecorderTest, ShapesAreInUnitsOfTheMap) {
  const Recording recording = Record({});
  // Circle, ink of team 1, half opaque, filled, radius 25; at step 2: three lengths right of the corner and five above.
  const std::vector<int32_t>& disc = recording.shapes[3].values;
  EXPECT_THAT(std::vector<int32_t>(disc.begin(), disc.begin() + 6),
              ElementsAre(0, static_cast<int>(Ink::kFirst) + 1, 50, 0, 25, 0));
  EXPECT_EQ(recording.texts[disc[7]], "walker");
  EXPECT_THAT(std::vector<int32_t>(disc.begin() + RecordedShape::kNumbersBeforePoints, disc.end()),
              ElementsAre(300, 500));
  EXPECT_EQ(recording.map.left, 0);
  EXPECT_EQ(recording.map.right, 4000);
  EXPECT_EQ(recording.map.top, 1000);
}

TEST(EpisodeRecorderTest, NotesActionsRewardsFactsAndFigures) {
  const Recording recording = Record({});
  EXPECT_THAT(recording.frames[0].actions, IsEmpty());
  EXPECT_THAT(Texts(recording, recording.frames[2].actions), ElementsAre("stay", "go"));
  EXPECT_THAT(recording.frames[2].rewards, ElementsAre(1, 2));
  EXPECT_THAT(recording.frames[2].observations, ElementsAre(2, 2));
  EXPECT_THAT(recording.frames[3].group_returns, ElementsAre((3 + 6) / 2.0));
  EXPECT_THAT(Texts(recording, recording.frames[4].facts), ElementsAre("step", "4"));
  ASSERT_THAT(recording.figures, SizeIs(2));
  EXPECT_EQ(recording.figures[1].series, "flags");
  EXPECT_THAT(recording.frames[2].figures, ElementsAre(2));
  EXPECT_THAT(recording.frames[3].figures, ElementsAre(3, 1));
  EXPECT_EQ(recording.ending, "truncated");
  EXPECT_THAT(recording.left_out, IsEmpty());
}

TEST(EpisodeRecorderTest, EveryNthStepHoldsTheRewardsSinceTheOneBefore) {
  const Recording recording = Record({.every = 4});
  ASSERT_THAT(recording.frames, SizeIs(3));
  EXPECT_EQ(recording.frames[1].step, 4);
  EXPECT_EQ(recording.frames[2].step, kEpisodeSteps);
  EXPECT_THAT(recording.frames[1].rewards, ElementsAre(4, 1 + 2 + 3 + 4));
  EXPECT_THAT(recording.frames[2].rewards, ElementsAre(2, 5 + 6));
}

TEST(EpisodeRecorderTest, AnEpisodeThatIsStoppedSaysSo) {
  const Recording recording = Record({}, true, 2);
  EXPECT_THAT(recording.frames, SizeIs(3));
  EXPECT_EQ(recording.ending, "stopped");
}

TEST(EpisodeRecorderTest, EnvironmentsThatDrawNothingHaveNoMap) {
  const Recording recording = Record({}, false);
  EXPECT_THAT(recording.shapes, IsEmpty());
  EXPECT_EQ(recording.map.right, 0);
  EXPECT_THAT(recording.frames, SizeIs(kEpisodeSteps + 1));
}

TEST(EpisodeRecorderTest, FramesBeyondTheirLimitAreLeftOutAndItIsSaid) {
  const Recording recording = Record({.frames = 3});
  EXPECT_THAT(recording.frames, SizeIs(3));
  EXPECT_THAT(recording.left_out, ElementsAre(HasSubstr("Steps from 3 on are left out: a page holds 3 frames")));
  EXPECT_EQ(recording.result.length, kEpisodeSteps);
  EXPECT_EQ(recording.ending, "truncated");
}

TEST(EpisodeRecorderTest, NumbersBeyondTheirLimitAreLeftOutAndItIsSaid) {
  const Recording recording = Record({.numbers = 60});
  EXPECT_GE(recording.frames.size(), 1);
  EXPECT_LT(recording.frames.size(), kEpisodeSteps);
  EXPECT_THAT(recording.left_out, ElementsAre(HasSubstr("60 numbers")));
}

TEST(EpisodeRecorderTest, ObservationsBeyondTheirLimitAreLeftOutAndItIsSaid) {
  const Recording recording = Record({.observations = 5});
  EXPECT_THAT(recording.frames[1].observations, SizeIs(2));
  EXPECT_THAT(recording.frames[2].observations, IsEmpty());
  EXPECT_THAT(recording.frames[kEpisodeSteps].observations, IsEmpty());
  EXPECT_THAT(recording.left_out, ElementsAre(HasSubstr("What agents observe is left out from step 2 on")));
}

TEST(EpisodeRecorderTest, FiguresBeyondTheirLimitAreLeftOutAndItIsSaid) {
  const Recording recording = Record({.figures = 1});
  EXPECT_THAT(recording.figures, SizeIs(1));
  EXPECT_THAT(recording.frames[4].figures, ElementsAre(4));
  EXPECT_THAT(recording.left_out, ElementsAre(HasSubstr("the line flags is left out")));
}

TEST(ShapeTableTest, LongTextsAreCutBetweenCharactersAndLongLinesThinned) {
  ShapeTable table;
  std::string text(kMaxTextBytes - 1, 'x');
  text += "é and more";
  const int32_t index = table.TextIndex(text);
  Scene scene;
  scene.Map(0, 0, 4000, 4000);
  std::vector<ScenePoint> points;
  for (int i = 0; i < 1000; ++i) points.push_back({1.0 * i, 2.0 * i});
  points.push_back({NAN, 1e300});
  scene.Line(points, 1, {});
  table.ShapeIndex(scene, scene.shapes()[0]);
  EXPECT_EQ(table.TakeTexts()[index], std::string(kMaxTextBytes - 1, 'x'));
  const std::vector<int32_t> values = table.TakeShapes()[0].values;
  EXPECT_EQ(values.size(), RecordedShape::kNumbersBeforePoints + 2 * kMaxShapePoints);
  EXPECT_EQ(values[RecordedShape::kNumbersBeforePoints], 0);
  EXPECT_EQ(values[values.size() - 2], 0);
  EXPECT_EQ(values.back(), 1'000'000);
}

}  // namespace
}  // namespace troupe

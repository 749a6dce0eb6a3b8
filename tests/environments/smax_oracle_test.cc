// Battles that jaxmarl's SMAX fought (tests/golden/smax/record_battles.py says what a file holds), fought again from
// the same starts with the same actions and random draws: every decision ends in the same state, and is seen and paid
// alike.
#include <cmath>
#include <filesystem>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "common/files/safetensors.h"
#include "tests/environments/smax_test_support.h"

namespace troupe::smax {
namespace {

constexpr char kFolder[] = TROUPE_SOURCE_DIR "/tests/golden/smax/";
constexpr double kTolerance = 1e-4;

class Recording {
 public:
  explicit Recording(const std::string& name) {
    const auto file = ReadSafetensors(absl::StrCat(kFolder, name, ".safetensors"));
    EXPECT_TRUE(file.ok()) << file.status();
    if (!file.ok()) return;
    settings = {file->metadata.begin(), file->metadata.end()};
    for (const HostTensor& tensor : file->tensors) tensors_[tensor.name] = tensor;
  }

  // Row `row` of the first axis.
  template <typename T>
  absl::Span<const T> Row(const std::string& name, int64_t row) const {
    const HostTensor& tensor = tensors_.at(name);
    const int64_t size = tensor.num_elements() / tensor.shape.at(0);
    return {reinterpret_cast<const T*>(tensor.bytes.data()) + row * size, static_cast<size_t>(size)};
  }
  template <typename T>
  absl::Span<const T> All(const std::string& name) const {
    const HostTensor& tensor = tensors_.at(name);
    return {reinterpret_cast<const T*>(tensor.bytes.data()), static_cast<size_t>(tensor.num_elements())};
  }
  int Rows(const std::string& name) const { return static_cast<int>(tensors_.at(name).shape.at(0)); }

  SettingsMap settings;

 private:
  std::map<std::string, HostTensor> tensors_;
};

// Answers as jaxmarl's generator did. A shot that it did not see is a failure, and so is one that does not come.
class RecordedDraws final : public Draws {
 public:
  RecordedDraws(const Recording& recording, int num_allies) : recording_(recording), num_allies_(num_allies) {
    for (int shot = 0; shot < recording.Rows("shots"); ++shot) {
      const absl::Span<const int32_t> key = recording.Row<int32_t>("shots", shot);
      cooldowns_[{key[0], key[1], key[2]}] = recording.All<float>("shot_draws")[shot];
    }
  }

  float Uniform(Chance chance, int unit, int tick) override {
    switch (chance) {
      case Chance::kCooldown: {
        const auto shot = cooldowns_.find({decision, tick, unit});
        if (shot == cooldowns_.end()) {
          ADD_FAILURE() << "unit " << unit << " may not shoot in tick " << tick << " of decision " << decision;
          return 0;
        }
        const float uniform = shot->second;
        cooldowns_.erase(shot);
        return uniform;
      }
      case Chance::kQuarry:
        return recording_.Row<float>("quarry_draws", decision)[unit - num_allies_];
      case Chance::kTarget:
        return recording_.Row<float>("target_draws", decision)[unit - num_allies_];
      case Chance::kMoveOrShoot:
        return Outcome("move_draws", unit);
      case Chance::kKeepTarget:
        return Outcome("keep_draws", unit);
    }
    return 0;
  }
  size_t shots_left() const { return cooldowns_.size(); }

  int decision = 0;

 private:
  // The first outcome is drawn by the smallest number, the second by the largest.
  float Outcome(const std::string& name, int unit) const {
    return recording_.Row<uint8_t>(name, decision)[unit] == 0 ? 0 : 0x0.ffffffp0f;
  }

  const Recording& recording_;
  const int num_allies_;
  std::map<std::tuple<int, int, int>, float> cooldowns_;
};

double WeightedSum(absl::Span<const float> numbers) {
  double sum = 0;
  for (size_t i = 0; i < numbers.size(); ++i) sum += numbers[i] * std::sin(1.0 + static_cast<double>(i));
  return sum;
}

void ExpectNear(absl::Span<const float> ours, absl::Span<const float> theirs, const std::string& what) {
  ASSERT_EQ(ours.size(), theirs.size()) << what;
  for (size_t i = 0; i < ours.size(); ++i) ASSERT_NEAR(ours[i], theirs[i], kTolerance) << what << " " << i;
}

class SmaxOracle : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ASSERT_FALSE(recording_.settings.empty()); }

  // What is known before decision `row`.
  void ExpectState(Field& field, int row) {
    SCOPED_TRACE(testing::Message() << "after " << row << " decisions");
    const Units& units = field.units();
    ExpectNear(units.x, recording_.Row<float>("x", row), "x of unit");
    ExpectNear(units.y, recording_.Row<float>("y", row), "y of unit");
    ExpectNear(units.health, recording_.Row<float>("health", row), "health of unit");
    ExpectNear(units.cooldown, recording_.Row<float>("cooldown", row), "cooldown of unit");
    field.Observe();
    const absl::Span<const uint8_t> allowed = recording_.Row<uint8_t>("allowed", row);
    const int num_agents = field.smax.spec().num_agents();
    int agent = 0, action = 0;
    for (size_t g = 0; g < field.smax.spec().groups.size(); ++g) {
      for (int a = 0; a < field.smax.spec().groups[g].num_agents(); ++a, ++agent) {
        const absl::Span<const float> observation = field.Observation(a, static_cast<int>(g));
        EXPECT_NEAR(WeightedSum(observation), recording_.Row<float>("observation_sums", row)[agent], kTolerance);
        if (row % num_agents == agent) {
          ExpectNear(observation, recording_.Row<float>("observations", row), "observation number");
        }
        std::vector<uint8_t> mask(kFirstAttack + field.smax.battle().num_foes(field.smax.FirstUnit(g)));
        AllowedActions(field.smax.battle(), field.smax.FirstUnit(g) + a, absl::MakeSpan(mask));
        for (const uint8_t ours : mask) {
          EXPECT_EQ(ours, allowed[action / 8] >> (7 - action % 8) & 1) << "mask of agent " << agent;
          ++action;
        }
      }
    }
    // Coordinates up to 32 with float's rounding, some hundred of them.
    EXPECT_NEAR(WeightedSum(field.copy().observation.state_extras), recording_.All<float>("state_sums")[row], 1e-3);
  }
  void Act(Field& field, int decision) {
    const bool continuous = field.smax.settings().actions == ActionKind::kContinuous;
    if (continuous) {
      const absl::Span<const float> actions = recording_.Row<float>("actions", decision);
      std::transform(actions.begin(), actions.end(), field.copy().continuous[0].begin(),
                     [](float zero_to_one) { return 2 * zero_to_one - 1; });
      ASSERT_TRUE(field.smax.Step(field.copy().action, field.outcome()).ok());
    } else {
      const absl::Span<const int32_t> actions = recording_.Row<int32_t>("actions", decision);
      field.Step(std::vector<int>(actions.begin(), actions.end()));
    }
  }

  const Recording recording_ = Recording(GetParam());
};

TEST_P(SmaxOracle, FightsAsJaxmarlDid) {
  Field field(recording_.settings);
  RecordedDraws draws(recording_, field.smax.battle().num_allies());
  field.smax.Begin(recording_.All<uint8_t>("kinds"), recording_.All<float>("start_x"), recording_.All<float>("start_y"),
                   draws);
  ASSERT_NO_FATAL_FAILURE(ExpectState(field, 0));
  const int decisions = recording_.Rows("actions");
  for (draws.decision = 0; draws.decision < decisions; ++draws.decision) {
    ASSERT_NO_FATAL_FAILURE(Act(field, draws.decision));
    ASSERT_NO_FATAL_FAILURE(ExpectState(field, draws.decision + 1));
    const absl::Span<const float> rewards = recording_.Row<float>("rewards", draws.decision);
    for (size_t g = 0; g < rewards.size(); ++g) {
      EXPECT_NEAR(field.outcome().rewards[g][0], rewards[g], kTolerance) << "of group " << g;
    }
    EXPECT_EQ(field.outcome().terminated || field.outcome().truncated,
              recording_.All<uint8_t>("done")[draws.decision] != 0);
    ASSERT_FALSE(HasFailure()) << "decision " << draws.decision;
  }
  EXPECT_EQ(draws.shots_left(), 0) << "shots that did not come";
  ExpectNear(field.copy().observation.state_extras, recording_.All<float>("state"), "global state number");
}

std::vector<std::string> AllRecordings() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".safetensors") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Battles, SmaxOracle, testing::ValuesIn(AllRecordings()),
                         [](const auto& info) { return info.param; });

TEST(SmaxRecordingsTest, AreThere) { EXPECT_FALSE(AllRecordings().empty()); }

}  // namespace
}  // namespace troupe::smax

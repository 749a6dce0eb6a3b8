#include <utility>

#include "absl/strings/str_cat.h"
#include "actor_worker/rollout/machine_access.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Experiment With(const std::string& name, const std::string& value) {
  Experiment experiment;
  (*experiment.mutable_environment()->mutable_settings())["seconds"] = "10";
  (*experiment.mutable_environment()->mutable_settings())[name] = value;
  return experiment;
}

TEST(MachineAccessTest, ProgramsFilesAndOptionsAreNotTakenFromALearner) {
  for (const auto& [name, value] : {std::pair{"sumo_home", "/tmp/evil"},
                                    {"sumo_home", "evil"},
                                    {"sumo_options", "--log out.txt"},
                                    {"network", "/dev/zero"},
                                    {"network", "../x.sumocfg"},
                                    {"weights_file", "x"},
                                    {"server_program", "evil"},
                                    {"server_options", "--function evil:make"}}) {
    const absl::Status status = CheckMachineSettings(With(name, value));
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << name << " " << value;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(std::string("environment.settings.") + name + ": the learner says \"" + value),
                      HasSubstr("--allow_machine_settings")));
  }
}

TEST(MachineAccessTest, SettingsOfTheTaskAre) {
  for (const auto& [name, value] : {std::pair{"network", "cologne8"},
                                    {"sumo_home", ""},
                                    {"sumo_options", ""},
                                    {"memory_limit_mb", "512"},
                                    {"payoffs", "1,-2;3,4"}}) {
    EXPECT_TRUE(CheckMachineSettings(With(name, value)).ok()) << name << " " << value;
  }
}

TEST(MachineAccessTest, AStageOfACurriculumIsNoWayRound) {
  Experiment experiment = With("network", "cologne8");
  experiment.mutable_curriculum()->add_stages()->set_name("first");
  (*experiment.mutable_curriculum()->add_stages()->mutable_settings())["sumo_home"] = "/tmp/evil";
  EXPECT_THAT(std::string(CheckMachineSettings(experiment).message()),
              HasSubstr("curriculum.stages.1.settings.sumo_home: the learner says \"/tmp/evil\""));
}

TEST(MachineAccessTest, AnActorFileDoesNotDecideWhatProgramIsRun) {
  for (const char* name : {"server_program", "server_options", "sumo_home"}) {
    const absl::Status status = CheckProgramsOfActors("a.safetensors", With(name, "evil"), {});
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(absl::StrCat("a.safetensors: environment.settings.", name, " says \"evil\"")),
                      HasSubstr("--allow_machine_settings")));
    const std::string mine = absl::StrCat("environment.settings.", name, "=mine");
    EXPECT_TRUE(CheckProgramsOfActors("a.safetensors", With(name, "mine"), {mine}).ok()) << "whoever plays it said so";
    EXPECT_TRUE(CheckProgramsOfActors("a.safetensors", With(name, ""), {}).ok());
  }
  EXPECT_TRUE(CheckProgramsOfActors("a.safetensors", With("network", "/home/me/town.sumocfg"), {}).ok());
}

TEST(MachineAccessTest, TheRefusalIsOneLine) {
  const std::string text(CheckMachineSettings(With("a_path", "x\n\x1b[2J" + std::string(10000, 'y'))).message());
  EXPECT_THAT(text, HasSubstr("x\\n\\x1B[2Jyy"));
  EXPECT_LT(text.size(), 1000u);
}

}  // namespace
}  // namespace troupe

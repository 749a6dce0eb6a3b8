// Every experiment that is shipped can be started.
#include <filesystem>

#include "common/config/experiment_loader.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(ExperimentFilesTest, EveryShippedExperimentLoads) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TROUPE_SOURCE_DIR "/deploy/experiments")) {
    if (entry.path().extension() != ".textproto") continue;
    const auto experiment = LoadExperiment(entry.path().string(), {});
    EXPECT_TRUE(experiment.ok()) << experiment.status();
    ++count;
  }
  EXPECT_GT(count, 0);
}

}  // namespace
}  // namespace troupe

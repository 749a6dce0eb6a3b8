// The committed playthrough of smax stays true. TROUPE_UPDATE_GOLDEN=1 rewrites it.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/environments/smax_test_support.h"

namespace troupe::smax {
namespace {

// The rule plays both sides of a mixed battle: actions, reward and what the allies observe, summed, and now and then
// the view.
std::string Playthrough() {
  Field field(SettingsMap{{"map", "2s3z"}});
  const std::unique_ptr<Controller> player = SmaxBaselines({})[0].make();
  EXPECT_TRUE(field.smax.Reset(7).ok());
  player->Begin(field.smax);
  std::string text = "smax 2s3z seed 7, heuristic against heuristic: actions | reward | sum of observations\n";
  do {
    field.Observe();
    player->Act(field.smax, field.copy().observation, field.copy().discrete, field.copy().continuous);
    EXPECT_TRUE(field.smax.Step(field.copy().action, field.outcome()).ok());
    field.Observe();
    for (const int action : field.copy().discrete[0]) absl::StrAppendFormat(&text, "%d ", action);
    double sum = 0;
    for (const float number : field.copy().observation.groups[0].observations) sum += number;
    absl::StrAppendFormat(&text, "| %.4f | %.3f\n", field.outcome().rewards[0][0], sum);
    if (static_cast<int>(field.Statistic("decisions")) % 5 == 0) text += field.smax.Render();
  } while (!field.outcome().terminated && !field.outcome().truncated);
  return text + field.smax.Render();
}

TEST(SmaxGoldenTest, PlaysTheCommittedPlaythrough) {
  const std::string path = absl::StrCat(TROUPE_SOURCE_DIR, "/tests/golden/smax/playthrough.txt");
  const std::string played = Playthrough();
  if (std::getenv("TROUPE_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << played;
  std::ifstream file(path);
  std::ostringstream committed;
  committed << file.rdbuf();
  EXPECT_EQ(played, committed.str());
}

}  // namespace
}  // namespace troupe::smax

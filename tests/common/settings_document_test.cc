// Holds docs/settings.md to what it is written from. TROUPE_UPDATE_GOLDEN=1 rewrites it.
#include "tests/common/settings_document.h"

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/files/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/experiment.pb.h"
#include "tests/common/all_settings.h"

namespace troupe {
namespace {

using testing::HasSubstr;

TEST(SettingsDocumentTest, IsUpToDate) {
  const std::string path = absl::StrCat(TROUPE_SOURCE_DIR, "/docs/settings.md");
  const std::string written = SettingsDocument(ProtoComments::OfThisBuild());
  if (std::getenv("TROUPE_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << written;
  const auto committed = ReadWholeFile(path);
  ASSERT_TRUE(committed.ok()) << committed.status();
  EXPECT_TRUE(*committed == written) << "docs/settings.md is not what proto/experiment.proto says now; write it anew:\n"
                                        "  TROUPE_UPDATE_GOLDEN=1 build/release/bin/common_tests "
                                        "--gtest_filter=SettingsDocumentTest.*";
}

// Beside text written by hand: what the proto says of three settings.
TEST(SettingsDocumentTest, TellsDefaultRangeResumeAndMeaning) {
  const std::string written = SettingsDocument(ProtoComments::OfThisBuild());
  EXPECT_THAT(written,
              HasSubstr("| `total_env_steps` | needed | [1, 1e+15] environment steps | told | Training ends "));
  EXPECT_THAT(written, HasSubstr("| `ppo.clip` | `0.2` | (0, 10] | told | "));
  EXPECT_THAT(written, HasSubstr("- `V_TRACE`: V-trace targets and advantages (arXiv:1802.01561, section 4.1)."));
}

TEST(SettingsDocumentTest, EverySettingSaysWhatItMeans) {
  const ProtoComments& comments = ProtoComments::OfThisBuild();
  for (const auto& [path, field] : AllSettings()) EXPECT_NE(comments.Of(*field), "") << path;
}

}  // namespace
}  // namespace troupe

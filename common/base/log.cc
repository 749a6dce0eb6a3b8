#include "common/base/log.h"

#include <unistd.h>

#include <cstdio>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/base/shown_text.h"

namespace troupe {

void LogLine(const std::string& text) {
  const std::string line = absl::StrCat(absl::FormatTime("%Y-%m-%d %H:%M:%E3S", absl::Now(), absl::LocalTimeZone()),
                                        " actor_worker[", getpid(), "] ", ShownText(text), "\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void LogLineOnce(const std::string& text) {
  static constexpr size_t kRemembered = 64;
  static absl::Mutex mutex(absl::kConstInit);
  static auto* const said = new std::set<std::string>();
  {
    absl::MutexLock lock(&mutex);
    if (said->size() == kRemembered || !said->insert(text).second) return;
  }
  LogLine(text);
}

}  // namespace troupe

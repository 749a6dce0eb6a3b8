#include "actor_worker/replay_page/replay_page.h"

#include "absl/strings/str_replace.h"
#include "actor_worker/replay_page/page_template.h"
#include "actor_worker/replay_page/recording_json.h"

namespace troupe {

std::string ReplayPage(absl::Span<const Recording> recordings) {
  return absl::StrReplaceAll(PageTemplate(), {{"/*RECORDINGS*/", RecordingsJson(recordings)}});
}

}  // namespace troupe

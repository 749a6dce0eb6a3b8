// The page without recordings: page/page.html with its style and its scripts put in, by cmake/embed_page.cmake.
#ifndef TROUPE_ACTOR_WORKER_REPLAY_PAGE_PAGE_TEMPLATE_H_
#define TROUPE_ACTOR_WORKER_REPLAY_PAGE_PAGE_TEMPLATE_H_

#include "absl/strings/string_view.h"

namespace troupe {

// "/*RECORDINGS*/" stands in it once, where RecordingsJson belongs.
absl::string_view PageTemplate();

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_REPLAY_PAGE_PAGE_TEMPLATE_H_

// How functions of a C interface fail: a sentence that is kept for the thread, and no exception gets out.
#ifndef TROUPE_ACTOR_WORKER_LIBRARIES_LAST_ERROR_H_
#define TROUPE_ACTOR_WORKER_LIBRARIES_LAST_ERROR_H_

#include <exception>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace troupe {

// Of the last call of this thread that failed.
inline std::string& LastError() {
  thread_local std::string words;
  return words;
}

inline void Remember(absl::string_view words) noexcept {
  try {
    LastError().assign(words.data(), words.size());
  } catch (...) {  // no memory for the words: those of before stay
  }
}

// 0, or -1 with the sentence kept.
template <typename Function>
int Tried(Function&& function) noexcept {
  try {
    const absl::Status status = std::forward<Function>(function)();
    if (status.ok()) return 0;
    Remember(status.message());
  } catch (const std::exception& error) {
    Remember(error.what());
  } catch (...) {
    Remember("an exception of unknown kind");
  }
  return -1;
}

// What `function` makes, or null with the sentence kept.
template <typename T, typename Function>
T* Made(Function&& function) noexcept {
  T* made = nullptr;
  Tried([&]() -> absl::Status {
    absl::StatusOr<T*> result = std::forward<Function>(function)();
    if (result.ok()) made = *result;
    return result.status();
  });
  return made;
}

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_LIBRARIES_LAST_ERROR_H_

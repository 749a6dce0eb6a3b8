// Text of others (a peer's, a simulator's, a file's) made fit for a log and a terminal: it can neither begin a line of
// its own nor tell the terminal anything.
#ifndef TROUPE_COMMON_BASE_SHOWN_TEXT_H_
#define TROUPE_COMMON_BASE_SHOWN_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace troupe {

inline constexpr size_t kMostShownBytes = 2048;

// One line of well-formed UTF-8. Control characters, line separators, marks that turn the direction of writing and
// bytes that are no UTF-8 come out as \n, \t, \xHH or \u{HHHH}; backslashes stay, so what was shown once stays as it
// is. What is longer than `most_bytes` ends in " … (N bytes more)", N of `text`.
std::string ShownText(absl::string_view text, size_t most_bytes = kMostShownBytes);

// The same for several lines of ours that may have others' text in them: newlines and tabs stay, and nothing is cut.
std::string ShownLines(absl::string_view text);

}  // namespace troupe

#endif  // TROUPE_COMMON_BASE_SHOWN_TEXT_H_

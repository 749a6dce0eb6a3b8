// Lines that fit a terminal, however narrow it is.
#ifndef TROUPE_COMMON_COMMAND_LINE_TERMINAL_H_
#define TROUPE_COMMON_COMMAND_LINE_TERMINAL_H_

#include <string>

#include "absl/strings/string_view.h"

namespace troupe {

// Of the terminal behind a descriptor, as it is now; 0 where there is none, or it does not say.
int TerminalColumns(int descriptor);

// Lines wider than `columns` (characters of UTF-8; 0: any width will do) broken between words. What is carried over
// stands below the last column of the left three fifths (whatever follows two spaces or more), where there is one, else
// two further in than a line that is set in. A word that is too wide stays whole.
std::string Folded(absl::string_view text, int columns);

// One line for a terminal that rewrites it, less wide than `columns` (0: as it is), so that the cursor stays on it:
// parts that three spaces separate are left out, from the last but one backwards, and then it is cut.
std::string FittedProgress(absl::string_view line, int columns);

}  // namespace troupe

#endif  // TROUPE_COMMON_COMMAND_LINE_TERMINAL_H_

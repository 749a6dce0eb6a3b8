// What `--version` of the programs says.
#ifndef TROUPE_COMMON_COMMAND_LINE_VERSION_H_
#define TROUPE_COMMON_COMMAND_LINE_VERSION_H_

#include <string>

namespace troupe {

// The project's: "0.1.0".
std::string ProjectVersion();

// "learner of Troupe 0.1.0" and a line of what it was built with: compiler, kind of build and libraries, `more` among
// them
// ("LibTorch 2.11.0"; may be empty).
std::string FormatVersion(const std::string& program, const std::string& more);

}  // namespace troupe

#endif  // TROUPE_COMMON_COMMAND_LINE_VERSION_H_

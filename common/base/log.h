// Lines for people on stderr.
#ifndef TROUPE_COMMON_BASE_LOG_H_
#define TROUPE_COMMON_BASE_LOG_H_

#include <string>

namespace troupe {

// "2026-03-01 12:00:00.123 actor_worker[PID] TEXT". Thread-safe; one write per line, so lines of several processes do
// not mix.
void LogLine(const std::string& text);

// The same, but a text that this process has said before is not said again: for what every copy of an environment
// notices. The first 64 texts only. Thread-safe.
void LogLineOnce(const std::string& text);

}  // namespace troupe

#endif  // TROUPE_COMMON_BASE_LOG_H_

// What a process has used, to be taken before and after.
#ifndef TROUPE_TESTS_BENCHMARKS_SUPPORT_STOPWATCH_H_
#define TROUPE_TESTS_BENCHMARKS_SUPPORT_STOPWATCH_H_

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace troupe::testing {

// Processor seconds (user and system, all threads) of a process; 0 when there is none.
inline double CpuSeconds(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string text;
  std::getline(file, text);
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return 0;
  // After the name: state and ten numbers, then utime and stime.
  std::istringstream rest(text.substr(name_end + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) rest >> skipped;
  double user = 0, system = 0;
  rest >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// Of this process.
inline double ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  double pages = 0;
  file >> pages >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

inline double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_BENCHMARKS_SUPPORT_STOPWATCH_H_

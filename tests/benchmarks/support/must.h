// A benchmark whose surroundings fail has nothing to report: it says why and exits with 1.
#ifndef TROUPE_TESTS_BENCHMARKS_SUPPORT_MUST_H_
#define TROUPE_TESTS_BENCHMARKS_SUPPORT_MUST_H_

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace troupe::testing {

inline void Must(bool good, const std::string& what) {
  if (good) return;
  std::fprintf(stderr, "%s failed\n", what.c_str());
  std::_Exit(1);
}

inline void Must(const absl::Status& status) { Must(status.ok(), status.ToString()); }

template <typename T>
T Must(absl::StatusOr<T> result) {
  Must(result.status());
  return *std::move(result);
}

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_BENCHMARKS_SUPPORT_MUST_H_

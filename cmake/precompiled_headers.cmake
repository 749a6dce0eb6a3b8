# What most files include is read once per target: half of a file's compile time. Files still include what they use.
set(troupe_common_headers
  <algorithm> <cmath> <cstdint> <filesystem> <functional> <map> <memory> <optional> <string> <utility> <vector>
  "absl/container/flat_hash_map.h" "absl/status/statusor.h" "absl/strings/str_cat.h" "absl/strings/str_format.h"
  "absl/strings/str_join.h" "absl/strings/str_split.h" "absl/synchronization/mutex.h" "absl/time/clock.h"
  "absl/types/span.h" "proto/experiment.pb.h" "proto/trajectory.pb.h")
list(TRANSFORM troupe_common_headers REPLACE "^([^<].*)$" "<\\1>")

# troupe_precompile(target [header…]): the above and more.
function(troupe_precompile target)
  target_precompile_headers(${target} PRIVATE ${troupe_common_headers} ${ARGN})
endfunction()

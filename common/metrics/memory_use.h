// How much of the memory that this process may use is in use.
#ifndef TROUPE_COMMON_METRICS_MEMORY_USE_H_
#define TROUPE_COMMON_METRICS_MEMORY_USE_H_

#include <filesystem>
#include <optional>

namespace troupe {

// Of the control group (version 1 or 2) that limits this process most, counting everything that runs in it; of the
// machine, where no group's limit is smaller than its memory.
struct MemoryUse {
  double used_bytes = 0;  // without files' pages that could be given back at once
  double limit_bytes = 0;
};

// Nothing where the kernel does not say. The folders are those of proc(5) and cgroups(7).
std::optional<MemoryUse> ReadMemoryUse(const std::filesystem::path& proc = "/proc",
                                       const std::filesystem::path& groups = "/sys/fs/cgroup");

// Of the address space, where that is limited (ulimit -v); nothing where it is not.
std::optional<MemoryUse> ReadAddressSpaceUse(const std::filesystem::path& proc = "/proc");

}  // namespace troupe

#endif  // TROUPE_COMMON_METRICS_MEMORY_USE_H_

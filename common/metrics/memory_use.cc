#include "common/metrics/memory_use.h"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace troupe {
namespace {

namespace fs = std::filesystem;

// The number after the word `name`, which begins a line; without a name the first number. "max" is none.
std::optional<double> Number(const fs::path& path, const std::string& name = "") {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> words = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    const size_t at = name.empty() ? 0 : 1;
    if (words.size() <= at || (!name.empty() && words[0] != name)) continue;
    double value = 0;
    if (absl::SimpleAtod(words[at], &value)) return value;
    return std::nullopt;
  }
  return std::nullopt;
}

// The files of a group, by version.
struct Names {
  const char *limit, *used, *reclaimable;
};
constexpr Names kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};
constexpr Names kVersion2{"memory.max", "memory.current", "inactive_file"};

// Of the group at `root`/`path` or above it, whose limit is smaller than `within`'s.
void Narrow(const fs::path& root, fs::path path, const Names& names, std::optional<MemoryUse>* within) {
  for (path = path.relative_path();; path = path.parent_path()) {
    const fs::path folder = root / path;
    const std::optional<double> limit = Number(folder / names.limit), used = Number(folder / names.used);
    if (limit.has_value() && used.has_value() && (!within->has_value() || *limit < (*within)->limit_bytes)) {
      const double reclaimable = Number(folder / "memory.stat", names.reclaimable).value_or(0);
      *within = MemoryUse{std::max(0.0, *used - reclaimable), *limit};
    }
    if (path.empty()) return;
  }
}

}  // namespace

std::optional<MemoryUse> ReadMemoryUse(const fs::path& proc, const fs::path& groups) {
  constexpr double kKibibyte = 1024;
  std::optional<MemoryUse> use;
  const std::optional<double> total = Number(proc / "meminfo", "MemTotal:"),
                              available = Number(proc / "meminfo", "MemAvailable:");
  if (total.has_value() && available.has_value()) {
    use = MemoryUse{(*total - *available) * kKibibyte, *total * kKibibyte};
  }
  std::ifstream file(proc / "self" / "cgroup");
  for (std::string line; std::getline(file, line);) {  // number:controllers:path; version 2 names no controllers
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    const std::vector<std::string> controllers = absl::StrSplit(parts[1], ',');
    if (parts[1].empty()) Narrow(groups, parts[2], kVersion2, &use);
    if (std::ranges::count(controllers, "memory") > 0) Narrow(groups / "memory", parts[2], kVersion1, &use);
  }
  return use;
}

std::optional<MemoryUse> ReadAddressSpaceUse(const fs::path& proc) {
  constexpr double kKibibyte = 1024;
  rlimit limit{};
  const std::optional<double> used = Number(proc / "self" / "status", "VmSize:");
  if (!used.has_value() || getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return MemoryUse{*used * kKibibyte, static_cast<double>(limit.rlim_cur)};
}

}  // namespace troupe

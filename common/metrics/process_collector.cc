#include "common/metrics/process_collector.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

#include "common/metrics/memory_use.h"

namespace troupe {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

// Of /proc/self/stat, see proc(5).
struct Stat {
  double cpu_seconds = 0, threads = 0, start_seconds_after_boot = 0, virtual_bytes = 0, resident_bytes = 0;
};

std::optional<Stat> ReadStat() {
  std::ifstream file("/proc/self/stat");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  // The second field is the program's name in brackets and may hold spaces: counting starts behind it, at field 3.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  const std::vector<std::string> words((std::istream_iterator<std::string>(fields)),
                                       std::istream_iterator<std::string>());
  constexpr size_t kUserTime = 14 - 3, kSystemTime = 15 - 3, kThreads = 20 - 3, kStart = 22 - 3, kVirtual = 23 - 3,
                   kResidentPages = 24 - 3;
  if (words.size() <= kResidentPages) return std::nullopt;
  const double ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto number = [&](size_t field) { return std::strtod(words[field].c_str(), nullptr); };
  return Stat{.cpu_seconds = (number(kUserTime) + number(kSystemTime)) / ticks_per_second,
              .threads = number(kThreads),
              .start_seconds_after_boot = number(kStart) / ticks_per_second,
              .virtual_bytes = number(kVirtual),
              .resident_bytes = number(kResidentPages) * static_cast<double>(sysconf(_SC_PAGESIZE))};
}

// Seconds since 1970; nothing when /proc/stat cannot be read.
std::optional<double> BootTime() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return std::nullopt;
}

std::optional<double> CountOpenFiles() {
  std::error_code error;
  std::filesystem::directory_iterator entries("/proc/self/fd", error);
  if (error) return std::nullopt;
  double count = -1;  // the directory being read is one of them
  for (; entries != std::filesystem::directory_iterator() && !error; entries.increment(error)) ++count;
  return count;
}

MetricFamily Single(const std::string& name, const std::string& help, MetricType type, double value) {
  MetricFamily family{name, help, type, {}};
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  return family;
}

}  // namespace

std::vector<MetricFamily> ProcessCollector::Collect() const {
  std::vector<MetricFamily> families;
  const auto add = [&](const char* name, const char* help, double value, MetricType type = MetricType::Gauge) {
    families.push_back(Single(name, help, type, value));
  };
  if (const std::optional<Stat> stat = ReadStat(); stat.has_value()) {
    add("process_cpu_seconds_total", "User and system CPU time spent.", stat->cpu_seconds, MetricType::Counter);
    add("process_resident_memory_bytes", "Resident memory.", stat->resident_bytes);
    add("process_virtual_memory_bytes", "Virtual memory.", stat->virtual_bytes);
    add("process_threads", "Threads.", stat->threads);
    if (const std::optional<double> boot = BootTime(); boot.has_value()) {
      add("process_start_time_seconds", "When the process started, in seconds since 1970.",
          *boot + stat->start_seconds_after_boot);
    }
  }
  if (const std::optional<MemoryUse> memory = ReadMemoryUse(); memory.has_value()) {
    add("troupe_memory_used_bytes", "Memory in use by all that shares this process's limit.", memory->used_bytes);
    add("troupe_memory_limit_bytes", "Memory that this process may use: its control group's or the machine's.",
        memory->limit_bytes);
  }
  if (const std::optional<double> open = CountOpenFiles(); open.has_value()) {
    add("process_open_fds", "Open file descriptors.", *open);
  }
  if (rlimit limit{}; getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    add("process_max_fds", "Most open file descriptors.", static_cast<double>(limit.rlim_cur));
  }
  return families;
}

}  // namespace troupe

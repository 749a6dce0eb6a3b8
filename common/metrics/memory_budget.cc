#include "common/metrics/memory_budget.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace troupe {
namespace {

std::string Mebibytes(double bytes) { return absl::StrFormat("%.0f MiB", bytes / (1 << 20)); }

}  // namespace

double SumOf(const std::vector<MemoryTerm>& terms) {
  double sum = 0;
  for (const MemoryTerm& term : terms) sum += term.bytes;
  return sum;
}

absl::Status CheckMemory(const std::vector<MemoryTerm>& terms, const std::optional<MemoryUse>& use,
                         const std::string& advice) {
  const double needed = SumOf(terms);
  if (!use.has_value() || needed <= use->limit_bytes - use->used_bytes) return absl::OkStatus();
  std::string text = absl::StrCat("memory: ", Mebibytes(needed), " are needed besides the ", Mebibytes(use->used_bytes),
                                  " in use, and the limit is ", Mebibytes(use->limit_bytes), ":");
  for (const MemoryTerm& term : terms) absl::StrAppendFormat(&text, "\n  %12s  %s", Mebibytes(term.bytes), term.what);
  return absl::ResourceExhaustedError(absl::StrCat(text, "\n", advice));
}

}  // namespace troupe

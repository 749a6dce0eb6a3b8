#include "learner/networks/cpu_features.h"

#include <cstdlib>
#include <string_view>

namespace troupe {
namespace {

std::string_view Limit() {
  const char* limit = std::getenv("TROUPE_CPU");
  return limit == nullptr ? "" : limit;
}

}  // namespace

bool CpuMayUseOneDnn() { return Limit() != "none"; }

#if defined(__x86_64__)
bool CpuHasAvx512() {
  return Limit() != "avx2" && CpuMayUseOneDnn() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
bool CpuHasAvx512Bf16() { return CpuHasAvx512() && Limit() != "avx512" && __builtin_cpu_supports("avx512bf16"); }
#else
bool CpuHasAvx512() { return false; }
bool CpuHasAvx512Bf16() { return false; }
#endif

}  // namespace troupe

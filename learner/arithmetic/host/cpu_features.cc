#include "learner/arithmetic/host/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <cstdlib>
#include <string_view>

namespace troupe {
namespace {

std::string_view Limit() {
  const char* limit = std::getenv("TROUPE_CPU");
  return limit == nullptr ? "" : limit;
}

}  // namespace

#if defined(__x86_64__)
bool CpuHasAvx2() { return Limit() != "none" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

bool CpuHasAvx512() {
  return Limit() != "avx2" && CpuHasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
bool CpuHasAvx512Bf16() { return CpuHasAvx512() && Limit() != "avx512" && __builtin_cpu_supports("avx512bf16"); }

bool CpuHasAmxBf16() {
  static const bool supported = [] {
    constexpr unsigned kTiles = 1u << 24, kBf16 = 1u << 22;  // CPUID 7, EDX
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kTiles) == 0 || (d & kBf16) == 0) return false;
    constexpr int kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  }();
  return supported && CpuHasAvx512Bf16() && Limit() != "bf16";
}

bool CpuFavoursBf16() { return CpuHasAmxBf16() || (CpuHasAvx512Bf16() && __builtin_cpu_is("amd")); }
#else
bool CpuHasAvx2() { return false; }
bool CpuHasAvx512() { return false; }
bool CpuHasAvx512Bf16() { return false; }
bool CpuHasAmxBf16() { return false; }
bool CpuFavoursBf16() { return false; }
#endif

}  // namespace troupe

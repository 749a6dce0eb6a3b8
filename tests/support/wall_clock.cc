// Preloaded: the process's wall clock is off by the nanoseconds in the file $WALL_CLOCK_OFFSET, an int64, which may
// change at any time, and waits for a date with it, as the kernel's do when somebody sets the clock. The steady clock
// is untouched.
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

constexpr int64_t kSecond = 1000000000;
// Of a wait: how soon a changed offset is noticed.
constexpr int64_t kSlice = 20000000;

int64_t none = 0;
volatile int64_t* offset = &none;

__attribute__((constructor)) void Open() {
  const char* const path = std::getenv("WALL_CLOCK_OFFSET");
  const int file = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void* const map = mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  if (map != MAP_FAILED) offset = static_cast<int64_t*>(map);
  close(file);
}

// Past this file's own functions of the same names.
long Call(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

long Result(long result) {
  if (result >= 0 || result < -4095) return result;
  errno = static_cast<int>(-result);
  return -1;
}

int64_t Now() {
  timespec time;
  Call(SYS_clock_gettime, CLOCK_REALTIME, reinterpret_cast<long>(&time), 0, 0, 0, 0);
  return time.tv_sec * kSecond + time.tv_nsec + *offset;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
  if (!wall) return static_cast<int>(Result(Call(SYS_clock_gettime, clock, reinterpret_cast<long>(time), 0, 0, 0, 0)));
  const int64_t now = Now();
  *time = {now / kSecond, now % kSecond};
  return 0;
}

int gettimeofday(timeval* time, void*) noexcept {
  const int64_t now = Now();
  *time = {now / kSecond, now % kSecond / 1000};
  return 0;
}

time_t time(time_t* time) noexcept {
  const time_t now = Now() / kSecond;
  if (time != nullptr) *time = now;
  return now;
}

long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& one : a) one = va_arg(list, long);
  va_end(list);
  const bool until_date = number == SYS_futex && (a[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET &&
                          (a[1] & FUTEX_CLOCK_REALTIME) != 0 && a[3] != 0;
  if (!until_date) return Result(Call(number, a[0], a[1], a[2], a[3], a[4], a[5]));
  const timespec date = *reinterpret_cast<const timespec*>(a[3]);
  while (true) {
    const int64_t left = date.tv_sec * kSecond + date.tv_nsec - Now();
    if (left <= 0) return Result(-ETIMEDOUT);
    const int64_t slice = left < kSlice ? left : kSlice;
    const timespec timeout = {slice / kSecond, slice % kSecond};
    const long result =
        Call(SYS_futex, a[0], FUTEX_WAIT | (a[1] & FUTEX_PRIVATE_FLAG), a[2], reinterpret_cast<long>(&timeout), 0, 0);
    if (result != -ETIMEDOUT) return Result(result);
  }
}

}  // extern "C"

#include "tests/fuzz/support/allocation_meter.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace troupe::fuzz {
namespace {

std::atomic<size_t> allocated{0}, peak{0};

void* Count(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  const size_t bytes = malloc_usable_size(memory);
  const size_t now = allocated.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  size_t highest = peak.load(std::memory_order_relaxed);
  while (now > highest && !peak.compare_exchange_weak(highest, now, std::memory_order_relaxed)) {
  }
  return memory;
}

void Free(void* memory) {
  if (memory == nullptr) return;
  allocated.fetch_sub(malloc_usable_size(memory), std::memory_order_relaxed);
  std::free(memory);
}

}  // namespace

AllocationMeter::AllocationMeter() : before_(allocated.load(std::memory_order_relaxed)) {
  peak.store(before_, std::memory_order_relaxed);
}

size_t AllocationMeter::peak_bytes() const {
  const size_t highest = peak.load(std::memory_order_relaxed);
  return highest > before_ ? highest - before_ : 0;
}

}  // namespace troupe::fuzz

// The forms that say nothing of failure (nothrow) and of arrays call these.
void* operator new(size_t size) { return troupe::fuzz::Count(std::malloc(size == 0 ? 1 : size)); }
void* operator new(size_t size, std::align_val_t alignment) {
  const auto boundary = static_cast<size_t>(alignment);
  return troupe::fuzz::Count(std::aligned_alloc(boundary, (size + boundary - 1) / boundary * boundary));
}
void* operator new[](size_t size) { return operator new(size); }
void* operator new[](size_t size, std::align_val_t alignment) { return operator new(size, alignment); }
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](size_t size, const std::nothrow_t& nothrow) noexcept { return operator new(size, nothrow); }
void operator delete(void* memory) noexcept { troupe::fuzz::Free(memory); }
void operator delete[](void* memory) noexcept { troupe::fuzz::Free(memory); }
void operator delete(void* memory, size_t) noexcept { troupe::fuzz::Free(memory); }
void operator delete[](void* memory, size_t) noexcept { troupe::fuzz::Free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { troupe::fuzz::Free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { troupe::fuzz::Free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { troupe::fuzz::Free(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { troupe::fuzz::Free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { troupe::fuzz::Free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { troupe::fuzz::Free(memory); }

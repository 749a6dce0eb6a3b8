// How much memory is allocated by operator new, of all threads together: the program that links this has its own
// operator new and delete, which count.
#ifndef TROUPE_TESTS_FUZZ_SUPPORT_ALLOCATION_METER_H_
#define TROUPE_TESTS_FUZZ_SUPPORT_ALLOCATION_METER_H_

#include <cstddef>

namespace troupe::fuzz {

// One at a time.
class AllocationMeter {
 public:
  AllocationMeter();
  // The most there has been at once since the meter was made, beyond what there was then.
  size_t peak_bytes() const;

 private:
  const size_t before_;
};

}  // namespace troupe::fuzz

#endif  // TROUPE_TESTS_FUZZ_SUPPORT_ALLOCATION_METER_H_

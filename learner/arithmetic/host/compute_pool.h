// The learner's arithmetic threads on the CPU.
//
// Not OpenMP's: its threads spin at every barrier, and on a machine shared with workers a spinning thread keeps the one
// it waits for off the processor (an update went from 3 s to 38 s beside two compilers). These spin for some
// microseconds and then sleep. LibTorch's operators run on one thread, the caller's; what is
// worth sharing out is shared out here, in blocks.
#ifndef TROUPE_LEARNER_ARITHMETIC_HOST_COMPUTE_POOL_H_
#define TROUPE_LEARNER_ARITHMETIC_HOST_COMPUTE_POOL_H_

#include <cstdint>

#include "absl/functional/function_ref.h"

namespace troupe {

// The number of lanes work is dealt to, at least 1 (the default). Call while no ParallelFor runs. Part of what decides
// bits.
void SetComputeThreads(int threads);
int ComputeThreads();

// Calls body(lane, begin, end) for disjoint contiguous ranges that cover [0, tasks), at most one per lane, on the
// caller's and the pool's threads, and returns when all have returned. Which range a lane gets depends on tasks and
// ComputeThreads() alone. Bodies must not throw and must not call ParallelFor. Thread-safe: concurrent callers take
// turns.
void ParallelFor(int64_t tasks, absl::FunctionRef<void(int lane, int64_t begin, int64_t end)> body);

// Calls body(lane, task) for every task, each lane taking the next one when it is done with its last: for tasks of
// unlike size, and for lanes that others keep off their processors. Which lane gets a task depends on timing, so what a
// task computes must not depend on the lane. Otherwise like ParallelFor.
void ParallelTasks(int64_t tasks, absl::FunctionRef<void(int lane, int64_t task)> body);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_HOST_COMPUTE_POOL_H_

// The project's one way to wait for a condition or a time. Abseil's own (Mutex::AwaitWithTimeout,
// CondVar::WaitWithTimeout, Notification::WaitForNotificationWithTimeout, …) make a date of the timeout and have the
// kernel wait for that date: set the wall clock back an hour, and a wait of 200 ms lasts an hour.
#ifndef TROUPE_COMMON_THREADS_TIMED_WAIT_H_
#define TROUPE_COMMON_THREADS_TIMED_WAIT_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace troupe {

// As Mutex::Await: releases `mutex`, which the caller holds, until `condition` holds or `timeout` has passed by the
// steady clock (late by a millisecond or two), and has it again when it returns. True: the condition holds.
bool AwaitFor(absl::Mutex& mutex, const absl::Condition& condition, absl::Duration timeout)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

}  // namespace troupe

#endif  // TROUPE_COMMON_THREADS_TIMED_WAIT_H_

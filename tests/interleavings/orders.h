// Forces one order of two events on two threads. Both threads are held where their events would begin; then the first
// event happens; what follows it on its thread is held until the second has ended, so that nothing is left to chance:
//
//   one thread    ──────► held ·······► EVENT ► held ············► ─────► …
//   the other           ──────► held ················► EVENT ─────► …
#ifndef TROUPE_TESTS_INTERLEAVINGS_ORDERS_H_
#define TROUPE_TESTS_INTERLEAVINGS_ORDERS_H_

#include <functional>
#include <string>

#include "absl/time/time.h"

namespace troupe::testing {

// Something that a thread does, and the event (SyncPoint) within it that matters.
struct Act {
  std::string name;
  std::string event;
  std::function<void()> body;
  // The event happens on a thread of the code under test, which `body` makes do it.
  bool own_thread = false;
  // The event may end only after something that follows the other one on that one's thread.
  bool waits = false;
  int skipped = 0;  // so many times that it comes are not the one
};

enum class Came { kInOrder, kOneDidNot, kOtherDidNot };

// Runs both bodies to their ends, that of `one` as far as its event first, each on a thread of its own; `one_thread`:
// on one, and what happens on a thread of the code under test is begun first. Which event ends before the other begins:
// that of `one` if `one_first`. A body that ends without its event leaves the other alone. A deadlock ends the process
// after `patience` with status 1, having named the events and where every thread stands.
Came RunInOrder(const Act& one, const Act& other, bool one_first, bool one_thread = false,
                absl::Duration patience = absl::Seconds(60));

// For an order that must not be: `held`, an event on a thread of the code under test that its body makes happen, is
// held while `waiting`, on the thread of both bodies, goes through its event, which has to wait. Returns whether it did
// not: its event ended within a moment. Afterwards both are let go to their ends.
bool EndsWithout(const Act& waiting, const Act& held, absl::Duration patience = absl::Seconds(60));

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_INTERLEAVINGS_ORDERS_H_

// The largest reward there may be.
#ifndef TROUPE_COMMON_SPECS_REWARD_BOUND_H_
#define TROUPE_COMMON_SPECS_REWARD_BOUND_H_

namespace troupe {

// 2²⁴: beyond it a float32 no longer holds every whole number, so one such reward wipes out ordinary ones that are
// added to it in a return, and after their normalisation all other advantages of its batch are nothing. A glitch of a
// simulator; a task that means it divides its rewards.
inline constexpr float kLargestReward = 16777216.0f;

}  // namespace troupe

#endif  // TROUPE_COMMON_SPECS_REWARD_BOUND_H_

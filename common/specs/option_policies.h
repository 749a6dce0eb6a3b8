// Agents that follow options (Sutton, Precup, Singh, "Between MDPs and semi-MDPs", Artificial Intelligence 112, 1999,
// with a fixed duration): a manager chooses one of K for each agent, which its policy then acts by for k steps, or
// until the episode ends. Both are networks of the group, with the same agents, parameter sets, layers and switches.
//
// Of an agent, x [O] what it observes, z the option that it has followed for a steps (a = 0 where an episode begins):
//   choice   where a = 0 or a = k: z is drawn from the softmax of manager(held(z, a), x), all K allowed; a = 0
//   action   distribution of network(onehot(z), x); a = a + 1
// held(z, a) [K + 1]: the one-hot of z, then a / k; zeros where a = 0. One-hots of agents (agent_id_input) come last,
// as ever. z and a are all that an agent keeps between steps.
#ifndef TROUPE_COMMON_SPECS_OPTION_POLICIES_H_
#define TROUPE_COMMON_SPECS_OPTION_POLICIES_H_

#include "common/specs/policy_spec.h"

namespace troupe {

// Numbers that an agent keeps: z, a.
inline constexpr int kOptionStateSize = 2;

// The manager as a policy of its own, "GROUP/manager": it observes held(z, a) before x, and its actions are options.
// `spec` has options.
PolicySpec ManagerOf(const PolicySpec& spec);

// What acts under options as a policy of its own: it observes the option's one-hot before x. Without options `spec` as
// it is.
PolicySpec UnderOptions(const PolicySpec& spec);

// Whether an option is chosen where one has been followed for `age` steps.
inline bool IsChoice(const OptionSpec& options, int age) { return age == 0 || age >= options.steps; }

// Writes the one-hot of an option, [K].
void WriteOption(const OptionSpec& options, int option, float* to);

// Writes held(z, a), [K + 1].
void WriteHeldOption(const OptionSpec& options, int option, int age, float* to);

}  // namespace troupe

#endif  // TROUPE_COMMON_SPECS_OPTION_POLICIES_H_

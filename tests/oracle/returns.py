"""Advantages and value targets of one value stream, as sums over what follows, term by term as the papers write them.

A stream is what one agent (or a team) is paid and valued at T consecutive steps of one environment copy, several
episodes one after another. Arguments are arrays [T]:
  rewards, values   r_t and V(s_t)
  following         V of the state that followed step t: 0 after a termination, the final state's after a truncation
  ends              whether an episode ended with step t
  alive             [T + 1], whether the agent acts at step t
A stream whose dead steps have no value (dead_agents: ZERO) has V = 0 where it is dead, and a reward on the way to the
last living step is not diluted by λ: λ counts as 1 between a step and a dead one after it."""

import numpy as np


def temporal_differences(rewards, values, following, ends, alive, discount, zero_when_dead):
    """δ_t = r_t + γ V(s_{t+1}) − V(s_t)."""
    values, following = values.copy(), following.copy()
    if zero_when_dead:
        values[~alive[:-1]] = 0
        lives_on = np.where(ends, alive[:-1], alive[1:])  # after an end the next row is another episode's
        following[~lives_on] = 0
    return rewards + discount * following - values, values, following


def _weights(t, ends, alive, zero_when_dead, discount, decay, trace):
    """(step, weight) of δ_t, δ_{t+1}, … up to the episode's end; weights are products of γ λ c_i."""
    weight = 1.0
    for k in range(t, len(ends)):
        yield k, weight
        if ends[k]:
            return
        weight *= discount * (1.0 if zero_when_dead and not alive[k + 1] else decay) * trace[k]


def generalized_advantages(rewards, values, following, ends, alive, discount, decay, zero_when_dead=False):
    """Â_t = Σ_l (γλ)^l δ_{t+l} (arXiv:1506.02438, equation 16) and the targets Â_t + V(s_t)."""
    delta, values, _ = temporal_differences(rewards, values, following, ends, alive, discount, zero_when_dead)
    ones = np.ones(len(delta))
    advantages = np.array([
        sum(weight * delta[k] for k, weight in _weights(t, ends, alive, zero_when_dead, discount, decay, ones))
        for t in range(len(delta))
    ])
    return advantages, advantages + values


def v_trace(
    rewards, values, following, ends, alive, importance, discount, decay, rho_clip, c_clip, zero_when_dead=False
):
    """Targets v_s = V(s) + Σ_t γ^{t−s} (Π c_i) ρ_t δ_t (arXiv:1802.01561, equation 1; c_i = λ min(c̄, π/μ), remark 2),
    and advantages r_s + γ (λ v_{s+1} + (1 − λ) V(s_{s+1})) − V(s), whose factor ρ_s is left to PPO's own ratio: 4.2's
    r_s + γ v_{s+1} − V(s) for λ = 1, GAE's where π = μ."""
    delta, values, following = temporal_differences(rewards, values, following, ends, alive, discount, zero_when_dead)
    rho, c = np.minimum(rho_clip, importance), np.minimum(c_clip, importance)
    targets = values + np.array([
        sum(weight * rho[k] * delta[k] for k, weight in _weights(t, ends, alive, zero_when_dead, discount, decay, c))
        for t in range(len(delta))
    ])
    advantages = delta.copy()
    for t in range(len(delta) - 1):
        if not ends[t]:
            mixed = 1.0 if zero_when_dead and not alive[t + 1] else decay
            advantages[t] += discount * mixed * (targets[t + 1] - values[t + 1])
    return advantages, targets


def option_advantages(rewards, values, following, ends, choices, discount, decay):
    """Advantages of choices and targets of all steps of a semi-Markov decision process (Sutton, Precup and Singh 1999,
    section 3): V is looked at where an option is chosen alone. From step t on,
      R_t = r_t + γ r_{t+1} + … + γ^n V(s_{t+n}) up to the next choice or the episode's end, after n steps,
    a choice's difference is δ = R − V, its advantage δ + γ^n λ times that of the choice it leads to; a step's target is
    R_t + γ^n λ times the advantage of the choice that follows. Where the stream ends that is as if a choice followed.
    `choices` [T]."""
    steps = len(rewards)
    outcomes = np.zeros(steps)
    reached = np.full(steps, -1)
    spans = np.zeros(steps, int)
    for t in range(steps):
        k = t
        while k + 1 < steps and not ends[k] and not choices[k + 1]:
            k += 1
        spans[t] = k + 1 - t
        outcomes[t] = sum(discount ** (j - t) * rewards[j] for j in range(t, k + 1))
        outcomes[t] += discount ** spans[t] * following[k]
        if not ends[k] and k + 1 < steps:
            reached[t] = k + 1

    def advantage(t):
        """Of the choice at t, as a sum over the choices that follow."""
        total, weight = 0.0, 1.0
        while t >= 0:
            total += weight * (outcomes[t] - values[t])
            weight *= discount ** spans[t] * decay
            t = reached[t]
        return total

    advantages, targets = np.zeros(steps), np.zeros(steps)
    for t in range(steps):
        later = discount ** spans[t] * decay * advantage(reached[t]) if reached[t] >= 0 else 0.0
        targets[t] = outcomes[t] + later
        advantages[t] = targets[t] - (values[t] if choices[t] else 0)
    return advantages, targets

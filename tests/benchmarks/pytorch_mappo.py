#!/usr/bin/env python3
"""A single-process PyTorch MAPPO of the size of traffic_grid_reference.textproto, to be timed beside it.

Nine agents with a network each (17-128-64-4, one batched product for the team), one critic on the global state
(155-256-256-128-1, a value for the team), 64 copies, 225 steps per update, four epochs in minibatches of 2,048 joint
steps: clipped surrogate, clipped Huber value loss on normalised targets, entropy bonus, masked actions, both gradient
norms clipped, two fused Adams.

It has no simulator: observations, masks and rewards are looked up in tables drawn at the start. What is timed is
therefore faster than any training on a real environment in this form could be.

Prints one JSON object: env_steps_per_second over all updates but the first, the share of it that went into collecting,
and the seconds of an update.
"""

import argparse
import json
import time
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

AGENTS, OBSERVED, ACTIONS, EXTRAS = 9, 17, 4, 2
STATE = AGENTS * OBSERVED + EXTRAS


class TeamActor(nn.Module):
    """One network per agent; x is [agents, rows, inputs] throughout."""

    def __init__(self, sizes=(OBSERVED, 128, 64, ACTIONS)):
        super().__init__()
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for inputs, outputs in zip(sizes, sizes[1:]):
            gain = 2**0.5 if outputs != ACTIONS else 0.01
            per_agent = [nn.init.orthogonal_(torch.empty(inputs, outputs), gain) for _ in range(AGENTS)]
            self.weights.append(nn.Parameter(torch.stack(per_agent)))
            self.biases.append(nn.Parameter(torch.zeros(AGENTS, 1, outputs)))

    def log_probabilities(self, x, masks):
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            x = torch.baddbmm(bias, x, weight)
            if layer < last:
                x = x.relu_()
        return F.log_softmax(x.masked_fill(~masks, -1e10), dim=-1)


def team_critic():
    layers = []
    for inputs, outputs in ((STATE, 256), (256, 256), (256, 128)):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(128, 1), nn.Flatten(0))


class RunningScale:
    """Debiased exponential mean and deviation of the value targets."""

    def __init__(self, decay=0.99999):
        self.decay, self.weight = decay, 0.0
        self.mean, self.square = torch.zeros(()), torch.zeros(())

    def moments(self):
        weight = max(self.weight, 1e-5)
        mean = self.mean / weight
        return mean, (self.square / weight - mean**2).clamp_min(1e-2).sqrt()

    def observe(self, targets):
        keep = self.decay
        self.mean = keep * self.mean + (1 - keep) * targets.mean()
        self.square = keep * self.square + (1 - keep) * (targets**2).mean()
        self.weight = keep * self.weight + (1 - keep)


class TableEnvironment:
    """Looks everything up: rows of observations and masks in turn, the reward of each agent's action."""

    def __init__(self, copies, rows=512):
        self.observations = torch.randn(rows, AGENTS, copies, OBSERVED)
        self.extras = torch.rand(rows, copies, EXTRAS)
        self.masks = torch.rand(rows, AGENTS, copies, ACTIONS) < 0.8
        self.masks[..., 0] = True
        self.rewards = -torch.rand(rows, ACTIONS)
        self.row = 0

    def observe(self):
        return self.observations[self.row], self.masks[self.row], self.extras[self.row]

    def step(self, actions):
        rewards = self.rewards[self.row][actions].mean(0)
        self.row = (self.row + 1) % len(self.observations)
        return rewards


def global_state(observations, extras):
    """[agents, rows, observed] and [rows, extras] to [rows, STATE]."""
    return torch.cat([observations.transpose(0, 1).flatten(1), extras], dim=1)


@dataclass
class Rollout:
    observations: torch.Tensor  # [T, agents, copies, observed]
    masks: torch.Tensor  # [T, agents, copies, actions]
    states: torch.Tensor  # [T + 1, copies, STATE]
    actions: torch.Tensor  # [T, agents, copies]
    log_probabilities: torch.Tensor  # [T, agents, copies]
    rewards: torch.Tensor  # [T, copies]

    @staticmethod
    def empty(steps, copies):
        return Rollout(
            torch.empty(steps, AGENTS, copies, OBSERVED),
            torch.empty(steps, AGENTS, copies, ACTIONS, dtype=torch.bool),
            torch.empty(steps + 1, copies, STATE),
            torch.empty(steps, AGENTS, copies, dtype=torch.long),
            torch.empty(steps, AGENTS, copies),
            torch.empty(steps, copies),
        )


@torch.inference_mode()
def collect(rollout, environment, actor):
    for t in range(len(rollout.rewards)):
        observations, masks, extras = environment.observe()
        log_probabilities = actor.log_probabilities(observations, masks)
        noise = torch.empty_like(log_probabilities).exponential_().log_()
        actions = (log_probabilities - noise).argmax(-1)
        rollout.observations[t], rollout.masks[t] = observations, masks
        rollout.states[t] = global_state(observations, extras)
        rollout.actions[t] = actions
        rollout.log_probabilities[t] = log_probabilities.gather(-1, actions.unsqueeze(-1)).squeeze(-1)
        rollout.rewards[t] = environment.step(actions)
    observations, _, extras = environment.observe()
    rollout.states[-1] = global_state(observations, extras)


@torch.no_grad()
def estimate(rollout, critic, scale, discount=0.99, trace=0.95):
    """Advantages and value targets [T, copies], and the old values on the critic's own scale."""
    mean, deviation = scale.moments()
    old = critic(rollout.states.flatten(0, 1)).view(rollout.states.shape[:2])
    values = old * deviation + mean
    advantages, running = torch.empty_like(rollout.rewards), torch.zeros(rollout.rewards.shape[1])
    errors = rollout.rewards + discount * values[1:] - values[:-1]
    for t in range(len(errors) - 1, -1, -1):
        running = errors[t] + discount * trace * running
        advantages[t] = running
    return advantages, advantages + values[:-1], old[:-1]


class Learner:
    def __init__(self, actor, critic, epochs, minibatch, clip=0.2):
        self.actor, self.critic, self.scale = actor, critic, RunningScale()
        self.epochs, self.minibatch, self.clip = epochs, minibatch, clip
        settings = dict(lr=5e-4, eps=1e-5, fused=True)
        self.optimisers = [torch.optim.Adam(part.parameters(), **settings) for part in (actor, critic)]

    def update(self, rollout):
        advantages, targets, old_values = estimate(rollout, self.critic, self.scale)
        advantages = ((advantages - advantages.mean()) / (advantages.std() + 1e-5)).flatten()
        targets, old_values = targets.flatten(), old_values.flatten()
        by_step = [x.transpose(0, 1).flatten(1, 2) for x in
                   (rollout.observations, rollout.masks, rollout.actions, rollout.log_probabilities)]
        states = rollout.states[:-1].flatten(0, 1)
        for _ in range(self.epochs):
            for rows in torch.randperm(len(targets)).split(self.minibatch):
                observations, masks, actions, old = (x[:, rows] for x in by_step)
                policy_loss = self.policy_loss(observations, masks, actions, old, advantages[rows])
                value_loss = self.value_loss(states[rows], targets[rows], old_values[rows])
                for optimiser in self.optimisers:
                    optimiser.zero_grad(set_to_none=True)
                (policy_loss + 0.5 * value_loss).backward()
                for part in (self.actor, self.critic):
                    nn.utils.clip_grad_norm_(part.parameters(), 0.5)
                for optimiser in self.optimisers:
                    optimiser.step()

    def policy_loss(self, observations, masks, actions, old, advantages):
        all_actions = self.actor.log_probabilities(observations, masks)
        new = all_actions.gather(-1, actions.unsqueeze(-1)).squeeze(-1)
        ratio = (new - old).exp()
        surrogate = torch.minimum(ratio * advantages, ratio.clamp(1 - self.clip, 1 + self.clip) * advantages)
        entropy = -(all_actions.exp() * all_actions).sum(-1)
        return -(surrogate + 0.01 * entropy).mean()

    def value_loss(self, states, targets, old_values):
        self.scale.observe(targets)
        mean, deviation = self.scale.moments()
        targets = (targets - mean) / deviation
        values = self.critic(states)
        near = old_values + (values - old_values).clamp(-self.clip, self.clip)
        losses = [F.huber_loss(v, targets, reduction="none", delta=10.0) for v in (values, near)]
        return torch.maximum(*losses).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=20, help="training time after the first update")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--copies", type=int, default=64)
    parser.add_argument("--steps", type=int, default=225, help="of each copy per update")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--minibatch", type=int, default=2048, help="joint steps")
    parser.add_argument("--device", default="cpu", help="cpu or cuda; tables, rollout and networks all lie there")
    parser.add_argument("--tf32", action="store_true", help="cuda: products of float32 rounded to 11 significant bits")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_default_device(arguments.device)
    torch.backends.cuda.matmul.allow_tf32 = arguments.tf32
    torch.manual_seed(1)
    finish = torch.cuda.synchronize if arguments.device.startswith("cuda") else lambda: None
    actor, critic = TeamActor(), team_critic()
    learner = Learner(actor, critic, arguments.epochs, arguments.minibatch)
    environment = TableEnvironment(arguments.copies)
    rollout = Rollout.empty(arguments.steps, arguments.copies)
    collecting = updating = 0.0
    updates = -1  # the first warms up
    while updating + collecting < arguments.seconds or updates < 1:
        begin = time.perf_counter()
        collect(rollout, environment, actor)
        finish()
        middle = time.perf_counter()
        learner.update(rollout)
        finish()
        end = time.perf_counter()
        updates += 1
        if updates > 0:
            collecting += middle - begin
            updating += end - middle
    steps = updates * arguments.steps * arguments.copies
    print(json.dumps({"env_steps_per_second": steps / (collecting + updating), "env_steps": steps,
                      "collecting": collecting / (collecting + updating), "update_seconds": updating / updates}))


if __name__ == "__main__":
    main()

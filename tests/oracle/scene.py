"""An environment's shape, and random batches of it: episodes that terminate, are truncated or run on, agents that die,
come back and are paid while dead, forbidden actions, log-probabilities of a policy that is not the learner's, and
anything remembered where sequences begin."""

from dataclasses import dataclass

import numpy as np

from policies import LOG_STDS, by_index, deviations, inputs_of, log_densities, log_probabilities, taken
from sequences import Sequences


@dataclass(frozen=True)
class Group:
    name: str
    agents: int
    observation: int
    actions: int  # of several indices: choices of all together
    continuous: bool = False
    team: str = ""
    indices: tuple = ()  # of a multi-discrete action: choices of each

    @property
    def sizes(self):
        return self.indices or (self.actions,)

    @property
    def field(self):
        """What the batch calls its actions."""
        kind = "continuous" if self.continuous else "multi_discrete" if self.indices else "discrete"
        return f"{kind}_actions"

    def describe(self):
        words = [self.name, self.agents, self.observation, self.actions]
        words += ["continuous"] if self.continuous else []
        words += ["indices", len(self.indices), *self.indices] if self.indices else []
        words += ["team", self.team] if self.team else []
        return " ".join(str(word) for word in words)


@dataclass(frozen=True)
class Scene:
    groups: tuple
    extras: int
    steps: int
    columns: int
    death: float = 0.12  # chance of a living agent to be dead at the next step
    observations_in_state: bool = True

    def state_size(self):
        seen = sum(g.agents * g.observation for g in self.groups) if self.observations_in_state else 0
        return seen + self.extras

    def describe(self):
        return {
            "groups": ";".join(g.describe() for g in self.groups),
            "state_extras_size": str(self.extras),
            "state_includes_observations": str(int(self.observations_in_state)),
            "rollout_length": str(self.steps),
            "columns": str(self.columns),
        }


def random_batch(scene, learner, staleness, random, previous):
    """Fields as in learner/batch/training_batch.h; most columns go on where those of the `previous` batch left off, if
    there is one. The behaviour policy is the learner's with every parameter moved by Gaussian noise of deviation
    `staleness`, and Gaussians' deviations times the noise scale."""
    steps, columns = scene.steps, scene.columns
    ends = random.random_sample((steps, columns))
    terminated, truncated = ends < 0.1, (ends > 0.07) & (ends < 0.2)  # a few are both: terminated counts
    batch = {
        "state_extras": _floats(random, steps + 1, columns, scene.extras),
        "terminated": terminated.astype(np.uint8),
        "truncated": truncated.astype(np.uint8),
        "truncated_at": np.argwhere(truncated).astype(np.int32),
        "final_state_extras": _floats(random, int(truncated.sum()), scene.extras),
    }
    sequences = Sequences(batch, learner.sequence_length)
    streams = learner.recurrent or learner.values_actions
    batch["streams"] = _streams(scene, random, previous) if streams else np.zeros((columns, 4), np.int64)
    begins = _first_rows_begin(batch["streams"], previous)
    for g, (group, (policy, parameters)) in enumerate(zip(scene.groups, learner.acting())):
        fields = _group_batch(scene, group, terminated | truncated, int(truncated.sum()), random)
        if learner.asks_who_lives:
            finals = random.random_sample((int(truncated.sum()), group.agents))
            fields["final_alive"] = (finals > scene.death).astype(np.uint8)
            if learner.values_actions and not group.continuous:
                fields["final_action_masks"] = _masks(random, group, int(truncated.sum()), group.agents)
        stale = {name: p + staleness * random.standard_normal(p.shape) for name, p in parameters.items()}
        seen = learner.follow(g, fields, terminated | truncated, staleness, random)
        x, sets = inputs_of(policy, seen, fields["alive"][:-1])
        states = _floats(random, sequences.count(), columns, group.agents, policy.network.state_size)
        states *= ~sequences.begins[: steps : sequences.length, :, None, None]
        states[0, begins] = 0
        fields["network_states"] = states
        memory = sequences.memory(range(steps * columns), sequences.given(states))
        logits, _ = policy.network.forward(stale, x, sets, memory)
        if group.continuous:
            fields.update(_continuous_actions(scene, group, policy, stale, logits, sets, fields["alive"], random,
                                              learner.ppo["noise_scale"]))
            for name, values in fields.items():
                batch[f"{group.name}/{name}"] = values
            continue
        masks = fields["action_masks"][:-1].reshape(-1, group.actions)
        log_pi = log_probabilities(logits, masks, group.sizes)
        parts = zip(by_index(log_pi, group.sizes), by_index(masks, group.sizes))
        actions = np.stack([_drawn(part, mask, random) for part, mask in parts], -1)
        chosen = np.where(taken(actions, group.sizes), log_pi, 0).sum(-1)
        shape = (steps, columns, group.agents)
        # What the dead are said to have done is of no account.
        alive = fields["alive"][:-1].reshape(-1) > 0
        actions, chosen = np.where(alive[:, None], actions, 0), np.where(alive, chosen, -3.0)
        fields[group.field] = actions.reshape(*shape, *([-1] if group.indices else [])).astype(np.int32)
        fields["log_probabilities"] = chosen.reshape(shape).astype(np.float32)
        for name, values in fields.items():
            batch[f"{group.name}/{name}"] = values
    return batch


def _drawn(log_pi, masks, random):
    """A choice of each row, drawn."""
    rows = np.arange(len(log_pi))
    drawn = (np.exp(log_pi).cumsum(-1) < random.random_sample((len(rows), 1))).sum(-1)
    choices = np.minimum(drawn, log_pi.shape[-1] - 1)
    return np.where(masks[rows, choices] > 0, choices, masks.argmax(-1))


def _continuous_actions(scene, group, policy, stale, outputs, sets, alive, random, noise_scale):
    """The samples u, and their log-probabilities as a worker records them."""
    shape = (scene.steps, scene.columns, group.agents)
    if policy.distribution == "DETERMINISTIC":
        mean, log_std = np.tanh(outputs), np.full_like(outputs, -1.0)
    else:
        mean, log_std = deviations(policy, stale, outputs, sets)
    spread = noise_scale * np.exp(np.clip(log_std, *LOG_STDS))
    u = (mean + spread * random.standard_normal(mean.shape)).astype(np.float32)
    chosen = log_densities(policy, u.astype(np.float64), mean, log_std, noise_scale)
    living = alive[:-1].reshape(-1) > 0
    return {
        "continuous_actions": np.where(living[:, None], u, 0).reshape(*shape, group.actions).astype(np.float32),
        "log_probabilities": np.where(living, chosen, -3.0).reshape(shape).astype(np.float32),
    }


def _streams(scene, random, previous):
    """[columns, 4]: shard, copy, lease, piece. One column does not go on: a piece was lost, or it is leased anew."""
    if previous is None:
        places = [(b // 2, b % 2, *random.randint(1, 5, size=2)) for b in range(scene.columns)]
        return np.array(places, np.int64)
    streams = previous["streams"] + [0, 0, 0, 1]
    other = random.randint(scene.columns)
    streams[other] += [0, 0, 0, 1] if random.randint(2) else [0, 0, 1, -streams[other, 3]]
    return streams


def _first_rows_begin(streams, previous):
    """Whether an episode begins with a column's first row, as far as that can be told."""
    begins = streams[:, 3] == 0
    if previous is None:
        return begins
    goes_on = (streams == previous["streams"] + [0, 0, 0, 1]).all(-1)
    return begins | (goes_on & ((previous["terminated"] | previous["truncated"])[-1] > 0))


def _group_batch(scene, group, ends, finals, random):
    steps, columns, agents = scene.steps, scene.columns, group.agents
    alive = (random.random_sample((steps + 1, columns, agents)) > scene.death).astype(np.uint8)
    for t in range(steps):
        stays_dead = (alive[t] == 0) & (random.random_sample((columns, agents)) < 0.6)
        alive[t + 1] = np.where(ends[t][:, None], 1, alive[t + 1] * ~stays_dead)
    masks = np.zeros(0, np.uint8)
    if not group.continuous:
        masks = _masks(random, group, steps + 1, columns, agents)
    return {
        "observations": _floats(random, steps + 1, columns, agents, group.observation),
        "rewards": _floats(random, steps, columns, agents) + np.float32(0.3),
        "action_masks": masks,
        "alive": alive,
        "final_observations": _floats(random, finals, agents, group.observation),
    }


def _masks(random, group, *shape):
    masks = (random.random_sample((*shape, group.actions)) < 0.8).astype(np.uint8)
    for mask in by_index(masks, group.sizes):  # views: at least one choice of each index
        np.put_along_axis(mask, random.randint(mask.shape[-1], size=(*mask.shape[:-1], 1)), 1, -1)
    return masks


def _floats(random, *shape):
    return random.standard_normal(shape).astype(np.float32)

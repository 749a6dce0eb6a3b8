"""A MADDPG / MATD3 learner in float64 (arXiv:1706.02275, arXiv:1802.09477): what two updates of
learner/algorithms/maddpg.h must end at.

Batches are kept; every gradient step draws joint steps of them, and moves critics of the global state and all agents'
actions towards R + γ^k Q'(s', a'), then the actors up Q, then the targets. Actions are numbers in [-1, 1], tanh of the
outputs, or one-hot: a sample by Gumbel's numbers, differentiated as the softmax that they make (arXiv:1611.01144)."""

import numpy as np

from acting import Acting
from adam import Adam
from network import Network
from philox import doubles, mix_key, normals
from policies import by_index, inputs_of, make_policy
from replay import Replay

DRAW, ACTOR_NOISE, TARGET_NOISE = 0x64, 0x6E, 0x74


class JointLearner(Acting):
    # What scenes ask of a learner.
    recurrent = asks_who_lives = values_actions = True  # streams, and who may do what in last states
    sequence_length = 1

    def __init__(self, scene, settings, random):
        self.scene, self.settings, self.own = scene, settings, settings["maddpg"]
        self.twins = settings["algorithm"]["name"] == '"matd3"'
        self.each = settings["critic"]["heads"] == "EACH_AGENT"
        self.policies = [make_policy(group, settings) for group in scene.groups]
        self.agents = [(g, a) for g, group in enumerate(scene.groups) for a in range(group.agents)]
        widths = [scene.groups[g].actions for g, _ in self.agents]
        self.places = [slice(end - width, end) for width, end in zip(widths, np.cumsum(widths))]
        critic = settings["critic"]
        self.critic = Network(scene.state_size() + sum(widths), critic["hidden_sizes"], 1, critic["activation"],
                              critic["input_layer_norm"], critic["hidden_layer_norm"],
                              sets=len(self.agents) if self.each else 1)
        names = ["first", "second"][: 2 if self.twins else 1]
        self.actor_parameters = [p.random_parameters(random) for p in self.policies]
        self.target_actors = [p.random_parameters(random) for p in self.policies]
        self.critics = {name: self.critic.random_parameters(random) for name in names}
        self.target_critics = {name: self.critic.random_parameters(random) for name in names}
        self.actor_adams = [self._adam(p) for p in self.actor_parameters]
        self.critic_adams = {name: self._adam(p) for name, p in self.critics.items()}
        self.replay, self.taken, self.closest_margin = Replay(scene), 0, np.inf

    @property
    def ppo(self):
        return {"noise_scale": 1.0}

    @property
    def closest_kink(self):
        return min(self.closest_margin, *(n.closest_kink for n in [self.critic] + [p.network for p in self.policies]))

    def _adam(self, parameters):
        return Adam(parameters, self.own["adam_epsilon"], 0.0, self.own["max_gradient_norm"])

    def parameters(self):
        """Name → parameter, named as in saved states."""
        names = [group.name for group in self.scene.groups]
        named = [(f"actor/{n}", p) for n, p in zip(names, self.actor_parameters)]
        named += [(f"target_actor/{n}", p) for n, p in zip(names, self.target_actors)]
        named += [(f"critic/{n}", p) for n, p in self.critics.items()]
        named += [(f"target_critic/{n}", p) for n, p in self.target_critics.items()]
        return {f"{prefix}/{name}": value for prefix, p in named for name, value in p.items()}

    def optimiser_state(self):
        named = [(f"actor/{g.name}", a) for g, a in zip(self.scene.groups, self.actor_adams)]
        named += [(f"critic/{name}", a) for name, a in self.critic_adams.items()]
        state = {"maddpg/gradient_steps": np.array([self.taken], np.float64)}
        for prefix, adam in named:
            state[f"{prefix}/adam.first_moment"] = np.concatenate([m.ravel() for m in adam.first.values()])
            state[f"{prefix}/adam.second_moment"] = np.concatenate([m.ravel() for m in adam.second.values()])
            state[f"{prefix}/adam.steps"] = adam.steps
        return state

    def update(self, batch, number, env_steps, total_env_steps):
        """One update; returns the figures it reports, by name."""
        own = self.own
        self.decay = 1 - min(1.0, env_steps / total_env_steps) if own["anneal_learning_rate"] else 1.0
        self.replay.add(batch)
        values = {name: [] for name in ("errors", "chosen", "targets", "policy", "actor_norms", "critic_norms")}
        for i in range(own["gradient_steps"]):
            self._step(mix_key(self.settings["seed"], DRAW, number, i), values)
        mean = {name: np.mean(np.concatenate(v)) if v else 0.0 for name, v in values.items()}
        figures = {"value_loss": mean["errors"], "chosen_value": mean["chosen"], "target_value": mean["targets"],
                   "policy_value": mean["policy"], "actor_gradient_norm": mean["actor_norms"],
                   "critic_gradient_norm": mean["critic_norms"]}
        done = min(1.0, env_steps / own["exploration_env_steps"])
        for name, kind in (("epsilon", "EPSILON_GREEDY"), ("action_noise", "DETERMINISTIC")):
            if any(p.distribution == kind for p in self.policies):
                figures[name] = own[name] + done * (own[f"final_{name}"] - own[name])
        return figures | {"learning_rate": self.decay * own["actor_learning_rate"],
                          "replay_env_steps": self.replay.env_steps(),
                          "gradient_steps": self.taken, "skipped_minibatches": 0}

    def _step(self, key, values):
        drawn = self.replay.draw(key, self.own, self.settings["critic"]["team_reward"])
        keys = [mix_key(key, *place) for place in drawn.places]
        self._step_critics(drawn, keys, values)
        self.taken += 1
        if self.taken % (self.own["policy_delay"] if self.twins else 1):
            return
        self._step_actors(drawn, keys, values)
        rate = self.own["target_rate"]
        pairs = list(zip(self.actor_parameters, self.target_actors))
        pairs += list(zip(self.critics.values(), self.target_critics.values()))
        for trained, target in pairs:
            for name, p in target.items():
                p += rate * (trained[name] - p)

    def _act(self, parameters, state, keys, use, smooths):
        """What actors do [steps, all actions], and of every group what it passed through."""
        acted, passed = [], []
        for g, (group, policy) in enumerate(zip(self.scene.groups, self.policies)):
            x, sets = inputs_of(policy, state.observations[g])
            outputs, tapes = policy.network.forward(parameters[g], x, sets)
            first = self.agents.index((g, 0))
            noise = [(mix_key(k, use), first + a) for k in keys for a in range(group.agents)]
            if group.continuous:
                relaxed = np.tanh(outputs)
                action = relaxed
                if smooths:
                    spread, clip = self.own["target_noise"], self.own["target_noise_clip"]
                    drawn = np.array([normals(*n, group.actions) for n in noise])
                    action = np.clip(relaxed + np.clip(spread * drawn, -clip, clip), -1, 1)
            else:
                drawn = np.zeros_like(outputs)
                if policy.distribution != "EPSILON_GREEDY":
                    drawn = -np.log(-np.log([doubles(*n, group.actions) for n in noise]))
                action, relaxed = self._choose((outputs + drawn) / self.own["temperature"], state.masks(g), group)
                if self._expects(g):
                    relaxed = self._choose(outputs / self.own["temperature"], state.masks(g), group)[1]
            alive = state.alive[g].reshape(-1, 1)
            acted.append((action * alive).reshape(len(keys), -1))
            passed.append((outputs, tapes, relaxed))
        return np.concatenate(acted, -1), passed

    def _choose(self, z, masks, group):
        """One-hot choices and the softmax, of each index among what is allowed."""
        hot, soft = [], []
        for part, mask in zip(by_index(z, group.sizes), by_index(masks, group.sizes)):
            part = np.where(mask > 0, part, -np.inf)
            if part.shape[-1] > 1:
                best = np.sort(part, -1)
                self.closest_margin = min(self.closest_margin, np.min(best[:, -1] - best[:, -2]))
            hot.append(np.eye(part.shape[-1])[part.argmax(-1)])
            likely = np.exp(part - part.max(-1, keepdims=True))
            soft.append(likely / likely.sum(-1, keepdims=True))
        return np.concatenate(hot, -1), np.concatenate(soft, -1)

    def _values(self, parameters, inputs):
        """[sets, steps] of inputs [sets, steps, numbers], and what backward needs."""
        sets, steps, _ = inputs.shape
        y, tapes = self.critic.forward(parameters, inputs.reshape(sets * steps, -1), np.repeat(np.arange(sets), steps))
        return y.reshape(sets, steps), tapes

    def _step_critics(self, drawn, keys, values):
        sets, steps = self.critic.sets, len(keys)
        rows = np.concatenate([drawn.now.joint(self.scene), drawn.actions(self.scene)], -1)
        acted, _ = self._act(self.target_actors, drawn.after, keys, TARGET_NOISE, self.twins)
        after = np.concatenate([drawn.after.joint(self.scene), acted], -1)
        every = [self._values(p, np.broadcast_to(after, (sets, *after.shape)))[0] for p in self.target_critics.values()]
        if self.twins:
            self.closest_margin = min(self.closest_margin, np.abs(every[0] - every[1]).min())
        follows = np.min(every, 0)
        counts, rewards = np.ones((1, steps), bool), drawn.team_rewards[None]
        if self.each:
            counts = np.array([drawn.now.alive[g][:, a] > 0 for g, a in self.agents])
            lives = np.array([drawn.after.alive[g][:, a] > 0 for g, a in self.agents])
            follows = follows * lives
            rewards = np.array([drawn.rewards[g][:, a] for g, a in self.agents])
        targets = self.own["reward_scale"] * rewards + drawn.discounts * follows
        for name, parameters in self.critics.items():
            q, tapes = self._values(parameters, np.broadcast_to(rows, (sets, *rows.shape)))
            errors = np.where(counts, q - targets, 0)
            values["errors"].append(errors[counts] ** 2)
            values["chosen"].append(q[counts])
            values["targets"].append(targets[counts])
            gradients = self.critic.backward(parameters, tapes, errors.reshape(-1, 1) / steps)
            rate = self.decay * self.own["critic_learning_rate"]
            norms = [self.critic_adams[name].step(parameters, gradients, rate, s) for s in range(sets)]
            values["critic_norms"].append(norms)

    def _expects(self, g):
        return self.own["discrete_gradient"] == "EXPECTED" and not self.scene.groups[g].continuous

    def _slopes(self, drawn, acted, values):
        """∂Q/∂a of each agent's critic by its own action, or Q of each of its choices, [steps, all actions]."""
        state, recorded = drawn.now.joint(self.scene), drawn.actions(self.scene)
        parameters, slopes = self.critics["first"], np.zeros_like(acted)
        for i, ((g, a), place) in enumerate(zip(self.agents, self.places)):
            actions = acted if self.own["joint_actions_of_actors"] else recorded.copy()
            if actions is not acted:
                actions[:, place] = acted[:, place]
            s = i if self.each else 0
            rows, sets = np.concatenate([state, actions], -1), np.full(len(acted), s)
            q, tapes = self.critic.forward(parameters, rows, sets)
            alive = drawn.now.alive[g][:, a] > 0
            values["policy"].append(q[alive, 0])
            if self._expects(g):
                slopes[:, place] = alive[:, None] * self._choices(parameters, rows, sets, g, place)
                continue
            by_input = self.critic.input_gradient(parameters, tapes, np.ones_like(q))
            slopes[:, place] = by_input[:, state.shape[-1] :][:, place] * alive[:, None]
        return slopes

    def _choices(self, parameters, rows, sets, g, place):
        """Q of each choice of the agent whose action stands at `place`, its other indices as in `rows`."""
        found, first = [], rows.shape[-1] - self.places[-1].stop + place.start
        for size in self.scene.groups[g].sizes:
            for choice in range(size):
                other = rows.copy()
                other[:, first : first + size] = np.eye(size)[choice]
                found.append(self.critic.forward(parameters, other, sets)[0][:, 0])
            first += size
        return np.stack(found, -1)

    def _step_actors(self, drawn, keys, values):
        steps = len(keys)
        acted, passed = self._act(self.actor_parameters, drawn.now, keys, ACTOR_NOISE, False)
        slopes, first = self._slopes(drawn, acted, values), 0
        for g, (group, policy) in enumerate(zip(self.scene.groups, self.policies)):
            outputs, tapes, relaxed = passed[g]
            size = group.agents * group.actions
            down = -slopes[:, first : first + size].reshape(-1, group.actions)
            first += size
            if group.continuous:
                dy = down * (1 - relaxed**2)
            else:
                parts = zip(by_index(relaxed, group.sizes), by_index(down, group.sizes))
                dy = np.concatenate([p * (d - (p * d).sum(-1, keepdims=True)) for p, d in parts], -1)
                dy /= self.own["temperature"]
            dy += 2 * self.own["output_penalty"] * outputs / group.actions
            dy *= drawn.now.alive[g].reshape(-1, 1)
            members = np.bincount(policy.sets, minlength=policy.network.sets)[np.tile(policy.sets, steps)]
            gradients = policy.network.backward(self.actor_parameters[g], tapes, dy / (steps * members[:, None]))
            rate = self.decay * self.own["actor_learning_rate"]
            norms = [self.actor_adams[g].step(self.actor_parameters[g], gradients, rate, s)
                     for s in range(policy.network.sets)]
            values["actor_norms"].append(norms)

"""IQL, VDN and QMIX from a replay in float64: what two updates of learner/algorithms/q_learning must end at.

Every update's batch is kept; gradient steps are taken on what is drawn from all of them: single joint steps, or with
recurrent agents sequences along which trained and target networks both go from what agents remembered when they acted
(stored state and burn-in: R2D2, ICLR 2019). y = Σ_{i<k} γ^i r_{t+i} + γ^k · the target networks' values of the actions
that the trained ones like best (arXiv:1509.06461), summed (arXiv:1706.05296), mixed (arXiv:1803.11485) or each agent's
own; the loss is the mean of ½ w (total − y)². Prioritised draws and w: arXiv:1511.05952, proportional variant."""

from types import SimpleNamespace

import numpy as np

from acting import Acting
from adam import Adam
from cells import Memory
from mixer import Mixer
from philox import mix_key, words
from policies import inputs_of, make_policy

NETWORK_INIT, DRAW = 0x71, 0x64


class QLearner(Acting):
    values_actions = True
    asks_who_lives = True
    ppo = {"noise_scale": 1.0}

    def __init__(self, scene, settings, random):
        self.scene, self.settings, self.own = scene, settings, settings["q_learning"]
        self.name = settings["algorithm"]["name"].strip('"')
        self.policies = [make_policy(group, settings) for group in scene.groups]
        self.actor_parameters = [p.random_parameters(random) for p in self.policies]
        self.targets = [p.random_parameters(random) for p in self.policies]
        self.adams = [self._adam(p) for p in self.actor_parameters]
        self.recurrent = any(p.network.cell for p in self.policies)
        self.sequence_length = settings["collection"]["sequence_length"] if self.recurrent else 1
        self.mixer = None
        if self.name == "qmix":
            agents = sum(g.agents for g in scene.groups)
            self.mixer = Mixer(agents, scene.state_size(), self.own["mixer_embedding"], self.own["hypernetwork_size"],
                               self.own["mixer_state_layer_norm"])
            self.mixing = self.mixer.random_parameters(random)
            self.target_mixing = self.mixer.random_parameters(random)
            self.mixer_adam = self._adam(self.mixing)
        self.kept, self.steps_taken, self.closest_kink = [], 0, np.inf
        self.priorities, self.largest = {}, 1.0  # (batch, step, column) → p^α

    def _adam(self, parameters):
        return Adam(parameters, self.own["adam_epsilon"], 0.0, self.own["max_gradient_norm"])

    def parameters(self):
        """Name → parameter, named as in saved states."""
        named = [(f"values/{g.name}", p) for g, p in zip(self.scene.groups, self.actor_parameters)]
        named += [(f"target/{g.name}", p) for g, p in zip(self.scene.groups, self.targets)]
        if self.mixer:
            named += [("mixer", self.mixing), ("target_mixer", self.target_mixing)]
        return {f"{prefix}/{name}": value for prefix, p in named for name, value in p.items()}

    def optimiser_state(self):
        named = [(f"values/{g.name}", a) for g, a in zip(self.scene.groups, self.adams)]
        named += [("mixer", self.mixer_adam)] if self.mixer else []
        state = {}
        for prefix, adam in named:
            state[f"{prefix}/adam.first_moment"] = np.concatenate([m.ravel() for m in adam.first.values()])
            state[f"{prefix}/adam.second_moment"] = np.concatenate([m.ravel() for m in adam.second.values()])
            state[f"{prefix}/adam.steps"] = adam.steps
        state["q_learning/gradient_steps"] = np.array([self.steps_taken], np.float64)
        return state

    def update(self, batch, number, env_steps, total_env_steps):
        own, done = self.own, min(1.0, env_steps / total_env_steps)
        self._keep(batch)
        rate = own["learning_rate"] * (1 - done if own["anneal_learning_rate"] else 1.0)
        beta = own["importance_exponent"] + done * (own["final_importance_exponent"] - own["importance_exponent"])
        steps = [self._step(mix_key(self.settings["seed"], DRAW, number, i), rate, beta)
                 for i in range(own["gradient_steps"])]
        notes = np.concatenate([step.notes for step in steps])  # [errors, (value, target)]
        figures = {
            "value_loss": ((notes[:, 0] - notes[:, 1]) ** 2).mean(),
            "chosen_value": notes[:, 0].mean(),
            "target_value": notes[:, 1].mean(),
            "actor_gradient_norm": np.mean([norm for step in steps for norm in step.norms]),
            "epsilon": own["epsilon"] + min(1.0, env_steps / own["epsilon_env_steps"])
            * (own["final_epsilon"] - own["epsilon"]),
            "learning_rate": rate,
            "replay_env_steps": len(self.kept) * batch["terminated"].size,
            "gradient_steps": self.steps_taken,
            "skipped_minibatches": 0.0,
        }
        if self.mixer:
            figures["mixer_gradient_norm"] = np.mean([step.mixer_norm for step in steps])
        self.closest_kink = min(self.closest_kink, *(p.network.closest_kink for p in self.policies))
        return {name: float(figures[name]) for name in sorted(figures)}

    def _keep(self, batch):
        self.kept.append(batch)
        steps, columns = batch["terminated"].shape
        new = np.float32(self.largest ** self.own["priority_exponent"])
        for step in range(0, steps, self.sequence_length):
            for column in range(columns):
                self.priorities[len(self.kept) - 1, step, column] = float(new)

    def _next(self, batch, step, column):
        """The joint step that comes after in the same stream, or None."""
        if step + 1 < len(self.kept[batch]["terminated"]):
            return batch, step + 1, column
        wanted = self.kept[batch]["streams"][column] + [0, 0, 0, 1]
        for later in range(batch + 1, len(self.kept)):
            for other, stream in enumerate(self.kept[later]["streams"]):
                if (stream == wanted).all():
                    return later, 0, other
        return None

    def _draw(self, key, count, beta):
        """(places, weights)."""
        stream = words(key)
        steps, columns = self.kept[0]["terminated"].shape
        below = lambda bound: (next(stream) * bound) >> 32
        if self.own["priority_exponent"] == 0:
            starts, every = -(-steps // self.sequence_length), self.sequence_length
            places = [(below(len(self.kept)), below(starts) * every, below(columns)) for _ in range(count)]
            return places, np.ones(count)
        uniform = lambda: (((next(stream) << 32) | next(stream)) >> 11) * 2.0**-53
        # Columns one after another, of each its batches in order.
        places = sorted(self.priorities, key=lambda place: (place[2], place[0], place[1]))
        sums = np.cumsum([self.priorities[place] for place in places])
        drawn = []
        for i in range(count):
            at = (i + uniform()) / count * sums[-1]
            drawn.append(places[int(np.searchsorted(sums, at, side="right"))])
            self.closest_kink = min(self.closest_kink, np.abs(sums - at).min())
        chances = np.array([self.priorities[place] for place in drawn])
        return drawn, (chances / chances.min()) ** -beta

    def _sequences(self, places, weights):
        """What is drawn, laid out as states of all sequences, and the joint steps that are trained on. A joint step
        drawn by itself is a sequence of as many steps as its return has, of which the first is trained on."""
        own, n = self.own, self.own["n_step"]
        length = (own["replay_sequence_length"] or self.sequence_length) if self.recurrent else n
        states = SimpleNamespace(source=[], before=[], given=[])  # source: (batch, row or final, column)
        trained = []

        def add(source, before, given=None):
            states.source.append(source), states.before.append(before), states.given.append(given)
            return len(states.source) - 1

        for draw, (place, weight) in enumerate(zip(places, weights)):
            steps, at = [], place
            while at is not None and len(steps) < length:
                steps.append(at)
                b, t, c = at
                if not self.recurrent and (self.kept[b]["terminated"][t, c] or self.kept[b]["truncated"][t, c]):
                    break
                at = self._next(*at)
            rows, finals = [], {}
            for i, (b, t, c) in enumerate(steps):
                ended = i > 0 and self._ends(*steps[i - 1])
                given = None if i > 0 else (b, t // self.sequence_length, c)
                rows.append(add(("row", b, t, c), -1 if i == 0 or ended else rows[-1], given))
            b, t, c = steps[-1]
            rows.append(add(("row", b, t + 1, c), -1 if self._ends(b, t, c) else rows[-1]))
            for i, (b, t, c) in enumerate(steps):
                if self.kept[b]["truncated"][t, c]:
                    number = int(np.flatnonzero((self.kept[b]["truncated_at"] == [t, c]).all(-1))[0])
                    finals[i] = add(("final", b, number, c), rows[i])
            for i in range(len(steps)) if self.recurrent else range(1):
                if i < own["burn_in"] and self.recurrent:
                    continue
                k = i
                while k + 1 < min(i + n, len(steps)) and not self._ends(*steps[k]):
                    k += 1
                b, t, c = steps[k]
                over = self.kept[b]["terminated"][t, c] > 0
                follows = finals[k] if k in finals and not over else rows[k + 1]
                discounts = own["discount"] ** np.arange(k - i + 1)
                paid = [sum(d * self.kept[b][f"{g.name}/rewards"][t, c].astype(np.float64)
                            for d, (b, t, c) in zip(discounts, steps[i : k + 1])) for g in self.scene.groups]
                team = sum(d * self._team_reward(*step) for d, step in zip(discounts, steps[i : k + 1]))
                trained.append(SimpleNamespace(state=rows[i], step=steps[i], follows=follows, rewards=paid, team=team,
                                               discount=0.0 if over else own["discount"] ** (k - i + 1), weight=weight,
                                               draw=draw, place=place))
        return states, trained

    def _ends(self, b, t, c):
        return bool(self.kept[b]["terminated"][t, c] or self.kept[b]["truncated"][t, c])

    def _team_reward(self, b, t, c):
        kind = self.settings["critic"]["team_reward"]
        rewards = np.concatenate([self.kept[b][f"{g.name}/rewards"][t, c] for g in self.scene.groups])
        rewards = rewards.astype(np.float64)
        alive = np.concatenate([self.kept[b][f"{g.name}/alive"][t, c] > 0 for g in self.scene.groups])
        if kind == "SUM":
            return rewards.sum()
        if kind == "MEAN_LIVING":
            return rewards[alive].sum() / max(1, alive.sum())
        return rewards.mean()

    def _of(self, group, field, source):
        """A field of observed rows at a state; final states have it as final_…"""
        kind, b, number, c = source
        if kind == "row":
            return self.kept[b][f"{group.name}/{field}"][number, c]
        return self.kept[b][f"{group.name}/final_{field}"][number]

    def _global(self, source):
        kind, b, number, c = source
        batch = self.kept[b]
        extras = batch["state_extras"][number, c] if kind == "row" else batch["final_state_extras"][number]
        seen = [self._of(g, "observations", source).ravel() for g in self.scene.groups]
        return np.concatenate([*(seen if self.scene.observations_in_state else []), extras]).astype(np.float64)

    def _infer(self, g, parameters, states):
        """Values [states, agents, actions] of a group, and what backward needs."""
        group, policy = self.scene.groups[g], self.policies[g]
        observations = np.stack([self._of(group, "observations", source) for source in states.source])
        x, sets = inputs_of(policy, observations)
        memory = None
        if policy.network.cell:
            given = np.zeros((len(states.source), group.agents, policy.network.state_size))
            for i, where in enumerate(states.given):
                if where is not None:
                    b, sequence, c = where
                    given[i] = self.kept[b][f"{group.name}/network_states"][sequence, c]
            before = np.array(states.before)[:, None] * group.agents + np.arange(group.agents)
            before[np.array(states.before) < 0] = -1
            memory = Memory(before.ravel(), given.reshape(-1, policy.network.state_size))
        y, tapes = policy.network.forward(parameters, x, sets, memory)
        return y.reshape(len(states.source), group.agents, group.actions), tapes

    def _step(self, key, rate, beta):
        own = self.own
        length = own["replay_sequence_length"] or self.sequence_length
        count = max(1, own["minibatch_size"] // length) if self.recurrent else own["minibatch_size"]
        states, trained = self._sequences(*self._draw(key, count, beta))
        rows, agents = len(trained), sum(g.agents for g in self.scene.groups)
        chosen, best, lives = np.zeros((rows, agents)), np.zeros((rows, agents)), np.zeros((rows, agents), bool)
        outputs, first = [], 0
        for g, group in enumerate(self.scene.groups):
            values, tapes = self._infer(g, self.actor_parameters[g], states)
            by_target, _ = self._infer(g, self.targets[g], states)
            outputs.append((values, tapes))
            for i, one in enumerate(trained):
                b, t, c = one.step
                source = states.source[one.follows]
                masks, living = self._of(group, "action_masks", source), self._of(group, "alive", source)
                for a in range(group.agents):
                    lives[i, first + a] = self.kept[b][f"{group.name}/alive"][t, c, a] > 0
                    action = self.kept[b][f"{group.name}/discrete_actions"][t, c, a]
                    chosen[i, first + a] = values[one.state, a, action] if lives[i, first + a] else 0
                    judge = (values if own["double_q"] else by_target)[one.follows, a]
                    liked = np.where(masks[a] > 0, judge, -np.inf)
                    order = np.sort(liked[np.isfinite(liked)])
                    if living[a] and len(order) > 1:
                        self.closest_kink = min(self.closest_kink, order[-1] - order[-2])
                    best[i, first + a] = by_target[one.follows, a, liked.argmax()] if living[a] else 0
            first += group.agents
        weights = np.array([one.weight for one in trained])
        discounts = np.array([one.discount for one in trained])
        denominator = rows if self.recurrent else own["minibatch_size"]
        step = SimpleNamespace(norms=[], mixer_norm=None)
        if self.name == "iql":
            paid = np.stack([np.concatenate(one.rewards) for one in trained])
            y = own["reward_scale"] * paid + discounts[:, None] * best
            errors = np.where(lives, chosen - y, 0)
            slopes = weights[:, None] * errors
            step.notes = np.stack([chosen[lives], y[lives]], -1)
            sizes = np.abs(errors).sum(-1) / np.maximum(1, lives.sum(-1))
        else:
            if self.mixer:
                here = np.stack([self._global(states.source[one.state]) for one in trained])
                there = np.stack([self._global(states.source[one.follows]) for one in trained])
                following, _ = self.mixer.forward(self.target_mixing, best, there)
                totals, tape = self.mixer.forward(self.mixing, chosen, here)
                self.closest_kink = min(self.closest_kink, self.mixer.closest_kink(tape))
            else:
                totals, following = chosen.sum(-1), best.sum(-1)
            y = own["reward_scale"] * np.array([one.team for one in trained]) + discounts * following
            d_totals = weights * (totals - y)
            slopes = np.repeat(d_totals[:, None], agents, -1)
            if self.mixer:
                gradients, slopes = self.mixer.backward(self.mixing, tape, d_totals)
                gradients = {name: gradient / denominator for name, gradient in gradients.items()}
                step.mixer_norm = self.mixer_adam.step(self.mixing, gradients, rate)
            step.notes = np.stack([totals, y], -1)
            sizes = np.abs(totals - y)
        self._move(states, trained, outputs, np.where(lives, slopes, 0) / denominator, rate, step)
        self._note(trained, sizes)
        self._follow()
        return step

    def _move(self, states, trained, outputs, slopes, rate, step):
        first = 0
        for g, group in enumerate(self.scene.groups):
            values, tapes = outputs[g]
            dy = np.zeros_like(values)
            for i, one in enumerate(trained):
                b, t, c = one.step
                for a in range(group.agents):
                    action = self.kept[b][f"{group.name}/discrete_actions"][t, c, a]
                    dy[one.state, a, action] += slopes[i, first + a]
            first += group.agents
            network = self.policies[g].network
            gradients = network.backward(self.actor_parameters[g], tapes, dy.reshape(-1, group.actions))
            for s in range(network.sets):
                step.norms.append(self.adams[g].step(self.actor_parameters[g], gradients, rate, s))

    def _note(self, trained, sizes):
        """New priorities: of a place that was drawn twice by its last draw."""
        own, of_draws = self.own, {}
        for one, size in zip(trained, sizes):
            of_draws.setdefault((one.draw, one.place), []).append(size)
        for (_, place), errors in of_draws.items():
            share = own["priority_max_share"] if self.recurrent else 1.0
            size = share * max(errors) + (1 - share) * np.mean(errors) + own["priority_offset"]
            self.largest = max(self.largest, size)
            self.priorities[place] = float(np.float32(size ** own["priority_exponent"]))

    def _follow(self):
        own = self.own
        self.steps_taken += 1
        if own["target_rate"] is None and self.steps_taken % own["target_interval"]:
            return
        rate = 1.0 if own["target_rate"] is None else own["target_rate"]
        pairs = list(zip(self.actor_parameters, self.targets))
        pairs += [(self.mixing, self.target_mixing)] if self.mixer else []
        for source, target in pairs:
            for name in target:
                target[name] += rate * (source[name] - target[name])

"""A MAPPO / IPPO learner in float64: what two updates of learner/algorithms must end at.

Proximal policy optimisation of each agent group's actor with its critics (arXiv:2103.01955, algorithm 1): values of all
states → advantages and targets → normalised advantages → epochs of minibatches of joint steps, each one Adam step of
every network. The parameter sets of a group are policies of their own: each has its own mean loss, gradient norm and
stop at target_kl. With recurrent networks minibatches are of whole sequences. Sets may also take all their epochs one
after another (HAPPO)."""

from types import SimpleNamespace

import numpy as np

import returns
from acting import Acting
from adam import Adam
from cells import Memory
from critics import Team, make_critics
from losses import gaussian_policy_loss, policy_loss, value_loss
from philox import draw_order
from policies import deviations, inputs_of, log_densities, log_probabilities, make_policy, taken
from sequences import Sequences
from value_norm import ValueNorm


class Learner(Acting):
    def __init__(self, scene, settings, random):
        self.scene, self.settings, self.ppo = scene, settings, settings["ppo"]
        self.critic_scene, self.parts = scene, [(g, False) for g in range(len(scene.groups))]
        self.policies = self._make_actors(scene, settings)
        self.critics = self._make_critics(scene, settings)
        self.actor_parameters = [policy.random_parameters(random) for policy in self.policies]
        self.critic_parameters = [critic.network.random_parameters(random) for critic in self.critics]
        self.actor_adams = [self._adam(p) for p in self.actor_parameters]
        self.critic_adams = [self._adam(p) for p in self.critic_parameters]
        self.norms = [ValueNorm(self.ppo["value_normalization"]) for _ in self.critics]
        self.closest_kink = np.inf
        self.values_actions = False
        self.asks_who_lives = any(c.attends or c.masks_dead for c in self.critics)
        self.recurrent = any(n.state_size for n in self._networks())
        self.sequence_length = settings["collection"]["sequence_length"] if self.recurrent else 1
        # Of each critic: (shard, copy, lease, piece) of a stream → what it remembers where that piece begins.
        self.carried = [{} for _ in self.critics]

    # What agents that follow options do otherwise (options.py). An actor is numbered as self.scene's groups; parts[a]:
    # its group of the environment, whether it is that group's manager.

    def _make_actors(self, scene, settings):
        return [make_policy(group, settings) for group in scene.groups]

    def _make_critics(self, scene, settings):
        return make_critics(scene, settings)

    def _critic_fields(self, batch, name):
        """What critics see of each group."""
        return [batch.get(f"{g.name}/{name}") for g in self.scene.groups]

    def _see(self, batch):
        """A batch as actors and critics see it."""
        return batch

    def _counts(self, critic, head):
        return True

    def _generalized_advantages(self, critic, batch, head, b, stream):
        zero = self.ppo["dead_agents"] == "ZERO"
        return returns.generalized_advantages(*stream, self.ppo["discount"], self.ppo["gae_lambda"], zero)

    def _networks(self):
        return [p.network for p in self.policies] + [c.network for c in self.critics]

    def _adam(self, parameters):
        return Adam(parameters, self.ppo["adam_epsilon"], self.ppo["weight_decay"], self.ppo["max_gradient_norm"])

    def parameters(self):
        """Name → parameter, named as in saved states."""
        named = [(f"actor/{g.name}", p) for g, p in zip(self.scene.groups, self.actor_parameters)]
        named += [(f"critic/{c.name}", p) for c, p in zip(self.critics, self.critic_parameters)]
        return {f"{prefix}/{name}": value for prefix, p in named for name, value in p.items()}

    def optimiser_state(self):
        """Adam's moments and steps and the normalisers' averages, flat, named as in saved states."""
        state = {}
        named = [(f"actor/{g.name}", a) for g, a in zip(self.scene.groups, self.actor_adams)]
        named += [(f"critic/{c.name}", a) for c, a in zip(self.critics, self.critic_adams)]
        for prefix, adam in named:
            state[f"{prefix}/adam.first_moment"] = np.concatenate([m.ravel() for m in adam.first.values()])
            state[f"{prefix}/adam.second_moment"] = np.concatenate([m.ravel() for m in adam.second.values()])
            state[f"{prefix}/adam.steps"] = adam.steps
        for critic, norm in zip(self.critics, self.norms):
            state[f"critic/{critic.name}/value_norm"] = norm.state
        return state

    def update(self, batch, number, env_steps, total_env_steps):
        """One update; returns the figures it reports, by name."""
        batch = self._see(batch)
        ppo, groups = self.ppo, self.scene.groups
        done = min(1.0, env_steps / (ppo["schedule_env_steps"] or total_env_steps))
        decay = 1 - done if ppo["anneal_learning_rate"] else 1.0
        actor_rate, critic_rate = ppo["actor_learning_rate"] * decay, ppo["critic_learning_rate"] * decay
        entropy_coefficient = ppo["entropy_coefficient"]
        if ppo["final_entropy_coefficient"] is not None:
            entropy_coefficient += done * (ppo["final_entropy_coefficient"] - ppo["entropy_coefficient"])

        sequences = Sequences(batch, self.sequence_length)
        given = [sequences.given(batch[f"{g.name}/network_states"]) for g in groups]
        proximal = [self._log_probabilities(batch, g, sequences, given[g]) for g in range(len(groups))]
        importance = [np.exp(p - batch[f"{g.name}/log_probabilities"]) for g, p in zip(groups, proximal)]
        estimates = [self._estimate(batch, c, importance, sequences) for c in range(len(self.critics))]
        explained = [_explained_variance(e) for e in estimates]
        figures = {
            "explained_variance": np.mean([v for v, c in zip(explained, self.critics) if not c.of_managers]),
            "learning_rate": actor_rate,
            "critic_learning_rate": critic_rate,
            "entropy_coefficient": entropy_coefficient,
            "skipped_minibatches": 0.0,
        }
        if any(c.of_managers for c in self.critics):
            own = [v for v, c in zip(explained, self.critics) if c.of_managers]
            figures["manager_explained_variance"] = np.mean(own)
        if ppo["value_norm_update"] == "PER_UPDATE":
            for norm, e in zip(self.norms, estimates):
                norm.update(e["targets"][e["active"]])
        advantages = [self._advantages(batch, g, estimates) for g in range(len(groups))]
        sources = [(batch[f"{g.name}/log_probabilities"].astype(np.float64), np.ones(p.shape))
                   for g, p in zip(groups, proximal)]
        if ppo["lag_correction"] == "DECOUPLED":
            living = [batch[f"{g.name}/alive"][:-1] > 0 for g in groups]
            acting = [(i, l) for i, l, (_, manages) in zip(importance, living, self.parts) if not manages]
            capped = sum(((i > ppo["importance_cap"]) & l).sum() for i, l in acting)
            figures["capped_importance_fraction"] = capped / sum(i.size for i, _ in acting)
            sources = [(p, np.minimum(i, ppo["importance_cap"])) for p, i in zip(proximal, importance)]

        run = SimpleNamespace(batch=batch, number=number, sequences=sequences, given=given, proximal=proximal,
                              estimates=estimates, sources=sources, advantages=advantages,
                              entropy_coefficient=entropy_coefficient, actor_rate=actor_rate, critic_rate=critic_rate)
        sets = [policy.network.sets for policy in self.policies]
        if ppo["update_order"] == "SEQUENTIAL":
            done = self._one_after_another(run, sets)
        else:
            done = self._epochs(run, [np.ones(s, bool) for s in sets], range(len(self.critics)), ppo["epochs"])
        actor_steps, critic_steps = done.actor_steps, done.critic_steps
        if done.kl is not None:
            figures["update_kl"] = done.kl

        for steps in (actor_steps, critic_steps):
            names = {name for step in steps for name in step}
            figures.update({name: np.mean([step[name] for step in steps if name in step]) for name in names})
        for name in ("approx_kl", "clip_fraction"):
            figures[f"first_{name}"] = np.mean([step[name] for step in done.first if name in step])
        figures["epochs"] = float(done.epochs)
        self.closest_kink = min(self.closest_kink, *(n.closest_kink for n in self._networks()))
        return {name: float(figures[name]) for name in sorted(figures)}

    def _epochs(self, run, wanted, critics, most):
        """Epochs of gradient steps, at most so many, of the parameter sets `wanted` [groups][sets] and of the critics
        numbered: their figures, those of the first minibatch, and how far sets have moved."""
        ppo, moving = self.ppo, [own.copy() for own in wanted]
        done = SimpleNamespace(actor_steps=[], critic_steps=[], first=[], epochs=0, kl=None)
        groups = [g for g, own in enumerate(wanted) if own.any()]
        for epoch in range(most):
            for minibatch in run.sequences.deal(ppo["minibatch_size"], self.settings["seed"], run.number, epoch):
                for g in groups:
                    memory = run.sequences.memory(minibatch, run.given[g])
                    done.actor_steps += self._step_actor(run.batch, g, minibatch, memory, *run.sources[g],
                                                         run.advantages[g], moving[g], run.entropy_coefficient,
                                                         run.actor_rate)
                for c in critics:
                    memory = run.sequences.memory(minibatch, run.estimates[c]["given"])
                    done.critic_steps.append(
                        self._step_critic(c, minibatch, memory, run.estimates[c], run.critic_rate))
                done.first = done.first or list(done.actor_steps)
            done.epochs += 1
            if ppo["target_kl"] > 0 and groups:
                moved = [self._moved(run.batch, g, run.sequences, run.given[g], run.proximal[g]) for g in groups]
                done.kl = np.concatenate([kl[wanted[g]] for g, kl in zip(groups, moved)]).mean()
                for g, kl in zip(groups, moved):
                    moving[g] &= kl <= ppo["target_kl"]
                    distance = np.abs(kl[wanted[g]] - ppo["target_kl"]).min()
                    self.closest_kink = min(self.closest_kink, distance)
                if not any(m.any() for m in moving):
                    break
        return done

    def _one_after_another(self, run, sets):
        """HAPPO (arXiv:2109.11251, section 4.2): each set takes all its epochs with the advantages times the ratios
        π_now / π_old, at each joint step, of the living agents of the sets before it. Critics come last."""
        done = SimpleNamespace(actor_steps=[], critic_steps=[], first=[], epochs=0, kl=None)
        factor, advantages, distances = np.ones(run.advantages[0].shape[:2]), run.advantages, []
        for g, s in draw_order([(g, s) for g, n in enumerate(sets) for s in range(n)], self.settings["seed"],
                               run.number):
            run.advantages = [a * factor[..., None] for a in advantages]
            wanted = [np.zeros(n, bool) for n in sets]
            wanted[g][s] = True
            own = self._epochs(run, wanted, [], self.ppo["epochs"])
            done.actor_steps += own.actor_steps
            done.first += own.first
            done.epochs = max(done.epochs, own.epochs)
            distances.append(own.kl)
            reference, alive = run.sources[g][0], run.batch[f"{self.scene.groups[g].name}/alive"][:-1] > 0
            now = self._log_probabilities(run.batch, g, run.sequences, run.given[g])
            ratio = np.exp(np.where(alive, now - reference, 0))
            factor = factor * ratio[..., self.policies[g].sets == s].prod(-1)
        if self.ppo["target_kl"] > 0:
            done.kl = np.mean(distances)
        nobody = [np.zeros(n, bool) for n in sets]
        done.critic_steps = self._epochs(run, nobody, range(len(self.critics)), done.epochs).critic_steps
        return done

    def _moved(self, batch, g, sequences, given, start):
        """KL(π at the update's start ‖ π now) of each set: the mean of (r − 1) − log r over its living rows."""
        log_ratio = self._log_probabilities(batch, g, sequences, given) - start
        alive = batch[f"{self.scene.groups[g].name}/alive"][:-1] > 0
        estimate, sets = np.exp(log_ratio) - 1 - log_ratio, self.policies[g].sets
        return np.array([estimate[alive & (sets == s)].mean() for s in range(sets.max() + 1)])

    def _log_probabilities(self, batch, g, sequences, given):
        """log π [steps, columns, agents] of the actions taken, by the actor as it is, along sequences of `given`
        states."""
        group, policy = self.scene.groups[g], self.policies[g]
        x, sets = inputs_of(policy, *(batch[f"{group.name}/{name}"][:-1] for name in ("observations", "alive")))
        memory = sequences.memory(range(sequences.steps * sequences.columns), given)
        logits, _ = policy.network.forward(self.actor_parameters[g], x, sets, memory)
        alive = batch[f"{group.name}/alive"][:-1] > 0
        if group.continuous:
            u = batch[f"{group.name}/continuous_actions"].reshape(-1, group.actions).astype(np.float64)
            log_pi = log_densities(policy, u, *deviations(policy, self.actor_parameters[g], logits, sets))
            return np.where(alive, log_pi.reshape(alive.shape), 0)
        masks = batch[f"{group.name}/action_masks"][:-1].reshape(-1, group.actions)
        actions = batch[f"{group.name}/{group.field}"].reshape(-1, len(group.sizes))
        log_pi = np.where(taken(actions, group.sizes), log_probabilities(logits, masks, group.sizes), 0).sum(-1)
        return np.where(alive, log_pi.reshape(alive.shape), 0)  # the dead choose nothing

    def _estimate(self, batch, c, importance, sequences):
        """A critic's values, advantages and targets, each [steps, columns, heads], and what its loss needs. A recurrent
        one runs along whole columns; what it remembers there is given to the sequences that it is trained along."""
        critic, scene, ppo = self.critics[c], self.critic_scene, self.ppo
        during, final = (
            critic.inputs(scene, self._critic_fields(batch, f"{when}observations"), batch[f"{when}state_extras"],
                          self._critic_fields(batch, f"{when}alive")) for when in ("", "final_"))
        rows, size = during.shape[2], critic.network.state_size
        first = self._carried(batch, c, rows)
        column = Sequences(batch, scene.steps + 1)
        memory = column.memory(range(during.shape[0] * scene.columns), column.given(first[None]))
        raw, tapes = critic.values(self.critic_parameters[c], during, memory)
        states = critic.network.remembered(tapes).reshape(*during.shape[:3], size)
        self._carry(batch, c, states[-2], column.begins[-1])
        t, b = batch["truncated_at"].T
        memory = Memory(np.full(len(t) * rows, -1), states[t, b].reshape(len(t) * rows, size))
        raw_final, _ = critic.values(self.critic_parameters[c], final, memory)
        mean, deviation = self.norms[c].mean_and_deviation()
        values, final_values = raw * deviation + mean, raw_final * deviation + mean

        ends = (batch["terminated"] | batch["truncated"]) > 0
        following = values[1:].copy()
        for k, (t, column) in enumerate(batch["truncated_at"]):
            following[t, column] = final_values[k]
        following[batch["terminated"] > 0] = 0

        later = states[sequences.length - 1 : scene.steps - 1 : sequences.length]
        out = {"old": raw[:-1], "inputs": during[:-1], "values": values[:-1],
               "given": sequences.given(np.concatenate([first[None], later]))[:-1],
               "advantages": np.zeros_like(following), "targets": np.zeros_like(following)}
        active = np.zeros(values.shape, bool)
        for h, head in enumerate(critic.heads):
            rewards, alive, weight = self._stream(batch, head, importance)
            active[..., h] = alive & self._counts(critic, head)
            for b in range(scene.columns):
                stream = (rewards[:, b], values[:-1, b, h], following[:, b, h], ends[:, b], alive[:, b])
                if ppo["lag_correction"] == "V_TRACE":
                    zero = ppo["dead_agents"] == "ZERO"
                    clips = ppo["vtrace_rho_clip"], ppo["vtrace_c_clip"]
                    estimate = returns.v_trace(*stream, weight[:, b], ppo["discount"], ppo["gae_lambda"], *clips, zero)
                else:
                    estimate = self._generalized_advantages(critic, batch, head, b, stream)
                out["advantages"][:, b, h], out["targets"][:, b, h] = estimate
        out["active"] = active[:-1]
        return out

    def _carried(self, batch, c, rows):
        """What the critic remembers where each column begins, [columns, rows, size]: nothing, unless the column goes on
        where one of the batch before left off."""
        nothing = np.zeros((rows, self.critics[c].network.state_size))
        return np.array([self.carried[c].get(tuple(stream), nothing) for stream in batch["streams"].tolist()])

    def _carry(self, batch, c, states, ended):
        self.carried[c] = {(*stream[:3], stream[3] + 1): np.where(over, 0, state)
                           for stream, state, over in zip(batch["streams"].tolist(), states, ended)}

    def _stream(self, batch, head, importance):
        """Rewards [T, B], who is alive [T + 1, B] and π/μ [T, B] of an agent, or of a team."""
        names, scale = [g.name for g in self.critic_scene.groups], self.ppo["reward_scale"]
        importance = [i for i, (_, manages) in zip(importance, self.parts) if not manages]
        if not isinstance(head, Team):
            name, agent = names[head[0]], head[1]
            alive = batch[f"{name}/alive"][..., agent] > 0
            weight = np.where(alive[:-1], importance[head[0]][..., agent], 1)
            return scale * batch[f"{name}/rewards"][..., agent].astype(np.float64), alive, weight
        own = [names[g] for g in head.groups]
        rewards = np.concatenate([batch[f"{n}/rewards"] for n in own], -1).astype(np.float64)
        alive = np.concatenate([batch[f"{n}/alive"] for n in own], -1) > 0
        acting = alive[:-1]
        paid = {
            "SUM": rewards.sum(-1),
            "MEAN_ALL": rewards.mean(-1),
            "MEAN_LIVING": (rewards * acting).sum(-1) / np.maximum(acting.sum(-1), 1),
        }[self.settings["critic"]["team_reward"]]
        # Of the team's joint action.
        weight = np.where(acting, np.concatenate([importance[g] for g in head.groups], -1), 1).prod(-1)
        return scale * paid, alive.any(-1), weight

    def _advantages(self, batch, g, estimates):
        """[steps, columns, agents], normalised over living entries as the settings say."""
        group, ppo = self.scene.groups[g], self.ppo
        advantages = np.zeros((self.scene.steps, self.scene.columns, group.agents))
        own, manages = self.parts[g]
        for critic, estimate in zip(self.critics, estimates):
            for h, head in enumerate(critic.heads if critic.of_managers == manages else []):
                if isinstance(head, Team):
                    if own in head.groups:
                        advantages[:] = estimate["advantages"][..., h, None]
                elif head[0] == own:
                    advantages[..., head[1]] = estimate["advantages"][..., h]
        if not ppo["advantage_normalization"]:
            return advantages
        alive = batch[f"{group.name}/alive"][:-1] > 0
        agents = range(group.agents)
        for together in [[a] for a in agents] if ppo["advantage_normalization_per_agent"] else [list(agents)]:
            living = advantages[..., together][alive[..., together]]
            advantages[..., together] = (advantages[..., together] - living.mean()) / (living.std() + 1e-5)
        return advantages

    def _step_actor(self, batch, g, minibatch, memory, reference, importance, advantages, moving, entropy_coefficient,
                    rate):
        """A gradient step of each parameter set that still moves; the figures of each."""
        group, policy, parameters = self.scene.groups[g], self.policies[g], self.actor_parameters[g]

        def pick(values, *shape):  # [steps, columns, agents, …] → rows of the minibatch
            return values.reshape(-1, group.agents, *shape)[minibatch].reshape(-1, *shape)

        def of(name, *shape):
            return pick(batch[f"{group.name}/{name}"][: self.scene.steps], *shape)

        x, sets = inputs_of(policy, of("observations", group.observation).reshape(-1, group.agents, group.observation),
                            of("alive").reshape(-1, group.agents))
        logits, tapes = policy.network.forward(parameters, x, sets, memory)
        rows = (pick(reference), pick(importance), pick(advantages), of("alive") > 0)
        gradient, steps, std_gradient = np.zeros_like(logits), [], {}
        for s in np.flatnonzero(moving):
            own = sets == s
            losses = tuple(r[own] for r in rows), (self.ppo["clip"], entropy_coefficient)
            if group.continuous:
                u = of("continuous_actions", group.actions)[own].astype(np.float64)
                mean, log_std = deviations(policy, parameters, logits[own], sets[own])
                squashes = policy.distribution == "SQUASHED_GAUSSIAN"
                by_mean, by_std, figures, kink = gaussian_policy_loss(
                    mean, log_std, u, squashes, *losses[0], *losses[1], log_densities(policy, u, mean, log_std))
                gradient[own] = np.concatenate([by_mean, by_std], -1) if policy.by_state else by_mean
                std_gradient[s] = by_std.sum(0)
            else:
                indices = [len(group.indices)] if group.indices else []
                actions = of(group.field, *indices)[own].reshape(-1, len(group.sizes))
                gradient[own], figures, kink = policy_loss(
                    logits[own], of("action_masks", group.actions)[own], actions, group.sizes, *losses[0], *losses[1])
            self.closest_kink = min(self.closest_kink, kink)
            steps.append(figures)
        gradients = policy.network.backward(parameters, tapes, gradient)
        if "log_std" in gradients:
            for s, by_std in std_gradient.items():
                gradients["log_std"][s] = by_std
        for s, figures in zip(np.flatnonzero(moving), steps):
            figures["actor_gradient_norm"] = self.actor_adams[g].step(parameters, gradients, rate, s)
        return steps

    def _step_critic(self, c, minibatch, memory, estimate, rate):
        critic, parameters, norm = self.critics[c], self.critic_parameters[c], self.norms[c]
        at = np.unravel_index(minibatch, estimate["old"].shape[:2])
        picked = {name: v[at] for name, v in estimate.items()}
        if self.ppo["value_norm_update"] == "PER_MINIBATCH":
            norm.update(picked["targets"][picked["active"]])
        mean, deviation = norm.mean_and_deviation()
        targets = (picked["targets"] - mean) / deviation
        values, tapes = critic.values(parameters, picked["inputs"], memory)
        gradient, loss, kink = value_loss(values, picked["old"], targets, picked["active"], self.ppo)
        self.closest_kink = min(self.closest_kink, kink)
        gradients = critic.network.backward(parameters, tapes, gradient.reshape(-1, critic.network.outputs))
        return {"value_loss": loss, "critic_gradient_norm": self.critic_adams[c].step(parameters, gradients, rate)}


def _explained_variance(estimate):
    """1 − Var(target − V) / Var(target) over the living."""
    targets, values = estimate["targets"][estimate["active"]], estimate["values"][estimate["active"]]
    return 1 - (targets - values).var() / targets.var()

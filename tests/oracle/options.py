"""Agents that follow options (common/specs/option_policies.h; Sutton, Precup and Singh 1999): a manager chooses one of
K every k steps of an episode and where it begins, a policy acts under it. The learner sees a batch as groups of actors:
GROUP, which observes the option's one-hot before its own numbers; GROUP/manager, whose actions are options and who acts
where it chooses; and GROUP/critics, what critics see."""

from dataclasses import replace

import numpy as np

import returns
from critics import Team, make_critics
from learner import Learner
from policies import inputs_of, log_probabilities, make_policy
from scene import Group
from settings import policy_of

FIGURES = {"policy_loss": "manager_policy_loss", "entropy": "manager_entropy", "approx_kl": "manager_approx_kl",
           "clip_fraction": "manager_clip_fraction", "actor_gradient_norm": "manager_gradient_norm",
           "value_loss": "manager_value_loss"}


def chooses(states, steps):
    """Where a manager chooses, of states [..., 2]: an option and the steps for which it has been followed."""
    return (states[..., 1] == 0) | (states[..., 1] >= steps)


def held(states, count, steps):
    """[..., K + 1]: the option followed until now and the part of its steps that is over; zeros of none."""
    one_hot = (states[..., :1] == np.arange(count)) & (states[..., 1:] > 0)
    return np.concatenate([one_hot.astype(np.float64), states[..., 1:] / steps], -1)


class OptionLearner(Learner):
    def _make_actors(self, scene, settings):
        own = [policy_of(settings, g.name) for g in scene.groups]
        self.given, self.options = scene, [(o["num_options"], o["option_steps"]) for o in own]
        self.managed = [count > 0 for count, _ in self.options]
        actors, self.parts, seen = [], [], []
        for g, (group, (count, _)) in enumerate(zip(scene.groups, self.options)):
            actors.append(replace(group, observation=group.observation + count))
            self.parts.append((g, False))
            wide = replace(group, observation=group.observation + count + 1) if count else group
            seen.append(wide)
            if count:
                actors.append(Group(f"{group.name}/manager", group.agents, wide.observation, count))
                self.parts.append((g, True))
        self.scene, self.critic_scene = replace(scene, groups=tuple(actors)), replace(scene, groups=tuple(seen))
        return [make_policy(actor, settings, scene.groups[g].name) for actor, (g, _) in zip(actors, self.parts)]

    def _make_critics(self, scene, settings):
        critics, managers = make_critics(self.critic_scene, settings), make_critics(self.critic_scene, settings)
        for critic in managers:
            critic.name, critic.of_managers = f"managers/{critic.name}", True
        managers = [c for c in managers if any(self._counts(c, head) for head in c.heads)]
        return critics + managers

    def _critic_fields(self, batch, name):
        return [batch.get(f"{g.name}/critics/{name}", batch.get(f"{g.name}/{name}")) for g in self.given.groups]

    def acting(self):
        return [(p, a) for p, a, (_, manages) in zip(self.policies, self.actor_parameters, self.parts) if not manages]

    def follow(self, g, fields, ends, staleness, random):
        """Adds who follows what and who chose it to a group's random fields; what its policy then observes."""
        count, steps = self.options[g]
        if not count:
            return fields["observations"][:-1]
        actor = self.parts.index((g, True))
        policy, parameters = self.policies[actor], self.actor_parameters[actor]
        stale = {name: p + staleness * random.standard_normal(p.shape) for name, p in parameters.items()}
        shape = fields["rewards"].shape
        states = np.zeros((shape[0] + 1, *shape[1:], 2), np.float32)
        states[0, ..., 0] = random.randint(count, size=shape[1:])
        states[0, ..., 1] = random.randint(steps + 1, size=(shape[1], 1))
        options, chosen = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
        for t in range(shape[0]):
            seen = np.concatenate([held(states[t], count, steps), fields["observations"][t]], -1)
            logits, _ = policy.network.forward(stale, *inputs_of(policy, seen))
            log_pi = log_probabilities(logits, np.ones_like(logits), (count,)).reshape(*shape[1:], count)
            drawn = (np.exp(log_pi).cumsum(-1) < random.random_sample((*shape[1:], 1))).sum(-1).clip(0, count - 1)
            new = chooses(states[t], steps)
            options[t] = np.where(new, drawn, states[t, ..., 0])
            chosen[t] = np.where(new, np.take_along_axis(log_pi, drawn[..., None], -1)[..., 0], 0)
            states[t + 1, ..., 0] = options[t]
            states[t + 1, ..., 1] = np.where(new, 1, states[t, ..., 1] + 1)
            states[t + 1, ends[t]] = 0
        fields.update(options=options, option_log_probabilities=chosen, option_states=states)
        one_hot = options[..., None] == np.arange(count)
        return np.concatenate([one_hot.astype(np.float64), fields["observations"][:-1]], -1)

    def _see(self, batch):
        seen = dict(batch)
        for group, (count, steps) in zip(self.given.groups, self.options):
            if not count:
                continue
            def of(name, group=group):
                return batch[f"{group.name}/{name}"]

            states, options, x = of("option_states"), of("options"), of("observations")
            under = np.zeros((*x.shape[:-1], count))
            under[:-1] = options[..., None] == np.arange(count)
            new = chooses(states, steps)
            t, b = batch["truncated_at"].T
            last = np.stack([options, np.where(new[:-1], 1, states[:-1, ..., 1] + 1)], -1)[t, b]
            with_held = np.concatenate([held(states, count, steps), x], -1)
            seen[f"{group.name}/observations"] = np.concatenate([under, x], -1)
            seen[f"{group.name}/critics/observations"] = with_held
            seen[f"{group.name}/critics/final_observations"] = np.concatenate(
                [held(last, count, steps), of("final_observations")], -1)
            manager = {"observations": with_held, "alive": of("alive") * new, "discrete_actions": options,
                       "log_probabilities": of("option_log_probabilities"), "rewards": of("rewards"),
                       "action_masks": np.ones((*x.shape[:-1], count), np.uint8),
                       "network_states": np.zeros((*of("network_states").shape[:-1], 0), np.float32),
                       "chooses": new}
            seen.update({f"{group.name}/manager/{name}": values for name, values in manager.items()})
        return seen

    def _choices(self, batch, head):
        """[T, B]: whether a manager of an agent, or of a team's, chooses."""
        pairs = [head] if not isinstance(head, Team) else [
            (g, a) for g in head.groups for a in range(self.given.groups[g].agents)]
        found = [batch[f"{self.given.groups[g].name}/manager/chooses"][:-1, :, a] for g, a in pairs if self.managed[g]]
        return np.any(found, 0) if found else np.zeros((self.given.steps, self.given.columns), bool)

    def _counts(self, critic, head):
        """Whether a critic's value of this head is learnt."""
        groups = head.groups if isinstance(head, Team) else (head[0],)
        return not critic.of_managers or any(self.managed[g] for g in groups)

    def _generalized_advantages(self, critic, batch, head, b, stream):
        ppo = self.ppo
        if not critic.of_managers:
            return super()._generalized_advantages(critic, batch, head, b, stream)
        discount = ppo["discount"] if ppo["manager_discount"] is None else ppo["manager_discount"]
        rewards, values, following, ends, alive = stream
        choices = self._choices(batch, head)[:, b]
        if ppo["dead_agents"] == "ZERO":  # the dead have no value, and their choices none either
            choices = choices & alive[:-1]
            following = following * np.where(ends, alive[:-1], alive[1:])
        return returns.option_advantages(rewards, values, following, ends, choices, discount, ppo["gae_lambda"])

    def _step_actor(self, batch, g, minibatch, memory, reference, importance, advantages, moving, entropy_coefficient,
                    rate):
        manages, own = self.parts[g][1], self.ppo["manager_entropy_coefficient"]
        if manages and own is not None:
            entropy_coefficient = own
        steps = super()._step_actor(batch, g, minibatch, memory, reference, importance, advantages, moving,
                                    entropy_coefficient, rate)
        return [{FIGURES[n]: v for n, v in s.items()} for s in steps] if manages else steps

    def _step_critic(self, c, minibatch, memory, estimate, rate):
        step = super()._step_critic(c, minibatch, memory, estimate, rate)
        return {FIGURES["value_loss"]: step["value_loss"]} if self.critics[c].of_managers else step

"""What scenes ask of a learner about who acts, where every group's policy acts by what it observes."""


class Acting:
    def acting(self):
        """Policies and parameters of those that act in the environment, by group."""
        return list(zip(self.policies, self.actor_parameters))

    def follow(self, g, fields, ends, staleness, random):
        """What the policy of a group observes, [steps, columns, agents, size], of the group's random fields."""
        return fields["observations"][:-1]

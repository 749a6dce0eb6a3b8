"""Episodes that `actor_worker record` wrote, for learning from them later.

for episode in troupe.load_episodes("episodes/traffic"):
    group = episode.groups["junction"]
    group.observations, group.actions, group.rewards    # [T + 1, A, O], [T, A], [T, A]
"""

from troupe.episodes.episode import Episode as Episode
from troupe.episodes.episode import GroupEpisode as GroupEpisode
from troupe.episodes.folder import EpisodeFolder as EpisodeFolder
from troupe.episodes.folder import load_episodes as load_episodes

__all__ = ["Episode", "EpisodeFolder", "GroupEpisode", "load_episodes"]

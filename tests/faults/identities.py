"""Whose steps a learner trained on, checked against what identity_server.cc must have shown: every row of every batch
is computed here from its (shard, lease epoch, sequence, t, copy, agent) alone and compared byte for byte.

What must hold of the batches that a run ends up with (those after the checkpoint that a learner went on from are made
again):
- updates follow each other from 1 on, none missing and none twice;
- no (shard, lease epoch, sequence, copy) comes twice;
- a lease's pieces come in order from 0 on, without a gap in the deterministic modes, where each update has one of every
  shard;
- observations, rewards, ends and last observations are those of the identity that the column claims.
"""

import base64
import json
import struct

MASK = (1 << 64) - 1
AGENTS = 2
PIECE = 1 << 16


def finalise(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def episode_seed(*parts):
    """SplitMix64 folded over run seed, shard, lease epoch, copy and episode, as vector_environment.h says."""
    key = 0
    for part in parts:
        key = finalise((key + part + 0x9E3779B97F4A7C15) & MASK)
    return key


class Broken(AssertionError):
    """What must hold does not."""


class Life:
    """One lease's copy of the environment, from its first step on."""

    def __init__(self, run_seed, shard, epoch, copy):
        self.key, self.episode, self.step = (run_seed, shard, epoch, copy), 0, 0
        self._begin()

    def _begin(self):
        self.seed = episode_seed(*self.key, self.episode)
        end = finalise((self.seed + 1000000) & MASK)
        self.length, self.truncates = 5 + end % 8, bool(end >> 40 & 1)

    def cue(self, agent):
        return finalise((self.seed + 2 * self.step + agent) & MASK) % 4

    def seen(self):
        """The bytes of both agents' observations."""
        pieces = [(self.seed >> 16 * i & 0xFFFF) / PIECE for i in range(4)]
        row = b""
        for agent in range(AGENTS):
            cue = self.cue(agent)
            row += struct.pack("<10f", *pieces, self.step / 64, agent / 2, *(float(i == cue) for i in range(4)))
        return row

    def advance(self):
        """One step; returns (terminated, truncated, what both agents saw last)."""
        self.step += 1
        if self.step < self.length:
            return 0, 0, b""
        ends = (0, 1, self.seen()) if self.truncates else (1, 0, b"")
        self.episode, self.step = self.episode + 1, 0
        self._begin()
        return ends


class Batch:
    """A line of --log_batches."""

    def __init__(self, line):
        record = json.loads(line)
        self.update, self.steps = record["update"], record["rollout_length"]
        self.streams = [tuple(stream[:4]) for stream in record["streams"]]  # shard, copy, epoch, sequence
        self.versions = [stream[4] for stream in record["streams"]]
        (group,) = record["groups"]
        self.observations = base64.b64decode(group["observations"])
        self.last = base64.b64decode(group.get("final_observations", ""))
        cells = self.steps * len(self.streams)
        self.rewards = struct.unpack(f"<{cells * AGENTS}f", base64.b64decode(group["rewards"]))
        self.actions = struct.unpack(f"<{cells * AGENTS}i", base64.b64decode(group["discrete_actions"]))
        self.terminated = base64.b64decode(record["joint"]["terminated"])
        self.truncated = base64.b64decode(record["joint"]["truncated"])
        places = base64.b64decode(record["joint"].get("truncated_at", ""))
        places = struct.unpack(f"<{len(places) // 4}i", places)
        self.last_at = {place: i for i, place in enumerate(zip(places[::2], places[1::2]))}
        if len(self.last_at) * AGENTS * 40 != len(self.last):
            raise Broken(f"update {self.update}: {len(self.last_at)} truncated episodes in {len(self.last)} bytes")

    def score(self):
        """Mean reward of an agent's step: the share of cues that were answered."""
        return sum(self.rewards) / len(self.rewards)

    def row(self, t, column):
        size = AGENTS * 40
        at = (t * len(self.streams) + column) * size
        return self.observations[at : at + size]

    def check_column(self, column, life):
        """Plays the column's piece; leaves `life` where the next one begins."""
        where = f"update {self.update}, shard, copy, epoch, sequence {self.streams[column]}"
        if self.row(0, column) != life.seen():
            raise Broken(f"{where}: begins with what is not its next step")
        for t in range(self.steps):
            cell = t * len(self.streams) + column
            for agent in range(AGENTS):
                action = self.actions[cell * AGENTS + agent]
                if action not in range(4) or self.rewards[cell * AGENTS + agent] != float(action == life.cue(agent)):
                    raise Broken(f"{where}, step {t}: agent {agent} was paid for another action or another cue")
            terminated, truncated, last = life.advance()
            if (self.terminated[cell], self.truncated[cell]) != (terminated, truncated):
                raise Broken(f"{where}, step {t}: ends otherwise than it did")
            if truncated:
                at = self.last_at.get((t, column))
                if at is None or self.last[at * len(last) : (at + 1) * len(last)] != last:
                    raise Broken(f"{where}, step {t}: the truncated episode's last observation is another's")
            if self.row(t + 1, column) != life.seen():
                raise Broken(f"{where}, row {t + 1}: another observation than the identity's")


class Run:
    """What the learners of one run trained on, one after the other."""

    def __init__(self, run_seed, shards, copies, ordered=True):
        self.run_seed, self.shards, self.copies, self.ordered = run_seed, shards, copies, ordered
        self.batches = []  # as they stand, by update
        self.trained = 0  # in all, those made again counted twice
        self.most_lost = 0  # updates made again after one death
        self.skipped = 0  # pieces that never came, of leases that went on

    def learner(self, lines, went_on_from):
        """Another learner: the lines of its log, whole ones, and the update it went on from."""
        if went_on_from > len(self.batches):
            raise Broken(f"went on from update {went_on_from}, but only {len(self.batches)} were trained")
        self.most_lost = max(self.most_lost, len(self.batches) - went_on_from)
        del self.batches[went_on_from:]
        lives, dealt_with, of_this_learner = {}, {}, []
        for line in lines:
            batch = Batch(line)
            if batch.update != len(self.batches) + 1:
                raise Broken(f"update {batch.update} came after {len(self.batches)}")
            self._check(batch, lives, dealt_with)
            self.batches.append(batch)
            of_this_learner.append(batch)
        self.trained += len(of_this_learner)
        return of_this_learner

    def _check(self, batch, lives, dealt_with):
        if len(batch.streams) != self.shards * self.copies:
            raise Broken(f"update {batch.update} has {len(batch.streams)} columns")
        if self.ordered:
            wanted = [(shard, copy) for shard in range(self.shards) for copy in range(self.copies)]
            if [stream[:2] for stream in batch.streams] != wanted:
                raise Broken(f"update {batch.update} has columns of {[stream[:2] for stream in batch.streams]}")
        for column, (shard, copy, epoch, sequence) in enumerate(batch.streams):
            newest_epoch, next_sequence = dealt_with.get((shard, copy), (0, 0))
            if epoch < newest_epoch or epoch == newest_epoch and sequence < next_sequence:
                raise Broken(f"update {batch.update}: {batch.streams[column]} comes again or too late")
            missing = sequence - (next_sequence if epoch == newest_epoch else 0)
            if missing and self.ordered:
                raise Broken(f"update {batch.update}: {missing} pieces before {batch.streams[column]} never came")
            key = (shard, copy, epoch)
            if key not in lives:
                lives[key] = Life(self.run_seed, shard, epoch, copy)
            for _ in range(missing * batch.steps):
                lives[key].advance()
            self.skipped += missing
            batch.check_column(column, lives[key])
            dealt_with[shard, copy] = (epoch, sequence + 1)

    def close(self):
        """Of all that stands: no identity twice, over all learners."""
        seen = {}
        for batch in self.batches:
            for stream in batch.streams:
                if stream in seen:
                    raise Broken(f"{stream} stands in update {seen[stream]} and in {batch.update}")
                seen[stream] = batch.update
        return len(seen)

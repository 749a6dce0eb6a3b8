"""The sequences that recurrent networks are trained along: every column of a batch in parts of `length` steps, the last
of which may be shorter. The state at a sequence's first step is given, and no gradient goes into it (truncated
backpropagation through time, in chunks as in arXiv:2103.01955, section 4); an episode's first state is zero. Networks
that remember nothing are trained along sequences of one step."""

import numpy as np

from cells import Memory
from philox import deal_minibatches


class Sequences:
    def __init__(self, batch, length):
        ends = (batch["terminated"] | batch["truncated"]) > 0
        self.steps, self.columns = ends.shape
        self.length = length
        # [steps + 1, columns]: whether an episode begins with the row. Of the first row what is given tells.
        self.begins = np.concatenate([np.zeros((1, self.columns), bool), ends])
        self.starts = self.begins | (np.arange(self.steps + 1) % length == 0)[:, None]

    def count(self):
        """Of one column."""
        return -(-self.steps // self.length)

    def deal(self, minibatch_size, *key):
        """An epoch's minibatches of whole sequences, each a list of joint steps t · columns + column."""
        size = max(1, minibatch_size // self.length) if minibatch_size else 0
        for dealt in deal_minibatches(self.count() * self.columns, size, *key):
            firsts = [divmod(number, self.columns) for number in dealt]
            spans = [(range(i * self.length, min(self.steps, (i + 1) * self.length)), column) for i, column in firsts]
            yield [t * self.columns + column for span, column in spans for t in span]

    def given(self, at_starts):
        """States where they are given, [steps + 1, columns, rows, size], of those at the sequences' first steps,
        [sequences of a column, columns, rows, size]."""
        given = np.zeros((self.steps + 1, *at_starts.shape[1:]))
        given[: self.steps : self.length] = at_starts
        given[self.begins] = 0
        return given

    def memory(self, cells, given):
        """Of a network's rows at the joint steps `cells`, row by row of each: whole sequences in any order."""
        *_, rows, size = given.shape
        cells = np.asarray(cells)
        place = {cell: i for i, cell in enumerate(cells)}
        before = [-1 if self.starts.flat[cell] else place[cell - self.columns] for cell in cells]
        before = np.array(before)[:, None]
        before = np.where(before < 0, -1, before * rows + np.arange(rows))
        return Memory(before.ravel(), given[np.unravel_index(cells, given.shape[:2])].reshape(before.size, size))

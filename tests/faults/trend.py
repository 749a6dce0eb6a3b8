"""Whether a number that was looked at again and again grows."""

import collections
import math

BLOCKS = 12
# Student's t, two-sided 95 %, by degrees of freedom.
STUDENT_95 = [math.nan, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228]

# first, last: means of the first and the last block. slope, half: per second, and half its 95 % interval. growth: what
# the slope comes to between the first and the last look. most: the largest number of all.
Trend = collections.namedtuple("Trend", "first last slope half growth most looks")


def _line(points):
    """Least squares: (slope, its standard error)."""
    n = len(points)
    middle_x, middle_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    slope = sum((x - middle_x) * (y - middle_y) for x, y in points) / spread
    left = sum((y - middle_y - slope * (x - middle_x)) ** 2 for x, y in points)
    return slope, math.sqrt(left / (n - 2) / spread)


def trend(looks):
    """Of (seconds, number) in their order, six at least. Looks that follow each other are alike, and an interval that
    took them for independent would be far too narrow: the line goes through the means of BLOCKS stretches of time."""
    count = min(BLOCKS, len(looks) // 2)
    if count < 3:
        raise ValueError(f"{len(looks)} looks, six are needed")
    blocks = [looks[len(looks) * i // count : len(looks) * (i + 1) // count] for i in range(count)]
    means = [(sum(t for t, _ in block) / len(block), sum(y for _, y in block) / len(block)) for block in blocks]
    slope, error = _line(means)
    return Trend(means[0][1], means[-1][1], slope, STUDENT_95[count - 2] * error, slope * (looks[-1][0] - looks[0][0]),
                 max(y for _, y in looks), len(looks))


def grows(found, allowed):
    """Whether it grew by more than `allowed`, and not by chance: the interval of its slope leaves zero out."""
    return found.growth > allowed and found.slope > found.half

"""The learner's documented random stream, as far as minibatches and orders need it: Philox4x32-10 (Salmon et al.,
"Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3) in plain integers, the deal of an epoch's joint
steps, and the order of parameter sets that follow one another."""

import math

WORD = 0xFFFFFFFF
LONG = 0xFFFFFFFFFFFFFFFF


def philox_block(counter, key):
    """Four 32-bit words of four counter words and two key words."""
    c, k = list(counter), list(key)
    for _ in range(10):
        left, right = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(right >> 32) ^ c[1] ^ k[0], right & WORD, (left >> 32) ^ c[3] ^ k[1], left & WORD]
        k = [(k[0] + 0x9E3779B9) & WORD, (k[1] + 0xBB67AE85) & WORD]
    return c


def words(key, stream=0):
    """A stream of a 64-bit key: blocks of counters 0, 1, …"""
    counter = 0
    while True:
        yield from philox_block([counter & WORD, counter >> 32, stream & WORD, stream >> 32], [key & WORD, key >> 32])
        counter += 1


def doubles(key, stream, count):
    """Numbers in [0, 1) of 53 bits, of two words each."""
    drawn = words(key, stream)
    return [((next(drawn) << 32 | next(drawn)) >> 11) / 2**53 for _ in range(count)]


def normals(key, stream, count):
    """Standard normal numbers, of two uniform ones each (Box and Muller, 1958)."""
    uniform = doubles(key, stream, 2 * count)
    return [math.sqrt(-2 * math.log(1 - u)) * math.cos(2 * math.pi * v) for u, v in zip(uniform[::2], uniform[1::2])]


def mix_key(*parts):
    """Several numbers folded into one: SplitMix64's finaliser over a running sum (Steele et al., OOPSLA 2014)."""
    key = 0
    for part in parts:
        z = (key + part + 0x9E3779B97F4A7C15) & LONG
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & LONG
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & LONG
        key = z ^ (z >> 31)
    return key


def deal_minibatches(steps, size, seed, update, epoch):
    """Lists of joint steps: all of them in order without a size, else a Fisher–Yates shuffle of the stream keyed by
    (seed, 0x73, update, epoch), cut into as few parts of at most `size` as there can be, alike in length."""
    if size == 0 or size >= steps:
        return [list(range(steps))]
    order = _shuffled(list(range(steps)), mix_key(seed, 0x73, update, epoch))
    parts = -(-steps // size)
    return [order[steps * i // parts : steps * (i + 1) // parts] for i in range(parts)]


def draw_order(places, seed, update):
    """Those of an update in which parameter sets follow one another: a shuffle keyed by (seed, 0x6F, update)."""
    return _shuffled(list(places), mix_key(seed, 0x6F, update))


def _shuffled(values, key):
    """By Fisher and Yates, from the last place down."""
    stream = words(key)
    for last in range(len(values) - 1, 0, -1):
        other = (next(stream) * (last + 1)) >> 32
        values[last], values[other] = values[other], values[last]
    return values

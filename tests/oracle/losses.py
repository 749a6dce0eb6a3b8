"""PPO's losses, and their gradients with respect to a network's outputs, worked out by hand."""

import numpy as np

from policies import LOG_STDS, by_index, log_probabilities, taken


def policy_loss(logits, masks, actions, sizes, reference, importance, advantages, alive, clip, entropy_coefficient):
    """Mean over living rows of −importance · min(r A, clip(r, 1 ± ε) A) − coefficient · H, with r = π / reference
    (arXiv:1707.06347, equation 7; importance = proximal / behaviour policy: arXiv:2110.00641, equation 6; living rows
    alone: arXiv:2103.01955, appendix). An action is one index or several, [rows, indices] of `sizes` choices each,
    drawn independently: π is the product of theirs, H the sum. Returns d loss / d logits, figures, and how near a ratio
    came to 1 ± ε."""
    count = max(1, alive.sum())
    log_pi = log_probabilities(logits, masks, sizes)
    pi = np.exp(log_pi)
    log_pi = np.where(masks > 0, log_pi, 0)  # p log p → 0
    chosen = taken(actions, sizes)
    log_ratio = np.where(alive, (chosen * log_pi).sum(-1) - reference, 0)
    ratio = np.exp(log_ratio)
    low, high = 1 - clip, 1 + clip
    surrogate = np.minimum(ratio * advantages, np.clip(ratio, low, high) * advantages)
    entropies = np.stack([part.sum(-1) for part in by_index(-pi * log_pi, sizes)], -1)

    # d/dr of the minimum is A where the ratio itself is the smaller one; d r / d logit_j = r (1{j = action} − π_j).
    unclipped = np.where(advantages >= 0, ratio <= high, ratio >= low)
    slope = -importance * advantages * unclipped * ratio
    gradient = slope[:, None] * (chosen - pi)
    # d H / d logit_j = −π_j (log π_j + H), with the entropy of the index that j is a choice of
    gradient += entropy_coefficient * pi * (log_pi + np.repeat(entropies, sizes, -1))
    gradient *= (alive / count)[:, None]

    def mean(x):
        return (x * alive).sum() / count

    figures = {
        "policy_loss": mean(-importance * surrogate),
        "entropy": mean(entropies.sum(-1)),
        "approx_kl": mean(ratio - 1 - log_ratio),
        "clip_fraction": mean(np.abs(ratio - 1) > clip),
    }
    distances = np.abs(np.stack([ratio - low, ratio - high]))[:, alive]
    return gradient, figures, distances.min(initial=np.inf)


def gaussian_policy_loss(
    mean, log_std, samples, squashes, reference, importance, advantages, alive, clip, entropy_coefficient, log_pi
):
    """The same loss for a Gaussian policy with log_pi of the samples. Returns d loss / d mean and d loss / d log_std (0
    where that is out of its bounds), each [rows, actions], figures, and the nearest kink."""
    held = np.clip(log_std, *LOG_STDS)
    moves, log_std = held == log_std, held
    count = max(1, alive.sum())
    log_ratio = np.where(alive, log_pi - reference, 0)
    ratio = np.exp(log_ratio)
    low, high = 1 - clip, 1 + clip
    surrogate = np.minimum(ratio * advantages, np.clip(ratio, low, high) * advantages)
    unclipped = np.where(advantages >= 0, ratio <= high, ratio >= low)
    slope = (-importance * advantages * unclipped * ratio)[:, None]  # d / d log π
    sigma = np.exp(log_std)
    z = (samples - mean) / sigma
    entropy, by_mean, by_std = log_std + np.log(2 * np.pi * np.e) / 2, np.zeros_like(mean), np.ones_like(mean)
    if squashes:
        # E log(1 − tanh²(u)) and its derivatives by u = μ + σ ε: integrals over ε by Gauss and Hermite's sixteen nodes.
        # oracle_test.py says how far they are from that.
        node, weight = np.polynomial.hermite_e.hermegauss(16)
        weight = weight / weight.sum()
        u = mean[..., None] + sigma[..., None] * node
        entropy = entropy - 2 * (np.log(np.cosh(u)) * weight).sum(-1)
        by_mean = by_mean - 2 * (np.tanh(u) * weight).sum(-1)
        by_std = by_std - 2 * (np.tanh(u) * weight * node).sum(-1) * sigma
    rows = (alive / count)[:, None]
    mean_gradient = (slope * z / sigma - entropy_coefficient * by_mean) * rows
    std_gradient = (slope * (z**2 - 1) - entropy_coefficient * by_std) * rows * moves

    def mean_of(x):
        return (x * alive).sum() / count

    figures = {
        "policy_loss": mean_of(-importance * surrogate),
        "entropy": mean_of(entropy.sum(-1)),
        "approx_kl": mean_of(ratio - 1 - log_ratio),
        "clip_fraction": mean_of(np.abs(ratio - 1) > clip),
        "action_std": mean_of(sigma.mean(-1)),
    }
    distances = np.abs(np.stack([ratio - low, ratio - high]))[:, alive]
    return mean_gradient, std_gradient, figures, distances.min(initial=np.inf)


def value_loss(values, old_values, targets, active, settings):
    """Mean over active entries of max(l(target − v), l(target − v clipped to old ± ε)), l Huber's or half the square
    (arXiv:2103.01955, appendix). Returns d (value_coefficient · loss) / d v, the loss, and the nearest kink."""
    delta, clip, count = settings["huber_delta"], settings["clip"], max(1, active.sum())
    huber = settings["value_loss"] == "HUBER"

    def loss_and_slope(prediction):
        error = prediction - targets
        if not huber:
            return error**2 / 2, error
        small = np.abs(error) <= delta
        return np.where(small, error**2 / 2, delta * (np.abs(error) - delta / 2)), np.clip(error, -delta, delta)

    loss, slope = loss_and_slope(values)
    kinks = []
    if settings["clip_value"]:
        moved = values - old_values
        clipped_loss, _ = loss_and_slope(old_values + np.clip(moved, -clip, clip))
        outside = np.abs(moved) > clip  # there the clipped value does not move with v
        slope = np.where(outside & (clipped_loss > loss), 0, slope)
        kinks += [np.abs(np.abs(moved) - clip), np.where(outside, np.abs(clipped_loss - loss), np.inf)]
        loss = np.maximum(loss, clipped_loss)
    nearest = min((k[active].min(initial=np.inf) for k in kinks), default=np.inf)
    return settings["value_coefficient"] * slope * active / count, (loss * active).sum() / count, nearest

"""Read sources: the steps in which the contents of a read were written."""

import numpy as np
from jaxtyping import Float


def read_sources(
    write_weights: Float[np.ndarray, "time write_heads slots"], read_weights: Float[np.ndarray, "time read_heads slots"]
) -> Float[np.ndarray, "time read_heads source"]:
    r"""Return the fraction that each read head read, at each step, of the writes of each step.

    $$o_t[i, s] = (1 - w_t[i])\, o_{t-1}[i, s] + w_t[i]\, [s = t], \qquad l_t[h, s] = \sum_i w^{r, h}_t[i]\, o_t[i, s]$$

    Here $o_t[i, s]$ is the fraction of slot $i$ that was written in step $s$. A write replaces the fraction $w_t[i]$ of
    the slot, and $w_t[i] = 1 - \prod_h (1 - w^{w, h}_t[i])$. Reads come after the write of their step, as in a
    Differentiable Neural Computer.

    Args:
        write_weights: weights of the write heads on slots.
        read_weights: weights of the read heads on slots.

    Returns:
        Fractions that sum to at most 1 over the steps; the rest is initial contents.
    """
    steps, _, slots = write_weights.shape
    written = 1 - np.prod(1 - write_weights, axis=1)
    origins = np.zeros((slots, steps))
    sources = np.zeros((steps, read_weights.shape[1], steps))
    for step in range(steps):
        origins *= 1 - written[step][:, None]
        origins[:, step] = written[step]
        sources[step] = read_weights[step] @ origins
    return sources

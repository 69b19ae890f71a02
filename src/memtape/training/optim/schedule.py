"""Schedule: the learning rate, the lengths of the sequences and the teacher forcing at each step."""

import math

from memtape.training.settings import TrainSettings


def rate_at(step: int, settings: TrainSettings) -> float:
    r"""Return the share of the learning rate for an update, counted from 0.

    $$\min\bigl(1, \tfrac{t + 1}{\text{warmup}}\bigr) \cdot \bigl(\rho + (1 - \rho) \tfrac{1 + \cos(\pi t / T)}{2}\bigr)$$

    where $\rho$ is `final_rate` and the second factor is left out for a constant schedule.
    """
    share = min(1.0, (step + 1) / settings.warmup_steps) if settings.warmup_steps else 1.0
    if settings.schedule == "cosine":
        fall = (1 + math.cos(math.pi * step / settings.steps)) / 2
        share *= settings.final_rate + (1 - settings.final_rate) * fall
    return share


def lengths_at(
    step: int, lengths: tuple[int, int], settings: TrainSettings, *, least: int = 1, passed: int = 0
) -> tuple[int, int]:
    """Return the shortest and the longest length of a training batch, for an update counted from 0.

    With a curriculum by updates both ends move along straight lines, from those of the curriculum, which may be shorter than
    those that the task draws, but not than the `least` that make sense, to the task's own. With a curriculum by what is
    learned the longest grows by the number of lengths that are `passed`.
    """
    shortest, longest = lengths
    if settings.curriculum_score is not None:
        first = max(settings.curriculum_max or shortest, shortest)
        return shortest, min(first + passed, longest)
    if step >= settings.curriculum_steps:
        return lengths
    done = step / settings.curriculum_steps
    first = min(max(settings.curriculum_min or shortest, least), longest)
    last = min(max(settings.curriculum_max or longest, least), longest)
    return round(first + (shortest - first) * done), round(last + (longest - last) * done)


def teacher_at(step: int, settings: TrainSettings) -> float:
    r"""Return the probability that a network is fed the true answers rather than its own, for an update counted from 0.

    $$\max\bigl(\rho, 1 - \tfrac{t}{T}\bigr), \qquad \max\bigl(\rho, e^{-t/T}\bigr), \qquad
    \max\Bigl(\rho, \frac{T}{T + e^{t/T}}\Bigr)$$

    for a linear, exponential and inverse sigmoid decay over $T$ `teacher_steps`, where $\rho$ is `teacher_least`.

    References:
        Bengio, Vinyals, Jaitly & Shazeer (2015), "Scheduled sampling for sequence prediction with recurrent neural
        networks", arXiv:1506.03099, section 2.4.
    """
    time, total = step / settings.teacher_steps, settings.teacher_steps
    falls = {
        "always": lambda: 1.0,
        "linear": lambda: 1 - time,
        "exponential": lambda: math.exp(-time),
        "inverse_sigmoid": lambda: total / (total + math.exp(min(time, 700.0))),
    }
    return max(settings.teacher_least, falls[settings.teacher]())

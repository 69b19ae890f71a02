"""Schedule: the learning rate, the lengths of the sequences and the teacher forcing at each step."""

import math

from memtape.training.settings import TrainSettings


def rate_at(step: int, settings: TrainSettings) -> float:
    r"""Return the factor of the learning rate at a step, counted from 0.

    $$\min\bigl(1, \tfrac{t + 1}{\text{warmup}}\bigr) \cdot \bigl(\rho + (1 - \rho) \tfrac{1 + \cos(\pi t / T)}{2}\bigr)$$

    where $\rho$ is `final_rate`; a constant schedule omits the second factor. With "halving" it is
    $2^{-\lfloor (t - \text{linear start}) / \text{halve every} \rfloor}$, and 1 during the linear start.
    """
    share = min(1.0, (step + 1) / settings.warmup_steps) if settings.warmup_steps else 1.0
    if settings.schedule == "cosine":
        fall = (1 + math.cos(math.pi * step / settings.steps)) / 2
        share *= settings.final_rate + (1 - settings.final_rate) * fall
    elif settings.schedule == "halving":
        share *= 0.5 ** (max(0, step - settings.linear_start_steps) // settings.halve_every)
    return share


def lengths_at(
    step: int, lengths: tuple[int, int], settings: TrainSettings, *, least: int = 1, passed: int = 0
) -> tuple[int, int]:
    """Return the shortest and the longest length of a training batch at a step, counted from 0.

    A curriculum by steps interpolates both lengths linearly, from those of the curriculum to those of the task. Its
    lengths may be shorter than those of the task, but not shorter than `least`. A curriculum by score raises the
    longest length by one for each length that is `passed`.
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
    r"""Return the probability that a network receives targets rather than its own outputs at a step, counted from 0.

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

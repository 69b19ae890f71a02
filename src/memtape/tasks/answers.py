"""Answers: count the answers of several steps that are correct at each of them."""

from jaxtyping import Bool
from torch import Tensor
from torch.nn import functional


def answer_sums(wrong: Bool[Tensor, "batch time"], mask: Bool[Tensor, "batch time"]) -> dict[str, float]:
    """Return the number of answers without a wrong step, `right`, and that of all answers, `answers`.

    An answer is a run of scored steps, so that at least one step that is not scored lies between two answers.

    Args:
        wrong: whether the output of each step is wrong; ignored at steps that are not scored.
        mask: which steps are scored.
    """
    begins = mask & ~functional.pad(mask[:, :-1], (1, 0))
    number = begins.long().cumsum(1) * mask
    mistakes = number.new_zeros(len(mask), mask.shape[1] + 1).scatter_add(1, number, (wrong & mask).long())
    answers = int(begins.sum())
    return {"right": float(answers - int((mistakes > 0).sum())), "answers": float(answers)}

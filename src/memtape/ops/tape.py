"""Tape: writes at the head of a tape and moves of its head, for tapes that are stored from the cell under the head on."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor


def write_at_head(
    tape: Float[Tensor, "batch tapes slots width"], values: Float[Tensor, "batch tapes width"], *, add: bool = False
) -> Float[Tensor, "batch tapes slots width"]:
    r"""Replace the cell under the head, or add to it.

    $$M'[0] = v \;\text{or}\; M[0] + v, \qquad M'[i] = M[i] \;\text{for}\; i > 0$$

    Args:
        tape: $M$, each tape from the cell under its head on.
        values: $v$, a value for each tape.
        add: add the values (else they replace the contents).

    Returns:
        $M'$, a new tensor.

    References:
        Deletang et al. (2023), "Neural networks and the Chomsky hierarchy", arXiv:2207.02098, appendix A; addition: Suzgun
        et al. (2019), "Memory-augmented recurrent neural networks can learn generalized Dyck languages", arXiv:1911.03329.
    """
    first = tape[:, :, 0] + values if add else values
    return torch.cat([first[:, :, None], tape[:, :, 1:]], dim=2)


def move_with_jumps(
    tape: Float[Tensor, "batch tapes slots width"],
    actions: Float[Tensor, "batch tapes 5"],
    jump_length: Int64[Tensor, " batch"],
) -> Float[Tensor, "batch tapes slots width"]:
    r"""Move the head of a circular tape by 0, 1, -1, $L$ and $-L$ cells, each with its probability.

    $$M'[i] = a_0 M[i] + a_1 M[i + 1] + a_2 M[i - 1] + a_3 M[i + L] + a_4 M[i - L] \qquad \text{(indices modulo the slots)}$$

    Args:
        tape: $M$, each tape from the cell under its head on.
        actions: $a$, the probabilities of: stay, move right, move left, jump right, jump left.
        jump_length: $L$, the length of a jump in each row.

    Returns:
        $M'$, a new tensor.

    References:
        Deletang et al. (2023), "Neural networks and the Chomsky hierarchy", arXiv:2207.02098, appendix A, and its code.
    """
    places = torch.arange(tape.shape[2], device=tape.device)

    def jumped(cells: Tensor) -> Tensor:
        source = (places + cells[:, None]) % tape.shape[2]
        return tape.gather(2, source[:, None, :, None].expand(tape.shape))

    stay, right, left, jump_right, jump_left = actions[..., None, None].unbind(2)
    near = stay * tape + right * tape.roll(-1, dims=2) + left * tape.roll(1, dims=2)
    return near + jump_right * jumped(jump_length) + jump_left * jumped(-jump_length)


def move_with_blanks(
    tape: Float[Tensor, "batch tapes slots width"], actions: Float[Tensor, "batch tapes 5"]
) -> Float[Tensor, "batch tapes slots width"]:
    r"""Move the head by 0, 1 and -1 cells of a circular tape, or of a tape that loses a cell and gets a blank one.

    $$M'[i] = a_0 M[i] + a_1 M[i + 1] + a_2 M[i - 1] + a_3 M_0[i + 1] + a_4 M_0[i - 1]$$

    The indices of $M$ are modulo the slots; $M_0$ is zero outside the tape.

    Args:
        tape: $M$, each tape from the cell under its head on.
        actions: $a$, the probabilities of: stay, move right, move left, move right and blank the cell that was left, move
            left onto a blank cell.

    Returns:
        $M'$, a new tensor.

    References:
        Suzgun et al. (2019), "Memory-augmented recurrent neural networks can learn generalized Dyck languages",
        arXiv:1911.03329, section 3, and its code.
    """
    stay, right, left, right_blank, left_blank = actions[..., None, None].unbind(2)
    zero = torch.zeros_like(tape[:, :, :1])
    circular = stay * tape + right * tape.roll(-1, dims=2) + left * tape.roll(1, dims=2)
    return (
        circular
        + right_blank * torch.cat([tape[:, :, 1:], zero], dim=2)
        + left_blank * torch.cat([zero, tape[:, :, :-1]], dim=2)
    )


def fixed_tape(
    tape: Float[Tensor, "batch tapes slots width"], head_weights: Float[Tensor, "batch tapes slots"]
) -> Float[Tensor, "batch tapes slots width"]:
    r"""Return a tape from its first cell on, given the position of its head.

    $$F[j] = \sum_p w[p]\, M[j - p] \qquad \text{(indices modulo the slots)}$$

    Args:
        tape: $M$, each tape from the cell under its head on.
        head_weights: $w$, the distribution of the position of each head.

    Returns:
        $F$; exact if the position is certain, else the mean over the positions.
    """
    places = torch.arange(tape.shape[2], device=tape.device)
    turned = tape[:, :, (places[None] - places[:, None]) % tape.shape[2]]
    return torch.einsum("bkp,bkpjw->bkjw", head_weights, turned)

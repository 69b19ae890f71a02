"""MANN: the memory-augmented neural network of Santoro et al., which learns classes from a few examples."""

from typing import Literal

from memtape.core.card import ModelCard
from memtape.core.cell import FusedRun
from memtape.core.recurrent import Recurrent, runs
from memtape.memory import LeastUsedInterface, LeastUsedMemory
from memtape.memory.program_options import program_options
from memtape.models.machine.augmented import AugmentedCell, AugmentedState
from memtape.models.machine.controller import controller_of
from memtape.models.machine.machine_cell import MachineCell
from memtape.models.machine.resizable import Resizable
from memtape.models.machine.scheduled import OF_THE_SCHEDULE, scheduled
from memtape.sharing.shareable import constructor_arguments


class MANNCell(MachineCell):
    r"""Compute one step of a memory-augmented neural network with least recently used access.

    The controller receives the input and the last read vectors. Each head writes to the slots that it read last or to one of
    the least used slots, then reads by the cosine similarity of its key to all slots (`memtape.memory.LeastUsedMemory` has the
    equations). The output is a linear map of the controller's output and the read vectors.

    Args:
        input_size: size of one input vector.
        output_size: size of one output vector; outputs are logits.
        slots: number of slots of the memory; no parameter depends on it, unless the initial memory is learned or random.
        width: size of one slot.
        heads: number of heads; each reads and writes in every step.
        controller: kind of controller.
        controller_size: number of hidden units of each layer of the controller.
        controller_layers: number of layers of the controller.
        usage_decay: factor of the usage per step; the paper has 0.99.
        initial_memory: initial contents of the slots: 1e-6 everywhere; 1 / (slots · width); learned; random and then fixed; or
            zeros.
        initial_weights: initial read weights of each head and initial usage: one at slot 0, uniform, or zeros.
        initial_reads: initial read vectors: zeros, or learned.
        initial_controller: initial state of the controller: zeros, or learned.
        add_keys: add the keys to the memory, as in the paper (else add vectors of their own).
        squash: apply tanh to keys and add vectors (else linear).
        clip: bound of the absolute value of every entry of the interface vector; none for no bound.
        programs: number of stored programs of each head, maps to its interface of which the controller chooses a mixture in
            each step; none for one linear map, as in the paper.
        program_key_size: size of the keys of programs; none for the number of programs.
        program_addressing: scores of programs: the cosine of the tanh of key and query, the plain cosine, or directly the
            controller's query, without keys.
        hard_programs: take the best program instead of a mixture, in training after adding noise.
        program_temperature: divides the noisy scores of hard programs in training.
        writing: steps in which the memory is accessed: every one; uniform, in intervals; cached, the same with attention over
            the hidden vectors of the last interval; or random ones.
        writing_steps: number of steps that follow the rule, such as the length of a source; in later ones, such as those of a
            decoder, every step has an access. None for all; random steps need it.
        writing_interval: steps from one access to the next; none for `writing_steps` / (`slots` + 1), rounded down.
        writing_from_zero: count steps from 0, as the authors' code, with `writing_steps` + 1 in the default interval.
        writing_seed: seed of the random steps.
        hold_reads: between accesses the read vectors stay the same, too (else the heads read in each step).
        cache_attention_size: number of units of the attention over cached hidden vectors.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, there are more heads than slots, a choice is unknown, the decay is outside 0..1,
            or an option of programs is given without them.

    References:
        Santoro et al. (2016), "One-shot learning with memory-augmented neural networks", arXiv:1605.06065; sizes and initial
        values: its public implementation ntm-one-shot; `programs`: Le, Tran & Venkatesh (2020), "Neural stored-program
        memory", arXiv:1906.08862.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        slots: int = 128,
        width: int = 40,
        heads: int = 4,
        controller: Literal["lstm", "gru", "rnn", "feedforward"] = "lstm",
        controller_size: int = 200,
        controller_layers: int = 1,
        usage_decay: float = 0.95,
        initial_memory: Literal["constant", "even", "learned", "random", "zeros"] = "constant",
        initial_weights: Literal["one-hot", "uniform", "zeros"] = "one-hot",
        initial_reads: Literal["learned", "zeros"] = "zeros",
        initial_controller: Literal["learned", "zeros"] = "zeros",
        add_keys: bool = False,
        squash: bool = True,
        clip: float | None = 20.0,
        programs: int | None = None,
        program_key_size: int | None = None,
        program_addressing: Literal["cosine-of-tanh", "cosine", "direct"] = "cosine-of-tanh",
        hard_programs: bool = False,
        program_temperature: float = 1.0,
        writing: Literal["every", "uniform", "cached", "random"] = "every",
        writing_steps: int | None = None,
        writing_interval: int | None = None,
        writing_from_zero: bool = False,
        writing_seed: int = 0,
        hold_reads: bool = True,
        cache_attention_size: int = 16,
    ):
        options = constructor_arguments(locals())
        super().__init__()
        self.input_size, self.output_size = input_size, output_size
        memory = LeastUsedMemory(
            slots,
            width,
            heads=heads,
            usage_decay=usage_decay,
            initial_memory=initial_memory,
            initial_weights=initial_weights,
        )
        machine = AugmentedCell(
            controller_of(
                controller, input_size + memory.read_size, controller_size, controller_layers, initial_controller
            ),
            LeastUsedInterface(
                controller_size,
                width,
                heads=heads,
                add_keys=add_keys,
                squash=squash,
                clip=clip,
                programs=program_options(options),
            ),
            memory,
            input_size=input_size,
            output_size=output_size,
            initial_reads=initial_reads,
        )
        self.machine = scheduled(machine, slots, **{name: options[name] for name in OF_THE_SCHEDULE})

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return None, since there is no fused kernel of this machine yet."""
        return None


class MANN(Recurrent[AugmentedState], Resizable):
    """Run a memory-augmented neural network over sequences; the arguments are those of `MANNCell`.

    Example:
        >>> import torch
        >>> from memtape.models.mann.mann import MANN
        >>> ys, state = MANN(input_size=405, output_size=5)(torch.zeros(2, 7, 405))
        >>> ys.shape, state.memory.usage.shape
        (torch.Size([2, 7, 5]), torch.Size([2, 128]))
    """

    __init__ = runs(MANNCell)


CARD = ModelCard(
    name="mann",
    summary="Memory-augmented neural network: heads that write to the slots read last or to the least used ones.",
    paper=("santoro2016",),
    inputs=("sequences",),
    small={"slots": 6, "width": 3, "heads": 2, "controller_size": 4, "initial_memory": "random"},
)

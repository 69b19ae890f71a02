"""NSRNN: a recurrent network with a nondeterministic stack."""

from typing import Any, Literal

import torch
from torch import Tensor

from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.cell import FusedRun
from memtape.core.evaluation_mode import evaluation_mode
from memtape.core.recurrent import Recurrent, runs
from memtape.core.symbols import vectors_of
from memtape.memory import NondeterministicStack, NondeterministicStackInterface, StackRun, best_run
from memtape.models.machine.augmented import AugmentedCell, AugmentedState
from memtape.models.machine.controller import controller_of
from memtape.models.machine.machine_cell import MachineCell
from memtape.models.stack.fused_nsrnn import fused_nsrnn
from memtape.sharing.shareable import Shareable


class NSRNNCell(MachineCell):
    r"""Compute one step of a recurrent network with a nondeterministic stack.

    The controller receives the input and the reading of the stack. Its hidden vector gives the weights of all operations of a
    pushdown automaton, of which the stack follows all runs at once (`memtape.memory.NondeterministicStack` has the
    equations). The reading is the distribution of the state and the top symbol, or the mean vectors in the top cells. The
    output is a linear map of the hidden vector.

    The defaults are those of the RNS-RNN (2023). The NS-RNN (2020) has normalised weights and reads symbols alone; the
    VRNS-RNN (2023) has vectors.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        states: number of states of the automaton.
        stack_symbols: number of stack symbols, including the bottom symbol.
        vector_size: size of the vector in each cell of the stack; 0 for symbols alone.
        normalised: normalise the weights of all operations from one state and top symbol.
        reading: read the distribution over states and symbols, or over symbols alone.
        bottom: vector of the bottom cell: learned, ones or zeros.
        window: number of steps after which a run is dropped in which the top cell has not been pushed; none for no limit.
            Memory and time then grow in proportion to the number of steps, otherwise to its square and its cube.
        controller: kind of controller; "feedforward" has no recurrent connections.
        controller_size: number of hidden units of each layer of the controller.
        controller_layers: number of layers of the controller.
        activation: activation of the units of an rnn or feedforward controller.
        reads_to_output: compute the output from the reading after the step's operation, too (else from the hidden vector
            alone).
        initial_controller: initial state of the controller: zeros, or learned.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, the vector size is below 0, or a choice is unknown.

    References:
        DuSell & Chiang (2020), "Learning context-free languages with nondeterministic stack RNNs", arXiv:2010.04674; (2022),
        "Learning hierarchical structures with differentiable nondeterministic stacks", arXiv:2109.01982; (2023), "The
        surprising computational power of nondeterministic stack RNNs", arXiv:2210.01343.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        states: int = 2,
        stack_symbols: int = 2,
        vector_size: int = 0,
        normalised: bool = False,
        reading: Literal["states", "symbols"] = "states",
        bottom: Literal["learned", "ones", "zeros"] = "learned",
        window: int | None = None,
        controller: Literal["lstm", "gru", "rnn", "feedforward"] = "lstm",
        controller_size: int = 20,
        controller_layers: int = 1,
        activation: Literal["tanh", "relu", "sigmoid"] = "tanh",
        reads_to_output: bool = False,
        initial_controller: Literal["zeros", "learned"] = "zeros",
    ):
        super().__init__()
        checks.module_sizes(
            self, input_size=input_size, output_size=output_size, states=states, stack_symbols=stack_symbols
        )
        self.input_size, self.output_size = input_size, output_size
        memory = NondeterministicStack(
            states, stack_symbols, vector_size=vector_size, reading=reading, bottom=bottom, window=window
        )
        self.machine = AugmentedCell(
            controller_of(
                controller,
                input_size + memory.read_size,
                controller_size,
                controller_layers,
                initial_controller,
                activation=activation,
            ),
            NondeterministicStackInterface(
                controller_size, states, stack_symbols, vector_size=vector_size, normalised=normalised
            ),
            memory,
            input_size=input_size,
            output_size=output_size,
            initial_reads="memory",
            reads_to_output=reads_to_output,
        )

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return the fused kernel on a backend, None if there is none or an option needs the reference."""
        return fused_nsrnn(self.machine, backend)


class NSRNN(Recurrent[AugmentedState], Shareable):
    """Run a recurrent network with a nondeterministic stack over sequences; the arguments are those of `NSRNNCell`.

    Example:
        >>> import torch
        >>> from memtape.models.stack.nsrnn import NSRNN
        >>> network = NSRNN(input_size=3, output_size=3, states=2, stack_symbols=3)
        >>> ys, state = network(torch.tensor([[0, 1, 2, 2, 1]]))
        >>> ys.shape, state.reads.shape  # the reading has a share for each state and stack symbol
        (torch.Size([1, 5, 3]), torch.Size([1, 6]))
    """

    __init__ = runs(NSRNNCell)

    @torch.no_grad()
    def best_run(self, xs: Tensor, *, end: tuple[int, int] | None = None, row: int = 0) -> StackRun | None:
        """Return the run of the stack with the largest weight over one sequence, in evaluation mode.

        Args:
            xs: the inputs, as those of `forward`, with one step or more.
            end: state and top symbol after the last step; None for any.
            row: the row of the batch.

        Returns:
            The run, or None if no run has a positive weight.

        Raises:
            ValueError: the stack has a window, there is no step, or an argument has the wrong shape, dtype or value.
        """
        _, vectors = vectors_of(self.cell, xs)
        checks.sequences(self.cell, vectors)
        cell: Any = self.cell
        state, controls = self.init_state(1), []
        with evaluation_mode(self):
            for x in vectors[row : row + 1].unbind(1):
                controls.append(cell.control(x, state))
                _, state = cell(x, state)
        return best_run(cell.machine.memory, controls, end=end)


CARD = ModelCard(
    name="nsrnn",
    summary="Recurrent network with a nondeterministic stack: all runs of a weighted pushdown automaton at once.",
    paper=("dusell2020", "dusell2022", "dusell2023"),
    inputs=("sequences",),
    small={"states": 2, "stack_symbols": 2, "vector_size": 2, "window": 5, "controller_size": 4},
)

"""StackRNN: a recurrent network with superposition stacks."""

from typing import Literal

from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.cell import FusedRun
from memtape.core.recurrent import Recurrent, runs
from memtape.memory import SuperpositionStack, SuperpositionStackInterface
from memtape.models.machine.augmented import AugmentedState
from memtape.models.machine.machine_cell import MachineCell
from memtape.models.stack.assembly import superposition_machine
from memtape.models.stack.fused_stackrnn import fused_stackrnn
from memtape.sharing.shareable import Shareable, constructor_arguments


class StackRNNCell(MachineCell):
    r"""Compute one step of a recurrent network with superposition stacks.

    $$h_t = f\bigl(U x_t + R h_{t-1} + \textstyle\sum_s P_s s_{t-1}[0..k-1]\bigr), \qquad
    a_t = \operatorname{softmax}(A h_t), \qquad v_t = \phi(D h_t), \qquad y_t = V h_t$$

    The controller receives the input and the top cells of the stacks. Its hidden vector gives the probabilities of push, pop
    and no-op of each stack, the values to push, and the output (`memtape.memory.SuperpositionStack` has the equations of a
    stack). With the default controller there is no $R$, so that the stacks are the only memory.

    The defaults are those of Joulin & Mikolov. Delétang et al. use one stack of width 8, one visible cell with an empty
    value of 0, no-op, linear values, biases, and a recurrent controller of 256 relu units.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        stacks: number of stacks, each with its own actions.
        width: size of one cell of a stack.
        visible: number of top cells of each stack that the controller receives.
        no_op: whether there is a third action besides push and pop, which keeps the stack.
        joint_actions: apply one softmax to the actions of all stacks, so that these share a probability of 1 (else one
            softmax to the actions of each stack); it requires an empty value of 0.
        push_activation: activation of the pushed values.
        empty: value of an empty cell.
        controller: kind of controller; "feedforward" has no recurrent connections.
        controller_size: number of hidden units of each layer of the controller.
        controller_layers: number of layers of the controller.
        activation: activation of the units of an rnn or feedforward controller.
        biases: whether an rnn or feedforward controller, the interface and the output have biases.
        reads_to_output: compute the output from the top cells after the step's actions, too (else from the hidden vector
            alone).
        round_actions: in evaluation mode, replace probabilities by 1 for the most probable action and 0 for the others.
        initial_controller: initial state of the controller: zeros, or learned.
        max_depth: number of cells of a stack above which a step raises an error; none for no limit.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, a choice is unknown, or joint actions are combined with an empty value other than 0.

    References:
        Joulin & Mikolov (2015), "Inferring algorithmic patterns with stack-augmented recurrent nets", arXiv:1503.01007;
        Delétang et al. (2023), "Neural networks and the Chomsky hierarchy", arXiv:2207.02098.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        stacks: int = 10,
        width: int = 1,
        visible: int = 2,
        no_op: bool = False,
        joint_actions: bool = False,
        push_activation: Literal["sigmoid", "tanh", "linear"] = "sigmoid",
        empty: float = -1.0,
        controller: Literal["feedforward", "rnn", "lstm", "gru"] = "feedforward",
        controller_size: int = 40,
        controller_layers: int = 1,
        activation: Literal["sigmoid", "tanh", "relu"] = "sigmoid",
        biases: bool = False,
        reads_to_output: bool = False,
        round_actions: bool = False,
        initial_controller: Literal["zeros", "learned"] = "zeros",
        max_depth: int | None = None,
    ):
        options = constructor_arguments(locals())
        super().__init__()
        checks.module_sizes(
            self, input_size=input_size, output_size=output_size, stacks=stacks, width=width, visible=visible
        )
        checks.module_sizes(self, controller_size=controller_size, controller_layers=controller_layers)
        if joint_actions and empty:
            raise ValueError(
                f"empty is {empty}, but with joint_actions the probabilities of a stack do not sum to 1 and empty cells must "
                "be 0; give empty=0 or separate actions"
            )
        self.input_size, self.output_size = input_size, output_size
        memory = SuperpositionStack(
            width, stacks=stacks, visible=visible, empty=empty, round_actions=round_actions, max_depth=max_depth
        )
        self.machine = superposition_machine(
            memory,
            SuperpositionStackInterface,
            options,
            stacks=stacks,
            no_op=no_op,
            joint_actions=joint_actions,
            push_activation=push_activation,
        )

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return the fused kernel on a backend, None if there is none or an option needs the reference."""
        return fused_stackrnn(self.machine, backend)


class StackRNN(Recurrent[AugmentedState], Shareable):
    """Run a recurrent network with superposition stacks over sequences; the arguments are those of `StackRNNCell`.

    Example:
        >>> import torch
        >>> from memtape.models.stack.stackrnn import StackRNN
        >>> network = StackRNN(input_size=3, output_size=3, stacks=2, controller_size=10)
        >>> ys, state = network(torch.tensor([[0, 0, 1, 1]]))
        >>> ys.shape, state.memory.cells.shape  # a stack has one cell for each step
        (torch.Size([1, 4, 3]), torch.Size([1, 2, 4, 1]))
    """

    __init__ = runs(StackRNNCell)


CARD = ModelCard(
    name="stackrnn",
    summary="Recurrent network with stacks, whose cells are means over push, pop and no-op.",
    paper=("joulin2015", "deletang2023"),
    inputs=("sequences",),
    small={"stacks": 2, "width": 2, "no_op": True, "controller_size": 4},
)

"""ListRNN: a recurrent network with superposition lists."""

from typing import Literal

from memtape.core import checks
from memtape.core.card import ModelCard
from memtape.core.cell import FusedRun
from memtape.core.recurrent import Recurrent, runs
from memtape.memory import SuperpositionList, SuperpositionListInterface
from memtape.models.machine.augmented import AugmentedState
from memtape.models.machine.machine_cell import MachineCell
from memtape.models.stack.assembly import superposition_machine
from memtape.sharing.shareable import Shareable, constructor_arguments


class ListRNNCell(MachineCell):
    r"""Compute one step of a recurrent network with superposition lists.

    $$h_t = f\bigl(U x_t + R h_{t-1} + \textstyle\sum_s P_s L^{(s)}_{t-1}[\text{head}..]\bigr), \qquad
    a_t = \operatorname{softmax}(A h_t), \qquad v_t = \phi(D h_t), \qquad y_t = V h_t$$

    The controller receives the input and the cells of each list from its head on. Its hidden vector gives the probabilities
    of left, right, insert and no-op of each list, the values to insert, and the output (`memtape.memory.SuperpositionList`
    has the equations of a list). With the default controller there is no $R$, so that the lists are the only memory. The code
    of the authors has no list, so that this network is not compared with theirs.

    Args:
        input_size: size of one input vector, or number of symbols.
        output_size: size of one output vector; outputs are logits.
        lists: number of lists, each with its own actions.
        width: size of one cell of a list.
        visible: number of cells of each list that the controller receives, from the head on.
        no_op: whether there is a fourth action besides left, right and insert, which keeps the list and the head.
        insert_activation: activation of the inserted values.
        empty: value of an empty cell.
        controller: kind of controller; "feedforward" has no recurrent connections.
        controller_size: number of hidden units of each layer of the controller.
        controller_layers: number of layers of the controller.
        activation: activation of the units of an rnn or feedforward controller.
        biases: whether an rnn or feedforward controller, the interface and the output have biases.
        reads_to_output: compute the output from the cells after the step's actions, too (else from the hidden vector alone).
        round_actions: in evaluation mode, replace probabilities by 1 for the most probable action and 0 for the others.
        initial_controller: initial state of the controller: zeros, or learned.
        max_depth: number of cells on one side of a head above which a step raises an error; none for no limit.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or a choice is unknown.

    References:
        Joulin & Mikolov (2015), "Inferring algorithmic patterns with stack-augmented recurrent nets", arXiv:1503.01007,
        section 3.3.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        lists: int = 5,
        width: int = 1,
        visible: int = 2,
        no_op: bool = False,
        insert_activation: Literal["sigmoid", "tanh", "linear"] = "sigmoid",
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
            self, input_size=input_size, output_size=output_size, lists=lists, width=width, visible=visible
        )
        checks.module_sizes(self, controller_size=controller_size, controller_layers=controller_layers)
        self.input_size, self.output_size = input_size, output_size
        memory = SuperpositionList(
            width, lists=lists, visible=visible, empty=empty, round_actions=round_actions, max_depth=max_depth
        )
        self.machine = superposition_machine(
            memory,
            SuperpositionListInterface,
            options,
            lists=lists,
            no_op=no_op,
            insert_activation=insert_activation,
        )

    def fused(self, backend: str) -> FusedRun[AugmentedState] | None:
        """Return None, since there is no fused kernel of this machine."""
        return None


class ListRNN(Recurrent[AugmentedState], Shareable):
    """Run a recurrent network with superposition lists over sequences; the arguments are those of `ListRNNCell`.

    Example:
        >>> import torch
        >>> from memtape.models.stack.listrnn import ListRNN
        >>> ys, state = ListRNN(input_size=3, output_size=3, lists=2)(torch.tensor([[0, 0, 1, 1]]))
        >>> ys.shape, state.memory.after.shape  # each side of a head has one cell for each step
        (torch.Size([1, 4, 3]), torch.Size([1, 2, 4, 1]))
    """

    __init__ = runs(ListRNNCell)


CARD = ModelCard(
    name="listrnn",
    summary="Recurrent network with lists, whose cells are means over moves of a head and inserts.",
    paper=("joulin2015",),
    inputs=("sequences",),
    small={"lists": 2, "width": 2, "no_op": True, "controller_size": 4},
)

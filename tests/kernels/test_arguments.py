"""Arguments: what a fused kernel refuses before it reads or writes any memory."""

import pytest
import torch
from torch import nn

from memtape import DNC, GRU, NTM, SAM, SDNC, Leaky, StackedLSTM, use_backend
from memtape.core import compiled_library as loading

pytestmark = pytest.mark.usefixtures("shapes_unchecked")


@pytest.fixture(autouse=True)
def kernels_are_present():
    if loading.kernels().absent is not None:
        pytest.skip(f"the fused kernels are absent: {loading.kernels().absent}")


MACHINES = {
    "ntm": lambda: NTM(3, 2, slots=6, width=4, controller_size=5),
    "dnc": lambda: DNC(3, 2, slots=6, width=4, controller_size=5),
    "sam": lambda: SAM(3, 2, slots=6, width=4, controller_size=5, nearest=2),
    "sdnc": lambda: SDNC(3, 2, slots=6, width=4, controller_size=5, nearest=2),
    "cached": lambda: NTM(3, 2, slots=6, width=4, controller_size=5, writing="cached", writing_interval=3),
}


def machine_of(network):
    return getattr(network.cell.machine, "machine", network.cell.machine)


def run(network, xs=None):
    with use_backend("cpu"):
        ys, _ = network(torch.randn(2, 4, network.input_size) if xs is None else xs)
    ys.sum().backward()


@pytest.mark.parametrize("name", MACHINES)
def test_a_layer_of_another_size_is_refused(name):
    network = MACHINES[name]()
    machine_of(network).to_output = nn.Linear(100, 5)
    with pytest.raises(
        ValueError, match=r"got output_weight of shape \(5, 100\), but the other .* need .* = \(5, \d+\)"
    ):
        run(network)


@pytest.mark.parametrize("name", MACHINES)
def test_a_layer_of_another_dtype_is_refused(name):
    network = MACHINES[name]()
    machine_of(network).to_output.double()
    with pytest.raises(ValueError, match="got output_weight as float64 on cpu, but xs as float32 on cpu"):
        run(network)


@pytest.mark.parametrize("name", MACHINES)
def test_a_bias_of_another_size_is_refused(name):
    network = MACHINES[name]()
    machine_of(network).to_output.bias = nn.Parameter(torch.zeros(1))
    with pytest.raises(ValueError, match="got output_weight of shape"):
        run(network)


def operator_arguments(operator_calls, network, backward=False):
    """Return the arguments of the operator's last call on a backend."""
    with operator_calls:
        run(network)
    calls = [call for call in operator_calls.calls if ("backward" in str(call[0])) == backward]
    return calls[-1]


def refused(operator, given, at):
    """Raise unless an operator refuses other dtypes and shapes of a tensor; return how many it refused."""
    tensor = given[at]
    others = (tensor.double(), torch.cat([tensor, tensor]), tensor[None])
    wrong = [other for other in others if other.shape != tensor.shape or other.dtype != tensor.dtype]
    for other in wrong:
        with pytest.raises(ValueError, match="the fused"):
            operator(*given[:at], other, *given[at + 1 :])
    return len(wrong)


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("backward", [False, True])
def test_every_tensor_of_a_machine_is_checked(name, backward, operator_calls):
    operator, given = operator_arguments(operator_calls, MACHINES[name](), backward)
    checked = 0
    for at, tensor in enumerate(given):
        if not isinstance(tensor, torch.Tensor) or not tensor.is_floating_point():
            continue
        checked += refused(operator, given, at)
    assert checked > 30


@pytest.mark.parametrize("name", MACHINES)
def test_numbers_of_a_form_are_checked(name, operator_calls):
    operator, given = operator_arguments(operator_calls, MACHINES[name]())
    *tensors, lengths, accesses, places, integers, floats, keep = given
    for at in range(len(integers)):
        for wrong in (-1, 2**40):
            changed = [*integers[:at], wrong, *integers[at + 1 :]]
            with pytest.raises(ValueError, match="it must be in 0"):
                operator(*tensors, lengths, accesses, places, changed, floats, keep)
    with pytest.raises(ValueError, match="give every number of the form"):
        operator(*tensors, lengths, accesses, places, integers[1:], floats, keep)


@pytest.mark.parametrize("lengths", [torch.tensor([5, 1]), torch.tensor([-1, 1]), torch.tensor([1]), torch.ones(2)])
@pytest.mark.parametrize("name", MACHINES)
def test_lengths_are_checked(name, lengths, operator_calls):
    operator, given = operator_arguments(operator_calls, MACHINES[name]())
    *tensors, _, accesses, places, integers, floats, keep = given
    with pytest.raises(ValueError, match="got lengths"):
        operator(*tensors, lengths, accesses, places, integers, floats, keep)


@pytest.mark.parametrize("accesses", [torch.ones(2, 4), torch.ones(2, 3, dtype=torch.bool), torch.ones(2).bool()])
@pytest.mark.parametrize("name", MACHINES)
def test_accesses_are_checked(name, accesses, operator_calls):
    operator, given = operator_arguments(operator_calls, MACHINES[name]())
    *tensors, lengths, _, places, integers, floats, keep = given
    with pytest.raises(ValueError, match="got accesses"):
        operator(*tensors, lengths, accesses, places, integers, floats, keep)


@pytest.mark.parametrize("places", [torch.ones(2, 4), torch.zeros(2, 3).long(), torch.full((2, 4), 3), None])
def test_places_are_checked(places, operator_calls):
    operator, given = operator_arguments(operator_calls, MACHINES["cached"]())
    *tensors, lengths, accesses, _, integers, floats, keep = given
    with pytest.raises(ValueError, match=r"got places|got a place 3, but a cache of 3|of 3 vectors without places"):
        operator(*tensors, lengths, accesses, places, integers, floats, keep)


def test_a_cache_without_attention_is_refused(operator_calls):
    operator, given = operator_arguments(operator_calls, MACHINES["ntm"]())
    *tensors, cache, lengths, accesses, _, integers, floats, keep = given
    with pytest.raises(ValueError, match="got a cache of 3 vectors and attention of 0 units; give both or neither"):
        operator(*tensors, cache.new_zeros(2, 3, 5), lengths, accesses, None, integers, floats, keep)


RECURRENCES = {
    "peepholes": lambda: StackedLSTM(3, 2, hidden_size=4, peepholes=True),
    "normalised": lambda: StackedLSTM(3, 2, hidden_size=4, layer_norm=True),
    "gru": lambda: GRU(3, 2, hidden_size=4),
    "leaky": lambda: Leaky(3, 2, hidden_size=4),
}


@pytest.mark.parametrize("name", RECURRENCES)
@pytest.mark.parametrize("backward", [False, True])
def test_every_tensor_of_a_recurrence_is_checked(name, backward, operator_calls):
    operator, given = operator_arguments(operator_calls, RECURRENCES[name](), backward)
    checked = 0
    for at, tensor in enumerate(given):
        if not isinstance(tensor, torch.Tensor) or not tensor.is_floating_point():
            continue
        checked += refused(operator, given, at)
    assert checked >= 6


def test_absent_and_superfluous_tensors_of_a_recurrence_are_refused(operator_calls):
    operator, given = operator_arguments(operator_calls, RECURRENCES["peepholes"]())
    names = [argument.name for argument in operator._schema.arguments]
    cell, leak, gain = (names.index(name) for name in ("cell", "leak", "cell_gain"))
    with pytest.raises(ValueError, match="of kind 'lstm' got no cell"):
        operator(*given[:cell], None, *given[cell + 1 :])
    with pytest.raises(ValueError, match="got leak, which it does not have"):
        operator(*given[:leak], torch.zeros(4), *given[leak + 1 :])
    with pytest.raises(ValueError, match="only one of cell_gain and cell_bias"):
        operator(*given[:gain], torch.zeros(4), *given[gain + 1 :])


def test_every_tensor_of_a_scan_is_checked():
    decay, added, first = torch.rand(1, 1, 3), torch.randn(2, 4, 3), torch.zeros(2, 3)
    scan = torch.ops.memtape.scan
    assert scan(decay, added, first, None, None, None)[0].shape == (2, 4, 3)
    for wrong in (
        (decay[..., :2], added, first, None, None, None),
        (decay.expand(2, 3, 3), added, first, None, None, None),
        (decay, added, first[:1], None, None, None),
        (decay, added.double(), first, None, None, None),
        (decay, added, first, first[:1], torch.zeros(2, 4, dtype=torch.bool), None),
        (decay, added, first, first, torch.zeros(2, 3, dtype=torch.bool), None),
        (decay, added, first, first, torch.zeros(2, 4), None),
        (decay, added, first, first, None, None),
        (decay, added, first, None, None, torch.tensor([5, 1])),
        (decay[..., None], added[..., None], first[..., None], None, None, None),
    ):
        with pytest.raises(ValueError, match="the fused scan"):
            scan(*wrong)


def test_more_slots_than_indices_distinguish_are_refused():
    with pytest.raises(ValueError, match=r"2147483647.*give fewer slots"):
        SAM(1, 1, slots=2**31 - 1, width=1)

"""What `memtape.nn` refuses: torch's kinds of error, in one sentence with the cure."""

import pytest
import torch
from torch.nn.utils.rnn import pack_sequence

import memtape

KINDS = ["LSTM", "GRU", "RNN"]

pytestmark = pytest.mark.usefixtures("shapes_unchecked")


def layers(kind, **options):
    return getattr(memtape.nn, kind)(3, 4, **options)


def state(kind, *shape, dtype=torch.float32):
    hidden = torch.zeros(shape, dtype=dtype)
    return (hidden, hidden) if kind == "LSTM" else hidden


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"dropout": 1.1}, ValueError, "dropout should be a number in range"),
        ({"dropout": True}, ValueError, "dropout should be a number in range"),
        ({"num_layers": 0}, ValueError, "num_layers must be greater than zero"),
        ({"bias": 1}, TypeError, "bias should be of type bool"),
        ({"batch_first": 1}, TypeError, "batch_first should be of type bool"),
        ({"zoneout": 1.5}, ValueError, r"zoneout is 1.5, but it is a probability; give a number in 0..1"),
        ({"variational_dropout": -0.5}, ValueError, "variational_dropout is -0.5, but it is a probability"),
    ],
)
def test_wrong_arguments(kind, options, error, match):
    with pytest.raises(error, match=match):
        layers(kind, **options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("sizes", "error"), [((0, 4), ValueError), ((3, 0), ValueError), ((3, 4.0), TypeError)])
def test_wrong_sizes(kind, sizes, error):
    with pytest.raises(error, match="size"):
        getattr(memtape.nn, kind)(*sizes)


@pytest.mark.parametrize(("proj_size", "match"), [(4, "smaller than hidden_size"), (-1, "positive integer or zero")])
def test_wrong_projections(proj_size, match):
    with pytest.raises(ValueError, match=match):
        layers("LSTM", proj_size=proj_size)


@pytest.mark.parametrize("option", ["layer_norm", "peepholes", "zoneout", "zoneout_cell", "variational_dropout"])
def test_projections_beside_other_options(option):
    match = f"proj_size is 2 beside {option}, but projections have no further options; leave one of the two out"
    with pytest.raises(ValueError, match=match):
        layers("LSTM", proj_size=2, **{option: True if option in ("layer_norm", "peepholes") else 0.5})


def test_an_unknown_nonlinearity():
    with pytest.raises(ValueError, match="nonlinearity is 'gelu', but it must be one of 'tanh', 'relu'; choose one"):
        layers("RNN", nonlinearity="gelu")


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_of_one_layer_warns_as_torch_does(kind):
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last recurrent layer"):
        layers(kind, dropout=0.5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("shape", "error", "match"),
    [
        ((3,), ValueError, r"the input has shape \(3,\), but {} takes 2 or 3 axes, the last one of size 3; reshape"),
        ((2, 5, 1, 3), ValueError, "takes 2 or 3 axes"),
        (
            (2, 5, 2),
            RuntimeError,
            r"shape \(2, 5, 2\), but the last axis of {} has the input_size 3; reshape the input",
        ),
        ((5, 2), RuntimeError, "the last axis of {} has the input_size 3"),
        ((0, 5, 3), RuntimeError, "the input has no steps, but {} needs at least one; leave empty sequences out"),
        ((0, 3), RuntimeError, "the input has no steps"),
    ],
)
def test_inputs_of_a_wrong_shape(kind, shape, error, match):
    with pytest.raises(error, match=match.format(kind)):
        layers(kind)(torch.zeros(shape))


@pytest.mark.parametrize("kind", KINDS)
def test_packed_inputs_of_a_wrong_size(kind):
    with pytest.raises(RuntimeError, match=f"the last axis of {kind} has the input_size 3"):
        layers(kind)(pack_sequence([torch.zeros(2, 5)]))


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_of_a_wrong_type(kind):
    with pytest.raises(
        TypeError, match=f"the input is a list, but {kind} takes a tensor or a PackedSequence; pass one"
    ):
        layers(kind)([[0.0, 0.0, 0.0]])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.int64, torch.bfloat16])
def test_inputs_of_another_dtype(kind, dtype):
    match = f"the input is {dtype}, but the weights of {kind} are torch.float32; convert one of them"
    with pytest.raises(ValueError, match=match):
        layers(kind)(torch.zeros(5, 2, 3, dtype=dtype))


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_on_another_device(kind):
    with pytest.raises(ValueError, match=f"the input is on meta, but {kind} is on cpu; move one of them"):
        layers(kind)(torch.zeros(5, 2, 3, device="meta"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 3, 4), (2, 2, 4), (1, 2, 5), (1, 4), (2, 4), (1, 1, 2, 4)])
def test_states_of_a_wrong_shape(kind, shape):
    with pytest.raises(
        RuntimeError, match=r"the initial state has shape .* this input needs \(1, 2, 4\); pass the state of"
    ):
        layers(kind)(torch.zeros(5, 2, 3), state(kind, *shape))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 1, 4), (4,), (2, 4)])
def test_states_of_a_wrong_shape_for_one_sequence(kind, shape):
    with pytest.raises(RuntimeError, match=r"the initial state has shape .* this input needs \(1, 4\)"):
        layers(kind)(torch.zeros(5, 3), state(kind, *shape))


@pytest.mark.parametrize("kind", KINDS)
def test_states_of_a_wrong_shape_for_packed_sequences(kind):
    xs = pack_sequence([torch.zeros(1, 3), torch.zeros(4, 3)], enforce_sorted=False)
    with pytest.raises(RuntimeError, match=r"the initial state has shape \(1, 3, 4\), .* this input needs \(1, 2, 4\)"):
        layers(kind)(xs, state(kind, 1, 3, 4))


def test_a_memory_cell_has_the_hidden_size_beside_projections():
    with pytest.raises(RuntimeError, match=r"shape \(1, 2, 2\), but this input needs \(1, 2, 4\)"):
        layers("LSTM", proj_size=2)(torch.zeros(5, 2, 3), (torch.zeros(1, 2, 2), torch.zeros(1, 2, 2)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("time", [1, 40])
def test_states_of_another_dtype(kind, time):
    match = "the initial state is torch.float64 on cpu, but the input is torch.float32 on cpu; convert one of them"
    with pytest.raises(RuntimeError, match=match):
        layers(kind)(torch.zeros(time, 2, 3), state(kind, 1, 2, 4, dtype=torch.float64))


def test_states_of_a_wrong_type():
    hidden = torch.zeros(1, 2, 4)
    with pytest.raises(
        TypeError, match=r"the initial state is a Tensor, but LSTM takes a pair of tensors \(hidden, memory"
    ):
        layers("LSTM")(torch.zeros(5, 2, 3), hidden)
    with pytest.raises(
        TypeError, match="the initial state is a tuple, but GRU takes one tensor; pass the state that it"
    ):
        layers("GRU")(torch.zeros(5, 2, 3), (hidden, hidden))
    with pytest.raises(TypeError, match="takes a pair of tensors"):
        layers("LSTM")(torch.zeros(5, 2, 3), (hidden,))

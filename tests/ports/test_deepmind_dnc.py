"""The port of DeepMind's layout against an independent implementation of that machine in numpy, from its description."""

import numpy as np
import pytest
import torch

from memtape.ports import dnc_from_deepmind_dnc

INPUT, OUTPUT, SLOTS, WIDTH, HIDDEN, BATCH, TIME = 4, 3, 6, 5, 7, 3, 12
SMALL = 1e-6
HEADS = [(1, 1), (3, 1), (1, 2), (2, 3)]


def random_variables(reads=2, writes=1, *, scale=0.6, prefix="dnc/", suffix=""):
    draw = np.random.default_rng(reads * 10 + writes).normal
    layers = {
        "memory_access/read_keys": reads * WIDTH,
        "memory_access/read_strengths": reads,
        "memory_access/write_keys": writes * WIDTH,
        "memory_access/write_strengths": writes,
        "memory_access/erase_vectors": writes * WIDTH,
        "memory_access/write_vectors": writes * WIDTH,
        "memory_access/free_gate": reads,
        "memory_access/allocation_gate": writes,
        "memory_access/write_gate": writes,
        "memory_access/read_mode": reads * (1 + 2 * writes),
    }
    shapes = {f"{name}/w": (HIDDEN, size) for name, size in layers.items()}
    shapes |= {f"{name}/b": (size,) for name, size in layers.items()}
    shapes |= {"lstm/w_gates": (INPUT + reads * WIDTH + HIDDEN, 4 * HIDDEN), "lstm/b_gates": (4 * HIDDEN,)}
    shapes |= {"output_linear/w": (HIDDEN + reads * WIDTH, OUTPUT), "output_linear/b": (OUTPUT,)}
    return {f"{prefix}{name}{suffix}": draw(0, scale, shape) for name, shape in shapes.items()}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    powers = np.exp(x - x.max())
    return powers / powers.sum()


def look_up(memory, key, raw_strength):
    def length(vector):
        return np.sqrt((vector**2).sum() + SMALL)

    cosine = np.array([row @ key / (length(row) * length(key) + SMALL) for row in memory])
    return softmax(np.log1p(np.exp(raw_strength)) * cosine)


def allocate(usage):
    free = 1 - (SMALL + (1 - SMALL) * usage)
    order = np.argsort(-free, kind="stable")
    weights = np.zeros(SLOTS)
    weights[order] = free[order] * np.concatenate([[1], np.cumprod(1 - free[order])[:-1]])
    return weights


def run_their_machine(variables, xs, reads, writes, clip):
    """Return the outputs for one sequence."""

    def linear(name, x):
        return x @ variables[f"dnc/{name}/w"] + variables[f"dnc/{name}/b"]

    def cut(x):
        return x if clip is None else np.clip(x, -clip, clip)

    memory, usage = np.zeros((SLOTS, WIDTH)), np.zeros(SLOTS)
    read_weights, write_weights = np.zeros((reads, SLOTS)), np.zeros((writes, SLOTS))
    links, precedence = np.zeros((writes, SLOTS, SLOTS)), np.zeros((writes, SLOTS))
    read, hidden, cell = np.zeros(reads * WIDTH), np.zeros(HIDDEN), np.zeros(HIDDEN)
    ys = []
    for x in xs:
        gates = np.concatenate([x, read, hidden]) @ variables["dnc/lstm/w_gates"] + variables["dnc/lstm/b_gates"]
        write, candidate, keep, show = np.split(gates, 4)
        cell = sigmoid(keep + 1) * cell + sigmoid(write) * np.tanh(candidate)
        hidden = cut(np.tanh(cell) * sigmoid(show))
        cell = cut(cell)
        control = {
            name.split("/")[2]: linear(f"memory_access/{name.split('/')[2]}", hidden)
            for name in variables
            if name.startswith("dnc/memory_access/") and name.endswith("/w")
        }

        usage = usage + (1 - usage) * (1 - np.prod(1 - write_weights, axis=0))
        usage = usage * np.prod(1 - sigmoid(control["free_gate"])[:, None] * read_weights, axis=0)
        allocation_gate, write_gate = sigmoid(control["allocation_gate"]), sigmoid(control["write_gate"])
        imagined = usage
        for head in range(writes):
            free = allocate(imagined)
            imagined = imagined + (1 - imagined) * allocation_gate[head] * write_gate[head] * free
            key = control["write_keys"].reshape(writes, WIDTH)[head]
            found = look_up(memory, key, control["write_strengths"][head])
            mixed = allocation_gate[head] * free + (1 - allocation_gate[head]) * found
            write_weights = np.concatenate(
                [write_weights[:head], (write_gate[head] * mixed)[None], write_weights[head + 1 :]]
            )

        erase, add = (control[name].reshape(writes, WIDTH) for name in ("erase_vectors", "write_vectors"))
        kept = np.prod([1 - np.outer(w, sigmoid(e)) for w, e in zip(write_weights, erase, strict=True)], axis=0)
        memory = memory * kept + write_weights.T @ add

        for head, w in enumerate(write_weights):
            links[head] = (1 - w[:, None] - w[None, :]) * links[head] + np.outer(w, precedence[head])
            np.fill_diagonal(links[head], 0)
            precedence[head] = (1 - w.sum()) * precedence[head] + w

        moved = []
        for head, before in enumerate(read_weights):
            modes = softmax(control["read_mode"].reshape(reads, 1 + 2 * writes)[head])
            key = control["read_keys"].reshape(reads, WIDTH)[head]
            weights = modes[2 * writes] * look_up(memory, key, control["read_strengths"][head])
            for writer in range(writes):
                weights = weights + modes[writer] * links[writer].T @ before
                weights = weights + modes[writes + writer] * links[writer] @ before
            moved.append(weights)
        read_weights = np.array(moved)
        read = (read_weights @ memory).flatten()
        ys.append(cut(linear("output_linear", np.concatenate([hidden, read]))))
    return np.array(ys)


def compare(variables, reads, writes, clip):
    xs = np.random.default_rng(0).normal(size=(BATCH, TIME, INPUT))
    ys, _ = dnc_from_deepmind_dnc(variables, slots=SLOTS, clip=clip)(torch.from_numpy(xs))
    expected = np.array([run_their_machine(variables, x, reads, writes, clip) for x in xs])
    assert expected.std() > 0.05
    np.testing.assert_allclose(ys.detach().numpy(), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize(("reads", "writes"), HEADS)
def test_a_ported_machine_gives_the_same_outputs(reads, writes):
    compare(random_variables(reads, writes), reads, writes, 20.0)


@pytest.mark.parametrize("clip", [0.3, None])
def test_a_ported_machine_is_clipped_like_theirs(clip):
    compare(random_variables(scale=1.5), 2, 1, clip)


def test_the_clip_acts_in_the_controller_and_at_the_output():
    variables = random_variables(scale=1.5)
    xs = torch.from_numpy(np.random.default_rng(0).normal(size=(BATCH, TIME, INPUT)))
    ys, state = dnc_from_deepmind_dnc(variables, slots=SLOTS, clip=0.3)(xs)
    assert ys.abs().max() == state.controller.cell.abs().max() == 0.3


def test_the_usage_passes_no_gradient_to_the_write_weights():
    assert dnc_from_deepmind_dnc(random_variables(), slots=SLOTS).configuration["usage_gradient"] is False


@pytest.mark.parametrize(("prefix", "suffix"), [("", ""), ("agent/dnc/", ":0"), ("rnn/dnc/", "")])
def test_variables_are_found_by_the_last_parts_of_their_names(prefix, suffix):
    xs = torch.randn(1, 5, INPUT, dtype=torch.float64)
    expected, _ = dnc_from_deepmind_dnc(random_variables(), slots=SLOTS)(xs)
    variables = random_variables(prefix=prefix, suffix=suffix)
    variables |= {f"{name}/RMSProp": value for name, value in variables.items()} | {"global_step": np.array(3)}
    assert torch.equal(dnc_from_deepmind_dnc(variables, slots=SLOTS)(xs)[0], expected)


def test_arrays_of_float32_give_a_network_of_float32():
    variables = {name: value.astype(np.float32) for name, value in random_variables().items()}
    assert dnc_from_deepmind_dnc(variables, slots=SLOTS)(torch.zeros(1, 2, INPUT))[0].dtype == torch.float32


@pytest.mark.parametrize("name", ["lstm/b_gates", "memory_access/read_mode/w", "output_linear/b"])
def test_a_missing_variable_is_named(name):
    variables = random_variables()
    del variables[f"dnc/{name}"]
    with pytest.raises(
        ValueError, match=f"the mapping has no {name}, which a DNC of deepmind/dnc has; pass all variables"
    ):
        dnc_from_deepmind_dnc(variables, slots=SLOTS)


def test_two_machines_at_once_are_refused():
    variables = random_variables() | {"other/lstm/w_gates": np.zeros(1)}
    message = (
        "the mapping has both dnc/lstm/w_gates and other/lstm/w_gates, but a machine has lstm/w_gates once; pass the"
    )
    with pytest.raises(ValueError, match=message):
        dnc_from_deepmind_dnc(variables, slots=SLOTS)


def test_a_variable_of_a_mismatched_shape_is_named():
    variables = random_variables()
    variables["dnc/memory_access/erase_vectors/w"] = np.zeros((HIDDEN, WIDTH + 1))
    message = (
        r"memory_access/erase_vectors/w has shape \(7, 6\), but to fit the other tensors it must be \(7, 5\) in a DNC"
    )
    with pytest.raises(ValueError, match=message):
        dnc_from_deepmind_dnc(variables, slots=SLOTS)


def test_a_machine_without_inputs_is_refused():
    variables = random_variables()
    variables["dnc/lstm/w_gates"] = variables["dnc/lstm/w_gates"][INPUT:]
    message = (
        "lstm/w_gates has 17 rows, but 10 are for what was read and 7 for the last output, and there must be one for"
    )
    with pytest.raises(ValueError, match=message):
        dnc_from_deepmind_dnc(variables, slots=SLOTS)

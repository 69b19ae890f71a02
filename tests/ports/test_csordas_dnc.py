"""The port of Csordas' layout against an independent implementation of that machine in plain torch, from its
description.
"""

import itertools

import pytest
import torch
from torch.nn import functional

from memtape.ports import dnc_from_csordas_dnc

INPUT, OUTPUT, SLOTS, WIDTH, HIDDEN, BATCH, TIME = 4, 3, 6, 5, 7, 3, 12
SMALL = 1e-6
F64 = torch.float64
PLAIN = {"masked": False, "deallocate": False, "sharpen_links": False}


def random_state_dict(layers=2, reads=2, *, masked=False, sharpen_links=True, all_seen=True, scale=0.6, dtype=F64):
    def draw(*shape):
        return (scale * torch.randn(*shape, dtype=F64)).to(dtype)

    tensors = {}
    for layer in range(layers):
        tensors[f"controller.in_to_all_{layer}.weight"] = draw(4 * HIDDEN, INPUT + reads * WIDTH)
        tensors[f"controller.in_to_all_{layer}.bias"] = draw(4 * HIDDEN)
        tensors[f"controller.out_to_all_{layer}.weight"] = draw(4 * HIDDEN, HIDDEN)
        if layer:
            tensors[f"controller.prev_to_all_{layer - 1}.weight"] = draw(4 * HIDDEN, HIDDEN)
    seen = HIDDEN * (layers if all_seen else 1)
    controls = (3 + masked) * WIDTH + reads + 3 + reads * (WIDTH * (1 + masked) + 4) + 2 * reads * sharpen_links
    for name, rows, columns in (
        ("controller_to_controls", controls, seen),
        ("controller_to_out", OUTPUT, seen),
        ("read_to_out", OUTPUT, reads * WIDTH),
    ):
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = draw(rows, columns), draw(rows)
    return tensors


def oneplus(x):
    return 1 + functional.softplus(x)


def look_up(memory, key, strength, mask):
    """Return the content weights of a masked key."""
    seen = mask * key
    cosine = [(row * mask) @ seen / ((row * mask).norm() * seen.norm() + SMALL) for row in memory]
    return torch.softmax(strength * torch.stack(cosine), dim=0)


def allocate(usage):
    """Return the allocation weights."""
    raised, order = ((1 - SMALL) * usage + SMALL).sort(stable=True)
    room = (1 - raised) * torch.cat([torch.ones(1, dtype=F64), raised.cumprod(0)[:-1]])
    return torch.zeros(SLOTS, dtype=F64).scatter(0, order, room)


def run_their_machine(tensors, xs, layers, reads, *, masked, deallocate, sharpen_links, mask_floor=0.0, clip=20.0):
    """Return the outputs for one sequence."""

    def linear(name, x):
        return tensors[f"{name}.weight"] @ x + tensors[f"{name}.bias"]

    def mask_of(raw):
        return mask_floor + (1 - mask_floor) * torch.sigmoid(raw) if masked else torch.ones_like(raw)

    outputs = cells = [torch.zeros(HIDDEN, dtype=F64)] * layers
    memory, links = torch.zeros(SLOTS, WIDTH, dtype=F64), torch.zeros(SLOTS, SLOTS, dtype=F64)
    usage = precedence = write_weights = torch.zeros(SLOTS, dtype=F64)
    read_weights, read = torch.zeros(reads, SLOTS, dtype=F64), torch.zeros(reads * WIDTH, dtype=F64)
    ys = []
    for time, x in enumerate(xs):
        below, outputs, cells_before, before, cells = None, [], cells, outputs, []
        for layer in range(layers):
            gates = linear(f"controller.in_to_all_{layer}", torch.cat([x, read]))
            gates = gates + tensors[f"controller.out_to_all_{layer}.weight"] @ before[layer]
            if layer:
                gates = gates + tensors[f"controller.prev_to_all_{layer - 1}.weight"] @ below
            keep, write, show, candidate = gates.chunk(4)
            cells.append(torch.sigmoid(keep) * cells_before[layer] + torch.sigmoid(write) * torch.tanh(candidate))
            below = torch.sigmoid(show) * torch.tanh(cells[-1])
            outputs.append(below)
        hidden = torch.cat(outputs)[-tensors["controller_to_out.weight"].shape[1] :]

        numbers = iter(linear("controller_to_controls", hidden).clamp(-clip, clip))

        def take(count, numbers=numbers):
            return torch.stack(list(itertools.islice(numbers, count)))

        write_mask = mask_of(take(WIDTH) if masked else torch.zeros(WIDTH, dtype=F64))
        write_key, erase, add = take(WIDTH), torch.sigmoid(take(WIDTH)), take(WIDTH)
        free_gates, write_strength = torch.sigmoid(take(reads)), oneplus(take(1))
        allocation_gate, write_gate = torch.sigmoid(take(1)), torch.sigmoid(take(1))
        read_masks = mask_of(take(reads * WIDTH) if masked else torch.zeros(reads * WIDTH, dtype=F64)).view(
            reads, WIDTH
        )
        read_keys, read_strengths = take(reads * WIDTH).view(reads, WIDTH), oneplus(take(reads))
        modes = torch.softmax(take(3 * reads).view(reads, 3), dim=-1)
        exponents = oneplus(take(2 * reads)).view(2, reads) if sharpen_links else None

        kept = (1 - free_gates[:, None] * read_weights).prod(0)
        if time:
            usage = (usage + write_weights.detach() * (1 - usage)) * kept
        found = look_up(memory, write_key, write_strength, write_mask)
        write_weights = write_gate * (allocation_gate * allocate(usage) + (1 - allocation_gate) * found)
        left = 1 - torch.outer(write_weights, erase)
        memory = memory * (left * kept[:, None] if deallocate else left) + torch.outer(write_weights, add)

        scale = 1 - write_weights[:, None] - write_weights[None, :]
        links = (scale * links + torch.outer(write_weights, precedence)).fill_diagonal_(0)
        precedence = (1 - write_weights.sum()) * precedence + write_weights

        moved = []
        for head, weights in enumerate(read_weights):
            ways = [links @ weights, links.T @ weights]
            if sharpen_links:
                raised_ways = [(way + SMALL) ** exponents[number, head] for number, way in enumerate(ways)]
                ways = [way / way.sum() for way in raised_ways]
            content = look_up(memory, read_keys[head], read_strengths[head], read_masks[head])
            moved.append(modes[head, 0] * ways[1] + modes[head, 1] * content + modes[head, 2] * ways[0])
        read_weights = torch.stack(moved)
        read = (read_weights @ memory).flatten()
        ys.append(linear("controller_to_out", hidden) + linear("read_to_out", read))
    return torch.stack(ys)


def outputs_and_gradients(run, xs):
    xs = xs.clone().requires_grad_()
    ys = run(xs)
    (gradient,) = torch.autograd.grad(ys.square().sum(), xs)
    return ys.detach(), gradient


def compare(tensors, layers, reads, **options):
    xs = torch.randn(BATCH, TIME, INPUT, dtype=F64)
    network = dnc_from_csordas_dnc(tensors, slots=SLOTS, read_heads=reads, **options)
    expected = outputs_and_gradients(
        lambda xs: torch.stack([run_their_machine(tensors, x, layers, reads, **options) for x in xs]), xs
    )
    assert expected[0].std() > 0.05
    for own, wanted in zip(outputs_and_gradients(lambda xs: network(xs)[0], xs), expected, strict=True):
        torch.testing.assert_close(own, wanted, rtol=0, atol=1e-8)


@pytest.mark.parametrize(("layers", "reads"), [(1, 1), (2, 3), (3, 2)])
def test_a_ported_plain_machine_gives_the_same_outputs_and_gradients(layers, reads):
    compare(random_state_dict(layers, reads, sharpen_links=False), layers, reads, **PLAIN)


@pytest.mark.parametrize("improvement", ["masked", "deallocate", "sharpen_links"])
def test_each_improvement_equals_theirs(improvement):
    options = PLAIN | {improvement: True}
    shape = {name: options[name] for name in ("masked", "sharpen_links")}
    compare(random_state_dict(2, 2, **shape), 2, 2, **options)


def test_all_improvements_with_a_floor_of_masks_equal_theirs():
    options = {"masked": True, "deallocate": True, "sharpen_links": True, "mask_floor": 0.1}
    compare(random_state_dict(1, 2, masked=True), 1, 2, **options)


def test_an_active_clip_equals_theirs():
    compare(random_state_dict(1, 1, sharpen_links=False, scale=1.2), 1, 1, **PLAIN, clip=0.5)


def test_a_controller_with_only_the_top_layer_in_the_output_equals_theirs():
    compare(random_state_dict(3, 2, sharpen_links=False, all_seen=False), 3, 2, **PLAIN)


def test_options_that_no_tensor_determines_change_the_outputs():
    tensors = random_state_dict(1, 2, masked=True)
    xs = torch.randn(BATCH, TIME, INPUT, dtype=F64)
    options = [{}, {"deallocate": False}, {"mask_floor": 0.1}, {"clip": 0.5}, {"slots": SLOTS + 3}]
    networks = [
        dnc_from_csordas_dnc(tensors, **({"slots": SLOTS, "read_heads": 2, "masked": True} | own)) for own in options
    ]
    ys = [network(xs)[0] for network in networks]
    assert not any(torch.allclose(one, other) for one, other in itertools.combinations(ys, 2))


def test_a_ported_machine_has_the_dtype_of_its_tensors():
    network = dnc_from_csordas_dnc(random_state_dict(dtype=torch.float32), slots=SLOTS, read_heads=2)
    assert network(torch.randn(2, 3, INPUT))[0].dtype == torch.float32


@pytest.mark.parametrize(
    "name",
    [
        "controller.in_to_all_1.bias",
        "controller.out_to_all_0.weight",
        "controller.prev_to_all_0.weight",
        "controller_to_controls.bias",
        "controller_to_out.weight",
        "read_to_out.weight",
    ],
)
def test_a_missing_tensor_is_named(name):
    tensors = random_state_dict()
    del tensors[name]
    with pytest.raises(ValueError, match=f"the state dict has no {name}, which a DNC of RobertCsordas/dnc has; pass"):
        dnc_from_csordas_dnc(tensors, slots=SLOTS, read_heads=2)


def test_options_that_the_tensors_contradict_are_refused():
    message = (
        r"controller_to_controls\.weight has shape \(42, 14\), but to fit the other tensors it must be \(38, 14\) in"
    )
    with pytest.raises(ValueError, match=message):
        dnc_from_csordas_dnc(random_state_dict(), slots=SLOTS, read_heads=2, sharpen_links=False)


@pytest.mark.parametrize("heads", [0, 3])
def test_a_mismatched_number_of_read_heads_is_refused(heads):
    message = (
        f"read_heads is {heads}, but the output of the machine reads 10 numbers from the memory, and all heads read"
    )
    with pytest.raises(ValueError, match=message):
        dnc_from_csordas_dnc(random_state_dict(), slots=SLOTS, read_heads=heads)


def test_layers_of_several_sizes_are_refused():
    tensors = random_state_dict()
    tensors["controller.out_to_all_1.weight"] = torch.zeros(8, 2)
    with pytest.raises(
        ValueError, match=r"the layers of the controller have sizes \[2, 7\], but those of a DNC here must"
    ):
        dnc_from_csordas_dnc(tensors, slots=SLOTS, read_heads=2)


def test_a_controller_with_some_layers_in_the_output_is_refused():
    tensors = random_state_dict()
    tensors["controller_to_out.weight"] = torch.zeros(OUTPUT, HIDDEN + 1)
    message = (
        "controller_to_out.weight has 8 columns, but the controller has 2 layers of 7 units, and either all or the"
    )
    with pytest.raises(ValueError, match=message):
        dnc_from_csordas_dnc(tensors, slots=SLOTS, read_heads=2)

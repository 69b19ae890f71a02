"""The initial strength of keys, in every memory whose keys have this kind of strength."""

import math

import pytest
import torch

from memtape.models.dnc.dnc import DNCCell
from memtape.models.sam.dam import DAMCell
from memtape.models.sam.sam import SAMCell
from memtape.models.sam.sdnc import SDNCCell

HIDDEN, HEADS = 5, 2
CELLS = {
    "dnc": (DNCCell, {"read_heads": HEADS}, lambda control: [control.read_strengths, control.write_strengths]),
    "sam": (SAMCell, {"heads": HEADS}, lambda control: [control.strengths]),
    "dam": (DAMCell, {"heads": HEADS}, lambda control: [control.strengths]),
    "sdnc": (SDNCCell, {"heads": HEADS}, lambda control: [control.access.strengths]),
}


def build(name, **options):
    torch.manual_seed(7)
    make, heads, _ = CELLS[name]
    return make(3, 2, slots=6, width=3, controller_size=HIDDEN, clip=None, **heads, **options)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize(
    ("strengths", "strength"), [("oneplus", 6.0), ("oneplus", 1.01), ("softplus", 0.5), ("softplus", 40.0)]
)
def test_keys_start_with_the_given_strength(name, strengths, strength):
    changed, plain = build(name, strengths=strengths, initial_strength=strength), build(name, strengths=strengths)
    others = [key for key, value in plain.state_dict().items() if not torch.equal(value, changed.state_dict()[key])]
    assert len(others) == 1
    assert others[0].endswith("head_parameters.linear.bias")
    control = changed.double().machine.interface(torch.zeros(1, HIDDEN, dtype=torch.float64))
    for found in CELLS[name][2](control):
        torch.testing.assert_close(found, torch.full_like(found, strength), rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize(("strengths", "strength", "least"), [("oneplus", 1.0, 1), ("softplus", 0.0, 0)])
def test_a_strength_out_of_range_is_refused(name, strengths, strength, least):
    message = (
        f"initial_strength is {strength}, but {strengths} strengths are finite and above {least}; give such a number"
    )
    with pytest.raises(ValueError, match=message):
        build(name, strengths=strengths, initial_strength=strength)


@pytest.mark.parametrize("name", CELLS)
def test_an_infinite_strength_is_refused(name):
    with pytest.raises(ValueError, match="initial_strength is inf, but it must be finite; give another number"):
        build(name, strengths="oneplus", initial_strength=math.inf)


@pytest.mark.parametrize("name", ["sam", "dam", "sdnc"])
def test_plain_cosines_have_no_initial_strength(name):
    with pytest.raises(ValueError, match=r"initial_strength is 4\.0, but strengths are none; leave it out or give"):
        build(name, strengths="none", initial_strength=4.0)

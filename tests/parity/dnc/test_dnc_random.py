"""Random machines on random batches: outputs, last state and every gradient of the fused kernel equal those of the
reference.
"""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

EXACT = 1e-9  # float64: both sides round at 1e-16; those of 300 random machines that are not chaotic stay within this
SINGLE = 1e-3

OPTIONS = st.fixed_dictionaries(
    {
        "controller": st.sampled_from(["lstm", "gru", "rnn", "feedforward"]),
        "controller_layers": st.integers(1, 3),
        "controller_size": st.sampled_from([1, 7, 16, 50]),
        "read_heads": st.integers(1, 6),
        "write_heads": st.integers(1, 3),
        "slots": st.sampled_from([1, 3, 5, 16, 31, 64]),
        "width": st.sampled_from([1, 3, 20]),
        "strengths": st.sampled_from(["oneplus", "softplus"]),
        "squash": st.booleans(),
        "masked": st.booleans(),
        "sharpen_links": st.booleans(),
        "deallocate": st.booleans(),
        "clip": st.sampled_from([None, 0.5, 20.0]),
        "usage_gradient": st.booleans(),
        "usage_epsilon": st.sampled_from([0.0, 1e-6, 0.1]),
        "usage_tolerance": st.sampled_from([1e-5, 0.1]),
        "product_epsilon": st.sampled_from([0.0, 1e-6]),
        "initial_memory": st.sampled_from(["learned", "random"]),
        "initial_reads": st.sampled_from(["learned", "zeros"]),
        "initial_controller": st.sampled_from(["learned", "zeros"]),
    }
)
RUN = st.fixed_dictionaries(
    {
        "batch": st.sampled_from([*range(1, 10), 21]),
        "time": st.integers(1, 20),
        "lengths": st.booleans(),
        "starts": st.booleans(),
        "carried": st.booleans(),
        "checkpoint_every": st.sampled_from([None, None, 1, 3, 7, 30]),
        "seed": st.integers(0, 10_000),
    }
)


@given(options=OPTIONS, how=RUN)
@settings(max_examples=15)
def test_any_computer_agrees(computer, options, how):
    computer.agree_at_random(options, how, torch.float64, EXACT)


@pytest.mark.slow
@given(options=OPTIONS, how=RUN)
@settings(max_examples=300)
def test_many_computers_agree_in_float64(computer, options, how):
    computer.agree_at_random(options, how, torch.float64, EXACT)


@pytest.mark.slow
@given(options=OPTIONS, how=RUN)
@settings(max_examples=100)
def test_many_computers_agree_in_float32(computer, options, how):
    assume(options["width"] > 1)  # slots of width 1 with equal signs differ in usage by rounding only
    computer.agree_at_random(options, how, torch.float32, SINGLE)

"""Malicious folders are refused with one sentence, quickly and with little memory."""

import json
import re
import subprocess
import sys
import time
import tracemalloc

import pytest
import torch
from safetensors.torch import load_file, save, save_file

import memtape
from memtape.catalog.registry import MODELS
from memtape.core.manifest import DamagedError
from memtape.sharing import blueprint
from memtape.sharing.shared_folder import SharingError

INPUT, OUTPUT = 3, 2


# Malicious folders


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Expecting value"),
        (b"\xff\xff", "decode"),
        (b"[" * 200_000, "recursion"),
        (b'{"a":' * 200_000, "recursion"),
        (b'{"format": NaN}', "NaN is not finite"),
        (b'{"format": -Infinity}', "-Infinity is not finite"),
        (b'{"format": 1e999}', "1e999 is not finite"),
        (b'{"format": 1, "format": 1}', "a name occurs twice"),
        (b"9" * 100_000, "digits"),
    ],
    ids=lambda value: repr(value[:16]),
)
def test_invalid_json_is_refused(bare, content, reason, refused):
    (bare / "config.json").write_bytes(content)
    refused(bare, "config.json cannot be read as JSON (")
    with pytest.raises(SharingError, match=reason):
        memtape.NTM.from_pretrained(bare)


@pytest.mark.parametrize("value", [[], None, 3, {}, {"format": 1}, {"slots": 3}])
def test_other_json_is_refused(bare, value, refused):
    (bare / "config.json").write_text(json.dumps(value))
    refused(
        bare,
        "config.json is not the configuration of a network of memtape, which has arguments, format, memtape, model",
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("format", 2, "is not the configuration of a network of memtape"),
        ("model", 3, "must name a model and its arguments"),
        ("arguments", [], "must name a model and its arguments"),
        ("more", 1, "is not the configuration of a network of memtape"),
        ("model", "StackedLSTM", "holds a network of the class 'StackedLSTM', but NTM was to be loaded"),
        ("model", "os.system", "holds a network of the class 'os.system', but NTM was to be loaded"),
        ("model", "x" * 100_000, "holds a network of the class 'xxx"),
    ],
)
def test_an_invalid_configuration_is_refused(bare, name, value, sentence, refused):
    config = json.loads((bare / "config.json").read_text())
    (bare / "config.json").write_text(json.dumps({**config, name: value}))
    refused(bare, sentence)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"slotz": 4}, "NTM has no argument 'slotz', its arguments are input_size, output_size, slots"),
        ({"__class__": "os.system"}, "NTM has no argument '__class__'"),
        ({"self": 1}, "NTM has no argument 'self'"),
        ({"slots": "4"}, "slots of NTM is '4', but it must be int; correct the argument"),
        ({"slots": 4.0}, "slots of NTM is 4.0, but it must be int and finite; correct"),
        ({"slots": True}, "slots of NTM is True, but it must be int; correct"),
        ({"slots": [4]}, "slots of NTM is [4], but it must be int; correct"),
        ({"squash": "no"}, "squash of NTM is 'no', but it must be bool; correct"),
        ({"squash": 1}, "squash of NTM is 1, but it must be bool; correct"),
        ({"gate_bias": "0"}, "gate_bias of NTM is '0', but it must be float; correct"),
        ({"gate_bias": True}, "gate_bias of NTM is True, but it must be float; correct"),
        ({"gate_bias": None}, "gate_bias of NTM is None, but it must be float; correct"),
        ({"gate_bias": 10**400}, "NTM cannot be built ("),
        ({"gate_bias": -(10**400)}, "NTM cannot be built ("),
        ({"slots": -(10**400)}, "NTM cannot be built (slots is an integer of about 401 digits"),
        ({"clip": "none"}, "clip of NTM is 'none', but it must be float | None; correct"),
        ({"controller": ["lstm"]}, "controller of NTM is ['lstm'], but it must be Literal["),
        (
            {"controller": "cnn"},
            "controller of NTM is 'cnn', but it must be Literal['lstm', 'gru', 'rnn', 'feedforward']; correct",
        ),
        ({"slots": 0}, "NTM cannot be built (slots of NTMCell is 0, but it must be at least 1"),
        (
            {"slots": 5},
            "the tensor cell.machine.memory.initial_logits has shape (2, 4), but NTM with these arguments has (2, 5)",
        ),
        ({"controller": "gru"}, "has shape (20, 6), but NTM with these arguments has (15, 6)"),
        ({"initial_reads": "zeros"}, "there is a tensor 'cell.machine.initial_reads', which NTM with these"),
        ({"initial_memory": "learned"}, "there is no tensor cell.machine.memory.initial_slots.bias, which NTM with"),
        ({"controller_size": 10**9}, "controller_size of NTM is 1000000000, but a network of "),
        ({"slots": 10**100}, "slots of NTM is 1000000000000000"),
        ({"slots": 10**6}, "has shape (2, 4), but NTM with these arguments has (2, 1000000)"),
        ({"read_heads": 10**6}, "has shape"),
        (
            {"read_heads": 10**6, "write_heads": 10**6, "width": 10**6, "controller_size": 10**6},
            "NTM cannot be built (",
        ),
        ({"controller_layers": 10**6}, "NTM with these arguments has far more than the 11 tensors given"),
        ({"controller_layers": 10**6, "controller": "feedforward"}, "has far more than the 11 tensors given"),
        ({"shift_range": 10**6}, "has shape"),
        ({"input_size": 10**6}, "has shape"),
    ],
)
def test_invalid_arguments_are_refused_quickly_and_with_little_memory(
    bare, shapes_unchecked, arguments, sentence, refused, change
):
    change(bare, **arguments)
    with pytest.raises(SharingError, match=re.escape(sentence)):
        memtape.NTM.from_pretrained(bare)
    start = time.process_time()
    refused(bare, sentence)
    seconds = time.process_time() - start  # without tracing, which takes more time than the call
    tracemalloc.start()
    refused(bare, sentence)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 1
    assert peak < 32 * 2**20


def test_too_many_layers_of_the_other_model_are_refused_too(tmp_path, shapes_unchecked, refused, change):
    memtape.StackedLSTM(INPUT, OUTPUT, hidden_size=4).save_pretrained(tmp_path)
    (tmp_path / "manifest.json").unlink()
    change(tmp_path, layers=10**6)
    refused(tmp_path, "StackedLSTM with these arguments has far more than the", kind=memtape.StackedLSTM)


def test_no_size_below_the_limit_is_refused_for_itself(tmp_path):
    network = memtape.NTM(INPUT, OUTPUT, slots=2**20, width=2, controller_size=2, initial_weights="zeros")
    network.save_pretrained(tmp_path)
    memtape.NTM.from_pretrained(tmp_path)
    with pytest.raises(
        SharingError, match=r"slots of NTM is 1048577, but a network of .* weights has no size above 1048576"
    ):
        memtape.NTM(INPUT, OUTPUT, slots=2**20 + 1, width=2, initial_weights="zeros").save_pretrained(tmp_path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrow_weights_are_refused(bare, dtype, refused):
    path = bare / "model.safetensors"
    save_file({name: tensor.to(dtype) for name, tensor in load_file(path).items()}, path)
    refused(bare, f"is {dtype}, but weights are float32 or float64; convert the network with .float()")


def test_integers_instead_of_weights_are_refused(bare, refused):
    path = bare / "model.safetensors"
    tensors = load_file(path)
    tensors["cell.machine.initial_reads"] = tensors["cell.machine.initial_reads"].to(torch.int64)
    save_file(tensors, path)
    refused(
        bare,
        "the tensor cell.machine.initial_reads has dtype torch.int64, but NTM with these arguments has torch.float32",
    )


def test_a_very_long_name_is_truncated(bare, refused):
    path = bare / "model.safetensors"
    save_file({**load_file(path), "evil\n" * 1000: torch.zeros(1)}, path)
    refused(bare, "there is a tensor 'evil\\nevil")


def test_a_very_long_header_is_refused(bare, refused):
    names = {f"tensor {number:06d}": torch.zeros(0) for number in range(30_000)}
    (bare / "model.safetensors").write_bytes(save(names))
    refused(bare, "model.safetensors has a header of", error=DamagedError)


def test_loading_takes_no_more_than_twice_the_file(tmp_path):
    """First the bytes of the file and its tensors, then its tensors and the network's; measured in a new process."""
    memtape.StackedLSTM(INPUT, OUTPUT, hidden_size=1200, layers=3).save_pretrained(tmp_path)
    size = (tmp_path / "model.safetensors").stat().st_size
    code = (
        "import sys, memtape\n"
        "def peak():\n"
        "    lines = open('/proc/self/status').read().splitlines()\n"
        "    return next(int(line.split()[1]) for line in lines if line.startswith('VmHWM'))\n"
        "memtape.StackedLSTM(1, 1, hidden_size=1).save_pretrained(sys.argv[2])\n"
        "memtape.StackedLSTM.from_pretrained(sys.argv[2])\n"
        "before = peak()\n"
        "memtape.StackedLSTM.from_pretrained(sys.argv[1])\n"
        "print((peak() - before) * 1024)"
    )
    command = [sys.executable, "-c", code, str(tmp_path), str(tmp_path / "small")]
    peak = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert size > 100 * 2**20
    assert size < peak < 2.2 * size


# The size estimate of a constructor


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in ("lstm", "dnc") else pytest.mark.every_form) for name in MODELS]
)
def test_the_size_limit_of_a_constructor_has_a_margin(name, monkeypatch):
    """Half of the limit is enough for networks of many layers, so that valid networks are not refused."""
    known = {option.name for option in MODELS[name].options}
    counts = dict.fromkeys(known & {"layers", "controller_layers", "encoder_layers", "decoder_layers"}, 60)
    network = MODELS[name].load()(INPUT, OUTPUT, **counts)
    monkeypatch.setattr(blueprint, "CALLS_PER_TENSOR", blueprint.CALLS_PER_TENSOR // 2)
    monkeypatch.setattr(blueprint, "CALLS_AT_LEAST", 0)
    blueprint.build(type(network), network.configuration, network.state_dict())

"""Shared networks: they come back as they were, and a folder that anyone could have made can do no harm."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save, save_file

import memtape
from memtape.core.manifest import DamagedError, write_manifest
from memtape.core.recurrent import Recurrent, runs
from memtape.models import blueprint
from memtape.models.model_card import Training
from memtape.models.shared_folder import SharingError
from memtape.models.sharing import Shareable
from memtape.models.stacked_lstm import StackedLSTMCell
from memtape.recipes.registry import MODELS

INPUT, OUTPUT = 3, 2
TINY = {"slots": 4, "width": 3, "controller_size": 5}


@pytest.fixture
def ntm():
    return memtape.NTM(INPUT, OUTPUT, **TINY)


@pytest.fixture
def folder(ntm, tmp_path):
    ntm.save_pretrained(tmp_path / "ntm")
    return tmp_path / "ntm"


@pytest.fixture
def bare(folder):
    """A folder from elsewhere, without a manifest."""
    (folder / "manifest.json").unlink()
    return folder


def same(first, second):
    """Check that two networks have the same weights, and the same outputs to the bit."""
    assert type(first) is type(second)
    assert first.configuration == second.configuration
    weights, others = first.state_dict(), second.state_dict()
    assert list(weights) == list(others)
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    dtype = next(first.parameters()).dtype
    xs = torch.randn(2, 4, first.input_size, dtype=dtype)
    assert torch.equal(first(xs)[0], second(xs)[0])


def change(folder, **arguments):
    config = json.loads((folder / "config.json").read_text())
    config["arguments"].update(arguments)
    (folder / "config.json").write_text(json.dumps(config))


def refused(folder, sentence, kind=memtape.NTM, error=SharingError):
    """Check that a folder is refused in one sentence."""
    with pytest.raises(error, match=re.escape(sentence)) as caught:
        kind.from_pretrained(folder)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600 + 2 * len(str(folder))


# Round trips


OPTIONS = [(entry.name, entry.options) for entry in MODELS.values()]


@st.composite
def constructors(draw):
    """Draw a name of the registry, with any of the options of its class."""
    name, known = draw(st.sampled_from(OPTIONS))
    options = {}
    for option in known:
        choices = getattr(option.type, "__args__", ())
        if choices and all(isinstance(choice, str) for choice in choices):
            options[option.name] = draw(st.sampled_from(choices))
        elif option.type is bool:
            options[option.name] = draw(st.booleans())
        elif option.type is int:
            options[option.name] = draw(st.integers(1, 3))
        else:
            options[option.name] = draw(st.sampled_from([0.5, 1.0, 2.0]))
    if options.get("addressing") == "content":
        location = ("shift_range", "sequential_heads", "initial_weights", "gate_bias", "sharpening_bias")
        for option in (*location, "write_shift_bias", "read_stay_bias"):
            del options[option]
    return name, options


@given(constructor=constructors(), dtype=st.sampled_from([torch.float32, torch.float64]))
def test_a_network_comes_back_as_it_was(constructor, dtype, tmp_path_factory):
    name, options = constructor
    network = MODELS[name].load()(INPUT, OUTPUT, **options).to(dtype)
    folder = tmp_path_factory.mktemp("shared")
    network.save_pretrained(folder)
    same(network, type(network).from_pretrained(folder))
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("name", MODELS)
def test_every_model_of_the_registry_can_be_shared(name):
    assert issubclass(MODELS[name].load(), Shareable)


def test_trained_weights_come_back(ntm, tmp_path):
    with torch.no_grad():
        for parameter in ntm.parameters():
            parameter.normal_()
    ntm.save_pretrained(tmp_path)
    same(ntm, memtape.NTM.from_pretrained(tmp_path))


def test_a_loaded_network_can_be_trained_on_and_shared_again(folder, tmp_path):
    loaded = memtape.NTM.from_pretrained(folder)
    assert not loaded.training
    assert all(parameter.requires_grad for parameter in loaded.parameters())
    loaded(torch.randn(2, 3, INPUT))[0].sum().backward()
    with torch.no_grad():
        next(loaded.parameters()).add_(1)
    loaded.save_pretrained(tmp_path / "again")
    same(loaded, memtape.NTM.from_pretrained(tmp_path / "again"))


def test_loading_draws_no_random_numbers(folder):
    before = torch.get_rng_state()
    memtape.NTM.from_pretrained(folder)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_files_are_what_was_promised(folder):
    assert {path.name for path in folder.iterdir()} == {
        *("model.safetensors", "config.json", "README.md", "manifest.json")
    }
    config = json.loads((folder / "config.json").read_text())
    assert config["model"] == "NTM"
    assert config["memtape"] == memtape.__version__
    assert config["arguments"] == {
        **{option.name: option.default for option in MODELS["ntm"].options},
        **TINY,
        "input_size": INPUT,
        "output_size": OUTPUT,
    }


def test_arguments_given_by_place_are_kept_by_name():
    assert memtape.StackedLSTM(4, 5, layers=2).configuration == {
        "input_size": 4,
        "output_size": 5,
        "hidden_size": 256,
        "layers": 2,
    }


def test_saving_again_replaces_the_files(folder):
    other = memtape.NTM(INPUT, OUTPUT, **TINY, squash=False)
    training = Training(title="t", summary="s", figure=b"png")
    other.save_pretrained(folder, training=training)
    assert (folder / "figure.png").read_bytes() == b"png"
    same(other, memtape.NTM.from_pretrained(folder))
    other.save_pretrained(folder)
    assert not (folder / "figure.png").exists()


@pytest.mark.parametrize("name", ["README.md", "config.json", "model.safetensors", "figure.png"])
def test_files_from_elsewhere_are_not_replaced(ntm, tmp_path, name):
    (tmp_path / name).write_text("Mine.")
    with pytest.raises(
        SharingError, match=f"has a {re.escape(name)} but no manifest.json, so that file is not replaced; give"
    ):
        ntm.save_pretrained(tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "Mine.")]


def test_the_card_may_be_edited(folder):
    (folder / "README.md").write_text("Mine.")
    memtape.NTM.from_pretrained(folder)


def test_a_folder_without_a_manifest_loads(ntm, bare):
    same(ntm, memtape.NTM.from_pretrained(bare))


def test_an_argument_that_is_not_there_has_its_default(bare):
    config = json.loads((bare / "config.json").read_text())
    del config["arguments"]["squash"]
    (bare / "config.json").write_text(json.dumps(config))
    assert memtape.NTM.from_pretrained(bare).configuration["squash"] is True


def test_a_whole_number_may_stand_for_a_float_of_any_size(bare, shapes_unchecked):
    change(bare, clip=10**9, gate_bias=-3)
    assert memtape.NTM.from_pretrained(bare).configuration["clip"] == 10**9


def test_a_class_of_one_s_own_can_be_shared(tmp_path):
    class Mine(Recurrent, Shareable):
        __init__ = runs(StackedLSTMCell)

    network = Mine(INPUT, OUTPUT, hidden_size=4)
    network.save_pretrained(tmp_path)
    same(network, Mine.from_pretrained(tmp_path))


# Networks that cannot be shared


def test_a_network_that_was_rebuilt_by_hand_is_not_saved(ntm, tmp_path):
    ntm.cell.machine.to_output = torch.nn.Linear(8, OUTPUT + 1)
    with pytest.raises(
        SharingError, match=r"this network could not be loaded again: the tensor .*to_output\.weight has"
    ):
        ntm.save_pretrained(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_narrow_network_is_not_saved(ntm, tmp_path):
    with pytest.raises(
        SharingError, match=r"is torch\.float16, but weights are float32 or float64; convert .*\.float\(\)"
    ):
        ntm.half().save_pretrained(tmp_path)


def test_a_network_of_two_dtypes_is_not_saved(ntm, tmp_path):
    ntm.cell.machine.to_output.double()
    with pytest.raises(SharingError, match=r"has dtype .* but NTM with these arguments has"):
        ntm.save_pretrained(tmp_path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_argument_that_is_no_number_of_json_is_not_saved(value, tmp_path):
    network = memtape.NTM(INPUT, OUTPUT, **TINY, gate_bias=value)
    with pytest.raises(
        SharingError, match=f"gate_bias of NTM is {value}, but it must be float and finite; correct the argument"
    ):
        network.save_pretrained(tmp_path)


def test_a_place_that_cannot_be_written_is_named(ntm, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SharingError, match=r"file/x cannot be written \(Not a directory\); give a place"):
        ntm.save_pretrained(tmp_path / "file" / "x")


# Damage


@pytest.mark.parametrize("name", ["config.json", "manifest.json", "model.safetensors"])
def test_every_flipped_bit_is_noticed(folder, name):
    whole = (folder / name).read_bytes()
    places = random.Random(name).sample(range(8 * len(whole)), k=400)
    missed = []
    with (folder / name).open("r+b", buffering=0) as file:
        for place in places:
            os.pwrite(file.fileno(), bytes([whole[place // 8] ^ 1 << place % 8]), place // 8)
            try:
                memtape.NTM.from_pretrained(folder)
                missed.append(place)
            except DamagedError as error:
                missed += [] if name in str(error) else [place]
            os.pwrite(file.fileno(), whole[place // 8 : place // 8 + 1], place // 8)
    assert not missed


@pytest.mark.parametrize("name", ["config.json", "manifest.json", "model.safetensors"])
@pytest.mark.parametrize("kept", [0, 1, 8, 100, -1])
def test_a_truncated_file_is_named(folder, name, kept):
    path = folder / name
    path.write_bytes(path.read_bytes()[:kept])
    refused(folder, name, error=DamagedError)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    refused(folder, f"{name} is missing; restore the folder", error=DamagedError)


def test_weights_of_another_network_are_noticed(folder, tmp_path):
    memtape.NTM(INPUT, OUTPUT, **TINY).save_pretrained(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "model.safetensors", folder)
    refused(folder, "model.safetensors is not the file that manifest.json names", error=DamagedError)


def test_a_manifest_that_leaves_a_file_out_is_refused(folder):
    write_manifest(folder, ["config.json"])
    refused(folder, "model.safetensors is not named in manifest.json", error=DamagedError)


def test_a_link_out_of_the_folder_is_not_followed(bare):
    os.rename(bare / "model.safetensors", bare.parent / "elsewhere")
    (bare / "model.safetensors").symlink_to(bare.parent / "elsewhere")
    refused(bare, "model.safetensors is a link, but must be a file of its own", error=DamagedError)


@pytest.mark.parametrize("kept", [0, 4, 20, -1])
def test_truncated_weights_are_refused_without_a_manifest_too(bare, kept):
    path = bare / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    refused(bare, "model.safetensors is no whole safetensors file", error=DamagedError)


# Folders that anyone could have made


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
        (b'{"format": 1, "format": 1}', "a name stands there twice"),
        (b"9" * 100_000, "digits"),
    ],
    ids=lambda value: repr(value[:16]),
)
def test_what_is_no_json_is_refused(bare, content, reason):
    (bare / "config.json").write_bytes(content)
    refused(bare, "config.json cannot be read as JSON (")
    with pytest.raises(SharingError, match=reason):
        memtape.NTM.from_pretrained(bare)


@pytest.mark.parametrize("value", [[], None, 3, {}, {"format": 1}, {"slots": 3}])
def test_other_json_is_refused(bare, value):
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
def test_a_configuration_of_something_else_is_refused(bare, name, value, sentence):
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
        ({"slots": -(10**400)}, "NTM cannot be built (slots of NTMCell is -1000"),
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
def test_arguments_that_do_not_fit_are_refused_at_once_and_cost_nothing(bare, shapes_unchecked, arguments, sentence):
    change(bare, **arguments)
    with pytest.raises(SharingError, match=re.escape(sentence)):
        memtape.NTM.from_pretrained(bare)
    begun = time.perf_counter()
    tracemalloc.start()
    refused(bare, sentence)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.perf_counter() - begun < 1
    assert peak < 32 * 2**20


def test_too_many_layers_of_the_other_model_are_refused_too(tmp_path, shapes_unchecked):
    memtape.StackedLSTM(INPUT, OUTPUT, hidden_size=4).save_pretrained(tmp_path)
    (tmp_path / "manifest.json").unlink()
    change(tmp_path, layers=10**6)
    refused(tmp_path, "StackedLSTM with these arguments has far more than the", kind=memtape.StackedLSTM)


def test_no_size_below_the_limit_is_refused_for_itself(tmp_path):
    network = memtape.NTM(INPUT, OUTPUT, slots=2**20, width=2, controller_size=2, initial_weights="zeros")
    network.save_pretrained(tmp_path)
    memtape.NTM.from_pretrained(tmp_path)
    with pytest.raises(
        SharingError, match=r"slots of NTM is 1048577, but a network of .* weights has no size beyond 1048576"
    ):
        memtape.NTM(INPUT, OUTPUT, slots=2**20 + 1, width=2, initial_weights="zeros").save_pretrained(tmp_path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrow_weights_are_refused(bare, dtype):
    path = bare / "model.safetensors"
    save_file({name: tensor.to(dtype) for name, tensor in load_file(path).items()}, path)
    refused(bare, f"is {dtype}, but weights are float32 or float64; convert the network with .float()")


def test_whole_numbers_in_the_place_of_weights_are_refused(bare):
    path = bare / "model.safetensors"
    tensors = load_file(path)
    tensors["cell.machine.initial_reads"] = tensors["cell.machine.initial_reads"].to(torch.int64)
    save_file(tensors, path)
    refused(
        bare,
        "the tensor cell.machine.initial_reads has dtype torch.int64, but NTM with these arguments has torch.float32",
    )


def test_a_name_beyond_all_measure_is_cut(bare):
    path = bare / "model.safetensors"
    save_file({**load_file(path), "evil\n" * 1000: torch.zeros(1)}, path)
    refused(bare, "there is a tensor 'evil\\nevil")


def test_a_header_beyond_all_measure_is_refused(bare):
    names = {f"tensor {number:06d}": torch.zeros(0) for number in range(30_000)}
    (bare / "model.safetensors").write_bytes(save(names))
    refused(bare, "model.safetensors has a header of", error=DamagedError)


def test_loading_takes_no_more_than_twice_the_file(tmp_path):
    """The bytes of the file and its tensors, then the tensors and the network's; told by a process of its own."""
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


# Pickle


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "last.ckpt", "weights.pkl"])
def test_pickles_are_refused_with_the_reason_and_not_opened(bare, name, monkeypatch):
    (bare / "model.safetensors").rename(bare / name)
    opened = []
    monkeypatch.setattr("builtins.open", lambda *words, **_: opened.append(words))
    monkeypatch.setattr("io.open", lambda *words, **_: opened.append(words))
    refused(
        bare, f"{name!r}, but that is a pickle file, which can run any code when it is loaded and is never opened here"
    )
    refused(str(bare / name), "is a pickle file, which can run any code when it is loaded and is never opened here")
    assert not opened


def test_a_pickle_beside_the_weights_does_not_matter(bare, ntm):
    (bare / "pytorch_model.bin").write_bytes(b"\x80")
    same(ntm, memtape.NTM.from_pretrained(bare))


def test_no_pickle_is_read_when_a_network_is_saved_and_loaded(tmp_path):
    code = (
        "import sys, memtape, torch; memtape.NTM; import memtape.models.sharing\n"
        "found = []\n"
        "sys.addaudithook(lambda event, words: found.append(words) if event.startswith('pickle.') else None)\n"
        "memtape.NTM(3, 2, slots=4).save_pretrained(sys.argv[1])\n"
        "memtape.NTM.from_pretrained(sys.argv[1])\n"
        "assert not found, found\n"
        "import pickle; pickle.loads(pickle.dumps(memtape.NTM))\n"
        "assert found"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "ntm")], check=True)


# Places


def test_a_folder_that_is_not_there_is_named(tmp_path):
    for source in (tmp_path / "nowhere", str(tmp_path / "nowhere"), "./nowhere"):
        with pytest.raises(
            SharingError, match=r"there is no folder .*nowhere; give one that save_pretrained wrote, or the name"
        ):
            memtape.NTM.from_pretrained(source)


def test_an_empty_folder_has_no_network(tmp_path):
    refused(tmp_path, "config.json is missing", error=DamagedError)


def test_a_revision_of_a_folder_is_refused(folder):
    with pytest.raises(SharingError, match=r"revision is 'main', but .* is a folder, which has none; leave it out"):
        memtape.NTM.from_pretrained(folder, revision="main")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub in a folder: what is pushed can be fetched, by links as in the hub's own cache."""
    told = SimpleNamespace(fetched=[], pushed=[])
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshot"
    blobs.mkdir()

    class Api:
        def __init__(self, token=None, library_name=None):
            told.token = token

        def create_repo(self, repo_id, *, private, exist_ok):
            told.created = (repo_id, private, exist_ok)
            return SimpleNamespace(repo_id=repo_id)

        def upload_folder(self, *, repo_id, folder_path, commit_message, revision):
            told.pushed.append((repo_id, sorted(path.name for path in Path(folder_path).iterdir())))
            told.message, told.branch = commit_message, revision
            snapshot.mkdir()
            for path in Path(folder_path).iterdir():
                shutil.copy(path, blobs)
                (snapshot / path.name).symlink_to(blobs / path.name)
            return f"commit of {repo_id}"

    def snapshot_download(repo_id, *, allow_patterns, **options):
        told.fetched.append((repo_id, tuple(allow_patterns), options))
        return str(snapshot)

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    told.snapshot = snapshot
    return told


def test_what_is_pushed_comes_back(hub, ntm, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    address = ntm.push_to_hub("me/ntm-copy", private=True, token="t", branch="trial", commit_message="Better")
    assert address == "commit of me/ntm-copy"
    assert hub.created == ("me/ntm-copy", True, True)
    assert (hub.token, hub.message, hub.branch) == ("t", "Better", "trial")
    assert hub.pushed == [("me/ntm-copy", ["README.md", "config.json", "manifest.json", "model.safetensors"])]
    assert 'from_pretrained("me/ntm-copy")' in (hub.snapshot / "README.md").read_text()
    same(ntm, memtape.NTM.from_pretrained("me/ntm-copy", revision="abc", local_files_only=True, cache_dir="here"))
    (repo_id, patterns, options) = hub.fetched[0]
    assert repo_id == "me/ntm-copy"
    assert set(patterns) == {"config.json", "model.safetensors", "manifest.json"}
    assert options == {
        "revision": "abc",
        "token": None,
        "cache_dir": "here",
        "force_download": False,
        "local_files_only": True,
    }


def test_a_commit_says_what_it_shares(hub, ntm):
    ntm.push_to_hub("me/ntm-copy")
    assert (hub.message, hub.branch, hub.token, hub.created[1]) == ("Share NTM", None, None, None)


def test_what_was_damaged_on_the_way_is_noticed(hub, ntm):
    ntm.push_to_hub("me/ntm-copy")
    path = (hub.snapshot / "model.safetensors").resolve()
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(DamagedError, match=r"model\.safetensors is not the file that manifest\.json names"):
        memtape.NTM.from_pretrained("me/ntm-copy")


@pytest.mark.parametrize(
    "error",
    [
        OfflineModeIsEnabled("Cannot reach it: offline mode is enabled."),
        ConnectionError("[Errno -2] Name or service not known"),
        OSError("no space"),
        LocalEntryNotFoundError("It is not there.\n\nSecond line."),
        RuntimeError(""),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_hub_that_is_not_there_is_told_in_one_sentence(hub, ntm, monkeypatch, error):
    def fail(*_, **__):
        raise error

    reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
    cure = "; check the name and the connection, log in by `hf auth login` if it is private, or use a folder"
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    sentence = f"'me/ntm-copy' is no folder here and cannot be fetched from the hub ({reason}){cure}"
    with pytest.raises(SharingError, match=f"^{re.escape(sentence)}$"):
        memtape.NTM.from_pretrained("me/ntm-copy")
    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", fail)
    sentence = f"the network cannot be pushed to 'me/ntm-copy' ({reason}){cure}"
    with pytest.raises(SharingError, match=f"^{re.escape(sentence)}$"):
        ntm.push_to_hub("me/ntm-copy")


def test_a_name_that_no_repository_has_is_refused_without_asking():
    with pytest.raises(
        SharingError, match=r"'a/b/c' is no folder here and cannot be fetched from the hub \(Repo id must"
    ):
        memtape.NTM.from_pretrained("a/b/c")


def test_neither_models_nor_folders_load_the_hub_s_library(folder):
    code = (
        "import sys, memtape; memtape.NTM.from_pretrained(sys.argv[1])\n"
        "assert not [name for name in sys.modules if name.startswith('huggingface_hub.')]"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)


# Cards


def test_the_card_of_a_plain_network(folder):
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: memtape\ntags:\n- memtape\n")
    assert 'memtape.NTM.from_pretrained("ntm")' in card
    assert f"(batch, time, {INPUT})" in card
    assert "| slots | 4 |" in card
    assert "## Training" not in card
    assert "figure.png" not in card


def test_the_header_of_a_card_is_what_the_hub_reads(folder):
    data = huggingface_hub.ModelCard.load(folder / "README.md").data
    assert data.library_name == "memtape"
    assert data.tags == ["memtape", "pytorch", "recurrent-neural-network"]
    assert data.license is None


def test_the_card_of_a_trained_network(ntm, tmp_path):
    training = Training(
        title="ntm on copy",
        summary="It copies.",
        tags=("ntm", "copy"),
        facts={"seed": 3, "recipe": None, "odd": "a|b\nc"},
        results=[
            {"length": 10, "sequences": 100, "wrong_bits": 0.25},
            {"length": 20, "sequences": 100, "wrong_bits": 1.0},
        ],
        unit="vectors",
        figure=b"png",
        caption="A tape.",
    )
    ntm.save_pretrained(tmp_path / "a folder", training=training)
    card = (tmp_path / "a folder" / "README.md").read_text()
    for text in (
        *("- copy\n", "# ntm on copy\n\nIt copies.\n", "![A tape.](figure.png)", "| seed | 3 |", "| recipe | none |"),
        *(
            "| odd | a\\|b c |",
            "| length (vectors) | sequences | wrong bits |\n| --- | --- | --- |\n| 10 | 100 | 0.25 |",
        ),
        *("| 20 | 100 | 1 |", 'from_pretrained("a folder")', "parameters."),
    ):
        assert text in card
    assert str(tmp_path) not in card


def test_the_code_of_a_card_runs(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    code = (folder / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    namespace = {"xs": torch.zeros(1, 2, INPUT)}
    exec(code, namespace)
    assert namespace["outputs"].shape == (1, 2, OUTPUT)


# The measure of a constructor


@pytest.mark.parametrize("name", MODELS)
def test_the_measure_of_a_constructor_leaves_room(name, monkeypatch):
    """Half of it would do for networks of many layers, so that it stands in nobody's way."""
    network = MODELS[name].load()(INPUT, OUTPUT, **{{"ntm": "controller_layers"}.get(name, "layers"): 60})
    monkeypatch.setattr(blueprint, "CALLS_PER_TENSOR", blueprint.CALLS_PER_TENSOR // 2)
    monkeypatch.setattr(blueprint, "CALLS_AT_LEAST", 0)
    blueprint.build(type(network), network.configuration, network.state_dict())

"""Shared networks are loaded unchanged, or are not saved."""

import json
import multiprocessing
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import memtape
from memtape.catalog.registry import MODELS
from memtape.core.recurrent import Recurrent, runs
from memtape.models.recurrent.lstm import StackedLSTMCell
from memtape.sharing.model_card import Training
from memtape.sharing.shareable import Shareable
from memtape.sharing.shared_folder import SharingError, _alone_in

INPUT, OUTPUT = 3, 2
TINY = {"slots": 4, "width": 3, "controller_size": 5}


OPTIONS = [(entry.name, entry.options) for entry in MODELS.values() if entry.load().input_kind == "sequences"]
CHOICES = {
    "dropout": [0.0, 0.5],
    "leak": [0.5, 1.0],
    "density": [0.5, 1.0],
    "longest": [1.0, 5.0],
    "chrono": [None, 5],
    "delay": [2, 3],
    "embedding_size": [None, 2],
    "readout_size": [None, 2],
    "groups": [2],
    "hidden_size": [2, 4],
    "slots": [4, 5],
    "heads": [1, 2],
    "nearest": [1, 2],
    "link_size": [None],
    "mask_floor": [0.0],
    "usage_epsilon": [0.0, 0.5],
    "usage_tolerance": [0.0, 0.5],
    "product_epsilon": [0.0, 0.5],
    "bypass_dropout": [0.0, 0.5],
    "discount": [0.5, 0.9],
    "usage_decay": [0.5, 0.9],
    "initial_strength": [1.5, 6.0],
    "min_radius": [0.0, 0.5],
    "max_radius": [0.9, 1.0],
    "max_phase": [0.5, 6.0],
    "programs": [None, 2],
    "program_key_size": [None, 2],
    "max_depth": [None, 64],
    "state_clamp": [None, 2.0],
    "jump_length": [2, 8],
    "window": [None, 3],
    "writing_steps": [6],
    "writing_interval": [None, 2],
}
"""Values of options for which not every number of their type is valid."""


def remove_options_of_other_rules(options):
    """Remove options that have no effect with the rule of writing."""
    if options.get("writing") == "every":
        for option in ("writing_steps", "writing_interval", "writing_from_zero", "hold_reads"):
            del options[option]
    if options.get("writing") not in {None, "random"}:
        del options["writing_seed"]
    if options.get("writing") not in {None, "cached"}:
        del options["cache_attention_size"]


def remove_contradictions(name, options):
    """Remove or replace options that another one excludes."""
    if options.get("addressing") == "content":
        location = ("shift_range", "sequential_heads", "initial_weights", "gate_bias", "sharpening_bias")
        for option in (*location, "write_shift_bias", "read_stay_bias"):
            del options[option]
    if options.get("joint_actions"):
        options["empty"] = 0.0
    if options.get("links") == "none":
        del options["sharpen_links"]
    if options.get("strengths") == "none":
        del options["initial_strength"]
    if options.get("programs") is None:
        for option in [option for option in options if "program" in option]:
            del options[option]
    remove_options_of_other_rules(options)
    if options.get("writing") == "cached":
        options |= {"controller": "lstm", "controller_layers": 1}
    if name == "sam":
        options["hold_reads"] = True


@st.composite
def constructors(draw):
    """Draw a name of the registry, with any of the options of its class."""
    name, known = draw(st.sampled_from(OPTIONS))
    options = {}
    for option in known:
        choices = getattr(option.type, "__args__", ())
        if option.name in CHOICES:
            possible = [value for value in CHOICES[option.name] if value is not None or type(None) in choices]
            options[option.name] = draw(st.sampled_from(possible))
        elif choices and all(isinstance(choice, str) for choice in choices):
            options[option.name] = draw(st.sampled_from(choices))
        elif option.type is bool:
            options[option.name] = draw(st.booleans())
        elif option.type is int:
            options[option.name] = draw(st.integers(1, 3))
        else:
            options[option.name] = draw(st.sampled_from([0.5, 1.0, 2.0]))
    remove_contradictions(name, options)
    return name, options


@given(constructor=constructors(), dtype=st.sampled_from([torch.float32, torch.float64]))
def test_a_network_is_loaded_unchanged(constructor, dtype, tmp_path_factory, same):
    name, options = constructor
    network = MODELS[name].load()(INPUT, OUTPUT, **options).to(dtype).eval()
    folder = tmp_path_factory.mktemp("shared")
    network.save_pretrained(folder)
    same(network, type(network).from_pretrained(folder))
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("name", MODELS)
def test_every_model_of_the_registry_can_be_shared(name):
    assert issubclass(MODELS[name].load(), Shareable)


def test_trained_weights_are_loaded_unchanged(ntm, tmp_path, same):
    with torch.no_grad():
        for parameter in ntm.parameters():
            parameter.normal_()
    ntm.save_pretrained(tmp_path)
    same(ntm, memtape.NTM.from_pretrained(tmp_path))


def test_a_loaded_network_can_be_trained_on_and_shared_again(folder, tmp_path, same):
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


def test_the_files_are_the_documented_ones(folder):
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


def test_positional_arguments_are_stored_by_name():
    known = memtape.StackedLSTM(4, 5, layers=2).configuration
    defaults = {option.name: option.default for option in MODELS["lstm"].options}
    assert known == {**defaults, "input_size": 4, "output_size": 5, "layers": 2}


def test_saving_again_replaces_the_files(folder, same):
    other = memtape.NTM(INPUT, OUTPUT, **TINY, squash=False)
    training = Training(title="t", summary="s", figure=b"png")
    other.save_pretrained(folder, training=training)
    assert (folder / "figure.png").read_bytes() == b"png"
    same(other, memtape.NTM.from_pretrained(folder))
    other.save_pretrained(folder)
    assert not (folder / "figure.png").exists()


@pytest.mark.parametrize("name", ["README.md", "config.json", "model.safetensors", "figure.png"])
def test_files_of_other_programs_are_not_replaced(ntm, tmp_path, name):
    (tmp_path / name).write_text("Mine.")
    with pytest.raises(
        SharingError, match=f"has a {re.escape(name)} but no manifest.json, so that file is not replaced; give"
    ):
        ntm.save_pretrained(tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "Mine.")]


def test_the_card_may_be_edited(folder):
    (folder / "README.md").write_text("Mine.")
    memtape.NTM.from_pretrained(folder)


def test_a_folder_without_a_manifest_loads(ntm, bare, same):
    same(ntm, memtape.NTM.from_pretrained(bare))


def test_a_missing_argument_has_its_default(bare):
    config = json.loads((bare / "config.json").read_text())
    del config["arguments"]["squash"]
    (bare / "config.json").write_text(json.dumps(config))
    assert memtape.NTM.from_pretrained(bare).configuration["squash"] is True


def test_an_integer_is_valid_for_a_float_option(bare, shapes_unchecked, change):
    change(bare, clip=10**9, gate_bias=-3)
    assert memtape.NTM.from_pretrained(bare).configuration["clip"] == 10**9


def test_a_user_defined_class_can_be_shared(tmp_path, same):
    class Mine(Recurrent, Shareable):
        __init__ = runs(StackedLSTMCell)

    network = Mine(INPUT, OUTPUT, hidden_size=4)
    network.save_pretrained(tmp_path)
    same(network, Mine.from_pretrained(tmp_path))


# Networks that cannot be shared


def test_a_network_with_replaced_layers_is_not_saved(ntm, tmp_path):
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
def test_an_argument_without_a_json_form_is_refused_at_construction(value):
    with pytest.raises(ValueError, match=f"gate_bias is {value}, but it must be finite; give another number"):
        memtape.NTM(INPUT, OUTPUT, **TINY, gate_bias=value)
    with pytest.raises(ValueError, match=f"is {value}"):
        memtape.BiLSTM(INPUT, OUTPUT, hidden_size=2, dropout=value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_argument_without_a_json_form_is_not_saved(value, ntm, tmp_path):
    network = ntm
    network.configuration["gate_bias"] = value
    with pytest.raises(
        SharingError, match=f"gate_bias of NTM is {value}, but it must be float and finite; correct the argument"
    ):
        network.save_pretrained(tmp_path)


def test_an_unwritable_path_is_named(ntm, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SharingError, match=r"file/x cannot be written \(Not a directory\); give a place"):
        ntm.save_pretrained(tmp_path / "file" / "x")


def save_at_once(folder, value, barrier, answers):
    network = memtape.Elman(2, 2, hidden_size=3 + value)
    barrier.wait()
    try:
        network.save_pretrained(folder)
        answers.put(None)
    except SharingError as error:
        answers.put(str(error))


def test_a_folder_that_several_processes_save_holds_the_network_of_one(tmp_path):
    context = multiprocessing.get_context("fork")
    for attempt in range(10):
        barrier, answers, folder = context.Barrier(3), context.Queue(), tmp_path / str(attempt)
        processes = [context.Process(target=save_at_once, args=(folder, value, barrier, answers)) for value in range(3)]
        for process in processes:
            process.start()
        told = {answers.get(timeout=60) for _ in processes}
        for process in processes:
            process.join()
        assert memtape.Elman.from_pretrained(folder).configuration["hidden_size"] in (3, 4, 5)
        sentence = f"another process is saving a network in {folder}; wait for its end, or give another folder"
        assert None in told
        assert told <= {None, sentence}


def test_a_folder_that_another_process_saves_is_refused(tmp_path):
    with _alone_in(tmp_path), pytest.raises(SharingError, match=r"another process is saving a network in .*; wait for"):
        memtape.Elman(2, 2, hidden_size=3).save_pretrained(tmp_path)

"""Benchmarks: paired times, and peak memory."""

import sys
import time

import pytest
import torch

from memtape.catalog.registry import MODELS, UnknownNameError
from memtape.core.backends import BackendError
from memtape.core.recurrent import Recurrent
from memtape.experiments.bench.measure import Case, comparisons, measured, middle, ratio, side_by_side
from memtape.experiments.experiment import ExperimentError

SIZES = {"batch": [2], "time": [3], "slots": [4]}
ROW = {
    *("model", "backend", "mode", "batch", "time", "slots", "threads", "device", "options"),
    *("ms_per_step", "spread", "ratio", "ratio_spread", "peak_mib", "rounds", "fused"),
}


def test_a_row_holds_the_settings_and_the_measurements():
    (group,) = comparisons(["ntm"], **SIZES, backend=["reference"], mode=["train"], options={"width": 5}, threads=1)
    (row,) = measured(group, seconds=0.01)
    assert set(row) == ROW
    assert [row[name] for name in ("model", "backend", "mode", "batch", "time", "slots", "threads")] == [
        *("ntm", "reference", "train", 2, 3, 4, 1)
    ]
    assert row["options"] == {"width": 5, "slots": 4}
    assert row["ms_per_step"] > 0
    assert row["spread"] >= 0
    assert (row["ratio"], row["ratio_spread"], row["fused"]) == (1, 0, False)
    assert row["rounds"] >= 5
    assert row["peak_mib"] >= 0


def test_rows_of_a_group_differ_in_the_backend_only():
    sizes = {"batch": [1, 2], "time": [3, 4], "slots": [5, 6, 7]}
    names = ["ntm", "lstm"]
    groups = comparisons(names, **sizes, backend=["reference", "compile"], options={"width": 3, "layers": 2})
    assert all([case.backend for case in group.cases] == ["reference", "compile"] for group in groups)
    cases = [group.cases[0] for group in groups]
    assert len([case for case in cases if case.model == "ntm"]) == 2 * 2 * 2 * 3
    assert len([case for case in cases if case.model == "lstm"]) == 2 * 2 * 2
    assert {case.options["slots"] for case in cases if case.model == "ntm"} == {5, 6, 7}
    assert all(case.options.keys() == {"width", "slots"} for case in cases if case.model == "ntm")
    assert all(case.options == {"layers": 2} for case in cases if case.model == "lstm")


def test_each_network_is_built_once(monkeypatch):
    built, build = [], Case.network
    monkeypatch.setattr(Case, "network", lambda case: built.append(case.options["slots"]) or build(case))
    for group in comparisons(
        ["ntm"], batch=[1, 2], time=[3], slots=[5, 6], mode=["infer"], backend=["reference"], threads=1
    ):
        monkeypatch.setattr("memtape.experiments.bench.measure._peak", lambda _: 1.5)
        measured(group, seconds=0.0)
    assert built == [5, 6]


def test_all_recurrent_models_are_measured_and_no_others():
    cases = [group.cases[0] for group in comparisons(**SIZES, backend=["reference"], mode=["infer"])]
    stepping = {name for name, entry in MODELS.items() if issubclass(entry.load(), Recurrent)}
    assert {case.model for case in cases} == stepping
    assert set(MODELS) > stepping > {"ntm", "lstm"}


def test_training_runs_the_backward_pass_and_inference_does_not():
    train, infer = (group.cases[0] for group in comparisons(["ntm"], **SIZES, backend=["reference"]))
    network = train.network()
    infer.step(network)()
    assert all(parameter.grad is None for parameter in network.parameters())
    train.step(network)()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_steps_alternate_and_the_first_round_is_not_timed(monkeypatch):
    monkeypatch.setattr("memtape.experiments.bench.measure.TURN", 0.0)
    done = []
    side_by_side({"a": lambda: done.append("a"), "b": lambda: done.append("b")}, seconds=0.0)
    assert done == [*"aaaabbbb", *"aabb" * 5]


def test_a_slowdown_to_a_quarter_of_the_speed_changes_no_ratio(monkeypatch):
    now = 0.0

    def step(seconds):
        nonlocal now
        now += seconds * (1 + now)

    monkeypatch.setattr("memtape.experiments.bench.measure.perf_counter", lambda: now)
    times = side_by_side({"a": lambda: step(0.001), "b": lambda: step(0.003)}, seconds=3.0)
    assert max(times["a"]) > 3 * min(times["a"])
    assert ratio(times["a"], times["b"])[0] == pytest.approx(3, rel=0.1)


def test_the_ratio_is_the_speedup_computed_from_pairs():
    drifting = [1.0, 2.0, 4.0, 8.0, 16.0]
    assert ratio(drifting, [3 * length for length in drifting]) == (3, 0)


def test_a_step_that_sleeps_is_timed():
    (lengths,) = side_by_side({"sleep": lambda: time.sleep(0.01)}, seconds=0.0).values()
    assert len(lengths) == 5
    assert min(lengths) >= 0.01


def test_the_spread_is_the_interquartile_range_as_a_share_of_the_median():
    assert middle([5.0, 1.0, 3.0, 2.0, 4.0]) == (3, 2 / 3)


@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        ({"models": ["nmt"]}, UnknownNameError, 'there is no model "nmt"; did you mean "ntm"?'),
        ({"models": ["seq2seq"]}, ExperimentError, "seq2seq is not a recurrent cell; measure another"),
        ({"models": ["ntm", "bilstm"]}, ExperimentError, "bilstm is not a recurrent cell"),
        ({"batch": []}, ExperimentError, "batch has no value, but it must have at least one; give one or more"),
        ({"batch": [1, 0]}, ExperimentError, "batch is 0, but it must be at least 1"),
        ({"time": [-1]}, ExperimentError, "time is -1, but it must be at least 1"),
        ({"slots": [0]}, ExperimentError, "slots is 0, but it must be at least 1"),
        ({"threads": 0}, ExperimentError, "threads is 0, but it must be at least 1"),
        ({"options": {"slots": 3}}, ExperimentError, "slots is given as an option of the model.*give --slots"),
        (
            {"options": {"widht": 3}},
            ExperimentError,
            "there is no option widht of .*dnc or .*; the options are ",
        ),
        ({"options": {"width": 0}}, ExperimentError, r"width of \w+Cell is 0, but it must be at least 1"),
        (
            {"backend": ["auto"]},
            BackendError,
            "the backend is 'auto', but it must be one of reference, compile, scan, cpu",
        ),
        ({"backend": ["triton"]}, BackendError, "the backend is 'triton', which is absent here"),
        ({"device": "cuda"}, ExperimentError, "device is cuda, but torch finds none; leave --device out"),
    ],
)
def test_an_invalid_benchmark_is_refused(shapes_unchecked, monkeypatch, given, error, sentence):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(error, match=sentence):
        comparisons(**{**SIZES, **given})


def test_fused_kernels_of_another_device_are_refused(monkeypatch):
    monkeypatch.setattr("memtape.experiments.bench.measure.FUSED", {"cpu": "reference", "cuda": "compile"})
    with pytest.raises(ExperimentError, match="the backend compile does not compute on cpu; leave it out"):
        comparisons(**SIZES, backend=["compile"])


def test_a_failed_measuring_process_is_reported(monkeypatch):
    (group,) = comparisons(["ntm"], **SIZES, backend=["reference"], mode=["infer"], threads=1)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ExperimentError, match=r"the memory of ntm on reference .* \(exit code 1\); measure a smaller"):
        measured(group, seconds=0.0)

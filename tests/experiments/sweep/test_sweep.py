"""Sweeps: the runs that are trained, that are not trained again, and plans that are refused."""

import json
import math
import threading

import pytest

from memtape.experiments.experiment import Experiment
from memtape.experiments.file_lock import file_lock
from memtape.experiments.sweep.search_space import Choices, Range, Space
from memtape.experiments.sweep.sweep import Listener, Plan, SweepError, default_sweep_folder, sweep
from memtape.training.settings import TrainSettings

pytestmark = pytest.mark.usefixtures("fake_training")

EXPERIMENT = Experiment(
    model="lstm",
    task="copy",
    model_options={"hidden_size": 4},
    task_options={"bits": 2},
    train=TrainSettings(learning_rate=0.01),
    recipe="lstm-copy",
)
RATES = Space(trials=6, options={"train.learning_rate": Range(low=1e-4, high=1e-1, log=True, integer=False)})


def plan(**changes):
    return Plan(**{"experiment": EXPERIMENT, "seeds": (0, 1, 2), **changes})


def swept(folder, *, jobs=3, stop=None, ended=lambda *_: None, killed=lambda *_: None, **changes):
    listener = Listener(ended=ended, killed=killed)
    return sweep(plan(**changes), folder, jobs=jobs, stop=stop or threading.Event(), listener=listener)


def calls(folder):
    return [line for file in sorted(folder.glob("configurations/*/calls")) for line in file.read_text().splitlines()]


def test_without_a_space_there_is_one_configuration_with_all_seeds(tmp_path):
    ended = []
    (only,) = swept(tmp_path, ended=lambda configuration, seed: ended.append((configuration.number, seed)))
    assert only.experiment == EXPERIMENT
    assert only.training_runs.keys() == {0, 1, 2}
    assert only.value == 2
    assert sorted(ended) == [(0, 0), (0, 1), (0, 2)]
    assert not (tmp_path / "journal.jsonl").exists()


def test_listed_values_are_a_configuration_each(tmp_path):
    each = ({"train.learning_rate": 0.01}, {"train.learning_rate": 0.02})
    first, second = swept(tmp_path, each=each)
    assert [one.number for one in (first, second)] == [0, 1]
    assert [one.experiment.train.learning_rate for one in (first, second)] == [0.01, 0.02]
    assert (first.value, second.value) == pytest.approx((2, 3))
    with pytest.raises(SweepError, match=r"was started with each .*, but it is None now"):
        swept(tmp_path)


def test_every_proposal_is_trained_with_all_seeds_and_its_result_is_the_median_cost(tmp_path):
    configurations = swept(tmp_path, space=RATES)
    assert [one.number for one in configurations] == list(range(6))
    assert len(calls(tmp_path)) == 18
    for one in configurations:
        rate = one.values["train.learning_rate"]
        assert one.experiment.train.learning_rate == rate
        assert one.value == pytest.approx(100 * rate + 1)
    answers = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    results = [line["values"][0] for line in answers if line.get("values")]
    assert results == [one.value for one in configurations]


def test_the_cost_is_infinite_if_most_seeds_fail_and_unchanged_if_fewer_do(tmp_path):
    space = Space(trials=1, options={"train.learning_rate": Choices(values=(0.5,))})
    (failed,) = swept(tmp_path, space=space)
    assert failed.value == math.inf
    training = failed.training_runs[0]
    training.failure_file.unlink()
    result = {"solved": False, "solved_step": None, "steps": 2, "sequences": 32, "seconds": 1.0}
    scores = {"cost_bits": 3.0, "wrong_bits": 1.0}
    training.folder.joinpath("result.json").write_text(json.dumps({**result, "scores": scores}))
    training.folder.joinpath("manifest.json").touch()
    assert failed.value == math.inf


def test_a_killed_training_run_is_reported_and_changes_nothing(tmp_path):
    kills = []
    space = Space(trials=1, options={"train.learning_rate": Choices(values=(0.125,))})
    (only,) = swept(
        tmp_path, space=space, killed=lambda configuration, *rest: kills.append((configuration.number, *rest))
    )
    assert only.value == 13.5
    assert sorted(kills) == [(0, seed, "signal SIGKILL") for seed in (0, 1, 2) for _ in range(4)]


def test_a_folder_left_by_a_kill_before_the_plan_was_written_is_used(tmp_path):
    (tmp_path / "sweep.lock").touch()
    (tmp_path / ".sweep.json.123.partial").touch()
    assert swept(tmp_path, seeds=(0,)) is not None


def test_a_second_start_trains_nothing_and_returns_the_same_results(tmp_path):
    first = swept(tmp_path, space=RATES)
    before, ended = calls(tmp_path), []
    assert swept(tmp_path, space=RATES, ended=lambda *place: ended.append(place)) == first
    assert calls(tmp_path) == before
    assert ended == []


def test_a_stopped_sweep_continues_to_the_same_results(tmp_path):
    stop, ended = threading.Event(), []

    def stop_in_the_middle(configuration, seed):
        ended.append((configuration.number, seed))
        if len(ended) == 8:
            stop.set()

    places = [tmp_path / name for name in ("whole", "stopped")]
    assert swept(places[1], space=RATES, jobs=2, stop=stop, ended=stop_in_the_middle) is None
    trained = len(calls(places[1]))
    assert trained < 18
    whole, continued = swept(places[0], space=RATES, jobs=2), swept(places[1], space=RATES, jobs=2)
    assert [(one.number, one.values, one.value) for one in continued] == [
        (one.number, one.values, one.value) for one in whole
    ]


def test_a_sweep_killed_between_two_answers_of_a_round_proposes_the_same(tmp_path):
    space = Space(trials=14, options=RATES.options)
    whole = swept(tmp_path, space=space, seeds=(0,), jobs=2)
    journal = tmp_path / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    answers = [number for number, line in enumerate(lines) if json.loads(line).get("values")]
    journal.write_text("".join(lines[: answers[11]]))
    assert swept(tmp_path, space=space, seeds=(0,), jobs=2) == whole
    assert len(calls(tmp_path)) == 14


def test_rounds_keep_the_jobs_busy_and_do_not_depend_on_the_order_of_completion(tmp_path):
    rounds = []

    def ended(configuration, _seed):
        proposed = len(list((tmp_path / "configurations").iterdir()))
        rounds.append((configuration.number, proposed))

    swept(tmp_path, space=RATES, seeds=(0,), jobs=2, ended=ended)
    assert sorted(rounds) == [(0, 2), (1, 2), (2, 4), (3, 4), (4, 6), (5, 6)]


def test_a_configuration_proposed_twice_is_trained_once(tmp_path):
    space = Space(trials=5, options={"model.layers": Choices(values=(1, 2))})
    configurations = swept(tmp_path, space=space)
    assert len(configurations) == 2
    assert len(calls(tmp_path)) == 6
    assert {one.values["model.layers"] for one in configurations} == {1, 2}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"seeds": (0, 1)}, r"was started with seeds \[0, 1, 2\], but it is \[0, 1\] now; give the same as before"),
        ({"space": RATES}, r"was started with space"),
        ({"sampler_seed": 1}, "was started with sampler_seed 0, but it is 1 now"),
        (
            {"experiment": Experiment(**{**EXPERIMENT.__dict__, "train": TrainSettings(learning_rate=0.02)})},
            r"was started with train\.learning_rate 0\.01, but it is 0\.02 now",
        ),
    ],
)
def test_another_plan_in_the_same_folder_is_refused(tmp_path, changes, sentence):
    swept(tmp_path)
    with pytest.raises(SweepError, match=sentence):
        swept(tmp_path, **changes)


def test_the_seed_of_the_experiment_is_ignored(tmp_path):
    swept(tmp_path)
    assert swept(tmp_path, experiment=Experiment(**{**EXPERIMENT.__dict__, "seed": 7})) is not None


def test_a_folder_of_other_files_is_refused(tmp_path):
    (tmp_path / "mine").write_text("")
    with pytest.raises(SweepError, match="is neither empty nor the folder of a sweep; give --out another name"):
        swept(tmp_path)
    with pytest.raises(SweepError, match=r"cannot be created \(Not a directory\)"):
        swept(tmp_path / "mine" / "sweep")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("text", ["no", "[]", "[" * 100_000], ids=lambda text: text[:3])
def test_a_damaged_sweep_is_refused(tmp_path, text):
    (tmp_path / "sweep.json").write_text(text)
    with pytest.raises(SweepError, match=r"sweep\.json is not JSON of a sweep; restore the file"):
        swept(tmp_path)


def test_a_second_sweep_at_the_same_time_is_refused(tmp_path):
    with (
        file_lock(tmp_path / "sweep.lock"),
        pytest.raises(
            SweepError,
            match=r"the sweep in .* belongs to process \d+ on .*; wait for its end, or give --out another name",
        ),
    ):
        swept(tmp_path)


def test_the_default_folder_names_model_task_and_time():
    assert default_sweep_folder("ntm", "copy").parts[0] == "runs"
    assert default_sweep_folder("ntm", "copy").name.startswith("sweep-ntm-copy-20")

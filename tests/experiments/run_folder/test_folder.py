"""Run folders: their files, and the messages on damage."""

import json
import multiprocessing
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from memtape.experiments.run_folder.environment import environment
from memtape.experiments.run_folder.folder import FINAL, Run, RunError, default_folder
from memtape.experiments.run_folder.weights import read_weights, save_weights


def flip_a_bit(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.fixture
def run(tmp_path):
    return Run.create(tmp_path / "run", {"seed": 1}, environment())


def finish(run, model):
    save_weights(run, model)
    with run.metrics() as file:
        file.write('{"step": 1}\n')
    for name in ("result.json", "evaluation.json"):
        run.write(name, {})
    run.finish()


@pytest.fixture
def finished(run):
    finish(run, nn.Linear(2, 3))
    return run


def test_a_new_run_holds_its_configuration_and_environment(run):
    assert run.read("config.json") == {"seed": 1}
    found = run.read("environment.json")
    assert found["torch"] == torch.__version__
    assert found["cores"] == os.cpu_count()


def test_weights_are_read_back_bit_for_bit(run):
    saved, loaded = nn.Linear(2, 3), nn.Linear(2, 3)
    finish(run, saved)
    loaded.load_state_dict(read_weights(run))
    assert torch.equal(saved.weight, loaded.weight)
    assert torch.equal(saved.bias, loaded.bias)


def test_metrics_are_read_back_in_order(run):
    with run.metrics() as file:
        for step in range(3):
            file.write(json.dumps({"kind": "skip", "step": step}) + "\n")
    assert [record["step"] for record in run.records()] == [0, 1, 2]


def test_a_folder_in_use_is_not_written_to(tmp_path):
    (tmp_path / "a").write_text("mine")
    with pytest.raises(RunError, match="exists and is not an empty folder; give another name"):
        Run.create(tmp_path, {}, {})
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def create(folder, number, barrier, answers):
    barrier.wait()
    try:
        Run.create(folder, {"seed": number}, {})
        answers.put((number, None))
    except RunError as error:
        answers.put((number, str(error)))


def test_of_several_processes_that_create_one_run_one_wins_with_its_own_configuration(tmp_path):
    context = multiprocessing.get_context("fork")
    for attempt in range(20):
        barrier, answers = context.Barrier(3), context.Queue()
        folder = tmp_path / str(attempt)
        processes = [context.Process(target=create, args=(folder, number, barrier, answers)) for number in range(3)]
        for process in processes:
            process.start()
        answered = [answers.get(timeout=60) for _ in processes]
        for process in processes:
            process.join()
        (winner,) = [number for number, error in answered if error is None]
        assert Run(folder).read("config.json") == {"seed": winner}
        assert {error for _, error in answered if error} == {
            f"{folder} exists and is not an empty folder; give another name or remove it"
        }
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(map(str, range(20)))


@pytest.mark.parametrize("name", [".", ""])
def test_the_current_folder_is_not_a_new_run(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match=r"the run folder \. is the current folder; give the name of a new one"):
        Run.create(Path(name), {}, {})


def test_a_run_has_one_owner_and_the_second_is_told_who(run):
    sentence = rf"the training run in .*run belongs to process {os.getpid()} on .* since .*; wait for its end, or stop"
    with run.owned(), pytest.raises(RunError, match=sentence), run.owned():
        pass
    with run.owned():
        assert run.has_owner
    assert not run.has_owner


def test_an_unwritable_path_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"the run folder .*file/run cannot be created \(Not a directory\); give a wr"):
        Run.create(tmp_path / "file" / "run", {}, {})


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(RunError, match=r"there is no run folder .*nowhere; give a folder"):
        Run.open(tmp_path / "nowhere")


def test_a_kill_may_leave_half_a_line_of_metrics(run):
    run.metrics_file.write_text('{"kind": "skip"}\n{"ki')
    assert run.records() == [{"kind": "skip"}]


def test_the_message_on_an_unfinished_run_tells_how_to_continue(run):
    with pytest.raises(
        RunError,
        match=r"the training run in .*run is not finished .*; continue with `memtape resume .*run`",
    ):
        Run.open(run.folder)


def test_a_folder_that_is_not_a_run_is_named(tmp_path):
    with pytest.raises(RunError, match=r"has no config\.json, so it is not a run folder"):
        Run.open_any(tmp_path)


@pytest.mark.parametrize("name", FINAL)
@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: content + b"\n", flip_a_bit])
def test_damage_to_any_file_of_a_finished_run_is_named(finished, name, damage):
    path = finished.folder / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(RunError, match=rf"{name} (has|is not the file) .*; restore the folder from its source"):
        finished.read_verified(name)


def test_a_lost_file_of_a_finished_run_is_named(finished):
    (finished.folder / "weights.safetensors").unlink()
    with pytest.raises(RunError, match=r"weights\.safetensors is missing"):
        read_weights(finished)


def test_a_broken_json_file_is_refused(run):
    (run.folder / "config.json").write_text("{")
    with pytest.raises(RunError, match=r"config\.json is not JSON .*; restore the file or train again"):
        run.read("config.json")


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        (
            "config.json",
            "[]",
            r"is not a valid file of a run \(Input should be a valid dictionary\); restore the file",
        ),
        ("environment.json", '{"commit": []}', r"is not a valid file of a run \(commit\."),
        ("result.json", '{"solved": 1}', r"is not a valid file of a run \(solved: Input should be a valid boolean"),
        ("evaluation.json", '[{"length": "1"}]', r"is not a valid file of a run \(0\.length\.\w+: "),
        ("vocabulary.json", '{"a": 1}', r"is not a valid file of a run \(Input should be a valid list"),
        ("vocabulary.json", "[1]", r"is not a valid file of a run \(0: Input should be a valid string"),
        ("evaluation.json", "[]", r"is not a valid file of a run \(there is no record"),
        ("evaluation.json", '[{"a": 1}, {"b": 1}]', r"is not a valid file of a run \(the records have different names"),
        ("evaluation.json", '[{"a": 1}, {"a": 1}]', r"is not a valid file of a run \(there are several records"),
        ("config.json", "[" * 100_000, r"is not JSON \(maximum recursion depth exceeded"),
        ("config.json", "[" + "1, " * 2**19 + "1]", r"is not JSON \(it has 1572867 bytes of at most 1048576\)"),
    ],
    ids=lambda value: value[:20],
)
def test_json_of_another_structure_is_refused(run, name, text, sentence):
    (run.folder / name).write_text(text)
    with pytest.raises(RunError, match=rf"{name} {sentence}"):
        run.read(name)


@pytest.mark.parametrize(
    "line",
    ["[]", "3", '{"step": 1}', '{"kind": ["train"]}', '{"kind": "train", "step": 1}', "[" * 100_000, "9" * 10_000],
)
def test_a_line_that_is_not_a_record_is_refused(run, line):
    run.metrics_file.write_text(f"{line}\n")
    with pytest.raises(RunError, match=r"metrics\.jsonl has a line that is not a record; restore the file"):
        run.records()


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl"])
def test_a_pipe_is_not_waited_for(run, name):
    (run.folder / name).unlink(missing_ok=True)
    os.mkfifo(run.folder / name)
    with pytest.raises(RunError, match=f"{name} is not a regular file"):
        run.records() if name == "metrics.jsonl" else run.read(name)


def test_a_file_without_weights_is_refused(finished):
    (finished.folder / "weights.safetensors").write_bytes(b"no weights")
    finished.finish()
    with pytest.raises(RunError, match=r"weights\.safetensors has a header of \d+ bytes, but at most"):
        read_weights(finished)


def test_a_missing_json_file_is_named(run):
    with pytest.raises(RunError, match=r"has no evaluation\.json; evaluate or train the run again"):
        run.read("evaluation.json")


def test_a_failed_write_keeps_the_old_file(run, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(RunError, match=r"config\.json cannot be written \(No space left on device\)"):
        run.write("config.json", {"seed": 2})
    assert run.read("config.json") == {"seed": 1}
    assert not list(run.folder.glob(".*.partial"))


def test_the_default_folder_names_model_task_and_time():
    assert str(default_folder("ntm", "copy", 3)).startswith(os.path.join("runs", "ntm-copy-seed3-"))


def test_default_folders_of_the_same_second_differ():
    assert len({default_folder("ntm", "copy", 3) for _ in range(100)}) == 100

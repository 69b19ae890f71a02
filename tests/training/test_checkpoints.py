"""Checkpoints are written completely or not at all, and damaged ones are named."""

import errno
import os
import random
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from memtape.training import checkpoints as checkpoints_module
from memtape.training.checkpoints import (
    Checkpoint,
    Checkpoints,
    ProcessShare,
)
from memtape.training.parallel.processes import Processes
from memtape.training.progress import Progress
from memtape.training.randomness import random_states, restore_random_states
from memtape.training.settings import TrainSettings


@pytest.fixture(scope="module")
def processes():
    return Processes(TrainSettings(device="cpu"))


@pytest.fixture
def checkpoints(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n')
    return Checkpoints(tmp_path / "checkpoints", {"metrics.jsonl": tmp_path / "metrics.jsonl"}, keep=2)


def checkpoint(step, **progress):
    torch.manual_seed(step)
    return Checkpoint(
        weights={"weight": torch.randn(3, 2)},
        best_weights={"weight": torch.randn(3, 2)},
        optimizer={"0.square_avg": torch.rand(3, 2), "0.step": torch.tensor(float(step))},
        progress=Progress(step=step, batch=step, sums={"loss": 0.1 * step}, count=3, **progress),
        shares=(ProcessShare(tensors={"random.torch": torch.get_rng_state()}, plain={"python": [step]}),),
    )


@pytest.fixture
def three(checkpoints, processes):
    for step in (10, 20, 30):
        checkpoints.save(checkpoint(step), processes)
    return checkpoints


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_checkpoint_is_read_back_bit_for_bit(three):
    wanted = checkpoint(30)
    found, files, damages = three.newest()
    assert not damages
    assert files == {"metrics.jsonl": b'{"step": 1}\n'}
    assert found.progress == wanted.progress
    for part in ("weights", "best_weights", "optimizer"):
        assert getattr(found, part).keys() == getattr(wanted, part).keys()
        assert all(torch.equal(getattr(found, part)[name], value) for name, value in getattr(wanted, part).items())
    assert found.shares[0].plain == {"python": [30]}


def test_the_last_ones_and_the_best_one_are_kept(checkpoints, processes):
    for step in (10, 20, 30, 40, 50):
        checkpoints.save(checkpoint(step, best_step=20), processes)
    assert checkpoints.steps() == [20, 40, 50]


def test_checkpoints_after_the_resumed_step_are_removed(checkpoints, processes):
    for step in (10, 20, 30, 20):
        checkpoints.save(checkpoint(step), processes)
    assert checkpoints.steps() == [20]


def test_only_checkpoints_remain_in_the_folder(three):
    assert sorted(path.name for path in three.folder.iterdir()) == ["step-000000020", "step-000000030"]


def flipped(path, chooser):
    content = bytearray(path.read_bytes())
    content[chooser.randrange(len(content))] ^= 1 << chooser.randrange(8)
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("seed", range(150))
def test_any_flipped_bit_is_detected_and_the_previous_checkpoint_is_used(three, seed):
    chooser = random.Random(seed)
    path = chooser.choice(files_of(three.path(30)))
    flipped(path, chooser)
    found, _, (damage,) = three.newest()
    assert found.progress.step == 20
    assert str(path) in damage


@pytest.mark.parametrize("kept", [0, 1, -1])
@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors", "progress.json", "metrics.jsonl"])
def test_a_truncated_file_is_detected(three, name, kept):
    path = three.path(30) / name
    path.write_bytes(path.read_bytes()[:kept])
    found, _, (damage,) = three.newest()
    assert found.progress.step == 20
    assert str(path) in damage


def swap(folder):
    first, second = folder / "weights.safetensors", folder / "best.safetensors"
    first.rename(folder / "other")
    second.rename(first)
    (folder / "other").rename(second)


DAMAGES = {
    "a lost file": lambda new, old: (new / "optimizer.safetensors").unlink(),
    "a lost manifest": lambda new, old: (new / "manifest.json").unlink(),
    "two swapped files": lambda new, old: swap(new),
    "a file of an older step": lambda new, old: shutil.copy(old / "progress.json", new / "progress.json"),
    "everything of an older step": lambda new, old: shutil.copytree(old, new, dirs_exist_ok=True),
    "a page of zeros": lambda new, old: (new / "weights.safetensors").write_bytes(
        bytes((new / "weights.safetensors").stat().st_size)
    ),
    "an empty folder": lambda new, old: [path.unlink() for path in new.iterdir()],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_other_damage_is_detected_and_the_previous_checkpoint_is_used(three, damage):
    damage(three.path(30), three.path(20))
    found, _, (message,) = three.newest()
    assert found.progress.step == 20
    assert str(three.path(30)) in message


def test_without_a_valid_checkpoint_all_are_named(three):
    for step in (20, 30):
        (three.path(step) / "weights.safetensors").write_bytes(b"")
    found, files, damages = three.newest()
    assert found is None
    assert files == {}
    assert [re.search(r"step-(\d+)", damage)[1] for damage in damages] == ["000000030", "000000020"]


def test_a_valid_manifest_of_an_invalid_checkpoint_is_reported(three):
    folder = three.path(30)
    (folder / "progress.json").write_text('{"pace": 1}')
    checkpoints_module.write_manifest(folder, [path.name for path in folder.iterdir() if path.name != "manifest.json"])
    found, _, (damage,) = three.newest()
    assert found.progress.step == 20
    assert "is not a checkpoint (ValueError: its keys are not" in damage


FLUSHES = 10
"""Calls for a checkpoint: eight files, their folder, and the parent folder."""


@pytest.mark.parametrize("call", range(FLUSHES))
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_disk_error_at_any_call_leaves_a_valid_checkpoint(three, processes, monkeypatch, call, code):
    calls = []
    flush = os.fsync

    def failing(handle):
        calls.append(handle)
        if len(calls) == call + 1:
            raise OSError(code, os.strerror(code))
        flush(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(OSError, match=os.strerror(code)):
            three.save(checkpoint(40), processes)
    found, _, damages = three.newest()
    assert (found.progress.step, damages) == (40 if call == FLUSHES - 1 else 30, [])
    assert not list(three.folder.glob(".*"))
    three.save(checkpoint(50), processes)
    assert three.newest()[0].progress.step == 50


def test_random_generators_are_restored():
    def drawn():
        return [torch.rand(3).tolist(), random.random(), random.gauss(0, 1), np.random.rand(2).tolist()]

    random.gauss(0, 1)  # stores its second number
    states = random_states()
    first = drawn()
    drawn()
    restore_random_states(*states)
    assert drawn() == first


def test_the_copies_are_those_at_the_time_of_saving(checkpoints, processes, tmp_path):
    checkpoints.save(replace(checkpoint(10)), processes)
    (tmp_path / "metrics.jsonl").write_text("later\n")
    assert checkpoints.newest()[1] == {"metrics.jsonl": b'{"step": 1}\n'}

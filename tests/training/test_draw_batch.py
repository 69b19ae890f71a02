"""Interactive tasks: batches that depend on the network's own outputs."""

import pytest
import torch

from memtape import NTM
from memtape.tasks.graph.shortest_path import ShortestPath
from memtape.training.checkpoints import Checkpoints
from memtape.training.loop import train
from memtape.training.settings import TrainSettings


@pytest.fixture
def walk():
    return ShortestPath(max_lesson=2, planner_share=0.5, planning=2)


def walker(walk):
    torch.manual_seed(0)
    return NTM(walk.input_size, walk.output_size, slots=6, width=4, controller_size=8)


def test_a_network_is_trained_on_its_own_episodes(run, walk):
    one, other = walker(walk), walker(walk)
    _, _, steps = run(one, walk, steps=2, learning_rate=0.1)
    _, _, again = run(other, walk, steps=2, learning_rate=0.1)
    assert steps == again
    walk.planner_share = 1.0
    _, _, led = run(walker(walk), walk, steps=2, learning_rate=0.1)
    assert led != steps


def test_a_training_run_on_an_interactive_task_resumes_to_the_same_bits(run, short, walk, tmp_path):
    straight, resumed = walker(walk), walker(walk)
    _, _, steps = run(straight, walk)
    checkpoints = Checkpoints(tmp_path, {}, keep=1)
    run(resumed, walk, steps=4, checkpoints=checkpoints)
    watched = []
    train(
        walker(walk),
        walk,
        TrainSettings(**short),
        seed=0,
        on_record=lambda _: None,
        on_step=lambda step, scores: watched.append((step, scores)),
        resume_from=checkpoints.newest()[0],
    )
    assert watched == steps[4:]

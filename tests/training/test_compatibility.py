"""Settings that are invalid for a network or a task are refused before training; all others are accepted."""

from functools import partial

import pytest
from pydantic import ValidationError

from memtape.models.memory_network.entnet import EntNet
from memtape.models.recurrent.bilstm import BiLSTM
from memtape.models.recurrent.elman import Elman
from memtape.models.recurrent.esn import EchoState
from memtape.models.recurrent.gru import GRU
from memtape.models.recurrent.jordan import Jordan
from memtape.models.seq2seq.seq2seq import Seq2Seq
from memtape.models.tree.treelstm import TreeLSTM
from memtape.tasks.dynamics.narma import Narma
from memtape.tasks.graph.shortest_path import ShortestPath
from memtape.tasks.images.digits import Digits
from memtape.tasks.language.boolean import Boolean
from memtape.tasks.language.scan import Scan
from memtape.tasks.long_range.adding import Adding
from memtape.tasks.stories.babi import Babi
from memtape.tasks.stories.babi_words import BabiWords
from memtape.training.compatibility import check_compatible
from memtape.training.loop import train
from memtape.training.settings import SettingsError, TrainSettings


def network(kind, task, **options):
    return kind(task.input_size, task.output_size, hidden_size=4, **options)


def check(kind, task, options=None, **settings):
    check_compatible(network(kind, task, **(options or {})), task, TrainSettings(device="cpu", **settings))


FREE = {"teacher_forcing": False}
SHORT = {"min_length": 30, "max_length": 30, "washout": 5}


@pytest.mark.parametrize(
    ("kind", "task", "options", "settings", "sentence"),
    [
        (TreeLSTM, Boolean, {}, {"tbptt": 5}, "tbptt is 5, but TreeLSTM reads trees, so no state is passed"),
        (Seq2Seq, Scan, {}, {"carry": True}, "carry is True, but Seq2Seq reads pairs, so no state is passed"),
        (BiLSTM, Adding, {}, {"tbptt": 5}, "tbptt is 5, but BiLSTM reads in both directions"),
        (BiLSTM, Adding, {}, {"carry": True}, "carry is True, but BiLSTM reads in both directions"),
        (TreeLSTM, Boolean, {}, {"checkpoint_every": 2}, "checkpoint_every is 2, but TreeLSTM has no separate steps"),
        (Seq2Seq, Scan, {}, {"checkpoint_every": 2}, "checkpoint_every is 2, but Seq2Seq has no separate steps"),
        (Jordan, Narma, {}, {"checkpoint_every": 2}, "checkpoint_every is 2, but Jordan has no separate steps"),
        (GRU, Adding, {}, {"teacher": "linear"}, 'teacher is "linear", but GRU receives no targets'),
        (Jordan, Adding, FREE, {"teacher": "linear"}, 'teacher is "linear", but Jordan receives no targets'),
        (GRU, Narma, {}, {"optimizer": "ridge"}, 'optimizer is "ridge", but GRU has no linear readout'),
        (
            BiLSTM,
            ShortestPath,
            {},
            {},
            "ShortestPath is interactive, but BiLSTM cannot continue from a given state",
        ),
        (
            Jordan,
            ShortestPath,
            {},
            {},
            "ShortestPath is interactive, but Jordan cannot continue from a given state",
        ),
        (
            GRU,
            Digits,
            {},
            {"restarts": 3},
            "restarts is 3, but the accuracy that a training run on Digits must reach",
        ),
        (GRU, Adding, {}, {"vanishing_penalty": 0.1}, "weight 0.1, but GRU contains no ElmanCell"),
        (GRU, Adding, {}, {"key_penalty": 0.1}, "key_penalty is 0.1, but GRU has no stored programs with keys"),
        (
            GRU,
            Digits,
            {},
            {"curriculum_steps": 2, "curriculum_min": 3, "curriculum_max": 3},
            "the curriculum cannot start: lengths are 3..3, but the examples of Digits have fixed lengths",
        ),
        (
            GRU,
            partial(BabiWords, numbers="1,4"),
            {},
            {"curriculum_score": 0.9, "curriculum_max": 2},
            "the curriculum cannot start: it validates at its longest length 2, for which BabiWords has no validation",
        ),
    ],
)
def test_incompatible_settings_are_refused(kind, task, options, settings, sentence):
    with pytest.raises(SettingsError, match=sentence):
        check(kind, task(), options, **settings)


@pytest.mark.parametrize(
    ("kind", "task", "options", "settings"),
    [
        (GRU, Adding, {}, {"tbptt": 5, "carry": True, "checkpoint_every": 2}),
        (BiLSTM, Adding, {}, {"checkpoint_every": 2}),
        (Jordan, Narma, {}, {"teacher": "linear", "tbptt": 5}),
        (Jordan, Adding, FREE, {"checkpoint_every": 2}),
        (Seq2Seq, Scan, {}, {"teacher": "linear"}),
        (EchoState, Narma, {}, {"optimizer": "ridge"}),
        (Elman, Adding, {}, {"vanishing_penalty": 0.1}),
        (TreeLSTM, Boolean, {}, {"curriculum_steps": 2, "curriculum_max": 2}),
        (GRU, Digits, {}, {"curriculum_steps": 2}),
        (GRU, ShortestPath, {}, {"curriculum_score": 0.8, "tbptt": 5}),
    ],
)
def test_compatible_settings_are_accepted(kind, task, options, settings):
    check(kind, task(**(SHORT if task is Narma else {})), options, **settings)


@pytest.mark.parametrize("name", ["tbptt", "checkpoint_every", "vanishing_penalty", "key_penalty", "carry"])
def test_a_readout_in_closed_form_refuses_settings_of_gradients(name):
    with pytest.raises(ValidationError, match=f"{name} is .*, but the optimizer ridge solves on whole batches"):
        TrainSettings(optimizer="ridge", **{name: 1})


def test_sentences_longer_than_the_network_reads_are_refused():
    task = Babi()
    most = task.longest_sentence
    fitting, short = (EntNet(task.input_size, task.output_size, sentence_size=most - less) for less in (0, 1))
    check_compatible(fitting, task, TrainSettings(device="cpu"))
    with pytest.raises(
        SettingsError, match=f"has {most} words, but EntNet reads sentences of up to {most - 1}; shorten it"
    ):
        check_compatible(short, task, TrainSettings(device="cpu"))


def test_incompatible_settings_are_refused_before_the_first_step():
    task = Adding(min_length=8, max_length=8)
    calls = []
    with pytest.raises(SettingsError, match="teacher"):
        train(
            network(GRU, task),
            task,
            TrainSettings(device="cpu", teacher="linear", steps=1),
            seed=0,
            on_record=calls.append,
            on_step=lambda *_: calls.append(None),
        )
    assert calls == []

"""Evaluation: dropout is inactive, splits are scored to their end, and scores of parts add up."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from memtape.models.recurrent.lstm import StackedLSTM
from memtape.models.seq2seq.seq2seq import Seq2Seq
from memtape.models.tree.rntn import RNTN
from memtape.models.tree.treelstm import TreeLSTM
from memtape.tasks.language.characters import Characters
from memtape.tasks.language.scan import Scan
from memtape.tasks.language.sentiment import Sentiment
from memtape.training.evaluation import by_length, evaluate
from memtape.training.loop import train
from memtape.training.settings import TrainSettings


@pytest.fixture(scope="module")
def sentiment():
    return Sentiment()


def test_dropout_is_inactive_in_evaluation_and_active_again_afterwards(sentiment):
    torch.manual_seed(0)
    model = TreeLSTM(sentiment.input_size, sentiment.output_size, hidden_size=8, dropout=0.5)
    modes = []
    model.register_forward_hook(lambda module, *_: modes.append(module.training))
    settings = TrainSettings(steps=4, batch_size=4, validate_every=2, validation_sequences=40, device="cpu")
    train(model, sentiment, settings, seed=0, on_record=lambda _: None, on_step=lambda *_: None)
    assert modes == [True, True, False, False, True, True, False, False]
    first, again = (evaluate(model, sentiment, sequences=40, seed=0, split="test") for _ in range(2))
    assert first == again
    assert model.training
    assert model.eval() is model
    evaluate(model, sentiment, sequences=1, seed=0, split="test")
    assert not model.training


@pytest.mark.parametrize("requested", [None, 250, 251, 10**9])
def test_a_whole_split_is_scored_if_more_is_requested(sentiment, requested):
    model = RNTN(sentiment.input_size, sentiment.output_size, hidden_size=3)
    rows = []
    model.register_forward_hook(lambda _, __, returned: rows.append(len(returned[0])))
    (result,) = by_length(model, sentiment, (), sequences=requested, seed=0)
    assert result["sequences"] == sum(rows) == 250
    batch = sentiment.batch(0, 250, split="test")
    outputs, _ = model(batch.inputs, lengths=batch.lengths)
    for name, score in sentiment.scores(outputs, batch).items():
        assert result[name] == pytest.approx(score)


def test_the_requested_number_of_sequences_is_scored(sentiment, shapes_unchecked):
    model = RNTN(sentiment.input_size, sentiment.output_size, hidden_size=3)
    sizes = []
    sentiment_rows = sentiment.tally

    class Counting:
        def __getattr__(self, name):
            return getattr(sentiment, name)

        def tally(self, outputs, batch):
            sizes.append(len(batch))
            return sentiment_rows(outputs, batch)

    evaluate(model, Counting(), sequences=37, seed=0, split="test")
    assert sizes == [32, 5]


def network(task, kind):
    torch.manual_seed(0)
    return kind(task.input_size, task.output_size, hidden_size=4)


@pytest.mark.parametrize(("make", "kind"), [(Sentiment, TreeLSTM), (Scan, Seq2Seq), (Characters, StackedLSTM)])
def test_scores_of_several_processes_equal_those_of_one(make, kind, shapes_unchecked):
    """Tallies are added before scores are computed, as a mean of means is another number."""
    task = make(window=30) if make is Characters else make()
    model = network(task, kind)
    alone = evaluate(model, task, sequences=70, seed=0, split="validation")
    parts = []

    def seen_from(index):
        return SimpleNamespace(count=2, index=index, sum=lambda sums: parts.append(sums) or sums)

    for index in range(2):
        evaluate(model, task, sequences=70, seed=0, split="validation", processes=seen_from(index))
    summed = {name: parts[0][name] + parts[1][name] for name in parts[0]}
    assert task.scores_of(summed) == pytest.approx(alone, rel=1e-6)
    assert parts[0] != parts[1]


@pytest.mark.parametrize(("make", "kind"), [(Sentiment, TreeLSTM), (Scan, Seq2Seq)])
def test_weighted_losses_of_rows_add_up_to_the_loss_of_the_batch(make, kind):
    task = make()
    model: nn.Module = network(task, kind).eval()
    batch = task.batch(0, 6, input_kind=kind.input_kind)
    losses, weights = [], []
    for part in (batch, batch.rows(0, 1), batch.rows(1, 4), batch.rows(4, 6)):
        outputs, _ = model(part.inputs, lengths=part.lengths)
        losses.append(float(task.loss(outputs.detach(), part)))
        weights.append(task.weight(part))
    assert sum(weights[1:]) == weights[0]
    whole = sum(loss * weight for loss, weight in zip(losses[1:], weights[1:], strict=True)) / weights[0]
    assert losses[0] == pytest.approx(whole, rel=1e-5)


def test_the_message_explains_why_inputs_cannot_be_split_in_time():
    batch = Scan().batch(0, 2, input_kind="pairs")
    with pytest.raises(
        ValueError,
        match=r"the inputs are pairs, whose steps of time \(symbol of the answer by symbol of the answer\) cannot",
    ):
        batch.steps(0, 1)


def test_scores_by_length_are_averages_over_the_test_split(model, task):
    results = by_length(model, task, [2, 5], sequences=40, seed=3)
    assert [(r["length"], r["sequences"]) for r in results] == [(2, 40), (5, 40)]
    batches = [task.batch(i, n, seed=3, split="test", lengths=(5, 5)) for i, n in ((0, 32), (1, 8))]
    with torch.no_grad():
        wrong = sum(float(((model(b.inputs)[0] > 0) != (b.targets > 0.5))[b.mask].sum()) for b in batches)
    assert results[1]["wrong_bits"] == pytest.approx(wrong / 40)


def test_zero_sequences_are_refused(model, task):
    with pytest.raises(ValueError, match="sequences is 0, but it must be at least 1"):
        evaluate(model, task, sequences=0, seed=0, split="test")

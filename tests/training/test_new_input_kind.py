"""A kind of input defined outside of the library is trained and evaluated like those of the library."""

from dataclasses import replace

import pytest
import torch
from jaxtyping import Int
from torch import Tensor, nn

from memtape.core import padding
from memtape.core.batch import SequenceBatch
from memtape.core.inputs.input_kind import InputKind
from memtape.core.inputs.registry import register
from memtape.core.score import Score
from memtape.core.state import NoState, state
from memtape.core.task import DrawnTask
from memtape.tasks.classification import ClassificationTask, class_sums
from memtape.training.evaluation import evaluate
from memtape.training.gradient import gradient
from memtape.training.parallel.processes import Processes
from memtape.training.parallel.replicas import Replicas
from memtape.training.settings import SettingsError, TrainSettings

PERSONS, PLACES = 3, 4


@state
class Facts:
    """Facts of persons and places, and a query for one person; padding is -1."""

    facts: Int[Tensor, "batch facts two"]
    question: Int[Tensor, " batch"]


class FactsKind(InputKind[Facts]):
    """Facts, whose time axis has the one step of the answer."""

    name = "facts"
    record = Facts
    article = "Facts"
    time_axis = "answer"

    def length(self, inputs):
        return 1

    def join(self, parts):
        return Facts(
            facts=padding.joined([part.facts for part in parts], -1),
            question=padding.joined([part.question for part in parts]),
        )


FACTS = register(FactsKind())


class WhereIs(ClassificationTask, DrawnTask):
    """Read the places of persons, and predict the place of one of them."""

    scored = (Score(name="accuracy", label="accuracy", short="right", higher_is_better=True),)
    input_kinds = ("facts",)
    lengths = (2, PERSONS)
    input_size, output_size = PERSONS + PLACES, PLACES

    def sample(self, batch_size, lengths, generator):
        counts = torch.randint(lengths[0], lengths[1] + 1, (batch_size,), generator=generator)
        persons = torch.stack([torch.randperm(PERSONS, generator=generator) for _ in range(batch_size)])
        places = torch.randint(PLACES, persons.shape, generator=generator)
        facts = torch.stack([persons, places], dim=2)
        facts[torch.arange(PERSONS) >= counts[:, None]] = -1
        ones = torch.ones(batch_size, 1, dtype=torch.long)
        return SequenceBatch(
            inputs=Facts(facts=facts, question=persons[:, 0]), targets=places[:, :1], mask=ones > 0, lengths=ones[:, 0]
        )

    def tally(self, outputs, batch):
        return class_sums(outputs, batch)

    def scores_of(self, tally):
        return {"accuracy": tally["right"] / tally["scored"]}

    def show(self, batch, outputs=None, row=0):
        return str(batch.inputs.facts[row].tolist())


class Attention(nn.Module):
    """Compare the query with the person of each fact, and read the place."""

    input_kind = "facts"

    def __init__(self, width=8):
        super().__init__()
        self.persons, self.places = nn.Embedding(PERSONS, width), nn.Embedding(PLACES, width)
        self.to_output = nn.Linear(width, PLACES)

    def forward(self, facts, state=None, *, lengths=None):
        facts = FACTS.require(facts, "Attention")
        present = facts.facts[..., 0] >= 0
        persons, places = (column.clamp(min=0) for column in facts.facts.unbind(2))
        scores = (self.persons(persons) @ self.persons(facts.question)[:, :, None])[..., 0]
        weights = scores.masked_fill(~present, -torch.inf).softmax(1)
        return self.to_output((weights[:, :, None] * self.places(places)).sum(1))[:, None], NoState()


@pytest.fixture
def attention():
    torch.manual_seed(0)
    return Attention()


def test_it_is_trained_and_evaluated(run, attention):
    task = WhereIs()
    before = evaluate(attention, task, sequences=200, seed=0, split="test")["accuracy"]
    outcome, _, _ = run(attention, task, steps=150, batch_size=16, learning_rate=0.03, validate_every=150)
    assert outcome.scores["accuracy"] == 1.0
    assert evaluate(attention, task, sequences=200, seed=0, split="test")["accuracy"] == 1.0 > before + 0.3


@pytest.mark.parametrize("parts", [2, 3])
def test_its_rows_are_split_when_gradients_are_accumulated(attention, parts):
    task, gradients = WhereIs(), []
    for accumulate in (1, parts):
        settings = TrainSettings(device="cpu", batch_size=7, accumulate=accumulate)
        processes = Processes(settings)
        attention.zero_grad()
        network = Replicas(attention, settings, processes)
        gradient(network, task, task.batch(0, 7), None, settings=settings, processes=processes)
        gradients.append([parameter.grad.clone() for parameter in attention.parameters()])
    for whole, summed in zip(*gradients, strict=True):
        torch.testing.assert_close(summed, whole, rtol=1e-4, atol=1e-6)


def test_its_batches_are_joined_with_its_own_padding(attention):
    task = WhereIs()
    parts = [task.batch(0, 3, lengths=(2, 2)), task.batch(1, 3)]
    short = replace(parts[0], inputs=replace(parts[0].inputs, facts=parts[0].inputs.facts[:, :2]))
    joined = SequenceBatch.join([short, parts[1]])
    assert joined.inputs.facts.shape == (6, PERSONS, 2)
    outputs = attention(joined.inputs)[0]
    torch.testing.assert_close(outputs[:3], attention(short.inputs)[0])


def test_chunks_of_time_are_refused_with_one_sentence(run, attention):
    with pytest.raises(SettingsError, match="tbptt is 5, but Attention reads facts, so no state is passed from step"):
        run(attention, WhereIs(), tbptt=5)
    with pytest.raises(ValueError, match="the inputs are facts, whose steps of time"):
        WhereIs().batch(0, 2).steps(0, 1)


def test_another_kind_is_refused_by_task_and_network(attention):
    with pytest.raises(ValueError, match="the network reads trees, but WhereIs provides facts; choose another network"):
        WhereIs().batch(0, 2, input_kind="trees")
    with pytest.raises(TypeError, match="the inputs are a Tensor, but Attention reads facts; pass Facts"):
        attention(torch.zeros(2, 3))

"""A conversation: what each line does, the answer by the network's own forward pass, and the sentence of each refusal."""

import pytest
import torch

from memtape.core.inputs.stories import Stories
from memtape.core.lookup import lookup_in_hops
from memtape.experiments.ask import Answer, Conversation, Look
from memtape.experiments.experiment import ExperimentError
from memtape.models.memory_network.entnet import EntNet
from memtape.models.memory_network.kvmemnn import KVMemNN
from memtape.models.memory_network.memn2n import MemN2N
from memtape.models.memory_network.memory_network import MemoryNetwork

VOCABULARY = ["-", "garden", "in", "is", "john", "kitchen", "mary", "the", "where"]


class LastMention(MemoryNetwork):
    """Finds the last sentence with the last word of the question, and answers with its last word."""

    def __init__(self):
        super().__init__(len(VOCABULARY), len(VOCABULARY), memory_size=3)

    def read_question(self, question):
        return question[:, -1]

    def remember(self, sentences, present):
        return sentences

    def look_up(self, query, memory):
        (has,) = (memory[0] == query).any(1)[None].float()
        place = max(has.nonzero()[:, 0].tolist(), default=0)
        weights = torch.nn.functional.one_hot(torch.tensor(place), len(has))[None].float()
        words = memory[0, place]
        return words[words > 0][-1:], lookup_in_hops([weights])

    def respond(self, features):
        return torch.nn.functional.one_hot(features, self.output_size).float()


@pytest.fixture
def conversation():
    return Conversation(LastMention(), VOCABULARY)


def told(conversation, *lines):
    return [answer for line in lines if (answer := conversation.read(line)) is not None]


def test_a_question_is_answered_with_the_sentences_and_their_weights(conversation):
    assert told(conversation, "Mary is in the garden.", " JOHN is in the kitchen! ", "Where is Mary?") == [
        Answer(
            question="Where is Mary?",
            answer="garden",
            sentences=("Mary is in the garden.", "JOHN is in the kitchen!"),
            look="hop",
            looks=(Look(weights=(1.0, 0.0), share=1.0),),
        )
    ]


def test_the_story_continues_after_a_question(conversation):
    lines = ["mary is in the garden", "where is mary?", "mary is in the kitchen", "where is mary ?"]
    assert [answer.answer for answer in told(conversation, *lines)] == ["garden", "kitchen"]


@pytest.mark.parametrize(
    "start", [["", "john is in the kitchen"], ["1 john is in the kitchen"]], ids=["empty", "number 1"]
)
def test_an_empty_line_and_number_1_start_a_new_story(conversation, start):
    (answer,) = told(conversation, "mary is in the garden", *start, "where is john?")
    assert answer.sentences == ("john is in the kitchen",)


def test_numbers_and_known_answers_of_the_format_of_bab_i_are_left_out(conversation):
    lines = ["1 Mary is in the garden.", "2 John is in the kitchen.", "3 Where is Mary? \tkitchen\t1"]
    (answer,) = told(conversation, *lines)
    assert (answer.question, answer.answer) == ("Where is Mary?", "garden")
    assert answer.sentences == ("Mary is in the garden.", "John is in the kitchen.")


def test_a_sentence_that_the_memory_no_longer_holds_has_weight_0(conversation):
    lines = ["mary is in the garden", *["john is in the kitchen"] * 3, "where is mary?"]
    (answer,) = told(conversation, *lines)
    assert answer.looks == (Look(weights=(0.0, 1.0, 0.0, 0.0), share=1.0),)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("mary is in the gardn", "the word 'gardn' is not one of the 8 that the network knows; did you mean 'garden'?"),
        ("zzz", "the word 'zzz' is not one of the 8 that the network knows; use those in vocabulary.json of the run"),
        ("-", "the word '-' is not one of the 8 that the network knows"),
        ("where is xyzzy?", "the word 'xyzzy' is not one of the 8"),
        ("...", "the line '...' has no words; write a sentence or a question"),
        ("?", "the line '?' has no words"),
    ],
)
def test_a_refused_line_leaves_the_story_as_it_was(conversation, line, sentence):
    told(conversation, "mary is in the garden")
    with pytest.raises(ExperimentError) as error:
        conversation.read(line)
    assert str(error.value).startswith(sentence)
    assert conversation.read("where is mary?").sentences == ("mary is in the garden",)


@pytest.mark.parametrize("before", [[], ["mary is in the garden", ""]], ids=["first", "after an empty line"])
def test_a_question_before_any_sentence_is_refused(conversation, before):
    told(conversation, *before)
    with pytest.raises(ExperimentError, match="the question 'where is mary\\?' comes before any sentence of its story"):
        conversation.read("where is mary?")


def test_the_answer_and_the_weights_are_those_of_the_network():
    network = MemN2N(len(VOCABULARY), len(VOCABULARY), embedding_size=4, hops=2, memory_size=4).eval()
    (answer,) = told(Conversation(network, VOCABULARY), "mary is in the garden", "john is", "where is mary?")
    logits, looked = network(
        Stories(
            sentences=torch.tensor([[[6, 3, 2, 7, 1], [4, 3, 0, 0, 0]]]),
            question=torch.tensor([[8, 3, 6]]),
            supports=torch.tensor([[-1]]),
        )
    )
    assert answer.answer == VOCABULARY[1 + int(logits[0, 0, 1:].argmax())]
    assert torch.equal(torch.tensor([look.weights for look in answer.looks]), looked.weights[0])


def test_no_word_is_no_answer():
    network = LastMention()
    network.respond = lambda features: torch.tensor([[9.0, *[0.0] * 5, 1.0, 0.0, 0.0]])
    (answer,) = told(Conversation(network, VOCABULARY), "mary is in the garden", "where is john?")
    assert answer.answer == "mary"


def test_the_looks_of_an_entity_network_are_its_slots():
    network = EntNet(len(VOCABULARY), len(VOCABULARY), embedding_size=4, sentence_size=5).eval()
    (answer,) = told(Conversation(network, VOCABULARY), "mary is in the garden", "where is mary?")
    assert answer.look == "slot"
    assert sum(look.share for look in answer.looks) == pytest.approx(1)


def test_a_story_that_the_network_cannot_read_is_refused():
    conversation = Conversation(
        EntNet(len(VOCABULARY), len(VOCABULARY), embedding_size=4, sentence_size=3).eval(), VOCABULARY
    )
    told(conversation, "mary is in the garden")
    with pytest.raises(
        ExperimentError, match="the sentences of the stories have up to 5 words, but EntNet has masks for 3"
    ):
        conversation.read("where is mary?")


def test_a_network_with_titles_takes_the_first_word_of_a_sentence_for_its_title():
    vocabulary = [*VOCABULARY, "_", "article"]
    options = {"window": 3, "titles": True, "encoding": "bag", "temporal": False, "hops": 1, "matching": True}
    torch.manual_seed(0)
    network = KVMemNN(len(vocabulary), len(vocabulary), embedding_size=64, spread=0.5, **options).eval()
    lines = ["article mary is the garden", "article john in kitchen", "_ in kitchen?"]
    with torch.no_grad():
        network.title.copy_(-network.words[0, vocabulary.index("_")])
    assert [answer.answer for answer in told(Conversation(network, vocabulary), *lines)] == ["john"]
    with torch.no_grad():
        network.title.copy_(network.words[0, [vocabulary.index(word) for word in ("in", "kitchen")]].sum(0))
    assert [answer.answer for answer in told(Conversation(network, vocabulary), *lines)] == ["article"]

"""Registry: the names of models, tasks and recipes; a configuration names nothing else."""

import difflib
import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from memtape.recipes import algorithmic, differentiable, sequences
from memtape.recipes.options import Option, options_of
from memtape.recipes.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A model or a task by name."""

    name: str
    summary: str
    """One sentence."""
    paper: str
    path: str
    """Where its class is, as "package.module:Class"."""
    constructor: str
    """Where the constructor with the options is; of a model that runs over sequences, that of its cell."""

    @property
    def options(self) -> tuple[Option, ...]:
        """What its constructor can be told."""
        return options_of(self.constructor)

    def load(self) -> Any:
        """Import the class."""
        module, _, name = self.path.partition(":")
        return getattr(importlib.import_module(module), name)


@dataclass(frozen=True, kw_only=True)
class TaskEntry(Entry):
    """A task by name, with what to test it on."""

    unit: str
    """What a length counts."""
    test_lengths: tuple[int, ...] = ()
    """Lengths of the final evaluation, those of training first; none for a test split that is what it is."""
    picture_length: int = 0
    """Length of the sequence in the picture of the tape, beyond those of training; 0 for no picture."""


GRAVES_2016 = "Graves et al. (2016), Hybrid computing using a neural network with dynamic external memory, Nature 538"
CSORDAS_2019 = (
    "Csordas & Schmidhuber (2019), Improving differentiable neural computers through memory masking, de-allocation, and link "
    "distribution sharpness control, arXiv:1904.10278"
)
RAE_2016 = "Rae et al. (2016), Scaling memory-augmented neural networks with sparse reads and writes, arXiv:1610.09027"
GRAVES_2014 = "Graves, Wayne & Danihelka (2014), Neural Turing Machines, arXiv:1410.5401"

MODELS = {
    entry.name: entry
    for entry in (
        Entry(
            name="ntm",
            summary="Neural Turing Machine: a controller that reads and writes a tape of slots.",
            paper=GRAVES_2014,
            path="memtape.models.turing:NTM",
            constructor="memtape.models.turing:NTMCell",
        ),
        Entry(
            name="dnc",
            summary="Differentiable Neural Computer: a memory that allocates and frees slots, and links them in order.",
            paper=GRAVES_2016,
            path="memtape.models.dnc:DNC",
            constructor="memtape.models.dnc:DNCCell",
        ),
        Entry(
            name="bidnc",
            summary="Differentiable Neural Computer whose heads know what comes next, from a network that reads from the end.",
            paper="Franke, Niehues & Waibel (2018), Robust and scalable differentiable neural computer, arXiv:1807.02658",
            path="memtape.models.bidirectional_dnc:BiDNC",
            constructor="memtape.models.dnc:DNCCell",
        ),
        Entry(
            name="sam",
            summary="Sparse Access Memory: reads the few nearest slots and writes to a few, however many slots there are.",
            paper=RAE_2016,
            path="memtape.models.sparse_access:SAM",
            constructor="memtape.models.sparse_access:SAMCell",
        ),
        Entry(
            name="dam",
            summary="Dense Access Memory: the same with weights on all slots, to compare a sparse memory with.",
            paper=RAE_2016,
            path="memtape.models.sparse_access:DAM",
            constructor="memtape.models.sparse_access:DAMCell",
        ),
        Entry(
            name="sdnc",
            summary="Sparse Differentiable Neural Computer: a Sparse Access Memory that also follows links of order.",
            paper=RAE_2016,
            path="memtape.models.sparse_computer:SDNC",
            constructor="memtape.models.sparse_computer:SDNCCell",
        ),
        Entry(
            name="elman",
            summary="Plain recurrent network: layers of units that see what they were a step ago.",
            paper="Elman (1990), Finding structure in time, Cognitive Science 14",
            path="memtape.models.elman:Elman",
            constructor="memtape.models.elman:elman_network",
        ),
        Entry(
            name="jordan",
            summary="Jordan network: units that see what the network said a step ago, taught with what it should have said.",
            paper="Jordan (1986), Serial order: a parallel distributed processing approach, ICS report 8604",
            path="memtape.models.jordan:Jordan",
            constructor="memtape.models.jordan:jordan_network",
        ),
        Entry(
            name="lstm",
            summary="Stacked LSTM layers with a linear readout, in all forms of the cell.",
            paper="Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9",
            path="memtape.models.stacked_lstm:StackedLSTM",
            constructor="memtape.models.stacked_lstm:StackedLSTMCell",
        ),
        Entry(
            name="gru",
            summary="Layers of gated recurrent units, in the three forms that are called so.",
            paper="Cho et al. (2014), Learning phrase representations using RNN encoder-decoder, arXiv:1406.1078",
            path="memtape.models.gru:GRU",
            constructor="memtape.models.gru:gru_network",
        ),
        Entry(
            name="leaky",
            summary="Layers of leaky units, each with a time constant of its own, fixed or learned.",
            paper="Mozer (1992), Induction of multiscale temporal structure, NIPS 4",
            path="memtape.models.leaky:Leaky",
            constructor="memtape.models.leaky:leaky_network",
        ),
        Entry(
            name="skip",
            summary="Plain units that also, or only, see what they were some steps ago.",
            paper="Lin, Horne, Tino & Giles (1996), Learning long-term dependencies in NARX networks, IEEE TNN 7",
            path="memtape.models.skip:Skip",
            constructor="memtape.models.skip:skip_network",
        ),
        Entry(
            name="orthogonal",
            summary="Plain units whose recurrence only turns: an orthogonal matrix, kept so while it is learned.",
            paper="Lezcano-Casado & Martinez-Rubio (2019), Cheap orthogonal constraints in neural networks, arXiv:1901.08428",
            path="memtape.models.orthogonal:Orthogonal",
            constructor="memtape.models.orthogonal:orthogonal_network",
        ),
        Entry(
            name="clockwork",
            summary="Clockwork RNN: groups of plain units, each working at its own rate.",
            paper="Koutnik, Greff, Gomez & Schmidhuber (2014), A clockwork RNN, arXiv:1402.3511",
            path="memtape.models.clockwork:Clockwork",
            constructor="memtape.models.clockwork:clockwork_network",
        ),
        Entry(
            name="esn",
            summary="Echo state network: a random reservoir that stays as it is, under a readout that is learned.",
            paper="Jaeger (2001), The echo state approach to analysing and training recurrent neural networks, GMD report 148",
            path="memtape.models.echo_state:EchoState",
            constructor="memtape.models.echo_state:echo_state_network",
        ),
        Entry(
            name="bilstm",
            summary="LSTM layers that read from both ends.",
            paper="Graves & Schmidhuber (2005), Framewise phoneme classification with bidirectional LSTM, Neural Networks 18",
            path="memtape.models.bidirectional:BiLSTM",
            constructor="memtape.models.bidirectional:BiLSTM",
        ),
        Entry(
            name="bigru",
            summary="Layers of gated recurrent units that read from both ends.",
            paper="Schuster & Paliwal (1997), Bidirectional recurrent neural networks, IEEE TSP 45",
            path="memtape.models.bidirectional:BiGRU",
            constructor="memtape.models.bidirectional:BiGRU",
        ),
        Entry(
            name="seq2seq",
            summary="Encoder and decoder, with a context vector or with attention to all that was read.",
            paper="Sutskever, Vinyals & Le (2014), arXiv:1409.3215; Bahdanau, Cho & Bengio (2015), arXiv:1409.0473",
            path="memtape.models.seq2seq:Seq2Seq",
            constructor="memtape.models.seq2seq:Seq2Seq",
        ),
        Entry(
            name="treelstm",
            summary="Tree-LSTM over labelled trees: constituency, N-ary or child-sum.",
            paper="Tai, Socher & Manning (2015), Improved semantic representations from Tree-LSTMs, arXiv:1503.00075",
            path="memtape.models.trees:TreeLSTM",
            constructor="memtape.models.trees:TreeLSTM",
        ),
        Entry(
            name="recursive",
            summary="Recursive network over trees: one layer, the same at every node.",
            paper="Socher, Lin, Ng & Manning (2011), Parsing natural scenes and natural language with recursive networks, ICML",
            path="memtape.models.trees:Recursive",
            constructor="memtape.models.trees:Recursive",
        ),
        Entry(
            name="rntn",
            summary="Recursive neural tensor network over trees, whose children meet in products.",
            paper="Socher et al. (2013), Recursive deep models for semantic compositionality over a sentiment treebank, EMNLP",
            path="memtape.models.trees:RNTN",
            constructor="memtape.models.trees:RNTN",
        ),
    )
}


def _task(name: str, place: str, **rest: Any) -> TaskEntry:
    path = f"memtape.tasks.{place}"
    return TaskEntry(name=name, path=path, constructor=path, **rest)


TASKS = {
    entry.name: entry
    for entry in (
        _task(
            "copy",
            "algorithmic.copying:Copy",
            paper=GRAVES_2014,
            summary="Remember a sequence of bit vectors and say it again.",
            unit="vectors",
            test_lengths=(10, 20, 30, 50, 120),
            picture_length=50,
        ),
        _task(
            "repeat-copy",
            "algorithmic.repeat_copy:RepeatCopy",
            paper=GRAVES_2014,
            summary="Say a sequence of bit vectors as often as asked, and then stop.",
            unit="vectors",
            test_lengths=(5, 10, 15, 20),
            picture_length=15,
        ),
        _task(
            "associative-recall",
            "algorithmic.associative_recall:AssociativeRecall",
            paper=GRAVES_2014,
            summary="Given an item of a list, say the one that followed it.",
            unit="items",
            test_lengths=(3, 6, 10, 15, 20),
            picture_length=10,
        ),
        _task(
            "ngrams",
            "algorithmic.ngrams:DynamicNGrams",
            paper=GRAVES_2014,
            summary="Predict the next bit of a source that is drawn anew for every sequence.",
            unit="bits",
            test_lengths=(200, 400),
            picture_length=240,
        ),
        _task(
            "priority-sort",
            "algorithmic.priority_sort:PrioritySort",
            paper=GRAVES_2014,
            summary="Say the most urgent of a list of bit vectors, in order.",
            unit="vectors",
            test_lengths=(20, 30),
            picture_length=30,
        ),
        _task(
            "allocation",
            "algorithmic.allocation:Allocation",
            paper=GRAVES_2016,
            summary="Copy ten sequences one after another, with room for two at a time.",
            unit="copies",
            test_lengths=(10, 20),
            picture_length=10,
        ),
        _task(
            "repeat-copy-dnc",
            "algorithmic.repeat_copy_dnc:RepeatCopyDNC",
            paper=GRAVES_2016,
            summary="Say a sequence of bit vectors as often as asked, as in the code of the paper's authors.",
            unit="vectors",
            test_lengths=(2, 5, 10),
            picture_length=5,
        ),
        _task(
            "independent-copies",
            "algorithmic.independent_copies:IndependentCopies",
            paper=CSORDAS_2019,
            summary="Copy sequences of many lengths, one after another, through a memory that must be freed between them.",
            unit="copies",
            test_lengths=(2, 4, 8),
            picture_length=4,
        ),
        _task(
            "key-value",
            "algorithmic.key_value:KeyValue",
            paper=CSORDAS_2019,
            summary="Given one half of a word of a list, say the other half.",
            unit="words",
            test_lengths=(2, 8, 16),
            picture_length=8,
        ),
        _task(
            "traversal",
            "graph.traversal:Traversal",
            paper=GRAVES_2016,
            summary="Walk through a graph along the edges that are named.",
            unit="lessons",
            test_lengths=(1, 2, 3, 5, 8, 11, 14, 15),
            picture_length=15,
        ),
        _task(
            "shortest-path",
            "graph.shortest_path:ShortestPath",
            paper=GRAVES_2016,
            summary="Find a shortest path between two nodes of a graph.",
            unit="lessons",
            test_lengths=(1, 4, 8, 12, 15, 16),
            picture_length=16,
        ),
        _task(
            "inference",
            "graph.inference:Inference",
            paper=GRAVES_2016,
            summary="Say who stands in a relation to a node, where the relation is a chain of edges.",
            unit="lessons",
            test_lengths=(1, 4, 9, 13, 17, 18),
            picture_length=18,
        ),
        _task(
            "adding",
            "lag.adding:Adding",
            paper="Hochreiter & Schmidhuber (1997), Long short-term memory; as in Arjovsky et al. (2016), arXiv:1511.06464",
            summary="Add the two numbers of a long sequence that are marked.",
            unit="steps",
        ),
        _task(
            "copy-memory",
            "lag.copy_memory:CopyMemory",
            paper="Arjovsky, Shah & Bengio (2016), Unitary evolution recurrent neural networks, arXiv:1511.06464",
            summary="Say ten symbols again after a long blank.",
            unit="blanks",
        ),
        _task(
            "digits",
            "images.digits:Digits",
            paper="LeCun et al. (1998), MNIST; pixel by pixel: Le, Jaitly & Hinton (2015), arXiv:1504.00941",
            summary="Say which digit an image shows, read row by row or pixel by pixel.",
            unit="steps",
        ),
        _task(
            "char-lm",
            "language.characters:Characters",
            paper="Karpathy (2015), The unreasonable effectiveness of recurrent neural networks",
            summary="Say the next character of a text.",
            unit="characters",
        ),
        _task(
            "sentiment",
            "language.sentiment:Sentiment",
            paper="Socher et al. (2013), Recursive deep models for semantic compositionality over a sentiment treebank, EMNLP",
            summary="Say how favourable a sentence is, from its tree or its words.",
            unit="nodes",
        ),
        _task(
            "boolean",
            "language.boolean:Boolean",
            paper="Bowman, Manning & Potts (2015), Tree-structured composition in neural networks, arXiv:1506.04834",
            summary="Say whether an expression of true, false, and, or, not is true, from its tree or as it is written.",
            unit="levels",
            test_lengths=(6, 7, 8, 9),
        ),
        _task(
            "scan",
            "language.scan:Scan",
            paper="Lake & Baroni (2018), Generalization without systematicity, arXiv:1711.00350",
            summary="Turn a command into the actions that it asks for.",
            unit="symbols",
        ),
        _task(
            "chorales",
            "music.chorales:Chorales",
            paper="Boulanger-Lewandowski, Bengio & Vincent (2012), Modeling temporal dependencies, arXiv:1206.6392",
            summary="Say which notes of a chorale sound next.",
            unit="steps",
        ),
        _task(
            "narma",
            "dynamics.narma:Narma",
            paper="Atiya & Parlos (2000), New results on recurrent network training, IEEE Transactions on Neural Networks 11",
            summary="Follow a system whose output depends on its last ten outputs and inputs.",
            unit="steps",
        ),
    )
}


RECIPES = {recipe.name: recipe for recipe in (*algorithmic.RECIPES, *differentiable.RECIPES, *sequences.RECIPES)}


def hint(kind: str, name: str, known: Iterable[str]) -> str:
    """Return the cure for a name that does not exist: the one that is near, or all of its kind."""
    near = difflib.get_close_matches(name, known, n=1)
    return f'did you mean "{near[0]}"?' if near else f"the {kind}s are {', '.join(known)}"


class UnknownNameError(ValueError):
    """A name that the registry does not have."""

    def __init__(self, kind: str, name: str, known: Mapping[str, Any]):
        super().__init__(f'there is no {kind} "{name}"; {hint(kind, name, known)}')


def find(kind: str, name: str) -> Any:
    """Return a model, task or recipe by name.

    Raises:
        UnknownNameError: there is none; the message says which is near.
    """
    registries: dict[str, Mapping[str, Any]] = {"model": MODELS, "task": TASKS, "recipe": RECIPES}
    known = registries[kind]
    if name not in known:
        raise UnknownNameError(kind, name, known)
    return known[name]


def recipe_for(model: str, task: str) -> Recipe | None:
    """Return the recipe that is used for a model and a task unless another is asked for: the first one of the two."""
    return next((recipe for recipe in RECIPES.values() if (recipe.model, recipe.task) == (model, task)), None)

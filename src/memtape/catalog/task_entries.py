"""Task entries: the tasks by name, with what each asks for, its paper, where its class is, and what to test it on."""

from typing import Any

from memtape.catalog.entry import TaskEntry
from memtape.catalog.papers import CSORDAS_2019, GRAVES_2014, GRAVES_2016


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
            "long_range.adding:Adding",
            paper="Hochreiter & Schmidhuber (1997), Long short-term memory; as in Arjovsky et al. (2016), arXiv:1511.06464",
            summary="Add the two numbers of a long sequence that are marked.",
            unit="steps",
        ),
        _task(
            "copy-memory",
            "long_range.copy_memory:CopyMemory",
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

"""Cards are read from the ends of files without running the files."""

import importlib
import re
from pathlib import Path

import pytest

from memtape.catalog.built_in import PACKAGE, built_in
from memtape.catalog.card_reader import CardError, read_card, read_cards
from memtape.catalog.options import options_of
from memtape.catalog.references import cited, references
from memtape.catalog.registry import MODELS, TASKS
from memtape.core.card import ModelCard, TaskCard

FILE = Path("decay.py")
CLASS = "raise SystemExit\n\n\nclass _Hidden: ...\n\n\nclass DecayCell: ...\n\n\nclass Decay: ...\n"
ENTRIES = [*MODELS.values(), *TASKS.values()]


def test_a_card_describes_the_last_class_and_its_file_is_not_run():
    one = read_card(f'{CLASS}\n\nCARD = ModelCard(\n    name="decay",\n    summary="It forgets.",\n)\n', FILE)
    assert one.card == ModelCard(name="decay", summary="It forgets.")
    assert one.classes == ("DecayCell", "Decay")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (CLASS, "it has no card; end it in CARD = ModelCard(...) or CARD = TaskCard(...)"),
        ('\nCARD = ModelCard(name="x", summary="y")', "there is no public class above its card"),
        (CLASS + "\nCARD = ModelCard(", "its card has a syntax error"),
        (CLASS + '\nCARD = ModelCard(name="x", summary="y")\nprint(1)', "its card must be the last statement"),
        (CLASS + '\nCARD = Decay(name="x", summary="y")', "its card must be the last statement"),
        (CLASS + '\nCARD = ModelCard("x", summary="y")', "with arguments by name"),
        (CLASS + '\nCARD = ModelCard(name=str(1), summary="y")', "its card must consist of literals"),
        (CLASS + '\nCARD = ModelCard(**{"name": "x"})', "its card cannot be used"),
        (CLASS + '\nCARD = ModelCard(summary="y")', "its card cannot be used: ModelCard.missing 1 required"),
        (CLASS + '\nCARD = ModelCard(name="x", summary="y", unit="z")', "unexpected keyword argument 'unit'"),
        (CLASS + '\nCARD = ModelCard(name="X", summary="y")', "its card cannot be used: name is 'X', but it must be"),
    ],
)
def test_an_invalid_card_is_refused(source, sentence):
    with pytest.raises(CardError, match=re.escape(sentence).replace(r"ModelCard\.missing", "ModelCard.*missing")):
        read_card(source, FILE)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_card_read_equals_the_card_of_the_module(entry):
    module = importlib.import_module(entry.module)
    assert entry.card == module.CARD
    assert Path(module.__file__) == entry.file
    assert entry.load().__module__ == entry.module
    assert all(getattr(module, name).__module__ == entry.module for name in entry.classes)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_inputs_of_a_card_are_those_of_the_class(entry):
    known = entry.load()
    inputs = known.input_kinds if isinstance(entry.card, TaskCard) else (known.input_kind,)
    assert entry.card.inputs == tuple(inputs)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_small_sizes_are_options(entry):
    assert set(entry.card.small) <= {option.name for option in entry.options}


def test_a_card_belongs_to_the_network_and_not_to_its_cell():
    assert [MODELS[name].load().__name__ for name in ("ntm", "dnc", "lstm")] == ["NTM", "DNC", "StackedLSTM"]


def test_all_names_differ():
    assert len(MODELS) + len(TASKS) == len(built_in())


def test_a_file_has_one_card_and_one_model_or_task():
    for folder in ("models", "tasks"):
        cards = [one.file for one in read_cards(PACKAGE / folder)]
        assert len(cards) == len(set(cards))
        assert all(file.read_text().count("\nCARD = ") == 1 for file in cards)


def test_every_cited_paper_has_a_reference_and_every_reference_is_cited():
    papers = {key for entry in ENTRIES for key in entry.card.paper}
    assert papers == set(references())
    assert all(entry.card.paper for entry in ENTRIES)


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("elman1990", "Elman (1990), Finding structure in time, Cognitive Science 14"),
        ("graves2014", "Graves, Wayne & Danihelka (2014), Neural Turing Machines, arXiv:1410.5401"),
        (
            "karpathy2015",
            "Karpathy (2015), The unreasonable effectiveness of recurrent neural networks, karpathy.github.io/",
        ),
        ("hochreiter1997", "Hochreiter & Schmidhuber (1997), Long short-term memory, Neural Computation 9"),
        ("my thesis, 2026", "my thesis, 2026"),
    ],
)
def test_a_paper_is_cited_by_authors_year_title_and_venue(key, sentence):
    assert cited(key).startswith(sentence)


def test_more_than_four_authors_are_cited_as_et_al():
    assert cited("graves2016").startswith("Graves et al. (2016), Hybrid computing")


def test_a_constructor_that_calls_another_has_its_options():
    assert [option.name for option in MODELS["bidnc"].options] == [option.name for option in MODELS["dnc"].options]


def test_a_class_without_a_constructor_has_the_options_of_its_first_base(tmp_path):
    base = 'class B:\n    """B.\n\n    Args:\n        x: y.\n    """\n    def __init__(self, *, x: int = 1): ...'
    (tmp_path / "a.py").write_text(f"{base}\nclass A(B): ...")
    assert [option.name for option in options_of(tmp_path / "a.py", "A")] == ["x"]


OPTIONS = {
    "class A: ...": "A of a.py has no __init__ of its own; write one",
    "def B(): ...": "A is neither a class nor a function of a.py; correct the name",
    'class A:\n    """A.\n\n    Args:\n        x: y.\n    """\n    def __init__(self, *, x: list = []): ...': "x of A must",
    "class A:\n    def __init__(self, *, x: int = 1): ...": "x of A needs a plain type, a default and a line in the docstring",
    "from ast import A": "A is neither a class nor a function of ast.py",
}


@pytest.mark.parametrize(("source", "sentence"), OPTIONS.items())
def test_a_constructor_without_plain_options_is_refused(source, sentence, tmp_path):
    (tmp_path / "a.py").write_text(source)
    with pytest.raises(ValueError, match=re.escape(sentence)):
        options_of(tmp_path / "a.py", "A")

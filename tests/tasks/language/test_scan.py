"""SCAN: commands against an independent interpreter, both forms, and files in its format."""

import dataclasses

import pytest
import torch

from memtape.core.inputs.pairs import Pairs
from memtape.tasks.data_folder import DataError
from memtape.tasks.language import scan_examples
from memtape.tasks.language.scan import VOCABULARY, Scan
from memtape.tasks.language.scan_grammar import actions, commands

EXAMPLES = {
    "jump": "I_JUMP",
    "jump left": "I_TURN_LEFT I_JUMP",
    "turn left twice": "I_TURN_LEFT I_TURN_LEFT",
    "jump thrice": "I_JUMP I_JUMP I_JUMP",
    "jump around right": "I_TURN_RIGHT I_JUMP I_TURN_RIGHT I_JUMP I_TURN_RIGHT I_JUMP I_TURN_RIGHT I_JUMP",
    "turn opposite right": "I_TURN_RIGHT I_TURN_RIGHT",
    "jump opposite left and walk thrice": "I_TURN_LEFT I_TURN_LEFT I_JUMP I_WALK I_WALK I_WALK",
    "run twice after look right": "I_TURN_RIGHT I_LOOK I_RUN I_RUN",
    "turn around left after run": "I_RUN I_TURN_LEFT I_TURN_LEFT I_TURN_LEFT I_TURN_LEFT",
}
"""Of the paper's figures and tables."""

LINES = [f"IN: {command} OUT: {done}" for command, done in EXAMPLES.items()]


@pytest.mark.parametrize("command", EXAMPLES)
def test_a_command_is_translated_to_its_actions(command):
    assert " ".join(actions(command)) == EXAMPLES[command]


def test_there_are_20910_commands():
    every = list(commands())
    assert len(set(every)) == len(every) == 20_910
    assert set(EXAMPLES) <= set(every)
    assert max(len(command.split()) for command in every) == 9
    assert max(len(actions(command)) for command in every) == 48


@pytest.mark.parametrize(
    ("split", "counts"), [("simple", (16_728, 4_182)), ("length", (16_990, 3_920)), ("jump", (14_670, 7_706))]
)
def test_the_grammar_is_split_as_published(split, counts):
    train, test = scan_examples.from_grammar(split)
    assert (len(train), len(test)) == counts
    training = {" ".join(command) for command, _ in train}
    testing = {" ".join(command) for command, _ in test}
    assert not training & testing
    assert training | testing == set(commands())
    if split == "length":
        assert max(len(done) for _, done in train) == 22
        assert min(len(done) for _, done in test) == 24
    if split == "jump":
        assert [command for command in training if "jump" in command] == ["jump"]
        assert sum(command == ["jump"] for command, _ in train) == round(len(train) / 10)


def words(symbols):
    return " ".join(VOCABULARY[symbol] for symbol in symbols.tolist())


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_the_targets_of_a_sequence_follow_the_command(split):
    for row, length in enumerate((batch := Scan().batch(0, 60, split=split)).lengths.tolist()):
        command, _, given = words(batch.inputs[row, :length]).partition(" |")
        answer = " ".join(actions(command))
        assert given.strip() == answer
        assert words(batch.targets[row, :length]) == f"{command} | {answer} |".split(" ", 1)[1]
        start = len(command.split())
        assert batch.mask[row].nonzero()[:, 0].tolist() == list(range(start, length))
        assert length == start + len(answer.split()) + 1


def test_a_pair_is_the_command_and_the_answer():
    task = Scan()
    pairs, sequences = task.batch(3, 60, input_kind="pairs"), task.batch(3, 60)
    assert isinstance(pairs.inputs, Pairs)
    for row, length in enumerate(pairs.lengths.tolist()):
        command = words(pairs.inputs.source[row, : pairs.inputs.source_lengths[row]])
        assert command == words(sequences.inputs[row]).partition(" |")[0]
        answer = " ".join(actions(command))
        assert words(pairs.targets[row, :length]) == f"{answer} |"
        assert words(pairs.inputs.given[row, :length]) == f"| {answer}"
        assert pairs.mask[row].tolist() == [True] * length + [False] * (pairs.mask.shape[1] - length)


def test_an_answer_is_exact_if_all_its_symbols_are_right():
    task = Scan()
    for form in task.input_kinds:
        batch = task.batch(0, 8, input_kind=form)
        outputs = torch.nn.functional.one_hot(batch.targets, 20).float()
        assert task.scores(outputs, batch) == {"exact": 1, "token_accuracy": 1}
        last = batch.lengths - 1
        outputs[torch.arange(3), last[:3]] = torch.eye(20)[5]
        assert task.scores(outputs, batch) == {"exact": 5 / 8, "token_accuracy": 1 - 3 / int(batch.mask.sum())}
        outputs[~batch.mask] = 0
        assert task.scores(outputs, batch)["exact"] == 5 / 8


def test_a_tenth_of_the_training_examples_is_for_validation():
    task = Scan(split="length")
    assert [task.available(split) for split in ("train", "validation", "test")] == [15_291, 1_699, 3_920]
    seen = [
        {words(row) for row in task.batch(0, task.available(split), split=split).inputs}
        for split in ("train", "validation")
    ]
    assert not seen[0] & seen[1]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Write a tiny SCAN, every split the same."""
    monkeypatch.setattr(
        scan_examples,
        "SCAN",
        dataclasses.replace(scan_examples.SCAN, counts=dict.fromkeys(scan_examples.SCAN.counts, 9)),
    )
    for part in ("train", "test"):
        for file in scan_examples.FILES.values():
            path = tmp_path / "scan" / file.format(part=part)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(LINES) + "\n")
    return tmp_path


@pytest.mark.parametrize("split", ["simple", "length", "jump"])
def test_files_are_read(folder, split):
    task = Scan(data_dir=str(folder), split=split)
    batch = task.examples("test", torch.arange(9), "sequences")
    for row, (command, answer) in enumerate(EXAMPLES.items()):
        assert words(batch.inputs[row, : int(batch.lengths[row])]) == f"{command} | {answer}"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("jump I_JUMP", r"has a line 10 that is not 'IN: command OUT: actions'"),
        ("IN: jump OUT:", r"has a line 10 that is not 'IN: command OUT: actions'"),
        ("IN: hop OUT: I_JUMP", r"has 'hop' on line 10, which is not a word of SCAN"),
        ("IN: jump OUT: JUMP", r"has 'JUMP' on line 10, which is not a word of SCAN"),
        (LINES[0], r"has 10 commands, but that of SCAN has 9"),
    ],
)
def test_an_invalid_file_is_refused(folder, line, sentence):
    path = folder / "scan" / "simple_split" / "tasks_test_simple.txt"
    path.write_text("\n".join([*LINES, line]))
    with pytest.raises(
        DataError, match=rf"tasks_test_simple\.txt {sentence}; get it again from the repository brendenlake"
    ):
        Scan(data_dir=str(folder))
    path.unlink()
    with pytest.raises(DataError, match=r"there is no .*tasks_test_simple\.txt, which SCAN needs; get it from"):
        Scan(data_dir=str(folder))


def test_an_example_is_shown_equally_in_both_forms():
    task = Scan()
    shown = [task.show(task.batch(0, 4, input_kind=form), row=2).splitlines()[1:] for form in task.input_kinds]
    assert shown[0] == shown[1]
    command, answer = (line.split(" ", 1)[1].strip() for line in shown[0])
    assert answer == " ".join([*actions(command), "|"])


@pytest.mark.parametrize("split", ["simple", "length", "jump"])
def test_files_of_another_system_are_the_same(folder, split, written_elsewhere):
    expected = scan_examples.read(str(folder), split, "test")
    written_elsewhere(folder)
    assert scan_examples.read(str(folder), split, "test") == expected

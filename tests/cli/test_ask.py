"""`memtape ask`: stories from a file, a pipe and the keyboard, the bars of each look, and JSON."""

import io
import json
import sys

import pytest

from memtape.cli.ask import _bar
from memtape.cli.main import run

TINY = ["--train.steps", "1", "--train.batch-size", "2", "--train.validate-every", "1", "--train.device", "cpu"]
TINY += ["--train.validation-sequences", "2"]
STORY = "Mary moved to the bathroom.\nJohn went to the hallway.\n"


class Keyboard(io.StringIO):
    def isatty(self):
        return True


def trained(folder, *words):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("memtape.experiments.train.write_run_report", lambda run, *_: run.report_file)
        assert run(["train", *words, *TINY, "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def hops(tmp_path_factory):
    words = ["memn2n", "babi", "--model.embedding-size", "4", "--model.hops", "2"]
    return trained(tmp_path_factory.mktemp("hops") / "run", *words)


@pytest.fixture(scope="module")
def slots(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("slots") / "run", "entnet", "babi", "--model.embedding-size", "4")


@pytest.fixture
def asked(capsys, monkeypatch):
    def ask(folder, *words, typed="", keyboard=False):
        capsys.readouterr()
        monkeypatch.setattr(sys, "stdin", Keyboard(typed) if keyboard else io.StringIO(typed))
        code = run(["ask", str(folder), *map(str, words)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return ask


def test_a_pipe_is_read_and_each_hop_is_printed_with_bars(hops, asked):
    code, out, err = asked(hops, typed=f"{STORY}Where is Mary?\n")
    assert (code, err) == (0, "")
    question, *rest = out.splitlines()
    assert question.rpartition(" ")[0] == "Where is Mary?"
    assert [line for line in rest if not line.startswith("    ")] == ["  hop 1", "  hop 2"]
    _, as_json, _ = asked(hops, "--json", typed=f"{STORY}Where is Mary?\n")
    weights = [weight for look in json.loads(as_json)["looks"] for weight in look["weights"]]
    assert [line for line in rest if line.startswith("    ")] == [
        f"    {_bar(weight):20} {weight:.2f} {told}"
        for weight, told in zip(weights, STORY.splitlines() * 2, strict=True)
    ]


def test_json_is_one_line_for_each_question(hops, asked):
    code, out, _ = asked(hops, "--json", typed=f"{STORY}Where is Mary?\nSandra went to the garden.\nWhere is John?\n")
    assert code == 0
    first, second = map(json.loads, out.splitlines())
    assert first.keys() == {"question", "answer", "sentences", "look", "looks"}
    assert (first["question"], second["question"]) == ("Where is Mary?", "Where is John?")
    assert second["sentences"] == [*STORY.splitlines(), "Sandra went to the garden."]
    assert [len(look["weights"]) for look in second["looks"]] == [3, 3]
    words = json.loads((hops / "vocabulary.json").read_text())
    assert {first["answer"], second["answer"]} <= set(words)


def test_the_three_slots_with_the_largest_shares_are_printed(slots, asked):
    code, out, _ = asked(slots, "--json", typed=f"{STORY}Where is Mary?\n")
    assert code == 0
    shares = [look["share"] for look in json.loads(out)["looks"]]
    _, out, _ = asked(slots, typed=f"{STORY}Where is Mary?\n")
    largest = sorted(range(len(shares)), key=lambda slot: -shares[slot])[:3]
    assert [line for line in out.splitlines() if line.startswith("  slot")] == [
        f"  slot {slot + 1}, {shares[slot]:.0%} of the answer" for slot in largest
    ]


def test_questions_of_a_file_are_answered_without_the_input(hops, asked, tmp_path):
    file = tmp_path / "story.txt"
    file.write_text("1 Mary moved to the bathroom.\r\n2 Where is Mary?\tbathroom\t1\r\n", encoding="utf-8-sig")
    code, out, _ = asked(hops, "--story", file, "--json", typed="xyzzy")
    assert code == 0
    (answer,) = map(json.loads, out.splitlines())
    assert answer["sentences"] == ["Mary moved to the bathroom."]


@pytest.mark.parametrize("keyboard", [False, True])
def test_questions_about_a_file_without_questions_are_read_from_the_input(hops, asked, tmp_path, keyboard):
    file = tmp_path / "story.txt"
    file.write_text(STORY)
    code, out, _ = asked(hops, "--story", file, typed="Where is Mary?\n", keyboard=keyboard)
    assert code == 0
    assert "Where is Mary? " in out


def test_at_the_keyboard_a_refused_line_is_reported_and_the_story_goes_on(hops, asked):
    typed = f"Where is Mary?\nMary moved to the moon.\n{STORY}Where is John?\n"
    code, out, err = asked(hops, typed=typed, keyboard=True)
    assert code == 0
    start, *errors = err.splitlines()
    assert start == "Write one sentence in each line, and questions that end in a question mark."
    assert [error.partition(";")[0] for error in errors] == [
        "memtape: the question 'Where is Mary?' comes before any sentence of its story",
        f"memtape: the word 'moon' is not one of the {len(json.loads((hops / 'vocabulary.json').read_text())) - 1} "
        "that the network knows",
    ]
    assert "Where is John? " in out


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "memtape: the input has no story; write sentences"),
        ("\n \n", "memtape: the input has no story; write sentences"),
        (STORY, "memtape: the input has no question; write sentences"),
        (f"{STORY}\x1b[31m?\n", "memtape: the input, line 3: the word '\\x1b[31m' is not one of"),
        ("Where is Mary?\n", "memtape: the input, line 1: the question 'Where is Mary?' comes before any sentence"),
        (f"{STORY}Where is Merlin?\n", "memtape: the input, line 3: the word 'merlin' is not one of"),
    ],
)
def test_a_wrong_input_is_refused_with_one_sentence(hops, asked, typed, sentence):
    code, out, err = asked(hops, typed=typed)
    assert (code, out) == (2, "")
    assert err.startswith(sentence)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "has no story; write its sentences, one in each line"),
        (b"\n\n", "has no story; write its sentences, one in each line"),
        (b"Mary moved to the bathroom.\nMary ate.\n", ", line 2: the word 'ate' is not one of"),
        (b"\xff\n", "is not UTF-8 at byte 0; save it in this encoding"),
        (None, "cannot be read (No such file or directory); give the path of a file of stories"),
    ],
)
def test_a_wrong_file_is_refused_with_one_sentence(hops, asked, tmp_path, content, sentence):
    file = tmp_path / "story.txt"
    if content is not None:
        file.write_bytes(content)
    code, out, err = asked(hops, "--story", file)
    assert (code, out) == (2, "")
    assert f"{file}{'' if sentence.startswith(',') else ' '}{sentence}" in err
    assert err.count("\n") == 1


def test_bytes_that_are_no_text_are_refused(hops, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Mary \xff"), encoding="utf-8"))
    assert run(["ask", str(hops)]) == 2
    assert "the input is not text in the encoding of this terminal" in capsys.readouterr().err


def test_a_closed_input_has_no_story(hops, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert run(["ask", str(hops)]) == 2
    assert "the input has no story" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["lstm", "boolean", "--task.max-length", "2"], ["lstm", "copy"]], ids=["words", "bits"]
)
def test_a_run_that_reads_no_stories_is_refused(asked, tmp_path, words):
    folder = trained(tmp_path / "run", *words, "--model.hidden-size", "4")
    code, out, err = asked(folder, typed=STORY)
    assert (code, out) == (2, "")
    assert (
        f"{folder} is a run of {words[0]} on {words[1]}, which reads no stories sentence by sentence; give one" in err
    )
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("encoding", "weight", "bar"),
    [
        ("utf-8", 1.0, "█" * 20),
        ("utf-8", 0.5 + 3 / 160, "█" * 10 + "▍"),
        ("utf-8", 0.0, ""),
        ("ascii", 0.5, "#" * 10),
    ],
)
def test_a_bar_is_as_long_as_its_weight(monkeypatch, encoding, weight, bar):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    assert _bar(weight) == bar

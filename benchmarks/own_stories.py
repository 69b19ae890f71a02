"""Own stories: what a network that continues on twenty lines learns from them, and what it forgets.

    memtape train memn2n babi --out runs/first
    python benchmarks/own_stories.py runs/first

continues from the run on `examples/stories/mine.txt`, which has the new words "anna" and "library", for 300
steps with three seeds, with questions of task 1 in between and without. It prints the accuracy on the questions of the
file, on the 1,000 test questions of task 1, and on the same 1,000 with "Anna" in place of Mary and "library" in place of
the kitchen: new stories with the new words.
"""

import argparse
import re
from itertools import product
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import torch

import memtape
from memtape.core.task import Task
from memtape.tasks.stories.babi_format import text_of
from memtape.tasks.stories.generator import generated
from memtape.training.evaluation import evaluate

MINE = Path(__file__).parent.parent / "examples" / "stories" / "mine.txt"
NEW = {"Mary": "Anna", "kitchen": "library"}
STEPS = 300

STORIES = 200
"""Number of stories of the test, with five questions each."""


def with_new_words() -> str:
    """Return the text of generated test stories of task 1, in which new words take the places of known ones."""
    source = generated(1, Random("test 1"))
    text = text_of(tuple(next(source) for _ in range(STORIES)))
    return re.sub("|".join(NEW), lambda found: NEW[found[0]], text)


def accuracy(model: torch.nn.Module, task: Task, splits: tuple[str, ...] = ("test",)) -> float:
    """Return the accuracy over all questions of some splits."""
    counts = [task.available(split) or 0 for split in splits]
    scores = [evaluate(model, task, sequences=None, seed=0, split=split)["accuracy"] for split in splits]
    return sum(score * count for score, count in zip(scores, counts, strict=True)) / sum(counts)


def main() -> None:
    """Print a line for each way to continue."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", help="folder of a run of a memory network on task 1")
    first = memtape.load(parser.parse_args().run)
    known = first.task.vocabulary
    print(f"before: task 1 {accuracy(first.model, first.task):.3f}")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "new.txt"
        file.write_text(with_new_words())
        for numbers, seed in product(("1", "none"), range(3)):
            task = memtape.Babi(numbers=numbers, stories=str(MINE)).with_vocabulary(known)
            torch.manual_seed(seed)
            model = first.model.with_symbols(len(task.vocabulary))
            changes = {
                "steps": STEPS,
                "validate_every": STEPS,
                "linear_start_steps": 0,
                "progress": False,
                "seed": seed,
            }
            memtape.fit(model, task, first.settings, **changes)
            scored = (
                (memtape.Babi(numbers="none", stories=str(MINE)), ("test",)),
                (memtape.Babi(numbers="1"), ("test",)),
                (memtape.Babi(numbers="none", stories=str(file)), ("train", "validation", "test")),
            )
            scores = [accuracy(model, one.with_vocabulary(task.vocabulary), splits) for one, splits in scored]
            print(
                f"numbers {numbers}, seed {seed}: "
                "own stories {:.3f}, task 1 {:.3f}, new stories with new words {:.3f}".format(*scores),
                flush=True,
            )


if __name__ == "__main__":
    main()

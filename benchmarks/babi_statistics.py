"""bAbI statistics: generated stories beside those of the public files.

    python benchmarks/babi_statistics.py data

reads the training files of 10,000 questions in `data/babi/en-10k` (for task 3, which the usual copy lacks there, that of
1,000 questions), generates as many stories, and prints for each task a line "public / generated" with the questions and
sentences of a story, the longest story, the words, and the error of the commonest answer in percent, followed by the
largest differences between the shares of answers, numbers of supports, sentences between questions, and sentences since
the last support, in points.
"""

import argparse
from itertools import islice
from random import Random

from memtape.tasks.stories.babi_files import TASKS, babi_stories, has_file
from memtape.tasks.stories.description import Description, Shares, described
from memtape.tasks.stories.generator import generated
from memtape.tasks.stories.story import Story


def public(data_dir: str, task: int) -> tuple[Story, ...]:
    """Read the larger training file of a task that is there."""
    return babi_stories(data_dir, task, "train", 10_000 if has_file(data_dir, task, "train", 10_000) else 1_000)


def apart(one: Shares, other: Shares) -> float:
    """Return the largest difference between two shares of a value, in points."""
    return 100 * max(abs(one.get(value, 0.0) - other.get(value, 0.0)) for value in {*one, *other})


def line(one: Description, other: Description) -> str:
    """Return the numbers of two descriptions side by side."""
    pairs = [
        f"{one.questions:.1f} / {other.questions:.1f}",
        f"{one.sentences:.1f} / {other.sentences:.1f}",
        f"{one.longest} / {other.longest}",
        f"{one.words} / {other.words}",
        f"{100 * one.majority_error:.1f} / {100 * other.majority_error:.1f}",
    ]
    shares = ("answers", "supports", "gaps", "ages")
    differences = [f"{apart(getattr(one, name), getattr(other, name)):.1f}" for name in shares]
    return "".join(f"{pair:>14}" for pair in pairs) + "".join(f"{difference:>9}" for difference in differences)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", help="the data folder, which contains the folder babi")
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    titles = ("questions", "sentences", "longest", "words", "majority")
    print(f"{'task':<28}" + "".join(f"{title:>14}" for title in titles) + "  answers supports     gaps     ages")
    for task, name in TASKS.items():
        stories = public(settings.data_dir, task)
        others = tuple(islice(generated(task, Random(settings.seed)), len(stories)))
        print(f"{task:>2} {name:<25}{line(described(stories), described(others))}", flush=True)


if __name__ == "__main__":
    main()

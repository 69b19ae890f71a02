"""bAbI oracles: how many questions of the public files the program of each task answers.

    python benchmarks/babi_oracles.py data

reads `data/babi`, and prints a line for each task, with the right answers and the questions of each file. Questions about
a person who received several objects from the same person have no single answer, so task 5 is not answered completely.
"""

import argparse

from memtape.tasks.stories.babi_files import SIZES, TASKS, Part, babi_stories, has_file
from memtape.tasks.stories.oracle import is_right

FILES: dict[str, tuple[Part, int]] = {
    "test": ("test", 1_000),
    **{f"{part}, {folder}": (part, size) for size, folder in SIZES.items() for part in ("train", "validation")},
}


def counted(data_dir: str, task: int, part: Part, size: int) -> str:
    """Return the number of right answers and of questions of a file."""
    if not has_file(data_dir, task, part, size):
        return "no file"
    stories = babi_stories(data_dir, task, part, size)
    right = [is_right(task, story, question) for story in stories for question in story.questions]
    return f"{sum(right):,}/{len(right):,}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", help="the data folder, which contains the folder babi")
    data_dir = parser.parse_args().data_dir
    print(f"{'task':<28}" + "".join(f"{name:>20}" for name in FILES))
    for task, name in TASKS.items():
        cells = (counted(data_dir, task, *file) for file in FILES.values())
        print(f"{task:>2} {name:<25}" + "".join(f"{cell:>20}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()

"""Programs by word: which stored program does each head run at each word of a story?

    python benchmarks/programs_by_word.py RUN --out docs/images/programs-by-word.png

draws the weights of the programs of a trained network with programs on the first sentences and questions of a test story
of the task `babi-words`, and prints the weight of each program at the words of sentences, of questions and at answers.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import memtape
from memtape.viz.style import INK_ON_PAPER, paper_style


def phases(words: list[str], scored: np.ndarray) -> list[str]:
    """Return for each word whether it belongs to a sentence, a question, or is the place of an answer."""
    found: list[str] = []
    start = 0
    for place, word in enumerate(words):
        if word in {".", "?"}:
            found += ["sentence" if word == "." else "question"] * (place + 1 - start)
            start = place + 1
        elif scored[place]:
            found.append("answer")
            start = place + 1
    return found


def main() -> None:
    """Print the table and draw the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--words", type=int, default=35, help="number of words in the figure")
    parser.add_argument("--out", type=Path, help="write the figure to this file")
    options = parser.parse_args()
    loaded = memtape.load(options.run)
    task = loaded.task
    assert isinstance(task, memtape.BabiWords)
    batch = task.batch(0, 1, split="test")
    weights = np.asarray(loaded.model.trace(batch.inputs, lengths=batch.lengths)["programs"])
    words = [task.vocabulary[int(symbol)] for symbol in batch.inputs[0]]
    scored = batch.mask[0].numpy()
    of_words = np.array(phases(words, scored))
    _, heads, programs = weights.shape
    print(
        "| words | "
        + " | ".join(f"head {h + 1}, program {p + 1}" for h in range(heads) for p in range(programs))
        + " |"
    )
    for phase in ("sentence", "question", "answer"):
        means = weights[: len(of_words)][of_words == phase].mean(0).flatten()
        print(f"| {phase} | " + " | ".join(f"{mean:.2f}" for mean in means) + " |")
    if options.out:
        shown = weights[: options.words].reshape(-1, heads * programs).T
        with paper_style():
            figure, axes = plt.subplots(figsize=(0.21 * shown.shape[1] + 1, 1.9), layout="constrained")
            axes.imshow(shown, cmap=INK_ON_PAPER, vmin=0, vmax=1, aspect="auto")
            axes.set_yticks(
                range(heads * programs),
                [f"head {h + 1}, program {p + 1}" for h in range(heads) for p in range(programs)],
            )
            names = ["(answer)" if at else word for word, at in zip(words, scored, strict=True)][: options.words]
            axes.set_xticks(range(len(names)), names, rotation=90)
            figure.savefig(options.out)


if __name__ == "__main__":
    main()

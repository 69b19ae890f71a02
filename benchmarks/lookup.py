"""Lookup: hits at 1 of a trained network and of TF-IDF, on the same test questions about documents.

    python benchmarks/lookup.py articles data data/documents
    memtape train kvmemnn lookup --recipe kvmemnn/lookup-folder --data-dir data
    python benchmarks/lookup.py compare RUN

The first command writes the articles of `data/wikitext2_partial/valid.txt` and `test.txt` as files of a folder, one for each
article. The last one prints, for questions that words answer and for those that titles answer, how many there are, in how
many stories the answer is, and the share of correct answers of the network of the run and of TF-IDF (scikit-learn).

TF-IDF reads the same sentences as the network. It compares the question with the words around each word of each sentence and
their title, and takes from the most similar one the word in the middle, or the title. Words of the question and words that
are not rare are never taken. Its inverse document frequencies are those of all sentences in the test stories.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from sklearn.feature_extraction.text import TfidfVectorizer

import memtape

KINDS = ("words", "titles")
HEADING = re.compile(r" = ([^=]+) = ?")


def fitted(texts: Sequence[Sequence[str]]) -> TfidfVectorizer:
    """Return a vectoriser with the frequencies of words in texts, which are split into words."""
    return TfidfVectorizer(analyzer=tuple, sublinear_tf=True).fit(texts)


def by_tfidf(
    vectors: TfidfVectorizer,
    sentences: Sequence[Sequence[str]],
    question: Sequence[str],
    *,
    kind: str,
    allowed: frozenset[str],
    window: int = 5,
) -> str:
    """Return the value of the most similar window: the word in its middle, or the title, which precedes each sentence."""
    slots = []
    for title, *words in sentences:
        for middle, word in enumerate(words):
            around = words[max(0, middle - window // 2) : middle + window // 2 + 1]
            slots.append(((title, *around), title if kind == "titles" else word))
    if not slots:
        return ""
    similarity = (vectors.transform([key for key, _ in slots]) @ vectors.transform([question]).T).toarray()[:, 0]
    for slot in (-similarity).argsort(kind="stable"):
        value = slots[slot][1]
        if value in allowed and value not in question:
            return value
    return ""


def articles(text: str) -> Iterator[tuple[str, str]]:
    """Yield the title and the text of each article of WikiText-2, where unknown words are left out."""
    title, lines, before = "", [], ""
    for line in text.splitlines():
        # The heading of an article follows an empty line; a formula can look like one.
        if (found := HEADING.fullmatch(line)) and not before.strip():
            if lines:
                yield title, "\n".join(lines)
            title, lines = found[1].replace("<unk>", "").strip(), []
        elif not line.startswith(" = ") and line.strip():
            lines.append(re.sub(r" @(\W)@ ", r"\1", line.replace("<unk>", "")).strip())
        before = line
    if lines:
        yield title, "\n".join(lines)


def write_articles(data_dir: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    parts = [(data_dir / "wikitext2_partial" / name).read_text(encoding="utf-8") for name in ("valid.txt", "test.txt")]
    found = [article for part in parts for article in articles(part)]
    for number, (title, text) in enumerate(found):
        name = "_".join(re.findall(r"\w+", title)) or "article"
        (folder / f"{name}_{number}.txt").write_text(text, encoding="utf-8")
    print(f"wrote {len(found)} articles to {folder}")


def compare(run: Path, sequences: int | None) -> None:
    loaded = memtape.load(run)
    network = loaded.model.eval()
    print(f"{'answers':<8}{'questions':>10}{'in story':>10}{'network':>10}{'TF-IDF':>10}")
    for kind in KINDS:
        task = memtape.DocumentLookup(**{**loaded.task.configuration, "answers": kind})
        count = min(task.available("test"), sequences or task.available("test"))
        batch = task.batch(0, count, split="test")
        with torch.inference_mode():
            parts = [batch.rows(first, min(first + 64, count)) for first in range(0, count, 64)]
            right = sum(float(task.tally(network(part.inputs)[0], part)["right"]) for part in parts)
        stories = [task.story(batch, row=row) for row in range(count)]
        texts = [[sentence.split() for sentence in story.sentences] for story in stories]
        vectors = fitted(sorted({tuple(words) for told in texts for words in told}))
        found = [
            by_tfidf(vectors, told, story.question.split(), kind=kind, allowed=task.rare_words) == story.target
            for told, story in zip(texts, stories, strict=True)
        ]
        inside = [any(story.target in words for words in told) for told, story in zip(texts, stories, strict=True)]
        shares = (sum(inside) / count, right / count, sum(found) / count)
        print(f"{kind:<8}{count:>10}" + "".join(f"{share:>10.3f}" for share in shares), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("articles", help="write the articles of WikiText-2 as files")
    writing.add_argument("data_dir", type=Path, help="the data folder, which contains the folder wikitext2_partial")
    writing.add_argument("folder", type=Path, help="the new folder for the articles")
    comparing = commands.add_parser("compare", help="compare the network of a run with TF-IDF")
    comparing.add_argument("run", type=Path, help="the folder of a run on the task lookup")
    comparing.add_argument("--sequences", type=int, help="number of test questions of each kind; by default all")
    settings = parser.parse_args()
    if settings.command == "articles":
        write_articles(settings.data_dir, settings.folder)
    else:
        compare(settings.run, settings.sequences)


if __name__ == "__main__":
    main()

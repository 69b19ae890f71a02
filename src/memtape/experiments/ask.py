"""Ask: a story for the network of a run, sentence by sentence, with questions about it."""

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from memtape.catalog.registry import find
from memtape.catalog.unknown_name import nearest
from memtape.core.inputs.stories import NIL, Stories
from memtape.core.lookup import LooksUp
from memtape.experiments.experiment import Experiment, ExperimentError, first_line
from memtape.experiments.open_run import network_of_run, weights_of_run
from memtape.experiments.run_folder.folder import CONFIGURATION, VOCABULARY, Run, RunError
from memtape.tasks.stories.babi_format import words_of

NUMBERED = re.compile(r"([0-9]+) +(.*)", re.DOTALL)


@dataclass(frozen=True)
class Look:
    """One look of a network into a story."""

    weights: tuple[float, ...]
    """The weight of each sentence."""
    share: float
    """The share of the look in the answer; 1 for every hop."""


@dataclass(frozen=True)
class Answer:
    """The answer to a question, and where the network looked for it."""

    question: str
    answer: str
    sentences: tuple[str, ...]
    """The sentences before the question, as they were written."""
    look: str
    """What one look is, a "hop" or a "slot"."""
    looks: tuple[Look, ...]


class Conversation:
    """A story that a network reads line by line, with questions about it.

    Args:
        network: a network that answers questions about stories.
        vocabulary: the words of its symbols; the first is that of an absent word.
    """

    def __init__(self, network: LooksUp, vocabulary: Sequence[str]):
        self.network, self.vocabulary = network, vocabulary
        self.symbols = {word: symbol for symbol, word in enumerate(vocabulary) if symbol != NIL}
        self._begin()

    def read(self, line: str) -> Answer | None:
        """Read the next line, and return the answer if it is a question.

        A line that ends in a question mark is a question, and any other line is a sentence. An empty line starts a new
        story. A line may start with its number, as in the files of bAbI: number 1 starts a new story, and what follows the
        tab after a question is left out.

        Raises:
            ExperimentError: the line has no word or an unknown one, a question comes before the first sentence, or the
                network cannot read the story; the story remains as it was.
        """
        number, text = _parts(line)
        if number == "1" or not text:
            self._begin()
        if not text:
            return None
        question = text.partition("\t")[0].rstrip()
        if question.endswith("?"):
            return self._answer(question)
        symbols = self._coded(text)
        self.sentences.append(text)
        self._told.append(symbols)
        return None

    def _begin(self) -> None:
        self.sentences: list[str] = []
        self._told: list[list[int]] = []

    def _answer(self, question: str) -> Answer:
        asked = self._coded(question)
        if not self._told:
            raise ExperimentError(
                f"the question {question!r} comes before any sentence of its story; write a sentence first"
            )
        longest = max(map(len, self._told))
        stories = Stories(
            sentences=torch.tensor([[words + [NIL] * (longest - len(words)) for words in self._told]]),
            question=torch.tensor([asked]),
            supports=torch.empty(1, 0, dtype=torch.long),
        )
        try:
            with torch.inference_mode():
                logits, looked = self.network(stories)
        except ValueError as error:
            raise ExperimentError(first_line(error)) from None
        symbol = NIL + 1 + int(logits[0, 0, NIL + 1 :].argmax())  # no word is no answer
        rows = zip(looked.weights[0].tolist(), looked.shares[0].tolist(), strict=True)
        return Answer(
            question=question,
            answer=self.vocabulary[symbol],
            sentences=tuple(self.sentences),
            look=self.network.looks,
            looks=tuple(Look(weights=tuple(weights), share=share) for weights, share in rows),
        )

    def _coded(self, text: str) -> list[int]:
        words = [word.lower() for word in words_of(text)]
        if not words:
            raise ExperimentError(f"the line {text!r} has no words; write a sentence or a question")
        for word in words:
            if word not in self.symbols:
                near = nearest(word, list(self.symbols))
                cure = f"did you mean {near!r}?" if near is not None else f"use those in {VOCABULARY} of the run"
                raise ExperimentError(
                    f"the word {word!r} is not one of the {len(self.symbols)} that the network knows; {cure}"
                )
        return [self.symbols[word] for word in words]


def open_conversation(folder: Path, *, warn: Callable[[str], None] = warnings.warn) -> Conversation:
    """Return a conversation with the network of a run; the training data is not needed.

    Args:
        folder: the run folder.
        warn: receives a sentence if the run is not finished, and its best weights so far are used.

    Raises:
        ExperimentError: no experiment can be built from the configuration.
        PluginError: a plugin of the run is missing.
        RunError: the run does not exist, is damaged, or its network reads no stories.
    """
    run = Run.open_any(folder)
    experiment = Experiment.from_config(run.read(CONFIGURATION))
    vocabulary = run.vocabulary()
    if not vocabulary or not hasattr(find("model", experiment.model).load(), "looks"):
        raise RunError(
            f"{folder} is a run of {experiment.model} on {experiment.task}, which reads no stories sentence by "
            "sentence; give one that does, such as that of `memtape train memn2n babi`"
        )
    weights, file = weights_of_run(run, warn)
    network: Any = network_of_run(experiment, (len(vocabulary), len(vocabulary)), weights, file).eval()
    return Conversation(network, vocabulary)


def _parts(line: str) -> tuple[str, str]:
    """Split a line into its number, which may be absent, and its text."""
    text = line.strip()
    found = NUMBERED.fullmatch(text)
    return (found[1], found[2].strip()) if found else ("", text)

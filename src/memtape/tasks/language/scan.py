"""SCAN: turn commands into the actions that they ask for."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from memtape.core import checks
from memtape.core.batch import SequenceBatch
from memtape.core.inputs.pairs import BOUNDARY, PAIRS, Pairs, given_for
from memtape.core.score import Score
from memtape.core.task import HeldTask, generator_for
from memtape.tasks.classification import ClassificationTask, class_sums
from memtape.tasks.language import scan_grammar
from memtape.tasks.language.scan_examples import FILES, of_grammar, read
from memtape.tasks.lengths import steps_since
from memtape.tasks.ragged import Ragged

VALIDATION = 10
"""One of so many examples for training is kept for validation."""

VOCABULARY = ("|", *scan_grammar.WORDS, *scan_grammar.ACTIONS)


class Scan(ClassificationTask, HeldTask):
    """See a command such as "jump twice and walk left", and say the actions that it asks for, one by one.

    Inputs and outputs are symbols of one `vocabulary`; its symbol 0, the boundary, stands before and after an answer. As a
    sequence: the command, the boundary, the actions, with the next symbol as the target; as a pair: the command, and the
    actions, given one step late. What is scored is the answer with the boundary after it.

    An answer is exact if its likeliest symbol is the right one at every step. The network is told the true symbols before each
    step, and that is no help: one that says its own likeliest symbols is told just those for as long as it is right, so it says
    the whole answer right if and only if this one does.

    Args:
        data_dir: folder of data, with `scan/simple_split/tasks_train_simple.txt` and so on; without it the commands are those
            of the grammar, split alike, which save for the simple split are the very same examples.
        split: which commands are for testing: a fifth of them at random ("simple"), those of more than 22 actions ("length"),
            or all with "jump" in them save "jump" alone ("jump").

    Attributes:
        vocabulary: the words of the symbols.

    Raises:
        ValueError: another word for the split, or a file that is missing or is not what it should be.

    Example:
        >>> task = Scan()
        >>> print(task.show(task.batch(0, 1, input_kind="pairs")))
        Scan, 10 steps
        command turn left after run around right
        target  I_TURN_RIGHT I_RUN I_TURN_RIGHT I_RUN I_TURN_RIGHT I_RUN I_TURN_RIGHT I_RUN I_TURN_LEFT |

    References:
        Lake & Baroni (2018), "Generalization without systematicity: on the compositional skills of sequence-to-sequence
        recurrent networks", arXiv:1711.00350.
    """

    scored = (
        Score(name="exact", label="share of answers that are wholly right", short="exact", higher_is_better=True),
        Score(name="token_accuracy", label="share of symbols that are right", short="tokens", higher_is_better=True),
    )
    input_kinds = ("sequences", "pairs")
    foretells = True
    vocabulary: tuple[str, ...] = VOCABULARY

    def __init__(self, *, data_dir: str | None = None, split: Literal["simple", "length", "jump"] = "simple"):
        checks.one_of(tuple(FILES), split=split)
        self.split = split
        self.input_size = self.output_size = len(VOCABULARY)
        train, test = of_grammar(split) if data_dir is None else (read(data_dir, split, p) for p in ("train", "test"))
        order = torch.randperm(len(train), generator=generator_for("scan", split, "validation")).tolist()
        kept = len(train) // VALIDATION
        chosen = {
            "validation": [train[i] for i in order[:kept]],
            "train": [train[i] for i in order[kept:]],
            "test": test,
        }
        places = {word: place for place, word in enumerate(VOCABULARY)}
        self._commands = {n: Ragged.of([[places[w] for w in c] for c, _ in part]) for n, part in chosen.items()}
        self._answers = {
            n: Ragged.of([[*(places[a] for a in done), BOUNDARY] for _, done in part]) for n, part in chosen.items()
        }
        steps = self._commands["train"].lengths + self._answers["train"].lengths
        self.lengths = (int(steps.min()), int(steps.max()))

    def available(self, split: str) -> int:
        """Return the number of commands of a split."""
        return len(self._commands.get(split, self._commands["test"]))

    def examples(self, split: str, rows: Tensor, input_kind: str) -> SequenceBatch:
        """Return commands and answers of a split by their numbers."""
        split = split if split in self._commands else "test"
        commands, told = self._commands[split].padded(rows)
        answers, said = self._answers[split].padded(rows)
        if input_kind == "pairs":
            return SequenceBatch(
                inputs=Pairs(source=commands, source_lengths=told, given=given_for(answers)),
                targets=answers,
                mask=steps_since(torch.zeros_like(said), answers.shape[1]) < said[:, None],
                lengths=said,
            )
        steps = told + said
        since_answer = steps_since(told, int(steps.max()))
        answered = (since_answer >= 0) & (since_answer < said[:, None])
        targets = answers.gather(1, since_answer.clamp(0, answers.shape[1] - 1)) * answered
        inputs = given_for(targets)
        inputs[:, : commands.shape[1]] += commands
        targets[:, : commands.shape[1] - 1] += commands[:, 1:]
        return SequenceBatch(inputs=inputs, targets=targets, mask=answered, lengths=steps)

    def tally(self, outputs: Float[Tensor, "batch time output"], batch: SequenceBatch) -> dict[str, float]:
        """Return how many answers are wholly right, how many symbols are, and how many there are of both."""
        wrong = (outputs.detach().argmax(-1) != batch.targets) & batch.mask
        exact = (~wrong.any(1)).sum()
        return {**class_sums(outputs, batch), "exact": float(exact), "sequences": float(len(batch))}

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return `exact` and `token_accuracy`."""
        return {"exact": tally["exact"] / tally["sequences"], "token_accuracy": tally["right"] / tally["scored"]}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return one example as text: the command and the actions; with `outputs` the likeliest ones too."""
        scored = batch.mask[row]
        if batch.kind is PAIRS:
            command = batch.inputs.source[row, : int(batch.inputs.source_lengths[row])]
        else:
            command = batch.inputs[row, : int(scored.int().argmax())]
        rows = {"command": command, "target ": batch.targets[row][scored]}
        if outputs is not None:
            rows["output "] = outputs[row][scored].argmax(-1)
        lines = [
            f"{name} {' '.join(VOCABULARY[symbol] for symbol in symbols.tolist())}" for name, symbols in rows.items()
        ]
        return "\n".join([f"{type(self).__name__}, {int(batch.lengths[row])} steps", *lines])

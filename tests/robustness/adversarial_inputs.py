"""Adversarial inputs: train Turing machines on inputs that cause overflow in careless code, and check that all numbers
are finite.

    python tests/robustness/adversarial_inputs.py --steps 100000

trains several small machines with a high learning rate for the given number of steps each. Every step has a batch of
one of these kinds in turn: numbers of 1e30 and of both signs, subnormal numbers, zeros, equal vectors in all steps (and
so equal keys), magnitudes from 1e-38 to 1e30 in one vector, a single step, sequences ten times as long as usual, and
rows without any step. Two machines start with saturated heads, or with large head parameters without a bound. A
training run stops at the first loss or gradient that is NaN or infinite, and reports the parameter, module or loss.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from memtape import NTM, use_backend
from memtape.core.batch import SequenceBatch
from memtape.core.score import Score
from memtape.core.task import DrawnTask
from memtape.training.loop import train
from memtape.training.optim.non_finite import NonFiniteError
from memtape.training.settings import TrainSettings

SIZE, TIME, BATCH = 5, 6, 4


def random_sizes(generator: torch.Generator, steps: int) -> Tensor:
    exponents = torch.randint(-38, 31, (BATCH, steps, SIZE), generator=generator)
    return 10.0**exponents * torch.randn(BATCH, steps, SIZE, generator=generator)


def normal(generator: torch.Generator, steps: int) -> Tensor:
    return torch.randn(BATCH, steps, SIZE, generator=generator)


KINDS = {
    "ordinary": normal,
    "1e30": lambda generator, steps: 1e30 * normal(generator, steps).sign(),
    "1e10": lambda generator, steps: 1e10 * normal(generator, steps),
    "1e4": lambda generator, steps: 1e4 * normal(generator, steps),
    "subnormal": lambda generator, steps: 1e-42 * normal(generator, steps).sign(),
    "zero": lambda generator, steps: torch.zeros(BATCH, steps, SIZE),
    "equal vectors": lambda generator, steps: normal(generator, 1).repeat(1, steps, 1),
    "all sizes": random_sizes,
    "one step": lambda generator, steps: 1e3 * normal(generator, 1),
    "ten times as long": lambda generator, steps: normal(generator, 10 * steps),
    "empty rows": normal,
}

MACHINES: dict[str, dict[str, Any]] = {
    "lstm": {},
    "feedforward": {"controller": "feedforward"},
    "gru, two heads": {"controller": "gru", "read_heads": 2, "write_heads": 2},
    "content addressing": {"addressing": "content"},
    "dot product": {"similarity": "dot"},
    "heads saturated": {},
    "heads unbounded": {"clip": None},
}
HEAD_WEIGHTS = {"heads saturated": 1e4, "heads unbounded": 30.0}
"""Factors for the weights of the heads that saturate strengths, gates and exponents."""


LOSS = Score(name="cross_entropy", label="cross-entropy, nats per bit", short="nats")


class Adversarial(DrawnTask):
    """Batches of every kind in turn, with targets of random bits at every step."""

    input_size, output_size, lengths = SIZE, SIZE, (TIME, TIME)
    scored = (LOSS,)

    def batch(self, index: int, batch_size: int, **others: Any) -> SequenceBatch:
        """Draw a batch of the next kind."""
        self.kind = list(KINDS)[index % len(KINDS)]
        return super().batch(index, batch_size, **others)

    def sample(self, batch_size: int, lengths: tuple[int, int], generator: torch.Generator) -> SequenceBatch:
        """Draw inputs of the kind, and bits."""
        inputs = KINDS[self.kind](generator, TIME)
        targets = torch.randint(2, inputs.shape, generator=generator).float()
        counts = torch.full((BATCH,), inputs.shape[1])
        if self.kind == "empty rows":
            counts[1::2] = 0
        mask = torch.arange(inputs.shape[1]) < counts[:, None]
        empty = ~mask[:, :, None]
        return SequenceBatch(
            inputs=inputs.masked_fill(empty, 0), targets=targets.masked_fill(empty, 0), mask=mask, lengths=counts
        )

    def loss(self, outputs: Tensor, batch: SequenceBatch) -> Tensor:
        """Return the mean cross-entropy of the scored bits, in nats."""
        bits = torch.nn.functional.binary_cross_entropy_with_logits(outputs, batch.targets, reduction="none")
        return bits[batch.mask].mean()

    def weight(self, batch: SequenceBatch) -> float:
        """Return the number of scored steps."""
        return batch.mask.sum().item()

    def tally(self, outputs: Tensor, batch: SequenceBatch) -> dict[str, float]:
        """Return the loss."""
        return {"loss of the batch": self.loss(outputs, batch).item()}

    def scores_of(self, tally: Mapping[str, float]) -> dict[str, float]:
        """Return the loss."""
        return {LOSS.name: tally["loss of the batch"]}

    def show(self, batch: SequenceBatch, outputs: Tensor | None = None, row: int = 0) -> str:
        """Return the inputs as text."""
        return str(batch.inputs[row].tolist())


def build(name: str) -> NTM:
    torch.manual_seed(0)
    machine = NTM(SIZE, SIZE, slots=16, width=6, controller_size=16, **MACHINES[name])
    with torch.no_grad():
        machine.cell.machine.interface.head_parameters.linear.weight.mul_(HEAD_WEIGHTS.get(name, 1.0))
    return machine


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100_000, help="training steps of each machine")
    parser.add_argument("--machines", nargs="+", default=list(MACHINES), choices=MACHINES)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--precision", default="float32", choices=["float32", "bf16"])
    options = parser.parse_args()
    settings = TrainSettings(
        steps=options.steps,
        batch_size=BATCH,
        learning_rate=options.learning_rate,
        validate_every=options.steps,
        validation_sequences=BATCH * len(KINDS),
        precision=options.precision,
        device="cpu",
        threads=1,
    )
    failed = 0
    for name in options.machines:
        machine = build(name)
        largest: dict[str, float] = defaultdict(float)
        task, start = Adversarial(), time.perf_counter()

        def watch(
            _: int, scores: dict[str, float], largest: dict[str, float] = largest, task: Adversarial = task
        ) -> None:
            largest[task.kind] = max(largest[task.kind], scores["loss"])

        try:
            with use_backend(options.backend):
                outcome = train(machine, task, settings, seed=0, on_record=lambda _: None, on_step=watch)
            result = f"{outcome.steps} steps, every loss and gradient finite"
        except NonFiniteError as error:
            result, failed = f"{error} (inputs: {task.kind})", failed + 1
        print(f"{name:20} {result}; {time.perf_counter() - start:.0f} s", flush=True)
        print("  largest loss: " + ", ".join(f"{kind} {value:.2g}" for kind, value in largest.items()), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

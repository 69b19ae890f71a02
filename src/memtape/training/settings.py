"""Settings: all numbers and choices of a training run."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from memtape.core.errors import RequestError

LARGEST = 2**53
"""The largest number of steps and the like: integers up to it are exact as floats."""

Whole = Annotated[int, Field(ge=1, le=LARGEST)]
Count = Annotated[int, Field(ge=0, le=LARGEST)]
Rate = Annotated[float, Field(gt=0)]


RIDGE_HAS_NO_USE_FOR = {
    "vanishing_penalty": 0.0,
    "key_penalty": 0.0,
    "accumulate": 1,
    "tbptt": None,
    "carry": False,
    "checkpoint_every": None,
    "teacher": "always",
    "linear_start_steps": 0,
    "precision": "float32",
}
"""Settings of gradient descent, with the values they must have without it."""


class SettingsError(RequestError):
    """Settings that do not fit the network, the task, the processes or the installation; the message explains why."""


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid", allow_inf_nan=False))
class TrainSettings:
    """How a network is trained.

    Args:
        steps: maximal number of steps of the optimiser.
        batch_size: sequences in one step.
        optimizer: the optimiser; "sgd" follows the gradient, with momentum; "graves" is RMSprop with centred gradients and
            momentum as in Graves 2013, and "ridge" solves for a linear readout of fixed features in closed form, on the
            batch of the step alone.
        learning_rate: the highest learning rate of the schedule.
        momentum: momentum of "sgd", "rmsprop" and "graves"; "adam" does not use it.
        weight_decay: fraction of each parameter that is added to its gradient (L2); "graves" does not use it.
        smoothing: decay of the running mean of squared gradients of "rmsprop" and "graves".
        ridge_penalty: weight of the squared readout for "ridge".
        vanishing_penalty: weight of a penalty on gradients of plain recurrent units that vanish or explode from step to
            step.
        key_penalty: weight in the first step of a penalty on the similarity of the keys of stored programs.
        key_penalty_decay: factor of that weight from each step to the next.
        schedule: how the learning rate changes: constant, decaying along half a cosine to `final_rate`, or halved once in
            `halve_every` steps.
        final_rate: the last learning rate of the cosine, as a fraction of the first.
        halve_every: steps after which the schedule "halving" halves the learning rate, counted from the end of the linear
            start.
        warmup_steps: steps over which the learning rate grows from 0.
        clip: clip the gradient by its norm, clip that of each parameter by its own norm ("tensor"), clip each component
            by its value, or do not clip.
        clip_limit: the largest norm or value.
        curriculum_steps: steps over which the range of training lengths moves to that of the task; 0 for no curriculum.
        curriculum_min: shortest training length at the first step; none for that of the task.
        curriculum_max: longest training length at the first step; none for that of the task.
        curriculum_score: the longest training length grows to the next one when the last score of a validation on that
            length alone is at least this good; it starts at `curriculum_max`, or at the task's shortest length. Lengths
            without validation sequences are left out. None for a curriculum by steps.
        validate_every: steps between two validations.
        validation_sequences: sequences of one validation.
        solved_score: a validation whose last score is at least as good as this counts as solved; none for the task's
            goal.
        solved_validations: solved validations in a row after which the task is solved.
        stop_when_solved: stop training when the task is solved (else continue to the last step).
        restarts: how often a training run that is stuck may restart with other initial weights.
        restart_after: steps after which the run is checked for being stuck.
        restart_score: the run counts as stuck unless the last score of the validation at that step is at least this
            good; none for the score of the task.
        teacher: what a network that feeds its outputs back receives in training: the targets always, or with a
            probability that decays (scheduled sampling).
        teacher_steps: time constant in steps of that decay.
        teacher_least: lower limit of that probability.
        linear_start_steps: first steps, in which a network with attention in hops, such as "memn2n", leaves the
            softmax of its hops out; 0 for no linear start.
        accumulate: number of parts that a batch is split into, whose gradients are added; saves memory.
        tbptt: truncated back-propagation: no gradient flows from one chunk of this many time steps to the previous one;
            none lets it flow through the full sequence.
        carry: start each batch from the final state of the previous one, so that each row is one endless stream.
        checkpoint_every: save the state only once in this many time steps, and recompute the others in the backward
            pass.
        save_every: steps between two checkpoints of the run; none saves after each validation.
        keep: number of the newest checkpoints to keep; the one of the best validation is kept too.
        non_finite: what to do when a loss or a gradient is NaN or infinite: stop, skip the step, or roll back to the
            last checkpoint and continue from there with other data.
        non_finite_limit: stop after this many skipped steps in a row, or this many rollbacks in total.
        precision: arithmetic of the network; "bf16" runs under autocast, with the state kept in float32.
        device: where to compute; "auto" takes an accelerator if there is one.
        threads: threads on the CPU; none leaves torch's default.
        parallel: how several processes hold the network: "ddp" gives each a full copy, "fsdp" a part of every
            parameter, of its gradient and of the optimiser's state.
        patience: seconds that a process waits for another before it reports an error.
        tracker: library that records the metrics too; it stays offline and writes into the run folder.
    """

    steps: Whole = 10_000
    batch_size: Whole = 16
    optimizer: Literal["adam", "sgd", "adagrad", "rmsprop", "graves", "ridge"] = "adam"
    learning_rate: Rate = 1e-3
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    smoothing: Annotated[float, Field(gt=0, lt=1)] = 0.95
    ridge_penalty: Rate = 1e-6
    vanishing_penalty: Annotated[float, Field(ge=0)] = 0.0
    key_penalty: Annotated[float, Field(ge=0)] = 0.0
    key_penalty_decay: Annotated[float, Field(ge=0, le=1)] = 0.9
    schedule: Literal["constant", "cosine", "halving"] = "constant"
    final_rate: Annotated[float, Field(ge=0, le=1)] = 0.01
    halve_every: Whole = 1_000
    warmup_steps: Count = 0
    clip: Literal["norm", "tensor", "value", "none"] = "norm"
    clip_limit: Rate = 10.0
    curriculum_steps: Count = 0
    curriculum_min: Whole | None = None
    curriculum_max: Whole | None = None
    curriculum_score: float | None = None
    validate_every: Whole = 250
    validation_sequences: Whole = 256
    solved_score: float | None = None
    solved_validations: Whole = 2
    stop_when_solved: bool = True
    restarts: Count = 0
    restart_after: Whole = 1_500
    restart_score: float | None = None
    teacher: Literal["always", "linear", "exponential", "inverse_sigmoid"] = "always"
    teacher_steps: Whole = 1_000
    teacher_least: Annotated[float, Field(ge=0, le=1)] = 0.0
    linear_start_steps: Count = 0
    accumulate: Whole = 1
    tbptt: Whole | None = None
    carry: bool = False
    checkpoint_every: Whole | None = None
    save_every: Whole | None = None
    keep: Whole = 2
    non_finite: Literal["stop", "skip", "rollback"] = "stop"
    non_finite_limit: Whole = 10
    precision: Literal["float32", "bf16"] = "float32"
    device: Literal["auto", "cpu"] = "auto"
    threads: Whole | None = None
    parallel: Literal["ddp", "fsdp"] = "ddp"
    patience: Whole = 600
    tracker: Literal["none", "tensorboard", "trackio", "wandb", "mlflow"] = "none"

    @model_validator(mode="after")
    def _numbers_fit(self) -> "TrainSettings":
        if self.curriculum_min and self.curriculum_max and self.curriculum_min > self.curriculum_max:
            raise ValueError(f"curriculum_min {self.curriculum_min} is above curriculum_max {self.curriculum_max}")
        if self.curriculum_score is not None and (self.curriculum_steps or self.curriculum_min):
            name = "curriculum_steps" if self.curriculum_steps else "curriculum_min"
            raise ValueError(
                f"{name} is {getattr(self, name)}, but with a curriculum_score lengths grow by the score; leave one out"
            )
        if self.restarts and self.restart_after % self.validate_every:
            raise ValueError(
                f"restart_after {self.restart_after} is not a multiple of validate_every {self.validate_every}, "
                "at which a run is checked; choose a multiple"
            )
        if self.accumulate > self.batch_size:
            raise ValueError(f"accumulate {self.accumulate} is above batch_size {self.batch_size}; lower it")
        if self.optimizer == "ridge":
            for name, unused in RIDGE_HAS_NO_USE_FOR.items():
                if (value := getattr(self, name)) != unused:
                    raise ValueError(
                        f"{name} is {value}, but the optimizer ridge solves on whole batches, without gradients"
                    )
        return self

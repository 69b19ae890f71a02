"""Settings: how a network is trained, every number of it."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from memtape.core.errors import RequestError

Whole = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]


RIDGE_HAS_NO_USE_FOR = {
    "vanishing_penalty": 0.0,
    "accumulate": 1,
    "tbptt": None,
    "carry": False,
    "checkpoint_every": None,
    "teacher": "always",
    "precision": "float32",
}
"""Settings of learning from gradients, with the values that they have where there is none."""


class SettingsError(RequestError):
    """Settings that do not fit the processes or the installation that train; the sentence says which and why."""


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class TrainSettings:
    """How a network is trained.

    Args:
        steps: most updates of the parameters.
        batch_size: sequences in one update.
        optimizer: rule of the update; "graves" is RMSprop with centred gradients and momentum as in Graves 2013, and "ridge"
            solves in closed form, on the batch of the update alone, for a readout that is linear in what does not learn.
        learning_rate: size of the updates at their largest.
        momentum: momentum of "rmsprop" and "graves"; "adam" does not use it.
        weight_decay: share of each parameter that is added to its gradient (L2); "graves" does not use it.
        smoothing: decay of the running mean of squared gradients of "rmsprop" and "graves".
        ridge_penalty: weight of the squared readout for "ridge".
        vanishing_penalty: weight of a penalty on gradients that vanish or explode from step to step, of plain recurrent units.
        schedule: how the learning rate changes: constant, or falling along half a cosine to `final_rate`.
        final_rate: the last learning rate, as a share of the first, for the cosine.
        warmup_steps: updates over which the learning rate grows from 0.
        clip: limit the gradient by its whole norm, by the size of each component, or not.
        clip_limit: the limit.
        curriculum_steps: updates over which the range of training lengths moves to the task's own; 0 for no curriculum.
        curriculum_min: shortest training length at the first update; none for the task's own.
        curriculum_max: longest training length at the first update; none for the task's own.
        curriculum_score: the longest training length grows by one whenever a validation, which then is of that length alone,
            has a last score at least as good as this; it begins with `curriculum_max`, or with the task's shortest. None for
            a curriculum by updates.
        validate_every: updates between two validations.
        validation_sequences: sequences of one validation.
        solved_score: a validation whose last score is at least as good as this counts as solved; none for the task's own goal.
        solved_validations: solved validations in a row after which the task is solved.
        stop_when_solved: end the training there (else go on to the last update).
        restarts: how often a training that got stuck may begin again with other weights.
        restart_after: updates after which a training is looked at for that.
        restart_score: the last score that its validation must have reached by then, or it counts as stuck; none for the
            task's own.
        teacher: what a network that feeds its own answers back is given in training: the true ones always, or with a
            probability that falls (scheduled sampling).
        teacher_steps: updates that set how slowly that probability falls.
        teacher_least: the probability below which it does not fall.
        accumulate: parts that the rows of one update are cut into, whose gradients are added up; saves memory.
        tbptt: truncated back-propagation: no gradient passes from one chunk of so many steps to the one before; none lets it
            pass through the whole sequence.
        carry: let each batch begin with the state that the last one ended with, as one endless stream a row.
        checkpoint_every: recompute in the backward pass, keeping the state of every so many steps only.
        save_every: updates between two checkpoints of the run; none saves after each validation.
        keep: how many of the last checkpoints are kept; that of the best validation is kept beside them.
        non_finite: what follows a loss or a gradient that is NaN or infinite: stop, skip that update, or roll back to the
            last checkpoint and go on from there with other data.
        non_finite_limit: so many updates skipped in a row, or so many returns in all, stop the training after all.
        precision: arithmetic of the network; "bf16" runs under autocast, with the state kept in float32.
        device: where to compute; "auto" takes an accelerator if there is one.
        threads: threads of the processor; none leaves torch's own choice.
        parallel: how several processes hold the network: "ddp" gives each the whole of it, "fsdp" a part of every parameter, of
            its gradient and of what the optimiser remembers.
        patience: seconds that a process waits for another before it takes it for dead.
        tracker: what is told the metrics beside the run folder; stays offline and writes into the run folder.
    """

    steps: Whole = 10_000
    batch_size: Whole = 16
    optimizer: Literal["adam", "adagrad", "rmsprop", "graves", "ridge"] = "adam"
    learning_rate: Rate = 1e-3
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    smoothing: Annotated[float, Field(gt=0, lt=1)] = 0.95
    ridge_penalty: Rate = 1e-6
    vanishing_penalty: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    final_rate: Annotated[float, Field(ge=0, le=1)] = 0.01
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    clip: Literal["norm", "value", "none"] = "norm"
    clip_limit: Rate = 10.0
    curriculum_steps: Annotated[int, Field(ge=0)] = 0
    curriculum_min: Whole | None = None
    curriculum_max: Whole | None = None
    curriculum_score: float | None = None
    validate_every: Whole = 250
    validation_sequences: Whole = 256
    solved_score: float | None = None
    solved_validations: Whole = 2
    stop_when_solved: bool = True
    restarts: Annotated[int, Field(ge=0)] = 0
    restart_after: Whole = 1_500
    restart_score: float | None = None
    teacher: Literal["always", "linear", "exponential", "inverse_sigmoid"] = "always"
    teacher_steps: Whole = 1_000
    teacher_least: Annotated[float, Field(ge=0, le=1)] = 0.0
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
                f"{name} is {getattr(self, name)}, but with a curriculum_score lengths grow by what is learned; leave one out"
            )
        if self.restarts and self.restart_after % self.validate_every:
            raise ValueError(
                f"restart_after {self.restart_after} is no multiple of validate_every {self.validate_every}, "
                "at which a training is looked at"
            )
        if self.accumulate > self.batch_size:
            raise ValueError(f"accumulate {self.accumulate} is above batch_size {self.batch_size}, the rows there are")
        if self.optimizer == "ridge":
            for name, unused in RIDGE_HAS_NO_USE_FOR.items():
                if (value := getattr(self, name)) != unused:
                    raise ValueError(
                        f"{name} is {value}, but the optimizer ridge solves on whole batches, without gradients"
                    )
        return self

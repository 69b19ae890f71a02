"""Proposals: configurations from optuna, with a journal that remains valid after a kill at any time."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from memtape.experiments.sweep.search_space import Choices, Range, Space, SpaceError, Value

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

NAME = "sweep"


class Proposals:
    """The configurations of a sweep, proposed one after another and answered with their values.

    A proposal is a function of the sampler's seed, its number and the answers so far, so that a killed sweep continues
    as if it had not been killed.

    Args:
        journal: optuna's journal file, created if it does not exist; no other process may write to it.
        space: the options to vary.
        seed: seed of the sampler.

    Raises:
        SpaceError: optuna is not installed, or the file is not a journal.
    """

    def __init__(self, journal: Path, space: Space, *, seed: int):
        try:
            import optuna
            from optuna.storages.journal import JournalFileBackend
        except ModuleNotFoundError:
            raise SpaceError(
                'a sweep over a space needs optuna, which is not installed; run pip install "memtape[sweep]"'
            ) from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        _mend(journal)
        self._optuna, self._seed = optuna, seed
        self._distributions = {name: _distribution(allowed) for name, allowed in space.options.items()}
        try:
            self._study = optuna.create_study(
                storage=optuna.storages.JournalStorage(JournalFileBackend(str(journal))),
                study_name=NAME,
                direction="minimize",
                load_if_exists=True,
            )
            self._drop_torn_trial()
        except Exception as error:  # optuna raises errors of many types for damaged journals
            raise SpaceError(
                f"{journal} is not the journal of this sweep ({type(error).__name__}); "
                "restore the file, or give --out another name"
            ) from error

    def __len__(self) -> int:
        return len(self._trials())

    def __getitem__(self, number: int) -> dict[str, Value]:
        """Return the proposed values."""
        return dict(self._trials()[number].params)

    def answered(self) -> int:
        """Return the number of answered proposals before the first unanswered one."""
        return sum(trial.state.is_finished() for trial in self._trials())

    def propose(self) -> None:
        """Add a proposal."""
        seeds = np.random.SeedSequence([self._seed, len(self)])
        self._study.sampler = self._optuna.samplers.TPESampler(seed=int(seeds.generate_state(1)[0]))
        self._study.ask(self._distributions)

    def answer(self, number: int, value: float) -> None:
        """Answer a proposal with its value; the search minimises the value."""
        self._study.tell(self._trials()[number].number, value)

    def _trials(self) -> list["FrozenTrial"]:
        failed = self._optuna.trial.TrialState.FAIL
        return [trial for trial in self._study.get_trials(deepcopy=False) if trial.state != failed]

    def _drop_torn_trial(self) -> None:
        """Mark a proposal as failed if a kill left it incomplete; the sampler ignores it."""
        for trial in self._trials():
            if trial.params.keys() != self._distributions.keys():
                self._study.tell(trial.number, state=self._optuna.trial.TrialState.FAIL)


def _mend(journal: Path) -> None:
    """Remove what a kill may have left: optuna's lock, and an incomplete last line, which it would reject."""
    journal.with_name(f"{journal.name}.lock").unlink(missing_ok=True)
    if journal.exists():
        with journal.open("r+b") as file:
            file.truncate(file.read().rfind(b"\n") + 1)


def _distribution(allowed: Choices | Range) -> "BaseDistribution":
    from optuna import distributions

    if isinstance(allowed, Choices):
        return distributions.CategoricalDistribution(allowed.values)
    if allowed.integer:
        return distributions.IntDistribution(int(allowed.low), int(allowed.high), log=allowed.log)
    return distributions.FloatDistribution(allowed.low, allowed.high, log=allowed.log)

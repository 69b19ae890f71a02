"""Expectation: the expected result of a training run according to the ledger, in one line."""

from memtape.catalog.registry import RECIPES
from memtape.experiments.experiment import Experiment
from memtape.experiments.ledger import Result, headlines, read_result
from memtape.experiments.reproduction import changed_options, data_of


def expectation(experiment: Experiment) -> str | None:
    """Return the ledger's result of an experiment's recipe in one line.

    Returns:
        The line, which states if the ledger's numbers are on other data. None if there are no numbers, or if options of
        the experiment differ from the recipe. If the recipe is reproduced with several values of an option, the numbers
        are those with the value of the experiment.
    """
    recipe = RECIPES.get(experiment.recipe) if experiment.recipe else None
    result = None if recipe is None else read_result(recipe.name)
    if result is not None and result.each is not None:
        result = result.with_value(experiment.options()[result.each])
    if recipe is None or result is None or not result.finished or changed_options(experiment, recipe):
        return None
    shown = f"`memtape results {recipe.model} {recipe.task}`"
    if data_of(experiment) != result.data:
        return f"the ledger has {recipe.name} on {result.data} data, which is not comparable; {shown}"
    return f"the ledger: {outcome(result, headlines(recipe, result.metrics))}, {duration(result)}; {shown}"


def outcome(result: Result, metrics: list[str]) -> str:
    """Return how many seeds of a result were solved, or their first metric if none was."""
    if result.solved or not metrics:
        return f"{result.solved} of {len(result.seeds)} seeds solved"
    spread = result.spread(metrics[0])
    return f"{metrics[0].replace('_', ' ')} {spread.median:.3g} (median of {len(result.finished)} seeds)"


def duration(result: Result) -> str:
    """Return how long a seed took, and on which machine."""
    minutes = result.minutes or 0.0
    time = f"{60 * minutes:.0f} s" if minutes < 2 else f"{minutes:.0f} min"
    return f"about {time} a seed on {result.machine}"

"""Generate: continue a prompt with the language model of a run."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from memtape.core import checks
from memtape.experiments.experiment import Experiment, ExperimentError, check_seed, first_line
from memtape.experiments.open_run import network_of_run, weights_of_run
from memtape.experiments.run_folder.folder import CONFIGURATION, Run, RunError
from memtape.inference.generation import generate


def generate_from_run(
    folder: Path,
    prompt: str,
    *,
    length: int,
    temperature: float,
    stop: str | None,
    seed: int,
    warn: Callable[[str], None] = warnings.warn,
) -> str:
    """Continue a prompt with the language model of a run, and return the generated text.

    The training data is not needed: the run folder contains the vocabulary.

    Args:
        folder: the run folder.
        prompt: the text to continue.
        length: maximal number of characters to generate.
        temperature: below 1 likely characters become more likely, 0 takes the most likely one.
        stop: the character at which generation stops; None for none.
        seed: seed of the random choices.
        warn: receives a sentence if the run is not finished, and its best weights so far are used.

    Raises:
        ExperimentError: no experiment can be built from the configuration, or an argument is invalid.
        PluginError: a plugin of the run is missing.
        RunError: the run does not exist, is damaged, or is not one of a language model.
    """
    run = Run.open_any(folder)
    experiment = Experiment.from_config(run.read(CONFIGURATION))
    vocabulary = run.vocabulary()
    if vocabulary is None or set(map(len, vocabulary)) != {1}:
        raise RunError(
            f"{folder} is a run of {experiment.model} on {experiment.task}, which does not generate characters; "
            "give one of a language model, such as that of `memtape train lstm char-lm`"
        )
    if not prompt:
        raise ExperimentError(
            "the prompt is empty, but a network generates after what it has read; give a character or more"
        )
    check_seed(seed)
    places = {character: place for place, character in enumerate(vocabulary)}
    for name, text in (("prompt", prompt), ("stop", stop or "")):
        for character in text:
            if character not in places:
                raise ExperimentError(
                    f"the {name} has the character {character!r}, which is not one of the {len(places)} in its vocabulary; "
                    "leave it out"
                )
    sizes = (len(places), len(places))
    weights, file = weights_of_run(run, warn)
    model: Any = network_of_run(experiment, sizes, weights, file).eval()
    symbols = torch.tensor([[places[character] for character in prompt]], dtype=torch.long)
    try:
        checks.at_least(1, length=length)
        predicted = generate(
            model,
            symbols,
            steps=length,
            temperature=temperature,
            stop=None if stop is None else places[stop],
            generator=torch.Generator().manual_seed(seed),
        )
    except (TypeError, ValueError) as error:
        raise ExperimentError(first_line(error)) from None
    return "".join(vocabulary[symbol] for symbol in predicted[0].tolist())

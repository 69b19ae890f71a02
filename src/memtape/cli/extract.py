"""`memtape extract`: the finite automaton that a trained network has learned."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from memtape.cli.errors import UsageError
from memtape.cli.terminal import print_visible

if TYPE_CHECKING:
    from memtape.automata import DFA

SUFFIXES = (".dot", ".png", ".svg")


def extract(
    run: Annotated[Path, Parameter(help="Run folder of a network that was trained on a language.")],
    /,
    *,
    method: Annotated[
        Literal["lstar", "clusters"], Parameter(help="L* asks about words; clusters are of hidden states.")
    ] = "lstar",
    longest: Annotated[
        int, Parameter(help="Largest length of words on which automaton and network are compared.")
    ] = 30,
    most_states: Annotated[int, Parameter(help="Number of states at which the search ends.")] = 64,
    cells: Annotated[
        int, Parameter(help="Number of cells of hidden states that L* also searches for a counterexample.")
    ] = 0,
    seed: Annotated[int, Parameter(help="Seed of the words.")] = 0,
    out: Annotated[Path | None, Parameter(help="File for the graph of the automaton: .png, .svg or .dot.")] = None,
) -> None:
    """Extract the finite automaton that a network has learned, and print its transitions.

    It also prints on which share of new words automaton and network agree, by length.
    """
    from memtape.automata import extract as extracted
    from memtape.cli.table import print_table
    from memtape.core.recurrent import Recurrent
    from memtape.experiments.experiment import first_line
    from memtape.experiments.open_run import open_run

    if out is not None and out.suffix not in SUFFIXES:
        raise UsageError(f"--out is {out}, but a graph is written as .png, .svg or .dot; give a file that ends in one")
    warn = partial(print_visible, error=True)
    _, experiment, network, task = open_run(run, warn=warn, on_other_data=warn)
    if task.around_words is None or task.vocabulary is None or not isinstance(network, Recurrent):
        raise UsageError(
            f"{run} is a run of {experiment.model} on {experiment.task}, from which no automaton is extracted; give one of a "
            "recurrent network on a language, such as that of `memtape train gru tomita --recipe gru/tomita`"
        )
    before, after = task.around_words
    try:
        found = extracted(
            network,
            task.vocabulary,
            before=before,
            after=after,
            method=method,
            longest=longest,
            most_states=most_states,
            cells=cells,
            seed=seed,
        )
    except (TypeError, ValueError) as error:
        raise UsageError(first_line(error)) from None
    dfa = found.dfa
    print_table(
        [
            {
                "state": state,
                **{symbol: dfa.transitions[state, symbol] for symbol in dfa.alphabet},
                "accepting": accepts,
            }
            for state, accepts in zip(dfa.states, dfa.accepts_at, strict=True)
        ]
    )
    print_visible("")
    print_table([{"length": length, "agreement": agreement} for length, agreement in found.agreement.items()])
    print_visible("")
    print_visible(f"{found.queries} words asked, {len(found.counterexamples)} counterexamples")
    if not found.complete:
        print_visible("the search ended early: the network computes no automaton with so few states")
    if out is not None:
        _write(dfa, out)
        print_visible(str(out))


def _write(dfa: "DFA", file: Path) -> None:
    from memtape.automata import dot
    from memtape.core.atomic_write import write_atomically
    from memtape.viz.saving import rendered

    content = dot(dfa).encode() if file.suffix == ".dot" else rendered(dfa.figure(), file.suffix[1:])
    write_atomically(file, content)

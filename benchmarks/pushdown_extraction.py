"""Pushdown extraction: what does a stack RNN that was trained on brackets store on its stack?

    memtape train stackrnn dyck --recipe stackrnn/dyck --out runs/brackets
    python benchmarks/pushdown_extraction.py runs/brackets

The run's network is observed on the prefixes of well-nested strings. The extracted automaton accepts a prefix if the network
predicts that a round bracket may close next. It prints the agreement with the network and the transitions of the automaton.
"""

import sys
from typing import cast

import memtape
from memtape.automata import extract_pda

STRINGS, LONGEST = 300, 20


def prefixes(task: memtape.Dyck) -> set[tuple[str, ...]]:
    """Return the prefixes of strings of the task."""
    batch = task.batch(0, STRINGS, split="test", lengths=(2, LONGEST))
    strings = zip(batch.inputs.tolist(), batch.lengths.tolist(), strict=True)
    words = [tuple(task.vocabulary[symbol] for symbol in row[:length]) for row, length in strings]
    return {word[:length] for word in words for length in range(1, len(word) + 1)}


def main() -> None:
    """Extract and print the automaton."""
    run = memtape.load(sys.argv[1])
    task, network = cast(memtape.Dyck, run.task), cast(memtape.StackRNN, run.model)
    closing = task.vocabulary.index(")")
    found = extract_pda(
        network, task.vocabulary, list(prefixes(task)), accepts=lambda outputs: outputs[..., closing] > 0
    )
    print(f"{found.states} clusters, {len(found.pda.states)} states, {len(found.pda.stack_alphabet)} stack symbols")
    print(f"agreement on {found.held_out} prefixes that were held out: {found.agreement:.1%}")
    for (state, symbol, top), move in sorted(found.pda.transitions.items(), key=str):
        action = "pop" if move.pop else "keep" if move.push is None else f"push {move.push}"
        print(f"{state} {symbol} {top or 'empty'} -> {move.state} {action}")


if __name__ == "__main__":
    main()

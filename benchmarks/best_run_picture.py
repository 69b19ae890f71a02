"""Best run picture: draw all runs of a nondeterministic stack on a palindrome, and the best one.

    python benchmarks/best_run_picture.py docs/images/best-run.png

The stack is that of a compiled grammar; nothing is trained.
"""

import sys
from dataclasses import replace
from pathlib import Path

from memtape.automata import compile, parse
from memtape.automata.compilers.acceptor import batch_of

PALINDROMES = """grammar
0.25 S -> a S A
0.25 S -> b S B
0.25 S -> a A
0.25 S -> b B
A -> a
B -> b
"""

WORD = "abbaabba"

if __name__ == "__main__":
    network = compile(parse(PALINDROMES)).network
    symbols, _ = batch_of([WORD], "ab")
    trace, run = network.trace(symbols), network.best_run(symbols)
    trace = replace(trace, views=(*trace.views, *run.views()))
    trace.figure(title=f"All runs on the palindrome {WORD}, and the best one").savefig(Path(sys.argv[1]))
    print(f"the best run has the weight {run.weight:.3g}, a share of {run.share:.0%} of that of all runs")

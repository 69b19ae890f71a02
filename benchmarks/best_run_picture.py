"""Best run picture: draw all runs of nondeterministic stacks on a palindrome and on an ambiguous sentence, and the best ones.

    python benchmarks/best_run_picture.py docs/images

It writes `best-run.png` and `best-parse.png`. The stacks are those of compiled grammars; nothing is trained.
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

SENTENCES = """grammar
0.6 S -> found O
0.4 S -> found O P
0.2 O -> man
0.2 O -> man P
0.2 O -> park
0.1 O -> park P
0.3 O -> telescope
0.5 P -> in O
0.5 P -> with O
"""

SENTENCE = "found man in park with telescope"

PICTURES = (
    ("best-run.png", PALINDROMES, "abbaabba", "All runs on the palindrome abbaabba, and the best one"),
    ("best-parse.png", SENTENCES, SENTENCE.split(), f"All runs on: {SENTENCE}"),
)

if __name__ == "__main__":
    for name, text, word, title in PICTURES:
        parser = compile(parse(text))
        symbols, _ = batch_of([word], parser.alphabet)
        done = len(parse(text).nonterminals)
        trace, run = parser.network.trace(symbols), parser.network.best_run(symbols, end=(done, 0))
        trace = replace(trace, views=(*trace.views, *run.views()))
        trace.figure(title=title).savefig(Path(sys.argv[1]) / name)
        print(f"{name}: the best run has the weight {run.weight:.3g}, a share of {run.share:.0%}; {run.operations}")

"""Graph text: an automaton in the language DOT, which programs such as Graphviz draw."""

from collections import defaultdict

from memtape.automata.definitions.dfa import DFA


def dot(dfa: DFA) -> str:
    """Return an automaton as a graph in DOT: accepting states have two circles, and symbols of the same edge share a label.

    Args:
        dfa: the automaton.
    """
    edges: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (state, symbol), after in dfa.transitions.items():
        edges[state, after].append(symbol)
    lines = ["digraph {", "  rankdir=LR;", '  "" [shape=point];', f'  "" -> {_quoted(dfa.start)};']
    for state in dfa.states:
        shape = "doublecircle" if state in dfa.accepting else "circle"
        lines.append(f"  {_quoted(state)} [shape={shape}];")
    lines += [
        f"  {_quoted(state)} -> {_quoted(after)} [label={_quoted(', '.join(symbols))}];"
        for (state, after), symbols in edges.items()
    ]
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

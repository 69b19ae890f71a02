from memtape.automata import DFA, dot


def test_an_automaton_is_written_as_a_graph():
    text = dot(DFA.from_table([[0, 1], [1, 1]], {0}, alphabet=('"', "b")))
    assert text.startswith("digraph {\n")
    assert '  "0" [shape=doublecircle];\n  "1" [shape=circle];\n' in text
    assert '  "0" -> "0" [label="\\""];' in text
    assert '  "1" -> "1" [label="\\", b"];' in text

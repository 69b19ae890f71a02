import random
from itertools import product

import pytest

from memtape.automata import DFA, AutomatonError, tomita


def random_dfa(seed, states=8, symbols="ab"):
    draw = random.Random(seed)
    table = [[draw.randrange(states) for _ in symbols] for _ in range(states)]
    return DFA.from_table(table, {state for state in range(states) if draw.random() < 0.5}, alphabet=symbols)


def words(alphabet, longest):
    return [word for length in range(longest + 1) for word in product(alphabet, repeat=length)]


PROPERTIES = {
    1: lambda word: "0" not in word,
    2: lambda word: word == "10" * (len(word) // 2),
    4: lambda word: "000" not in word,
    5: lambda word: word.count("0") % 2 == 0 and word.count("1") % 2 == 0,
    6: lambda word: (word.count("0") - word.count("1")) % 3 == 0,
    7: lambda word: "10" not in word or "10" not in word[word.index("10") + 1 :],
}


@pytest.mark.parametrize("number", PROPERTIES)
def test_the_tables_of_tomita_accept_the_words_of_the_definition(number):
    dfa = tomita(number)
    for word in map("".join, words("01", 10)):
        assert dfa.accepts(word) == PROPERTIES[number](word), word


@pytest.mark.parametrize(
    ("later", "counts"),
    [(True, [1, 2, 3, 6, 10, 18, 31, 54, 93, 160, 274]), (False, [1, 2, 3, 6, 10, 18, 32, 56, 100, 176, 312])],
)
def test_both_readings_of_language_3_have_the_published_numbers_of_words(later, counts):
    assert [tomita(3, later=later).count(length) for length in range(11)] == counts


def test_the_readings_of_language_3_differ_first_at_100110():
    assert "".join(tomita(3).difference(tomita(3, later=False))) == "100110"
    assert tomita(3, later=False).accepts("100110")


@pytest.mark.parametrize(
    ("number", "counts"),
    [
        (4, [1, 2, 4, 7, 13, 24, 44, 81, 149, 274, 504]),
        (5, [1, 0, 2, 0, 8, 0, 32, 0, 128, 0, 512]),
        (6, [1, 0, 2, 2, 6, 10, 22, 42, 86, 170, 342]),
        (7, [1, 2, 4, 8, 15, 26, 42, 64, 93, 130, 176]),
    ],
)
def test_the_number_of_accepted_words_by_length(number, counts):
    assert [tomita(number).count(length) for length in range(11)] == counts
    assert [len(list(tomita(number).words(length))) for length in range(11)] == counts


def test_the_sizes_of_the_minimal_automata():
    assert [len(tomita(number).minimise().states) for number in range(1, 8)] == [2, 3, 5, 4, 4, 3, 5]


@pytest.mark.parametrize("seed", range(20))
def test_minimising_keeps_the_language_and_leaves_no_two_equal_states(seed):
    dfa = random_dfa(seed)
    least = dfa.minimise()
    assert all(dfa.accepts(word) == least.accepts(word) for word in words("ab", 7))
    for one, other in product(least.states, repeat=2):
        if one != other:
            moved = [
                DFA(alphabet="ab", transitions=least.transitions, start=s, accepting=least.accepting)
                for s in (one, other)
            ]
            assert not moved[0].equivalent(moved[1])


@pytest.mark.parametrize("seed", range(10))
def test_the_difference_is_a_shortest_word_that_one_of_the_two_accepts(seed):
    first, second = random_dfa(seed), random_dfa(seed + 100)
    found = first.difference(second)
    differing = [word for word in words("ab", 7) if first.accepts(word) != second.accepts(word)]
    assert found == differing[0] if found is None or differing else len(found) > 7
    assert first.equivalent(first.minimise())


def test_minimal_automata_of_equal_languages_are_equal():
    dfa = random_dfa(3)
    names = {state: f"q{len(dfa.states) - number}" for number, state in enumerate(dfa.states)}
    renamed = DFA(
        alphabet="ab",
        transitions={(names[state], symbol): names[after] for (state, symbol), after in dfa.transitions.items()},
        start=names[dfa.start],
        accepting={names[state] for state in dfa.accepting},
    )
    assert renamed != dfa
    assert renamed.minimise() == dfa.minimise()


def test_the_complement_accepts_the_other_words():
    dfa = random_dfa(5)
    assert all(dfa.accepts(word) != dfa.complement().accepts(word) for word in words("ab", 6))


def test_samples_are_accepted_and_uniform():
    dfa = tomita(4)
    drawn = dfa.sample(4, 1300, seed=1)
    assert all(dfa.accepts(word) for word in drawn)
    counts = [drawn.count(word) for word in dfa.words(4)]
    assert len(counts) == 13
    assert min(counts) > 65
    assert max(counts) < 140
    assert dfa.sample(4, 5, seed=1) == drawn[:5]


def test_a_run_returns_the_states_after_each_symbol():
    assert tomita(4).run("0010") == ("1", "2", "0", "1")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alphabet": ()}, r"the alphabet is empty, .* list one or more"),
        ({"alphabet": ("a", "a")}, r"the symbol 'a' twice, but symbols differ; leave one out"),
        ({"alphabet": ("a", "b c")}, r"the symbol 'b c', but a symbol is a text without spaces"),
        ({"alphabet": ("a",)}, r"state p has a transition for 'b', but the alphabet is a; add the symbol"),
        ({"start": "r"}, r"the start is 'r', but no transition starts there; add its transitions or correct its name"),
        ({"accepting": {"r"}}, r"the accepting states contain 'r', but no transition starts there"),
        (
            {"transitions": {("p", "a"): "p", ("p", "b"): "r"}},
            r"a transition leads to 'r', but no transition starts there",
        ),
        (
            {"transitions": {("p", "a"): "p"}},
            r"state p has no transition for 'b', but a DFA has one for every symbol; add it",
        ),
    ],
)
def test_a_malformed_automaton_is_refused(change, message):
    arguments = {"alphabet": "ab", "transitions": {("p", "a"): "p", ("p", "b"): "p"}, "start": "p", "accepting": {"p"}}
    with pytest.raises(AutomatonError, match=message):
        DFA(**{**arguments, **change})


def test_bad_arguments_are_refused():
    with pytest.raises(
        AutomatonError, match=r"the word has the symbol '2' at position 1, but the alphabet is 0 1; give a word"
    ):
        tomita(1).accepts("12")
    with pytest.raises(AutomatonError, match=r"the alphabets are 0 1 and a b, but only automata over the same symbols"):
        tomita(1).difference(random_dfa(0))
    with pytest.raises(
        AutomatonError, match=r"length is 3, but no word of this length is accepted; give another length"
    ):
        tomita(2).sample(3, 1)
    with pytest.raises(AutomatonError, match=r"row 1 of the table has 1 entries, but the alphabet has 2 symbols"):
        DFA.from_table([[0, 1], [0]], {0})
    with pytest.raises(ValueError, match=r"length is -1, but it must be at least 0"):
        tomita(1).count(-1)
    with pytest.raises(ValueError, match=r"number is 8, but Tomita's languages are 1 to 7; choose one of them"):
        tomita(8)
    with pytest.raises(
        ValueError, match=r"later is False, but only language 3 has two readings, not language 4; leave it out"
    ):
        tomita(4, later=False)

import random
from itertools import product

import pytest
import torch

from memtape import NSRNN
from memtape.automata import AutomatonError, Grammar, Rule, compile, extract, parse

CATALAN = parse("grammar\nS -> a S S\nS -> a")
PALINDROMES = parse("grammar\nS -> a S a\nS -> b S b\nS -> a a\nS -> b b")
DYCK = parse("grammar\nD -> ( D A\nD -> ( A\nA -> ) D\nA -> )\nD -> [ D B\nD -> [ B\nB -> ] D\nB -> ]")


def random_grammar(seed, *, nonterminals="SABCD", alphabet="ab"):
    """Return a grammar in normal form with weights in (0, 1.5), and a rule of weight 0."""
    draw = random.Random(seed)
    rules = {(left, (symbol,)): draw.random() for left in nonterminals for symbol in alphabet if draw.random() < 0.8}
    for _ in range(20):
        tail = [draw.choice(nonterminals) for _ in range(draw.randint(1, 2))]
        rules[draw.choice(nonterminals), (draw.choice(alphabet), *tail)] = 1.5 * draw.random()
    rules["S", ("c", "S")] = 0.0
    rules |= {(left, (alphabet[0],)): draw.random() for left in nonterminals}
    return Grammar(rules=[Rule(left=left, right=right, weight=weight) for (left, right), weight in rules.items()])


def words_to(length, alphabet):
    return ["".join(word) for size in range(length + 1) for word in product(alphabet, repeat=size)]


def logits_of(parser):
    return parser.network.cell.machine.interface.head_parameters.linear.weight


def test_the_weights_of_prefixes_are_the_catalan_numbers_exactly_in_both_dtypes():
    for dtype in (torch.float32, torch.float64):
        parser = compile(CATALAN, into="nsrnn")
        assert isinstance(parser.network, NSRNN)
        parser.network.to(dtype)
        assert parser.weights(["a" * 13]).tolist() == [[1, 0, 1, 0, 2, 0, 5, 0, 14, 0, 42, 0, 132]]
    assert parser.certificate.exact_in == {"float32": 2**24, "float64": 2**53}


def test_probabilities_give_the_published_inside_probabilities():
    parser = compile(parse("grammar\n0.4 S -> a S S\n0.6 S -> a"))
    expected = [0.6, 0.144, 0.06912, 0.041472, 0.027869184]
    assert parser.weights(["a" * 9])[0, ::2].tolist() == pytest.approx(expected, rel=1e-14)
    assert parser.log_weights(["a" * 9])[0, ::2].exp().tolist() == pytest.approx(expected, rel=1e-14)
    assert not parser.certificate.exact_in


def test_all_palindromes_of_up_to_eight_symbols_are_accepted_and_no_other_words():
    parser, words = compile(PALINDROMES), ["".join(word) for word in product("ab", repeat=8)]
    with torch.no_grad():
        weights = parser.weights(words).tolist()
    for word, row in zip(words, weights, strict=True):
        starts = [word[:length] for length in range(1, 9)]
        assert row == [len(start) % 2 == 0 and start == start[::-1] for start in starts], word
    assert not parser.accepts([""])[0]
    stack = parser.network.cell.machine.memory
    assert (stack.states, stack.symbols) == (4, 3)


def test_words_of_two_kinds_of_brackets_have_one_parse_or_none():
    draw, parser = random.Random(0), compile(DYCK)

    def balanced(word):
        while "()" in word or "[]" in word:
            word = word.replace("()", "").replace("[]", "")
        return not word

    longer = ["".join(draw.choice(["()", "[]", "(", ")"]) for _ in range(6)) for _ in range(40)]
    for words in (words_to(4, "()[]"), [word + ")" * (word.count("(") - word.count(")")) for word in longer]):
        expected = [len(word) > 0 and balanced(word) for word in words]
        assert 9 < sum(expected) < len(words) - 9
        with torch.no_grad():
            assert parser.weights(words)[:, -1].tolist() == [float(one) for one in expected]
        assert parser.accepts(words) == expected


@pytest.mark.parametrize("seed", range(4))
def test_random_grammars_have_the_inside_weights_of_dynamic_programming(seed):
    grammar, draw = random_grammar(seed), random.Random(seed)
    parser = compile(grammar)
    words = ["".join(draw.choice("ab") for _ in range(12)) for _ in range(3)] + ["abacaba"]
    expected = torch.tensor(
        [[grammar.weight(word[: place + 1]) for place in range(12)] for word in words], dtype=torch.float64
    )
    assert (expected > 0).double().mean() > 0.5
    torch.testing.assert_close(parser.weights(words), expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(parser.log_weights(words), expected.log(), rtol=0, atol=1e-12)


def test_a_shorter_word_in_a_batch_keeps_its_weight_and_the_empty_word_has_none():
    assert compile(CATALAN).weights(["aaaaa", "aaa", "a", ""]).tolist() == [
        [1, 0, 1, 0, 2],
        [1, 0, 1, 1, 1],
        [1, 1, 1, 1, 1],
        [0, 0, 0, 0, 0],
    ]


def test_terminals_inside_of_right_sides_keep_their_numbers():
    """In the normal form c appears before b."""
    parser = compile(parse("grammar\nS -> a S b\nS -> c"))
    assert parser.alphabet == ("a", "b", "c")
    assert parser.accepts(["aacbb", "acb", "c", "abc", "aacb"]) == [True, True, True, False, False]


def test_logarithms_of_weights_beyond_the_range_of_floats_are_right():
    grammar = parse("grammar\n1e-200 S -> a S\n1e-200 S -> a")
    log_weights = compile(grammar).log_weights(["a" * 9])[0]
    torch.testing.assert_close(log_weights, torch.arange(1, 10) * torch.tensor(1e-200, dtype=torch.float64).log())


def test_the_gradient_of_a_log_weight_is_the_number_of_uses_of_each_rule():
    """Every parse of nine symbols uses S -> a S S four times and S -> a five times."""
    parser = compile(CATALAN)
    parser.log_weights(["a" * 9])[0, -1].backward()
    push, replace, pop = logits_of(parser).grad[:, 0].split([16, 16, 8])
    assert push.sum().item() == pytest.approx(4)
    assert (replace.sum() + pop.sum()).item() == pytest.approx(5)
    assert replace.sum().item() == pytest.approx(1)


def test_gradients_of_log_weights_equal_finite_differences():
    parser, words, step = compile(random_grammar(1)), ["abbabb", "baab"], 1e-5
    logits = logits_of(parser)

    def total():
        log_weights = parser.log_weights(words)
        return log_weights[log_weights.isfinite()].sum()

    total().backward()
    places = torch.nonzero(logits.detach() > -500)
    for place in map(tuple, places[:: len(places) // 12].tolist()):
        found = []
        with torch.no_grad():
            for change in (step, -2 * step):
                logits[place] += change
                found.append(total().item())
            logits[place] += step
        assert logits.grad[place].item() == pytest.approx((found[0] - found[1]) / (2 * step), abs=1e-8), place


def test_the_network_itself_accepts_so_that_its_automaton_can_be_extracted():
    parser = compile(parse("grammar\nS -> a S\nS -> b S\nS -> b"))
    assert len(extract(parser.network, parser.alphabet, empty=False, longest=6, held_out=(5,)).dfa.states) == 2


def test_grammars_without_the_normal_form_and_unknown_symbols_are_refused():
    with pytest.raises(AutomatonError, match=r"the rule S -> a S S S has 3 symbols after the first, but .*; rewrite"):
        compile(parse("grammar\nS -> a S S S\nS -> a"))
    with pytest.raises(AutomatonError, match="starts with the nonterminal S"):
        compile(parse("grammar\nS -> S a\nS -> a"))
    with pytest.raises(AutomatonError, match="'b'"):
        compile(CATALAN).weights(["ab"])

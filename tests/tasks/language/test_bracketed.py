"""Bracketed trees in files, and the messages for invalid text."""

import pytest
import torch

from memtape.core.inputs.trees import checked
from memtape.tasks.language.bracketed import BracketedError, parse_bracketed, read_bracketed
from memtape.tasks.language.labelled_trees import labelled_trees, vocabulary_of

FUN = "(3 (2 It) (4 (2 's) (4 fun)))"


def test_a_tree_is_read_in_postorder():
    tree = parse_bracketed(FUN)
    assert tree.words == ["It", "'s", "fun", None, None]
    assert tree.children == [None, None, None, (1, 2), (0, 3)]
    assert tree.labels == [2, 2, 4, 4, 3]


def test_a_word_may_be_a_tree_and_spaces_do_not_matter():
    assert parse_bracketed("(0 x)").words == ["x"]
    assert parse_bracketed(" ( 3(2 It )( 4\t(2 's) (4 fun) ) )\r") == parse_bracketed(FUN)


def test_a_word_may_contain_a_non_ascii_space():
    assert parse_bracketed("(2 8\u00a01/2)").words == ["8\u00a01/2"]


def test_a_file_has_a_tree_on_each_line_that_is_not_empty(tmp_path):
    path = tmp_path / "trees.txt"
    path.write_text(f"{FUN}\n\n(1 caf\u00e9)\n", encoding="utf-8")
    trees = read_bracketed(path)
    assert [len(tree.labels) for tree in trees] == [5, 1]
    assert trees[1].words == ["caf\u00e9"]


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("(3 (2 It) (4 fun)", 1, r"this bracket is never closed; close it with \)"),
        ("(3 (2 It) (4 fun)))", 19, r"'\)' follows the end of the tree; give one tree per line"),
        ("(2 a) (2 b)", 7, r"'\(' follows the end of the tree; give one tree per line"),
        (") (2 a)", 1, r"'\)' is outside of brackets; start a tree with \("),
        ("word", 1, r"'word' is outside of brackets; start a tree with \("),
        ("()", 2, r"the class of the node is missing; write one of 0\.\.4 after its bracket"),
        ("((2 a) (2 b))", 2, r"the class of the node is missing; write one of 0\.\.4 after its bracket"),
        ("(It)", 2, r"the class of a node is 'It', but it must be one of 0\.\.4; write it after its bracket"),
        ("(3 (5 It) (4 fun))", 5, r"the class of a node is '5', but it must be one of 0\.\.4; write it"),
        ("(3 (2 a) (2 b) (2 c))", 16, "a node has a third child, but trees are binary; split the node in two"),
        ("(3 (2 a))", 1, "this node has one child, but trees are binary; give it a word, or two nodes"),
        ("(3 (2) (2 b))", 4, "this node has neither a word nor children, but trees are binary; give it a word"),
        ("(3 a b)", 6, "the word 'b' is not alone in its node; give it its own node"),
        ("(3 (2 a) b)", 10, "the word 'b' is not alone in its node; give it its own node"),
        ("(3 a (2 b))", 6, "a node follows a word in the same node; give the word its own node"),
        ("", 1, "there is no tree; give one"),
    ],
)
def test_an_invalid_tree_is_reported_with_its_column(text, column, message):
    with pytest.raises(BracketedError, match=f"line 1, column {column}: {message}"):
        parse_bracketed(text)


def test_an_error_in_a_file_is_reported_with_its_line(tmp_path):
    path = tmp_path / "trees.txt"
    path.write_text(f"{FUN}\n\n(1 (2 a)\n")
    with pytest.raises(BracketedError, match=r"trees\.txt, line 3, column 1: this bracket is never closed; close it"):
        read_bracketed(path)


def test_the_number_of_classes_is_an_option():
    assert parse_bracketed("(1 x)", classes=2).labels == [1]
    with pytest.raises(BracketedError, match=r"the class of a node is '2', but it must be one of 0\.\.1"):
        parse_bracketed("(2 x)", classes=2)


def test_files_without_trees_are_refused(tmp_path):
    path = tmp_path / "trees.txt"
    path.write_text("\n \n")
    with pytest.raises(BracketedError, match=r"trees\.txt has no trees, but needs at least one; give a file with"):
        read_bracketed(path)
    path.write_bytes(b"(2 caf\xe9)\n")
    with pytest.raises(BracketedError, match=r"trees\.txt is not UTF-8 at byte 6; convert it to UTF-8"):
        read_bracketed(path)


def test_frequent_words_have_small_numbers_and_rare_ones_none():
    trees = [parse_bracketed(text) for text in (FUN, "(3 (2 It) (4 is))", "(3 (2 It) (2 's))")]
    assert vocabulary_of(trees) == {"It": 1, "'s": 2, "fun": 3, "is": 4}
    assert vocabulary_of(trees, least=2) == {"It": 1, "'s": 2}


def test_parsed_trees_become_tables():
    trees = [parse_bracketed(text) for text in (FUN, "(1 word)")]
    data = labelled_trees(trees, {"It": 1, "fun": 2})
    assert data.trees.words.tolist() == [[1, 0, 2, -1, -1], [0, -1, -1, -1, -1]]
    none = [-1, -1]
    assert data.trees.children.tolist() == [[none, none, none, [1, 2], [0, 3]], [none] * 5]
    assert data.labels.tolist() == [[2, 2, 4, 4, 3], [1, -1, -1, -1, -1]]
    assert checked(data.trees, data.lengths).tolist() == [5, 1]
    assert labelled_trees([], {}).labels.shape == (0, 0)


def test_rows_have_no_more_padding_than_needed():
    data = labelled_trees([parse_bracketed(text) for text in (FUN, "(1 word)", "(3 (2 It) (4 is))")], {"It": 1})
    some = data.take(torch.tensor([2, 1]))
    assert some.trees.words.tolist() == [[1, 0, -1], [0, -1, -1]]
    assert some.labels.tolist() == [[2, 4, 3], [1, -1, -1]]
    assert some.lengths.tolist() == [3, 1]
    assert data.take(torch.tensor([], dtype=torch.long)).labels.shape == (0, 0)


def test_a_file_of_another_system_is_the_same(tmp_path, written_elsewhere):
    path = tmp_path / "trees.txt"
    path.write_text(f"{FUN}\n\n(1 caf\u00e9)\n", encoding="utf-8")
    expected = read_bracketed(path)
    written_elsewhere(tmp_path)
    assert read_bracketed(path) == expected
    path.write_bytes("(1 it)".encode("utf-16"))
    with pytest.raises(BracketedError, match=r"trees\.txt is UTF-16 by its byte order mark, not UTF-8; convert it to"):
        read_bracketed(path)

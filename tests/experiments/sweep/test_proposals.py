"""Proposals: they are the same after a kill, whatever it left behind."""

import json
import math
import sys
import time

import pytest

from memtape.experiments.sweep.proposals import Proposals
from memtape.experiments.sweep.search_space import Choices, Range, Space, SpaceError

SPACE = Space(
    trials=14,
    options={
        "train.learning_rate": Range(low=1e-4, high=1e-1, log=True, integer=False),
        "model.slots": Range(low=4, high=9, log=False, integer=True),
        "model.controller": Choices(values=("lstm", "gru")),
    },
)


def value(values):
    return math.inf if values["model.controller"] == "gru" else values["model.slots"] + values["train.learning_rate"]


def uninterrupted(tmp_path, *, seed=0, trials=14):
    """Return the proposals of an uninterrupted search."""
    proposals = Proposals(tmp_path / "journal.jsonl", SPACE, seed=seed)
    for number in range(trials):
        proposals.propose()
        proposals.answer(number, value(proposals[number]))
    return [proposals[number] for number in range(trials)]


def test_proposals_lie_in_the_space(tmp_path):
    for values in uninterrupted(tmp_path):
        assert values.keys() == SPACE.options.keys()
        assert 1e-4 <= values["train.learning_rate"] <= 1e-1
        assert type(values["model.slots"]) is int
        assert 4 <= values["model.slots"] <= 9
        assert values["model.controller"] in ("lstm", "gru")


@pytest.mark.parametrize("integers", [True, False])
def test_a_logarithmic_range_is_even_over_the_logarithm(tmp_path, integers):
    low, high = (1, 10_000) if integers else (1.0, 10_000.0)
    wide = Space(trials=10, options={"train.steps": Range(low=low, high=high, log=True, integer=integers)})
    proposals = Proposals(tmp_path / "journal.jsonl", wide, seed=0)
    for number in range(10):
        proposals.propose()
        proposals.answer(number, 1.0)
    assert 3 <= sum(proposals[number]["train.steps"] < 100 for number in range(10)) <= 7


def test_the_sampler_s_seed_determines_the_proposals(tmp_path):
    (tmp_path / "again").mkdir()
    (tmp_path / "other").mkdir()
    first = uninterrupted(tmp_path)
    assert first == uninterrupted(tmp_path / "again")
    assert first[0] != uninterrupted(tmp_path / "other", seed=1, trials=1)[0]
    assert len({str(values) for values in first}) == 14


def test_results_change_later_proposals(tmp_path):
    proposals = Proposals(tmp_path / "journal.jsonl", SPACE, seed=0)
    for number in range(14):
        proposals.propose()
        proposals.answer(number, -value(proposals[number]))
    (tmp_path / "other").mkdir()
    assert [proposals[number] for number in range(14)] != uninterrupted(tmp_path / "other")


def test_every_truncation_of_the_journal_gives_the_same_proposals(tmp_path):
    expected = uninterrupted(tmp_path)
    journal = (tmp_path / "journal.jsonl").read_bytes()
    lines = journal.splitlines(keepends=True)
    for number in (0, 1, 3, len(lines) - 3, len(lines) - 2, len(lines) - 1):
        file = tmp_path / f"cut{number}.jsonl"
        file.write_bytes(b"".join(lines[:number]) + lines[number][: len(lines[number]) // 2])
        file.with_name(f"{file.name}.lock").symlink_to(file)
        before = time.monotonic()
        proposals = Proposals(file, SPACE, seed=0)
        assert time.monotonic() - before < 20  # optuna alone waits half a minute for an abandoned lock
        while (first := proposals.answered()) < 14:
            if len(proposals) == first:
                proposals.propose()
            proposals.answer(first, value(proposals[first]))
        assert [proposals[number] for number in range(14)] == expected


def test_a_proposal_without_a_result_is_kept(tmp_path):
    proposals = Proposals(tmp_path / "journal.jsonl", SPACE, seed=0)
    proposals.propose()
    proposals.propose()
    proposals.answer(0, 1.0)
    again = Proposals(tmp_path / "journal.jsonl", SPACE, seed=0)
    assert (len(again), again.answered()) == (2, 1)
    assert again[1] == proposals[1]


def test_the_journal_is_json(tmp_path):
    uninterrupted(tmp_path, trials=3)
    assert all(json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines())


@pytest.mark.parametrize(
    "line", ["[]", "{}", "[" * 100_000, '{"op_code": 77, "worker_id": "x"}'], ids=lambda line: line[:3]
)
def test_an_invalid_journal_is_refused(tmp_path, line):
    journal = tmp_path / "journal.jsonl"
    journal.write_text(f"{line}\n")
    with pytest.raises(SpaceError, match=r"journal\.jsonl is not the journal of this sweep \(\w+\); restore the file"):
        Proposals(journal, SPACE, seed=0)


def test_without_optuna_the_message_tells_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SpaceError, match=r'needs optuna, which is not installed; run pip install "memtape\[sweep\]"'):
        Proposals(tmp_path / "journal.jsonl", SPACE, seed=0)

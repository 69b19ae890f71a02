"""Agreement: new seeds agree with the ledger if their medians and their share of solved seeds lie in the ledger's
ranges.
"""

from dataclasses import replace

import pytest

from memtape.core.score import Score
from memtape.experiments.agreement import agreement, allowed
from memtape.experiments.ledger import Result, results
from memtape.experiments.reproduction import experiment_of

COST = Score(name="cost", label="cost", short="cost")
RIGHT = Score(name="right", label="right", short="right", higher_is_better=True)
SCORED = (COST, RIGHT)


def result(*seeds, solved=None):
    solved = len(seeds) if solved is None else solved
    return Result(
        recipe="ntm/copy",
        model="ntm",
        task="copy",
        command="",
        commit=None,
        hardware="",
        environment={},
        seeds=[
            {"seed": n, "solved": n < solved, "seconds": 1.0, "metrics": metrics}
            if metrics
            else {"seed": n, "solved": False}
            for n, metrics in enumerate(seeds)
        ],
    )


def costs(*values, name="validation_cost"):
    return [{name: value} for value in values]


@pytest.mark.parametrize(
    ("values", "name", "expected"),
    [
        ((1.0, 2.0, 4.0), "validation_cost", (1.0 - 3.0, 4.0 + 3.0)),  # the range
        ((10.0, 10.0, 10.1), "validation_cost", (10.0 - 1.0, 10.1 + 1.0)),  # a tenth of the median
        ((0.5, 0.51), "right_test", (0.45, 0.56)),  # shares
    ],
)
def test_the_range_of_the_ledger_is_widened(values, name, expected):
    assert allowed(result(*costs(*values, name=name)), name, SCORED) == pytest.approx(expected)


def test_zero_is_widened_by_a_twentieth_of_the_largest_median_at_any_length():
    ledger = result({"cost_10": 0.0, "cost_50": 20.0})
    assert allowed(ledger, "cost_10", SCORED) == (-1.0, 1.0)


def test_medians_in_the_allowed_range_agree_and_others_do_not():
    ledger = result(*costs(1.0, 2.0, 4.0))
    assert agreement(ledger, result(*costs(6.9, 6.9, 90.0)), scored=SCORED, longest=20).agrees
    judged = agreement(ledger, result(*costs(7.1, 7.1, 1.0)), scored=SCORED, longest=20)
    assert not judged.agrees
    assert [one.metric for one in judged.disagreements] == ["validation_cost"]
    assert judged.comparisons[0].new == 7.1


def test_lengths_beyond_those_of_training_are_not_compared():
    ledger = result({"cost_20": 1.0, "cost_21": 1.0})
    judged = agreement(ledger, result({"cost_20": 1.0, "cost_21": 99.0}), scored=SCORED, longest=20)
    assert judged.agrees
    assert [one.judged for one in judged.comparisons] == [True, False]
    assert not agreement(ledger, result({"cost_20": 99.0, "cost_21": 1.0}), scored=SCORED, longest=20).agrees


def test_shares_of_solved_seeds_must_have_intervals_that_overlap():
    ledger = result(*costs(*[1.0] * 10), solved=10)
    apart = agreement(ledger, result(*costs(*[1.0] * 10), solved=2), scored=SCORED, longest=20)
    assert not apart.shares_overlap
    assert not apart.agrees
    assert agreement(ledger, result(*costs(*[1.0] * 10), solved=7), scored=SCORED, longest=20).agrees
    assert agreement(ledger, result(*costs(1.0), solved=0), scored=SCORED, longest=20).agrees


def test_seeds_without_a_finished_run_do_not_agree():
    assert not agreement(result(*costs(1.0, 2.0, 3.0)), result(None, None), scored=SCORED, longest=20).agrees


def test_a_seed_of_the_ledger_agrees_with_the_others_nine_times_of_ten():
    outcomes = []
    for recipe, known in results():
        seeds = {row["seed"] for row in known.seeds}
        if recipe.model not in ("ntm", "dnc", "lstm", "gru") or len(seeds) < 3:
            continue
        task = experiment_of(recipe).build_task()
        for seed in seeds:
            others = replace(known, seeds=[row for row in known.seeds if row["seed"] != seed])
            alone = replace(known, seeds=[row for row in known.seeds if row["seed"] == seed])
            outcomes.append(agreement(others, alone, scored=task.scored, longest=task.lengths[1]).agrees)
    assert len(outcomes) > 100
    assert 0.8 < sum(outcomes) / len(outcomes) < 0.95

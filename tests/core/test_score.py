"""Scores have a direction: higher or lower is better."""

import pytest

from memtape.core.score import Score

ERRORS = Score(name="errors", label="errors", short="errors")
ACCURACY = Score(name="accuracy", label="accuracy", short="right", higher_is_better=True)


@pytest.mark.parametrize(
    ("score", "value", "goal", "reached"),
    [
        (ERRORS, 0.1, 0.2, True),
        (ERRORS, 0.2, 0.2, True),
        (ERRORS, 0.3, 0.2, False),
        (ACCURACY, 0.1, 0.2, False),
        (ACCURACY, 0.2, 0.2, True),
        (ACCURACY, 0.3, 0.2, True),
    ],
)
def test_a_goal_is_reached_from_the_worse_side(score, value, goal, reached):
    assert score.reaches(value, goal) is reached


def test_less_cost_is_better_whatever_the_score():
    assert min([0.1, 0.9, 0.5], key=ERRORS.cost) == 0.1
    assert min([0.1, 0.9, 0.5], key=ACCURACY.cost) == 0.9

"""Which facts a hop prefers, by the letter, and the loss of the hop."""

import pytest
import torch

from memtape.models.memory_network.preference import preference, preference_loss, winner

ROWS, FACTS, WIDTH, MARGIN = 60, 6, 3, 0.4
END = FACTS - 1


@pytest.fixture(params=[True, False], ids=["with stop", "without stop"])
def given(request):
    """Facts of stories of 0 to 5 sentences, and the fact that was found last in each."""
    torch.manual_seed(1)
    vectors = torch.randn(ROWS, FACTS, WIDTH, dtype=torch.float64)
    asked, times = torch.randn(ROWS, WIDTH, dtype=torch.float64), torch.randn(3, WIDTH, dtype=torch.float64)
    counts = torch.arange(ROWS) % FACTS
    present = torch.arange(FACTS) < counts[:, None]
    present[:, END] = request.param
    last = torch.where(torch.rand(ROWS) < 0.3, END, (torch.rand(ROWS) * counts).long())
    last[counts == 0] = END
    return asked, vectors, times, last, present


def prefers(given, row, y, other):
    """Return s(x, y, y'), where the brackets with a fact without time are 0."""
    asked, vectors, times, last, _ = given
    x = int(last[row])
    value = vectors[row, y] - vectors[row, other]
    for (older, newer), time in zip(((x, y), (x, other), (y, other)), times, strict=True):
        value = value + (older < newer < END) * time
    return float(asked[row] @ value)


def compared(given):
    asked, vectors, times, last, present = given
    return preference(asked, vectors, times, last=last, present=present)


def test_the_winner_is_that_of_a_pass_from_the_newest_fact(given):
    found = winner(compared(given))
    for row in range(ROWS):
        facts = [fact for fact in reversed(range(END)) if given[4][row, fact]]
        best = facts[0] if facts else END
        for fact in facts[1:]:
            best = fact if prefers(given, row, fact, best) > 0 else best
        if given[4][row, END] and prefers(given, row, END, best) > 0:
            best = END
        assert int(found[row]) == best
    assert set(found.tolist()) == set(range(FACTS))


@pytest.mark.parametrize("both", [True, False])
def test_the_loss_is_the_sum_over_all_other_facts(given, both):
    labels = torch.where(given[4][:, END], torch.arange(ROWS) // FACTS % FACTS, 0)
    labels = torch.where(given[4].gather(1, labels[:, None])[:, 0], labels, END)
    losses = preference_loss(compared(given), labels, MARGIN, both=both)
    for row, f in enumerate(labels.tolist()):
        others = [fact for fact in range(FACTS) if given[4][row, fact] and fact != f]
        expected = sum(max(0.0, MARGIN - prefers(given, row, f, other)) for other in others)
        if both:
            expected += sum(max(0.0, MARGIN + prefers(given, row, other, f)) for other in others)
        assert float(losses[row]) == pytest.approx(expected, rel=1e-9)


def test_without_times_the_winner_has_the_highest_score(given):
    asked, vectors, _, last, present = given
    scores = torch.where(present, (vectors @ asked[:, :, None])[:, :, 0], -torch.inf)
    found = winner(preference(asked, vectors, None, last=last, present=present))
    some = present.any(1) & present[:, 0]
    assert torch.equal(found[some], scores.argmax(1)[some])

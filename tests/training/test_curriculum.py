"""The curriculum: the lengths of the batches of a training run, and the steps at which they change."""

from memtape import Copy


class Watched(Copy):
    """A task that records the requested lengths and numbers of rows."""

    def __init__(self):
        super().__init__(bits=2, max_length=3)
        self.requested = []

    def sample(self, batch_size, lengths, generator):
        self.requested.append((batch_size, lengths))
        return super().sample(batch_size, lengths, generator)


def lengths_of(task, rows):
    return [lengths for count, lengths in task.requested if count == rows]


def test_the_curriculum_sets_the_lengths_of_the_task(run, model):
    task = Watched()
    run(model, task, steps=2, curriculum_steps=2, curriculum_min=3)
    assert lengths_of(task, 4) == [(3, 3), (2, 3)]


def test_a_curriculum_by_score_advances_when_a_length_is_passed(run, model):
    task = Watched()
    outcome, records, _ = run(model, task, steps=8, curriculum_score=100.0, solved_score=100.0, stop_when_solved=False)
    assert lengths_of(task, 4) == [(1, 1), (1, 1), (1, 2), (1, 2), *[(1, 3)] * 4]
    assert lengths_of(task, 8) == [(1, 1), (2, 2), (1, 3), (1, 3)]
    assert [record["longest"] for record in records if record["kind"] == "validation"] == [1, 2, 3, 3]
    assert outcome.solved_step == 8


def test_a_curriculum_by_score_leaves_out_lengths_without_validation_sequences(run, model):
    class Sparse(Watched):
        def available_within(self, split, lengths):
            return 0 if lengths == (2, 2) else None

    task = Sparse()
    outcome, records, _ = run(model, task, steps=4, curriculum_score=100.0, solved_score=100.0)
    assert lengths_of(task, 4) == [(1, 1), (1, 1), (1, 3), (1, 3)]
    assert [record["longest"] for record in records if record["kind"] == "validation"] == [1, 3]
    assert outcome.scores["cost_bits"] >= 0


def test_a_curriculum_by_score_stays_if_no_length_is_passed(run, model):
    task = Watched()
    outcome, _records, _ = run(model, task, curriculum_score=-1.0, curriculum_max=2, solved_score=100.0)
    assert lengths_of(task, 4) == [(1, 2)] * 6
    assert lengths_of(task, 8) == [(2, 2)] * 3
    assert not outcome.solved
    assert outcome.scores.keys() >= {"cost_bits"}


def test_the_best_validation_is_of_the_last_length(run, model, task):
    outcome, records, _ = run(model, task, steps=6, curriculum_score=100.0)
    validations = [record["cost_bits"] for record in records if record["kind"] == "validation"]
    assert outcome.scores["cost_bits"] == validations[2] > min(validations)


def test_a_training_run_that_ends_when_it_passes_keeps_its_weights(run, model, task):
    outcome, _, _ = run(model, task, steps=2, curriculum_score=100.0)
    assert outcome.scores["wrong_bits"] >= 0

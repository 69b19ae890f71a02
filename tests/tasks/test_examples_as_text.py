"""Examples of tasks as text."""

import torch

from memtape import Copy, PrioritySort, SequenceBatch


def tiny():
    """Two vectors of two bits to copy, and a second row that ends earlier."""
    inputs = torch.tensor(
        [[[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]], [[0, 1, 0], [0, 0, 1], *[[0, 0, 0]] * 3]]
    )
    targets = torch.tensor([[[0, 0], [0, 0], [0, 0], [1, 0], [1, 1]], [[0, 0], [0, 0], [0, 1], [0, 0], [0, 0]]])
    mask = torch.tensor([[False, False, False, True, True], [False, False, True, False, False]])
    return SequenceBatch(inputs=inputs.float(), targets=targets.float(), mask=mask, lengths=torch.tensor([5, 3]))


def test_an_example_is_shown_channel_by_channel():
    assert Copy(bits=2).show(tiny()) == "\n".join(
        [
            "Copy, 5 steps",
            "input   0 ##...",
            "input   1 .#...",
            "input   2 ..#..",
            "target  0    ##",
            "target  1    .#",
        ]
    )


def test_a_prediction_is_shown_with_its_wrong_steps_marked():
    outputs = torch.tensor([[[9.0, 9], [9, 9], [9, 9], [2, 1], [3, 0.5]], [[0.0, 0]] * 5])
    assert Copy(bits=2).show(tiny(), outputs).splitlines()[6:] == [
        "output  0    ##",
        "output  1    ##",
        "wrong        ^",
    ]


def test_another_row_is_shown_to_its_own_end():
    assert Copy(bits=2).show(tiny(), row=1) == "\n".join(
        [
            "Copy, 3 steps",
            "input   0 ...",
            "input   1 #..",
            "input   2 .#.",
            "target  0   .",
            "target  1   #",
        ]
    )


def test_a_number_is_shown_by_its_sign():
    batch = PrioritySort(bits=1).batch(0, 1, lengths=(3, 3))
    priorities = batch.inputs[0, :3, 1].tolist()
    line = PrioritySort(bits=1).show(batch).splitlines()[2]
    assert line == "input   1 " + "".join("+" if p > 0 else "-" for p in priorities) + "..."


def test_every_task_shows_its_own_examples(task):
    batch = task.batch(0, 2)
    text = task.show(batch, torch.zeros(batch.targets.shape), row=1)
    assert text.splitlines()[0] == f"{type(task).__name__}, {int(batch.lengths[1])} steps"
    assert len(text.splitlines()) == 1 + task.input_size + 2 * task.output_size + 1
    assert max(len(line) for line in text.splitlines()[1:]) <= 10 + batch.lengths[1]

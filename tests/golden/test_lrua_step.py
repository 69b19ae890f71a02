"""The worked example of one step of least recently used access, computed independently in float64 and printed to eight
digits.
"""

import pytest
import torch

from memtape import ops
from memtape.memory import LeastUsedControl, LeastUsedMemory, LeastUsedState

F64 = torch.float64
KEY = torch.tensor([[[0.6, 0.8]]], dtype=F64)
STATE = LeastUsedState(
    memory=torch.tensor([[[1, 0], [0, 1], [1, 1], [0.5, -0.5]]], dtype=F64),
    read_weights=torch.tensor([[[0.1, 0.2, 0.3, 0.4]]], dtype=F64),
    usage=torch.tensor([[0.9, 0.2, 0.5, 0.7]], dtype=F64),
)
CONTROL = LeastUsedControl(keys=KEY, add=KEY, gates=torch.tensor([[0.3]], dtype=F64).sigmoid())

WRITING = [0.05744425, 0.54044599, 0.17233276, 0.22977701]
WRITTEN = [[1.03446655, 0.0459554], [0.32426759, 0.43235679], [1.10339965, 1.1378662], [0.6378662, -0.31617839]]
COSINES = [0.6349132, 1, 0.992007, 0.1822894]
READING = [0.22193783, 0.3197323, 0.31718687, 0.14114299]
USAGE = [1.13438208, 1.05017829, 0.96451963, 1.03592]
READ = [0.77328032, 0.46472753]


def assert_printed(actual, digits):
    torch.testing.assert_close(actual, torch.tensor(digits, dtype=F64), rtol=0, atol=0.51e-8)


def test_a_step_writes_and_then_reads():
    memory = LeastUsedMemory(4, 2)
    reads, after = memory(CONTROL, STATE)
    least, writing = memory.writing(CONTROL, STATE)
    assert least.tolist() == [[1]]
    assert_printed(writing[0, 0], WRITING)
    assert_printed(after.memory[0], WRITTEN)
    assert_printed(after.read_weights[0, 0], READING)
    assert_printed(after.usage[0], USAGE)
    assert_printed(reads[0], READ)


def test_the_cosines_of_the_example():
    written = LeastUsedMemory(4, 2).write(CONTROL, STATE).memory
    cosines = torch.log(ops.content_weights(written, KEY, torch.ones(1, 1, dtype=F64)))[0, 0]
    assert_printed(cosines - cosines[1] + 1, COSINES)


@pytest.mark.parametrize("decay", [0.95, 0.99])
def test_the_usage_decays(decay):
    _, after = LeastUsedMemory(4, 2, usage_decay=decay)(CONTROL, STATE)
    more = [usage + (decay - 0.95) * before for usage, before in zip(USAGE, STATE.usage[0].tolist(), strict=True)]
    torch.testing.assert_close(after.usage[0], torch.tensor(more, dtype=F64), rtol=0, atol=1e-7)

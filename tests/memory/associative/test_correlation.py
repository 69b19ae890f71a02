"""The correlation-matrix memory: its equations, its crosstalk, and its three rules of writing."""

import pytest
import torch

from memtape.memory import CorrelationMemory
from memtape.ops import correlation_matrix, crosstalk, delta_write, optimal_matrix

F64 = torch.float64


def written(memory, keys, values, passes=1):
    state = memory.init_state(1, dtype=F64)
    for _ in range(passes):
        for key, value in zip(keys, values, strict=True):
            state = memory.write(state, key[None], value[None])
    return state


def pairs(count, key=6, value=4):
    keys = torch.nn.functional.normalize(torch.randn(count, key, dtype=F64), dim=-1)
    return keys, torch.randn(count, value, dtype=F64)


def test_the_golden_example():
    keys = torch.tensor([[1, 0, 0, 0], [0, 0.6, 0.8, 0]], dtype=F64)
    values = torch.tensor([[1, -1], [2, 0.5]], dtype=F64)
    matrix = correlation_matrix(keys, values)
    assert matrix.tolist() == [[1, pytest.approx(1.2), pytest.approx(1.6), 0], [-1, pytest.approx(0.3), 0.4, 0]]
    assert (matrix @ keys[0]).tolist() == [1, -1]
    near = torch.tensor([0.6, 0.48, 0.64, 0], dtype=F64)
    assert (matrix @ near).tolist() == pytest.approx([2.2, -0.2])
    keys = torch.tensor([[1, 0, 0], [0.6, 0.8, 0]], dtype=F64)
    recalled = correlation_matrix(keys, values) @ keys.mT
    assert recalled.mT.flatten().tolist() == pytest.approx([2.2, -0.7, 2.6, -0.1])
    optimal = optimal_matrix(keys, values)
    assert optimal.flatten().tolist() == pytest.approx([1, 1.75, 0, -1, 1.375, 0])
    torch.testing.assert_close(optimal @ keys.mT, values.mT)


def test_matrix_and_crosstalk_are_their_sums():
    keys, values = pairs(3)
    x, y = keys.tolist(), values.tolist()
    matrix = [[sum(y[p][i] * x[p][j] for p in range(3)) for j in range(6)] for i in range(4)]
    torch.testing.assert_close(correlation_matrix(keys, values), torch.tensor(matrix, dtype=F64))
    dots = [[sum(a * b for a, b in zip(x[p], x[q], strict=True)) for q in range(3)] for p in range(3)]
    expected = [[sum(y[p][i] * dots[p][q] for p in range(3) if p != q) for i in range(4)] for q in range(3)]
    torch.testing.assert_close(crosstalk(keys, values), torch.tensor(expected, dtype=F64))


def test_recall_is_the_value_and_the_crosstalk_which_vanishes_for_orthonormal_keys():
    keys, values = pairs(5)
    recalled = (correlation_matrix(keys, values) @ keys.mT).mT
    torch.testing.assert_close(recalled, values * keys.square().sum(-1, keepdim=True) + crosstalk(keys, values))
    orthonormal = torch.linalg.qr(torch.randn(6, 5, dtype=F64)).Q.mT
    assert crosstalk(orthonormal, values).abs().max() < 1e-12
    torch.testing.assert_close((correlation_matrix(orthonormal, values) @ orthonormal.mT).mT, values)


def test_crosstalk_of_random_unit_keys_is_proportional_to_the_number_of_other_pairs():
    for count in (16, 64):
        drawn = [pairs(count, 64, 64) for _ in range(40)]
        errors = [(crosstalk(*pair).square().sum() / pair[1].square().sum()).item() for pair in drawn]
        assert sum(errors) / 40 == pytest.approx((count - 1) / 64, rel=0.1)  # five standard errors


def test_hebbs_rule_is_the_sum_of_outer_products():
    keys, values = pairs(5)
    state = written(CorrelationMemory(6, 4), keys, values)
    torch.testing.assert_close(state.matrix[0], correlation_matrix(keys, values))


def test_the_delta_rule_is_its_equation_replaces_values_and_converges_to_the_optimum():
    matrix, (keys, values) = torch.randn(4, 6, dtype=F64), pairs(2)
    m, x, y = matrix.tolist(), keys[0].tolist(), values[0].tolist()
    error = [y[i] - sum(m[i][j] * x[j] for j in range(6)) for i in range(4)]
    expected = torch.tensor([[m[i][j] + 0.3 * error[i] * x[j] for j in range(6)] for i in range(4)], dtype=F64)
    torch.testing.assert_close(delta_write(matrix, keys[0], values[0], 0.3), expected)
    memory = CorrelationMemory(6, 4, rule="delta")
    replaced = written(memory, keys[[0, 0]], values)
    torch.testing.assert_close(memory.read(replaced, keys[:1]), values[1:])
    keys, values = pairs(4)
    repeated = written(memory, keys, values, passes=400)
    torch.testing.assert_close(repeated.matrix[0], optimal_matrix(keys, values), rtol=1e-6, atol=1e-6)


def test_recursive_least_squares_is_ridge_regression_after_each_pair():
    keys, values = pairs(9)
    memory = CorrelationMemory(6, 4, rule="least-squares", ridge=0.2)
    for count in (1, 5, 9):
        x, y = keys[:count], values[:count]
        expected = torch.linalg.solve(x.mT @ x + 0.2 * torch.eye(6, dtype=F64), x.mT @ y).mT
        torch.testing.assert_close(written(memory, x, y).matrix[0], expected)


def test_each_sequence_of_a_batch_has_its_own_memory():
    keys, values = pairs(2)
    for rule in ("hebb", "delta", "least-squares"):
        memory = CorrelationMemory(6, 4, rule=rule)
        both = memory.write(memory.init_state(2, dtype=F64), keys, values)
        alone = memory.write(memory.init_state(1, dtype=F64), keys[1:], values[1:])
        torch.testing.assert_close(both.matrix[1:], alone.matrix)


def test_wrong_arguments_are_refused(shapes_unchecked):
    memory = CorrelationMemory(3, 2)
    state = memory.init_state(2)
    with pytest.raises(ValueError, match=r"keys have shape \(2, 4\), but this CorrelationMemory takes \(2, 3\)"):
        memory.write(state, torch.zeros(2, 4), torch.zeros(2, 2))
    with pytest.raises(ValueError, match=r"values have shape \(1, 2\), but this CorrelationMemory takes \(2, 2\)"):
        memory.write(state, torch.zeros(2, 3), torch.zeros(1, 2))
    with pytest.raises(ValueError, match=r"keys have shape \(3,\)"):
        memory.read(state, torch.zeros(3))
    with pytest.raises(ValueError, match="rule is 'storkey', but it must be one of 'hebb', 'delta'"):
        CorrelationMemory(3, 2, rule="storkey")
    with pytest.raises(ValueError, match="ridge is 0, but it must be finite and above 0"):
        CorrelationMemory(3, 2, rule="least-squares", ridge=0)
    with pytest.raises(ValueError, match="key_size is 0, but it must be at least 1"):
        CorrelationMemory(0, 2)
